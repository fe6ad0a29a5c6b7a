"""Where passwords are judged, and where they and recovery codes are hashed: slow on purpose, so in threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Argon2 takes 64 MiB and a core each: what a flood of sign-ins may take of both is bounded. The threads are of its own,
# so that signing in waits for no verification of the ledger and no report.
_pool = ThreadPoolExecutor(4, thread_name_prefix="hashing")


async def hashing(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` gives, in one of four threads; whoever comes fifth waits."""
    return await asyncio.get_running_loop().run_in_executor(_pool, lambda: work(*args, **kwargs))
