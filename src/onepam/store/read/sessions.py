"""Gateway sessions and refusals: what happened at the door, and what became of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.access.decision import Because
from onepam.domain.access.model import Action
from onepam.domain.access.proof import MfaProof
from onepam.domain.history.event import decoder
from onepam.domain.sessions.clients import Client
from onepam.domain.sessions.clients import read as client_of
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import OF_STATEMENTS, EntryPoint
from onepam.domain.sessions.recordings import Condition
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.entries import size_at
from onepam.store.engine.tables import AT
from onepam.store.read.explain import Link, explain
from onepam.store.read.moments import Moment, moments, moments_of
from onepam.store.read.names import name, provider_name
from onepam.store.read.recordings import LAST_CHECK

MOST = 500
"""Rows that a list gives at most."""

_AT_OF_B = "b.valid_from <= :at AND :at < b.valid_until"
_CHECKS = f"""{LAST_CHECK} AS checked,
    (SELECT b.condition FROM bad_recording b WHERE b.session = session.session AND {_AT_OF_B}) AS bad,
    (SELECT b.found FROM bad_recording b WHERE b.session = session.session AND {_AT_OF_B}) AS found"""

STATES = {"live": "Live", "closed": "Ended", "killed": "Killed", "failed": "Failed", "refused": "Refused"}
"""What becomes of a session, as it is called wherever it is shown; who is refused has none."""

_because = decoder(Because)
_also = decoder(tuple[Because, ...])
_mfa = decoder(MfaProof)


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions: every field that is not None narrows. `before` is the `opened` of a page's last row.

    `gap`: those that end too early, and those whose recording was found bad. `status` may also be `ended`: closed or
    failed. `search` is part of a person's name, a resource, login, address, client or database.
    """

    person: str | None = None
    resource: str | None = None
    status: str | None = None
    since: Instant | None = None
    before: Instant | None = None
    request: str | None = None
    gap: bool = False
    search: str = ""
    most: int = 100


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as of an instant. `database`: the one on the server that its client asked for at its start, "" where it
    asked for none. `status` is open, closed or failed; `counts` the recording's records by kind;
    `last_byte` None in a closed one: the process died, and nobody saw it.

    `recording_checked` is when its finished recording was last opened and held against the ledger (None: never);
    `recording_bad` what it was found to be (None: what it should be), `recording_found` what exactly was found.
    """

    session: str
    person: str
    person_name: str
    resource: str
    login: str
    entry: EntryPoint
    actions: tuple[Action, ...]
    privileged: bool
    status: str
    node: str
    source: str | None
    client: str | None
    database: str
    opened: Instant
    ends: Instant
    closed: Instant | None
    closed_because: SessionEnd | None
    killed_by: str | None
    killed_by_name: str
    because: Because
    also: tuple[Because, ...]
    mfa: MfaProof
    provider_name: str
    head: str | None
    chunks: int | None
    counts: Mapping[str, int]
    verified: bool | None
    gap: str | None
    last_byte: Instant | None
    recording_checked: Instant | None
    recording_bad: Condition | None
    recording_found: str

    @property
    def state(self) -> str:
        """A key of `STATES`."""
        if self.status == "open":
            return "live"
        return "killed" if self.status == "closed" and self.killed_by else self.status

    @property
    def state_words(self) -> str:
        """The state as it is called."""
        return STATES[self.state]

    @property
    def closed_words(self) -> str:
        """Why it ended, in words; empty while it is open."""
        return self.closed_because.words if self.closed_because is not None else ""


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """A session, why it was possible (as it stood at its opening, each of its ways after the other), and every entry
    about it, watching included."""

    row: SessionRow
    why: tuple[Link, ...]
    history: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A "no" at the door. `asked` and `login` are what was typed; None once erased."""

    index: int
    time: Instant
    session: str
    person: str | None
    person_name: str
    resource: str | None
    asked: str | None
    login: str | None
    entry: EntryPoint
    code: str
    source: str | None


