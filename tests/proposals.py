"""What takes two people, in full: a rule that is altered is altered here, too."""

from typing import NamedTuple

from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ProposalKind
from onepam.kernel.clock import DAY, MINUTE

ADMINISTER, ACCEPT = ConsoleRight.ADMINISTER, ConsoleRight.ACCEPT_RISK
FIVE = 5 * MINUTE


class Row(NamedTuple):
    """Who proposes, who decides, how old the factor of each may be (None: of this sign-in), when it lapses, after how
    long its proposer goes on where nobody else could decide (None: never), and whether whom it is for gains by it."""

    proposes: ConsoleRight | None
    decides: ConsoleRight
    to_propose: int | None
    to_decide: int
    lapse: int
    alone: int | None = None
    benefits: bool = True


TABLE = {
    ProposalKind.SCIM_TOKEN: Row(ADMINISTER, ADMINISTER, FIVE, FIVE, 7 * DAY),
    ProposalKind.PROVIDER: Row(ADMINISTER, ADMINISTER, FIVE, FIVE, 7 * DAY),
    ProposalKind.SIGNAL_STREAM: Row(ADMINISTER, ADMINISTER, FIVE, FIVE, 7 * DAY),
    ProposalKind.MFA_EXCEPTION: Row(ADMINISTER, ACCEPT, None, FIVE, 7 * DAY),
    ProposalKind.ENROLMENT: Row(ADMINISTER, ADMINISTER, None, FIVE, DAY, alone=2 * DAY, benefits=False),
    ProposalKind.ERASURE: Row(ADMINISTER, ADMINISTER, FIVE, FIVE, 7 * DAY),
    ProposalKind.CHANGE: Row(ADMINISTER, ADMINISTER, None, FIVE, 7 * DAY),
    ProposalKind.STATEMENT: Row(None, ConsoleRight.APPROVE, None, 15 * MINUTE, 10 * MINUTE),
}
