"""Dials a target: one address, one login, one key, and a host key that must be exactly one of the pinned ones."""

import asyncio
import os
from collections.abc import Sequence

import asyncssh

from onepam.kernel.errors import Refused
from onepam.protocols.ssh.algorithms import CIPHERS, HOST_KEYS, KEX, MACS, VERSION
from onepam.protocols.ssh.connections import TargetConnection

KEEPALIVE_SECONDS = 30
KEEPALIVE_COUNT = 3


async def dial(
    address: str,
    port: int,
    login: str,
    client_key: asyncssh.SSHKey,
    certificate: asyncssh.SSHCertificate | None,
    pinned_host_keys: Sequence[asyncssh.SSHKey],
    timeout: float,  # noqa: ASYNC109 - it words the refusal
) -> TargetConnection | Refused:
    """Connect and sign in within `timeout` seconds, or say in words for the person why not.

    `address` is an IP address that was resolved and admitted before; nothing is read from the environment, the home
    directory or an agent. Codes: `target.down`, `target.hanging`, `target.host_key`, `target.refusing`.
    """
    if not pinned_host_keys:
        return Refused("target.host_key", "no host key is pinned for this target", "an administrator must pin one")
    loop = asyncio.get_running_loop()
    options = _options(address, port, login, client_key, certificate, pinned_host_keys, timeout)
    waiter = options.waiter = loop.create_future()
    connection: TargetConnection | None = None
    try:
        async with asyncio.timeout(timeout):
            _, connection = await loop.create_connection(
                lambda: TargetConnection(loop, options, wait="auth"), address, port
            )
            await waiter
    except (TimeoutError, OSError, asyncssh.Error) as error:
        if connection is not None:
            connection.abort()
        return _worded(error, login, connected=connection is not None)
    except asyncio.CancelledError:
        if connection is not None:
            connection.abort()
        raise
    finally:
        # A connection that breaks while nobody waits for it any more must not complain of that to the loop.
        if not waiter.cancel() and not waiter.cancelled():
            waiter.exception()
    return connection


def _options(
    address: str,
    port: int,
    login: str,
    key: asyncssh.SSHKey,
    certificate: asyncssh.SSHCertificate | None,
    pinned: Sequence[asyncssh.SSHKey],
    timeout: float,
) -> asyncssh.SSHClientConnectionOptions:
    return asyncssh.SSHClientConnectionOptions(
        config=None,
        host=address,
        port=port,
        username=login,
        client_keys=[(key, certificate) if certificate else key],
        client_version=VERSION,
        known_hosts=(list(pinned), [], []),
        server_host_key_algs=_host_key_algorithms(pinned),
        kex_algs=KEX,
        encryption_algs=CIPHERS,
        mac_algs=MACS,
        compression_algs=("none",),
        preferred_auth=("publickey",),
        agent_path=None,
        agent_forwarding=False,
        gss_host=None,
        x509_trusted_certs=None,
        x509_trusted_cert_paths=(),
        login_timeout=timeout,
        keepalive_interval=KEEPALIVE_SECONDS,
        keepalive_count_max=KEEPALIVE_COUNT,
        tcp_keepalive=True,
        encoding=None,
    )


def _host_key_algorithms(pinned: Sequence[asyncssh.SSHKey]) -> list[str]:
    """The pinned kinds first; the others too, so that a target with another kind shows its key and is told from one
    that fails."""
    wanted = {algorithm.decode("ascii") for key in pinned for algorithm in key.sig_algorithms}
    return sorted(HOST_KEYS, key=lambda algorithm: algorithm not in wanted)


def _worded(error: Exception, login: str, *, connected: bool) -> Refused:
    if isinstance(error, TimeoutError):
        if connected:
            return Refused("target.hanging", "the target accepts connections but does not answer")
        return Refused("target.down", "the target does not answer")
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return Refused(
            "target.host_key",
            "the target shows another host key than the pinned one: nothing was sent to it",
            "an administrator must find out why before pinning the new key",
        )
    if isinstance(error, asyncssh.PermissionDenied):
        return Refused("target.refusing", f"the target does not admit us as {login}")
    if isinstance(error, OSError) and not connected:
        words = os.strerror(error.errno) if error.errno else error  # asyncio's own would name our address of it
        return Refused("target.down", f"the target cannot be reached: {words}")
    return Refused("target.refusing", f"the target ended the connection before the sign-in: {error}")
