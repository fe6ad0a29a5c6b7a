"""The writer: what one command does to the ledger, what breaks with it, and what does not."""

import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from onepam.app.sessions.close_session import NoFacts
from onepam.domain.history.commit import Committed, Decided
from onepam.domain.people.events import PersonDisabled
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt, Fault, Refused, Unavailable
from onepam.signing.author import NodeAuthor
from onepam.store.db import rows
from onepam.store.engine import database
from onepam.store.engine import writer as writing
from onepam.store.engine.database import connect
from onepam.store.engine.entries import Stored, entries, size_of
from onepam.store.engine.rebuild import compare
from onepam.store.engine.writer import Writer
from tests.store.events import events, fresh, one_group, person, submit, unprojectable, write

NO = Refused("no", "No.")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    with closing(fresh(path)) as writer:
        yield writer


def stored(path: Path) -> list[Stored]:
    with closing(connect(path, read_only=True)) as db:
        return entries(db, 0, size_of(db))


def people(path: Path) -> list[str]:
    with closing(connect(path, read_only=True)) as db:
        return [each["person"] for each in rows(db, "SELECT person FROM person ORDER BY valid_from")]


def test_a_command_appends_its_events_and_projects_them(writer: Writer, path: Path) -> None:
    first = write(writer, person(1), person(2))
    second = write(writer, PersonDisabled("per_1", None, "left"))
    assert (first.size, second.size) == (2, 3)
    assert [each.event for each in stored(path)] == [person(1), person(2), PersonDisabled("per_1", None, "left")]
    assert [each.header.class_seq for each in stored(path)] == [0, 1, 2]
    assert all(each.entry.leaf() == each.leaf for each in stored(path))
    assert second.time == stored(path)[-1].header.time
    assert compare(path) == []


def test_a_refusal_appends_nothing(writer: Writer, path: Path) -> None:
    assert writer.commit(NoFacts(), lambda facts, now: NO) == NO
    assert stored(path) == []


def test_times_increase_where_the_clock_stands_still_and_tell_one_command_from_the_next(path: Path) -> None:
    with closing(fresh(path, clock=lambda: Instant(1_000), monotonic=lambda: Instant(0))) as writer:
        write(writer, person(1), person(2))
        write(writer, person(3))
    assert [each.header.time for each in stored(path)] == [1_000, 1_001, 1_003]


def test_a_failing_projection_takes_its_own_command_along_and_no_other(writer: Writer, path: Path) -> None:
    with one_group(writer):
        before = submit(writer, events(person(1)))
        broken = submit(writer, events(person(2), unprojectable()))
        after = submit(writer, events(person(3)))
    assert isinstance(broken.result(10), sqlite3.IntegrityError)
    assert (before.result(10).size, after.result(10).size) == (1, 2)
    assert people(path) == ["per_1", "per_3"]
    assert [each.header.class_seq for each in stored(path)] == [0, 1]
    assert compare(path) == []


def test_many_that_fail_in_one_group_fail_alone(writer: Writer, path: Path) -> None:
    with one_group(writer):
        answers = [submit(writer, events(person(n), *([unprojectable()] * (n % 2)))) for n in range(40)]
    assert [isinstance(each.result(10), Committed) for each in answers] == [n % 2 == 0 for n in range(40)]
    assert people(path) == [f"per_{n}" for n in range(0, 40, 2)]
    assert compare(path) == []


def test_a_decider_that_raises_fails_alone(writer: Writer, path: Path) -> None:
    def broken(facts: None, now: Instant) -> Decided[None]:
        raise ZeroDivisionError("a bug")

    with one_group(writer):
        failed = submit(writer, broken)
        after = submit(writer, events(person(1)))
    assert isinstance(failed.result(10), ZeroDivisionError)
    assert after.result(10).size == 1
    with pytest.raises(ZeroDivisionError):
        writer.commit(NoFacts(), broken)


