"""What stock clients do through the gateway, before a real MariaDB."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from onepam.recording.statements import Outcome
from tests.protocols.mysql.server import Server, running_server
from tests.protocols.mysql.small import Small, running_door

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
async def small(server: Server, tmp_path: Path) -> AsyncIterator[Small]:
    async with running_door(server, tmp_path) as running:
        yield running


async def test_a_statement_is_answered_and_recorded(small: Small) -> None:
    assert await small.mariadb("SELECT 6 * 7;", "app") == (0, "42\n", "")
    ((text, _, done),) = [each for each in small.journals[0].statements() if "6 * 7" in each[0]]
    assert done is not None
    assert (text, done.outcome, done.rows) == ("SELECT 6 * 7", Outcome.OK, 1)


@pytest.mark.parametrize("login", ["app", "edder"])
async def test_each_way_to_sign_in_at_the_target(small: Small, login: str) -> None:
    status, said, errors = await small.mariadb("SELECT CURRENT_USER(), DATABASE();", "app", user=f"{login}@db-1")
    assert (status, said, errors) == (0, f"{login}@%\tapp\n", "")
