"""Other systems as people see them: each with its lists, its accounts, who stands behind them, and what is found."""

import json
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.systems.events import Match, Standing
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import Row, rows
from onepam.store.engine.tables import AT
from onepam.store.read.names import Called
from onepam.store.read.paging import Page, Window

NOBODY, LEFT, STILL_THERE = "nobody", "left", "still_there"
"""What is found of an account: nobody stands behind it; who did has left; who did has left, and a list that came since
has it still. The first two are orphaned accounts, and so is the third."""

FINDINGS = (STILL_THERE, LEFT, NOBODY)
MOST_LISTS = 20
MOST_FINDINGS = 1_000


def _at(table: str) -> str:
    return f"{table}.valid_from <= :at AND :at < {table}.valid_until"


_GONE = "CASE WHEN p.enabled = 0 THEN coalesce(l.left_at, l.removed, p.valid_from) WHEN p.ends <= :at THEN p.ends END"
_ACCOUNTS = f"""
SELECT a.account, a.system, a.name, a.name_key, a.email, a.owner, a.rights, a.person, a.service, a.because, a.used,
       a.linked_by, s.owner AS answers, s.days, s.list AS taken,
       CASE WHEN a.person IS NULL THEN '{NOBODY}' WHEN {_GONE} IS NULL THEN ''
            WHEN s.taken > max({_GONE}, a.since) THEN '{STILL_THERE}' ELSE '{LEFT}' END AS finding,
       CASE WHEN a.person IS NULL THEN a.since ELSE max({_GONE}, a.since) END AS since,
       coalesce(a.name_key, '') AS sort
FROM listed_account a
JOIN account_system s ON s.system = a.system AND {_at("s")}
LEFT JOIN person p ON p.person = a.person AND {_at("p")}
LEFT JOIN leaver l ON l.person = a.person AND {_at("l")}
WHERE {_at("a")}"""

_NARROWED = f"""
FROM ({_ACCOUNTS}) AS f LEFT JOIN person w ON w.person = f.person AND {_at("w")}
WHERE f.system = :system AND (:finding = '' OR f.finding = :finding OR (:finding = 'any' AND f.finding <> ''))
AND (:search = '' OR f.name_key LIKE :like ESCAPE '!' OR f.email LIKE :like ESCAPE '!' OR w.sought LIKE :like ESCAPE '!'
     OR lower(f.rights) LIKE :like ESCAPE '!')"""


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list of a system's accounts. `gone` are, of one that is held, the accounts that it lacks."""

    list: str
    standing: Standing
    digest: str
    made: Instant
    because: str
    accounts: int
    added: int
    changed: int
    gone: int
    decided: Instant
    by: str
    by_name: str
    released_by_name: str


@dataclass(frozen=True, slots=True)
class SystemRow:
    """A system and how its accounts stand: of `accounts` so many are `services`, behind so many stands `nobody`,
    whoever did has `left`, or has left and is `still_there`; `overdue` are those of them that were to be mended by
    now."""

    system: str
    owner: str
    owner_name: str
    days: int
    accounts: int
    services: int
    nobody: int
    left: int
    still_there: int
    overdue: int
    taken: ListRow
    held: ListRow | None

    @property
    def found(self) -> int:
        """How many accounts have nobody behind them who is here."""
        return self.nobody + self.left + self.still_there


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account of a system: who stands behind it (None: nobody), as its owner if it is a `service`, and how that is
    known. `finding` is "" or one of `FINDINGS`, since when, and `due` when it is to be mended by `answers`. The name is
    "" once erased."""

    account: str
    system: str
    name: str
    email: str
    rights: tuple[str, ...]
    person: str | None
    person_name: str
    service: bool
    because: Match
    used: Instant | None
    said_owner: str
    linked_by_name: str
    finding: str
    since: Instant | None
    due: Instant | None
    answers: str
    answers_name: str


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts; what is "" narrows nothing. `finding` is one of `FINDINGS`, or `any` of them; `search` a part of
    a name, an address or a right."""

    finding: str = ""
    search: str = ""


def systems(db: Snapshot, at: Instant) -> tuple[SystemRow, ...]:
    """All systems that have a list, by name."""
    called = Called(db, at)
    counted = {
        each["system"]: each
        for each in rows(
            db,
            "SELECT f.system, count(*) AS accounts, sum(f.service) AS services, "
            f"sum(CASE WHEN f.finding = '{NOBODY}' THEN 1 ELSE 0 END) AS nobody, "
            f"sum(CASE WHEN f.finding = '{LEFT}' THEN 1 ELSE 0 END) AS went, "
            f"sum(CASE WHEN f.finding = '{STILL_THERE}' THEN 1 ELSE 0 END) AS still_there, "
            f"sum(CASE WHEN f.finding <> '' AND f.since + f.days * {DAY} <= :at THEN 1 ELSE 0 END) AS overdue "
            f"FROM ({_ACCOUNTS}) AS f GROUP BY f.system",
            {"at": at},
        )
    }
    made = []
    for each in rows(db, f"SELECT * FROM account_system WHERE {AT} ORDER BY system", {"at": at}):
        name = each["system"]
        taken, newest = _newest(db, at, name, Standing.TAKEN), _newest(db, at, name)
        of = counted.get(name)
        made.append(
            SystemRow(
                system=name,
                owner=each["owner"],
                owner_name=called.get(each["owner"], each["owner"]),
                days=each["days"],
                taken=_list(taken, called),
                held=_list(newest, called) if newest["standing"] != Standing.TAKEN else None,
                accounts=of["accounts"] if of is not None else 0,
                services=of["services"] if of is not None else 0,
                nobody=of["nobody"] if of is not None else 0,
                left=of["went"] if of is not None else 0,
                still_there=of["still_there"] if of is not None else 0,
                overdue=of["overdue"] if of is not None else 0,
            )
        )
    return tuple(made)


