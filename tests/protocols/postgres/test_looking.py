"""The gateway's own look at a target's catalogue: what the target answers, and what of it is no answer."""

from collections.abc import Callable
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
    read, reads = list[int](), looking._catalogue

    def counts(rows: tuple[Row, ...]) -> Catalogue:
        read.append(len(rows))
        return reads(rows)

    monkeypatch.setattr(looking, "_catalogue", counts)
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
