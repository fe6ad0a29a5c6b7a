"""Leavers: from the news to the last byte, per system with both stamps, and what they answered for.

Every time is of the ledger, so the board as of a past day says what was known that day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.leaving.leaving import SPONSOR_GRACE
from onepam.domain.leaving.probing import ProbeResult
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import DAY, FOREVER, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.deciding import Deciding
from onepam.store.facts.holdings import substance
from onepam.store.facts.requests import BEGINNING, approvers
from onepam.store.read.names import Called, name

ALLOWED = DAY
"""From the news to the last end of access; beyond it stands a finding (microseconds)."""

MOST = 1_000
ALL = 1 << 31


@dataclass(frozen=True, slots=True)
class SystemEnd:
    """The end of access in one system (`SSH`, `Console`, `Command line`): how much was `held`, the two stamps `removed`
    (the decision) and `ended` (the last byte; None while something runs), and what its listener said to probes: how
    many were refused, would have opened, or were not answered, the last of them `probed`.

    Not `known`: the process that held the last of it died, and its last byte went at some time before `ended`. `sealed`
    is when the last recording was sealed and verified; None where there is none, or while something runs."""

    system: str
    held: int
    removed: Instant
    ended: Instant | None
    probed: Instant | None
    refused: int
    would_open: int
    unanswered: int
    known: bool = True
    sealed: Instant | None = None


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody whose access ended. `left_at` is the time by roster or directory, `notified` when the news came; both
    None where the decision was the news. `ended` is the last byte, or where it is not `known` the latest that it can
    have been; None while something runs."""

    person: str
    name: str
    kind: PersonKind
    origin: str
    because: str
    left_at: Instant | None
    notified: Instant | None
    removed: Instant
    ended: Instant | None
    systems: tuple[SystemEnd, ...]

    @property
    def known(self) -> bool:
        """Whether the time of the last byte is."""
        return all(each.known for each in self.systems if each.ended == self.ended)

    @property
    def sealed(self) -> Instant | None:
        """When the last recording was sealed and verified."""
        return max((each.sealed for each in self.systems if each.sealed is not None), default=None)

    @property
    def began(self) -> Instant:
        """Where the clock starts: the earliest that anybody said."""
        return min(each for each in (self.left_at, self.notified, self.removed) if each is not None)

    def took(self, now: Instant) -> int:
        """From there to the last byte, or until now (microseconds)."""
        return (self.ended if self.ended is not None else now) - self.began

    def findings(self, now: Instant) -> tuple[str, ...]:
        """What an auditor would write down."""
        found = []
        if self.took(now) > ALLOWED:
            found.append("longer than 24 hours")
        if self.ended is None:
            found.append("something still runs")
        if any(each.would_open for each in self.systems):
            found.append("a listener would still open")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Leavers:
    """Those of a period, the newest first, of `total`; percentiles over them by nearest rank (microseconds), or None
    where there is nobody."""

    people: tuple[Leaver, ...]
    total: int
    p50: int | None
    p95: int | None
    longest: int | None


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that a leaver answers for and that needs somebody else: `kind` is service, vendor, person, resource or
    role; `reference` its id. `until` is when it ends by itself, None for never."""

    kind: str
    reference: str
    name: str
    until: Instant | None


@dataclass(frozen=True, slots=True)
class Stranded:
    """An open request that nobody left may decide."""

    request: str
    person_name: str
    resource: str
    login: str
    roles: tuple[str, ...]


def leavers(db: Snapshot, at: Instant, begin: Instant, until: Instant, most: int | None = MOST) -> Leavers:
    """Whose access ended in begin <= time < until, as it was known at `at`; the newest `most`, None for all."""
    found = rows(
        db,
        "SELECT person, removed, origin, because, left_at, notified FROM leaver "
        "WHERE removed >= :begin AND removed < :until AND valid_from <= :at ORDER BY removed DESC, person LIMIT :most",
        {"begin": begin, "until": until, "at": at, "most": ALL if most is None else most},
    )
    total = row(
        db,
        "SELECT count(*) FROM leaver WHERE removed >= :begin AND removed < :until AND valid_from <= :at",
        {"begin": begin, "until": until, "at": at},
    )
    called = Called(db, at)
    people = tuple(_leaver(db, at, each, called) for each in found)
    took = sorted(each.took(at) for each in people)
    return Leavers(
        people=people,
        total=total[0] if total else 0,
        p50=rank(took, 50),
        p95=rank(took, 95),
        longest=took[-1] if took else None,
    )


def rank(values: Sequence[int], percent: int) -> int | None:
    """The percentile of sorted values by nearest rank."""
    return values[ceil(len(values) * percent / 100) - 1] if values else None


def latest_leaving(db: Snapshot, at: Instant, person: str) -> Instant | None:
    """When this person left; None for somebody who is there."""
    found = row(db, f"SELECT removed FROM leaver WHERE person = :person AND {AT}", {"person": person, "at": at})
    return found["removed"] if found else None


def duties(db: Snapshot, at: Instant, person: str) -> tuple[Duty, ...]:
    """What this person answers for, as of `at`."""
    of = {"person": person, "at": at}
    left = latest_leaving(db, at, person)
    people = rows(
        db,
        "SELECT person, kind, name, ends, owner FROM person "
        f"WHERE enabled = 1 AND (owner = :person OR manager = :person) AND {AT} ORDER BY kind, name",
        of,
    )
    found = [
        Duty(
            kind=each["kind"] if each["owner"] == person else "person",
            reference=each["person"],
            name=each["name"] or each["person"],
            until=_until(each, person, left),
        )
        for each in people
    ]
    found += [
        Duty(table, each[0], each[0], None)
        for table in ("resource", "role")
        for each in rows(db, f"SELECT {table} FROM {table} WHERE owner = :person AND {AT} ORDER BY 1", of)
    ]
    return tuple(found)


def stranded(db: Snapshot, at: Instant, most: int = 100) -> tuple[Stranded, ...]:
    """Open requests that nobody has the authority to decide, the oldest first."""
    waiting = rows(
        db,
        f"SELECT request, substance FROM request WHERE status = 'open' AND expires > :at AND {AT} ORDER BY made",
        {"at": at},
    )
    found, deciding = list[Stranded](), Deciding(db, at)
    for request, asked in ((each["request"], substance(each["substance"])) for each in waiting):
        roles = approvers(db, asked, at, BEGINNING)
        if not deciding.anybody(roles, asked.person, asked.resource):
            found.append(Stranded(request, name(db, at, asked.person), asked.resource, asked.login, roles))
            if len(found) == most:
                break
    return tuple(found)


def open_doors(db: Snapshot, at: Instant) -> tuple[str, ...]:
    """Leavers of whom a listener said that it would still open, at the last time that it was asked."""
    found = rows(
        db,
        "SELECT DISTINCT l.person FROM leaver l JOIN probe p ON p.person = l.person AND p.made > l.removed "
        "WHERE p.result = 'would_open' AND p.valid_from <= :at AND l.valid_from <= :at AND :at < l.valid_until "
        "AND NOT EXISTS (SELECT 1 FROM probe q WHERE q.person = p.person AND q.path = p.path AND q.proof = p.proof "
        "AND q.reference = p.reference AND q.made > p.made AND q.result = 'refused' AND q.valid_from <= :at) "
        "ORDER BY 1",
        {"at": at},
    )
    return tuple(each["person"] for each in found)


def _until(found: Any, owner: str, left: Instant | None) -> Instant | None:
    """When an account ends by itself: on its last day; a vendor's also when the sponsor has been gone for a week."""
    ends = [each for each in (found["ends"],) if each is not None]
    if found["owner"] == owner and found["kind"] == PersonKind.VENDOR and left is not None:
        ends.append(Instant(left + SPONSOR_GRACE))
    return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class _End:
    """The end of one thing that was held (FOREVER: it goes on), whether it is `known` or only the latest that it can
    have been, and when its recording was verified."""

    ended: Instant
    known: bool = True
    sealed: Instant | None = None


