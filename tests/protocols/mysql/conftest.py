"""One MariaDB for all tests of this room that need no other."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.protocols.mysql.server import Server, running_server
from tests.protocols.mysql.small import Small, running_door


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
async def small(server: Server, tmp_path: Path) -> AsyncIterator[Small]:
    async with running_door(server, tmp_path) as running:
        yield running
