"""pgbench's selects through the gateway, beside the same server direct, through a relay that only passes messages, and
through pgbouncer, round by round; rows that come out; what an idle connection takes; how soon a statement is gone."""

import asyncio
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import ceil
from pathlib import Path
from statistics import median, quantiles

from bench import Figure, Progress
from bench.postgres_peers import DATABASE, Way, bare, bouncer, direct, environment
from onepam.boot.clock import wall_clock
from onepam.cli.database_files import new_key
from onepam.domain.sessions.events import KillOrdered, SessionOpened
from onepam.kernel.clock import HOUR
from onepam.vault.database_clients import ClientCertificate
from tests.gateway_fixture import Person
from tests.protocols.ways import TARGET, Postgres, way_through

NAME = "PostgreSQL"
SECONDS = int(os.environ.get("ONEPAM_BENCH_SECONDS", "5"))
ROUNDS = 3
MODES = ("simple", "extended", "prepared")
CLIENTS = (1, 8, 64)
IDLE = 1000
GOAL_IDLE_BYTES = 150_000
KILLS = 20
GOAL_KILL_SECONDS = 1.0
GOAL_CLIENTS = 8
GOALS = {"direct": 0.45, "bare framing relay": 0.8, "pgbouncer": 0.75}
"""Of the selects of each of these with so many clients."""
GOAL_ADDED_SECONDS = 0.0005
"""The 99th percentile that the gateway adds for one client."""
GOAL_COPIED = 0.8

Measured = dict[str, list[tuple[float, float]]]
"""By way, of each round: transactions a second, and the 99th percentile of their seconds."""


def run(progress: Progress) -> list[Figure]:
    """Transactions a second of each mode and number of clients, as a part of the direct ones of the same round."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(Path(folder), progress))


async def _run(folder: Path, progress: Progress) -> list[Figure]:
    async with way_through("postgres", folder) as way:
        assert isinstance(way, Postgres)
        _more_connections(way)
        async with bare(way, folder) as relay, bouncer(way, folder) as bounced:
            login = way.gateway.target.login
            way.server.sql(f'CREATE DATABASE {DATABASE} OWNER "{login}";')
            person = await way.gateway.person()
            ours = Way("gateway", _certified(way, person, folder))
            ways = [direct(way, folder), ours, relay, *([bounced] if bounced else [])]
            await _program(ways[0], "pgbench", "-i", "-s", "5", "-q")
            figures: list[Figure] = []
            for mode in MODES:
                for clients in CLIENTS:
                    figures += await _selects(ways, mode, clients, folder, progress)
            figures += await _rows_out(ways, progress)
            figures += await _idle(way, ours, folder, progress)
            figures += await _killed(way, progress)
        if not bounced:
            progress("pgbouncer is not installed, and not compared with")
        return figures


# Statements -----------------------------------------------------------------------------------------------------------


async def _selects(ways: list[Way], mode: str, clients: int, folder: Path, progress: Progress) -> list[Figure]:
    found: Measured = {way.name: [] for way in ways}
    for number in range(ROUNDS):
        for way in ways:
            progress(f"{mode}, {clients} clients, {way.name}, round {number + 1} of {ROUNDS}")
            found[way.name].append(await _round(way, mode, clients, folder))
    title = f"{mode}, {clients} client{'s' if clients > 1 else ''}"
    base, ours = found["direct"], found.pop("gateway")
    figures = [Figure(f"{title}, direct", median(tps for tps, _ in base), "tps")]
    for name, theirs in found.items():
        ratio = median(tps / of for (tps, _), (of, _) in zip(ours, theirs, strict=True))
        figures.append(
            _held_to(f"{title}, gateway over {name}", ratio, GOALS[name] if clients == GOAL_CLIENTS else None)
        )
    for name, theirs in [("gateway", ours), *found.items()]:
        if name != "direct":
            added = median(late - of for (_, late), (_, of) in zip(theirs, base, strict=True))
            figure = Figure(f"{title}, {name}: added p99", added * 1000, "ms")
            if name == "gateway" and clients == 1:
                goal = f"≤ {GOAL_ADDED_SECONDS * 1000:g}"
                figure = replace(figure, goal=goal, meets=added <= GOAL_ADDED_SECONDS)
            figures.append(figure)
    return figures


def _held_to(title: str, ratio: float, goal: float | None) -> Figure:
    return Figure(title, ratio, "") if goal is None else Figure(title, ratio, "", f"≥ {goal:g}", ratio >= goal)


async def _round(way: Way, mode: str, clients: int, folder: Path) -> tuple[float, float]:
    """Of so many seconds in which all clients are in; pgbench counts those in which they come, too."""
    coming = 0.0
    for _ in range(5):
        logs = folder / f"log-{time.monotonic_ns()}"
        seconds = str(SECONDS + ceil(coming))
        options = ("-n", "-S", "-M", mode, "-c", str(clients), "-j", str(min(clients, 2)), "-T", seconds)
        said = await _program(way, "pgbench", *options, "-l", "--log-prefix", str(logs))
        tps = re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)
        came = re.search(r"^initial connection time = ([0-9.]+) ms", said, re.MULTILINE)
        if tps is not None and came is not None and int(seconds) - float(came[1]) / 1000 > SECONDS / 2:
            return float(tps[1]), _p99(logs)
        coming = max(SECONDS, 2 * coming, float(came[1]) / 500 if came else 0.0)
    raise RuntimeError(f"{clients} clients are not in, {way.name}: {said}")


def _p99(logs: Path) -> float:
    """Seconds, from pgbench's logs of transactions; the third column is microseconds."""
    taken: list[int] = []
    for file in logs.parent.glob(f"{logs.name}.*"):
        taken += (int(line.split()[2]) for line in file.read_text("ascii").splitlines())
        file.unlink()
    return quantiles(taken, n=100, method="inclusive")[98] / 1e6


