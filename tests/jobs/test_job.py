"""Jobs go on, whatever a turn does; a stop breaks them off and waits."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from onepam.jobs import job as module
from onepam.jobs.job import Job, Jobs

pytestmark = pytest.mark.anyio


class Turns:
    """Counts turns; those whose number is in `failing` fail."""

    def __init__(self, *failing: int) -> None:
        self.count = 0
        self._failing = failing
        self._came = asyncio.Condition()

    async def turn(self) -> None:
        async with self._came:
            self.count += 1
            self._came.notify_all()
        if self.count in self._failing:
            raise OSError("no")

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(30), self._came:
            await self._came.wait_for(lambda: self.count >= count)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited between turns, without the waiting."""
    waited: list[float] = []
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def at_once(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    return waited


async def test_turns_come_after_a_pause_and_then_each_period(waits: list[float]) -> None:
    turns, jobs = Turns(), Jobs()
    jobs.start(Job("quiet", turns.turn, 60.0, pause_seconds=3.0))
    await turns.reach(4)
    await jobs.stop()
    assert waits[:4] == [3.0, 60.0, 60.0, 60.0]


async def test_a_turn_that_fails_is_named_and_comes_again_ever_later_up_to_the_period(
    waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    turns, jobs = Turns(1, 2, 3, 4, 6), Jobs()
    jobs.start(Job("the odd one", turns.turn, 5.0))
    await turns.reach(8)
    await jobs.stop()
    assert waits[:8] == [0.0, 1.0, 2.0, 4.0, 5.0, 5.0, 1.0, 5.0]
    said = [each for each in caplog.records if each.name == module.__name__]
    assert len(said) == 5
    assert "the odd one" in said[0].getMessage()
    assert "its next turn is in 1 seconds" in said[0].getMessage()
    assert said[0].exc_info is not None


async def test_a_period_below_a_second_is_the_longest_pause_too(waits: list[float]) -> None:
    turns, jobs = Turns(1, 2), Jobs()
    jobs.start(Job("quick", turns.turn, 0.25))
    await turns.reach(4)
    await jobs.stop()
    assert waits[:4] == [0.0, 0.25, 0.25, 0.25]


async def test_one_that_fails_or_hangs_holds_up_no_other_and_all_are_seen_by_name() -> None:
    turns, jobs, never = Turns(), Jobs(), asyncio.Event()
    jobs.start(Job("hanging", never.wait, 1.0), Job("failing", Turns(1).turn, 60.0))
    jobs.start(Job("working", turns.turn, 0.001))
    await turns.reach(3)
    assert {"hanging", "failing", "working"} <= {each.get_name() for each in asyncio.all_tasks()}
    await jobs.stop()
    assert not {"hanging", "failing", "working"} & {each.get_name() for each in asyncio.all_tasks()}


async def test_a_stop_breaks_off_a_turn_and_waits_for_what_it_leaves() -> None:
    jobs, begun, left = Jobs(), asyncio.Event(), list[str]()

    async def turn() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            left.append("turn")

    async def finish() -> None:
        await asyncio.sleep(0)
        left.append("finish")

    jobs.start(Job("long", turn, 1.0, finish=finish))
    async with asyncio.timeout(30):
        await begun.wait()
        await jobs.stop()
    assert left == ["turn", "finish"]
    await jobs.stop()
    assert left == ["turn", "finish"], "nothing is stopped twice"


async def test_a_finish_that_fails_is_told_and_holds_up_no_stop(caplog: pytest.LogCaptureFixture) -> None:
    turns, jobs = Turns(), Jobs()

    async def finish() -> None:
        raise OSError("no")

    jobs.start(Job("untidy", turns.turn, 60.0, finish=finish))
    await turns.reach(1)
    await jobs.stop()
    assert "untidy did not finish as it should" in caplog.text


async def test_a_turn_that_waited_for_something_cancelled_comes_again(
    waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """Another task's end is a failure of this turn; only the job's own cancel is its stop."""
    jobs, turns = Jobs(), Turns()

    async def turn() -> None:
        await turns.turn()
        if turns.count == 1:
            other = asyncio.get_running_loop().create_future()
            other.cancel()
            await other

    jobs.start(Job("patient", turn, 60.0))
    await turns.reach(3)
    await jobs.stop()
    assert waits[:3] == [0.0, 1.0, 60.0]
    assert "patient failed" in caplog.text


async def test_a_finish_that_waited_for_something_cancelled_is_told(caplog: pytest.LogCaptureFixture) -> None:
    turns, jobs = Turns(), Jobs()

    async def finish() -> None:
        raise asyncio.CancelledError

    jobs.start(Job("untidy", turns.turn, 60.0, finish=finish))
    await turns.reach(1)
    await jobs.stop()
    assert "untidy did not finish as it should" in caplog.text


async def test_a_turn_that_does_not_end_is_named_and_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.01)
    jobs, begun, freed = Jobs(), asyncio.Event(), asyncio.Event()

    async def turn() -> None:
        begun.set()
        while not freed.is_set():
            with suppress(asyncio.CancelledError):
                await freed.wait()

    jobs.start(Job("deaf", turn, 60.0))
    async with asyncio.timeout(30):
        await begun.wait()
        await jobs.stop()
    assert "deaf does not end: it is left after 0.01 seconds" in caplog.text
    freed.set()
