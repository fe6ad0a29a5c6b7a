"""The edge of the conversation with a directory: to the one judged address, encrypted, bounded in time.

The password is sent after the certificate was checked. Unencrypted goes only what the source asks for so *and* the
operator's configuration admits to that very address and port.
"""

import asyncio
import socket
import ssl
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from onepam.domain.roster.cells import MAX_ROWS
from onepam.domain.roster.directory import LDAPS, PLAIN, STARTTLS, DirectoryEntry, RosterDirectory
from onepam.egress.egress import Egress
from onepam.egress.ldap.filters import BadFilter, encoded
from onepam.egress.ldap.pull import Pull, Search, StartTls, Stopped
from onepam.egress.trust import trust_of
from onepam.kernel.errors import Refused

PORTS = {"ldaps": 636, "ldap": 389}
MAX_URL_CHARACTERS = 500
TIMEOUT_SECONDS = 120.0
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0
READ_BYTES = 64 * 1024


class Directory:
    """Reads directories. `ca_file` (PEM) is trusted beside the system's CAs."""

    def __init__(self, egress: Egress, ca_file: Path | None = None) -> None:
        self._egress = egress
        self._ca_file = ca_file

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """Read when the first directory is: a gateway that has none need not look through all CAs."""
        return trust_of(self._ca_file)

    async def entries(
        self, url: str, wanted: RosterDirectory, password: str, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> list[DirectoryEntry] | Refused:
        """Every entry, or why there is none. Codes of a refusal: `directory.` + `url`, `filter`, `password`, `address`,
        `unresolved`, `plain`, `tls`, `down`, `timeout`, `bind`, `search`, `incomplete`, `referral`, `too_large`,
        `protocol`."""
        place = checked(url, wanted)
        if isinstance(place, Refused):
            return place
        host, port = place
        if bool(wanted.bind_dn) != bool(password):
            # a name without a password is an "unauthenticated bind" (RFC 4513 section 5.1.2): it lets in as nobody
            return Refused("directory.password", "An account needs a password, and a password an account.")
        search = Search(wanted.base, encoded(wanted.filter), wanted.asked, wanted.bind_dn, password, MAX_ROWS)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._read(host, port, wanted.transport, search)
        except Stopped as stopped:
            return stopped.refused
        except TimeoutError:
            return Refused("directory.timeout", f"{host} did not answer in time.", "Try again.")
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message.rstrip(".")
            return Refused(
                "directory.tls",
                f"The certificate of {host} is not trusted: {why}.",
                "The server must send its whole chain, and its CA must be known to this machine.",
            )
        except ssl.SSLError:
            return Refused("directory.tls", f"No encrypted connection to {host} came about.", "Is the port right?")
        except (OSError, EOFError):
            return Refused(
                "directory.down", f"{host} is down, or broke off the connection.", "Check it, and try again."
            )

    async def _read(self, host: str, port: int, transport: str, search: Search) -> list[DirectoryEntry] | Refused:
        address = await self._egress.resolve(host, port)
        if isinstance(address, Refused):
            return Refused(address.code.replace("target.", "directory."), address.message, address.hint)
        if transport == PLAIN and not self._egress.excepted(address, port):
            return Refused(
                "directory.plain",
                f"{host} would be asked without encryption, which is not done.",
                "Use ldaps:// or StartTLS. An address within the house can be admitted by `egress` in the "
                "server's configuration.",
            )
        family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.sock_connect(connection, (address, port))
                if transport == STARTTLS:
                    await _start_tls(connection, host)
                trust = None if transport == PLAIN else self._trust
                reader, writer = await asyncio.open_connection(
                    sock=connection, ssl=trust, server_hostname=host if trust else None
                )
            try:
                return await _converse(reader, writer, Pull(host, search))
            finally:
                writer.transport.abort()


def checked(url: str, wanted: RosterDirectory) -> tuple[str, int] | Refused:
    """Host and port of a source whose address, transport and filter fit each other; else why they do not."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return _not_a_url()
    if not url.isascii() or not url.isprintable() or len(url) > MAX_URL_CHARACTERS:
        return _not_a_url()
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in PORTS or not parts.hostname or not port or more:
        return _not_a_url()
    if (parts.scheme == "ldaps") != (wanted.transport == LDAPS):
        return Refused("directory.url", "ldaps:// is encrypted from its beginning; ldap:// by StartTLS.")
    try:
        encoded(wanted.filter)
    except BadFilter as error:
        return Refused("directory.filter", f"The filter cannot be read: {error}.", "Such as (objectClass=person).")
    return parts.hostname, port


async def _start_tls(connection: socket.socket, host: str) -> None:
    """On the bare socket: what was not read of it yet goes to TLS, which refuses what is not a handshake."""
    loop, asked = asyncio.get_running_loop(), StartTls(host)
    await loop.sock_sendall(connection, asked.begin())
    while not asked.done:
        data = await loop.sock_recv(connection, 4096)
        if not data:
            raise EOFError
        asked.receive(data)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pull: Pull) -> list[DirectoryEntry]:
    writer.write(pull.begin())
    while not pull.done:
        async with asyncio.timeout(SILENCE_SECONDS):
            data = await reader.read(READ_BYTES)
        if not data:
            raise EOFError
        writer.write(pull.receive(data))
    writer.write(pull.end())
    return pull.entries


def _not_a_url() -> Refused:
    return Refused("directory.url", "This is not the address of a directory.", "Write it as ldaps://ldap.example.com.")
