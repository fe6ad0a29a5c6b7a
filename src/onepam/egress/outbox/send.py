"""What every channel of the outbox is given, and where connections of the outbox may go."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_network

from onepam.domain.telling.outbox import Notice
from onepam.egress.egress import Admitted, Egress
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

Send = Callable[["Letter", Instant], Awaitable[Refused | None]]
"""One try, at an instant of the wall clock: None once the receiver has taken it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice ready for any channel.

    `to` are addresses (for e-mail only), `link` the whole address of the console's page, `origin` the ledger's name,
    `host` the console's.
    """

    notice: Notice
    to: tuple[str, ...]
    link: str
    origin: str
    host: str


def configured(egress: Egress, port: int) -> Egress:
    """The rule for a server that the configuration names: its port on this machine is admitted, too."""
    own = tuple(Admitted(each, port) for each in _LOOPBACK)
    return Egress((*egress.admitted, *own), egress.own_ports)
