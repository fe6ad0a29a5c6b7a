"""Runs in the environment of the foreign drivers: what PyMySQL can do, one connection after the other, each told as a
line of what came of it. Both ways must tell the same."""

import datetime
import os
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pymysql
from pymysql.constants import CLIENT, COMMAND
from pymysql.cursors import DictCursor, SSCursor

PARTS: list[Callable[[Any], Any]] = []
BROKEN = (pymysql.Error, RuntimeError)


def part(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PARTS.append(function)
    return function


def connect(**more: Any) -> Any:
    env = os.environ
    return pymysql.connect(
        host=env["WAY_HOST"], port=int(env["WAY_PORT"]), user=env["WAY_USER"], password=env["WAY_PASSWORD"],
        database=env["WAY_DATABASE"], ssl_ca=env["WAY_ROOT"], ssl_verify_identity=True, charset="utf8mb4", **more,
    )  # fmt: skip


def ask(c: Any, text: str, *values: Any) -> Any:
    with c.cursor() as cursor:
        cursor.execute(text, values or None)
        return cursor.fetchall() if cursor.description else cursor.rowcount


@part
def values(c: Any) -> Any:
    moment = datetime.datetime(2026, 11, 30, 8, 0, 0, 120_000)  # noqa: DTZ001 - the driver takes no zone
    given = [1, 2.5, Decimal("3.20"), "ü\U0001f600'\\", b"\0\xff'", None, True, moment, datetime.timedelta(hours=-30)]
    return [ask(c, "SELECT %s", each) for each in given]


@part
def types_of_columns(c: Any) -> Any:
    ask(
        c,
        "CREATE TEMPORARY TABLE t (a BIT(9), b YEAR, c TIME(3), d ENUM('x', 'y'), e SET('p', 'q'), f DOUBLE,"
        " g BIGINT UNSIGNED, h DATE, i JSON, j GEOMETRY, k BLOB, l TIMESTAMP(6) NULL)",
    )
    ask(
        c,
        "INSERT INTO t VALUES (b'101', 2026, '-12:13:14.567', 'y', 'p,q', 1e300, 18446744073709551615, '2026-02-28',"
        " '{\"a\": 1}', POINT(1, 2), x'00ff', '2026-01-01 00:00:00.000001'), (NULL, NULL, NULL, NULL, '', NULL, 0,"
        " '0000-00-00', NULL, NULL, '', NULL)",
    )
    with c.cursor() as cursor:
        cursor.execute("SELECT * FROM t")
        return cursor.description, cursor.fetchall()


@part
def transactions(c: Any) -> Any:
    ask(c, "CREATE TABLE u (n INT PRIMARY KEY) ENGINE=InnoDB")
    c.begin()
    told = [c.get_autocommit(), ask(c, "INSERT INTO u VALUES (1), (2)")]
    ask(c, "SAVEPOINT s")
    ask(c, "INSERT INTO u VALUES (3)")
    ask(c, "ROLLBACK TO s")
    c.commit()
    for text in ("INSERT INTO u VALUES (1)", "SELEC", "SELECT * FROM nowhere"):
        try:
            told.append(ask(c, text))
        except pymysql.Error as error:
            told.append(error.args)
    ask(c, "INSERT INTO u VALUES (9)")
    c.rollback()
    told.append(ask(c, "SELECT * FROM u"))
    ask(c, "DROP TABLE u")
    return told


@part
def unbuffered(c: Any) -> Any:
    with c.cursor(SSCursor) as cursor:
        cursor.execute("SELECT seq, REPEAT('x', seq % 9) FROM seq_1_to_20000")
        told = [cursor.fetchone(), cursor.fetchmany(3), sum(row[0] for row in cursor)]
    with c.cursor(SSCursor) as cursor:
        cursor.execute("SELECT seq FROM seq_1_to_5000")
        told.append(cursor.fetchone())
    return told, ask(c, "SELECT 1")


@part
def several_results(c: Any) -> Any:
    c.close()
    c.connect()
    with c.cursor(DictCursor) as cursor:
        cursor.execute("SELECT 1 AS a; DO 1; SELECT 2 AS b, 3 AS c WHERE 1 = 0; SELECT 4 AS d")
        told = [cursor.fetchall()]
        while cursor.nextset():
            told.append((cursor.rowcount, cursor.fetchall()))
        try:
            cursor.execute("SELECT 1; SELEC")
            cursor.nextset()
        except pymysql.Error as error:
            told.append(error.args[0])
    return told


@part
def procedures(c: Any) -> Any:
    ask(c, "CREATE PROCEDURE p(IN a INT, OUT b INT) BEGIN SELECT a; SELECT a + 1; SET b = a * 2; END")
    with c.cursor() as cursor:
        cursor.callproc("p", (4, 0))
        told = [cursor.fetchall()]
        while cursor.nextset():
            told.append(cursor.fetchall())
        cursor.execute("SELECT @_p_1")
        told.append(cursor.fetchall())
    ask(c, "DROP PROCEDURE p")
    return told


@part
def many_rows(c: Any) -> Any:
    ask(c, "CREATE TEMPORARY TABLE m (n INT AUTO_INCREMENT PRIMARY KEY, w TEXT)")
    with c.cursor() as cursor:
        told = [cursor.executemany("INSERT INTO m (w) VALUES (%s)", [("ä" * (each % 50),) for each in range(5000)])]
        told += [cursor.lastrowid, cursor.execute("UPDATE m SET w = 'x' WHERE n <= 10"), cursor.rowcount]
        told.append(cursor.execute("UPDATE m SET w = 'x' WHERE n <= 10"))
    return told, ask(c, "SELECT COUNT(*), SUM(LENGTH(w)), MD5(GROUP_CONCAT(w)) FROM m")


@part
def warnings(c: Any) -> Any:
    ask(c, "SET sql_mode = ''")
    ask(c, "CREATE TEMPORARY TABLE w (n TINYINT)")
    ask(c, "INSERT INTO w VALUES (1000)")
    return c.show_warnings(), ask(c, "SHOW WARNINGS"), ask(c, "SELECT ROW_COUNT(), LAST_INSERT_ID()")


@part
def long_values(c: Any) -> Any:
    long = "ä" * 2_000_000
    told = [ask(c, "SELECT LENGTH(%s)", long), len(ask(c, "SELECT REPEAT('y', 9000000)")[0][0])]
    return told + [ask(c, f"SELECT LENGTH('{'z' * size}')") for size in (65_500, 65_536, 16_777_300)]


@part
def commands(c: Any) -> Any:
    c.select_db("mysql")
    told = [ask(c, "SELECT DATABASE()"), c.ping(reconnect=False)]
    c.select_db(os.environ["WAY_DATABASE"])
    c.set_character_set("latin1")
    told += [c.character_set_name(), ask(c, "SELECT %s, @@character_set_client", "ä")]
    c._execute_command(COMMAND.COM_STATISTICS, b"")
    told.append(c._read_packet().get_all_data().startswith(b"Uptime: "))
    c._execute_command(COMMAND.COM_FIELD_LIST, b"t\0%")
    try:
        told.append(c._read_packet().get_all_data())
    except pymysql.Error as error:
        told.append(error.args)
    return told


@part
def killed(c: Any) -> Any:
    other = connect()
    timer = threading.Timer(0.5, lambda: ask(other, f"KILL QUERY {c.thread_id()}"))
    timer.start()
    try:
        told = ask(c, "SELECT SLEEP(300)")
    except pymysql.Error as error:
        told = error.args[0]
    timer.join()
    ask(other, f"KILL {c.thread_id()}")
    other.close()
    try:
        ask(c, "SELECT 1")
    except pymysql.Error as error:
        return told, type(error).__name__
    return None


@part
def told_of_the_session(c: Any) -> Any:
    known = "SELECT CURRENT_USER(), @@version, @@collation_connection, @@sql_mode, @@autocommit, @@wait_timeout > 0"
    attributes = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = CONNECTION_ID() AND db = DATABASE()"
    return ask(c, known), ask(c, attributes), ask(c, "SHOW SESSION STATUS LIKE 'Ssl_version'")


def main() -> None:
    for each in PARTS:
        more = {"client_flag": CLIENT.MULTI_STATEMENTS} if each is several_results else {}
        c = connect(init_command="SET time_zone = '+01:00'", **more)
        try:
            came = repr(each(c))
        except BROKEN as error:
            came = f"{type(error).__name__}: {error}"
        sys.stdout.write(f"{each.__name__} {came[:20_000]}\n")
        if c.open:
            c.close()


main()
