"""What guardrails mean for one session of MySQL. There are none yet: an access that has some opens nothing here."""

from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.masking import Mask
from onepam.kernel.errors import Refused
from onepam.protocols.mysql.startup import Start
from onepam.protocols.sql.events import Allowance

_NONE_YET = Refused("target.guardrails", "neither guardrails nor masks are kept for MySQL and MariaDB yet")


def allowance(guardrails: Guardrails | None) -> Allowance:
    """What the statements of a session may do."""
    return Allowance() if guardrails is None else Allowance(frozenset())


def settings(asked: Start, guardrails: Guardrails | None, mask: Mask | None) -> tuple[str, ...] | Refused:
    """Statements of ours that come before the client's."""
    return () if guardrails is None and mask is None else _NONE_YET
