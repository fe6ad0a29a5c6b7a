"""What bystanders notice while one client attacks the doors in each of its ways.

A line to the target and back through a live session, the first step of another person's sign-in, and an SSH session of
another address. What the three notice of each other while nobody attacks is the yardstick of what the machine gives.
"""

import asyncio
from statistics import median, quantiles

from bench import Figure, Progress
from bench.room import room
from tests.attack.bystanders import Noticed, town
from tests.attack.ways import WAYS

NAME = "One client attacks the doors"

SECONDS = 3.0
KEYSTROKE, SIGN_IN, SSH = 0.020, 3.0, 2.0


def run(progress: Progress) -> list[Figure]:
    """Each way for three seconds, on one gateway with one live session."""
    return asyncio.run(_run(progress))


async def _run(progress: Progress) -> list[Figure]:
    noticed: dict[str, Noticed] = {}
    with room() as folder:
        async with town(folder) as there:
            progress("nobody attacks")
            peace = await there.at_peace(SECONDS)
            for way in WAYS:
                progress(way)
                noticed[way] = await there.during(way, SECONDS)
    figures = [
        Figure("no attack: a line through the live session, p50", median(peace.keystrokes) * 1000, "ms"),
        Figure("no attack: a line through the live session, p99", _p99(peace.keystrokes) * 1000, "ms"),
        Figure("no attack: another's sign-in, worst", max(peace.sign_ins), "s"),
        Figure("no attack: SSH session of another address, worst", max(peace.ssh), "s"),
    ]
    for way, seen in noticed.items():
        p99, sign_in, ssh = _p99(seen.keystrokes), max(seen.sign_ins), max(seen.ssh)
        figures += [
            Figure(f"{way}: a line through the live session, p99", p99 * 1000, "ms", "≤ 20", p99 <= KEYSTROKE),
            Figure(f"{way}: another's sign-in, worst", sign_in, "s", "≤ 3", sign_in <= SIGN_IN),
            Figure(f"{way}: SSH session of another address, worst", ssh, "s", "≤ 2", ssh <= SSH),
            Figure(f"{way}: memory that the gateway took", seen.grown / 1e6, "MB"),
        ]
    return figures


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100, method="inclusive")[98] if len(seconds) > 1 else seconds[0]
