"""Leaving the gateway: every outgoing connection's address is resolved once, judged, and used as it is.

Refused are loopback, link-local, the clouds' services for their own machines (which hand out credentials), multicast,
unspecified and our own listeners, unless the operator's configuration file admits exactly that network and port. An
address that carries another one within is judged by both.
"""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from onepam.kernel.errors import Refused

RESOLVE_SECONDS = 5.0

HERE = "here"
"""This machine, among the addresses of a host: it has many."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

METADATA: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), source)
    for network, source in (
        ("fd00:ec2::/32", "AWS: instance metadata, EKS Pod Identity, time and names (EC2 user guide, 'Use IMDS')"),
        ("fd20:ce::/32", "Google Cloud: metadata server of IPv6-only machines (Compute Engine, 'Access VM metadata')"),
        ("168.63.129.16/32", "Azure: WireServer (Azure Virtual Network, 'What is IP address 168.63.129.16?')"),
        ("100.100.100.200/32", "Alibaba Cloud: ECS instance metadata (ECS, 'View instance metadata')"),
        ("192.0.0.192/32", "Oracle Cloud Classic: instance metadata (Compute Classic, 'Retrieving metadata')"),
        ("fd00:c1::/32", "Oracle Cloud: IMDS over IPv6 (Compute, 'Getting instance metadata')"),
        ("fd00:42::/32", "Scaleway: metadata over IPv6 (Instances API, 'user data')"),
        ("fd00:a9fe:a9fe::/48", "Akamai (Linode): metadata over IPv6 (Cloud Computing, 'Metadata service API')"),
    )
)
"""Services of a cloud for its own machines that are not link-local, and where that is written. Those of IPv4
link-local (169.254.169.254, AWS's .170.2 and .170.23, Tencent's 169.254.0.23, Scaleway's 169.254.42.42) and of IPv6
(OpenStack's fe80::a9fe:a9fe) are refused as such (RFC 3927, RFC 4291)."""

_NAT64 = ip_network("64:ff9b::/96")
_NAT64_LOCAL = ip_network("64:ff9b:1::/48")


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
        address = _written(host) or await _looked_up(host, port)
        if isinstance(address, Refused):
            return address
        if not self.admits(address, port):
            hint = "If it is meant, the setting egress admits exactly this address and port."
            return Refused("target.address", f"{host} leads to an address that this gateway does not connect to.", hint)
        return str(address)

    async def machine(self, host: str, port: int) -> frozenset[str] | Refused:
        """All addresses that a host has, by which one machine may be told from another; in place of those of this one
        there is `HERE`. Nothing is judged, for nothing is connected to."""
        written = _written(host.partition("%")[0])
        found = [written] if written is not None else await _all_of(host, port)
        if isinstance(found, Refused):
            return found
        carried = {each for address in found for each in _carried(address)}
        return frozenset(HERE if each.is_loopback or _of_this_machine(each) else str(each) for each in carried)

    def admits(self, address: Address, port: int) -> bool:
        """Whether the rule, or an exception of the operator, lets a connection out."""
        if self.excepted(address, port):
            return True
        carried = _carried(address)
        if any(_never(each) for each in carried):
            return False
        return port not in self.own_ports or not any(_of_this_machine(each) for each in carried)

    def excepted(self, address: Address | str, port: int) -> bool:
        """Whether an exception of the operator names this address and port: there, and only there, unencrypted goes."""
        plain = _plain(ip_address(address) if isinstance(address, str) else address)
        return any(plain in each.network and port == each.port for each in self.admitted)


def _written(host: str) -> Address | None:
    """The address that the text is: most targets are given by theirs, and a look-up takes a thread."""
    try:
        return None if "%" in host else ip_address(host)
    except ValueError:
        return None


async def _looked_up(host: str, port: int) -> Address | Refused:
    found = await _all_of(host, port)
    return found if isinstance(found, Refused) else found[0]


async def _all_of(host: str, port: int) -> list[Address] | Refused:
    """The addresses of a name, the preferred one first."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    except TimeoutError:
        return Refused("target.unresolved", f"The name {host} could not be resolved in time.")
    except (OSError, ValueError):
        return Refused("target.unresolved", f"The name {host} cannot be resolved.")


def _plain(address: Address) -> Address:
    """The IPv4 address within an IPv6 one (mapped, RFC 4291; 6to4, RFC 3056), or the address itself."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _carried(address: Address) -> tuple[Address, ...]:
    """The address and those within it to which the network may bring its packets.

    6to4 (RFC 3056), Teredo (RFC 4380: server and client), NAT64 (RFC 6052), ISATAP (RFC 5214). A mapped address
    (RFC 4291) is the IPv4 one and nothing else.
    """
    if not isinstance(address, IPv6Address):
        return (address,)
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    isatap = int(address) >> 32 & 0xFDFFFFFF == 0x00005EFE
    inside = (address.sixtofour, *(address.teredo or ()), last if isatap or address in _NAT64 else None)
    return (address, *(each for each in inside if each is not None))


def _never(address: Address) -> bool:
    """What nobody's target is. Where in a local NAT64 prefix (RFC 8215) the IPv4 address lies is not known here."""
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or address in _NAT64_LOCAL
        or any(address in network for network, _ in METADATA)
    )


def _of_this_machine(address: Address) -> bool:
    """Only an address of one's own can be bound to."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
