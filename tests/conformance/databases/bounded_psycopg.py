"""Runs in the environment of the foreign drivers, where at most 100 KiB of a result are given: how many rows of a
kilobyte psycopg has of each form of a query, and with which SQLSTATE it ends. Behind each the connection goes on."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import Connection

ROWS = "SELECT n, repeat('x', 1000) FROM generate_series(1, {}) n"

PARTS: list[Callable[[Connection], Iterator[Any]]] = []


def part(function: Callable[[Connection], Iterator[Any]]) -> Callable[[Connection], Iterator[Any]]:
    PARTS.append(function)
    return function


@part
def few(c: Connection) -> Iterator[Any]:
    yield from c.execute(ROWS.format(50))


@part
def many(c: Connection) -> Iterator[Any]:
    yield from c.execute(ROWS.format(500))


@part
def prepared_and_binary(c: Connection) -> Iterator[Any]:
    yield from c.execute(ROWS.format("%s"), (500,), prepare=True, binary=True)


@part
def one_by_one(c: Connection) -> Iterator[Any]:
    yield from c.cursor().stream(ROWS.format(500))


@part
def copied(c: Connection) -> Iterator[Any]:
    with c.cursor().copy(f"COPY ({ROWS.format(500)}) TO STDOUT") as copy:
        yield from copy.rows()


@part
def pages_of_a_cursor(c: Connection) -> Iterator[Any]:
    with c.transaction(), c.cursor("pages") as cursor:
        cursor.execute(ROWS.format(500))
        for _ in range(3):
            yield from cursor.fetchmany(50)
        yield from cursor.fetchmany(300)


@part
def one_that_is_larger(c: Connection) -> Iterator[Any]:
    yield from c.execute("SELECT repeat('x', 200000)")


@part
def the_first_of_a_pipeline(c: Connection) -> Iterator[Any]:
    with c.pipeline():
        first, second = c.execute(ROWS.format(500)), c.execute("SELECT 2")
        yield from first
        yield from second


if __name__ == "__main__":
    with psycopg.connect("", autocommit=True) as connection:
        for each in PARTS:
            count, state = 0, ""
            try:
                for _ in each(connection):
                    count += 1
            except psycopg.Error as error:
                state = str(error.sqlstate)
            after = connection.execute("SELECT 7").fetchone()
            sys.stdout.write(f"{each.__name__} {count} {state or 'ok'} {after}\n")
