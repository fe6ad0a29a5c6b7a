"""Somebody writes to the database and the files: `onepam ledger verify` finds each attack, and names what was done."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from onepam.app.ports import Reader
from onepam.app.sessions.close_session import NoFacts
from onepam.boot.config import Config
from onepam.boot.on_ledger import on_ledger
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import GroupMemberAdded
from onepam.store.engine.ledger import SqliteLedger
from tests.boot.installation import ONEPAM, ORIGIN, live, verify
from tests.targets import free_port

ENTRIES = 12


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    data = tmp_path_factory.mktemp("installed") / "data"
    config = Config(data, origin=ORIGIN, console_port=free_port(), ssh_port=free_port())
    return data, asyncio.run(live(config, ENTRIES))


def sql(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        for statement in statements:
            assert db.execute(statement).rowcount, statement
        db.commit()


def roll_back(data: Path) -> None:
    """An old copy of database and tiles, as from a backup: only the signer remembers more."""
    sql(data, "DELETE FROM entry WHERE idx >= 5", "UPDATE head SET size = 5")
    shutil.rmtree(data / "log")


def overwrite_the_checkpoint(data: Path) -> None:
    (data / "log" / "checkpoint").write_text("nothing")


ATTACKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "flip": (
        lambda data: sql(data, "UPDATE entry SET body = replace(body, '3', '4') WHERE idx = 4"),
        "flipped: entry 4",
    ),
    "flip a header": (lambda data: sql(data, "UPDATE entry SET time = time + 1 WHERE idx = 4"), "entry 4"),
    "drop": (lambda data: sql(data, "DELETE FROM entry WHERE idx = 4"), "missing: entry 4"),
    "reorder": (
        lambda data: sql(
            data,
            "UPDATE entry SET idx = -1 WHERE idx = 4",
            "UPDATE entry SET idx = 4 WHERE idx = 5",
            "UPDATE entry SET idx = 5 WHERE idx = -1",
        ),
        "reordered: entry 4",
    ),
    "insert": (
        lambda data: sql(
            data,
            "INSERT INTO entry SELECT (SELECT max(idx) + 1 FROM entry), time + 60000000, kind, version, class, "
            "class_seq, body, leaf FROM entry WHERE idx = 4",
        ),
        "counter: entry",
    ),
    "cut the tail": (lambda data: sql(data, "DELETE FROM entry WHERE idx >= 10"), "tail_cut"),
    "roll back": (roll_back, "rolled_back"),
    "a row without an event": (
        lambda data: sql(
            data,
            "INSERT INTO group_member (grp, person, source, valid_from, valid_until) "
            "VALUES ('root', 'per_mallory', 'file', 1, 9007199254740991)",
        ),
        "group_member root/per_mallory",
    ),
    "the head": (lambda data: sql(data, "UPDATE head SET size = size + 7"), "head:"),
    "the checkpoint": (overwrite_the_checkpoint, "checkpoint:"),
}


def kept_checkpoint(data: Path, folder: Path) -> Path:
    """The checkpoint as somebody keeps it elsewhere."""
    kept = folder / "kept-checkpoint"
    kept.write_bytes((data / "log" / "checkpoint").read_bytes())
    return kept


def test_what_nobody_touched_is_intact_by_an_anchor_from_outside(installed: tuple[Path, str], tmp_path: Path) -> None:
    data, log_key = installed
    kept = kept_checkpoint(data, tmp_path)
    code, told = verify(data, "--log-key", log_key, "--checkpoint", str(kept))
    assert code == 0, told
    assert told.startswith("history     anchored and intact: ")
    assert str(kept) in told
    assert "lawful      yes: " in told


def test_without_an_anchor_nothing_is_called_intact(installed: tuple[Path, str]) -> None:
    data, log_key = installed
    code, told = verify(data, "--log-key", log_key)
    assert code == 3, told
    assert told.startswith("history     consistent but not anchored: ")
    assert "intact" not in told


def test_a_copy_on_a_read_only_medium_is_judged_as_any_other(installed: tuple[Path, str], tmp_path: Path) -> None:
    data, log_key = installed
    copy = shutil.copytree(data, tmp_path / "copy", ignore=shutil.ignore_patterns("socket"))
    with closing(sqlite3.connect(copy / "ledger.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # as a backup has it: all in one file
    words = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    own = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    command = ["unshare", *own, "--mount", "sh", "-c", words, str(copy), *ONEPAM, "ledger", "verify"]
    command += ["--data", str(copy), "--log-key", log_key, "--checkpoint", str(kept_checkpoint(data, tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert (done.returncode, "anchored and intact" in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.parametrize(("attack", "left"), [("drop", -1), ("insert", 1), ("flip", 0)])
def test_what_is_counted_is_true_when_something_is_found(
    attack: str, left: int, installed: tuple[Path, str], tmp_path: Path
) -> None:
    data, log_key = installed
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        (size,) = db.execute("SELECT count(*) FROM entry").fetchone()
    copy = tmp_path / "data"
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns("socket"))
    ATTACKS[attack][0](copy)
    _, told = verify(copy, "--log-key", log_key)
    assert f"in {size + left} entries" in told
    assert sha256(b"").hexdigest() not in told
    assert " of 0 entries" not in told
    _, told = verify(copy, "--log-key", log_key, "--json")
    found = json.loads(told)
    assert found["entries"] == size + left
    if attack == "drop":
        assert (found["root"], found["signed"], found["witnessed"]) == (None, None, None)


@pytest.mark.claim(
    "rebuilds every table",
    altered="the rebuilt tables were not compared with those that are there",
)
@pytest.mark.claim(
    "recomputes every hash",
    altered="the stored leaf was taken in place of the recomputed one",
)
@pytest.mark.claim(
    "names the entry that was flipped, dropped, reordered or slipped in",
    altered="rows were taken for equal to the published hashes; then a reordered entry was not named",
)
@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_is_found_and_named(attack: str, installed: tuple[Path, str], tmp_path: Path) -> None:
    data, log_key = installed
    copy = tmp_path / "data"
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns("socket"))
    change, name = ATTACKS[attack]
    change(copy)
    code, told = verify(copy, "--log-key", log_key)
    assert code == 1, told
    assert name in told


def test_what_a_node_of_ours_wrote_and_no_right_allowed_is_unlawful(
    installed: tuple[Path, str], tmp_path: Path
) -> None:
    data, log_key = installed
    copy, kept = tmp_path / "data", kept_checkpoint(data, tmp_path)
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns("socket"))
    event = GroupMemberAdded("root", "per_1", "access.yaml", None)

    async def work(ledger: SqliteLedger, reader: Reader) -> None:
        await ledger.commit(NoFacts(), lambda facts, now: Decided((event,), None))

    on_ledger(Config(copy, origin=ORIGIN), work)
    code, told = verify(copy, "--log-key", log_key, "--checkpoint", str(kept))
    assert code == 6, told
    assert told.startswith("history     anchored and intact: "), "nothing of it was altered"
    assert "\nUNLAWFUL  " in told


def test_the_verdict_stands_first_and_last_and_ten_findings_between(
    installed: tuple[Path, str], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(installed[0], data, ignore=shutil.ignore_patterns("socket"))
    shutil.rmtree(data / "log")
    sql(data, "UPDATE entry SET body = replace(body, 'nod_test', 'nod_tess')")
    on = ("--log-key", installed[1], "--no-recordings")
    told, full = (verify(data, *on, verbose=each)[1].splitlines() for each in (False, True))
    assert (told.pop(), full.pop()) == ("", "")
    for lines in (told, full):
        assert [each.split()[0] for each in lines[:3]] == ["history", "lawful", "recordings"]
        assert lines[0].startswith("history     broken: ")
        assert lines[-3:] == lines[:3]
    found = sum(each.startswith("FOUND") for each in full)
    assert found > ENTRIES
    assert sum(each.startswith(("FOUND", "UNLAWFUL")) for each in told) == 10
    assert any(each.startswith("and ") and each.endswith(" more: --verbose lists all") for each in told)
    assert len(told) < 30


def test_a_key_or_a_checkpoint_that_is_no_file_is_said_in_a_sentence(installed: tuple[Path, str]) -> None:
    for words in (("--checkpoint", "/none/of/these"), ("--log-key", "no key")):
        code, told = verify(installed[0], *words)
        assert code == 2
        assert "Traceback" not in told
        assert "Error" not in told.replace("Error: Invalid value", "")
