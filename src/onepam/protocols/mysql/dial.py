"""Dials a MySQL or a MariaDB: one address, one login, TLS to a server that must be a pinned one, then the secret.

Nothing is sent before the server is known but the request for TLS, and nothing at all to one that has none.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.kernel.text import printable
from onepam.protocols.mysql import startup, wire
from onepam.protocols.mysql.catalogue import Catalogue
from onepam.protocols.mysql.signing_in import SigningIn
from onepam.protocols.mysql.startup import NEEDED, Greeting, Start
from onepam.protocols.mysql.wire import Can, Malformed
from onepam.protocols.sql import target
from onepam.protocols.sql.target import Where, secured

CANCEL_SECONDS = 5.0
"""How long it may take to tell a server to end a statement: another sign-in."""

MOST_WORDS = 200
"""Of what a server says to a sign-in, in characters."""

MOST_MESSAGE_BYTES = 64 * 1024
MOST_STARTING_BYTES = 1024 * 1024
"""What a server may say until it is ready: in one message, and in all."""

MOST_STEPS = 10
"""Of a server's sign-in."""

_pool = ThreadPoolExecutor(2, thread_name_prefix="ed25519")
_NOT_MYSQL = Refused("target.refusing", "the target does not answer as a MySQL or a MariaDB does")
_DENIED, _BUSY = (1044, 1045, 1698), (1040, 1203, 1226, 1129)
"""Numbers of errors (MySQL, "Server Error Message Reference"): not admitted, and none admitted now."""


@dataclass(frozen=True, slots=True)
class Who:
    """The login with its secret, and what its client asked for when it came. `settings` gives statements of ours that
    must succeed at such a server before anything else runs; `several`: a text may have several statements."""

    login: str
    asked: Start
    secret: Secret
    settings: Callable[[Greeting], tuple[str, ...]] = lambda _: ()
    several: bool = True


