"""Fair turns: network after network, address after address, and one in each round of the event loop."""

import asyncio

import pytest

from onepam.gateway.crowd import Origin
from onepam.gateway.turns import Fair, Turns, path

pytestmark = pytest.mark.anyio


def of(source: str, *, known: bool = False) -> tuple[str, ...]:
    return path(known, Origin.of(source))


def drained(queue: Fair[str]) -> list[str]:
    return [queue.take() for _ in range(len(queue))]


def test_of_one_address_the_first_is_first() -> None:
    queue: Fair[str] = Fair()
    for item in ("a", "b", "c"):
        queue.put(of("192.0.2.1"), item)
    assert drained(queue) == ["a", "b", "c"]
    with pytest.raises(StopIteration):
        queue.take()


def test_whoever_asks_most_waits_longest() -> None:
    """Networks in turn, within a network addresses in turn."""
    queue: Fair[str] = Fair()
    for number in range(4):
        queue.put(of("192.0.2.1"), f"flood {number}")
    queue.put(of("192.0.2.2"), "neighbour")
    queue.put(of("203.0.113.1"), "other")
    assert drained(queue) == ["flood 0", "other", "neighbour", "flood 1", "flood 2", "flood 3"]


def test_known_addresses_and_strangers_alternate() -> None:
    queue: Fair[str] = Fair()
    for number in range(100):
        queue.put(of(f"198.51.{number}.1"), "stranger")
    queue.put(of("192.0.2.1", known=True), "known")
    assert drained(queue).index("known") == 1


async def test_one_turn_in_each_round_of_the_loop() -> None:
    """Whatever else is ready runs between two of them: the bytes of a live session wait for one turn at most."""
    turns, done = Turns(), list[str]()
    for _ in range(3):
        turns.put(of("192.0.2.1"), lambda: done.append("turn"))

    def other(left: int) -> None:
        done.append("session")
        if left:
            asyncio.get_running_loop().call_soon(other, left - 1)

    asyncio.get_running_loop().call_soon(other, 2)
    for _ in range(10):
        await asyncio.sleep(0)
    assert done == ["turn", "session"] * 3


async def test_a_turn_that_fails_does_not_stop_the_next() -> None:
    turns, done = Turns(), list[str]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: done.append(str(context["exception"])))

    def fails() -> None:
        raise ValueError("broken")

    turns.put(of("192.0.2.1"), fails)
    turns.put(of("192.0.2.1"), lambda: done.append("next"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert done == ["broken", "next"]


async def test_who_gives_up_waiting_takes_no_turn() -> None:
    turns = Turns()
    first = asyncio.ensure_future(turns.turn(of("192.0.2.1")))
    second = asyncio.ensure_future(turns.turn(of("192.0.2.1")))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()
