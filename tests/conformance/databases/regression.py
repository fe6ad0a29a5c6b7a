"""PostgreSQL's own regression tests, file by file by psql, as its `pg_regress` runs them one after the other: what psql
shows of each. There is no C library of theirs, so what needs one fails, on each way."""

import asyncio
import os
import shutil
from pathlib import Path

from tests.conformance.databases.both_ways import DRIVERS, LOGIN, BothWays, Way

DIST = DRIVERS.parents[3] / "postgresql-regression"
DATABASE = "regression"
SECONDS = 600.0
"""How long one file may take. Nothing depends on it but that a run ends."""

_SETTINGS = {
    "lc_messages": "C", "lc_monetary": "C", "lc_numeric": "C", "lc_time": "C", "bytea_output": "hex",
    "timezone_abbreviations": "Default",
}  # fmt: skip
_CLEAN = f"""
DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);
SELECT format('DROP OWNED BY %I CASCADE; DROP ROLE %I;', rolname, rolname) FROM pg_roles WHERE rolname ~ '^regress'
\\gexec
CREATE DATABASE {DATABASE} OWNER {LOGIN} TEMPLATE template0;
""" + "".join(f"ALTER DATABASE {DATABASE} SET {name} TO '{value}';\n" for name, value in _SETTINGS.items())


def names() -> list[str]:
    """Of all files, in the order in which they run."""
    lines = (DIST / "parallel_schedule").read_text("utf-8").splitlines()
    return [name for line in lines if line.startswith("test:") for name in line.split()[1:]]


async def shown(both: BothWays, way: Way) -> dict[str, bytes]:
    """What psql shows of each file, in an empty database of theirs."""
    server = both.server
    home = server.folder / "regression"
    shutil.rmtree(home, ignore_errors=True)
    await asyncio.to_thread(shutil.copytree, DIST, home / "source")
    (home / "build" / "results").mkdir(parents=True)
    (home / "build" / "testtablespace").mkdir()
    for each in (home, *home.rglob("*")):  # the server reads and writes there
        shutil.chown(each, server.folder.stat().st_uid)
    server.sql(_CLEAN)
    environment = {
        **os.environ, **way.environment, "PGDATABASE": DATABASE, "PGTZ": "PST8PDT", "PGDATESTYLE": "Postgres, MDY",
        "LC_ALL": "C", "PG_ABS_SRCDIR": f"{home}/source", "PG_ABS_BUILDDIR": f"{home}/build",
        "PG_LIBDIR": "/nonexistent", "PG_DLSUFFIX": ".so",
    }  # fmt: skip
    return {name: await _one(home, name, environment) for name in names()}


async def _one(home: Path, name: str, environment: dict[str, str]) -> bytes:
    with (home / "source" / "sql" / f"{name}.sql").open("rb") as script:
        process = await asyncio.create_subprocess_exec(
            "psql", "-X", "-a", "-q", "-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on",
            stdin=script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=environment, cwd=home / "build",
        )  # fmt: skip
    try:
        async with asyncio.timeout(SECONDS):
            return (await process.communicate())[0]
    except BaseException:
        process.kill()
        raise
