"""Asking the one door without going in: the same decision, in the same kind of command, whose permit nobody gets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from onepam.app.open_session import Challenge, Knock, KnockFacts, KnockQuery, Opened, answer
from onepam.app.ports import Ledger
from onepam.app.sessions.close_session import append_event
from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.leaving.probing import OrderFacts, Probe, ProbePurpose, Verdict, WouldOpen, made, order
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """The actor and the person whose proofs are to be probed."""

    facts: ClassVar[type[OrderFacts]] = OrderFacts
    actor: Actor
    person: str


async def probe_access(ledger: Ledger, probe: Probe, knock: Knock) -> Verdict:
    """What the door says to this knock. The decision runs inside the command and what it gives stays there: nothing is
    opened or refused in the ledger but that the probe was made."""
    query = KnockQuery(knock.person, knock.target, knock.sign_in, knock.confirmation, knock.key, knock.token)
    outcome = await ledger.commit(query, judged(probe, knock))
    return outcome if isinstance(outcome, Refused) else outcome.result


def judged(probe: Probe, knock: Knock) -> Callable[[KnockFacts, Instant], Decided[Verdict]]:
    """The decider of a probe. A door that asks for a confirmation has let the proof through: only where a missing
    second factor is what is probed, that is the right answer."""
    decide = answer(knock, asked=True)

    def decider(facts: KnockFacts, now: Instant) -> Decided[Verdict]:
        verdict: Verdict
        match decide(facts, now).result:
            case Refused() as refused:
                verdict = refused
            case Challenge() if probe.purpose is ProbePurpose.NO_MFA:
                verdict = Refused("mfa.asked", "The door asks for a second factor first.")
            case Opened(because=because):
                verdict = WouldOpen(because.grant or because.binding)
            case _:
                verdict = WouldOpen()
        return Decided((made(probe, verdict, knock.node),), verdict)

    return decider


async def record_probe(ledger: Ledger, probe: Probe, verdict: Verdict | None, node: str) -> None:
    """That a listener was asked, and what it said; None where it could not be asked. Raises `Unavailable`."""
    await append_event(ledger, made(probe, verdict, node))


async def order_probe(ledger: Ledger, actor: Actor, person: str) -> Refused | None:
    """Has a person's proofs probed by every process, within seconds."""
    outcome = await ledger.commit(OrderQuery(actor, person), lambda facts, now: order(facts, actor, person, now))
    return outcome if isinstance(outcome, Refused) else None
