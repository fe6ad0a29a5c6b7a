"""Watching a recording: allowed to its own person, auditors and those who monitor; and itself an event."""

from collections.abc import Callable

from onepam.app.ports import Ledger
from onepam.app.sessions.kill_session import KillQuery
from onepam.domain.access.authority import Actor, present
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.events import RecordingWatched
from onepam.domain.sessions.kill import KillFacts
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

WATCHERS = (ConsoleRight.AUDIT, ConsoleRight.MONITOR)


async def watch_recording(ledger: Ledger, actor: Actor, session: str, how: str) -> Refused | None:
    """None when the recording may be shown: that it is has been recorded. `how` is a word such as `play`."""

    def decide(facts: KillFacts, now: Instant) -> Decided[None] | Refused:
        return _closed_to(facts, actor, session, now) or _told(session, actor, how)

    return await _outcome(ledger, actor, session, decide)


async def watch_live(ledger: Ledger, actor: Actor, session: str) -> Refused | None:
    """As `watch_recording`, of a session that runs, from now until it ends."""

    def decide(facts: KillFacts, now: Instant) -> Decided[None] | Refused:
        return _closed_to(facts, actor, session, now) or _over(facts, session) or _told(session, actor, "live")

    return await _outcome(ledger, actor, session, decide)


async def watches_on(ledger: Ledger, actor: Actor, session: str) -> Refused | None:
    """None while somebody who watches may still watch; this is asked, and not told."""

    def decide(facts: KillFacts, now: Instant) -> Decided[None] | Refused:
        return _closed_to(facts, actor, session, now) or _over(facts, session) or Decided((), None)

    return await _outcome(ledger, actor, session, decide)


def _closed_to(facts: KillFacts, actor: Actor, session: str, now: Instant) -> Refused | None:
    if (refused := present(facts.actor, now)) is not None:
        return refused
    own = facts.person == actor.person
    if facts.person is None or not (own or any(facts.actor.roles_with(right) for right in WATCHERS)):
        return Refused("session.unknown", f"There is no recording of a session {session} that you may watch.")
    return None


def _over(facts: KillFacts, session: str) -> Refused | None:
    if facts.status == "open":
        return None
    return Refused("session.ended", f"Session {session} has ended.", f"Play its recording: onepam play {session}")


def _told(session: str, actor: Actor, how: str) -> Decided[None]:
    return Decided((RecordingWatched(session, actor.person, how),), None)


async def _outcome(
    ledger: Ledger, actor: Actor, session: str, decide: Callable[[KillFacts, Instant], Decided[None] | Refused]
) -> Refused | None:
    outcome = await ledger.commit(KillQuery(actor, session), decide)
    return outcome if isinstance(outcome, Refused) else None
