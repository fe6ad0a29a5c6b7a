"""PostgreSQL's way in: TLS, in it a certificate or a login token in the place of a password, the one door, then the
session.

Everything is decided before the client hears that it is in. Until then its bytes wait for their turn, it has so many of
them and so much time, and its password is asked for inside TLS only.
"""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import Awaitable
from functools import partial

from onepam.domain.matrix.fields import LOGIN
from onepam.gateway.crowd import Crowd, Place
from onepam.gateway.entering import Admission, Proven, Unfit
from onepam.gateway.listener import HANDSHAKE_SECONDS, Listener
from onepam.gateway.turns import Turns, path
from onepam.kernel.errors import Fault, Refused
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.person import PersonLeg
from onepam.protocols.postgres.probe import NONE, PROBER, answer
from onepam.protocols.postgres.session import PostgresGateway, PostgresLegs
from onepam.protocols.postgres.startup import (
    ASK_PASSWORD,
    LET_IN,
    TLS_BYTE,
    Startup,
    WantsCancel,
    WantsGss,
    WantsTls,
    first,
    password,
)
from onepam.protocols.postgres.tls import ALPN
from onepam.protocols.postgres.wire import Malformed

log = logging.getLogger(__name__)

SILENT_SECONDS = 15 * 60
"""How long a client may give no sign of life: a laptop whose lid is closed on the way to a meeting."""

FIRST_SECONDS = HANDSHAKE_SECONDS
"""How long each step may take until the password is asked for, and how long TLS may in all."""

PASSWORD_SECONDS = 60.0
"""How long the password may take then: a client may ask its person for it."""

MOST_ENTERING_BYTES = 64 * 1024
"""What a client may send before it is in."""

CROWDED_WORDS = wire.error("53300", "Too many connections wait here already; try again in a moment.", severity="FATAL")

_USER = re.compile(rf"(?=.{{1,128}}\Z)({LOGIN.pattern})@([A-Za-z][A-Za-z0-9._-]{{0,62}})", re.ASCII)
"""LOGIN@RESOURCE. The last `@` parts them, as no resource's name has one; of its case nothing depends."""

_PLAIN = Refused("postgres.plain", "Connect with TLS: nothing is asked for in the clear.", "Use sslmode=verify-full.")
_USERS = Refused("postgres.user", "Say as whom and where to: the user is LOGIN@RESOURCE.", "/")
_REPLICATION = Refused("postgres.replication", "Replication does not pass the gateway.")
_UNAVAILABLE = Refused("gateway.unavailable", "The gateway cannot open sessions now.", "Try again soon.")


