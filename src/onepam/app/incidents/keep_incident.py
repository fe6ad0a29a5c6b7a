"""Incidents: opened, added to, assigned, closed, opened again; and whoever answers for one is reminded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.controls.control import Severity
from onepam.domain.history.commit import Decided
from onepam.domain.incidents import handling
from onepam.domain.incidents.events import Link
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """Who acts, on which incident; who is to answer for it (""; it is not asked), and the links that are to be made."""

    facts: ClassVar[type[handling.IncidentFacts]] = handling.IncidentFacts
    actor: Actor
    incident: str
    owner: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitingQuery:
    """Some of the incidents whose owner is to be told."""

    facts: ClassVar[type[tuple[handling.Waiting, ...]]] = tuple[handling.Waiting, ...]


async def open_incident(ledger: Ledger, actor: Actor, draft: handling.Draft) -> str | Refused:
    """The id of the incident."""
    query = IncidentQuery(actor, draft.incident, draft.owner, draft.links)
    outcome = await ledger.commit(query, lambda facts, now: handling.open_incident(facts, draft, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def note_to_incident(
    ledger: Ledger, actor: Actor, incident: str, at: Instant | None, words: str, links: tuple[Link, ...]
) -> Refused | None:
    """None when it is noted; `at` is None for now."""
    query = IncidentQuery(actor, incident, links=links)
    return await _done(
        ledger, query, lambda facts, now: handling.note(facts, incident, now if at is None else at, words, links, now)
    )


async def assign_incident(
    ledger: Ledger, actor: Actor, incident: str, severity: Severity, owner: str, due: Instant | None, because: str
) -> Refused | None:
    """None when it is said how much it weighs, and who answers for it."""
    query = IncidentQuery(actor, incident, owner)
    return await _done(
        ledger, query, lambda facts, now: handling.assign(facts, incident, severity, owner, due, because, now)
    )


async def close_incident(
    ledger: Ledger, actor: Actor, incident: str, cause: str, done: str, lessons: str
) -> Refused | None:
    """None when it is over."""
    query = IncidentQuery(actor, incident)
    return await _done(ledger, query, lambda facts, now: handling.close(facts, incident, cause, done, lessons, now))


async def reopen_incident(ledger: Ledger, actor: Actor, incident: str, because: str) -> Refused | None:
    """None when it is open again."""
    query = IncidentQuery(actor, incident)
    return await _done(ledger, query, lambda facts, now: handling.reopen(facts, incident, because, now))


async def remind_owners(ledger: Ledger) -> int:
    """How many were told, of those who are due now; some are left where that is many."""
    outcome = await ledger.commit(WaitingQuery(), handling.remind)
    return 0 if isinstance(outcome, Refused) else outcome.result


async def _done(
    ledger: Ledger, query: IncidentQuery,
    decide: Callable[[handling.IncidentFacts, Instant], Decided[None] | Refused],
) -> Refused | None:  # fmt: skip
    outcome = await ledger.commit(query, decide)
    return outcome if isinstance(outcome, Refused) else outcome.result
