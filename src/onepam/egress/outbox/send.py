"""What every channel of the outbox is given, and where connections of the outbox may go."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from onepam.domain.telling.outbox import Digest, Notice
from onepam.egress.egress import Admitted, Egress
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

Send = Callable[["Letter", Instant], Awaitable["Refused | Later | None"]]
"""One try, at an instant of the wall clock: None once the receiver has taken it."""


@dataclass(frozen=True, slots=True)
class Later:
    """The receiver says that it takes nothing for so long (seconds)."""

    refused: Refused
    seconds: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice ready for any channel.

    `to` are addresses (for e-mail only), `link` the whole address of the console's page, `origin` the ledger's name,
    `host` the console's, `base` its address. `digest` is told in the notice's place, with the link of each of its
    notices.
    """

    notice: Notice
    to: tuple[str, ...]
    link: str
    origin: str
    host: str
    digest: Digest | None = None
    links: tuple[str, ...] = ()
    base: str = ""

    @property
    def id(self) -> str:
        """The same for every attempt."""
        return self.digest.id if self.digest is not None else self.notice.id


def later(status: int, headers: Mapping[str, str], refused: Refused) -> Refused | Later:
    """What a receiver's answer says of the next try (RFC 9110, section 10.2.3; a date is as good as nothing said)."""
    said = headers.get("retry-after", "").strip()
    if status in (429, 503) and said.isascii() and said.isdigit() and len(said) < 9:
        return Later(refused, int(said))
    return refused


def configured(egress: Egress, port: int) -> Egress:
    """The rule for a server that the configuration names: its port on this machine is admitted, too."""
    own = tuple(Admitted(each, port) for each in _LOOPBACK)
    return Egress((*egress.admitted, *own), egress.own_ports)
