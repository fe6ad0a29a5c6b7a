"""What takes two people, in full: a rule that is altered is altered here, too."""

from onepam.domain.access import ConsoleRight
from onepam.domain.proposal import ProposalKind
from onepam.kernel.clock import DAY, MINUTE

ADMINISTER, ACCEPT = ConsoleRight.ADMINISTER, ConsoleRight.ACCEPT_RISK
FIVE = 5 * MINUTE

TABLE = {
    ProposalKind.SCIM_TOKEN: (ADMINISTER, ADMINISTER, FIVE, FIVE, 7 * DAY),
    ProposalKind.PROVIDER: (ADMINISTER, ADMINISTER, FIVE, FIVE, 7 * DAY),
    ProposalKind.SIGNAL_STREAM: (ADMINISTER, ADMINISTER, FIVE, FIVE, 7 * DAY),
    ProposalKind.MFA_EXCEPTION: (ADMINISTER, ACCEPT, None, FIVE, 7 * DAY),
    ProposalKind.ENROLMENT: (ADMINISTER, ADMINISTER, None, FIVE, DAY),
    ProposalKind.CHANGE: (ADMINISTER, ADMINISTER, None, FIVE, 7 * DAY),
}
"""Who proposes, who decides, how old the factor of each may be (None: of this sign-in), and when it lapses."""