def sessions(db: Snapshot, at: Instant, which: SessionFilter | None = None) -> tuple[SessionRow, ...]:
    """Sessions, the newest first."""
    which = which or SessionFilter()
    where, values = _where(at, which)
    found = rows(
        db,
        f"SELECT *, {_CHECKS} FROM session WHERE {where} ORDER BY opened DESC LIMIT :most",
        {**values, "most": min(which.most, MOST)},
    )
    return tuple(_row(db, at, each) for each in found)


def count_sessions(db: Snapshot, at: Instant, which: SessionFilter) -> int:
    """How many sessions the filter lets through, whatever its `before` and `most`."""
    where, values = _where(at, replace(which, before=None))
    found = row(db, f"SELECT count(*) FROM session WHERE {where}", values)
    return found[0] if found else 0


def place_in_lists(db: Snapshot, at: Instant, session: str) -> Instant | None:
    """When a session was opened, or was refused: lists have the newest first, and no two of one time. None where there
    is none of that id."""
    of = {"session": session, "at": at}
    found = row(db, f"SELECT opened FROM session WHERE session = :session AND {AT}", of)
    if found is not None:
        opened: Instant = found["opened"]
        return opened
    refused = refusal(db, at, session) if session else None
    return refused.time if refused is not None else None


def _where(at: Instant, which: SessionFilter) -> tuple[str, dict[str, Any]]:
    """The conditions of a filter, and their values."""
    ended = which.status == "ended"
    values = {
        "person": which.person,
        "resource": which.resource,
        "status": None if ended else which.status,
        "since": which.since,
        "before": which.before,
        "request": which.request,
        "gap": which.gap or None,
        "search": which.search.strip().lower() or None,
    }
    conditions = {
        "person": "person = :person",
        "resource": "resource = :resource",
        "status": "status = :status",
        "since": "opened >= :since",
        "before": "opened < :before",
        "request": "json_extract(because, '$.request') = :request",
        "gap": f"(gap IS NOT NULL OR session IN (SELECT session FROM bad_recording WHERE {AT}))",
        "search": "(instr(lower(resource), :search) > 0 OR instr(lower(login), :search) > 0 "
        "OR instr(source, :search) > 0 OR instr(lower(client), :search) > 0 "
        f"OR person IN (SELECT person FROM person WHERE instr(lower(name), :search) > 0 AND {AT}))",
    }
    chosen = [AT, *(conditions[name] for name, value in values.items() if value is not None)]
    return " AND ".join([*chosen, *["status <> 'open'"] * ended]), {**values, "at": at}


def session_row(db: Snapshot, at: Instant, session: str) -> SessionRow | None:
    """One session as lists show it; None where there was none at `at`."""
    of = {"session": session, "at": at}
    found = row(db, f"SELECT *, {_CHECKS} FROM session WHERE session = :session AND {AT}", of)
    return _row(db, at, found) if found is not None else None


def session(db: Snapshot, at: Instant, session: str) -> SessionDetail | None:
    """One session; None where there was none at `at`."""
    shown, of = session_row(db, at, session), {"session": session, "at": at}
    if shown is None:
        return None
    borders = rows(db, "SELECT valid_from FROM session WHERE session = :session AND valid_from <= :at", of)
    watched = moments_of(db, at, ("recording.watched",), shown.opened)
    told = [
        *moments(db, at, [each["valid_from"] for each in borders]),
        *(each for each in watched if each.event.session == session),
    ]
    return SessionDetail(
        row=shown,
        why=tuple(link for each in (shown.because, *shown.also) for link in explain(db, shown.opened, each)),
        history=tuple(sorted(told, key=lambda each: each.index)),
    )


def refusals(db: Snapshot, at: Instant, which: SessionFilter | None = None) -> tuple[RefusalRow, ...]:
    """Refusals of one person or of everybody (also of unknown names), the newest first."""
    which = which or SessionFilter()
    where, values = _refused(db, at, which)
    found = rows(
        db,
        f"SELECT e.idx, e.time, e.body, p.data {where} ORDER BY e.idx DESC LIMIT :most",
        {**values, "most": min(which.most, MOST)},
    )
    return tuple(_refusal(db, at, each) for each in found)


