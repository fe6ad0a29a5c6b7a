"""Ordering the end of a gateway session; the gateway that holds it follows the ledger."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.sessions.kill import KillFacts, kill
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class KillQuery:
    """The actor and a session."""

    facts: ClassVar[type[KillFacts]] = KillFacts
    actor: Actor
    session: str


async def kill_session(ledger: Ledger, actor: Actor, session: str, reason: str = "") -> Refused | None:
    """None when the end is ordered. Anybody but the session's own person gives a reason."""
    outcome = await ledger.commit(
        KillQuery(actor, session), lambda facts, now: kill(facts, actor, session, reason, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
