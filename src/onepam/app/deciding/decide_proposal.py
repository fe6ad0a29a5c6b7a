"""One person's word on what another proposed, whatever its kind: the ids of proposals are of one space."""

from dataclasses import dataclass

from onepam.app.leaving.erase_person import approve_erasure, end_erasure
from onepam.app.matrix.approve_change import approve_change
from onepam.app.matrix.reject_change import reject_change
from onepam.app.ports import Ledger
from onepam.app.providers.approve_provider import approve_provider
from onepam.app.providers.reject_provider import reject_provider
from onepam.app.providers.signal_streams import approve_stream, reject_stream
from onepam.app.provisioning.scim_token import approve_scim_token, end_scim_token
from onepam.app.sessions.ask_statement import approve_statement, deny_statement
from onepam.app.signing_in.accept_risk import accept_exception, end_exception
from onepam.app.signing_in.enrol import approve_enrolment, end_enrolment
from onepam.domain.access.authority import Actor
from onepam.domain.access.proposal import DENIED, ProposalKind
from onepam.domain.matrix.file import InvalidFile
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class Seen:
    """What a yes is bound to beside the id: the digest and the text of a change of the matrix as they were shown. And
    the digest of the token of the link, where the yes makes one."""

    digest: str
    text: str
    token_digest: str


def unknown_proposal(proposal: str) -> Refused:
    """The answer where nothing of that id waits."""
    return Refused("proposal.unknown", f"Nothing called {proposal[:40]} waits for a decision.", "/approvals")


async def approve_proposal(
    ledger: Ledger, actor: Actor, kind: ProposalKind, proposal: str, seen: Seen
) -> Instant | Refused | None:
    """None when it is in force; the end of the link where it was one for new factors."""
    match kind:
        case ProposalKind.SCIM_TOKEN:
            return await approve_scim_token(ledger, actor, proposal)
        case ProposalKind.PROVIDER:
            return await approve_provider(ledger, actor, proposal)
        case ProposalKind.SIGNAL_STREAM:
            return await approve_stream(ledger, actor, proposal)
        case ProposalKind.MFA_EXCEPTION:
            return await accept_exception(ledger, actor, proposal)
        case ProposalKind.ENROLMENT:
            return await approve_enrolment(ledger, actor, proposal, seen.token_digest)
        case ProposalKind.ERASURE:
            return await approve_erasure(ledger, actor, proposal)
        case ProposalKind.STATEMENT:
            return await approve_statement(ledger, actor, proposal)
        case ProposalKind.CHANGE:
            outcome = await approve_change(ledger, actor, proposal, seen.digest, seen.text)
            if isinstance(outcome, InvalidFile):
                return Refused("change.invalid", str(outcome.problems[0]))
            return outcome if isinstance(outcome, Refused) else None


async def deny_proposal(ledger: Ledger, actor: Actor, kind: ProposalKind, proposal: str, reason: str) -> Refused | None:
    """None when nothing comes of it. What only takes away takes one person; its proposer's no is a withdrawal."""
    match kind:
        case ProposalKind.SCIM_TOKEN:
            return await end_scim_token(ledger, actor, proposal, reason or DENIED)
        case ProposalKind.PROVIDER:
            return await reject_provider(ledger, actor, proposal)
        case ProposalKind.SIGNAL_STREAM:
            return await reject_stream(ledger, actor, proposal)
        case ProposalKind.MFA_EXCEPTION:
            return await end_exception(ledger, actor, proposal, reason or DENIED)
        case ProposalKind.ENROLMENT:
            return await end_enrolment(ledger, actor, proposal)
        case ProposalKind.ERASURE:
            return await end_erasure(ledger, actor, proposal)
        case ProposalKind.STATEMENT:
            return await deny_statement(ledger, actor, proposal, reason)
        case ProposalKind.CHANGE:
            return await reject_change(ledger, actor, proposal, reason)
