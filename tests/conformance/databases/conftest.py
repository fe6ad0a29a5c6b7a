"""One server and one gateway for the tests of a file."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.databases.both_ways import BothWays, both_ways


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BothWays]:
    async with both_ways(tmp_path_factory.mktemp("both")) as found:
        yield found