def _newest(db: Snapshot, at: Instant, system: str, standing: str = "") -> Row:
    """The list of a system that came last, of those that stand so; there is one that was taken."""
    which = {"system": system, "standing": standing, "at": at}
    return rows(
        db,
        "SELECT * FROM account_list WHERE system = :system AND (:standing = '' OR standing = :standing) "
        f"AND {AT} ORDER BY decided DESC LIMIT 1",
        which,
    )[0]


def lists(db: Snapshot, at: Instant, system: str) -> tuple[ListRow, ...]:
    """The lists of a system, the newest first."""
    called = Called(db, at)
    found = rows(
        db,
        f"SELECT * FROM account_list WHERE system = :system AND {AT} ORDER BY decided DESC LIMIT {MOST_LISTS}",
        {"system": system, "at": at},
    )
    return tuple(_list(each, called) for each in found)


def accounts(db: Snapshot, at: Instant, system: str, which: AccountFilter, window: Window) -> Page[AccountRow]:
    """A page of a system's accounts, by name."""
    search = which.search.strip().casefold()
    like = "%" + "".join(f"!{each}" if each in "%_!" else each for each in search) + "%"
    of = {"system": system, "finding": which.finding, "search": search, "like": like, "at": at}
    total = rows(db, f"SELECT count(*) {_NARROWED}", of)[0][0]
    begun = rows(
        db, f"SELECT coalesce(name_key, '') AS sort FROM listed_account WHERE account = :after AND {AT}",
        {"after": window.after, "at": at},
    )  # fmt: skip
    after = {"sort": begun[0]["sort"] if begun else "", "after": window.after if begun else ""}
    found = rows(
        db,
        f"SELECT f.* {_NARROWED} AND (f.sort > :sort OR (f.sort = :sort AND f.account > :after)) "
        "ORDER BY f.sort, f.account LIMIT :most",
        {**of, **after, "most": window.most + 1},
    )
    called = Called(db, at)
    page = Page.of(found, window, total, lambda last: str(last["account"]))
    return page.map(lambda shown: [_account(each, called) for each in shown])


def findings(db: Snapshot, at: Instant) -> tuple[AccountRow, ...]:
    """The accounts of all systems behind which nobody stands who is here, those first that are due first."""
    called = Called(db, at)
    found = rows(
        db,
        f"SELECT f.* FROM ({_ACCOUNTS}) AS f WHERE f.finding <> '' "
        f"ORDER BY f.since + f.days * {DAY}, f.system, f.account LIMIT {MOST_FINDINGS}",
        {"at": at},
    )
    return tuple(_account(each, called) for each in found)


@dataclass(frozen=True, slots=True)
class Stands:
    """An account, what is found of it ("": somebody who is here stands behind it), and when its list was made."""

    system: str
    account: str
    finding: str
    made: Instant


def standings(db: Snapshot, at: Instant) -> tuple[Stands, ...]:
    """Every account of every system."""
    found = rows(
        db,
        f"SELECT f.system, f.account, f.finding, t.made FROM ({_ACCOUNTS}) AS f "
        "JOIN account_list t ON t.list = f.taken AND t.valid_from <= :at AND :at < t.valid_until "
        "ORDER BY f.system, f.account",
        {"at": at},
    )
    return tuple(Stands(each["system"], each["account"], each["finding"], each["made"]) for each in found)


def of_person(db: Snapshot, at: Instant, person: str) -> tuple[AccountRow, ...]:
    """The accounts behind which somebody stands, in all systems."""
    called = Called(db, at)
    found = rows(
        db, f"SELECT f.* FROM ({_ACCOUNTS} AND a.person = :person) AS f ORDER BY f.system, f.sort, f.account",
        {"person": person, "at": at},
    )  # fmt: skip
    return tuple(_account(each, called) for each in found)


def _list(found: Row, called: Called) -> ListRow:
    return ListRow(
        list=found["list"],
        standing=Standing(found["standing"]),
        digest=found["digest"],
        made=found["made"],
        because=found["because"],
        accounts=found["accounts"],
        added=found["added"],
        changed=found["changed"],
        gone=found["gone"],
        decided=found["decided"],
        by=found["brought_by"],
        by_name=called.get(found["brought_by"], found["brought_by"]),
        released_by_name=called.get(found["released_by"], found["released_by"]) if found["released_by"] else "",
    )


def _account(found: Row, called: Called) -> AccountRow:
    person, finding, answers = found["person"], found["finding"], found["answers"]
    return AccountRow(
        account=found["account"],
        system=found["system"],
        name=found["name"] or "",
        email=found["email"] or "",
        rights=tuple(json.loads(found["rights"])),
        person=person,
        person_name=called.get(person, person) if person else "",
        service=bool(found["service"]),
        because=Match(found["because"]),
        used=found["used"],
        said_owner=found["owner"] or "",
        linked_by_name=called.get(found["linked_by"], found["linked_by"]) if found["linked_by"] else "",
        finding=finding,
        since=found["since"] if finding else None,
        due=Instant(found["since"] + found["days"] * DAY) if finding else None,
        answers=answers,
        answers_name=called.get(answers, answers),
    )
