"""pgbench's selects through the gateway, beside the same server direct and through pgbouncer, round by round."""

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import Figure, Progress
from bench.room import room
from tests.protocols.postgres.server import PASSWORD
from tests.protocols.ways import TARGET, Postgres, way_through
from tests.targets import free_port

NAME = "PostgreSQL"
SECONDS = int(os.environ.get("ONEPAM_BENCH_SECONDS", "5"))
ROUNDS = 3
MODES = ("simple", "extended", "prepared")
CLIENTS = (1, 8, 64)
DATABASE = "bench"


@dataclass(frozen=True, slots=True)
class Way:
    """How pgbench gets to the server: its options in the environment."""

    name: str
    environment: dict[str, str]


def run(progress: Progress) -> list[Figure]:
    """Transactions a second of each mode and number of clients, as a part of the direct ones of the same round."""
    with room() as folder:
        return asyncio.run(_run(folder, progress))


async def _run(folder: Path, progress: Progress) -> list[Figure]:
    async with way_through("postgres", folder) as way, _bouncer(way, folder) as bounced:
        assert isinstance(way, Postgres)
        login = way.gateway.target.login
        way.server.sql(f'CREATE DATABASE {DATABASE} OWNER "{login}";')
        person = await way.gateway.person()
        direct = Way("direct", _environment(way.server.port, login, PASSWORD, _authority(way, folder)))
        ours = Way("gateway", _environment(way.port, f"{login}@{TARGET}", await way.token(person), way.root))
        await _pgbench(direct, "-i", "-s", "5", "-q")
        ways = [direct, ours, *([bounced] if bounced else [])]
        figures: list[Figure] = []
        for mode in MODES:
            for clients in CLIENTS:
                figures += await _measured(ways, mode, clients, progress)
        if not bounced:
            progress("pgbouncer is not installed, and not compared with")
        return figures


async def _measured(ways: list[Way], mode: str, clients: int, progress: Progress) -> list[Figure]:
    found: dict[str, list[float]] = {way.name: [] for way in ways}
    for number in range(ROUNDS):
        for way in ways:
            progress(f"{mode}, {clients} clients, {way.name}, round {number + 1} of {ROUNDS}")
            jobs = str(min(clients, 2))
            said = await _pgbench(way, "-n", "-S", "-M", mode, "-c", str(clients), "-j", jobs, "-T", str(SECONDS))
            tps = re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)
            assert tps is not None, said
            found[way.name].append(float(tps[1]))
    title = f"{mode}, {clients} client{'s' if clients > 1 else ''}"
    figures = [Figure(f"{title}, direct", median(found["direct"]), "tps")]
    for way in ways[1:]:
        ratio = median(theirs / base for theirs, base in zip(found[way.name], found["direct"], strict=True))
        figures.append(Figure(f"{title}, {way.name} over direct", ratio, ""))
    return figures


async def _pgbench(way: Way, *options: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "pgbench", *options, env={**os.environ, **way.environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"pgbench, {way.name}: {err.decode()}")
    return out.decode()


def _environment(port: int, user: str, password: str, root: Path) -> dict[str, str]:
    return {
        "PGHOST": "localhost", "PGHOSTADDR": "127.0.0.1", "PGPORT": str(port), "PGUSER": user, "PGPASSWORD": password,
        "PGDATABASE": DATABASE, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(root),
    }  # fmt: skip


def _authority(way: Postgres, folder: Path) -> Path:
    path = folder / "server-authority.pem"
    path.write_bytes(way.server.authority.certificate)
    return path


@asynccontextmanager
async def _bouncer(way: object, folder: Path) -> AsyncIterator[Way | None]:
    """pgbouncer with TLS on both sides, one connection of the server for each client's, as ours; None where there is
    none."""
    program = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer")
    if program is None:
        yield None
        return
    assert isinstance(way, Postgres)
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
        await asyncio.sleep(1)
        yield Way("pgbouncer", _environment(port, way.gateway.target.login, PASSWORD, _authority(way, folder)))
    finally:
        process.terminate()
        await process.wait()
        shutil.rmtree(home)
