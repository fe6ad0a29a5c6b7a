"""Runs in the environment of the foreign drivers, where at most 100 KiB of a result are given: how many rows of a
kilobyte PyMySQL has of each form of a query, and with which error it ends. Behind each the connection goes on."""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor, SSCursor

ROWS = "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_{}"

PARTS: list[Callable[[Any], Iterator[Any]]] = []


def part(function: Callable[[Any], Iterator[Any]]) -> Callable[[Any], Iterator[Any]]:
    PARTS.append(function)
    return function


def asked(c: Any, text: str, kind: type = Cursor) -> Iterator[Any]:
    with c.cursor(kind) as cursor:
        cursor.execute(text)
        yield from cursor
        while cursor.nextset():
            yield from cursor


@part
def few(c: Any) -> Iterator[Any]:
    yield from asked(c, ROWS.format(50))


@part
def many(c: Any) -> Iterator[Any]:
    yield from asked(c, ROWS.format(500))


@part
def one_by_one(c: Any) -> Iterator[Any]:
    yield from asked(c, ROWS.format(500), SSCursor)


@part
def several_results(c: Any) -> Iterator[Any]:
    yield from asked(c, f"{ROWS.format(40)}; {ROWS.format(41)}; {ROWS.format(42)}")


@part
def one_that_is_larger(c: Any) -> Iterator[Any]:
    yield from asked(c, "SELECT REPEAT('x', 200000)")


if __name__ == "__main__":
    env = os.environ
    connection = pymysql.connect(
        host=env["WAY_HOST"], port=int(env["WAY_PORT"]), user=env["WAY_USER"], password=env["WAY_PASSWORD"],
        database=env["WAY_DATABASE"], ssl_ca=env["WAY_ROOT"], ssl_verify_identity=True, charset="utf8mb4",
        client_flag=CLIENT.MULTI_STATEMENTS,
    )  # fmt: skip
    for each in PARTS:
        count, number = 0, 0
        try:
            for _ in each(connection):
                count += 1
        except pymysql.Error as error:
            number = error.args[0]
        (after,) = asked(connection, "SELECT 7")
        sys.stdout.write(f"{each.__name__} {count} {number or 'ok'} {after}\n")
