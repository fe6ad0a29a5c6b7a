"""The end of a gateway session, and what its recording proves."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.events import ChunksSealed, SealedHead, SessionClosed, SessionFailed
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused, Unavailable

ENDED_ALREADY = "session.ended"
"""The code of the refusal that is final: the session has its end. Any other says that the ledger takes nothing now."""


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """Where a session stands; None where there is none."""

    status: str | None


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """The status of one session."""

    facts: ClassVar[type[SessionStatus]] = SessionStatus
    session: str


@dataclass(frozen=True, slots=True)
class NoFacts:
    """A command that needs no facts."""

    facts: ClassVar[type[None]] = type(None)


async def close_session(ledger: Ledger, closed: SessionClosed) -> Refused | None:
    """Records the end once; a session that has ended already is refused."""

    def decide(facts: SessionStatus, now: Instant) -> Decided[None] | Refused:
        if facts.status != "open":
            return Refused(ENDED_ALREADY, f"Session {closed.session} is {facts.status or 'unknown'}.")
        return Decided((closed,), None)

    outcome = await ledger.commit(StatusQuery(closed.session), decide)
    return outcome if isinstance(outcome, Refused) else None


async def fail_session(ledger: Ledger, failed: SessionFailed) -> Refused | None:
    """Records that the target could not be reached under a permit."""

    def decide(facts: SessionStatus, now: Instant) -> Decided[None] | Refused:
        if facts.status != "open":
            return Refused(ENDED_ALREADY, f"Session {failed.session} is {facts.status or 'unknown'}.")
        return Decided((failed,), None)

    outcome = await ledger.commit(StatusQuery(failed.session), decide)
    return outcome if isinstance(outcome, Refused) else None


async def seal_chunks(ledger: Ledger, node: str, root: str, heads: tuple[SealedHead, ...]) -> None:
    """Anchors the heads that moved since the last call; `root` is the RFC 6962 root over them."""
    sealed = ChunksSealed(node, root, len(heads), heads)
    await append_event(ledger, sealed)


async def ledger_answers(ledger: Ledger) -> None:
    """Raises `Unavailable` when the ledger takes no commands; appends nothing."""
    await _taken(ledger, ())


async def append_event(ledger: Ledger, event: object) -> None:
    """An event of the installation itself, which needs no facts. Raises `Unavailable`."""
    await _taken(ledger, (event,))


async def _taken(ledger: Ledger, events: tuple[object, ...]) -> None:
    """Commits, and takes a refusal (the ledger's clock is in doubt) for what it is here: no ledger."""
    outcome = await ledger.commit(NoFacts(), lambda facts, now: Decided(events, None))
    if isinstance(outcome, Refused):
        raise Unavailable(f"{outcome.message} {outcome.hint}".strip())