def test_a_failing_commit_fails_its_whole_group_and_loses_nothing_before(writer: Writer, path: Path) -> None:
    """The file system refuses the write-ahead log's growth, as at a quota, in the very COMMIT."""
    write(writer, person(0))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with one_group(writer):
        answers = [submit(writer, events(person(n))) for n in range(1, 30)]
        log = Path(f"{path}-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (log, hard))
    try:
        assert all(isinstance(each.result(10), Unavailable) for each in answers)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert people(path) == ["per_0"]
    assert write(writer, person(99)).size == 2
    assert people(path) == ["per_0", "per_99"]
    assert compare(path) == []


def test_a_full_disk_is_said_and_loses_nothing(writer: Writer, path: Path) -> None:
    write(writer, person(0))
    pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
    writer._db.execute(f"PRAGMA max_page_count = {pages}")
    with one_group(writer):
        answers = [submit(writer, events(person(number, because="x" * 10_000))) for number in range(1, 100)]
    assert "full" in str(answers[-1].result(10))
    kept = people(path)
    writer._db.execute(f"PRAGMA max_page_count = {pages * 100}")
    write(writer, person(100))
    assert people(path) == [*kept, "per_100"]
    assert compare(path) == []


def test_a_locked_database_is_waited_for_and_then_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_MILLISECONDS", 50)
    with closing(fresh(path)) as writer, closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            write(writer, person(1))
        other.execute("ROLLBACK")
        assert write(writer, person(1)).size == 1


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(Corrupt, match="not a database"):
        Writer(path, NodeAuthor.uncertified("node-1"), lambda: Instant(1), lambda size: b"")


def test_damaged_pages_are_named(path: Path) -> None:
    with closing(fresh(path)) as writer:
        for number in range(200):
            write(writer, person(number))
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises(Corrupt, match="damaged"), closing(fresh(path)) as writer:
        write(writer, person(1))


def test_a_missing_head_is_named(writer: Writer, path: Path) -> None:
    with closing(connect(path)) as other:
        other.execute("DELETE FROM head")
    with pytest.raises(Corrupt, match="no head"):
        write(writer, person(1))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([person(1, because="x" * 65_536)], "the body of person.added"),
        ([person(1, name="x" * 1_048_576)], "the payload of person.added"),
        ([person(n) for n in range(25_000)], "25001 events; the limit is 25000"),
    ],
)
def test_what_is_too_large_is_refused_whole(writer: Writer, path: Path, given: list[object], said: str) -> None:
    with pytest.raises(Fault, match=said):
        write(writer, person(0), *given[1:], *given[:1])
    assert stored(path) == []
    assert write(writer, person(0)).size == 1


def test_as_many_events_as_the_limit_are_one_command(writer: Writer, path: Path) -> None:
    many = limits.MAX_EVENTS_PER_COMMAND
    assert write(writer, *(PersonDisabled(f"per_{n}", None, "left") for n in range(many))).size == many


def test_the_queue_is_bounded(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MAX_WAITING", 3)
    with one_group(writer):
        waiting = [submit(writer, events(person(n))) for n in range(3)]
        with pytest.raises(Unavailable, match="too many"):
            submit(writer, events(person(3)))
    assert [each.result(10).size for each in waiting] == [1, 2, 3]


def test_a_caller_that_is_gone_does_not_end_the_ledger(writer: Writer) -> None:
    def gone(answer: Any) -> None:
        raise RuntimeError("the loop is closed")

    writer.submit(NoFacts(), events(person(1)), gone)
    assert write(writer, person(2)).size == 2


def test_a_caller_waits_for_a_bounded_time(writer: Writer) -> None:
    with one_group(writer), pytest.raises(Unavailable, match="did not answer"):
        writer.commit(NoFacts(), events(person(1)), wait_seconds=0.01)


def test_closing_finishes_what_waits(path: Path) -> None:
    writer = fresh(path)
    with one_group(writer):
        waiting = [submit(writer, events(person(n))) for n in range(5)]
        closing_thread = threading.Thread(target=writer.close)
        closing_thread.start()
    closing_thread.join(10)
    assert [each.result(10).size for each in waiting] == [1, 2, 3, 4, 5]
    with pytest.raises(Unavailable, match="closed"):
        write(writer, person(9))
    writer.close()
