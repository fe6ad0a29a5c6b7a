"""Runs in the environment of the foreign drivers: what asyncpg can do, one connection after the other, each told as a
line of what came of it. Both ways must tell the same. The connection comes from libpq's environment."""

import asyncio
import datetime
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import asyncpg

PARTS: list[Callable[[Any], Awaitable[Any]]] = []


def part(function: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    PARTS.append(function)
    return function


@part
async def values(c: Any) -> Any:
    given = [
        (1, "int"), (2.5, "float8"), ("ü\U0001f600", "text"), (b"\0\xff", "bytea"), (None, "int"), (True, "bool"),
        ([1, None, 3], "int[]"), (Decimal("3.20"), "numeric"), (datetime.timedelta(hours=-30), "interval"),
    ]  # fmt: skip
    return [await c.fetchval(f"SELECT $1::{kind}", value) for value, kind in given]


@part
async def prepared(c: Any) -> Any:
    statement = await c.prepare("SELECT $1::int + 1 AS n, $2::text AS w")
    told = [tuple(await statement.fetchrow(each, "x" * each)) for each in range(20)]
    return told, [each.name for each in statement.get_attributes()], statement.get_statusmsg()


@part
async def paged(c: Any) -> Any:
    async with c.transaction():
        cursor = await c.cursor("SELECT n FROM generate_series(1, 100) n")
        told = [[each["n"] for each in await cursor.fetch(7)], await cursor.forward(50)]
        rows = [each["n"] async for each in c.cursor("SELECT n FROM generate_series(1, 300) n", prefetch=11)]
    return told, sum(rows)


@part
async def copies(c: Any) -> Any:
    await c.execute("CREATE TEMP TABLE t (n int, w text)")
    told = [await c.copy_records_to_table("t", records=[(each, "a\tb" * (each % 5)) for each in range(5000)])]
    pieces: list[bytes] = []

    async def take(piece: bytes) -> None:
        pieces.append(piece)

    told.append(await c.copy_from_query("SELECT * FROM t ORDER BY n", output=take))
    return told, sum(map(len, pieces))


@part
async def transactions(c: Any) -> Any:
    told: list[Any] = []
    await c.execute("CREATE TEMP TABLE u (n int PRIMARY KEY)")
    await c.executemany("INSERT INTO u VALUES ($1)", [(each,) for each in range(500)])
    for text in ("INSERT INTO u VALUES (1)", "SELEC", "SELECT 1 / 0"):
        try:
            async with c.transaction():
                told.append(await c.execute(text))
        except asyncpg.PostgresError as error:
            told.append((error.sqlstate, str(error)))
    return told, await c.fetchval("SELECT count(*) FROM u")


@part
async def timed_out(c: Any) -> Any:
    try:
        await c.execute("SELECT pg_sleep(300)", timeout=0.5)
    except TimeoutError:
        return "timed out", await c.fetchval("SELECT 1")
    return None


@part
async def pooled(c: Any) -> Any:
    async with asyncpg.create_pool(min_size=2, max_size=4) as pool:
        return await asyncio.gather(*(pool.fetchval("SELECT $1::int", each) for each in range(20)))


async def main() -> None:
    for each in PARTS:
        c = await asyncpg.connect(timeout=120)
        try:
            came = repr(await each(c))
        except asyncpg.PostgresError as error:
            came = f"{type(error).__name__}: {error}"
        sys.stdout.write(f"{each.__name__} {came[:20_000]}\n")
        await c.close()


asyncio.run(main())
