"""PostgreSQL 17 and 18 and their programs: what Debian's do, does; and what is new in how clients come: TLS from the
first byte, and version 3.2 of the protocol, of which the gateway has the longer keys to cancel by."""

import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.databases import test_drivers, test_programs
from tests.conformance.databases.both_ways import DRIVERS, BothWays, both_ways

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]

DIST = DRIVERS.parents[3] / "postgresql-newer"
NEW = {"PGSSLNEGOTIATION": "direct", "PGMINPROTOCOLVERSION": "3.2"}
"""What a client of libpq 18 may insist on."""

test_pgbench = test_programs.test_pgbench
test_a_dump_and_a_restore_in_parallel = test_programs.test_a_dump_and_a_restore_in_parallel


@pytest.fixture(scope="module", params=["17", "18"])
async def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BothWays]:
    with tempfile.TemporaryDirectory(prefix="newer-", dir="/tmp") as copied, pytest.MonkeyPatch.context() as patch:
        home = Path(copied, request.param)  # where the user that the server runs as may read
        Path(copied).chmod(0o755)
        shutil.copytree(DIST / request.param, home, symlinks=True)
        patch.setenv("PATH", f"{home / 'clients'}:{os.environ['PATH']}")
        async with both_ways(tmp_path_factory.mktemp("both"), (home / "bin", home / "clients")) as found:
            yield found


async def test_a_client_may_insist_on_what_is_new(both: BothWays) -> None:
    """TLS from the first byte, of libpq 17 on; in libpq 18 version 3.2, also before a server that has only 3.0."""
    way = await both.through(await both.person())
    new = NEW if "18" in str(shutil.which("psql")) else {"PGSSLNEGOTIATION": "direct"}
    done = await both.run(way, "psql", "-X", "-A", "-t", "-c", "\\conninfo", "-c", "SELECT 'in'", more=new)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.endswith("in\n")
    if new is NEW:
        assert re.search(r"^Protocol Version\|3\.2$", done.stdout, re.MULTILINE)
        assert re.search(r"^ALPN\|postgresql$", done.stdout, re.MULTILINE)
    done = await both.run(
        way, "psql", "-X", "-c", "SELECT 1", more={"PGSSLNEGOTIATION": "direct", "PGSSLMODE": "prefer"}
    )
    assert "weak sslmode" in done.stderr  # so it was this libpq that asked


async def test_psycopg_with_what_is_new(both: BothWays) -> None:
    """Its libpq is 18's: directly and through the gateway the same, cancelling by the longer keys among it."""
    program = test_drivers.PROGRAMS["psycopg"]
    person = await both.person()
    old = both.server.sql("SHOW server_version").startswith("17")
    told = []
    for way in (both.direct, await both.through(person)):
        both.fresh()
        new = {} if old and way.port == both.server.port else NEW  # 17 itself has no 3.2
        done = await both.run(way, *program, more={"DRIVERS": str(test_drivers.DIST), **new})
        assert done.status == 0, done.stderr
        told.append(done.stdout.splitlines())
    direct, through = told
    assert through == direct
    assert len(through) >= test_drivers.LEAST["psycopg"]
