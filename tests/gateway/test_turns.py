"""Fair turns: network after network, address after address, and one in each round of the event loop."""

import asyncio

import pytest

from onepam.gateway.crowd import Origin
from onepam.gateway.turns import MOST_SECONDS, Fair, Pace, Turns, path

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
    turns, done = Turns(Pace(lambda: 0.0, lambda: 0.0)), list[str]()
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
    turns, done = Turns(Pace(lambda: 0.0, lambda: 0.0)), list[str]()
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
    turns = Turns(Pace(lambda: 0.0, lambda: 0.0))
    first = asyncio.ensure_future(turns.turn(of("192.0.2.1")))
    second = asyncio.ensure_future(turns.turn(of("192.0.2.1")))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()


class Clocks:
    """Of a loop's thread: how long it has worked, and what time it is."""

    def __init__(self) -> None:
        self.worked = self.time = 0.0

    def pace(self) -> Pace:
        return Pace(lambda: self.worked, lambda: self.time)

    def works(self, seconds: float) -> None:
        self.worked += seconds
        self.time += seconds


def test_what_a_stranger_cost_is_left_to_others_afterwards() -> None:
    clocks = Clocks()
    pace = clocks.pace()
    pace.served()
    assert pace.wait() == 0
    clocks.works(0.003)
    assert pace.wait() == pytest.approx(0.003)
    clocks.time += 0.002
    assert pace.wait() == pytest.approx(0.001)
    clocks.time += 0.002
    assert pace.wait() == 0
    pace.served()
    clocks.works(1.0)
    assert pace.wait() == 0, "however dear the one before was, the next one waits for so long at most"
    pace.served()
    clocks.worked += 1.0
    assert pace.wait() == pytest.approx(MOST_SECONDS)


async def test_known_addresses_do_not_wait_at_the_pace_of_strangers() -> None:
    clocks, done = Clocks(), list[str]()
    turns = Turns(clocks.pace())

    def dear() -> None:
        done.append("stranger")
        clocks.works(0.004)

    turns.put(of("192.0.2.1"), dear)
    turns.put(of("192.0.2.1"), dear)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert done == ["stranger"]
    turns.put(of("203.0.113.1", known=True), lambda: done.append("known"))
    await asyncio.sleep(0)
    assert done == ["stranger", "known"], "at once, although the next stranger's time has not come"
    clocks.time += 0.004
    for _ in range(1000):
        await asyncio.sleep(0.001)
        if len(done) == 3:
            break
    assert done == ["stranger", "known", "stranger"]
