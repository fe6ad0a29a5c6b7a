"""From taking the access away to the last byte at the client, through one gateway with live, talking sessions.

The commit comes from another process, as it does from a console on another machine; the clock starts when that process
knows that it is durable, and stops when the stock client has shown its last byte and ended.
"""

import asyncio
import time
from statistics import median, quantiles

from bench import Figure, Progress
from bench.room import room
from onepam.domain.access.events import ResourceRemoved
from onepam.domain.people.events import PersonDisabled
from tests.gateway_fixture import Gateway, Person
from tests.gateway_process import elsewhere, started

NAME = "Taking access away"

SESSIONS = 20
ROUNDS = 60
GOAL_SECONDS = 1.0
TALK = "echo ready; while sleep 0.02; do echo -n .; done"


def run(progress: Progress) -> list[Figure]:
    """Every session is recorded in strict mode and prints fifty times a second."""
    return asyncio.run(_run(progress))


async def _run(progress: Progress) -> list[Figure]:
    with room() as folder, elsewhere(folder) as (gateway, egress):
        process = started(folder, egress=egress)
        try:
            gateway.platform.ssh_port = process.ssh_port
            return await _measure(gateway, progress)
        finally:
            process.stop()


async def _measure(gateway: Gateway, progress: Progress) -> list[Figure]:
    await gateway.record(gateway.resource("web-1"))
    live = [await _talking(gateway) for _ in range(SESSIONS)]
    one: list[float] = []
    for number in range(ROUNDS):
        progress(f"one of {SESSIONS} people, round {number + 1} of {ROUNDS}")
        person, client = live.pop(0)
        await gateway.record(PersonDisabled(person.id, "per_ada", "left"))
        one.append(await _ended(client, time.perf_counter()))
        live.append(await _talking(gateway))
    progress(f"all {SESSIONS} at once")
    await gateway.record(ResourceRemoved("web-1", "chg_2", None))
    since = time.perf_counter()
    every = await asyncio.gather(*(_ended(client, since) for _, client in live))
    p99 = quantiles(one, n=100, method="inclusive")[98]
    goal = f"≤ {GOAL_SECONDS * 1000:,.0f}"
    return [
        Figure(f"person disabled to last byte, {SESSIONS} live sessions, p50", median(one) * 1000, "ms"),
        Figure("the same, p99", p99 * 1000, "ms", goal, p99 <= GOAL_SECONDS),
        Figure(
            f"resource removed to the last byte of all {SESSIONS}", max(every) * 1000, "ms", goal,
            max(every) <= GOAL_SECONDS,
        ),
    ]  # fmt: skip


async def _talking(gateway: Gateway) -> tuple[Person, asyncio.subprocess.Process]:
    person = await gateway.person()
    return person, await gateway.working(person, TALK)


async def _ended(client: asyncio.subprocess.Process, since: float) -> float:
    await client.communicate()
    return time.perf_counter() - since
