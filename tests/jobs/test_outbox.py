"""Of several processes one tells; one whose turn fails lets go of everything, and its next turn begins anew."""

import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import pytest

from onepam.boot.clock import wall_clock
from onepam.boot.node import hold
from onepam.jobs.outbox import Outbox, Receivers
from onepam.kernel.errors import Unavailable
from onepam.signing.author import NodeAuthor
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader

pytestmark = pytest.mark.anyio


class Installation:
    """A ledger without receivers; `broken` makes every read fail."""

    def __init__(self, folder: Path, parts: ExitStack) -> None:
        self.lock = folder / "outbox.lock"
        self.broken = False
        self._ledger = SqliteLedger(
            folder / "ledger.db", NodeAuthor.uncertified("nod_test"), wall_clock, secrets.token_bytes
        )
        parts.callback(self._ledger.close)
        self._reader = SqliteReader(folder / "ledger.db", wall_clock)
        parts.callback(self._reader.close)

    def outbox(self) -> Outbox:
        return Outbox(self.claim, Receivers({}, {}, (), ()), "https://a", "log", self._ledger, self._read(), wall_clock)

    def claim(self) -> IO[bytes] | None:
        return hold(self.lock, create=True)

    def free(self) -> bool:
        """Whether no process tells."""
        held = self.claim()
        if held is not None:
            held.close()
        return held is not None

    def _read(self) -> Any:
        async def read(*arguments: Any) -> Any:
            if self.broken:
                raise Unavailable("no")
            return await self._reader(*arguments)

        return read


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Installation]:
    with ExitStack() as parts:
        yield Installation(tmp_path, parts)


async def test_one_tells_until_it_ends_and_then_another(there: Installation) -> None:
    one, other = there.outbox(), there.outbox()
    await one.turn()
    await other.turn()
    await one.turn()
    assert not there.free()
    await other.finish()
    assert not there.free(), "it was not the other's"
    await one.finish()
    assert there.free()
    await other.turn()
    assert not there.free()
    await other.finish()


async def test_a_turn_that_fails_keeps_nobody_from_telling(there: Installation) -> None:
    one = there.outbox()
    await one.turn()
    there.broken = True
    with pytest.raises(Unavailable):
        await one.turn()
    assert there.free()
    there.broken = False
    await one.turn()
    assert not there.free()
    await one.finish()
