"""Runs in the environment of the foreign drivers: what psycopg 3 can do, one connection after the other, each told as
a line of what came of it. Both ways must tell the same. The connection comes from libpq's environment."""

import sys
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import Connection, errors, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

PARTS: list[Callable[[Connection], Any]] = []


def part(function: Callable[[Connection], Any]) -> Callable[[Connection], Any]:
    PARTS.append(function)
    return function


@part
def values(c: Connection) -> Any:
    given = [1, 2.5, "ü\U0001f600", b"\0\xff", None, True, [1, None, 3], Jsonb({"a": [1, "b"]})]
    types = ["int", "float8", "text", "bytea", "int", "bool", "int[]", "jsonb"]
    return [
        c.execute(f"SELECT {mark}::{cast}", (value,), binary=binary).fetchone()
        for value, cast in zip(given, types, strict=True)
        for mark in ("%s", "%t")
        for binary in (False, True)
    ]


@part
def prepared_by_itself(c: Connection) -> Any:
    c.prepare_threshold, c.prepared_max = 2, 4
    found = [c.execute(f"SELECT %s::int + {each % 7}", (each,)).fetchone() for each in range(60)]
    names = c.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    c.execute("DEALLOCATE ALL")
    return found, names, [c.execute("SELECT %s::int", (each,)).fetchone() for each in range(5)]


@part
def pipeline(c: Connection) -> Any:
    c.execute("CREATE TEMP TABLE t (n int PRIMARY KEY)")
    c.commit()
    told: list[Any] = []
    with c.pipeline() as p:
        cursors = [c.execute("INSERT INTO t VALUES (%s) RETURNING n", (each,)) for each in range(300)]
        p.sync()
        told += [each.fetchone() for each in cursors]
    try:
        with c.pipeline() as p:
            first = c.execute("SELECT 1")
            broken = c.execute("INSERT INTO t VALUES (1)")
            after = c.execute("SELECT 3")
            p.sync()
            told.append(first.fetchall())
            for each in (broken, after):
                try:
                    told.append(each.fetchall())
                except psycopg.Error as error:
                    told.append(type(error).__name__)
    except psycopg.Error as error:
        told.append(type(error).__name__)
    c.rollback()
    with c.pipeline() as p, c.cursor() as cursor:
        rows = [(1000 + each,) for each in range(50)]
        cursor.executemany("INSERT INTO t VALUES (%s) RETURNING n", rows, returning=True)
        p.sync()
        told.append(cursor.fetchone())
    return told, c.execute("SELECT count(*) FROM t").fetchone()


@part
def nested_transactions(c: Connection) -> Any:
    told = []
    with c.transaction():
        c.execute("CREATE TEMP TABLE u (n int)")
        for each in range(5):
            try:
                with c.transaction():
                    c.execute("INSERT INTO u VALUES (%s)", (each,))
                    c.execute("SELECT 1 / %s", (each % 2,))
            except errors.DivisionByZero as error:
                told.append((error.sqlstate, error.diag.message_primary, error.diag.severity))
    return told, c.execute("SELECT array_agg(n ORDER BY n) FROM u").fetchone()


@part
def server_cursors(c: Connection) -> Any:
    with c.transaction(), c.cursor("paged", scrollable=True, row_factory=dict_row) as cursor:
        cursor.execute("SELECT n, repeat('x', n) AS x FROM generate_series(1, 500) n")
        told: list[Any] = [cursor.fetchmany(3), len(cursor.fetchmany(200))]
        cursor.scroll(10, mode="absolute")
        told += [cursor.fetchone(), len(cursor.fetchall())]
    with c.cursor() as cursor:
        told.append([row[0] for row in cursor.stream("SELECT generate_series(1, 40)", size=7)])
    return told


@part
def copies(c: Connection) -> Any:
    c.execute("CREATE TEMP TABLE v (n int, w text)")
    told: list[Any] = []
    with c.cursor() as cursor:
        with cursor.copy("COPY v FROM STDIN") as copy:
            for each in range(5000):
                copy.write_row((each, "a\tb\\\n" * (each % 5)))
        told.append(cursor.rowcount)
        with cursor.copy("COPY v TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            told.append(sum(number + len(words) for number, words in copy.rows()))
        with cursor.copy("COPY v TO STDOUT") as copy:
            told.append(sum(len(each) for each in copy))
        try:
            with cursor.copy("COPY v FROM STDIN") as copy:
                copy.write("no number\n")
        except errors.InvalidTextRepresentation as error:
            told.append(error.diag.context)
    c.rollback()
    return told


@part
def notices_and_notifications(c: Connection) -> Any:
    heard: list[Any] = []
    c.add_notice_handler(lambda diag: heard.append((diag.severity, diag.message_primary)))
    c.autocommit = True
    c.execute("LISTEN word")
    c.execute("DO $$ BEGIN RAISE WARNING 'beware'; END $$")
    c.execute("SELECT pg_notify('word', 'said')")
    heard += [(each.channel, each.payload) for each in c.notifies(timeout=20, stop_after=1)]
    return heard


@part
def cancelled(c: Connection) -> Any:
    c.autocommit = True
    timer = threading.Timer(0.5, lambda: c.cancel_safe(timeout=60))
    timer.start()
    try:
        c.execute("SELECT pg_sleep(300)")
    except errors.QueryCanceled as error:
        timer.join()
        return error.sqlstate, c.execute("SELECT 1").fetchone()
    return None


@part
def two_phases(c: Connection) -> Any:
    c.autocommit = False
    c.tpc_begin(c.xid(1, "gtrid", "bqual"))
    try:
        c.execute("CREATE TABLE w (n int)")
        c.tpc_prepare()
    except psycopg.Error as error:
        return type(error).__name__
    finally:
        c.close()
    return "prepared"


@part
def several_statements(c: Connection) -> Any:
    c.autocommit = True
    cursor = c.execute("SELECT 1; SELECT 2, 3; CREATE TEMP TABLE x (n int); SELECT 4 WHERE false")
    told = [(cursor.statusmessage, cursor.fetchall() if cursor.description else None)]
    while cursor.nextset():
        told.append((cursor.statusmessage, cursor.fetchall() if cursor.description else None))
    return told


@part
def long_messages(c: Connection) -> Any:
    long = "ä" * 3_000_000
    told: list[Any] = [c.execute("SELECT length(%s::text)", (long,)).fetchone()]
    told.append(c.execute(sql.SQL("SELECT length({})").format(sql.Literal(long))).fetchone())
    found = c.execute("SELECT repeat('y', 8000000)").fetchone()
    return *told, len(found[0]) if found else None


@part
def told_of_the_session(c: Connection) -> Any:
    info = c.info
    names = (
        "server_version",
        "client_encoding",
        "DateStyle",
        "TimeZone",
        "standard_conforming_strings",
        "is_superuser",
    )
    told = [info.parameter_status(name) for name in names]
    return told, info.server_version, info.transaction_status.name, c.execute("SELECT current_user").fetchone()


def main() -> None:
    for each in PARTS:
        with psycopg.connect("", connect_timeout=120, options="-c extra_float_digits=1") as c:
            try:
                came = repr(each(c))
            except psycopg.Error as error:
                came = f"{type(error).__name__}: {error}"
        sys.stdout.write(f"{each.__name__} {came[:20_000]}\n")


main()
