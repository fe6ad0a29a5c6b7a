"""Leaving the gateway: every outgoing connection's address is resolved once, judged, and used as it is.

Refused are loopback, link-local (with the clouds' metadata service), multicast, unspecified and our own listeners,
unless the operator's configuration file admits exactly that network and port.
"""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from onepam.kernel.errors import Refused

RESOLVE_SECONDS = 5.0

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Admitted:
    """A network and port that the operator admits although the rule refuses it."""

    network: Network
    port: int

    @classmethod
    def parse(cls, text: str) -> "Admitted":
        """`127.0.0.1/32:2222`. Raises `ValueError`."""
        network, _, port = text.rpartition(":")
        return cls(ip_network(network), int(port))


@dataclass(frozen=True, slots=True)
class Egress:
    """The operator's rule for outgoing connections. `own_ports` are those of our listeners on this machine."""

    admitted: tuple[Admitted, ...] = ()
    own_ports: frozenset[int] = frozenset()

    async def resolve(self, host: str, port: int) -> str | Refused:
        """The one address to connect to, or why there is none."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            return Refused("target.unresolved", f"The name {host} could not be resolved in time.")
        except (OSError, UnicodeError):
            return Refused("target.unresolved", f"The name {host} cannot be resolved.")
        address = ip_address(found[0][4][0].partition("%")[0]) if isinstance(found[0][4][0], str) else None
        if address is None or not self.admits(address, port):
            hint = "If it is meant, the setting egress admits exactly this address and port."
            return Refused("target.address", f"{host} leads to an address that this gateway does not connect to.", hint)
        return str(address)

    def admits(self, address: Address, port: int) -> bool:
        """Whether the rule, or an exception of the operator, lets a connection out."""
        plain = _plain(address)
        if self.excepted(address, port):
            return True
        if plain.is_loopback or plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain.is_reserved:
            return False
        return port not in self.own_ports or not _of_this_machine(plain)

    def excepted(self, address: Address | str, port: int) -> bool:
        """Whether an exception of the operator names this address and port: there, and only there, unencrypted goes."""
        plain = _plain(ip_address(address) if isinstance(address, str) else address)
        return any(plain in each.network and port == each.port for each in self.admitted)


def _plain(address: Address) -> Address:
    """The IPv4 address within an IPv6 one (mapped, RFC 4291; 6to4, RFC 3056), or the address itself."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _of_this_machine(address: Address) -> bool:
    """Only an address of one's own can be bound to."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
