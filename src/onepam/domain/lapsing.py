"""Proposals that nobody can decide any more: their time has passed, or who made them has left.

No decision depends on this having run (`proposal.judge` looks for itself); it keeps them out of everybody's sight.
"""

from dataclasses import dataclass

from onepam.domain.changes import ChangeRejected
from onepam.domain.commit import Decided
from onepam.domain.mfa_exceptions import MfaExceptionEnded
from onepam.domain.proposal import Proposal, ProposalKind, fallen
from onepam.domain.providers import ProviderRejected
from onepam.domain.provisioning import ScimTokenEnded
from onepam.domain.sign_in import EnrolmentEnded
from onepam.domain.signals import SignalStreamRejected
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


def lapse(facts: LapsingFacts, now: Instant) -> Decided[int]:
    """Ends them in time's name; the result is how many."""
    ended = tuple(_ended(each, why.code) for each in facts.waiting if (why := fallen(each.proposal, now)) is not None)
    return Decided(ended, len(ended))


def _ended(waiting: Waiting, code: str) -> object:
    name, of = waiting.proposal.proposal, waiting.of
    match waiting.proposal.kind:
        case ProposalKind.SCIM_TOKEN:
            return ScimTokenEnded(name, of, code, None)
        case ProposalKind.PROVIDER:
            return ProviderRejected(name, of, None, code)
        case ProposalKind.SIGNAL_STREAM:
            return SignalStreamRejected(name, of, None, code)
        case ProposalKind.MFA_EXCEPTION:
            return MfaExceptionEnded(name, of, code, None)
        case ProposalKind.ENROLMENT:
            return EnrolmentEnded(name, of, code, None)
        case ProposalKind.CHANGE:
            return ChangeRejected(name, None, code)
