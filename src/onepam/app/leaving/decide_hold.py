"""Deciding on accounts whose end the brake of a directory holds: an administrator's word, or that of the time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.leaving.brake import (
    HoldFacts,
    HoldOutcome,
    ReminderFacts,
    decide_hold,
    lapse_hold,
    remind_of_hold,
)
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

NewId = Callable[[str], str]
"""A fresh id with this prefix."""


@dataclass(frozen=True, slots=True)
class HoldQuery:
    """Who acts (None: time does), the person, their hold and all that they hold."""

    facts: ClassVar[type[HoldFacts]] = HoldFacts
    actor: Actor | None
    person: str


@dataclass(frozen=True, slots=True)
class ReminderQuery:
    """A hold, and how many wait under it."""

    facts: ClassVar[type[ReminderFacts]] = ReminderFacts
    hold: str


async def decide_holds(
    ledger: Ledger, actor: Actor, people: Sequence[str], keep: bool, because: str
) -> tuple[int, Refused | None]:
    """Keeps or ends these accounts, one command each: how many, and the first refusal, which stops it."""
    for done, person in enumerate(people):
        decider = partial(_decided, actor, person, keep, because)
        outcome = await ledger.commit(HoldQuery(actor, person), decider)
        if isinstance(outcome, Refused):
            return done, outcome
    return len(people), None


def _decided(
    actor: Actor, person: str, keep: bool, because: str, facts: HoldFacts, now: Instant
) -> Decided[HoldOutcome] | Refused:
    return decide_hold(facts, actor, person, keep, because, now)


async def lapse_person_hold(ledger: Ledger, person: str, new_id: NewId) -> HoldOutcome | Refused:
    """Ends the account that nobody decided on in time; a `Refused` where nothing is due."""
    fresh = new_id("hld")
    outcome = await ledger.commit(HoldQuery(None, person), lambda facts, now: lapse_hold(facts, person, fresh, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def remind_of(ledger: Ledger, hold: str) -> Refused | None:
    """Says once more, at half time, that accounts wait."""
    outcome = await ledger.commit(ReminderQuery(hold), lambda facts, now: remind_of_hold(facts, hold, now))
    return outcome if isinstance(outcome, Refused) else None