async def _rows_out(ways: list[Way], progress: Progress) -> list[Figure]:
    """500,000 rows by COPY, as a part of the direct speed of the same round."""
    found: dict[str, list[float]] = {way.name: [] for way in ways}
    for number in range(ROUNDS):
        for way in ways:
            progress(f"COPY out, {way.name}, round {number + 1} of {ROUNDS}")
            began = time.perf_counter()
            await _program(way, "psql", "-X", "-q", "-o", "/dev/null", "-c", "COPY pgbench_accounts TO STDOUT")
            found[way.name].append(time.perf_counter() - began)
    base = found.pop("direct")
    figures = [Figure("COPY out, 500,000 rows, direct", median(base) * 1000, "ms")]
    for name, theirs in found.items():
        ratio = median(of / taken for taken, of in zip(theirs, base, strict=True))
        goal = GOAL_COPIED if name == "gateway" else None
        figures.append(_held_to(f"COPY out, {name} over direct", ratio, goal))
    return figures


async def _program(way: Way, program: str, *options: str) -> str:
    process = await asyncio.create_subprocess_exec(
        program, *options, env={**os.environ, **way.environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{program}, {way.name}: {err.decode()}")
    return out.decode()


def _certified(way: Postgres, person: Person, folder: Path) -> dict[str, str]:
    """By a certificate: of a token, 64 connections may be open at a time."""
    private, public = new_key()
    now = wall_clock()
    authority = way.gateway.platform.authorities.database_client(now)
    made = authority.issue(public, person.sign_in, person.id, now, 12 * HOUR)
    assert isinstance(made, ClientCertificate)
    key, certificate = folder / "client.key", folder / "client.crt"
    key.write_text(private)
    key.chmod(0o600)
    certificate.write_text(made.certificate)
    found = environment(way.port, f"{way.gateway.target.login}@{TARGET}", "", way.root)
    return {**found, "PGSSLCERT": str(certificate), "PGSSLKEY": str(key)}


def _more_connections(way: Postgres) -> None:
    way.server.sql(f"ALTER SYSTEM SET max_connections = {IDLE + 200}")
    where = ("-D", str(way.server.data), "-w", "-t", "120", "-l", str(way.server.folder / "log"))
    way.server.run("pg_ctl", *where, "-m", "fast", "restart")


# Connections that idle ------------------------------------------------------------------------------------------------


async def _idle(way: Postgres, ours: Way, folder: Path, progress: Progress) -> list[Figure]:
    """What the gateway's memory grows by for each, and a sign-in beside them all."""
    script = folder / "idle"
    script.write_text("\\sleep 2000 s\n")
    alone = [await _signed_in(ours) for _ in range(KILLS)]
    async with asyncio.timeout(600):
        await _held(way, ours, script, 100)  # so that what is made once is there
        before = _resident()
        progress(f"{IDLE} idle connections")
        process = await _opened(way, ours, script, IDLE)
        grown = (_resident() - before) / IDLE
        beside = [await _signed_in(ours) for _ in range(KILLS)]
        await _gone(way, process)
    goal = f"≤ {GOAL_IDLE_BYTES / 1000:,.0f}"
    return [
        Figure(f"memory for each of {IDLE:,} idle connections", grown / 1000, "kB", goal, grown <= GOAL_IDLE_BYTES),
        Figure("a sign-in and one statement by psql, p50", median(alone) * 1000, "ms"),
        Figure(f"the same beside {IDLE:,} idle connections, p50", median(beside) * 1000, "ms"),
    ]


async def _held(way: Postgres, ours: Way, script: Path, count: int) -> None:
    await _gone(way, await _opened(way, ours, script, count))


async def _opened(way: Postgres, ours: Way, script: Path, count: int) -> asyncio.subprocess.Process:
    """A pgbench whose connections are all in, and idle."""
    process = await asyncio.create_subprocess_exec(
        "pgbench", "-n", "-f", str(script), "-c", str(count), "-j", "1", "-t", "1",
        env={**os.environ, **ours.environment}, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    while len(way.gateway.platform.live) < count:
        if process.returncode is not None:
            raise RuntimeError(f"pgbench ended with {process.returncode}")
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)  # recordings are sealed, and the sign-ins' garbage is gone
    return process


async def _gone(way: Postgres, process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()
    while len(way.gateway.platform.live):  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def _signed_in(ours: Way) -> float:
    began = time.perf_counter()
    await _program(ours, "psql", "-X", "-q", "-c", "SELECT 1")
    return time.perf_counter() - began


def _resident() -> int:
    """Bytes of this process, in which the gateway runs."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


# A statement whose session is ended -----------------------------------------------------------------------------------


async def _killed(way: Postgres, progress: Progress) -> list[Figure]:
    """From the order to the moment at which the server has nothing of it any more."""
    taken: list[float] = []
    with _watching(way) as asleep:
        for number in range(KILLS):
            progress(f"a statement that sleeps, {number + 1} of {KILLS}")
            person = await way.gateway.person()
            words = way.words(await way.token(person))
            client = await way.gateway.start("psql", "-X", "-c", "SELECT 'bench', pg_sleep(600)", words)
            while await asyncio.to_thread(asleep) != 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            (opened,) = way.gateway.events(SessionOpened, person)
            await way.gateway.record(KillOrdered(opened.session, "per_ada"))
            began = time.perf_counter()
            while await asyncio.to_thread(asleep):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            taken.append(time.perf_counter() - began)
            await client.communicate()
    goal = f"≤ {GOAL_KILL_SECONDS * 1000:,.0f}"
    return [
        Figure("session killed to its statement gone from the server, p50", median(taken) * 1000, "ms"),
        Figure("the same, worst", max(taken) * 1000, "ms", goal, max(taken) <= GOAL_KILL_SECONDS),
    ]


@contextmanager
def _watching(way: Postgres) -> Iterator[Callable[[], int]]:
    """How many statements sleep, asked over one connection of the owner's."""
    server = way.server
    options = ("-X", "-q", "-A", "-t", "-U", "postgres", "-d", "postgres", "-h", str(server.folder))
    watcher = subprocess.Popen(
        ["psql", *options, "-p", str(server.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert watcher.stdin is not None
    assert watcher.stdout is not None
    asking, answers = watcher.stdin, watcher.stdout

    def asleep() -> int:
        asking.write("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep';\n")
        asking.flush()
        return int(answers.readline())

    try:
        yield asleep
    finally:
        watcher.communicate()
