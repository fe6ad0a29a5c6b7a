"""What guardrails mean for one session of MySQL. There are none yet: an access that has some opens nothing here."""

from onepam.domain.access.guardrails import Guardrails
from onepam.kernel.errors import Refused
from onepam.protocols.mysql.startup import Start
from onepam.protocols.sql.events import Allowance

_NONE_YET = Refused(
    "target.guardrails", "guardrails are not kept for MySQL and MariaDB yet, so nothing may pass under them"
)


def allowance(guardrails: Guardrails | None) -> Allowance:
    """What the statements of a session may do."""
    return Allowance() if guardrails is None else Allowance(frozenset())


def settings(asked: Start, guardrails: Guardrails | None) -> tuple[str, ...] | Refused:
    """Statements of ours that come before the client's."""
    return () if guardrails is None else _NONE_YET
