"""The listeners' limits of this process: what they share, and how many may wait at each."""

import os
import resource
import secrets
import socket
from contextlib import suppress
from errno import EADDRINUSE
from ipaddress import ip_network

from onepam.gateway.crowd import Crowd, Known, Limits
from onepam.gateway.turns import Turns
from onepam.kernel.errors import Unavailable

BACKLOG = 1024
"""Connections that the system keeps until they are accepted, a few at a time."""

LIMITS = Limits(most=1024, kept=256, from_address=256, from_network=512)
"""Of each listener: an office behind one address signs in at once, and one that floods leaves room for others."""


class Doors:
    """`ssh`, `postgres` and `mysql` count who has not signed in yet, `web` every connection to the console, the API and
    SCIM. `proxies` are networks in CIDR form that are believed."""

    def __init__(self, proxies: tuple[str, ...]) -> None:
        more_descriptors()
        self.known = Known()
        self.turns = Turns()
        trusted = tuple(ip_network(each) for each in proxies)
        self.ssh = Crowd(LIMITS, self.known, secrets.randbelow)
        self.postgres = Crowd(LIMITS, self.known, secrets.randbelow)
        self.mysql = Crowd(LIMITS, self.known, secrets.randbelow)
        self.web = Crowd(LIMITS, self.known, secrets.randbelow, trusted)


def more_descriptors() -> None:
    """As many as the system lets this process have: crowds at the doors must not take those of sessions."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def bound(what: str, host: str, port: int, setting: str = "") -> socket.socket:
    """A socket that listens; `setting` says where ("" where that is another file's). On `::` it hears IPv6 and IPv4.
    Raises `Unavailable`."""
    family, both = socket.AF_INET6 if ":" in host else socket.AF_INET, host == "::"
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        raise _not_listening(what, host, port, setting, error) from None


def _not_listening(what: str, host: str, port: int, setting: str, error: OSError) -> Unavailable:
    words = os.strerror(error.errno) if error.errno else str(error)
    hint = f". Choose another {setting}, in the file that --config (or ONEPAM_CONFIG) names"
    taken = error.errno == EADDRINUSE and setting
    return Unavailable(f"{what} cannot listen on {host} port {port}: {words}{hint if taken else ''}")
