"""Our listener's side of SSH: fixed algorithms, and whatever is not admitted is refused."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from typing import Any, NoReturn

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED, OPEN_CONNECT_FAILED, OPEN_RESOURCE_SHORTAGE

from onepam.gateway.crowd import Crowd, Place
from onepam.gateway.listener import Listener
from onepam.gateway.turns import Turns
from onepam.kernel.errors import Refused
from onepam.protocols.ssh.algorithms import CIPHERS, KEX, MACS, SIGNATURES, VERSION, HostKey
from onepam.protocols.ssh.algorithms import host_keys as shown
from onepam.protocols.ssh.connections import PersonConnection
from onepam.protocols.ssh.dial import KEEPALIVE_SECONDS
from onepam.protocols.ssh.entering import Knocking
from onepam.protocols.ssh.person_channel import PersonChannel
from onepam.protocols.ssh.relay import MAX_CHANNELS, Relay

SILENT_SECONDS = 15 * 60
"""How long a client may give no sign of life: a laptop whose lid is closed on the way to a meeting."""

CROWDED_WORDS = b"Too many connections wait here already; try again in a moment.\r\n"
"""Instead of our version (RFC 4253, 4.2): clients show it."""

FORWARDING_WORDS = "OnePAM's policy forbids port forwarding: open a shell, a command or a file transfer"
"""Why no channel of that kind opens, as clients show it."""

LOGIN_SECONDS = 150
"""How long a sign-in may take, the confirmation in a browser included."""


class Door(asyncssh.SSHServer):
    """One person's connection. Only session channels are opened, and connections to a port where the permit has them;
    any other forwarding is refused, and so is every request that asyncssh would serve by itself.

    Subclasses add the sign-in and set `relay` before they let it succeed: no channel exists without a permit.
    """

    relay: Relay | None = None
    _asking = 0
    """Forwardings that wait to hear whether the target lives."""

    def session_requested(self) -> tuple[PersonChannel, Any] | asyncssh.SSHServerSession[bytes] | bool:
        """The next channel of the permitted session, or a refusal. One that is alone is opened at once, while the
        target is dialled; beside others it opens when the target's does."""
        if self.relay is None:
            return False
        alone, channel = self.relay.idle, self.relay.channel()
        if channel is None:
            raise asyncssh.ChannelOpenError(OPEN_RESOURCE_SHORTAGE, f"at most {MAX_CHANNELS} channels may be open")
        near = PersonChannel.on(self.relay.person, self.relay.admits)
        return near, channel if alone else self.relay.opened(channel, near)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> Any:
        """`ssh -W`, `-L` and `-D`: where the permit has it, else the client hears why not."""
        if self.relay is not None and self.relay.forwards:
            return self.relay.forwarded(dest_host, dest_port)
        return self._refusal()

    def unix_connection_requested(self, dest_path: str) -> Awaitable[asyncssh.SSHUNIXSession[bytes]]:
        """`ssh -L` to a socket of the target's file system."""
        return self._refusal()

    def tun_requested(self, unit: int | None) -> NoReturn:
        """`ssh -w`."""
        raise _forbidden()

    tap_requested = tun_requested

    def _refusal(self) -> Awaitable[NoReturn]:
        if self._asking >= MAX_CHANNELS:
            raise _forbidden()
        return self._refuse()

    async def _refuse(self) -> NoReturn:
        """That the target is dead is another answer than that nobody may reach it in this way."""
        self._asking += 1
        try:
            dialled = await asyncio.shield(self.relay.target) if self.relay is not None else None
        finally:
            self._asking -= 1
        if isinstance(dialled, Refused):
            raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, dialled.message)
        raise _forbidden()


def _forbidden() -> asyncssh.ChannelOpenError:
    """A channel-open failure that says why (RFC 4254, 5.1)."""
    return asyncssh.ChannelOpenError(OPEN_ADMINISTRATIVELY_PROHIBITED, FORWARDING_WORDS)


def listen(
    listening: socket.socket,
    host_keys: Sequence[HostKey],
    door: Callable[[], Door],
    crowd: Crowd,
    turns: Turns,
    silent_seconds: int = SILENT_SECONDS,
) -> Listener:
    """Accept SSH connections. `host_keys` are private keys, certified or not; nothing is read from files."""
    loop = asyncio.get_running_loop()
    options = asyncssh.SSHServerConnectionOptions(
        config=None,
        server_factory=door,
        server_version=VERSION,
        server_host_keys=[key[0] if isinstance(key, tuple) else key for key in host_keys],
        kex_algs=KEX,
        encryption_algs=CIPHERS,
        mac_algs=MACS,
        signature_algs=SIGNATURES,
        compression_algs=("none",),
        gss_host=None,
        password_auth=False,
        host_based_auth=False,
        login_timeout=LOGIN_SECONDS,
        keepalive_interval=KEEPALIVE_SECONDS,
        keepalive_count_max=max(1, ceil(silent_seconds / KEEPALIVE_SECONDS)),
        agent_forwarding=False,
        x11_forwarding=False,
        line_editor=False,
        allow_scp=False,
        encoding=None,
        x509_trusted_certs=None,
    )
    options.server_host_keys = shown(host_keys)

    def connection(place: Place) -> Knocking:
        return Knocking(place, turns, lambda: PersonConnection(loop, options, silent_seconds, place, turns))

    return Listener(listening, crowd, connection, words=CROWDED_WORDS)
