"""Signing a review off: somebody who had no part in it has seen what it came to."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.reviews import signing_off
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class SigningQuery:
    """Who signs, and a review with all that was decided in it."""

    facts: ClassVar[type[signing_off.SigningFacts]] = signing_off.SigningFacts
    actor: Actor
    review: str


async def sign_off(ledger: Ledger, actor: Actor, review: str, note: str, seen: str) -> Refused | None:
    """None when it is signed off. `seen` are the figures that the actor was shown (`Figures.seen`)."""
    outcome = await ledger.commit(
        SigningQuery(actor, review), lambda facts, now: signing_off.sign_off(facts, note, seen, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
