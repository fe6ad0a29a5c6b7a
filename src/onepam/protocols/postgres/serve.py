"""PostgreSQL's way in: TLS, in it a certificate or a login token in the place of a password, the one door, then the
session.

Everything is decided before the client hears that it is in. Until then its bytes wait for their turn, it has so many of
them and so much time, and its password is asked for inside TLS only.
"""

import logging
import socket
import ssl
from collections.abc import Awaitable
from functools import partial

from onepam.domain.sessions.clients import Client
from onepam.gateway.crowd import Crowd, Place
from onepam.gateway.entering import Proven, Unfit
from onepam.gateway.listener import Listener
from onepam.gateway.turns import Turns
from onepam.kernel.errors import Refused
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.person import PersonLeg
from onepam.protocols.postgres.probe import ASKED
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
from onepam.protocols.postgres.wire import Malformed
from onepam.protocols.sql.door import SILENT_SECONDS, Door
from onepam.protocols.sql.probe import PROBER
from onepam.protocols.sql.tls import ALPN

log = logging.getLogger(__name__)

CROWDED_WORDS = wire.error("53300", "Too many connections wait here already; try again in a moment.", severity="FATAL")

_PLAIN = Refused("postgres.plain", "Connect with TLS: nothing is asked for in the clear.", "Use sslmode=verify-full.")
_REPLICATION = Refused("postgres.replication", "Replication does not pass the gateway.")


class PersonDoor(Door, PersonLeg):
    """One client's connection from its first byte to its permit."""

    def __init__(self, gateway: PostgresGateway, place: Place, turns: Turns, silent_seconds: int) -> None:
        super().__init__(gateway, place, turns, silent_seconds)
        self._gateway = gateway
        self._asked: Startup | None = None
        self._refused_gss = False

    @property
    def names_itself(self) -> bool:
        return self._asked is not None

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
            self._asking = True  # nothing more is taken; who waits for this end, as a server's, cancels nothing later
            self._gateway.keys.cancel(message.process, message.key, self.source, self.close)
            return False
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
                self._gateway.shared.tasks.spawn(self._come(self._judged(certificate), asked))

    def _password(self) -> bool:
        found = password(self._early)
        if found is None or self._asked is None:
            return False
        word, length = found
        del self._early[:length]
        self._asking, said = True, word.decode("utf-8", "replace")
        probed = self._asked.user == PROBER and not self.asked
        entering = (
            self._probed(self._gateway, ASKED, said)
            if probed
            else self._come(self._proven(self._gateway, said), self._asked)
        )
        self._gateway.shared.tasks.spawn(entering)
        return True

    # The one door ----------------------------------------------------------------------------------------------------

    async def _judged(self, certificate: bytes) -> Proven | Unfit | Refused:
        """No guess: whoever shows one of ours has its key."""
        return self._gateway.judge(certificate)

    async def _come(self, proof: Awaitable[Proven | Unfit | Refused], asked: Startup) -> None:
        parameters = dict(asked.parameters)
        user = parameters.pop("user", "")
        parameters.pop("replication", "")
        if parameters.get("database") in ("", user):  # what a client says of itself that was told of none
            del parameters["database"]
        legs = PostgresLegs(self._gateway, self, parameters)
        login = user.rpartition("@")[0] or user
        client = Client(parameters.get("application_name", ""), parameters.get("database", login))
        await self._enter(proof, user, client, legs)

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
