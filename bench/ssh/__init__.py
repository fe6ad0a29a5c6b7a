"""SSH through `onepam up` against OpenSSH alone: streams, one command, one key, many sessions.

Every way is tried in turn, round by round, so that noise falls on all of them; a ratio is the median over the rounds.
"""

import asyncio

from bench import Figure, Progress
from bench.room import room
from bench.ssh import commands, keys, streams
from bench.ssh.legs import legs

NAME = "SSH through the gateway"


def run(progress: Progress) -> list[Figure]:
    """The recording is on in every session through the gateway."""
    return asyncio.run(_run(progress))


async def _run(progress: Progress) -> list[Figure]:
    with room() as folder:
        async with legs(folder) as ways:
            figures = commands.measured(ways, progress)
            figures += keys.measured(ways, folder, progress)
            figures += streams.measured(ways, folder, progress)
        return figures
