"""A user for each session at PostgreSQL 16, 17 and 18, of which the first changed what an account that makes roles may
do with them: what holds at Debian's server, holds, also where whoever makes or drops a user dies at any step. And how
we sign in there, bound to the server's certificate."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.databases.test_newer import DIST
from tests.protocols.postgres import test_dial, test_session_users
from tests.protocols.postgres.server import Server, running_server

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module", params=["16", "17", "18"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="newer-", dir="/tmp") as copied:
        home = Path(copied, request.param)  # where the user that the server runs as may read
        Path(copied).chmod(0o755)
        shutil.copytree(DIST / request.param, home, symlinks=True)
        with running_server(programs=(home / "bin",)) as running:
            assert running.sql("SHOW server_version").startswith(f"{request.param}.")
            test_session_users.declare(running)
            yield running


where = test_session_users.where

for _name in [each for each in dir(test_session_users) if each.startswith("test_")]:
    globals()[_name] = getattr(test_session_users, _name)


test_how_we_sign_in = test_dial.test_a_password_lets_us_in
test_scram_is_bound_to_the_certificate = test_dial.test_scram_is_bound_to_the_certificate
