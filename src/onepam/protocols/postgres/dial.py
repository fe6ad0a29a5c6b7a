"""Dials a PostgreSQL: one address, one login, TLS to a server that must be a pinned one, then the secret.

Nothing is sent before the server is known but the request for TLS, and nothing at all to one that has none.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from struct import Struct

from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.kernel.text import printable
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.catalogue import Catalogue
from onepam.protocols.postgres.signing_in import SigningIn
from onepam.protocols.sql import target
from onepam.protocols.sql.target import Where, secured
from onepam.protocols.sql.tls import ALPN

CANCEL_SECONDS = 2.0
"""How long the request to cancel may take."""

MOST_MESSAGE_BYTES = 64 * 1024
MOST_STARTING_BYTES = 1024 * 1024
"""What a server may say until it is ready: in one message, and in all."""

MOST_WORDS = 200
"""Of what a server says to a sign-in, in characters."""

_pool = ThreadPoolExecutor(2, thread_name_prefix="scram")
"""Of sign-ins alone: how much there is to compute the server says. What waits here goes with its dial."""

_VERSION_3_0 = 3 << 16
_CANCEL = 1234 << 16 | 5678
_TLS = 1234 << 16 | 5679
_HEADER = Struct("!cI")
_KEY = Struct("!I")


@dataclass(frozen=True, slots=True)
class Who:
    """`parameters` are those of the start-up but `user` (PostgreSQL, "Message Formats", StartupMessage). The secret is
    a password, or a certificate with its key (PEM)."""

    login: str
    parameters: Mapping[str, str]
    secret: Secret

    @property
    def pair(self) -> tuple[bytes, bytes] | None:
        """Our certificate and its key, where the secret is that."""
        value = self.secret.reveal()
        return (value, b"") if value.lstrip().startswith(b"-----BEGIN ") else None


class TargetLeg(target.TargetLeg):
    """Our connection to a target that has let us in. `greeting` are the messages that it sent from then on, but the key
    to cancel by, and until it was ready, without the last. `catalogue`: what is known of its masked columns."""

    def __init__(self) -> None:
        super().__init__()
        self.greeting: list[bytes] = []
        self.catalogue: Catalogue | None = None
        self.process, self.key = 0, b""
        self._where: Where | None = None

    def reached(self, where: Where) -> None:
        """It is at `where`, and ready."""
        self._where = where

    def asked_to_stop(self) -> Coroutine[None, None, None] | None:
        return _cancel(self._where, self.process, self.key) if self._where is not None and self.key else None


async def dial(where: Where, who: Who, timeout: float) -> TargetLeg | Refused:  # noqa: ASYNC109 - it words the refusal
    """Connect and sign in within `timeout` seconds, or say in words for the person why not.

    Codes: `target.down`, `target.hanging`, `target.plain`, `target.certificate`, `target.refusing`. A cancelled dial
    leaves no connection.
    """
    legs: list[TargetLeg] = []
    try:
        async with asyncio.timeout(timeout):
            leg = await secured(where, who.pair, _new(legs), _asked_for_tls, ALPN)
            if isinstance(leg, Refused):
                return leg
            refused = await _signed_in(leg, who)
            if refused is not None:
                return refused
            leg.reached(where)
            return leg
    except TimeoutError:
        if legs and not legs[-1].is_closed():
            return Refused("target.hanging", "the target accepts connections but does not answer")
        return Refused("target.down", "the target does not answer")
    except ssl.SSLError as fault:
        return Refused("target.refusing", f"the secret is a certificate that does not fit its key: {fault.reason}")
    finally:
        for each in legs:
            if each._where is None:
                each.cut()


def _new(legs: list[TargetLeg]) -> Callable[[], TargetLeg]:
    """Makes connections, which are all in `legs`."""

    def make() -> TargetLeg:
        legs.append(TargetLeg())
        return legs[-1]

    return make


async def _asked_for_tls(leg: TargetLeg) -> Refused | None:
    """The request for TLS (PostgreSQL, "SSL Session Encryption")."""
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    leg.heard = lambda data: None if answer.done() else answer.set_result(data)
    leg.lost = lambda: None if answer.done() else answer.set_result(b"")
    leg.send(_plain_request(_TLS))
    said = await answer
    if said == b"S":  # one byte and no more: what follows it in the clear is somebody else's (CVE-2021-23222)
        return None
    if said in (b"N", b""):
        return Refused("target.plain", "the target speaks no TLS: nothing was sent to it")
    return Refused("target.refusing", "the target does not answer as a PostgreSQL does")


async def _signed_in(leg: TargetLeg, who: Who) -> Refused | None:
    """From the start-up until the server is ready."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[bytes, bytes] | None] = asyncio.Queue()
    messages = _Messages(queue)
    leg.heard, leg.lost = messages.take, lambda: queue.put_nowait(None)
    if leg.is_closed():
        queue.put_nowait(None)
    leg.send(start_up({"user": who.login, **who.parameters}))
    signing_in, let_in = SigningIn(who.login, who.secret, leg.certificate or b""), False
    while True:
        message = await queue.get()
        if message is None:
            return Refused("target.refusing", "the target ended the connection before the sign-in")
        kind, body = message
        if kind == b"E":
            return _worded(body, who, in_clear=signing_in.in_clear)
        if kind == b"R" and not let_in:
            answer = await loop.run_in_executor(_pool, signing_in.answer, body)
            if isinstance(answer, Refused):
                return answer
            let_in = answer is None
            leg.send(answer or b"")
        elif kind == b"K" and let_in and 4 < len(body) <= 4 + 256:
            leg.process, leg.key = _KEY.unpack_from(body)[0], body[4:]
        elif kind == b"Z" and let_in:
            leg.hold(True)
            leg.early = messages.rest
            return None
        elif kind == b"N" and who.secret.reveal() in body:
            pass  # its notice would show the person what they must not see
        elif kind in b"SN" and let_in:
            leg.greeting.append(_HEADER.pack(kind, len(body) + 4) + body)
        elif kind not in b"NS":
            return Refused("target.refusing", "the target does not answer as a PostgreSQL does")


