"""A release that makes other rows rebuilds the state beside the old one, whatever stops it half-way."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.history.system import PayloadsErased
from onepam.domain.people.events import PersonDisabled
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.store.db import rows
from onepam.store.engine import release, upgrade
from onepam.store.engine.database import SqliteDb, connect
from onepam.store.engine.reader import SqliteReader
from onepam.store.engine.rebuild import compare
from onepam.store.engine.release import OtherRelease
from onepam.store.engine.schema import create
from onepam.store.engine.upgrade import plan_of
from onepam.store.engine.writer import Writer
from tests.store import newer_release
from tests.store.events import fresh, person, write

PEOPLE = 7
ENTRIES = PEOPLE + 3


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger as this release leaves it: people, of whom two left and one was erased."""
    path = tmp_path / "ledger.db"
    with closing(fresh(path)) as writer:
        write(writer, *(person(number) for number in range(PEOPLE)))
        write(writer, PayloadsErased("ers_1", "per_1", (1,), naming=False))
        write(writer, PersonDisabled("per_1", None, "left"), PersonDisabled("per_2", None, "left"))
    return path


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """What begins the newer release, and forgets it again."""
    yield monkeypatch
    monkeypatch.undo()
    release.this_release.cache_clear()


def state(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All tables and views with all their rows, save the ledger's own."""
    with closing(connect(path, read_only=True)) as db:
        names = [each[0] for each in rows(db, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
        return {name: sorted(map(tuple, rows(db, f"SELECT * FROM {name}")), key=str) for name in names}


def because(path: Path) -> set[str]:
    with closing(connect(path, read_only=True)) as db:
        return {each[0] for each in rows(db, "SELECT because FROM person WHERE enabled = 0")}


def left_over(path: Path) -> list[str]:
    return [each.name for each in path.parent.iterdir() if ".beside" in each.name]


def test_a_changed_projection_is_found_and_its_rows_are_made_anew(path: Path, newer: pytest.MonkeyPatch) -> None:
    assert not plan_of(path).needed
    assert because(path) == {"left"}
    newer_release.begin(newer)
    plan = plan_of(path)
    assert (plan.before, plan.entries, plan.steps) == ("0.1.0", ENTRIES, ())
    assert plan.changed == ("kind person.disabled",)
    with (
        closing(connect(path)) as db,
        pytest.raises(OtherRelease, match=r"made by OnePAM 0\.1\.0, and this is 0\.2\.0"),
    ):
        create(db)
    told = list[tuple[int, int]]()
    assert upgrade.upgrade(path, lambda done, of: told.append((done, of))) == plan
    assert told == [(ENTRIES, ENTRIES)]
    assert because(path) == {"gone"}
    assert compare(path) == []
    assert not plan_of(path).needed
    assert left_over(path) == []
    with closing(fresh(path)) as writer:
        write(writer, person(99))
    with closing(connect(path)) as db:
        assert rows(db, "SELECT name FROM person WHERE person = 'per_1'")[0]["name"] is None, "erased stays erased"


def test_a_row_that_was_slipped_in_goes_where_the_state_is_made_anew(path: Path) -> None:
    with closing(connect(path)) as db:
        db.execute("INSERT INTO group_member VALUES ('admins', 'per_3', 'directory', 1, 9007199254740991)")
    upgrade.upgrade(path)
    assert len(compare(path)) == 1, "nothing asked for it"
    upgrade.upgrade(path, anyway=True)
    assert compare(path) == []


def _killed_at(path: Path, number: int, counted: tuple[str, ...]) -> bool:
    """Upgrades in a process of its own that dies before the statement `number` of those that begin like this; False
    when it came to its end."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    with suppress(BaseException):
        seen = 0

        def count(statement: str) -> None:
            nonlocal seen
            seen += statement.startswith(counted)
            if seen == number:
                os._exit(9)

        def watched(*given: Any, **options: Any) -> SqliteDb:
            db = connect(*given, **options)
            db.set_trace_callback(count)
            return db

        upgrade.connect = watched  # type: ignore[attr-defined]
        upgrade.upgrade(path)
        os._exit(0)
    os._exit(1)


@pytest.mark.parametrize(
    ("counted", "step"), [(("BEGIN", "COMMIT"), 1), (("",), 23)], ids=["between transactions", "anywhere"]
)
def test_killed_anywhere_it_is_the_old_state_or_the_new_one_and_goes_on(
    path: Path, newer: pytest.MonkeyPatch, counted: tuple[str, ...], step: int
) -> None:
    """Two migrations, four batches, the swap."""
    old = state(path)
    newer.setattr(upgrade, "BATCH", 3)
    newer_release.begin(newer, steps=newer_release.STEPS)
    copy, seen, number = path.with_name("whole.db"), set[str](), 1
    with closing(connect(path)) as db:
        db.execute("VACUUM INTO ?", (str(copy),))
    upgrade.upgrade(copy)
    after = state(copy)
    assert because(copy) == {"gone"}
    while True:
        each = path.with_name(f"{number}.db")
        with closing(connect(path)) as db:
            db.execute("VACUUM INTO ?", (str(each),))
        killed = _killed_at(each, number, counted)
        found = state(each)
        is_new = because(each) == {"gone"}
        for name in old.keys() - {"migration", "release"}:
            assert found[name] == (after if is_new else old)[name], (number, name)
        done = [row[0] for row in found["migration"]]
        assert len(found.get("note", ())) == len([n for n in done if n > 1]), "a migration is whole or not there"
        seen.add(f"{'new' if is_new else 'old'} {max(done)}")
        upgrade.upgrade(each)
        assert state(each) == after, number
        assert not [name for name in left_over(each) if name.startswith(f"{number}.")]
        if not killed:
            break
        number += step
    assert seen <= {"old 1", "old 2", "old 3", "new 3"}
    assert len(seen) == 4 or step > 1


def test_killed_while_it_folds_it_begins_anew(path: Path, newer: pytest.MonkeyPatch) -> None:
    newer.setattr(upgrade, "BATCH", 3)
    newer_release.begin(newer)

    def stop(done: int, of: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upgrade.upgrade(path, stop)
    assert because(path) == {"left"}
    with closing(connect(path)) as db, pytest.raises(OtherRelease):
        create(db)
    told = list[int]()
    upgrade.upgrade(path, lambda done, of: told.append(done))
    assert told == [3, 6, 9, 10]
    assert because(path) == {"gone"}


@pytest.mark.parametrize(
    "sql",
    ["UPDATE person SET name = 'Mallory'", "UPDATE folded SET size = 99", "DROP TABLE folded"],
    ids=["forged", "a longer one", "half begun"],
)
def test_what_lies_beside_is_never_used(path: Path, newer: pytest.MonkeyPatch, sql: str) -> None:
    newer.setattr(upgrade, "BATCH", 3)
    newer_release.begin(newer)
    with closing(connect(path)) as db:
        upgrade._begun(Path(f"{path}.beside")).close()
        with closing(connect(Path(f"{path}.beside"))) as beside:
            upgrade._fold(db, beside, lambda done, of: None)
            beside.execute(sql)
    told = list[int]()
    upgrade.upgrade(path, lambda done, of: told.append(done))
    assert told == [3, 6, 9, 10]
    assert compare(path) == []


def test_a_file_that_is_no_database_is_begun_anew(path: Path, newer: pytest.MonkeyPatch) -> None:
    newer_release.begin(newer)
    Path(f"{path}.beside").write_text("x" * 5000)
    upgrade.upgrade(path)
    assert compare(path) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE release SET state = '{', stamp = 'x'", "row of the release is damaged: its state"),
        ("UPDATE release SET kinds = '[]', stamp = 'x'", "row of the release is damaged: its kinds"),
        ("""UPDATE release SET kinds = '{"person.added": "x"}', stamp = 'x'""", "damaged: its kinds"),
        ("UPDATE release SET name = x'ff', stamp = 'x'", "damaged: its name"),
        ("DELETE FROM head", "no head row"),
        ("UPDATE head SET size = 6", "the head counts 6 entries"),
        ("UPDATE head SET size = 'x'", "the head counts x entries"),
        ("UPDATE entry SET time = 'x' WHERE idx = 2", "entry 2 .* cannot be read: its time"),
    ],
)
def test_rows_that_say_nothing_are_refused_and_the_state_stands(path: Path, sql: str, said: str) -> None:
    before = state(path)["person"]
    with closing(connect(path)) as db:
        db.execute(sql)
    with pytest.raises(Corrupt, match=said):
        upgrade.upgrade(path, anyway=True)
    assert state(path)["person"] == before


@pytest.mark.parametrize("name", ["table entry", "table person; DROP TABLE entry", "table head"])
def test_a_name_in_the_row_of_the_release_is_not_dropped(path: Path, name: str) -> None:
    before = state(path)
    with closing(connect(path)) as db:
        db.execute("UPDATE release SET state = json_set(state, ?, 'x'), stamp = 'x'", (f'$."{name}"',))
    upgrade.upgrade(path)
    assert state(path) == before


def _write_until_refused(writer: Writer) -> int:
    """How many people came and left before the writer was told that the tables are another release's."""
    number = 1000
    with suppress(OtherRelease):
        while True:
            write(writer, person(number), PersonDisabled(f"per_{number}", None, "left"))
            number += 1
    with pytest.raises(OtherRelease, match=r"OnePAM 0\.2\.0, and this is 0\.1\.0"):
        write(writer, person(number))
    return number - 1000


def test_the_older_process_writes_until_the_tables_are_changed_and_then_no_more(path: Path) -> None:
    """Two releases at once: what the older one wrote while the newer one rebuilt is in the new state."""
    reader = SqliteReader(path, lambda: Instant(time.time_ns() // 1000), threads=1)
    with closing(reader), closing(fresh(path)) as writer:
        reader.now(lambda db, at: None)
        newer = subprocess.Popen([sys.executable, "-m", "tests.store.newer_release", str(path)], stdout=subprocess.PIPE)
        written = _write_until_refused(writer)
        with pytest.raises(OtherRelease):
            reader.now(lambda db, at: None)
        with pytest.raises(OtherRelease):
            compare(path)
        said, _ = newer.communicate(timeout=60)
    assert said.decode() == "[]\n", "the newer release finds the state to be what the ledger says"
    assert written > 0
    assert because(path) == {"gone"}
    with pytest.raises(OtherRelease, match=r"opened by OnePAM 0\.2\.0, and this is 0\.1\.0"):
        plan_of(path)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE entry SET body = x'5b5d' WHERE idx = 4", "entry 4 .* cannot be read"),
        ("DELETE FROM payload WHERE idx = 3", "entry 3 has lost its payload without an erasure"),
        ("DELETE FROM entry WHERE idx = 3", "entries from 0 on some are missing"),
    ],
    ids=["unreadable", "lost payload", "lost entry"],
)
def test_a_ledger_that_gives_no_state_leaves_the_old_one(
    path: Path, newer: pytest.MonkeyPatch, sql: str, said: str
) -> None:
    with closing(connect(path)) as db:
        db.execute(sql)
    newer_release.begin(newer)
    before = state(path)
    with pytest.raises(Corrupt, match=f"{said}.*the state is left as it was"):
        upgrade.upgrade(path)
    assert state(path) == before


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("INSERT INTO migration VALUES (99, 'x', 'd', '0.9.0')", "does not know migration 99"),
        ("UPDATE migration SET digest = 'd'", "does not know migration 1"),
        ("UPDATE release SET kinds = json_set(kinds, '$.\"door.seen\"', 1)", r"does not know door\.seen v1"),
        ("UPDATE release SET kinds = json_set(kinds, '$.\"person.added\"', 2)", r"does not know person\.added v2"),
        ("UPDATE release SET state = '{}'", "does not know how its state is made"),
    ],
)
def test_a_folder_from_the_future_is_refused_with_words(path: Path, sql: str, said: str) -> None:
    with closing(connect(path)) as db:
        db.execute(sql)
        db.execute("UPDATE release SET name = '0.9.0', stamp = 'x'")
        words = (
            f"opened by OnePAM 0.9.0, and this is 0.1.0, which {said}: install 0.9.0 or newer, or restore the backup"
        )
        with pytest.raises(OtherRelease, match=words):
            plan_of(path)
        with pytest.raises(OtherRelease, match=words):
            upgrade.upgrade(path)
        with pytest.raises(OtherRelease, match=words):
            create(db)


def test_a_layout_of_before_is_refused(path: Path) -> None:
    with closing(connect(path)) as db:
        db.execute("PRAGMA user_version = 5")
        with pytest.raises(Corrupt, match="has layout 5; this release knows layout 7"):
            create(db)


def test_a_release_that_only_adds_is_ready_in_a_moment(path: Path, newer: pytest.MonkeyPatch) -> None:
    """A table or an index that is new, or gone, needs no entry to be read."""
    with closing(connect(path)) as db:
        db.execute("DROP TABLE disk")
        db.execute("CREATE INDEX person_by_manager ON person (manager)")
        db.execute("DROP INDEX person_by_email")
        db.execute("UPDATE release SET stamp = 'x', state = json_remove(state, '$.\"table disk\"')")
    plan = plan_of(path)
    assert (plan.needed, plan.changed, plan.seconds) == (True, (), 0)
    upgrade.upgrade(path, lambda done, of: pytest.fail("nothing is folded"))
    with closing(connect(path)) as db:
        indexes = {each[0] for each in rows(db, "SELECT name FROM sqlite_master WHERE tbl_name = 'person'")}
    assert "person_by_email" in indexes
    assert "person_by_manager" not in indexes
    assert compare(path) == []


def test_two_that_upgrade_at_once(path: Path) -> None:
    command = [sys.executable, "-m", "tests.store.newer_release", str(path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    assert [each.communicate(timeout=120)[0] for each in both] == [b"[]\n", b"[]\n"]


def test_how_long_it_takes_is_told_from_the_entries() -> None:
    long = upgrade.Plan("0.1.0", 1_000_000, (), ("engine",), True)
    assert 60 < long.seconds < 600
    assert upgrade.Plan("0.1.0", 1_000_000, (), (), True).seconds == 0