class PersonDoor(PersonLeg):
    """One client's connection from its first byte to its permit."""

    def __init__(self, gateway: PostgresGateway, place: Place, turns: Turns, silent_seconds: int) -> None:
        super().__init__(gateway.shared.console_url)
        self._gateway, self._place, self._turns, self._silent_seconds = gateway, place, turns, silent_seconds
        self._path = path(place.known, place.origin)
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._early = bytearray()
        self._asked: Startup | None = None
        self._refused_gss = self._asking = self._in = False
        self.heard = self._take

    # Bytes -----------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.patience(self._silent_seconds)
        peer = transport.get_extra_info("peername")
        self.source = str(peer[0]) if peer else ""
        self._silence = asyncio.get_running_loop().call_later(FIRST_SECONDS, self.cut)

    def connection_lost(self, exc: Exception | None) -> None:
        self._over()
        super().connection_lost(exc)

    def part_with(self, last: bytes) -> asyncio.Event:
        self._over()  # the transport's end is no longer told to this leg
        return super().part_with(last)

    def _over(self) -> None:
        self._silence.cancel()
        self._place.leave()

    def data_received(self, data: bytes) -> None:
        """A stranger's bytes wait for a turn; those of a session are taken at once."""
        if self._in:
            super().data_received(data)
            return
        self._bytes += len(data)
        if self._bytes > MOST_ENTERING_BYTES:
            self.cut()
            return
        self._silence.cancel()  # whoever waits for a turn has spoken: that it takes long is our doing
        self.hold(True)
        self._waiting.append(data)
        if len(self._waiting) == 1:
            self._turns.put(self._path, self._turn)

    def _turn(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        if self.is_closed():
            return
        super().data_received(data)
        if not self.is_closed() and not self._asking:
            seconds = PASSWORD_SECONDS if self._asked is not None else FIRST_SECONDS
            self._silence.cancel()
            self._silence = asyncio.get_running_loop().call_later(seconds, self.cut)
            self.hold(False)

    def let_in(self) -> bytes:
        self._in = True
        self._over()
        early, self._early = bytes(self._early), bytearray()
        return early

    # Messages --------------------------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        self._early += data
        try:
            while not self._asking and not self.is_closed() and self._message():
                pass
        except Malformed as fault:
            self.refuse("08P01", Refused("postgres.protocol", f"{fault}."))

    def _message(self) -> bool:
        """Takes the next message; whether there was one."""
        if self._asked is not None:
            return self._password()
        if not self.secured and self._early[:1] == bytes((TLS_BYTE,)):
            self._secure(bytes(self._early), direct=True)
            return False
        found = first(self._early)
        if found is None:
            return False
        message, length = found
        del self._early[:length]
        if isinstance(message, Startup):
            self._start(message)
        elif isinstance(message, WantsCancel):
            self._gateway.keys.cancel(message.process, message.key, self.source)
            self.close()  # whether it was any good, nobody hears
        elif self._early or self.secured:  # what follows such a request in the clear may be another's
            raise Malformed("something follows a request for encryption")
        elif isinstance(message, WantsTls):
            self.send(b"S")
            self._secure(b"", direct=False)
            return False
        else:
            self._no_gss(message)
        return True

    def _no_gss(self, message: WantsGss) -> None:
        if self._refused_gss:
            raise Malformed("GSS was refused already")
        self._refused_gss = True
        self.send(b"N")

    def _secure(self, data: bytes, *, direct: bool) -> None:
        self._early.clear()
        self.secure(self._gateway.shown(), partial(self._shook, direct=direct), server=True, first=data)

    def _shook(self, fault: ssl.SSLError | None, *, direct: bool) -> None:
        if isinstance(fault, ssl.SSLCertVerificationError):
            log.warning("a certificate from %s is refused: %s", self.source, fault.verify_message)
        if fault is None and direct and self.protocol != ALPN:
            self.cut()  # it may think that it speaks to something else

    def _start(self, asked: Startup) -> None:
        if not self.secured:
            self.refuse("28000", _PLAIN)
        elif asked.replicates:
            self.refuse("0A000", _REPLICATION)
        else:
            self._asked, self.minor = asked, asked.minor
            self.is_psql = asked.parameters.get("application_name", "") == "psql"
            certificate = self.certificate
            self.send(asked.negotiated() + (b"" if certificate else ASK_PASSWORD))
            if certificate:
                self._asking = True
                self._gateway.shared.tasks.spawn(self._enter(self._judged(certificate), asked))

    def _password(self) -> bool:
        found = password(self._early)
        if found is None or self._asked is None:
            return False
        word, length = found
        del self._early[:length]
        self._asking, said = True, word.decode("utf-8", "replace")
        probed = self._asked.user == PROBER and not self.asked
        entering = self._probed(said) if probed else self._enter(self._proven(said), self._asked)
        self._gateway.shared.tasks.spawn(entering)
        return True

    async def _probed(self, ticket: str) -> None:
        """The word for a ticket; nobody goes in."""
        own = self.transport.get_extra_info("sockname")
        try:
            word = await answer(self._gateway, ticket, self.source, str(own[0]) if own else "")
        except Fault as fault:
            log.error("a probe could not be answered: %s", fault)
            word = NONE
        if word == NONE:
            self._place.wrong()
        self.part_with(wire.error("28000", word, severity="FATAL"))

    # The one door ----------------------------------------------------------------------------------------------------

    async def _proven(self, word: str) -> Proven | Unfit | Refused:
        proven = await self._gateway.prove(word, self.source)
        if not isinstance(proven, Proven):
            self._place.wrong()
        return proven

    async def _judged(self, certificate: bytes) -> Proven | Unfit | Refused:
        """No guess: whoever shows one of ours has its key."""
        return self._gateway.judge(certificate)

    async def _enter(self, proof: Awaitable[Proven | Unfit | Refused], asked: Startup) -> None:
        """From the proof to the permit and the beginning of the session; a refusal has been explained."""
        try:
            refused = await self._knock(await proof, asked)
        except Fault as fault:
            log.error("a sign-in from %s failed: %s", self.source, fault)
            refused = _UNAVAILABLE
        except Exception:
            log.exception("a sign-in from %s failed", self.source)
            refused = _UNAVAILABLE
        if refused is not None and not self.is_closed():
            self.refuse("28000", refused)

    async def _knock(self, proven: Proven | Unfit | Refused, asked: Startup) -> Refused | None:
        if isinstance(proven, Refused):
            return proven
        where, parameters = self._where(asked), dict(asked.parameters)
        user = parameters.pop("user", "")
        parameters.pop("replication", "")
        if parameters.get("database") in ("", user):  # what a client says of itself that was told of none
            del parameters["database"]
        legs = PostgresLegs(self._gateway, self, parameters)
        client = parameters.get("application_name", "")
        admission = Admission(self._gateway.shared, legs, self._place, self.source, client, self._say)
        if isinstance(proven, Unfit):
            await admission.refuse(proven.whose.entry, proven.whose.person, user, proven.refused)
            return proven.refused
        if where is None:
            await admission.refuse(proven.entry, proven.person, user, _USERS)
            return _USERS
        answer = await admission.enter(proven, *where)
        return answer if isinstance(answer, Refused) else None

    def _where(self, asked: Startup) -> tuple[str, str] | None:
        """Login and resource: both from the user, or the resource from the name of the server that was asked for."""
        found = _USER.fullmatch(asked.user)
        if found is not None:
            return found[1], found[2].lower()
        below = self.asked.removesuffix(f".{self._gateway.name.lower()}")
        if below == self.asked or "." in below or not LOGIN.fullmatch(asked.user):
            return None
        return asked.user, below

    def _say(self, lines: str) -> None:
        """Whoever sits there hears it as a notice, which clients show from when they are in."""
        self.send((b"" if self.greeted else LET_IN) + wire.notice(lines.strip("\n")))
        self.greeted = True


def listen(
    listening: socket.socket,
    gateway: PostgresGateway,
    crowd: Crowd,
    turns: Turns,
    silent_seconds: int = SILENT_SECONDS,
) -> Listener:
    """Accept PostgreSQL's clients."""
    return Listener(
        listening, crowd, lambda place: PersonDoor(gateway, place, turns, silent_seconds), words=CROWDED_WORDS
    )
