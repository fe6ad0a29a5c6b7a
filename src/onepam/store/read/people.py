"""One person: what they hold, and their time with the company in lanes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from onepam.app.ports import Snapshot
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import held_roles, substance
from onepam.store.read.erasing import ErasureRow, erasure_of_person
from onepam.store.read.everybody import PersonRow, describe, provider_names
from onepam.store.read.moments import Moment, moments


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """Whose account at a provider is whose; `user_name` is empty once erased, `last` the newest sign-in with it."""

    identity: str
    provider: str
    provider_name: str
    user_name: str
    since: Instant
    because: str
    last: Instant | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """How somebody's access ended: the times are as in `person.disabled`."""

    removed: Instant
    origin: str
    because: str
    left_at: Instant | None
    notified: Instant | None


@dataclass(frozen=True, slots=True)
class HeldBinding:
    """A role that a person holds: by which binding (through `group`, if not empty), since when and why."""

    binding: str
    group: str
    role: str
    purpose: str
    since: Instant
    ends: Instant | None
    source: str
    because: str


@dataclass(frozen=True, slots=True)
class Held:
    """What one command would end: counts of sign-in sessions, gateway sessions, grants and open requests."""

    sign_ins: int
    sessions: int
    grants: int
    requests: int


@dataclass(frozen=True, slots=True)
class PersonDetail:
    """A person with the bindings in force, what leaving would end, the entries that changed the account, and its
    erasure where there is one."""

    row: PersonRow
    bindings: tuple[HeldBinding, ...]
    identities: tuple[IdentityRow, ...]
    leaving: Leaving | None
    held: Held
    history: tuple[Moment, ...]
    erasure: ErasureRow | None


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval in a lane. `ends` is None while it goes on; `reference` is the object's id."""

    starts: Instant
    ends: Instant | None
    words: str
    reference: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One kind of interval: roster, account, roles, grants, sessions, factors, identities, leaving or sign-ins."""

    name: str
    bars: tuple[Bar, ...]


def person(db: Snapshot, at: Instant, person: str) -> PersonDetail | None:
    """One person; None where there was none at `at`."""
    of = {"person": person, "at": at}
    found = row(db, f"SELECT * FROM person WHERE person = :person AND {AT}", of)
    if found is None:
        return None
    borders = rows(
        db,
        "SELECT valid_from FROM person WHERE person = :person AND valid_from <= :at UNION "
        "SELECT valid_from FROM erasure WHERE person = :person AND valid_from <= :at ORDER BY 1",
        of,
    )
    return PersonDetail(
        row=describe(db, at, [found])[0],
        bindings=_bindings(db, at, person),
        identities=_identities(db, of),
        leaving=_leaving(db, of),
        held=_held(db, of),
        history=moments(db, at, [each["valid_from"] for each in borders]),
        erasure=erasure_of_person(db, at, person),
    )


def lanes(db: Snapshot, at: Instant, person: str) -> tuple[Lane, ...]:
    """The person's intervals as they were known at `at`, from the first day on."""
    of = {"person": person, "at": at}
    account = rows(db, "SELECT * FROM person WHERE person = :person AND enabled = 1 AND valid_from <= :at", of)
    grants = rows(
        db, "SELECT * FROM access_grant WHERE person = :person AND starts <= :at AND valid_until > starts", of
    )
    sessions = rows(db, f"SELECT * FROM session WHERE person = :person AND {AT}", of)
    factors = rows(
        db, "SELECT factor, kind, valid_from, valid_until FROM factor WHERE person = :person AND valid_from <= :at", of
    )
    sign_ins = rows(db, "SELECT * FROM sign_in WHERE person = :person AND valid_from <= :at", of)
    identities = rows(db, "SELECT * FROM identity WHERE person = :person AND valid_from <= :at", of)
    leaving = rows(db, "SELECT * FROM leaver WHERE person = :person AND valid_from <= :at", of)
    roster = rows(
        db,
        "SELECT * FROM staff_entry WHERE entry IN (SELECT entry FROM staff_entry WHERE person = :person "
        "AND valid_from <= :at) AND removed IS NULL AND valid_from <= :at",
        of,
    )
    called = provider_names(db, at)
    return (
        Lane("roster", _merged(at, (span for each in roster if (span := _on_roster(each))[2] < min(span[3], at)))),
        Lane("account", _merged(at, (("enabled", person, *_span(each)) for each in account))),
        Lane("roles", _role_bars(db, at, person)),
        Lane("grants", _bars(at, ((_grant_words(each), each["access_grant"], each["starts"],
                                   min(each["ends"], each["valid_until"])) for each in grants))),
        Lane("sessions", _bars(at, ((f"{each['login']} on {each['resource']}", each["session"], each["opened"],
                                     each["closed"] or FOREVER) for each in sessions))),
        Lane("factors", _merged(at, ((each["kind"], each["factor"], *_span(each)) for each in factors))),
        Lane("identities", _merged(at, ((called.get(each["provider"], each["provider"]), each["identity"],
                                         *_span(each)) for each in identities))),
        Lane("leaving", _merged(at, ((f"access ended: {each['because']}", f"{each['removed']}", each["removed"],
                                      each["valid_until"]) for each in leaving))),
        Lane("sign-ins", _merged(at, ((each["kind"], each["session"], each["valid_from"],
                                       min(each["expires"], each["valid_until"])) for each in sign_ins))),
    )  # fmt: skip


