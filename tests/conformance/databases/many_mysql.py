"""Runs in the environment of the foreign drivers: many connections of asyncmy, so many of which sign in at one instant.

`many_mysql.py AT_ONCE` reads user and password of each from a line of standard input. Once all are in and idle, those
whose line begins with `+` come beside them one after the other, ask something and go; then each that idled asks.
"""

import asyncio
import os
import ssl
import sys
from typing import Any

import asyncmy

CONTEXT = ssl.create_default_context(cafile=os.environ["WAY_ROOT"])


async def connected(line: str) -> Any:
    user, password = line.split()
    return await asyncmy.connect(
        host=os.environ["WAY_HOST"], port=int(os.environ["WAY_PORT"]), user=user, password=password, ssl=CONTEXT,
        db=os.environ["WAY_DATABASE"], connect_timeout=300,
    )  # fmt: skip


async def asked(c: Any, number: int) -> int:
    async with c.cursor() as cursor:
        await cursor.execute(f"SELECT {number}")
        ((found,),) = await cursor.fetchall()
    return int(found)


async def main(at_once: int) -> None:
    lines = [line.strip() for line in sys.stdin if line.strip()]
    newcomers = [line[1:] for line in lines if line.startswith("+")]
    idle = [line for line in lines if not line.startswith("+")]
    connections: list[Any] = []
    for start in range(0, len(idle), at_once):
        connections += await asyncio.gather(*(connected(each) for each in idle[start : start + at_once]))
    sys.stdout.write(f"in {len(connections)}\n")
    for number, each in enumerate(newcomers):
        c = await connected(each)
        sys.stdout.write(f"newcomer {await asked(c, number)}\n")
        await c.ensure_closed()
    told = await asyncio.gather(*(asked(each, number) for number, each in enumerate(connections)))
    sys.stdout.write(f"asked {told == list(range(len(connections)))}\n")
    await asyncio.gather(*(each.ensure_closed() for each in connections))


asyncio.run(main(int(sys.argv[1])))
