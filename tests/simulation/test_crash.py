"""SIGKILL at random moments of a busy writer: nothing acknowledged is lost, and ledger and tables still agree."""

import multiprocessing
import os
import random
import shutil
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from onepam.ledger.check import check
from onepam.ledger.findings import Row
from onepam.store.db import row
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, size_of
from onepam.store.engine.rebuild import compare
from tests.lawful import assert_lawful, laid_by_hand
from tests.simulation import busy
from tests.simulation.durable import SUFFIX

KILLS = 100
KILLS_OF_ONE_LEDGER = 5
_ROWS = "SELECT idx position, time, kind, version, class klass, class_seq, body, leaf FROM entry ORDER BY idx"
MOST = 60
"""Acknowledgements that are waited for before the kill, at most: its moment does not hang on the machine's speed."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.simulation.busy"])


@pytest.mark.parametrize("discard", [False, True], ids=["killed", "killed-and-unsynced-writes-lost"])
def test_no_acknowledged_event_is_lost(tmp_path: Path, discard: bool) -> None:
    chance = random.Random(20260101)
    acknowledged = lost = 0
    for ledger in range(KILLS // KILLS_OF_ONE_LEDGER):
        path = tmp_path / f"{ledger}.sqlite"
        busy.found(path)
        for kill in range(KILLS_OF_ONE_LEDGER):
            if discard:
                _begin_copies(path)
            said = _run_and_kill(path, 1 + (1 + ledger * KILLS_OF_ONE_LEDGER + kill) * 1_000_000, chance, discard)
            if discard:
                lost += _lose_what_was_not_synced(path)
            _verify(path, said)
            acknowledged += len(said)
    assert acknowledged > KILLS  # it did write
    assert bool(lost) is discard  # and the copies did lose something


def _run_and_kill(path: Path, first: int, chance: random.Random, copies: bool) -> dict[int, int]:
    """Number -> size of the ledger, of each command that was acknowledged before the kill."""
    reading, writing = _processes.Pipe(duplex=False)
    process = _processes.Process(target=busy.run, args=(path, first, writing, copies), daemon=True)
    process.start()
    writing.close()
    said = reading.fileno()
    assert os.read(said, busy.ACKNOWLEDGED.size) == busy.ACKNOWLEDGED.pack(0, 0)
    data, wanted = b"", chance.randrange(MOST) * busy.ACKNOWLEDGED.size
    while len(data) < wanted:
        piece = os.read(said, 1 << 16)
        assert piece, "the writer ended by itself"
        data += piece
    time.sleep(chance.uniform(0, 0.004))  # not always between two acknowledgements
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    data += b"".join(iter(lambda: os.read(said, 1 << 16), b""))
    process.join()
    assert process.exitcode == -signal.SIGKILL
    reading.close()
    return {number: size for size, number in busy.ACKNOWLEDGED.iter_unpack(data)}


def _verify(path: Path, said: dict[int, int]) -> None:
    with closing(connect(path)) as db:
        assert row(db, "PRAGMA integrity_check")["integrity_check"] == "ok"  # type: ignore[index]
        last = {stored.header.index + 1: stored.event for stored in entries(db, 0, size_of(db))}
        for number, size in said.items():
            assert str(number) in (getattr(last[size], "session", None) or last[size].person)
        report = check(Row(*each) for each in db.execute(_ROWS))
        assert (report.findings, report.rows) == ((), size_of(db))
        laid_by_hand(*(each[0] for each in db.execute("SELECT leaf FROM entry WHERE kind = 'payload.erased'")))
    assert compare(path) == []
    assert_lawful(path)  # nobody agreed to the erasures: what is asked is that a kill loses nothing of them


def _files(path: Path) -> list[Path]:
    return [path, Path(f"{path}-wal")]


def _begin_copies(path: Path) -> None:
    """All that is there is safe on the disk."""
    for each in _files(path):
        copy = Path(f"{each}{SUFFIX}")
        copy.unlink(missing_ok=True)
        if each.exists():
            shutil.copy(each, copy)


def _lose_what_was_not_synced(path: Path) -> int:
    """Puts the durable copies in the place of the files; how many of the files were different."""
    Path(f"{path}-shm").unlink(missing_ok=True)  # not there yet, if the end came before the first transaction
    different = 0
    for each in _files(path):
        copy = Path(f"{each}{SUFFIX}")
        if copy.exists():
            different += not each.exists() or each.read_bytes() != copy.read_bytes()
            shutil.copy(copy, each)
    return different
