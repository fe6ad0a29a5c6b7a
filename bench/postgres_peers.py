"""What the gateway is compared with before a PostgreSQL: nothing, a relay that only passes messages, and pgbouncer. All
with TLS on both sides, and one connection of the server for each client's, as ours."""

import asyncio
import os
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

from onepam.domain.sessions.ends import SessionEnd
from onepam.protocols.sql.tls import Leg, Pins, server_context
from tests.protocols.postgres.server import PASSWORD
from tests.protocols.ways import Postgres
from tests.targets import free_port

DATABASE = "bench"
_LENGTH = Struct(">I")
_TLS = b"\0\0\0\x08\x04\xd2\x16\x2f"
"""An SSLRequest."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a client gets to the server: its options in the environment."""

    name: str
    environment: dict[str, str]


def direct(way: Postgres, folder: Path, name: str = "direct", port: int = 0) -> Way:
    """To the server itself, or to a port that leads there and shows the same certificate."""
    root = folder / "server-authority.pem"
    root.write_bytes(way.server.authority.certificate)
    return Way(name, environment(port or way.server.port, way.gateway.target.login, PASSWORD, root))


def environment(port: int, user: str, password: str, root: Path) -> dict[str, str]:
    """What libpq connects by."""
    return {
        "PGHOST": "localhost", "PGHOSTADDR": "127.0.0.1", "PGPORT": str(port), "PGUSER": user, "PGPASSWORD": password,
        "PGDATABASE": DATABASE, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(root),
    }  # fmt: skip


# A relay that only passes messages ------------------------------------------------------------------------------------


class _Side(Leg):
    """A connection that asks for TLS, or is asked for it, in the words of PostgreSQL."""

    def __init__(self, context: ssl.SSLContext, secured: "asyncio.Future[None]", *, server: bool) -> None:
        super().__init__(SessionEnd.CLIENT_LEFT)
        self._context, self.secured_at, self._server = context, secured, server
        self.early = bytearray()
        self.heard = self._first

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._server:
            self.send(_TLS)

    def _first(self, data: bytes) -> None:
        assert data == (_TLS if self._server else b"S"), data
        if self._server:
            self.send(b"S")
        self.secure(self._context, self._shook, server=self._server, name=None if self._server else "localhost")

    def _shook(self, fault: ssl.SSLError | None) -> None:
        self.heard = self.early.extend
        if not self.secured_at.done():
            self.secured_at.set_result(None)


@asynccontextmanager
async def bare(way: Postgres, folder: Path) -> AsyncIterator[Way]:
    """Message after message, in this process and with our TLS: what a gateway in Python costs that looks at nothing but
    where messages end."""
    loop, port, shown = asyncio.get_running_loop(), free_port(), way.server.shown
    ours = server_context(shown.certificate, shown.key)
    (theirs,) = Pins.of([way.server.authority.certificate.decode()]).contexts(None)
    tasks: set[asyncio.Task[None]] = set()

    def accepted() -> _Side:
        client = _Side(ours, loop.create_future(), server=True)
        task = loop.create_task(_joined(client, theirs, way.server.port))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return client

    listener = await loop.create_server(accepted, "127.0.0.1", port)
    try:
        yield direct(way, folder, "bare framing relay", port)
    finally:
        listener.close()
        for task in tasks:
            task.cancel()


async def _joined(client: _Side, context: ssl.SSLContext, port: int) -> None:
    loop = asyncio.get_running_loop()
    await client.secured_at
    there = _Side(context, loop.create_future(), server=False)
    await loop.create_connection(lambda: there, "127.0.0.1", port)
    await there.secured_at
    for side, other in ((client, there), (there, client)):
        side.heard, side.full, side.lost = _Framed(other.send, starts=side is client).take, other.hold, other.close
    client.heard(bytes(client.early))


class _Framed:
    """Passes whole messages on. What `starts` begins with a message that has no kind."""

    def __init__(self, send: Callable[[bytes], object], *, starts: bool) -> None:
        self._send, self._kind, self._rest = send, 0 if starts else 1, b""

    def take(self, data: bytes) -> None:
        data, at = self._rest + data, 0
        while len(data) - at >= self._kind + _LENGTH.size:
            end = at + self._kind + _LENGTH.unpack_from(data, at + self._kind)[0]
            if end > len(data):
                break
            at, self._kind = end, 1
        self._rest = data[at:]
        if at:
            self._send(data[:at])


# pgbouncer ------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def bouncer(way: Postgres, folder: Path) -> AsyncIterator[Way | None]:
    """pgbouncer with TLS on both sides, one connection of the server for each client's, as ours; None where there is
    none."""
    program = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer")
    if program is None:
        yield None
        return
    # It refuses to run as root, and reads its files as the user who runs it.
    home, port = Path(tempfile.mkdtemp(dir="/tmp")), free_port()
    files = {
        "server.pem": way.server.shown.certificate, "server.key": way.server.shown.key,
        "root.pem": way.server.authority.certificate, "users": f'"{way.gateway.target.login}" "{PASSWORD}"\n'.encode(),
        "pgbouncer.ini": f"""
[databases]
* = host=127.0.0.1 port={way.server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {home}/users
pool_mode = session
max_client_conn = 200
default_pool_size = 100
client_tls_sslmode = require
client_tls_cert_file = {home}/server.pem
client_tls_key_file = {home}/server.key
server_tls_sslmode = verify-ca
server_tls_ca_file = {home}/root.pem
ignore_startup_parameters = extra_float_digits
""".encode(),
    }  # fmt: skip
    for name, data in files.items():
        (home / name).write_bytes(data)
    run_as = []
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
        for name in files:
            shutil.chown(home / name, "postgres")
        run_as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    process = await asyncio.create_subprocess_exec(
        *run_as, program, "-q", str(home / "pgbouncer.ini"), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _listening(process, port)
        yield direct(way, folder, "pgbouncer", port)
    finally:
        process.terminate()
        await process.wait()
        shutil.rmtree(home)


async def _listening(process: asyncio.subprocess.Process, port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if process.returncode is not None:
                raise RuntimeError(f"pgbouncer ended with {process.returncode}") from None
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
