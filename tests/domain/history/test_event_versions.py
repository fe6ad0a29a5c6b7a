"""Versions of a kind: what a release wrote is read by all later ones, in the newest form, and by nobody in another."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from onepam.domain.history import event as events
from onepam.domain.history.event import (
    Registry,
    UnknownKind,
    as_stored,
    event,
    every_version,
    is_known,
    is_older,
    join,
    kind_of,
    kind_to_write,
    kinds,
    name_of,
    newest,
    private,
)
from onepam.kernel.canonical import decode


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds of these tests alone."""
    monkeypatch.setattr(events, "_registry", Registry())


@dataclass(frozen=True, slots=True)
class Door1:
    """Version 1: minutes, and a name in the open."""

    door: str
    minutes: int
    colour: str
    comment: str | None = private()


@dataclass(frozen=True, slots=True)
class Door2:
    """Version 2: `minutes` is `seconds` now, `colour` is gone, `side` is new, the comment is called `note`."""

    door: str
    seconds: int
    side: str
    note: str | None = private()


@dataclass(frozen=True, slots=True)
class Door3:
    """Version 3: the number is a text, and how long is what the door's own name says too."""

    door: int
    seconds: int
    side: str
    long: bool
    note: str | None = private()


def _second(old: Door1) -> Door2:
    return Door2(old.door, old.minutes * 60, "left", old.comment)


def _third(old: Door2) -> Door3:
    return Door3(int(old.door), old.seconds, old.side, old.seconds > 600, old.note)


def register(*records: tuple[type, Callable[[Any], Any] | None]) -> None:
    for version, (record, upcast) in enumerate(records, 1):
        event("door.seen", klass="door", control="LOG-03", words="It happened", version=version, upcast=upcast)(record)


def stored(record: Any) -> tuple[str, int, dict[str, Any], dict[str, Any]]:
    kind = kind_of(record)
    body = decode(kind.write_body(record, "digest").encode())
    return kind.name, kind.version, body, decode(kind.write_payload(record).encode())


WRITTEN = Door1("7", 11, "red", "by night")


def test_what_an_older_release_wrote_is_read_in_the_newest_form() -> None:
    """Fields renamed, removed, added, of another type and of another meaning, over two upcasts."""
    register((Door1, None))
    entry = stored(WRITTEN)
    assert join(*entry) == WRITTEN
    events._registry = Registry()
    register((Door1, None), (Door2, _second), (Door3, _third))
    assert as_stored(*entry) == WRITTEN
    assert join(*entry) == Door3(7, 660, "left", True, "by night")
    assert join(*stored(Door2("7", 60, "right"))) == Door3(7, 60, "right", False)
    assert newest(Door3(7, 660, "left", True)) == Door3(7, 660, "left", True)


def test_an_erased_payload_stays_erased_over_upcasts() -> None:
    register((Door1, None), (Door2, _second), (Door3, _third))
    name, version, body, _ = stored(WRITTEN)
    assert join(name, version, body, None) == Door3(7, 660, "left", True, None)


def test_only_the_newest_version_is_walked_and_written() -> None:
    register((Door1, None), (Door2, _second))
    assert [(each.name, each.version) for each in kinds()] == [("door.seen", 2)]
    assert [each.version for each in every_version()] == [1, 2]
    assert kind_to_write(Door2("7", 1, "left")).version == 2
    assert name_of(Door1) == name_of(Door2) == "door.seen"
    with pytest.raises(ValueError, match=r"door\.seen v1 is only read: v2 is written"):
        kind_to_write(WRITTEN)


def test_an_unknown_version_is_named_with_what_this_release_reads() -> None:
    register((Door1, None), (Door2, _second))
    assert is_known("door.seen", 2)
    assert not is_known("door.seen", 3)
    assert [is_older("door.seen", version) for version in (1, 2, 3)] == [True, False, False]
    assert not is_older("door.shut", 1)
    with pytest.raises(UnknownKind, match=r"door\.seen v3: this release reads it up to v2"):
        join("door.seen", 3, {}, None)
    with pytest.raises(UnknownKind, match=r"door\.shut v1: this release knows no such kind"):
        join("door.shut", 1, {}, None)


@pytest.mark.parametrize(
    ("version", "upcast", "klass", "said"),
    [
        (1, None, "door", "v1 is registered twice"),
        (2, None, "door", "v2: an upcast is due"),
        (3, _third, "door", "v3 does not follow"),
        (2, _second, "gate", "v2: its entries are counted in the class door"),
    ],
    ids=["twice", "no upcast", "a gap", "another class"],
)
def test_a_version_that_does_not_follow_is_refused(
    version: int, upcast: Callable[[Any], Any] | None, klass: str, said: str
) -> None:
    register((Door1, None))
    with pytest.raises(ValueError, match=said):
        event("door.seen", klass=klass, control="LOG-03", words="It happened", version=version, upcast=upcast)(Door2)
    assert [each.version for each in every_version()] == [1]


def test_a_first_version_has_nothing_to_be_made_from() -> None:
    with pytest.raises(ValueError, match="upcast is due from version 2 on"):
        event("door.seen", klass="door", control="LOG-03", words="It happened", upcast=_second)(Door1)


def test_an_upcast_that_gives_another_record_is_found() -> None:
    register((Door1, None), (Door2, lambda old: old))
    with pytest.raises(ValueError, match=r"the upcast to door\.seen v2 gives Door1"):
        newest(WRITTEN)