def _leaver(db: Snapshot, at: Instant, found: Any, called: Mapping[str, str]) -> Leaver:
    person, removed = found["person"], found["removed"]
    probes = _probes(db, at, person, removed)
    systems = (
        _system("SSH", removed, _sessions(db, at, person, removed), probes.get("ssh")),
        _system("Console", removed, _sign_ins(db, at, person, removed, "console"), probes.get("console")),
        _system("Command line", removed, _sign_ins(db, at, person, removed, "cli"), probes.get("api")),
    )
    kind = row(db, f"SELECT kind FROM person WHERE person = :person AND {AT}", {"person": person, "at": at})
    ended = [each.ended for each in systems]
    return Leaver(
        person=person,
        name=called.get(person, person),
        kind=PersonKind(kind["kind"]) if kind else PersonKind.EMPLOYEE,
        origin=found["origin"],
        because=found["because"],
        left_at=found["left_at"],
        notified=found["notified"],
        removed=removed,
        ended=None if None in ended else max(each for each in ended if each is not None),
        systems=systems,
    )


def _system(name: str, removed: Instant, ends: list[_End], probes: dict[str, Any] | None) -> SystemEnd:
    """`ends` of what was held."""
    told = probes or {}
    last = max((each.ended for each in ends), default=removed)
    sealed = max((each.sealed for each in ends if each.sealed is not None), default=None)
    return SystemEnd(
        system=name,
        held=len(ends),
        removed=removed,
        ended=None if last == FOREVER else max(last, removed),
        known=all(each.known for each in ends if each.ended == last),
        sealed=None if last == FOREVER else sealed,
        probed=told.get("last"),
        refused=told.get(ProbeResult.REFUSED.value, 0),
        would_open=told.get(ProbeResult.WOULD_OPEN.value, 0),
        unanswered=told.get(ProbeResult.UNANSWERED.value, 0),
    )


