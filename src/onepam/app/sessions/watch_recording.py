"""Watching a recording: allowed to its own person, auditors and those who monitor; and itself an event."""

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
        if (refused := present(facts.actor, now)) is not None:
            return refused
        own = facts.person == actor.person
        if facts.person is None or not (own or any(facts.actor.roles_with(right) for right in WATCHERS)):
            return Refused("session.unknown", f"There is no recording of a session {session} that you may watch.")
        return Decided((RecordingWatched(session, actor.person, how),), None)

    outcome = await ledger.commit(KillQuery(actor, session), decide)
    return outcome if isinstance(outcome, Refused) else None
