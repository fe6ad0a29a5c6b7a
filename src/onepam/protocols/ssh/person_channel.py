"""asyncssh's server channel, with a bounded, admitted environment and commands as the bytes they are."""

import asyncio
import re

import asyncssh
from asyncssh.packet import SSHPacket

from onepam.protocols.ssh.connections import PACKET_BYTES, WINDOW_BYTES, PacketsUnlogged, PersonConnection
from onepam.protocols.ssh.fast_data import FastDataChannel

MAX_COMMAND_BYTES = 32 * 1024
MAX_ENVIRONMENT = 32
MAX_ENVIRONMENT_BYTES = 256

_ENVIRONMENT = re.compile(rb"LANG|LC_[A-Z]{1,20}|TZ|COLORTERM|NO_COLOR|GIT_PROTOCOL")


class PersonChannel(PacketsUnlogged, FastDataChannel, asyncssh.SSHServerChannel[bytes]):
    """The person's end of one channel."""

    @classmethod
    def on(cls, person: PersonConnection) -> "PersonChannel":
        """A channel of `person`, for bytes, as asyncssh's `create_server_channel` makes one."""
        person._update_recv_pktlen(PACKET_BYTES)
        loop = asyncio.get_running_loop()
        return cls(person, loop, True, False, False, 0, 0, None, "strict", WINDOW_BYTES, PACKET_BYTES)

    def _process_env_request(self, packet: SSHPacket) -> bool:
        name, value = packet.get_string(), packet.get_string()
        packet.check_end()
        admitted = bool(_ENVIRONMENT.fullmatch(name)) and len(value) <= MAX_ENVIRONMENT_BYTES
        if not admitted or b"\0" in value or len(self._env) >= MAX_ENVIRONMENT:
            return False
        self._env[name] = value
        return True

    def _process_exec_request(self, packet: SSHPacket) -> bool:
        command = packet.get_string()
        packet.check_end()
        if not command or len(command) > MAX_COMMAND_BYTES:
            return False
        return self._start_session(command=command)  # type: ignore[arg-type]  # bytes go through it unchanged
