"""Runs in the environment of the foreign drivers: many connections of psycopg that sign in at one instant. All begin
once all are in; each interleaves statements that have names, some in a pipeline, with others.

`many_clients.py STEPS` reads the words of each connection from a line of standard input, and writes for each, as a line
of JSON, what it asked, in order: `[text, [parameters]]`. Each holds the answers against what it asked.
"""

import asyncio
import json
import sys

import psycopg

NAMED = (
    "SELECT $1::text || ' a ' || $2::text",
    "SELECT $1::text || ' b ' || $2::text -- the same in other words",
    "/* c */ SELECT concat($1::text, ' c ', $2::text)",
)
LETTERS = "abc"

Asked = list[tuple[str, list[str]]]


async def one(number: int, words: str, steps: int, ready: asyncio.Barrier) -> Asked:
    asked: Asked = []
    connection = await psycopg.AsyncConnection.connect(
        words, autocommit=True, cursor_factory=psycopg.AsyncRawCursor, connect_timeout=240
    )
    async with connection:
        await ready.wait()
        for step in range(steps):
            text = f"SELECT 'client {number} step {step}'"
            asked.append((text, []))
            found = await (await connection.execute(text)).fetchall()
            assert found == [(f"client {number} step {step}",)], found
            which = [(number + step + each * (1 + number % 2)) % 3 for each in range(5)]
            if step % 2:
                async with connection.pipeline():
                    cursors = [await ask(connection, each, number, step, asked) for each in which]
                    answers = [await each.fetchall() for each in cursors]
            else:
                answers = [await (await ask(connection, each, number, step, asked)).fetchall() for each in which]
            assert answers == [[(f"{number} {LETTERS[each]} {step}",)] for each in which], answers
    return asked


async def ask(
    connection: psycopg.AsyncConnection, which: int, number: int, step: int, asked: Asked
) -> psycopg.AsyncCursor:
    asked.append((NAMED[which], [str(number), str(step)]))
    return await connection.execute(NAMED[which], (str(number), str(step)), prepare=True)


async def main(steps: int) -> None:
    words = [line.strip() for line in sys.stdin]
    ready = asyncio.Barrier(len(words))
    for asked in await asyncio.gather(*(one(number, each, steps, ready) for number, each in enumerate(words))):
        sys.stdout.write(json.dumps(asked) + "\n")


asyncio.run(main(int(sys.argv[1])))
