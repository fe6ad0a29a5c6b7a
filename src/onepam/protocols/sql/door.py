"""A database's way in: strangers' bytes wait for their turn, a proof is asked for inside TLS, then the one door.

Everything is decided before the client hears that it is in. Until then it has so many bytes and so much time.
"""

import asyncio
import logging
import re
from abc import abstractmethod
from collections.abc import Awaitable
from typing import Any

from onepam.domain.matrix.fields import LOGIN
from onepam.domain.sessions.clients import Client
from onepam.gateway.crowd import Place, written
from onepam.gateway.entering import Admission, Proven, Unfit
from onepam.gateway.listener import HANDSHAKE_SECONDS
from onepam.gateway.session import Legs
from onepam.gateway.turns import Turns, path
from onepam.kernel.errors import Fault, Refused
from onepam.protocols.sql.person import PersonLeg
from onepam.protocols.sql.probe import NONE, Asked, answer
from onepam.protocols.sql.session import DatabaseGateway

log = logging.getLogger(__name__)

SILENT_SECONDS = 15 * 60
"""How long a client may give no sign of life: a laptop whose lid is closed on the way to a meeting."""

FIRST_SECONDS = HANDSHAKE_SECONDS
"""How long each step may take until the password is asked for, and how long TLS may in all."""

PASSWORD_SECONDS = 60.0
"""How long the password may take then: a client may ask its person for it."""

MOST_ENTERING_BYTES = 64 * 1024
"""What a client may send before it is in."""

_USER = re.compile(rf"(?=.{{1,128}}\Z)({LOGIN.pattern})@([A-Za-z][A-Za-z0-9._-]{{0,62}})", re.ASCII)
"""LOGIN@RESOURCE. The last `@` parts them, as no resource's name has one; of its case nothing depends."""

_USERS = Refused("database.user", "Say as whom and where to: the user is LOGIN@RESOURCE.", "/")
_UNAVAILABLE = Refused("gateway.unavailable", "The gateway cannot open sessions now.", "Try again soon.")


class Door(PersonLeg):
    """One client's connection from its first byte to its permit."""

    def __init__(self, gateway: DatabaseGateway, place: Place, turns: Turns, silent_seconds: int) -> None:
        super().__init__(gateway.shared.console_url)
        self._shared, self._name = gateway.shared, gateway.name
        self._place, self._turns, self._silent_seconds = place, turns, silent_seconds
        self._path = path(place.known, place.origin)
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._early = bytearray()
        self._asking = self._in = False
        self.heard = self._take

    ours = False
    """Whether it is a page of this process."""

    @property
    @abstractmethod
    def names_itself(self) -> bool:
        """Whether the client has said who it is, so that a proof is asked for."""

    @abstractmethod
    def _take(self, data: bytes) -> None:
        """Bytes of a client that is not in, deciphered."""

    @abstractmethod
    def _say(self, lines: str) -> None:
        """Show lines to whoever sits there, who is not in yet."""

    # Bytes -----------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.patience(self._silent_seconds)
        peer = transport.get_extra_info("peername")
        self.source = written(str(peer[0])) if peer else ""
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
            seconds = PASSWORD_SECONDS if self.names_itself else FIRST_SECONDS
            self._silence.cancel()
            self._silence = asyncio.get_running_loop().call_later(seconds, self.cut)
            self.hold(False)

    def let_in(self) -> bytes:
        self._in = True
        self._over()
        early, self._early = bytes(self._early), bytearray()
        return early

    # The one door ----------------------------------------------------------------------------------------------------

    async def _probed(self, gateway: DatabaseGateway, asked: Asked, ticket: str) -> None:
        """The word for a ticket; nobody goes in."""
        own = self.transport.get_extra_info("sockname")
        try:
            word = await answer(gateway, asked, ticket, self.source, str(own[0]) if own else "")
        except Fault as fault:
            log.error("a probe could not be answered: %s", fault)
            word = NONE
        if word == NONE:
            self._place.wrong()
        self.part_with(self.fatal("28000", word))

    async def _proven(self, gateway: DatabaseGateway, word: str) -> Proven | Unfit | Refused:
        proven = await gateway.prove(word, self.source)
        if not isinstance(proven, Proven):
            self._place.wrong()
        return proven

    async def _enter(
        self, proof: Awaitable[Proven | Unfit | Refused], user: str, client: Client, legs: Legs[Any, Any]
    ) -> None:
        """From the proof to the permit and the beginning of the session; a refusal has been explained."""
        try:
            refused = await self._knock(await proof, user, client, legs)
        except Fault as fault:
            log.error("a sign-in from %s failed: %s", self.source, fault)
            refused = _UNAVAILABLE
        except Exception:
            log.exception("a sign-in from %s failed", self.source)
            refused = _UNAVAILABLE
        if refused is not None and not self.is_closed():
            self.refuse("28000", refused)

    async def _knock(
        self, proven: Proven | Unfit | Refused, user: str, client: Client, legs: Legs[Any, Any]
    ) -> Refused | None:
        if isinstance(proven, Refused):
            return proven
        admission = Admission(
            self._shared, legs, self._place, self.source, client.name, self._say, self.ours, client.database
        )
        if isinstance(proven, Unfit):
            await admission.refuse(proven.whose.entry, proven.whose.person, user, proven.refused)
            return proven.refused
        where = self._where(user)
        if where is None:
            await admission.refuse(proven.entry, proven.person, user, _USERS)
            return _USERS
        answer = await admission.enter(proven, *where)
        return answer if isinstance(answer, Refused) else None

    def _where(self, user: str) -> tuple[str, str] | None:
        """Login and resource: both from the user, or the resource from the name of the server that was asked for."""
        found = _USER.fullmatch(user)
        if found is not None:
            return found[1], found[2].lower()
        below = self.asked.removesuffix(f".{self._name.lower()}")
        if below == self.asked or "." in below or not LOGIN.fullmatch(user):
            return None
        return user, below
