"""Batches of Python's drivers of PostgreSQL: `psycopg` a pipeline and its executemany, `asyncpg` its executemany. The
connection comes from libpq's environment."""

import asyncio
import os
import sys

ROWS = [("bound", each) for each in range(1, 7)]
PLAIN = [("plain", 7), ("plain", 8)]


def by_psycopg() -> None:
    import psycopg

    with psycopg.connect("", autocommit=True) as c, c.cursor() as cursor:
        with c.pipeline():
            for each in ROWS:
                cursor.execute("INSERT INTO said (word, n) VALUES (%s, %s)", each)
        cursor.executemany("INSERT INTO said (word, n) VALUES (%s, %s)", PLAIN)


async def by_asyncpg() -> None:
    from ssl import create_default_context

    import asyncpg

    tls = create_default_context(cafile=os.environ["PGSSLROOTCERT"])
    c = await asyncpg.connect(host="localhost", ssl=tls)
    await c.executemany("INSERT INTO said (word, n) VALUES ($1, $2)", ROWS)
    for word, n in PLAIN:
        await c.execute(f"INSERT INTO said (word, n) VALUES ('{word}', {n})")
    await c.close()


if __name__ == "__main__":
    if sys.argv[1] == "psycopg":
        by_psycopg()
    else:
        asyncio.run(by_asyncpg())
