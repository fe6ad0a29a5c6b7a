"""Incidents as people see them: the register, and one with what it is linked to and what was written of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Severity
from onepam.domain.incidents.events import LinkKind
from onepam.domain.incidents.handling import State
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import row, rows
from onepam.store.engine.entries import entries, size_at
from onepam.store.engine.tables import AT
from onepam.store.facts.incidents import culprits, due
from onepam.store.read.moments import Moment, history_of, moment
from onepam.store.read.names import Called, name
from onepam.store.read.paging import Page, Window
from onepam.store.read.sessions import session_row

STATES = {"": "Open", "overdue": "Overdue", "closed": "Closed", "all": "All"}
"""What the register can be narrowed to."""

MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident; its title is None once erased."""

    incident: str
    title: str | None
    state: State
    severity: Severity
    began: Instant | None
    found: Instant
    owner: str
    owner_name: str
    due: Instant
    opened: Instant
    opened_by: str
    opened_by_name: str
    closed: Instant | None
    closed_by: str | None
    closed_by_name: str


@dataclass(frozen=True, slots=True)
class LinkRow:
    """What an incident is linked to, as people call it: of a session and of an entry from when to when it was."""

    kind: LinkKind
    ref: str
    words: str
    linked: Instant
    since: Instant | None = None
    until: Instant | None = None
    entry: Moment | None = None


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """An incident with its links and everything that was written of it, the oldest first. `culprits` may not close it,
    nor may `owners` where it was ever of high severity (`two`)."""

    row: IncidentRow
    links: tuple[LinkRow, ...]
    history: tuple[Moment, ...]
    culprits: frozenset[str]
    owners: frozenset[str]
    two: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """How many are open, of these how many past their day and of high severity, and how many were closed."""

    open: int
    overdue: int
    high: int
    closed: int


_WHICH = (
    "(:state = 'all' OR state = CASE WHEN :state = 'closed' THEN 'closed' ELSE 'open' END) "
    "AND (:state <> 'overdue' OR due <= :at) AND (:severity = '' OR severity = :severity) "
    "AND (:owner = '' OR owner = :owner)"
)


def incidents(
    db: Snapshot, at: Instant, state: str = "", severity: str = "", owner: str = "", window: Window | None = None
) -> Page[IncidentRow]:
    """A page of the register: of `STATES`, of a severity, of one owner; what is due first at the top, of all and of
    what was closed the newest."""
    window = window or Window()
    of: dict[str, Any] = {"at": at, "state": state, "severity": severity, "owner": owner, "most": window.most + 1}
    of["after"] = window.after
    cursor = row(db, f"SELECT opened, due FROM incident WHERE incident = :after AND {AT}", of)
    if state in ("closed", "all"):
        of["opened"] = cursor["opened"] if cursor else FOREVER
        found = rows(
            db,
            f"SELECT * FROM incident WHERE {AT} AND {_WHICH} "
            "AND (opened < :opened OR (opened = :opened AND incident < :after)) "
            "ORDER BY opened DESC, incident DESC LIMIT :most",
            of,
        )
    else:
        of["due"] = cursor["due"] if cursor else 0
        found = rows(
            db,
            f"SELECT * FROM incident WHERE {AT} AND {_WHICH} "
            "AND (due > :due OR (due = :due AND incident > :after)) ORDER BY due, incident LIMIT :most",
            of,
        )
    total = row(db, f"SELECT count(*) FROM incident WHERE {AT} AND {_WHICH}", of)
    page = Page.of(found, window, total[0] if total else 0, itemgetter("incident"))
    return page.map(lambda shown: (_row(db, at, each) for each in shown))


def incident(db: Snapshot, at: Instant, wanted: str) -> IncidentDetail | None:
    """One; None where there is none of that id."""
    found = row(db, f"SELECT * FROM incident WHERE incident = :incident AND {AT}", {"incident": wanted, "at": at})
    if found is None:
        return None
    return IncidentDetail(
        row=_row(db, at, found),
        links=tuple(_links(db, at, wanted)),
        history=history_of(db, at, "incident", wanted),
        culprits=culprits(db, wanted, at),
        owners=frozenset(json.loads(found["owners"])),
        two=found["highest"] == Severity.HIGH,
    )


def answers_for(db: Snapshot, at: Instant, wanted: str, person: str) -> bool:
    """Whether somebody answers for an incident."""
    found = row(db, f"SELECT owner FROM incident WHERE incident = :incident AND {AT}", {"incident": wanted, "at": at})
    return found is not None and found["owner"] == person


