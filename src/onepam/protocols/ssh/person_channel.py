"""asyncssh's server channel, with a bounded environment, and commands as the bytes they are."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.constants import MSG_CHANNEL_CLOSE
from asyncssh.packet import Boolean, SSHPacket, String, UInt32

from onepam.protocols.ssh.connections import PACKET_BYTES, WINDOW_BYTES, PacketsUnlogged, PersonConnection
from onepam.protocols.ssh.fast_data import FastDataChannel
from onepam.protocols.ssh.runs import DATATYPES, Run

MAX_COMMAND_BYTES = 128 * 1024
"""As much as Linux lets one argument of exec(2) have."""

MAX_REQUEST_BYTES = 256 * 1024
"""Largest packet that we read, as OpenSSH's: so that a longer command can be refused with words."""

MAX_ENVIRONMENT = 64
MAX_ENVIRONMENT_BYTES = 4096
MAX_NAME_BYTES = 64


@runtime_checkable
class ToTarget(Protocol):
    """Who hears what a channel of SSH's own does not tell."""

    def output_unwanted(self) -> None: ...
    def client_closed(self) -> None: ...
    def refuse(self, words: str) -> None: ...


class PersonChannel(PacketsUnlogged, FastDataChannel, asyncssh.SSHServerChannel[bytes]):
    """The person's end of one channel."""

    @classmethod
    def on(cls, person: PersonConnection, admits: Callable[[bytes], bool]) -> "PersonChannel":
        """A channel of `person`, for bytes, as asyncssh's `create_server_channel` makes one. `admits` says which
        environment variables go to the target."""
        person._update_recv_pktlen(MAX_REQUEST_BYTES)
        loop = asyncio.get_running_loop()
        channel = cls(person, loop, True, False, False, 0, 0, None, "strict", WINDOW_BYTES, PACKET_BYTES)
        channel.admits, channel.dropped = admits, []
        return channel

    admits: Callable[[bytes], bool]
    dropped: list[bytes]
    """The environment variables that the client sent and that do not go on, by name."""

    _left = False
    """Whether the client has closed the channel."""

    @property
    def gone(self) -> bool:
        """Whether the client's connection has ended."""
        connection: object = self._conn
        return connection is None

    _end: tuple[bytes, ...] | None = None
    """How the command ended, while data that came before it waits for the client."""

    def stop_input(self) -> None:
        """The command takes no more input; a client that knows the word for it stops reading its own."""
        if self._conn._client_version.startswith(b"SSH-2.0-OpenSSH"):
            self._send_request(b"eow@openssh.com")

    def write_typed(self, pieces: Iterable[tuple[bytes, asyncssh.DataType]]) -> None:
        """To the client, unless it has closed the channel."""
        if not self._left:
            super().write_typed(pieces)

    def write_runs(self, runs: Iterable[Run]) -> None:
        """Output in its order."""
        self.write_typed([(piece, DATATYPES[stream]) for stream, pieces in runs for piece in pieces])

    def tell_status(self, status: int) -> None:
        """The command's exit status, behind all output that was written (RFC 4254, 6.10)."""
        self._tell_end(b"exit-status", UInt32(status))

    def tell_signal(self, signal: str, core_dumped: bool, message: str, language: str) -> None:
        """The signal that ended the command, as `tell_status`."""
        self._tell_end(b"exit-signal", String(signal), Boolean(core_dumped), String(message), String(language))

    def _tell_end(self, *request: bytes) -> None:
        """asyncssh's own `exit` overtakes what waits, and closes the channel, which others may still write to."""
        if self._send_state not in ("close_pending", "closed"):
            self._end = request
            self._flush_send_buf()

    def _pause_resume_writing(self) -> None:
        """What asyncssh asks when it has sent what it could, before it sends the end of the data or of the channel."""
        if self._end is not None and not self._send_buf:
            request, self._end = self._end, None
            self._send_request(*request)
        super()._pause_resume_writing()

    def close(self) -> None:
        """The end of the channel, which the client may have reached before us."""
        super().close()
        if self._left and self._recv_state == "closed":
            self._loop.call_soon(self._cleanup)

    def _process_eow_at_openssh_dot_com_request(self, packet: SSHPacket) -> bool:
        """The client's reader has gone (OpenSSH's PROTOCOL, 2.1)."""
        packet.check_end()
        if isinstance(self._session, ToTarget):
            self._session.output_unwanted()
        return True

    def _process_close(self, kind: int, number: int, packet: SSHPacket) -> None:
        """The client reads no more and sends no more. As sshd does, we close the channel when the command has ended:
        until then its status can be told (RFC 4254, 5.3 and 6.10). asyncssh would close it at once."""
        if self._left or not isinstance(self._session, ToTarget):
            return super()._process_close(kind, number, packet)
        packet.check_end()
        self._left = True
        self._send_buf, self._send_buf_len = [], 0
        self._flush_send_buf()  # whatever waited for that data goes on
        self._recv_state = "close_pending"
        self._flush_recv_buf()
        return None

    def _cleanup(self, exc: Exception | None = None) -> None:
        """Once the client has closed the channel and what it sent has been delivered, the target's end is awaited."""
        if exc is None and self._left and self._send_state != "closed" and isinstance(self._session, ToTarget):
            self._session.client_closed()
        else:
            super()._cleanup(exc)

    def _process_env_request(self, packet: SSHPacket) -> bool:
        name, value = packet.get_string(), packet.get_string()
        packet.check_end()
        fits = len(self._env) < MAX_ENVIRONMENT and len(value) <= MAX_ENVIRONMENT_BYTES and b"\0" not in value
        if fits and self.admits(name):
            self._env[name] = value
            return True
        if len(self.dropped) < MAX_ENVIRONMENT:
            self.dropped.append(name[:MAX_NAME_BYTES])
        return False

    def _process_exec_request(self, packet: SSHPacket) -> bool:
        command = packet.get_string()
        packet.check_end()
        if not command:
            return False
        if len(command) > MAX_COMMAND_BYTES and isinstance(self._session, ToTarget):
            self._session.refuse(f"a command of {len(command)} bytes is too long: at most {MAX_COMMAND_BYTES}")
            return True
        return self._start_session(command=command)  # type: ignore[arg-type]  # bytes go through it unchanged

    _packet_handlers = {**SSHChannel._packet_handlers, MSG_CHANNEL_CLOSE: _process_close}  # noqa: RUF012
