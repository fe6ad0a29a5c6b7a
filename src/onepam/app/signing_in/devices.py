"""Letting in a command line whose machine has no browser: the person's answer, and the session that it opens."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.app.signing_in.sign_in import SignInFacts, SignInQuery
from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.signing_in import devices
from onepam.domain.signing_in.devices import Asked, DeviceFacts, DeviceOpening
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class DeviceQuery:
    """Who answers which terminal, that has shown which registered key ("" for none)."""

    facts: ClassVar[type[DeviceFacts]] = DeviceFacts
    actor: Actor
    session: str
    key: str


async def answer_device(ledger: Ledger, actor: Actor, asked: Asked, typed: str) -> Refused | None:
    """The person's answer in the browser; None when the terminal may take its sign-in."""
    decide = partial(devices.answer, actor=actor, asked=asked, typed=typed)
    query = DeviceQuery(actor, asked.session, asked.key)
    outcome = await ledger.commit(query, lambda facts, now: decide(facts, now=now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def open_device_session(ledger: Ledger, actor: Actor, opening: DeviceOpening) -> Instant | Refused:
    """The CLI session that the actor's answer allowed; the result is its end."""

    def decide(facts: SignInFacts, now: Instant) -> Decided[Instant] | Refused:
        assert facts.actor is not None  # the query names one
        return devices.sign_in(facts.actor, actor, opening, facts.proof, facts.allowed, facts.taken, now)

    outcome = await ledger.commit(SignInQuery(actor.person, actor, opening.session), decide)
    return outcome if isinstance(outcome, Refused) else outcome.result
