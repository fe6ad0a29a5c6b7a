"""Selects of one row through the gateway, beside the same MariaDB direct, round by round; and rows that come out."""

import asyncio
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import Figure, Progress
from bench.room import room
from tests.protocols.mysql.way import Mysql
from tests.protocols.postgres.server import PASSWORD
from tests.protocols.ways import TARGET, login_token, way_through

NAME = "MariaDB"
QUERIES = int(os.environ.get("ONEPAM_BENCH_QUERIES", "4000"))
"""Of all clients together, in one round."""

ROUNDS = 3
CLIENTS = (1, 8)
ROWS = 500_000


@dataclass(frozen=True, slots=True)
class Way:
    """How a program of MariaDB's gets to the server."""

    name: str
    options: tuple[str, ...]
    password: str


def run(progress: Progress) -> list[Figure]:
    """Selects a second of each number of clients, and the speed of many rows, as a part of the direct ones of the same
    round."""
    with room() as folder:
        return asyncio.run(_run(folder, progress))


async def _run(folder: Path, progress: Progress) -> list[Figure]:
    async with way_through("mysql", folder) as way:
        assert isinstance(way, Mysql)
        root, login = folder / "server-authority.pem", way.gateway.target.login
        root.write_bytes(way.server.authority.certificate)
        token = await login_token(way.gateway, await way.gateway.person(), TARGET)
        ways = (
            _way("direct", way.server.port, login, PASSWORD, root),
            _way("gateway", way.port, f"{login}@{TARGET}", token, way.root),
        )
        await asyncio.to_thread(way.server.sql, _FILLED)
        figures: list[Figure] = []
        for clients in CLIENTS:
            figures += await _selects(ways, clients, progress)
        return figures + await _rows_out(ways, progress)


async def _selects(ways: tuple[Way, ...], clients: int, progress: Progress) -> list[Figure]:
    found: list[dict[str, float]] = []
    for number in range(ROUNDS):
        progress(f"{clients} clients, round {number + 1} of {ROUNDS}")
        found.append({way.name: await _round(way, clients) for way in ways})
    title = f"select of one row, {clients} client{'s' if clients > 1 else ''}"
    ratio = median(each["gateway"] / each["direct"] for each in found)
    return [
        Figure(f"{title}, direct", median(each["direct"] for each in found), "a second"),
        Figure(f"{title}, gateway over direct", ratio, ""),
    ]


async def _round(way: Way, clients: int) -> float:
    """Selects a second. `mariadb-slap` counts the time in which its clients come, too: what one select of each takes
    with it is taken off."""
    few, many = await _taken(way, clients, clients), await _taken(way, clients, QUERIES)
    return (QUERIES - clients) / max(many - few, 0.001)


async def _taken(way: Way, clients: int, queries: int) -> float:
    """Seconds for so many of all clients together."""
    said = await _program(
        way, "mariadb-slap", f"--concurrency={clients}", f"--number-of-queries={queries}", "--no-drop",
        "--create-schema=app", "--query=SELECT words FROM bench WHERE id = 4711",
    )  # fmt: skip
    taken = re.search(r"Average number of seconds to run all queries: ([0-9.]+) seconds", said)
    if taken is None:
        raise RuntimeError(f"mariadb-slap says nothing of it, {way.name}: {said}")
    return float(taken[1])


async def _rows_out(ways: tuple[Way, ...], progress: Progress) -> list[Figure]:
    """All rows by an unbuffered select, as a part of the direct speed of the same round."""
    found: list[dict[str, float]] = []
    for number in range(ROUNDS):
        progress(f"rows out, round {number + 1} of {ROUNDS}")
        taken: dict[str, float] = {}
        for way in ways:
            began = time.perf_counter()
            await _program(way, "mariadb", "--quick", "--silent", "-e", "SELECT * FROM bench", "app", quiet=True)
            taken[way.name] = time.perf_counter() - began
        found.append(taken)
    return [
        Figure(f"rows out, {ROWS:,} of 100 bytes, direct", median(each["direct"] for each in found) * 1000, "ms"),
        Figure("rows out, gateway over direct", median(each["direct"] / each["gateway"] for each in found), ""),
    ]


def _way(name: str, port: int, user: str, password: str, root: Path) -> Way:
    options = (
        "--no-defaults", "--host=localhost", "--protocol=tcp", f"--port={port}", f"--user={user}",
        f"--ssl-ca={root}", "--ssl-verify-server-cert",
    )  # fmt: skip
    return Way(name, options, password)


async def _program(way: Way, program: str, *options: str, quiet: bool = False) -> str:
    process = await asyncio.create_subprocess_exec(
        program, *way.options, *options, env={**os.environ, "MYSQL_PWD": way.password},
        stdout=asyncio.subprocess.DEVNULL if quiet else asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{program}, {way.name}: {err.decode()}")
    return (out or b"").decode()


_FILLED = f"""
CREATE TABLE app.bench (id INT PRIMARY KEY, words CHAR(96)) CHARACTER SET latin1;
INSERT INTO app.bench SELECT seq, REPEAT('x', 96) FROM app.seq_1_to_{ROWS};
"""
