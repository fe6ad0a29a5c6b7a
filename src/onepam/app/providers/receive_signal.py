"""A transmitter's signal, whose signature holds: what it says of a person's sign-ins happens here."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.providers.signals import Signal, SignalFacts, Stream, Subject, receive
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class SignalQuery:
    """A stream as the signal was checked against it, the signal's digest and whom it names; and the instant up to which
    sign-ins were opened that it may end."""

    facts: ClassVar[type[SignalFacts]] = SignalFacts
    stream: str
    change: str
    jti_digest: str
    subject: Subject
    opened_until: Instant


async def receive_signal(ledger: Ledger, stream: Stream, signal: Signal, skew: int) -> int | Refused:
    """How many sign-ins ended. Those that were opened later than the signal was made (plus `skew` microseconds between
    the clocks) are not the ones it speaks of. Codes: `signal.stream`, `signal.repeated`.
    """
    until = Instant(signal.issued + skew)
    query = SignalQuery(stream.stream, stream.change, signal.digest, signal.subject, until)
    outcome = await ledger.commit(query, lambda facts, _: receive(facts, stream.stream, signal))
    return outcome if isinstance(outcome, Refused) else outcome.result
