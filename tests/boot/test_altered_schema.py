"""A database with a trigger, view, table or index of somebody else's making: no command of the host obeys it."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.boot.test_continue import NEXT, founded
from tests.forked import onepam

ALTERED = {
    "a trigger": (
        "CREATE TRIGGER t AFTER INSERT ON entry BEGIN UPDATE person SET enabled = 1; END",
        "there is a trigger 't', which this release does not make",
    ),
    "a view": (
        "ALTER TABLE hand RENAME TO hands; CREATE VIEW hand AS SELECT * FROM hands",
        "hand is a view, and not a table",
    ),
    "a table": ("CREATE TABLE more (x)", "there is a table 'more', which this release does not make"),
    "an index": (
        "DROP INDEX person_by_email; CREATE INDEX person_by_email ON person (email) WHERE enabled = 1",
        "the index person_by_email is not as this release makes it",
    ),
}
HERE = ("--data", "{data}", "--config", "{config}")
COMMANDS = {
    "recover-access": ("recover-access", "ada@example.com", "--because", "locked out", "--no-with-key", *HERE),
    "continue-after-loss": (
        "ledger", "continue-after-loss", "--origin", NEXT, "--because", "a disk", "--no-with-key", *HERE,
    ),
    "recovery-key": ("recovery-key", "renew", "--no-with-key", *HERE),
    "revoke-node": ("ledger", "revoke-node", "nod_x", "--by", "Ada", "--because", "stolen", *HERE),
    "confirm-clock": ("ledger", "confirm-clock", "--by", "Ada", *HERE),
    "backup": ("backup", "{data}-copy", "--keys", "{data}-keys", "--data", "{data}"),
}  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("installed") / "data"
    founded(data)
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return data


def altered(installed: Path, folder: Path, sql: str) -> Path:
    data = Path(shutil.copytree(installed, folder / "data", ignore=shutil.ignore_patterns("socket")))
    shutil.copy(installed.with_name("onepam.toml"), folder / "onepam.toml")
    shutil.copy(installed.with_name("data.recovery-key"), folder / "data.recovery-key")
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        db.executescript(sql)
        db.commit()
    return data


def run(data: Path, command: str) -> subprocess.CompletedProcess[str]:
    words = [each.format(data=data, config=data.with_name("onepam.toml")) for each in COMMANDS[command]]
    return onepam(*words)


def entries(data: Path) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        return db.execute("SELECT count(*), max(idx) FROM entry").fetchall()


@pytest.mark.parametrize(
    ("command", "what"), [*((each, "a trigger") for each in COMMANDS), *(("recover-access", each) for each in ALTERED)]
)
def test_nothing_is_done_on_a_database_that_is_not_this_releases(
    installed: Path, tmp_path: Path, command: str, what: str
) -> None:
    sql, said = ALTERED[what]
    data = altered(installed, tmp_path, sql)
    before = entries(data)
    done = run(data, command)
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr
    words = " ".join(done.stderr.split())
    assert f"nothing was done: the database is not as this release makes it: database: {said}" in words, done.stderr
    assert entries(data) == before
    assert not Path(f"{data}-copy").exists()


def test_two_alterations_are_counted(installed: Path, tmp_path: Path) -> None:
    data = altered(installed, tmp_path, ";".join(sql for sql, _ in (ALTERED["a trigger"], ALTERED["a table"])))
    assert ", and 1 more." in " ".join(run(data, "recover-access").stderr.split())
