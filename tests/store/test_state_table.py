"""State tables: what was so when, and that only the newest row ever ends."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.history.event import kinds
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import Db, row, rows
from onepam.store.engine.database import connect
from onepam.store.engine.projections import Place
from onepam.store.engine.schema import create
from onepam.store.engine.tables import AT, StateTable
from onepam.store.facts.holdings import CHANGES, TOPICS
from onepam.store.project import project, unprojected
from scripts import rooms
from tests.store.samples import sample

TABLE = StateTable(
    "thing",
    ("thing", "place"),
    {"thing": "TEXT NOT NULL", "place": "TEXT NOT NULL", "person": "TEXT", "note": "TEXT", "many": "TEXT"},
    (("person",),),
    personal=("note",),
)
KEY = {"thing": "a", "place": "b"}


@pytest.fixture
def db() -> Iterator[Db]:
    with closing(connect(":memory:")) as db:
        db.executescript(TABLE.schema())
        yield db


def as_of(db: Db, at: int) -> tuple[Any, ...] | None:
    found = row(db, f"SELECT person, note FROM thing WHERE thing = 'a' AND place = 'b' AND {AT}", {"at": at})
    return tuple(found) if found else None


def test_every_past_instant_can_be_asked(db: Db) -> None:
    TABLE.put(db, Instant(10), **KEY, person="p", note="one")
    assert TABLE.change(db, Instant(20), KEY, note="two")
    TABLE.put(db, Instant(30), **KEY, note="three")
    assert TABLE.end(db, Instant(40), **KEY)
    expected = {9: None, 10: ("p", "one"), 19: ("p", "one"), 20: ("p", "two"), 30: (None, "three"), 40: None}
    assert {at: as_of(db, at) for at in expected} == expected


def test_what_is_not_there_is_neither_changed_nor_ended(db: Db) -> None:
    assert not TABLE.change(db, Instant(20), KEY, note="x")
    assert not TABLE.end(db, Instant(20), **KEY)
    assert rows(db, "SELECT * FROM thing") == []


def test_a_column_that_is_not_one_is_refused(db: Db) -> None:
    with pytest.raises(TypeError, match="colour"):
        TABLE.put(db, Instant(1), **KEY, colour="red")


def test_erasing_empties_closed_intervals_too(db: Db) -> None:
    TABLE.put(db, Instant(10), **KEY, person="p", note="one")
    TABLE.change(db, Instant(20), KEY, note="two")
    TABLE.put(db, Instant(15), thing="x", place="y", person="q", note="stays")
    TABLE.erase(db, Instant(30), "p")
    found = {(each["person"], each["note"], each["valid_from"]) for each in rows(db, "SELECT * FROM thing")}
    assert found == {("p", None, 10), ("p", None, 20), ("q", "stays", 15)}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (True, "1"),
        (7, "7"),
        (None, None),
        ("text", "text"),
        (PersonKind.VENDOR, "vendor"),
        ((PersonKind.VENDOR, "x"), '["vendor","x"]'),
        ({"b": 1, "a": None}, '{"a":null,"b":1}'),
    ],
)
def test_values_are_kept_as_text_integers_or_canonical_json(db: Db, value: Any, kept: Any) -> None:
    TABLE.put(db, Instant(1), **KEY, many=value)
    assert rows(db, "SELECT many FROM thing")[0]["many"] == kept


@given(st.lists(st.tuples(st.sampled_from(["put", "change", "end"]), st.integers(1, 3)), max_size=12))
def test_intervals_of_a_key_never_overlap(steps: list[tuple[str, int]]) -> None:
    """Against a dictionary that remembers what was so at each instant."""
    now, note, history = 0, None, dict[int, Any]()
    with closing(connect(":memory:")) as db:
        db.executescript(TABLE.schema())
        for what, pause in steps:
            history.update(dict.fromkeys(range(now, now + pause), note))
            now += pause
            if what == "put":
                TABLE.put(db, Instant(now), **KEY, note=(note := f"n{now}"))
            elif what == "change" and TABLE.change(db, Instant(now), KEY, note=f"c{now}"):
                note = f"c{now}"
            elif what == "end":
                assert TABLE.end(db, Instant(now), **KEY) is (note is not None)
                note = None
        history[now] = note
        for at, expected in history.items():
            assert as_of(db, at) == (None if expected is None else (None, expected))
        current = rows(db, f"SELECT * FROM thing WHERE valid_until = {FOREVER}")
        assert len(current) == (note is not None)


def test_every_kind_of_event_has_a_projection() -> None:
    rooms.load()
    assert unprojected(tuple(kind.record for kind in kinds())) == []


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: f"{kind.name}-{kind.version}")
def test_what_the_writer_remembers_changes_by_the_classes_of_its_topic_only(kind: Any) -> None:
    """Projects one event of each kind, and asks SQLite which tables its statements write."""
    written = set[str]()

    def note(action: int, table: str | None, *rest: object) -> int:
        if action in {9, 18, 23} and table:  # SQLITE_DELETE, SQLITE_INSERT, SQLITE_UPDATE
            written.add(table)
        return 0

    with closing(connect(":memory:")) as db:
        create(db)
        db.set_authorizer(note)
        project(db, Place(0, Instant(1)), sample(kind.record))
    touched = {topic for topic, tables in TOPICS.items() if written & tables}
    assert touched <= set(CHANGES.get(kind.klass, ()))
