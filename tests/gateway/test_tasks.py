"""A stop waits for what runs, and for what that begins."""

import asyncio

import pytest

from onepam.gateway.tasks import Tasks

pytestmark = pytest.mark.anyio


async def test_what_a_task_begins_is_waited_for_too() -> None:
    tasks, done = Tasks(), list[str]()

    async def last() -> None:
        await asyncio.sleep(0.01)
        done.append("last")

    async def first() -> None:
        await asyncio.sleep(0.01)
        tasks.spawn(last())
        done.append("first")

    tasks.spawn(first())
    tasks.stop()
    assert await tasks.over(60.0)
    assert (done, tasks.stopping) == (["first", "last"], True)


async def test_what_does_not_end_is_not_waited_for_without_end() -> None:
    tasks = Tasks()
    endless = tasks.spawn(asyncio.Event().wait())
    assert not tasks.stopping
    assert not await tasks.over(0.01)
    endless.cancel()
    assert await tasks.over(60.0)


async def test_nothing_to_wait_for() -> None:
    assert await Tasks().over(0)
