"""Where passwords are judged, and where they and recovery codes are hashed: slow on purpose, so in threads."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from onepam.gateway.turns import STANDING, Fair

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
"""Argon2 takes 64 MiB and four lanes each: what a flood of sign-ins may take of memory and cores is bounded."""

NICE = 10
"""Live sessions come first: these threads get what they leave (nice(2); a thread's own under Linux)."""


def _yielding() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


# The threads are of its own, so that signing in waits for no verification of the ledger and no report.
_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hashing", initializer=_yielding)
_waiting: Fair[asyncio.Future[None]] = Fair()
_running = 0


async def hashing(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` gives, in one of few threads. When all work, whoever comes waits; next is another network's."""
    global _running
    if _running >= AT_ONCE:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        _waiting.put(STANDING.get(), mine)
        try:
            await mine  # whoever ends hands on their thread
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                _hand_on()
            raise
    else:
        _running += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, lambda: work(*args, **kwargs))
    finally:
        _hand_on()


def _hand_on() -> None:
    """The thread is the next one's, or free."""
    global _running
    while _waiting:
        following = _waiting.take()
        if not following.done():
            following.set_result(None)
            return
    _running -= 1
