"""Whatever ledger tests and benchmarks leave behind is asked whether it was lawful."""

from contextlib import closing
from pathlib import Path

import pytest

from bench.room import room
from onepam.domain.people.events import PersonEnabled
from onepam.signing.author import NodeAuthor
from onepam.store.engine.append import append, read_head, write_head
from onepam.store.engine.batches import seal
from onepam.store.engine.database import connect
from onepam.store.engine.schema import create
from tests.company import START, Counted
from tests.lawful import laid_by_hand

HERE = Path(__file__).resolve().parents[2]


def planted(path: Path) -> list[bytes]:
    """A ledger that says that somebody let themselves in again; the leaves."""
    leaves = list[bytes]()
    with closing(connect(path)) as db:
        create(db)
        db.execute("BEGIN IMMEDIATE")
        head = read_head(db)
        write_head(db, append(db, head, START, [PersonEnabled("per_eve", "per_eve", "")], Counted(), leaves))
        seal(db, NodeAuthor.uncertified("nod_1"), head.size, leaves)
        db.execute("COMMIT")
    return leaves


def test_what_a_benchmark_leaves_behind_is_judged() -> None:
    def measured() -> None:
        with room() as folder:
            (folder / "below").mkdir()
            planted(folder / "below" / "ledger.db")

    with pytest.raises(AssertionError, match=r"below/ledger\.db: entry 0 \(person\.enabled\)"):
        measured()


def test_what_it_laid_by_hand_is_not() -> None:
    with room() as folder:
        laid_by_hand(*planted(folder / "ledger.db"))


def test_benchmarks_measure_nowhere_else() -> None:
    """pgbouncer's own folder and the yardstick's have no ledger of ours."""
    elsewhere = {
        str(path.relative_to(HERE))
        for path in (HERE / "bench").rglob("*.py")
        if "tempfile" in path.read_text(encoding="utf-8")
    }
    assert elsewhere == {"bench/room.py", "bench/yardstick.py", "bench/postgres.py", "bench/postgres_peers.py"}