def incidents_of(db: Snapshot, at: Instant, kind: LinkKind, ref: str) -> tuple[IncidentRow, ...]:
    """Those that are linked to something, the newest first; so many as a page shows."""
    found = rows(
        db,
        "SELECT i.* FROM incident_link l JOIN incident i ON i.incident = l.incident "
        "AND i.valid_from <= :at AND :at < i.valid_until WHERE l.kind = :kind AND l.ref = :ref "
        "AND l.valid_from <= :at AND :at < l.valid_until ORDER BY i.opened DESC LIMIT :most",
        {"kind": kind, "ref": ref, "at": at, "most": MOST_FOUND},
    )
    return tuple(_row(db, at, each) for each in found)


def of_owner(db: Snapshot, at: Instant, owner: str) -> tuple[IncidentRow, ...]:
    """The open ones that somebody answers for, what is due first."""
    found = rows(
        db,
        f"SELECT * FROM incident WHERE owner = :owner AND state = 'open' AND {AT} ORDER BY due, incident LIMIT :most",
        {"owner": owner, "at": at, "most": MOST_FOUND},
    )
    return tuple(_row(db, at, each) for each in found)


def find_incidents(db: Snapshot, at: Instant, query: str, most: int) -> tuple[IncidentRow, ...]:
    """By their id, or part of their title; the newest first."""
    found = rows(
        db,
        f"SELECT * FROM incident WHERE {AT} AND (incident = :query OR instr(lower(title), :query) > 0) "
        "ORDER BY opened DESC LIMIT :most",
        {"query": query.lower(), "at": at, "most": most},
    )
    return tuple(_row(db, at, each) for each in found)


def figures(db: Snapshot, at: Instant) -> Figures:
    """Of all there are."""
    found: Any = row(
        db,
        f"""SELECT coalesce(sum(CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0) AS open,
                   coalesce(sum(CASE WHEN state = 'open' AND due <= :at THEN 1 ELSE 0 END), 0) AS overdue,
                   coalesce(sum(CASE WHEN state = 'open' AND severity = 'high' THEN 1 ELSE 0 END), 0) AS high,
                   coalesce(sum(CASE WHEN state = 'closed' THEN 1 ELSE 0 END), 0) AS closed
            FROM incident WHERE {AT}""",
        {"at": at},
    )
    return Figures(found["open"], found["overdue"], found["high"], found["closed"])


def is_anybody_due(db: Snapshot, at: Instant) -> bool:
    """Whether somebody is to be told that an incident waits for them."""
    return bool(due(db, at, 1))


def _links(db: Snapshot, at: Instant, wanted: str) -> Iterable[LinkRow]:
    called = Called(db, at)
    found = rows(
        db,
        f"SELECT kind, ref, valid_from FROM incident_link WHERE incident = :incident AND {AT} "
        "ORDER BY valid_from, kind, ref",
        {"incident": wanted, "at": at},
    )
    for each in found:
        yield _link(db, at, LinkKind(each["kind"]), each["ref"], each["valid_from"], called)


def _link(db: Snapshot, at: Instant, kind: LinkKind, ref: str, linked: Instant, called: Called) -> LinkRow:
    if kind in (LinkKind.PERSON, LinkKind.CAUSED_BY):
        return LinkRow(kind, ref, called.get(ref, ref), linked)
    if kind is LinkKind.SESSION and (session := session_row(db, at, ref)) is not None:
        words = f"{session.person_name} on {session.resource} as {session.login}"
        return LinkRow(kind, ref, words, linked, session.opened, session.closed or at)
    if kind is LinkKind.ENTRY and int(ref) < size_at(db, at):
        (stored,) = entries(db, int(ref), int(ref) + 1)
        entry = moment(stored)
        return LinkRow(kind, ref, f"entry {ref}", linked, entry.time, entry.time, entry)
    if kind is LinkKind.CONTROL and ref in TESTS:
        return LinkRow(kind, ref, f"{ref}: {TESTS[ref].control.title}", linked)
    return LinkRow(kind, ref, ref, linked)


def _row(db: Snapshot, at: Instant, found: Any) -> IncidentRow:
    return IncidentRow(
        incident=found["incident"],
        title=found["title"],
        state=State(found["state"]),
        severity=Severity(found["severity"]),
        began=found["began"],
        found=found["found"],
        owner=found["owner"],
        owner_name=name(db, at, found["owner"]),
        due=found["due"],
        opened=found["opened"],
        opened_by=found["opened_by"],
        opened_by_name=name(db, at, found["opened_by"]),
        closed=found["closed"],
        closed_by=found["closed_by"],
        closed_by_name=name(db, at, found["closed_by"]),
    )
