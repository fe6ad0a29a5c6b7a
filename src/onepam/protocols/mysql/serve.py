"""MySQL's way in: TLS, in it a login token in the place of a password, the one door, then the session.

Everything is decided before the client hears that it is in. A token is asked for as it is, inside TLS only: what
`caching_sha2_password` calls the full authentication. Its fast one would need something kept of former sign-ins, and a
token is for one.
"""

import asyncio
import logging
import socket
import ssl
from enum import Enum, auto
from typing import Final

from onepam.domain.sessions.clients import Client
from onepam.gateway.crowd import Crowd, Place
from onepam.gateway.listener import Listener
from onepam.gateway.turns import Turns
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import startup, wire
from onepam.protocols.mysql.person import PersonLeg
from onepam.protocols.mysql.probe import ASKED
from onepam.protocols.mysql.session import MysqlGateway, MysqlLegs
from onepam.protocols.mysql.startup import CACHING_SHA2, CLEAR, FULL, NONCE_BYTES, Start
from onepam.protocols.mysql.wire import HEAD_BYTES, Malformed
from onepam.protocols.sql.door import SILENT_SECONDS, Door
from onepam.protocols.sql.probe import PROBER

log = logging.getLogger(__name__)

MOST_PASSWORD_BYTES: Final = 4096
CROWDED_WORDS: Final = wire.packet(
    0,
    b"\xff" + (1040).to_bytes(2, "little") + b"OnePAM: Too many connections wait here already; try again in a moment.",
)

_PLAIN = Refused("mysql.plain", "Connect with TLS: nothing is asked for in the clear.", "Use --ssl-mode or --ssl-ca.")
_UNSHOWN = Refused(
    "mysql.confirmation",
    "This access asks for a fresh second factor, for which this client shows nothing.",
    "Run: onepam login, then get another token.",
)


class _Next(Enum):
    """What a client says next."""

    TLS = auto()
    START = auto()
    SCRAMBLE = auto()
    PASSWORD = auto()


class PersonDoor(Door, PersonLeg):
    """One client's connection from its first byte to its permit."""

    def __init__(self, gateway: MysqlGateway, place: Place, turns: Turns, silent_seconds: int) -> None:
        super().__init__(gateway, place, turns, silent_seconds)
        self.thread = gateway.threads.next()
        self.sequence = lambda: self._sequence
        self._gateway = gateway
        self._nonce = bytes(1 + each % 127 for each in gateway.shared.random(NONCE_BYTES))  # no NUL, no high bit
        self._next = _Next.TLS
        self._sequence = 0
        self._start: Start | None = None

    @property
    def names_itself(self) -> bool:
        return self._start is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.send(startup.greeting(self._gateway.version, self.thread, self._nonce))
        self._sequence = 1

    # Messages --------------------------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        self._early += data
        try:
            while not self._asking and not self.is_closed() and self._message():
                pass
        except Malformed as fault:
            self.refuse("08P01", Refused("mysql.protocol", f"{fault}."))

    def _message(self) -> bool:
        """Takes the next packet; whether there was one, and another may follow."""
        early = self._early
        if len(early) < HEAD_BYTES:
            return False
        length = int.from_bytes(early[:3], "little")
        most = MOST_PASSWORD_BYTES if self._next is _Next.PASSWORD else startup.MOST_HANDSHAKE_BYTES
        if early[3] != self._sequence or length > most:
            raise Malformed("this is no start of MySQL's protocol")
        if len(early) < HEAD_BYTES + length:
            return False
        payload = bytes(early[HEAD_BYTES : HEAD_BYTES + length])
        del early[: HEAD_BYTES + length]
        self._sequence += 1
        if self._next is _Next.TLS:
            self._secure(payload)
            return False
        if self._next is _Next.START:
            self._begin(startup.start(payload))
        elif self._next is _Next.SCRAMBLE and payload not in (b"", b"\0"):
            self._answer(FULL, _Next.PASSWORD)
        else:
            self._password(payload)
        return True

    def _secure(self, payload: bytes) -> None:
        if not startup.wants_tls(payload):
            self.refuse("28000", _PLAIN)
            return
        self._next, hello = _Next.START, bytes(self._early)
        self._early.clear()
        self.secure(self._gateway.shown(), self._shook, server=True, first=hello)

    def _shook(self, fault: ssl.SSLError | None) -> None:
        if isinstance(fault, ssl.SSLCertVerificationError):
            log.warning("a certificate from %s is refused: %s", self.source, fault.verify_message)

    def _begin(self, asked: Start) -> None:
        self._start = asked
        if asked.plugin == CLEAR or not asked.password:
            self._password(asked.password)
        elif asked.attributes.get("_client_name") == startup.MISREADS:
            self._answer(startup.CLEARLY, _Next.PASSWORD)
        elif asked.plugin == CACHING_SHA2:
            self._answer(FULL, _Next.PASSWORD)
        else:
            self._answer(startup.switch(self._nonce), _Next.SCRAMBLE)

    def _answer(self, payload: bytes, follows: _Next) -> None:
        self.send(wire.packet(self._sequence, payload))
        self._sequence += 1
        self._next = follows

    def _password(self, payload: bytes) -> None:
        assert self._start is not None
        self._asking, word = True, payload.removesuffix(b"\0").decode("utf-8", "replace")
        if self._start.user == PROBER and not self.asked:
            self._gateway.shared.tasks.spawn(self._probed(self._gateway, ASKED, word))
            return
        legs = MysqlLegs(self._gateway, self, self._start)
        name = self._start.attributes.get("program_name") or self._start.attributes.get("_client_name", "")
        client, proof = Client(name, self._start.database or ""), self._proven(self._gateway, word)
        self._gateway.shared.tasks.spawn(self._enter(proof, self._start.user, client, legs))

    def _say(self, lines: str) -> None:
        """No client of MySQL's shows anything before it is in but why it is not."""
        self.refuse("28000", _UNSHOWN)


def listen(
    listening: socket.socket,
    gateway: MysqlGateway,
    crowd: Crowd,
    turns: Turns,
    silent_seconds: int = SILENT_SECONDS,
) -> Listener:
    """Accept MySQL's clients."""
    return Listener(
        listening, crowd, lambda place: PersonDoor(gateway, place, turns, silent_seconds), words=CROWDED_WORDS
    )
