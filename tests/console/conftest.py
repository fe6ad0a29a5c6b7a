"""The office that the live pages are tested in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.browsing import Office, opened


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """The company on its first morning, with its console."""
    async with opened(tmp_path) as office:
        yield office
