"""Facts of other systems: their accounts and lists, and who may stand behind an account."""

import json
from collections.abc import Iterable

from onepam.app.ports import Snapshot
from onepam.app.systems.answer_for import LinkQuery, SystemQuery
from onepam.app.systems.import_accounts import ListQuery
from onepam.domain.people.events import PersonKind
from onepam.domain.reviews.population import SCIM, SYSTEM, Item, Way, held_in, is_beyond
from onepam.domain.systems.events import Match, Standing
from onepam.domain.systems.file import name_key
from onepam.domain.systems.importing import HeldList, ListedAccount, ListFacts
from onepam.domain.systems.linking import LinkFacts, SystemFacts
from onepam.domain.systems.matching import Behind, Someone
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts, is_here, person_kind

_ERASED = f"SELECT person FROM erasure WHERE status <> 'proposed' AND {AT}"


@loads(ListQuery)
def lists(db: Snapshot, query: ListQuery, at: Instant) -> ListFacts:
    of = {"system": query.system, "at": at}
    taken = rows(
        db, f"SELECT digest, made FROM account_list WHERE system = :system AND standing = '{Standing.TAKEN}' AND {AT} "
        "ORDER BY decided DESC", of,
    )  # fmt: skip
    newest = row(db, f"SELECT * FROM account_list WHERE system = :system AND {AT} ORDER BY decided DESC LIMIT 1", of)
    waits = newest is not None and newest["standing"] != Standing.TAKEN
    others = row(db, f"SELECT count(*) FROM account_system WHERE system <> :system AND {AT}", of)
    return ListFacts(
        actor=actor_facts(db, query.actor, at),
        accounts=_accounts(db, query.system, at) if query.whole else (),
        people=_people(db, at) if query.whole else (),
        made=taken[0]["made"] if taken else None,
        digest=taken[0]["digest"] if taken else "",
        earlier=frozenset(each["digest"] for each in taken),
        waits=HeldList(newest["list"], newest["digest"], Standing(newest["standing"]), newest["brought_by"])
        if newest is not None and waits
        else None,
        systems=others[0] if others else 0,
    )


@loads(LinkQuery)
def linking(db: Snapshot, query: LinkQuery, at: Instant) -> LinkFacts:
    of = {"system": query.system, "account": query.account, "key": name_key(query.account), "at": at}
    found = rows(
        db, "SELECT * FROM listed_account WHERE system = :system AND (name_key = :key OR account = :account) "
        f"AND {AT} LIMIT 2", of,
    )  # fmt: skip
    who = {"person": query.person, "at": at}
    known = row(db, f"SELECT kind FROM person WHERE person = :person AND person NOT IN ({_ERASED}) AND {AT}", who)
    return LinkFacts(
        actor=actor_facts(db, query.actor, at),
        account=_account(found[0], frozenset()) if len(found) == 1 else None,
        known=known is not None and known["kind"] != PersonKind.SERVICE,
        here=query.person is not None and _answers(db, query.person, at),
    )


@loads(SystemQuery)
def system(db: Snapshot, query: SystemQuery, at: Instant) -> SystemFacts:
    found = row(db, f"SELECT 1 FROM account_system WHERE system = :system AND {AT}", {"system": query.system, "at": at})
    return SystemFacts(actor_facts(db, query.actor, at), found is not None, _answers(db, query.owner, at))


def _answers(db: Snapshot, person: str, at: Instant) -> bool:
    """Whether somebody who is here can answer for an account: no service account can."""
    return is_here(db, person, at) and person_kind(db, person, at) is not PersonKind.SERVICE


def held_beyond(db: Snapshot, at: Instant, person: str = "") -> dict[tuple[str, str], tuple[Way, ...]]:
    """What people hold in other systems, by lists of accounts and as members of directories' groups: by person and
    system, each account and right. Of one person only, where one is named."""
    of = {"person": person, "at": at}
    one = "AND person = :person" if person else ""
    ways: list[tuple[str, str, Way]] = []
    listed = f"SELECT person, system, account, rights FROM listed_account WHERE person IS NOT NULL {one} AND {AT}"
    for each in rows(db, listed, of):
        rights = json.loads(each["rights"])
        ways += [(each["person"], SYSTEM + each["system"], Way(each["account"], right)) for right in rights]
    members = f"SELECT person, grp, source FROM group_member WHERE source LIKE '{SCIM}%' {one} AND {AT}"
    ways += [(each["person"], each["source"], Way("", each["grp"])) for each in rows(db, members, of)]
    return held_in(ways)


def still_held(db: Snapshot, at: Instant, items: Iterable[Item]) -> frozenset[tuple[str, str]]:
    """Of which of these items of other systems an account is on its list, or its person in one of the groups."""
    beyond = [each for each in items if is_beyond(each.role)]
    if not beyond:
        return frozenset()
    named = json.dumps(sorted({way.binding for each in beyond for way in each.ways if way.binding}))
    people = json.dumps(sorted({each.person for each in beyond}))
    listed = f"SELECT account FROM listed_account WHERE account IN (SELECT value FROM json_each(:named)) AND {AT}"
    member = (
        f"SELECT person, source, grp FROM group_member WHERE person IN (SELECT value FROM json_each(:people)) AND {AT}"
    )
    there = {each["account"] for each in rows(db, listed, {"named": named, "at": at})}
    within = {(who, source, group) for who, source, group in rows(db, member, {"people": people, "at": at})}
    return frozenset(
        (each.person, each.role)
        for each in beyond
        if any(
            way.binding in there if way.binding else (each.person, each.role, way.group) in within for way in each.ways
        )
    )


def _accounts(db: Snapshot, system: str, at: Instant) -> tuple[ListedAccount, ...]:
    erased = frozenset(each["person"] for each in rows(db, _ERASED, {"at": at}))
    found = rows(
        db,
        f"SELECT * FROM listed_account WHERE system = :system AND {AT} ORDER BY account",
        {"system": system, "at": at},
    )
    return tuple(_account(each, erased) for each in found)


def _account(found: Row, erased: frozenset[str]) -> ListedAccount:
    return ListedAccount(
        account=found["account"],
        name=found["name"],
        rights=tuple(json.loads(found["rights"])),
        email=found["email"],
        used=found["used"],
        owner=found["owner"],
        behind=Behind(found["person"], bool(found["service"]), Match(found["because"])),
        erased=found["person"] in erased,
    )


def _people(db: Snapshot, at: Instant) -> tuple[Someone, ...]:
    """Everybody who was not erased, here and gone, with the names that directories give them."""
    names: dict[str, list[str]] = {}
    users = f"SELECT person, user_name FROM scim_user WHERE person IS NOT NULL AND user_name IS NOT NULL AND {AT}"
    for each in rows(db, users, {"at": at}):
        names.setdefault(each["person"], []).append(each["user_name"])
    everybody = f"SELECT person, email, enabled, ends FROM person WHERE kind <> 'service' AND {AT}"
    return tuple(
        Someone(
            each["person"],
            (each["email"] or "").casefold(),
            tuple(names.get(each["person"], ())),
            bool(each["enabled"]) and (each["ends"] is None or each["ends"] > at),
        )
        for each in rows(db, f"{everybody} AND person NOT IN ({_ERASED})", {"at": at})
    )