class TargetLeg(target.TargetLeg):
    """Our connection to a target. `thread` is its number there, `status` what the server said last of it;
    `catalogue` what is known of its masked columns. `stopped_by` ends what it does, by another login than its own."""

    says_goodbye = False
    """A server that waits (GET_LOCK, SLEEP) looks whether its client is there by whether something has come but an end:
    it would take a goodbye of TLS for the next command, and wait on."""

    def __init__(self) -> None:
        super().__init__()
        self.greeting: Greeting | None = None
        self.catalogue: Catalogue | None = None
        self.status = 0
        self.can = Can(0)
        self.stopped_by: Callable[[], Coroutine[None, None, None]] | None = None
        self._come, self._gone = asyncio.Event(), False
        self._rest, self._left = b"", MOST_STARTING_BYTES
        self._reached: tuple[Where, Who] | None = None
        self.heard, self.lost = self._take, self._went

    @property
    def thread(self) -> int:
        return self.greeting.thread if self.greeting is not None else 0

    @property
    def place(self) -> tuple[str, int] | None:
        """Address and port, once it is ready."""
        return None if self._reached is None else (self._reached[0].address, self._reached[0].port)

    def reached(self, where: Where, who: Who) -> None:
        """It is at `where`, signed in as `who`, and ready."""
        self._reached = (where, who)
        self.hold(True)
        self.early, self._rest = self._rest, b""

    def asked_to_stop(self) -> Coroutine[None, None, None] | None:
        if self.stopped_by is not None:
            return self.stopped_by()
        return _stop(*self._reached, self.thread, self.certificate) if self._reached is not None else None

    @property
    def said_more(self) -> bool:
        """Whether something has come that nobody has read."""
        return bool(self._rest)

    async def said(self) -> tuple[int, bytes] | None:
        """Sequence and payload of the next packet, and not a byte more; None where the server has hung up or sends what
        is none."""
        while True:
            here = len(self._rest) - wire.HEAD_BYTES
            length = int.from_bytes(self._rest[:3], "little") if here >= 0 else 0
            if length > MOST_MESSAGE_BYTES:
                return None
            if here >= length:
                sequence, end = self._rest[3], wire.HEAD_BYTES + length
                payload, self._rest = self._rest[wire.HEAD_BYTES : end], self._rest[end:]
                return sequence, payload
            if self._gone:
                return None
            self._come.clear()
            await self._come.wait()

    def _take(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._went()
        else:
            self._rest += data
            self._come.set()

    def _went(self) -> None:
        self._gone = True
        self._come.set()


async def dial(where: Where, who: Who, timeout: float) -> TargetLeg | Refused:  # noqa: ASYNC109 - it words the refusal
    """Connect and sign in within `timeout` seconds, or say in words for the person why not.

    Codes: `target.down`, `target.hanging`, `target.plain`, `target.certificate`, `target.refusing`. A cancelled dial
    leaves no connection.
    """
    legs: list[TargetLeg] = []
    try:
        async with asyncio.timeout(timeout):
            leg = await secured(where, None, _new(legs), lambda leg: _asked_for_tls(leg, who))
            if isinstance(leg, Refused):
                return leg
            refused = await _signed_in(leg, who) or await _set(leg, who)
            if refused is not None:
                return refused
            leg.reached(where, who)
            return leg
    except Malformed:
        return _NOT_MYSQL
    except TimeoutError:
        if legs and not legs[-1].is_closed():
            return Refused("target.hanging", "the target accepts connections but does not answer")
        return Refused("target.down", "the target does not answer")
    finally:
        for each in legs:
            if each._reached is None:
                each.cut()


def _new(legs: list[TargetLeg]) -> Callable[[], TargetLeg]:
    """Makes connections, which are all in `legs`."""

    def make() -> TargetLeg:
        legs.append(TargetLeg())
        return legs[-1]

    return make


async def _asked_for_tls(leg: TargetLeg, who: Who) -> Refused | None:
    """The server's greeting, and the request for TLS (MySQL, "Protocol::SSLRequest")."""
    found = await leg.said()
    if found is None or leg.said_more:  # what follows it in the clear is somebody else's
        return _NOT_MYSQL
    if found[1][:1] == b"\xff":
        return _worded(found[1], who, in_clear=False)
    leg.greeting = startup.greeted(found[1])
    if not leg.greeting.can & Can.SSL:
        return Refused("target.plain", "the target speaks no TLS: nothing was sent to it")
    if leg.greeting.can & NEEDED != NEEDED:
        return Refused("target.refusing", "the target is older than MySQL 5.6 and MariaDB 10.0")
    leg.can = who.asked.can & leg.greeting.can & ~Can.SSL | NEEDED | Can.PLUGIN_AUTH_LENENC
    if leg.can & startup.CHANGES != who.asked.can & startup.CHANGES:
        return Refused("target.refusing", "the target has less than what the client was offered")
    if not who.several:
        leg.can &= ~Can.MULTI_STATEMENTS
    if not who.asked.database:
        leg.can &= ~Can.CONNECT_WITH_DB
    leg.send(wire.packet(1, startup.request(leg.can, who.asked.collation)))
    return None


async def _signed_in(leg: TargetLeg, who: Who) -> Refused | None:
    """From our HandshakeResponse until the server's OK."""
    loop, signing_in = asyncio.get_running_loop(), SigningIn(who.login, who.secret)
    assert leg.greeting is not None
    plugin, first = signing_in.begin(leg.greeting.plugin, leg.greeting.nonce)
    leg.send(wire.packet(2, startup.response(who.asked, who.login, leg.can | Can.SSL, plugin, first)))
    for _ in range(MOST_STEPS):
        found = await leg.said()
        if found is None:
            return Refused("target.refusing", "the target ended the connection before the sign-in")
        sequence, payload = found
        kind, said = payload[:1], cast(bytes | Refused, _NOT_MYSQL)
        if kind == b"\0":
            _, leg.status = wire.status_of_ok(payload)
            return None
        if kind == b"\xff":
            return _worded(payload, who, in_clear=signing_in.in_clear)
        if kind == b"\xfe" and len(payload) > 1:
            name, offset = wire.ended(payload, 1)
            nonce = payload[offset:].removesuffix(b"\0") if len(payload[offset:]) != 32 else payload[offset:]
            said = await loop.run_in_executor(_pool, signing_in.switched, name.decode("ascii", "replace"), nonce)
        elif kind == b"\x01":
            said = signing_in.more(payload[1:])
        if isinstance(said, Refused):
            return said
        if said or kind == b"\xfe":
            leg.send(wire.packet(sequence + 1, said))
    return _NOT_MYSQL


async def _set(leg: TargetLeg, who: Who) -> Refused | None:
    """Our own statements, one after the other; none of them has rows."""
    assert leg.greeting is not None
    for each in who.settings(leg.greeting):
        leg.send(wire.packet(0, bytes((wire.QUERY,)) + each.encode()))
        found = await leg.said()
        if found is None or found[1][:1] != b"\0":
            return Refused("target.refusing", "the target does not take a setting that your access needs")
        _, leg.status = wire.status_of_ok(found[1])
    return None


def _worded(payload: bytes, who: Who, *, in_clear: bool) -> Refused:
    """The server's words, which the person reads: not where they hold the secret, nor any from a server that was given
    the password itself, which could say it in another way."""
    number, _, said = wire.error_of(payload)
    message = printable(said, MOST_WORDS)
    if in_clear or not message or who.secret.reveal() in payload:
        message = f"error {number}"
    if number in _DENIED:
        return Refused("target.refusing", f"the target does not admit us as {who.login}: {message}")
    if number in _BUSY:
        return Refused("target.refusing", f"the target takes no connections now: {message}")
    return Refused("target.refusing", f"the target refused: {message}")


async def _stop(where: Where, who: Who, thread: int, certificate: bytes | None) -> None:
    """KILL QUERY by the same login, over a connection of its own, to the very server: one that shows another
    certificate, behind the same address, may have given the number to somebody else. Whether it came in time nobody
    says."""
    leg = await dial(where, Who(who.login, who.asked, who.secret), CANCEL_SECONDS)
    if isinstance(leg, Refused):
        return
    try:
        if leg.certificate == certificate:
            done = asyncio.Event()
            leg.heard, leg.lost = lambda data: done.set(), done.set
            leg.hold(False)
            leg.send(wire.packet(0, bytes((wire.QUERY,)) + b"KILL QUERY %d" % thread))
            async with asyncio.timeout(CANCEL_SECONDS):
                await done.wait()
    except TimeoutError:
        pass
    finally:
        leg.send(wire.packet(0, bytes((wire.QUIT,))))
        leg.close()
