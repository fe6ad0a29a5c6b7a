"""Proposals that nobody can decide any more: their time has passed, or who made them has left.

No decision depends on this having run (`proposal.judge` looks for itself); it keeps them out of everybody's sight.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from onepam.domain.access.proposal import Proposal, ProposalKind, fallen
from onepam.domain.history.commit import Decided
from onepam.domain.leaving.erasure_events import ErasureEnded
from onepam.domain.matrix.events import ChangeRejected
from onepam.domain.providers.events import ProviderRejected
from onepam.domain.providers.signals import SignalStreamRejected
from onepam.domain.provisioning.events import ScimTokenEnded
from onepam.domain.sessions.waiting_statements import StatementEnded
from onepam.domain.signing_in.events import EnrolmentEnded
from onepam.domain.signing_in.exception_events import MfaExceptionEnded
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal, and what it is of: the provider, the stream, the person; "" for a change of the matrix."""

    proposal: Proposal
    of: str


@dataclass(frozen=True, slots=True)
class LapsingFacts:
    """Some proposals of which the tables say that they are over."""

    waiting: tuple[Waiting, ...]


ENDED: Mapping[ProposalKind, Callable[[str, str, str], object]] = MappingProxyType(
    {
        ProposalKind.SCIM_TOKEN: lambda name, of, because: ScimTokenEnded(name, of, because, None),
        ProposalKind.PROVIDER: lambda name, of, because: ProviderRejected(name, of, None, because),
        ProposalKind.SIGNAL_STREAM: lambda name, of, because: SignalStreamRejected(name, of, None, because),
        ProposalKind.MFA_EXCEPTION: lambda name, of, because: MfaExceptionEnded(name, of, because, None),
        ProposalKind.ENROLMENT: lambda name, of, because: EnrolmentEnded(name, of, because, None),
        ProposalKind.ERASURE: lambda name, of, because: ErasureEnded(name, of, because, None),
        ProposalKind.CHANGE: lambda name, of, because: ChangeRejected(name, None, because),
        ProposalKind.STATEMENT: lambda name, of, because: StatementEnded(name, because, None),
    }
)
"""By which event each kind's proposal is void in time's name."""


def lapse(facts: LapsingFacts, now: Instant) -> Decided[int]:
    """Ends them; the result is how many."""
    ended = tuple(
        ENDED[each.proposal.kind](each.proposal.proposal, each.of, why.code)
        for each in facts.waiting
        if (why := fallen(each.proposal, now)) is not None
    )
    return Decided(ended, len(ended))
