"""Any chunking of the same bytes has the same effects, and whatever bytes come, nothing worse than a fault."""

from contextlib import suppress
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.protocols.mysql.startup import greeted, start
from onepam.protocols.mysql.wire import Malformed
from onepam.protocols.sql.events import Allowance
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.told import Talk

EXECUTED = my.execute(1, b"\0\1\xfc\0\x06ab'c\0d")
ROUNDS = (
    (my.query(b"SELECT c FROM t"), my.rows(b"one", b"x" * 300, b"three")),
    (my.query(b"DELETE; SELECT"), my.ok(affected=3, status=8) + my.rows(b"1", sequence=2)),
    (my.prepare(b"INSERT ?"), my.prepared(1, 1, 2)),
    (EXECUTED, my.error(1)),
    (my.ahead(1, 0, b"a" * 70_000) + my.execute(1, b"\0\1\xfc\0"), my.ok()),
    (my.packet(0, b"\x12\0"), b""),
    (my.query(b"y" * 150_000), my.rows(b"1", b"2", b"3", b"4", b"5")),
    (my.close(1) + my.packet(0, b"\x0e"), my.ok()),
)


def chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({each % (len(data) + 1) for each in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(places)]


def told(cuts: list[int] | None) -> tuple[object, ...]:
    talk = Talk(Allowance(rows=4))
    for asked, answered in ROUNDS:
        talk.client(*(chunked(asked, cuts) if cuts is not None else [asked]))
        talk.target(*(chunked(answered, cuts) if cuts is not None else [answered]))
    return talk.to_target, talk.to_client, talk.events, talk.cancelled, talk.fault


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 200_000), max_size=30))
def test_any_chunking(cuts: list[int]) -> None:
    assert told(cuts) == told(None)


def test_byte_by_byte() -> None:
    asked, answered = ROUNDS[0]
    talk = Talk().client(*(asked[place : place + 1] for place in range(len(asked))))
    talk.target(*(answered[place : place + 1] for place in range(len(answered))))
    assert (talk.to_target, talk.to_client) == (asked, answered)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_comes(data: st.DataObject) -> None:
    """Mostly what is right, with some bytes of it changed, and from either side."""
    talk = Talk(Allowance(rows=4))
    for asked, answered in ROUNDS[:6]:
        for side, said in ((talk.client, asked), (talk.target, answered)):
            place = data.draw(st.integers(0, len(said)))
            strange = data.draw(st.binary(max_size=6))
            side(said[:place] + strange + said[place + data.draw(st.integers(0, 6)) :])
    talk.end()
    assert len({each.execution for each in talk.ends}) == len(talk.ends) == len(talk.runs)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_what_stands_at_the_beginning(data: bytes) -> None:
    for read in (start, greeted):
        with suppress(Malformed):
            read(data)
