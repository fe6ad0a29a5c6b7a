"""A client before it has signed in: what it sends waits for its turn, and must come in time and within bounds."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import asyncssh
from asyncssh.constants import MSG_USERAUTH_REQUEST
from asyncssh.packet import SSHPacket

from onepam.gateway.crowd import Place
from onepam.gateway.turns import Turns, path
from onepam.protocols.ssh.algorithms import VERSION

FIRST_SECONDS = 10.0
"""How long a client may say nothing before it begins to sign in."""

MOST_ENTERING_BYTES = 512 * 1024
MOST_ENTERING_PACKET = 64 * 1024
MOST_ENTERING_REQUESTS = 128
"""What a client may send before it has signed in: in all, in one packet (RFC 4253, 6.1, asks for 35,000 bytes), and in
requests to sign in."""

MOST_HELD_BYTES = 256 * 1024
"""What may wait while the packet before it is being answered; then reading pauses."""


class Knocking(asyncio.Protocol):
    """A connection that has said nothing yet: it hears our version (RFC 4253, 4.2) and costs no more than that. What
    `enter` makes takes its place when the first bytes have their turn."""

    def __init__(self, place: Place, turns: Turns, enter: Callable[[], "Entering"]) -> None:
        self._place = place
        self._turns = turns
        self._enter = enter
        self._first: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self._silence = asyncio.get_running_loop().call_later(FIRST_SECONDS, self._socket.abort)
        self._socket.write(b"SSH-2.0-" + VERSION.encode("ascii") + b"\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self._silence.cancel()
        self._place.leave()

    def data_received(self, data: bytes) -> None:
        self._silence.cancel()  # whoever waits for a turn has spoken: that it takes long is our doing
        self._socket.pause_reading()
        self._first.append(data)
        if len(self._first) == 1:
            self._turns.put(path(self._place.known, self._place.origin), self._turn)

    def _turn(self) -> None:
        if self._socket.is_closing():
            return
        entering = self._enter()
        self._socket.set_protocol(entering)
        entering.connection_made(self._socket)
        entering.begin(b"".join(self._first))


class Entering(asyncssh.SSHServerConnection):
    """The listener's side of a connection, in its place of the crowd until the client has signed in."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, options: asyncssh.SSHServerConnectionOptions, place: Place, turns: Turns
    ) -> None:
        super().__init__(loop, options)
        self.place = place
        self._turns = turns
        self._path = path(place.known, place.origin)
        self._entering: list[bytes] = []
        self._entering_bytes = 0
        self._requests = 0
        self._held = False
        self._most_packet, self._max_recv_pktlen = self._max_recv_pktlen, MOST_ENTERING_PACKET

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self._silence = self._loop.call_later(FIRST_SECONDS, self._silent)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None = None) -> None:
        self._silence.cancel()
        if not self.goes_through:
            self.place.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes, datatype: object = None) -> None:
        """A stranger's bytes wait for a turn; those of a session are taken at once."""
        if self._auth_complete and not self._entering:
            super().data_received(data)
            return self._brake_reading()
        self._entering_bytes += len(data)
        if self._entering_bytes > MOST_ENTERING_BYTES:
            return self._socket.abort()
        self._silence.cancel()  # as above
        self._socket.pause_reading()
        self._entering.append(bytes(data))
        if len(self._entering) == 1:
            self._turns.put(self._path, self._turn)
        return None

    def begin(self, first: bytes) -> None:
        """The bytes with which the client came; their turn is now."""
        self._entering.append(first)
        self._turn()

    def _turn(self) -> None:
        data = b"".join(self._entering)
        self._entering.clear()
        if self._socket.is_closing():
            return
        super().data_received(data)
        self._silence.cancel()
        if not self._auth_in_progress and not self._auth_complete:
            self._silence = self._loop.call_later(FIRST_SECONDS, self._silent)
        self._socket.resume_reading()
        self._brake_reading()

    def _send_version(self) -> None:
        """The client has heard it when it came."""
        self._server_version = b"SSH-2.0-" + self._version
        self.set_extra_info(server_version=self._server_version.decode("ascii"))

    def _silent(self) -> None:
        self._socket.abort()

    def _brake_reading(self) -> None:
        """asyncssh keeps without bound what follows a packet that it is still answering."""
        if not self._held and len(self._inpbuf) > MOST_HELD_BYTES and not self._socket.is_closing():
            self._held = True
            self._socket.pause_reading()

    def _finish_recv_packet(self, *args: Any, **kwargs: Any) -> None:
        super()._finish_recv_packet(*args, **kwargs)
        if self._held and len(self._inpbuf) <= MOST_HELD_BYTES and not self._socket.is_closing():
            self._held = False
            self._socket.resume_reading()

    goes_through = False
    """Whether it goes through another connection, whose place it is: that one's end leaves it, or a sign-in."""

    keeps_its_place = False
    """Whether a client that has signed in stays in the crowd: it has opened nothing yet."""

    async def send_userauth_success(self) -> None:
        """The client is in: nothing of the crowd concerns it any more."""
        if not self.keeps_its_place:
            self.place.leave()
        self._max_recv_pktlen = self._most_packet
        await super().send_userauth_success()

    def _process_request(self, kind: int, number: int, packet: SSHPacket) -> Any:
        self._requests += 1
        if self._requests > MOST_ENTERING_REQUESTS:
            raise asyncssh.ProtocolError("Too many requests to sign in")
        return super()._process_userauth_request(kind, number, packet)

    _packet_handlers = {  # noqa: RUF012
        **asyncssh.SSHServerConnection._packet_handlers,
        MSG_USERAUTH_REQUEST: _process_request,
    }
