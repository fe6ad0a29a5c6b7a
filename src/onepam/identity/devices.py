"""Terminals without a browser that wait for their person (RFC 8628): who asked, from where, and how it stands.

Operational and in memory: what stands here is a question, and the answer stands in the ledger. A restart forgets the
questions, which lapse within two minutes anyway.
"""

from dataclasses import dataclass, replace

from onepam.domain.access.authority import Actor
from onepam.domain.signing_in.devices import LIFETIME, Asked
from onepam.gateway.crowd import Origin
from onepam.identity.tokens import new_code, new_token, token_digest
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import RandomBytes, new_id
from onepam.kernel.secret import Secret

INTERVAL = 2 * SECOND
"""How long a terminal waits between two questions (microseconds)."""
SLOWER = 5 * SECOND
"""By how much longer it has to wait after it came too soon (RFC 8628, section 3.5)."""
OF_ADDRESS = 8
"""Terminals that may wait from one address."""
OF_NETWORK = 64
MOST = 4096
"""Terminals that may wait in all; the oldest gives way."""

TOKEN_PREFIX = "opd"  # noqa: S105 - how a device code begins
PENDING = Refused("device.pending", "Nobody has typed the code yet.")
SLOW_DOWN = Refused("device.slow_down", "You ask too often.", "Wait five seconds longer between two questions.")
CROWDED = Refused("device.crowded", "Too many terminals wait from this address.", "Try again in two minutes.")
REFUSED = Refused("device.refused", "The sign-in was refused in the browser.")


@dataclass(slots=True)
class Waiting:
    """A terminal that waits. `device` is its name in the browser's address; `answer` who let it in, None as long as
    nobody has; `over`: it was refused."""

    device: str
    asked: Asked
    digest: bytes
    origin: Origin
    due: Instant
    interval: int = INTERVAL
    keyed: bool = False
    answer: Actor | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What the terminal is told: `secret` is its own, `code` what its person types at the address of `device`."""

    device: str
    secret: Secret
    code: str


class Devices:
    """The terminals that wait, oldest first."""

    def __init__(self, random: RandomBytes, most: int = MOST) -> None:
        self._random = random
        self._most = most
        self._waiting: dict[str, Waiting] = {}

    def ask(self, source: str, client: str, now: Instant, *, vouches: bool) -> Shown | Refused:
        """One more terminal waits. `vouches`: its address says something of where it is."""
        self._forget(now)
        origin = Origin.of(source)
        here = [each.origin for each in self._waiting.values() if each.origin.network == origin.network]
        if len(here) >= OF_NETWORK or sum(each == origin for each in here) >= OF_ADDRESS:
            return CROWDED
        secret, device = new_token(TOKEN_PREFIX, self._random), new_id("dev", self._random)
        code, digest = new_code(self._random)
        asked = Asked(new_id("cli", self._random), source, client, Instant(now + LIFETIME), digest, "", vouches)
        while len(self._waiting) >= self._most:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[device] = Waiting(device, asked, token_digest(secret), origin, Instant(now + INTERVAL))
        return Shown(device, secret, code)

    def named(self, device: str, now: Instant) -> Waiting | None:
        """The terminal of a browser's address, as long as it waits for an answer."""
        found = self._waiting.get(device)
        return found if found is not None and found.asked.expires > now and not _answered(found) else None

    def of(self, secret: Secret, source: str, now: Instant) -> Waiting | None:
        """The terminal that has this secret, at the address from which it asked."""
        digest = token_digest(secret)
        found = next((each for each in self._waiting.values() if each.digest == digest), None)
        return found if found is not None and found.asked.expires > now and found.asked.source == source else None

    def show_key(self, waiting: Waiting, key: str) -> bool:
        """The registered key that the terminal has shown ("" for one that nobody registered); once."""
        if waiting.keyed or _answered(waiting):
            return False
        waiting.asked, waiting.keyed = replace(waiting.asked, key=key), True
        return True

    def poll(self, waiting: Waiting, now: Instant) -> Actor | Refused:
        """How it stands: who has let the terminal in; or not yet, not any more, or asked too soon."""
        if now < waiting.due:
            waiting.interval += SLOWER
            waiting.due = Instant(now + waiting.interval)
            return SLOW_DOWN
        waiting.due = Instant(now + waiting.interval)
        if waiting.over:
            self.forget(waiting)
            return REFUSED
        return waiting.answer or PENDING

    def forget(self, waiting: Waiting) -> None:
        """The terminal waits no more."""
        self._waiting.pop(waiting.device, None)

    def _forget(self, now: Instant) -> None:
        for each in list(self._waiting.values()):
            if each.asked.expires > now:
                return
            del self._waiting[each.device]


def _answered(waiting: Waiting) -> bool:
    return waiting.over or waiting.answer is not None
