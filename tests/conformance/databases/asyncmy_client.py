"""Runs in the environment of the foreign drivers: what asyncmy can do, each told as a line of what came of it.
Both ways must tell the same."""

import asyncio
import os
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import asyncmy
from asyncmy import errors
from asyncmy.cursors import DictCursor, SSCursor

PARTS: list[Callable[[Any], Awaitable[Any]]] = []


def part(function: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    PARTS.append(function)
    return function


def settings() -> dict[str, Any]:
    env = os.environ
    return {
        "host": env["WAY_HOST"], "port": int(env["WAY_PORT"]), "user": env["WAY_USER"], "password": env["WAY_PASSWORD"],
        "db": env["WAY_DATABASE"], "ssl": ssl.create_default_context(cafile=env["WAY_ROOT"]), "autocommit": True,
        "charset": "utf8mb4",
    }  # fmt: skip


async def ask(c: Any, text: str, *values: Any) -> Any:
    async with c.cursor() as cursor:
        await cursor.execute(text, values or None)
        return await cursor.fetchall() if cursor.description else cursor.rowcount


@part
async def values(c: Any) -> Any:
    return [await ask(c, "SELECT %s", each) for each in (1, 2.5, "ü\U0001f600'", b"\0\xff", None, True)]


@part
async def unbuffered(c: Any) -> Any:
    async with c.cursor(SSCursor) as cursor:
        await cursor.execute("SELECT seq, REPEAT('x', seq % 9) FROM seq_1_to_20000")
        told = [await cursor.fetchone(), await cursor.fetchmany(3), len(await cursor.fetchall())]
    return told, await ask(c, "SELECT 1")


@part
async def named(c: Any) -> Any:
    async with c.cursor(DictCursor) as cursor:
        await cursor.execute("SELECT 1 AS a, NULL AS b UNION SELECT 2, 'x'")
        return await cursor.fetchall()


@part
async def transactions(c: Any) -> Any:
    await ask(c, "CREATE TABLE u (n INT PRIMARY KEY) ENGINE=InnoDB")
    told: list[Any] = []
    await c.begin()
    async with c.cursor() as cursor:
        told.append(await cursor.executemany("INSERT INTO u VALUES (%s)", [(each,) for each in range(500)]))
    await c.rollback()
    for text in ("INSERT INTO u VALUES (1)", "INSERT INTO u VALUES (1)", "SELEC"):
        try:
            told.append(await ask(c, text))
        except errors.MySQLError as error:
            told.append(error.args)
    told.append(await ask(c, "SELECT COUNT(*) FROM u"))
    await ask(c, "DROP TABLE u")
    return told


@part
async def pooled(c: Any) -> Any:
    pool = await asyncmy.create_pool(minsize=2, maxsize=6, **settings())

    async def one(number: int) -> Any:
        async with pool.acquire() as own:
            return await ask(own, "SELECT %s + SLEEP(0.01)", number)

    told = await asyncio.gather(*(one(each) for each in range(40)))
    pool.close()
    await pool.wait_closed()
    return told


@part
async def long_values(c: Any) -> Any:
    told = [
        await ask(c, "SELECT LENGTH(%s)", "ä" * 2_000_000),
        len((await ask(c, "SELECT REPEAT('y', 9000000)"))[0][0]),
    ]
    return [*told, await c.ping()]


async def main() -> None:
    for each in PARTS:
        c = await asyncmy.connect(**settings())
        try:
            came = repr(await each(c))
        except errors.MySQLError as error:
            came = f"{type(error).__name__}: {error}"
        sys.stdout.write(f"{each.__name__} {came[:20_000]}\n")
        await c.ensure_closed()


asyncio.run(main())