def _sessions(db: Snapshot, at: Instant, person: str, removed: Instant) -> list[_End]:
    found = rows(
        db,
        f"SELECT status, closed, last_byte FROM session WHERE person = :person AND opened <= :removed "
        f"AND (closed IS NULL OR closed >= :removed) AND {AT}",
        {"person": person, "removed": removed, "at": at},
    )
    return [_session_end(each) for each in found]


def _session_end(found: Any) -> _End:
    """A session that failed had no target: nothing was sent, and its end is its entry."""
    closed, last_byte = found["closed"], found["last_byte"]
    if closed is None:
        return _End(FOREVER)
    return _End(
        closed if last_byte is None else last_byte, last_byte is not None or found["status"] == "failed", closed
    )


def _sign_ins(db: Snapshot, at: Instant, person: str, removed: Instant, kind: str) -> list[_End]:
    """Ends of the sessions that were good when the person left. One whose row was not ended gives nothing, and is
    still said to run: the receipt is what counts here."""
    found = rows(
        db,
        "SELECT min(expires, valid_until) AS ended FROM sign_in WHERE person = :person AND kind = :kind "
        "AND valid_from <= :removed AND valid_until > :removed AND expires > :removed AND valid_from <= :at",
        {"person": person, "kind": kind, "removed": removed, "at": at},
    )
    return [_End(each["ended"] if each["ended"] <= at else FOREVER) for each in found]


def _probes(db: Snapshot, at: Instant, person: str, removed: Instant) -> dict[str, dict[str, Any]]:
    """By path: how many of each result, and the `last`."""
    found: dict[str, dict[str, Any]] = {}
    for each in rows(
        db,
        "SELECT path, result, count(*) AS count, max(made) AS last FROM probe WHERE person = :person "
        f"AND made > :removed AND {AT} GROUP BY path, result",
        {"person": person, "removed": removed, "at": at},
    ):
        of = found.setdefault(each["path"], {"last": each["last"]})
        of[each["result"]] = each["count"]
        of["last"] = max(of["last"], each["last"])
    return found
