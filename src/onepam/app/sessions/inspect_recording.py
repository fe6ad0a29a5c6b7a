"""Saying what one has seen in a recording."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.sessions import inspecting
from onepam.domain.sessions.inspecting import Verdict
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class InspectionQuery:
    """Who says it, and of which session."""

    facts: ClassVar[type[inspecting.InspectionFacts]] = inspecting.InspectionFacts
    actor: Actor
    session: str


async def inspect_recording(
    ledger: Ledger, actor: Actor, session: str, verdict: Verdict, note: str = ""
) -> Refused | None:
    """None when it is said. Raises `Unavailable`."""
    outcome = await ledger.commit(
        InspectionQuery(actor, session),
        lambda facts, now: inspecting.inspect(facts, actor, session, verdict, note, now),
    )
    return outcome if isinstance(outcome, Refused) else None
