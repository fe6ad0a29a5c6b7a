"""MariaDB's own programs and PyMySQL through the whole gateway. Nothing here is timed; `DUMP_MIB` says how large the
database is that is dumped and loaded."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import Action
from onepam.recording.statements import Form, Outcome
from tests.conformance.databases.both_ways import SLICE
from tests.conformance.databases.mysql_ways import MysqlWays, mysql_ways
from tests.gateway_fixture import STANDING

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]

HERE = Path(__file__).parent
DUMP_MIB = int(os.environ.get("DUMP_MIB", "12"))
GROWS = 48 * 1024 * 1024
"""The gateway's memory grows by less than so much, however large a dump is."""

PROBES = (
    "select $$",
    "SELECT policy_name FROM performance_schema.column_masking_policy",
    "LOCK TABLES mysql.proc READ",
)
"""By which MySQL's programs tell what a server knows: it refuses them."""

SCRIPT = """
SELECT CURRENT_USER(), @@version_comment IS NOT NULL, 'ü', NULL, x'00ff';
SHOW TABLES;
SELECT seq, REPEAT('x', seq % 9) FROM seq_1_to_3000;
DELIMITER //
CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2, 3; END//
DELIMITER ;
CALL p();
DROP PROCEDURE p;
SELECT * FROM nowhere;
SELEC;
SELECT REPEAT('y', 5000000);
"""


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MysqlWays]:
    async with mysql_ways(tmp_path_factory.mktemp("both")) as found:
        yield found


async def test_the_client_shows_the_same(both: MysqlWays) -> None:
    person, told = await both.person(), []
    for way in (both.direct, await both.through(person)):
        both.fresh()
        told.append(
            await both.run(way, *both.program(way, "mariadb", "--force", "--table", way.database), stdin=SCRIPT)
        )
    assert told[0] == told[1]
    assert "ERROR 1064" in told[1].stderr
    assert len(told[1].stdout) > 5_000_000


async def test_pymysql(both: MysqlWays) -> None:
    person, told = await both.person(), []
    for way in (both.direct, await both.through(person)):
        both.fresh()
        done = await both.run(way, str(SLICE), str(HERE / "pymysql_client.py"))
        assert done.status == 0, done.stderr
        told.append(done.stdout.splitlines())
    assert told[0] == told[1]
    assert len(told[1]) >= 12
    assert len(await both.journals(person)) >= 12


async def test_pymysql_has_of_a_result_as_many_bytes_as_may_be_given(both: MysqlWays) -> None:
    """In whichever form it asks; the row that leads beyond them it has not, and its connection goes on."""
    reads = (StatementClass.READ, StatementClass.OTHER, StatementClass.SEVERAL)
    bounded = replace(STANDING, guardrails=Guardrails(reads, bytes=100 << 10))
    person = await both.gateway.person(bounded, certificate=False)
    done = await both.run(await both.through(person), str(SLICE), str(HERE / "bounded_pymysql.py"))
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "few 50 ok (7,)",
        "many 0 1142 (7,)",
        "one_by_one 101 1142 (7,)",
        "several_results 81 1142 (7,)",
        "one_that_is_larger 0 1142 (7,)",
    ]


async def test_a_dump_and_its_load(both: MysqlWays, tmp_path: Path) -> None:
    """What was dumped and loaded is what was there; the memory of the gateway does not grow with it."""
    person = await both.person()
    both.fresh()
    both.fresh(database="restored")
    direct = both.direct
    done = await both.run(direct, *both.program(direct, "mariadb", "suite"), stdin=_content(DUMP_MIB), seconds=3000)
    assert done.status == 0, done.stderr
    way = await both.through(person)
    await both.run(way, *both.program(way, "mariadb", "suite"), stdin="SELECT REPEAT('y', 5000000)")
    before, file = both.resident, tmp_path / "dump.sql"
    dumping = both.program(way, "mysqldump", "--routines", "--triggers", "--hex-blob", f"--result-file={file}", "suite")
    done = await both.run(way, *dumping, seconds=3000)
    assert done.status == 0, done.stderr
    assert file.stat().st_size > DUMP_MIB * 1024 * 1024
    loading = ("sh", "-c", 'exec "$@" < "$0"', str(file), *both.program(way, "mariadb", "restored"))
    done = await both.run(way, *loading, seconds=3000)
    assert done.status == 0, done.stderr
    assert both.resident - before < GROWS
    sums = [both.server.sql(f"USE {each}; {_sums()}") for each in ("suite", "restored")]
    assert sums[0] == sums[1]
    assert both.server.sql("CALL restored.p()") == "1\n"
    executed = [each for journal in await both.journals(person) for each in journal if not each[0].startswith(PROBES)]
    assert [(text, finished.words) for text, _, finished in executed if finished.outcome is not Outcome.OK] == []
    rows = sum(int(line.split()[0]) for line in sums[0].splitlines()[1::2])
    read = sum(finished.rows for text, _, finished in executed if text.startswith("SELECT /*!40001"))
    put = sum(finished.rows for text, _, finished in executed if text.startswith("INSERT INTO"))
    assert (read, put) == (rows, rows)