class _Messages:
    """The messages of a server that has not let us in, one by one; None is the end."""

    def __init__(self, queue: "asyncio.Queue[tuple[bytes, bytes] | None]") -> None:
        self._queue, self._left, self._ready = queue, MOST_STARTING_BYTES, False
        self.rest = b""
        """What is not taken apart, also what came after the server was ready."""

    def take(self, data: bytes) -> None:
        self._left -= len(data)
        self.rest += data if self._left >= 0 else b""
        while len(self.rest) >= _HEADER.size and not self._ready:
            kind, length = _HEADER.unpack_from(self.rest)
            if self._left < 0 or not 4 <= length <= MOST_MESSAGE_BYTES:
                self.rest = b""
                self._queue.put_nowait(None)
                return
            if len(self.rest) < 1 + length:
                return
            self._ready = kind == b"Z"
            self._queue.put_nowait((kind, self.rest[_HEADER.size : 1 + length]))
            self.rest = self.rest[1 + length :]


def start_up(parameters: Mapping[str, str]) -> bytes:
    """A StartupMessage of version 3.0, which every server and every pooler before one takes."""
    pairs = b"".join(part.encode() + b"\0" for pair in parameters.items() for part in pair)
    return Struct("!II").pack(len(pairs) + 9, _VERSION_3_0) + pairs + b"\0"


def _plain_request(code: int, more: bytes = b"") -> bytes:
    return Struct("!II").pack(8 + len(more), code) + more


NO_DATABASE = "3D000"
"""The SQLSTATE of a database that is not there: where a client names none, libpq asks for one that is called as the
login."""


def _worded(body: bytes, who: Who, *, in_clear: bool) -> Refused:
    """The server's words, which the person reads: not where they hold the secret, nor any from a server that was given
    the password itself, which could say it in another way."""
    said = wire.fields(body)
    code = said.get("C", "") if re.fullmatch(r"[0-9A-Z]{5}", said.get("C", "")) else "no SQLSTATE"
    message = printable(said.get("M", ""), MOST_WORDS)
    if in_clear or not message or who.secret.reveal() in body:
        message = code
    if code.startswith("28"):
        return Refused("target.refusing", f"the target does not admit us as {who.login}: {message}")
    if code in ("57P03", "53300"):
        return Refused("target.refusing", f"the target takes no connections now: {message}")
    hint = "Name the database: with psql, by dbname=DATABASE." if code == NO_DATABASE else ""
    return Refused("target.refusing", f"the target refused: {message}", hint)


async def _cancel(where: Where, process: int, key: bytes) -> None:
    """A CancelRequest to the pinned server, over a connection of its own (PostgreSQL, "Canceling Requests in
    Progress"). Whether it came in time nobody says."""
    legs: list[TargetLeg] = []
    try:
        async with asyncio.timeout(CANCEL_SECONDS):
            leg = await secured(where, None, _new(legs), _asked_for_tls, ALPN)
            if not isinstance(leg, Refused):
                leg.send(_plain_request(_CANCEL, _KEY.pack(process) + key))
                await leg.wait_closed()  # the server hangs up once it has passed the signal on
    except TimeoutError:
        pass
    finally:
        for each in legs:
            each.cut()
