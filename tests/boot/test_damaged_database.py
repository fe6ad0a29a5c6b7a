"""A database in which things are gone, are another thing, or cannot be read: that is a finding, in a line, exit 1."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from onepam.boot.config import Config
from tests.boot.installation import ORIGIN, live, verify
from tests.targets import free_port


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    data = tmp_path_factory.mktemp("installed") / "data"
    log_key = asyncio.run(live(Config(data, origin=ORIGIN, console_port=free_port(), ssh_port=free_port()), 3))
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return data, log_key


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DROP TABLE entry", "the table entry is gone"),
        ("DROP TABLE payload", "the table payload is gone"),
        ("DROP TABLE person", "the table person is gone"),
        ("DELETE FROM head", "no head row"),
        ("UPDATE head SET counters = '{'", "the head row cannot be read"),
        ("UPDATE head SET time = 'x'", "the head row cannot be read"),
        ("UPDATE head SET size = 'x'", "the head counts x entries"),
        ("DELETE FROM release", "the row of the release is gone"),
        ("UPDATE release SET state = '{'", "its state cannot be read"),
        ("UPDATE release SET state = '{}'", "not what this release writes"),
        ("UPDATE release SET stamp = 'x'", "the stamp of the release does not follow from its row"),
        ("UPDATE release SET stamp = x'ff'", "its name or stamp is no text"),
        ("UPDATE migration SET digest = 'x'", "the migrations are not those of this release"),
        ("UPDATE entry SET kind = CAST(x'ff' AS TEXT) WHERE idx = 3", "entries: cannot be read"),
        ("UPDATE entry SET body = 'x' WHERE idx = 3", "entry 3"),
        ("ALTER TABLE entry RENAME TO e2; CREATE VIEW entry AS SELECT * FROM e2", "entry is a view, and not a table"),
        ("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM person; END", "there is a trigger 't'"),
        ("ALTER TABLE person ADD COLUMN more TEXT", "the table person is not as this release makes it"),
        ("CREATE TABLE more (x)", "there is a table 'more'"),
        (
            (
                "PRAGMA writable_schema = ON; INSERT INTO sqlite_master VALUES "
                "('view', 'sqlite_stat1', 'sqlite_stat1', 0, 'CREATE VIEW sqlite_stat1 AS SELECT 1')"
            ),
            "there is a view 'sqlite_stat1'",
        ),
    ],
)
def test_damage_is_a_finding(installed: tuple[Path, str], tmp_path: Path, sql: str, said: str) -> None:
    data = Path(shutil.copytree(installed[0], tmp_path / "data", ignore=shutil.ignore_patterns("socket")))
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        db.executescript(sql)
        db.commit()
    code, told = verify(data, "--log-key", installed[1])
    assert "Traceback" not in told
    assert (code, "FOUND" in told, said in told) == (1, True, True), told


def test_what_sqlite_counted_for_itself_is_no_finding(installed: tuple[Path, str], tmp_path: Path) -> None:
    data = Path(shutil.copytree(installed[0], tmp_path / "data", ignore=shutil.ignore_patterns("socket")))
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        db.executescript("ANALYZE")
        assert db.execute("SELECT count(*) FROM sqlite_stat1").fetchone()[0] > 0
    code, told = verify(data, "--log-key", installed[1])
    assert (code, "FOUND" in told) == (3, False), told


@pytest.mark.parametrize("how", ["empty", "noise", "a page"])
def test_a_file_that_is_damaged_is_a_finding(installed: tuple[Path, str], tmp_path: Path, how: str) -> None:
    data = Path(shutil.copytree(installed[0], tmp_path / "data", ignore=shutil.ignore_patterns("socket")))
    path = data / "ledger.db"
    with closing(sqlite3.connect(path)) as db:
        page, size = db.execute("SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master "
                                "WHERE name = 'entry'").fetchone()  # fmt: skip
    content = path.read_bytes()
    at = (page - 1) * size
    damaged = {"empty": b"", "noise": b"x" * 5000, "a page": content[:at] + b"\xff" * size + content[at + size :]}
    path.write_bytes(damaged[how])
    code, told = verify(data, "--log-key", installed[1])
    assert "Traceback" not in told
    assert (code, "FOUND" in told, "history     broken" in told) == (1, True, True), told
