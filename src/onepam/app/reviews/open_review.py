"""Opening a review: when its period has come, or when an administrator wants one."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.access.review_schedule import Trigger
from onepam.domain.reviews import opening
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class OpeningQuery:
    """Who opens it (None: time does), everything that decides who reaches what, and the reviews that there were;
    where it is `triggered`, what happened."""

    facts: ClassVar[type[opening.OpeningFacts]] = opening.OpeningFacts
    actor: Actor | None
    triggered: bool = False


async def open_review(ledger: Ledger, actor: Actor, wanted: opening.Opening, review: str) -> opening.Opened | Refused:
    """Opens a review of what everybody holds at that moment, under the id `review`."""
    outcome = await ledger.commit(
        OpeningQuery(actor), lambda facts, now: opening.open_review(facts, wanted, review, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def open_period(ledger: Ledger, review: str) -> opening.Opened | Refused:
    """Opens the review of the period that runs; a `Refused` where none is due."""
    outcome = await ledger.commit(OpeningQuery(None), lambda facts, now: opening.open_period(facts, review, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def open_triggered(ledger: Ledger, trigger: Trigger, review: str) -> opening.Opened | Refused:
    """Opens a review of just what happened by that trigger; a `Refused` where nothing did."""
    outcome = await ledger.commit(
        OpeningQuery(None, triggered=True), lambda facts, now: opening.open_triggered(facts, trigger, review, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
