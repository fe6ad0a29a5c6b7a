"""Entries of an older version in a real ledger are read, followed and folded in the newest form; others are named."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.history import event as events
from onepam.domain.history.event import Registry, event, private
from onepam.domain.history.system import SystemStarted
from onepam.kernel.errors import Corrupt, Fault
from onepam.store.engine import projections
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, entries_of
from onepam.store.engine.projections import projects
from onepam.store.engine.rebuild import compare
from onepam.store.engine.release import this_release
from tests.store.events import fresh, person, write


@dataclass(frozen=True, slots=True)
class Seen1:
    """A door was seen for some minutes."""

    door: str
    minutes: int
    by: str | None = private()


@dataclass(frozen=True, slots=True)
class Seen:
    """A door was seen for some seconds."""

    door: str
    seconds: int
    by: str | None = private()


Release = Callable[..., None]


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Release:
    """Begins a release that knows these versions of the kind `door.seen`; `saw` is its projection."""
    this_release()  # is worked out once; the tables are the same for the releases of these tests
    known, projected = events._registry, projections._projections

    def begin(*versions: type, saw: Callable[..., None] = lambda db, place, event: None) -> None:
        own = Registry()
        own.by_record, own.by_name, own.newest = dict(known.by_record), dict(known.by_name), dict(known.newest)
        monkeypatch.setattr(events, "_registry", own)
        monkeypatch.setattr(projections, "_projections", dict(projected))
        for version, record in enumerate(versions, 1):
            upcast = None if version == 1 else lambda old: Seen(old.door, old.minutes * 60, old.by)
            event("door.seen", klass="door", control="LOG-03", words="It happened", version=version, upcast=upcast)(
                record
            )
        if versions:
            projects(versions[-1])(saw)

    return begin


@pytest.fixture
def path(tmp_path: Path, release: Release) -> Path:
    """A ledger that a release has written which knew version 1."""
    path = tmp_path / "ledger.sqlite"
    release(Seen1)
    with closing(fresh(path)) as writer:
        write(writer, SystemStarted("node-1", "0.7.0", "log", "key", "test"), person(1), Seen1("front", 3, "ada"))
    return path


def test_an_entry_of_an_older_version_is_read_and_folded_in_the_newest(path: Path, release: Release) -> None:
    seen = list[Any]()
    release(Seen1, Seen, saw=lambda db, place, event: seen.append(event))
    with closing(connect(path)) as db:
        (stored,) = entries_of(db, ("door.seen",))
        assert stored.header.version == 1
        assert stored.event == Seen("front", 180, "ada")
    assert compare(path) == []
    assert seen == [Seen("front", 180, "ada")]
    with closing(fresh(path)) as writer:
        write(writer, Seen("back", 1, None))
        with pytest.raises(ValueError, match=r"door\.seen v1 is only read"):
            write(writer, Seen1("front", 3, None))
    with closing(connect(path)) as db:
        assert [each.header.version for each in entries_of(db, ("door.seen",))] == [1, 2]
        assert entries(db, 3, 4)[0].event == Seen("back", 1, None)


@pytest.mark.parametrize("known", [(), (Seen1,)], ids=["kind", "version"])
def test_what_this_release_does_not_know_is_a_fault_that_names_who_reads_it(
    path: Path, release: Release, known: tuple[type, ...]
) -> None:
    release(Seen1, Seen)
    with closing(fresh(path)) as writer:
        write(writer, Seen("back", 1, None), SystemStarted("node-1", "0.8.0", "log", "key", "test"))
    release(*known)
    with closing(connect(path)) as db:
        (stored,) = entries(db, 3, 4)
        reads = "reads it up to v1" if known else "knows no such kind"
        with pytest.raises(
            Corrupt,
            match=rf"entry 3 \(door\.seen\) cannot be read: event kind door\.seen v2: this release {reads}; "
            r"OnePAM 0\.7\.0, which ran when it was written, reads it",
        ):
            _ = stored.event
    assert isinstance(compare(path)[0], Fault)


@pytest.mark.parametrize(
    "sql",
    ["DELETE FROM entry WHERE idx = 0", "UPDATE entry SET body = x'5b' WHERE idx = 0", "UPDATE entry SET body = 5"],
    ids=["gone", "broken", "no text"],
)
def test_without_a_readable_start_no_release_is_named(path: Path, release: Release, sql: str) -> None:
    release()
    with closing(connect(path)) as db:
        db.execute(sql)
        (stored,) = entries(db, 2, 3)
        assert stored.release is None
        with pytest.raises(Corrupt, match=r"entry 2 \(door\.seen\) cannot be read"):
            _ = stored.event


def test_an_old_entry_that_was_altered_is_no_entry(path: Path, release: Release) -> None:
    with closing(connect(path)) as db:
        db.execute("UPDATE payload SET data = CAST(replace(data, 'ada', 'bob') AS BLOB) WHERE idx = 2")
    release(Seen1, Seen)
    with closing(connect(path)) as db, pytest.raises(Corrupt, match="not the one that the ledger names"):
        _ = entries(db, 2, 3)[0].event
