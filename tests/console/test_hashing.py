"""Slow hashes are bounded, and wait for nobody else's work."""

import asyncio
import os
import threading

import pytest

from onepam.console.frame.hashing import AT_ONCE, NICE, hashing
from onepam.gateway.crowd import Origin
from onepam.gateway.turns import STANDING, path

PATIENCE = 10


@pytest.mark.anyio
async def test_so_many_at_once_and_the_next_waits() -> None:
    gate, begun = threading.Event(), threading.Semaphore(0)

    def work(number: int) -> int:
        begun.release()
        assert gate.wait(PATIENCE)
        return number

    waiting = [asyncio.ensure_future(hashing(work, number)) for number in range(AT_ONCE + 1)]
    try:
        for _ in range(AT_ONCE):
            assert await asyncio.to_thread(begun.acquire, timeout=PATIENCE)
        assert not await asyncio.to_thread(begun.acquire, timeout=0.1)
    finally:
        gate.set()
    assert await asyncio.gather(*waiting) == list(range(AT_ONCE + 1))


@pytest.mark.anyio
async def test_live_sessions_come_first() -> None:
    """The kernel gives these threads what others leave; the loop's own keeps its priority."""
    assert await hashing(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())) == NICE
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < NICE


@pytest.mark.anyio
async def test_hashing_goes_on_while_all_other_threads_are_taken() -> None:
    gate = threading.Event()
    threads = min(32, (os.cpu_count() or 1) + 4)  # of the loop's own executor
    others = [asyncio.ensure_future(asyncio.to_thread(gate.wait, PATIENCE)) for _ in range(threads)]
    try:
        assert await asyncio.wait_for(hashing(pow, 3, 2), PATIENCE / 2) == 9
        assert not any(each.done() for each in others)
    finally:
        gate.set()
    assert all(await asyncio.gather(*others))


@pytest.mark.anyio
async def test_whoever_floods_waits_for_others() -> None:
    """Twenty of one network wait; one of another comes last and is the next."""
    gate, order = threading.Event(), list[str]()

    def first() -> None:
        assert gate.wait(PATIENCE)

    async def one(name: str, source: str) -> None:
        STANDING.set(path(False, Origin.of(source)))
        await hashing(lambda: None)
        order.append(name)

    taken = [asyncio.ensure_future(hashing(first)) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    flood = [asyncio.ensure_future(one("flood", f"192.0.2.{number % 3}")) for number in range(20)]
    await asyncio.sleep(0)
    other = asyncio.ensure_future(one("other", "203.0.113.1"))
    given_up = asyncio.ensure_future(one("given up", "203.0.114.1"))
    await asyncio.sleep(0)
    given_up.cancel()
    gate.set()
    await asyncio.gather(*taken, *flood, other)
    assert order.index("other") < 8
    assert "given up" not in order
    assert await hashing(pow, 3, 2) == 9