async def test_a_reader_dumps_under_guardrails(both: MysqlWays) -> None:
    """In one transaction and without locks, the same as directly: its comments that a server runs are read."""
    both.fresh("USE suite;" + _content(1) + "CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DO DELETE FROM small;")
    reader = replace(STANDING, guardrails=Guardrails((StatementClass.READ, StatementClass.OTHER)))
    person, told = await both.gateway.person(reader, certificate=False), []
    options = ("--single-transaction", "--skip-lock-tables", "--skip-comments", "--routines", "--events", "--triggers")
    more = ("--set-gtid-purged=OFF",) if both.server.programs else ()
    for way in (both.direct, await both.through(person)):
        command = both.program(way, "mysqldump", *options, *more, "--hex-blob", "suite")
        done = await both.run(way, *command)
        told.append(done)
    assert told[0] == told[1]
    assert (told[1].status, told[1].stderr) == (0, "")
    assert len(told[1].stdout) > 1024 * 1024


async def test_a_file_of_the_clients_is_loaded_by_a_program_of_theirs(both: MysqlWays, tmp_path: Path) -> None:
    person = await both.person(Action.LOCAL_FILES)
    both.fresh("CREATE TABLE suite.t (n INT, w TEXT)")
    way, file = await both.through(person), tmp_path / "t.txt"
    file.write_text("".join(f"{each}\tw{each % 7}\n" for each in range(200_000)))
    done = await both.run(way, *both.program(way, "mariadb-import", "--local", "suite", str(file)))
    assert (done.status, done.stderr) == (0, "")
    assert both.server.sql("SELECT COUNT(*), SUM(n) FROM suite.t") == "200000\t19999900000\n"
    (loaded,) = [
        (run.form, finished.outcome, finished.rows, finished.size)
        for journal in await both.journals(person)
        for text, run, finished in journal
        if "LOCAL INFILE" in text
    ]
    assert loaded == (Form.COPY, Outcome.OK, 200_000, file.stat().st_size)


def _sums() -> str:
    """Counts and digests that do not depend on order, for `--hex-blob` and character sets show where bytes differ."""
    return "".join(
        f"SELECT '{each}'; SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', {columns}))), MAX(SHA2({last}, 256)) FROM {each};"
        for each, columns, last in (
            ("`lines`", "id, at, words", "words"),
            ("small", "id, half", "half"),
            ("odd", "id, IFNULL(words, 'NULL'), IFNULL(HEX(bytes), 'NULL'), bits", "bytes"),
        )
    )


def _content(mib: int) -> str:
    """About so many MiB of long rows, many short ones, and what is odd to dump."""
    return f"""
    CREATE TABLE `lines` (id INT PRIMARY KEY, at DATETIME(6), words TEXT);
    INSERT INTO `lines` SELECT seq, '2026-01-01' + INTERVAL seq SECOND, REPEAT(SHA2(seq, 256), 16)
        FROM seq_1_to_100000000 LIMIT {mib * 960};
    CREATE TABLE small (id INT PRIMARY KEY, half INT, KEY (half));
    INSERT INTO small SELECT seq, seq DIV 2 FROM seq_1_to_100000000 LIMIT {mib * 5000};
    CREATE TABLE odd (id INT PRIMARY KEY, words LONGTEXT CHARACTER SET utf8mb4, bytes LONGBLOB, bits BIT(9));
    INSERT INTO odd VALUES (1, '\\\\N\\n\\t\\r''"\\0', x'00ff', b'101'), (2, NULL, NULL, NULL), (3, '', '', 0),
        (4, REPEAT(CONVERT(x'c3bcf09f9880' USING utf8mb4), 300000), REPEAT(x'00ff', 2000000), 1);
    CREATE VIEW seen AS SELECT id, LEFT(words, 3) FROM odd;
    CREATE PROCEDURE p() SELECT 1;
    CREATE TRIGGER r BEFORE INSERT ON small FOR EACH ROW SET @put = 1;
    """
