"""A company that a transmitter watches over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.store.engine.rebuild import compare
from tests.identity.signals.watch import Watch, watching


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    async with watching(tmp_path) as found:
        yield found
    assert compare(found.company.path) == []
