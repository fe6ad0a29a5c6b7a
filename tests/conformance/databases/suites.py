"""The tests that drivers bring with them, run against any server by its address: what came of each, by its name."""

import asyncio
import json
import re
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote
from xml.etree import ElementTree

from tests.conformance.databases.both_ways import DRIVERS, EMPTY, BothWays, Done, Way

DIST = DRIVERS.parents[2]
SECONDS = 3000.0
"""How long one suite may take, once. Nothing depends on it but that a run ends."""

Results = dict[str, str]


@dataclass(frozen=True, slots=True)
class Suite:
    """`run` gives what came of each test, or of those that are named. `setup` is what its database must have, and
    `least` how many tests there are at least that pass."""

    name: str
    setup: str
    least: int
    run: Callable[[Any, Any, Sequence[str]], Awaitable[Results]]


class Both(Protocol):
    """A server, and the way to it."""

    @property
    def direct(self) -> Any: ...

    def fresh(self, setup: str = "") -> None: ...

    async def run(
        self, way: Any, *command: str, stdin: str = "", seconds: float = 600.0, more: Mapping[str, str] = EMPTY
    ) -> Done: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """A test that differs on purpose, or cannot be told, with whatever parameters."""

    suite: str
    test: str
    reason: str


def differences() -> list[Difference]:
    """Those that are known."""
    text = Path(__file__).with_name("differences.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [Difference(*(part.strip() for part in line.split("|", 2))) for line in lines]


async def compared(both: Both, suite: Suite, through: Any) -> tuple[Results, Results]:
    """What came of all tests, directly and through the gateway. Tests that differ, or failed anyhow, had another try on
    both ways: many of them measure time, or rely on it."""
    known = {each.test for each in differences() if each.suite == suite.name}
    found = []
    for way in (both.direct, through):
        both.fresh(suite.setup)
        found.append(await suite.run(both, way, ()))
    direct, mine = found
    again = sorted(name for name in unlike(direct, mine) if without_parameters(name) not in known)
    if again:
        for way, results in ((both.direct, direct), (through, mine)):
            both.fresh(suite.setup)
            results.update(await suite.run(both, way, again))
    return direct, mine


def unlike(direct: Results, mine: Results) -> list[str]:
    """Tests of which something else came."""
    return sorted(name for name in direct.keys() | mine.keys() if direct.get(name) != mine.get(name))


def without_parameters(name: str) -> str:
    """The name of the test alone."""
    return name.partition("[")[0]


# --- Go ---------------------------------------------------------------------------------------------------------------


async def pgx(both: BothWays, way: Way, only: Sequence[str]) -> Results:
    """All packages of it that reach a server. A test is told by its package; its parts are not told apart."""
    plain = dict.fromkeys(way.environment, "")
    return await gone(both, way, DIST / "pgx", "github.com/jackc/pgx/", only, {**plain, "PGX_TEST_DATABASE": way.words})


async def gone(
    both: Both, way: Any, folder: Path, module: str, only: Sequence[str], more: Mapping[str, str], skip: str = ""
) -> Results:
    """What Go says of the tests in that folder, but those whose names `skip` has."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    chosen = ("-run", "^(" + "|".join(sorted({each.split()[1] for each in only})) + ")$") if only else ()
    options = ("-json", "-count=1", "-p=1", "-timeout=45m", *(("-skip", skip) if skip else ()))
    done = await both.run(way, go, "test", "-C", str(folder), *options, *chosen, "./...", seconds=SECONDS, more=more)
    results: Results = {}
    for line in done.stdout.splitlines():
        event = json.loads(line)
        test, package = event.get("Test", ""), event["Package"].removeprefix(module)
        if test and "/" not in test and event["Action"] in ("pass", "fail", "skip"):
            results[f"{package} {test}"] = event["Action"]
    return {name: results[name] for name in only if name in results} if only else results


# --- Python -----------------------------------------------------------------------------------------------------------


async def asyncpg(both: BothWays, way: Way, only: Sequence[str]) -> Results:
    """All of its tests but those that start servers of their own."""
    return await pytested(both, way, DIST / "asyncpg", only or ("tests",), PGSSLMODE="require")


def sqlalchemy(driver: str, *paths: str) -> Callable[[BothWays, Way, Sequence[str]], Awaitable[Results]]:
    """The dialect's own tests, by a driver."""

    async def run(both: BothWays, way: Way, only: Sequence[str]) -> Results:
        address = f"postgresql+{driver}://{quote(way.user)}:{way.password}@localhost:{way.port}/{way.database}"
        options = ("--dburi", f"{address}?{'ssl' if driver == 'asyncpg' else 'sslmode'}=require")
        return await pytested(both, way, DIST / "sqlalchemy", only or paths, *options)

    return run


async def pytested(
    both: Both, way: Any, folder: Path, which: Iterable[str], *options: str, python: Path = DRIVERS, **more: str
) -> Results:
    """What pytest says of these tests in that folder, by the folder's own settings, or none."""
    if not (folder / "pyproject.toml").exists():
        (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    report = folder / f"report-{way.port}.xml"
    report.unlink(missing_ok=True)
    fixed = (
        "-q",
        "-p",
        "no:cacheprovider",
        "--maxfail=100000",
        f"--junitxml={report}",
        f"--rootdir={folder}",
        "-o",
        "junit_family=xunit1",
    )
    command = ("env", "-C", str(folder), str(python), "-m", "pytest", *fixed)
    done = await both.run(way, *command, *options, *which, seconds=SECONDS, more=more)
    assert report.exists(), done.stdout + done.stderr
    results: Results = {}
    for case in (await asyncio.to_thread(ElementTree.parse, report)).iter("testcase"):
        within = case.get("classname", "").removeprefix(case.get("file", "").removesuffix(".py").replace("/", "."))
        within = re.sub(
            r"_(postgresql|mysql)\+[a-z0-9]+(_\d+)*", "", within
        )  # SQLAlchemy's names have the server's version
        name = "::".join(each for each in (case.get("file", ""), within.strip("."), case.get("name", "")) if each)
        results[name] = next((each.tag for each in case if each.tag in ("failure", "error", "skipped")), "passed")
    return results


_SCHEMAS = "CREATE SCHEMA test_schema; CREATE SCHEMA test_schema_2; CREATE EXTENSION hstore; CREATE EXTENSION citext;"
_EXTENSIONS = "CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE DOMAIN uint64 AS numeric(20, 0);"
_REACHING = [f"test/dialect/postgresql/test_{each}.py" for each in ("dialect", "query", "on_conflict", "async_pg")]
"""Those of its files in which most tests reach a server."""

SUITES = {
    each.name: each
    for each in (
        Suite("pgx", _EXTENSIONS, 900, pgx),
        Suite("asyncpg", "", 300, asyncpg),
        Suite("sqlalchemy-psycopg", _SCHEMAS, 280, sqlalchemy("psycopg", *_REACHING)),
        Suite("sqlalchemy-asyncpg", _SCHEMAS, 300, sqlalchemy("asyncpg", "test/dialect/test_suite.py")),
    )
}
