"""Tickets: how a probe reaches a listener of its own process, and nobody else's word does.

The process makes a ticket of 256 random bits for one question, sends only the ticket through the real listener, and
the listener redeems it: once, within seconds, on the path it was made for, from this machine. Person, target and proof
never travel, so there is nothing to forge, to parse, or to play again.
"""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from ipaddress import ip_address

from onepam.domain.leaving.probing import Probe, ProbePath, ProbeResult, Verdict
from onepam.kernel.clock import SECOND, Clock, Instant
from onepam.kernel.errors import Refused, Unavailable
from onepam.kernel.ids import RandomBytes

HEADER = "x-onepam-probe"
"""Where HTTP listeners find a ticket."""

LIFETIME = 10 * SECOND
MOST_TICKETS = 64
TICKET_CHARACTERS = 43

_TICKET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Probes:
    """The tickets of this process. They stand in no file, and are kept as digests."""

    def __init__(self, node: str, clock: Clock, random: RandomBytes) -> None:
        self.node = node
        self._clock = clock
        self._random = random
        self._tickets: dict[bytes, tuple[Instant, Probe]] = {}

    def ticket(self, probe: Probe) -> str:
        """A ticket for one question. Raises `Unavailable` while too many are out."""
        now = self._clock()
        self._tickets = {key: kept for key, kept in self._tickets.items() if kept[0] > now}
        if len(self._tickets) >= MOST_TICKETS:
            raise Unavailable("too many probes are on their way")
        ticket = urlsafe_b64encode(self._random(32)).rstrip(b"=").decode("ascii")
        self._tickets[_key(ticket)] = (Instant(now + LIFETIME), probe)
        return ticket

    def redeem(self, ticket: str, path: ProbePath, source: str, own: str) -> Probe | None:
        """The question of a ticket that came from `source` to the listener at `own`; None for whatever is not exactly
        that. A ticket that is ours is spent by the first attempt, also by one in the wrong place."""
        if not _TICKET.fullmatch(ticket):
            return None
        expires, probe = self._tickets.pop(_key(ticket), (Instant(0), None))
        if probe is None or expires <= self._clock() or probe.path is not path or not of_this_machine(source, own):
            return None
        return probe


def told(verdict: Verdict) -> dict[str, str]:
    """What a listener answers, as JSON."""
    if isinstance(verdict, Refused):
        return {"result": ProbeResult.REFUSED.value, "code": verdict.code}
    return {"result": ProbeResult.WOULD_OPEN.value}


def of_this_machine(source: str, own: str) -> bool:
    """Whether a connection came over loopback, or from the very address that it came to."""
    try:
        there, here = ip_address(source.partition("%")[0]), ip_address(own.partition("%")[0])
    except ValueError:
        return False
    return there.is_loopback or there == here


def _key(ticket: str) -> bytes:
    return sha256(ticket.encode("ascii")).digest()