def count_refusals(db: Snapshot, at: Instant, which: SessionFilter) -> int:
    """How many refusals the filter lets through, whatever its `before` and `most`."""
    where, values = _refused(db, at, replace(which, before=None))
    found = row(db, f"SELECT count(*) {where}", values)
    return found[0] if found else 0


def refusal(db: Snapshot, at: Instant, session: str) -> RefusalRow | None:
    """The refusal under a session's id; None where there is none."""
    found = rows(
        db,
        "SELECT e.idx, e.time, e.body, p.data FROM entry e LEFT JOIN payload p ON p.idx = e.idx "
        "WHERE e.kind = 'session.refused' AND e.idx < :size "
        "AND json_extract(CAST(e.body AS TEXT), '$.session') = :session",
        {"size": size_at(db, at), "session": session},
    )
    return _refusal(db, at, found[0]) if found else None


def _refused(db: Snapshot, at: Instant, which: SessionFilter) -> tuple[str, dict[str, Any]]:
    """The FROM and WHERE of the refusals that a filter lets through; of its fields those that a refusal has."""
    typed = "CAST(p.data AS TEXT)"
    where = (
        "FROM entry e LEFT JOIN payload p ON p.idx = e.idx "
        "WHERE e.kind = 'session.refused' AND e.idx >= :first AND e.idx < :end"
    )
    if which.person is not None:
        where += " AND p.person = :person"
    if search := which.search.strip().lower():
        fields = " OR ".join(
            f"instr(lower(json_extract({typed}, '$.{name}')), :search) > 0" for name in ("asked", "login")
        )
        where += f""" AND ({fields} OR instr(json_extract({typed}, '$.source'), :search) > 0 OR p.person IN
            (SELECT person FROM person WHERE instr(lower(name), :search) > 0 AND {AT}))"""
    end = at if which.before is None else min(at, Instant(which.before - 1))
    return where, {
        "first": size_at(db, Instant(which.since - 1)) if which.since is not None else 0,
        "end": size_at(db, end),
        "person": which.person,
        "search": search,
        "at": at,
    }


def _refusal(db: Snapshot, at: Instant, found: Any) -> RefusalRow:
    body, typed = json.loads(found["body"]), json.loads(found["data"]) if found["data"] else {}
    return RefusalRow(
        index=found["idx"],
        time=found["time"],
        session=body["session"],
        person=body["person"],
        person_name=name(db, at, body["person"]),
        resource=body["resource"],
        asked=typed.get("asked"),
        login=typed.get("login"),
        entry=EntryPoint(body["entry"]),
        code=body["code"],
        source=typed.get("source"),
    )


def _row(db: Snapshot, at: Instant, found: Any) -> SessionRow:
    entry, client = EntryPoint(found["entry"]), found["client"]
    named = client_of(client) if client is not None and entry in OF_STATEMENTS else Client(client or "")
    return SessionRow(
        session=found["session"],
        person=found["person"],
        person_name=name(db, at, found["person"]),
        resource=found["resource"],
        login=found["login"],
        entry=entry,
        actions=tuple(Action(each) for each in json.loads(found["actions"])),
        privileged=bool(found["privileged"]),
        status=found["status"],
        node=found["node"],
        source=found["source"],
        client=client if client is None else named.name,
        database=named.database,
        opened=found["opened"],
        ends=found["ends"],
        closed=found["closed"],
        closed_because=SessionEnd(found["closed_because"]) if found["closed_because"] else None,
        killed_by=found["kill_by"],
        killed_by_name=name(db, at, found["kill_by"]),
        because=_because(json.loads(found["because"])),
        also=_also(json.loads(found["also"])),
        mfa=(mfa := _mfa(json.loads(found["mfa"]))),
        provider_name=provider_name(db, at, mfa.provider),
        head=found["head"],
        chunks=found["chunks"],
        counts=json.loads(found["counts"]) if found["counts"] else {},
        verified=bool(found["verified"]) if found["verified"] is not None else None,
        gap=found["gap"],
        last_byte=found["last_byte"],
        recording_checked=found["checked"],
        recording_bad=Condition(found["bad"]) if found["bad"] else None,
        recording_found=found["found"] or "",
    )
