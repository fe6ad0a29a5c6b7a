"""The gateway's own look at a target's catalogue: what the target answers, and what of it is no answer."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest

from onepam.kernel.errors import Refused
from onepam.protocols.postgres import answers, looking, wire
from onepam.protocols.postgres.catalogue import Catalogue, Row
from onepam.protocols.postgres.dial import TargetLeg
from onepam.protocols.postgres.wire import LONG, SHORT

pytestmark = pytest.mark.anyio

READY = wire.message(wire.READY, b"I")
COLUMNS = '[[1, "id", false, null], [2, "email", true, null]]'


def row(*values: str | None) -> bytes:
    parts = [LONG.pack(0xFFFF_FFFF) if each is None else LONG.pack(len(each)) + each.encode() for each in values]
    return wire.message(wire.ROW, SHORT.pack(len(values)) + b"".join(parts))


TABLE = row("1", "public", "customers", "r", "2", COLUMNS, None, None)


class Leg:
    """A target that answers with this, None where it goes away instead; `held`: nothing is read of it."""

    def __init__(self, *answer: bytes | None) -> None:
        self.heard: Callable[[bytes], None]
        self.lost: Callable[[], None]
        self.early, self.held, self._answer = b"", True, answer

    def hold(self, held: bool) -> None:
        self.held = held

    def is_closed(self) -> bool:
        return False

    def send(self, _data: bytes) -> None:
        assert not self.held
        for each in self._answer:
            if each is None:
                self.lost()
            else:
                self.heard(each)


async def look(leg: Leg) -> Catalogue | Refused:
    found = await looking.look_up(cast(TargetLeg, cast(Any, leg)), ("email",))
    assert leg.held
    return found


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_an_answer_is_read_in_whichever_pieces_it_comes(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read, reads = list[int](), looking._read

    async def counts(rows: tuple[Row, ...]) -> Catalogue:
        read.append(len(rows))
        return await reads(rows)

    monkeypatch.setattr(looking, "_read", counts)
    answer = TABLE + wire.message(wire.NOTICE, b"\0") + READY
    found = await look(Leg(*(answer[begin : begin + size] for begin in range(0, len(answer), size))))
    assert isinstance(found, Catalogue)
    assert [found.masks(1, column) for column in (1, 2)] == [False, True]
    assert read == [1]


@pytest.mark.parametrize(
    "answer",
    [
        (None,),
        (TABLE, None),
        (TABLE, wire.message(wire.ERROR, b"\0"), READY),
        (row("1", "public"), READY),
        (wire.message(wire.ROW, b"\0\1"), READY),
        (wire.message(wire.ROW, SHORT.pack(1) + LONG.pack(1) + b"\xff"), READY),
        (row("one", "public", "customers", "r", "2", COLUMNS, None, None), READY),
        (row("1", "public", "customers", "r", "2", "[1]", None, None), READY),
        (row("1", "public", "customers", "r", "2", COLUMNS, "[7]", None), READY),
        (row("1", "public", "customers", "r", "2", "[" * 200_000, None, None), READY),
        (b"D\0\0\0\3",),
    ],
)
async def test_what_is_no_answer_opens_nothing(answer: tuple[bytes | None, ...]) -> None:
    found = await look(Leg(*answer))
    assert isinstance(found, Refused)
    assert found.code == "target.refusing"


async def test_a_target_may_say_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_BYTES", len(TABLE + READY))
    assert isinstance(await look(Leg(TABLE + READY)), Catalogue)
    monkeypatch.setattr(answers, "MOST_BYTES", len(TABLE + READY) - 1)
    assert isinstance(await look(Leg(TABLE + READY)), Refused)


async def test_others_have_their_turn_while_thousands_of_views_are_read_and_the_next_session_shares_what_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looking, "_KNOWN", OrderedDict())
    turns, reads, ended = list[int](), list[str](), asyncio.Event()

    def outputs(text: str, _: Catalogue) -> frozenset[int]:
        reads.append(text)
        return frozenset()

    async def beside() -> None:
        while not ended.is_set():
            turns.append(len(reads))
            await asyncio.sleep(0)

    monkeypatch.setattr(looking, "outputs", outputs)
    views = [row(str(each), "public", f"v{each}", "v", "2", COLUMNS, None, "SELECT 1") for each in range(2, 3002)]
    other = asyncio.ensure_future(beside())
    found = await look(Leg(TABLE, *views, READY))
    ended.set()
    await other
    assert isinstance(found, Catalogue)
    assert len(reads) == 3000
    assert max(after - before for before, after in pairwise(turns)) <= 1, "one view in a turn"
    assert await look(Leg(TABLE, *views, READY)) is found
    assert len(reads) == 3000


async def test_only_so_many_catalogues_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_KNOWN", OrderedDict())
    for each in range(looking.MOST_KNOWN + 2):
        await look(Leg(row(str(each + 1), "public", "t", "r", "2", COLUMNS, None, None), READY))
    assert len(looking._KNOWN) == looking.MOST_KNOWN