def _identities(db: Snapshot, of: dict[str, Any]) -> tuple[IdentityRow, ...]:
    called = provider_names(db, of["at"])
    last = {
        each[0]: each[1]
        for each in rows(
            db,
            "SELECT provider, max(opened) FROM sign_in WHERE person = :person AND valid_from <= :at GROUP BY provider",
            of,
        )
    }
    return tuple(
        IdentityRow(
            identity=each["identity"],
            provider=each["provider"],
            provider_name=called.get(each["provider"], each["provider"]),
            user_name=each["user_name"] or "",
            since=each["valid_from"],
            because=each["because"],
            last=last.get(each["provider"]),
        )
        for each in rows(db, f"SELECT * FROM identity WHERE person = :person AND {AT} ORDER BY valid_from", of)
    )


def _leaving(db: Snapshot, of: dict[str, Any]) -> Leaving | None:
    found = row(db, f"SELECT * FROM leaver WHERE person = :person AND {AT}", of)
    if found is None:
        return None
    return Leaving(found["removed"], found["origin"], found["because"], found["left_at"], found["notified"])


def _bindings(db: Snapshot, at: Instant, person: str) -> tuple[HeldBinding, ...]:
    found = []
    for held in held_roles(db, person, at):
        by = row(db, f"SELECT * FROM binding WHERE binding = :binding AND {AT}", {"binding": held.binding, "at": at})
        role = row(db, f"SELECT purpose FROM role WHERE role = :role AND {AT}", {"role": held.role, "at": at})
        if by is not None and role is not None:
            found.append(
                HeldBinding(
                    binding=held.binding,
                    group=held.group,
                    role=held.role,
                    purpose=role["purpose"],
                    since=by["starts"],
                    ends=held.ends,
                    source=by["source"],
                    because=by["because"],
                )
            )
    return tuple(found)


def _held(db: Snapshot, of: dict[str, Any]) -> Held:
    def count(table: str, which: str) -> int:
        found = row(db, f"SELECT count(*) FROM {table} WHERE person = :person AND {AT} AND {which}", of)
        return found[0] if found else 0

    return Held(
        sign_ins=count("sign_in", "expires > :at"),
        sessions=count("session", "status = 'open'"),
        grants=count("access_grant", "ends > :at"),
        requests=count("request", "status = 'open' AND expires > :at"),
    )


def _role_bars(db: Snapshot, at: Instant, person: str) -> tuple[Bar, ...]:
    """What somebody holds by each binding; a review that withholds a role ends the bar, or parts it."""
    of = {"person": person, "at": at}
    direct = rows(
        db, "SELECT * FROM binding WHERE subject = :person AND subject_kind = 'person' AND valid_from <= :at", of
    )
    through = rows(
        db,
        "SELECT b.binding, b.role, b.ends, b.subject, max(b.valid_from, m.valid_from) AS valid_from, "
        "min(b.valid_until, m.valid_until) AS valid_until "
        "FROM group_member m JOIN binding b ON b.subject = m.grp AND b.subject_kind = 'group' "
        "WHERE m.person = :person AND max(b.valid_from, m.valid_from) <= :at "
        "AND max(b.valid_from, m.valid_from) < min(b.valid_until, m.valid_until)",
        of,
    )
    withheld: dict[str, list[tuple[Instant, Instant]]] = {}
    kept_back = "SELECT * FROM role_withheld WHERE person = :person AND valid_from <= :at ORDER BY valid_from"
    for each in rows(db, kept_back, of):
        withheld.setdefault(each["role"], []).append((each["valid_from"], each["valid_until"]))
    named = [(each["role"], each) for each in direct]
    named += [(f"{each['role']} (through {each['subject']})", each) for each in through]
    return _merged(
        at,
        (
            (words, each["binding"], *part)
            for words, each in named
            for part in _parts(_span(each), withheld.get(each["role"], ()))
        ),
    )


def _parts(
    span: tuple[Instant, Instant], without: Iterable[tuple[Instant, Instant]]
) -> Iterator[tuple[Instant, Instant]]:
    """What is left of a span without these, which come in order."""
    began, ended = span
    for starts, ends in without:
        if began < min(starts, ended):
            yield began, min(starts, ended)
        began = max(began, ends)
    if began < ended:
        yield began, ended


def _span(found: Any) -> tuple[Instant, Instant]:
    """When a row began and stopped to count; a row with an end of its own stops there."""
    own = found["ends"] if "ends" in found.keys() else None  # noqa: SIM118 - a row iterates over its values
    return found["valid_from"], min(found["valid_until"], own or FOREVER)


def _on_roster(entry: Any) -> tuple[str, str, Instant, Instant]:
    """As what somebody stands on the roster, by which entry, from the first day to the last."""
    began, ended = _span(entry)
    return entry["type"].capitalize(), entry["entry"], Instant(max(began, entry["starts"] or 0)), ended


def _grant_words(found: Any) -> str:
    asked = substance(found["substance"])
    return f"{asked.login} on {asked.resource}"


def _merged(at: Instant, spans: Iterable[tuple[str, str, Instant, Instant]]) -> tuple[Bar, ...]:
    """Bars of (words, reference, starts, ends); rows that overlap, or follow without a gap, are one bar."""
    joined: list[tuple[str, str, Instant, Instant]] = []
    for words, reference, starts, ends in sorted(spans, key=lambda span: (span[1], span[2])):
        if joined and joined[-1][:2] == (words, reference) and joined[-1][3] >= starts:
            *_, starts, before = joined.pop()
            ends = max(before, ends)
        joined.append((words, reference, starts, ends))
    return _bars(at, joined)


def _bars(at: Instant, spans: Iterable[tuple[str, str, Instant, Instant]]) -> tuple[Bar, ...]:
    """What had ended by `at` has an end; what ends later goes on, as it was known then."""
    bars = [Bar(starts, ends if ends <= at else None, words, reference) for words, reference, starts, ends in spans]
    return tuple(sorted(bars, key=lambda bar: (bar.starts, bar.reference)))
