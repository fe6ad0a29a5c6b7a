"""What a release is to a database: the migrations it knows, the event kinds it reads, and how it makes state.

A database is of one release at a time: the newest that came. Whoever reads or writes state asks `check` first, so that
a process of an older release, still running, neither reads nor writes tables that a newer one has made.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

from onepam import __version__
from onepam.domain.history.event import kinds
from onepam.kernel.errors import Corrupt, Unavailable
from onepam.store.db import Db, row, rows
from onepam.store.migrations import Migration, migrations
from onepam.store.project.fingerprint import fingerprints

LAYOUT = 7
"""How the records of migrations and of the release are kept (SQLite's `user_version`)."""


UNFINISHED = "unfinished"
"""The stamp of a database between two steps of an upgrade: nobody reads or writes its state."""


class OtherRelease(Unavailable):
    """The database is another release's; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Release:
    """This program. `kinds` are event kinds with their newest version, `state` what rows follow from."""

    name: str
    kinds: Mapping[str, int]
    state: Mapping[str, str]
    steps: tuple[Migration, ...]
    stamp: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a database says of itself; a new one nothing. `done` are migrations with their digests."""

    name: str = ""
    kinds: Mapping[str, int] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    stamp: str = ""
    done: Mapping[int, str] = field(default_factory=dict)
    entries: int = 0


@cache
def this_release() -> Release:
    """What this program is to a database."""
    read = {kind.name: kind.version for kind in kinds()}
    state, steps = fingerprints(), migrations()
    return Release(__version__, read, state, steps, _stamp(read, state, [each.digest for each in steps]))


def _stamp(read: Mapping[str, int], state: Mapping[str, str], digests: list[str]) -> str:
    """All that a release says of itself, in one digest."""
    text = json.dumps([dict(read), dict(state), digests], sort_keys=True)
    return sha256(text.encode("utf-8")).hexdigest()


def standing(db: Db) -> Standing:
    """What the database says of itself. Raises `Corrupt` for one of another layout, and where it contradicts itself."""
    found = row(db, "PRAGMA user_version")
    layout = found[0] if found else 0
    if layout not in (0, LAYOUT):
        raise Corrupt(f"the database has layout {layout}; this release knows layout {LAYOUT}")
    if not layout:
        return Standing()
    done = {each["number"]: each["digest"] for each in rows(db, "SELECT number, digest FROM migration")}
    if not done:
        return Standing()
    entries, release = _counted(db), row(db, "SELECT name, kinds, state, stamp FROM release")
    if release is None:
        return Standing(done=done, entries=entries)
    name, read, state, stamp = release
    if type(name) is not str or type(stamp) is not str:
        raise Corrupt("the row of the release is damaged: its name or stamp is no text")
    return Standing(name, _said("kinds", read, int), _said("state", state, str), stamp, done, entries)


def _counted(db: Db) -> int:
    """How many entries the head counts, which must be those that are there: in one statement, for others write."""
    found = row(db, "SELECT size, (SELECT max(idx) FROM entry) FROM head")
    if found is None:
        raise Corrupt("the ledger has no head row: restore a backup")
    size, last = found
    if size != (0 if last is None else last + 1):
        newest = "there is none" if last is None else f"the newest is entry {last}"
        raise Corrupt(f"the head counts {size} entries, and {newest}: `onepam ledger verify` says more")
    return int(size)


def _said(column: str, text: object, kind: type) -> dict[str, Any]:
    try:
        found = json.loads(text) if type(text) is str else None
    except (ValueError, RecursionError):
        found = None
    if type(found) is not dict or any(type(each) is not kind for each in found.values()):
        raise Corrupt(f"the row of the release is damaged: its {column} cannot be read")
    return found


def altered(db: Db) -> list[str]:
    """What is wrong with the rows of a database that says it is this release's; nothing is the good answer."""
    try:
        found = standing(db)
    except Corrupt as error:
        return [str(error)]
    ours, wrong = this_release(), []
    if not found.stamp:
        return ["the row of the release is gone"]
    if dict(found.done) != {each.number: each.digest for each in ours.steps}:
        wrong.append("the migrations are not those of this release")
    if (dict(found.kinds), dict(found.state)) != (dict(ours.kinds), dict(ours.state)) or not _number(found.name):
        wrong.append("the row of the release is not what this release writes")
    if contradicts_itself(found):
        wrong.append("the stamp of the release does not follow from its row, which a release writes together")
    return wrong


def contradicts_itself(found: Standing) -> bool:
    """Whether the stamp is none that any release would write beside the rest, in an upgrade or after it."""
    digests = [str(found.done[number]) for number in sorted(found.done)]
    return found.stamp not in (UNFINISHED, _stamp(found.kinds, found.state, digests))


def check(db: Db) -> None:
    """Raises `OtherRelease` unless the state is as this release makes it."""
    found = row(db, "SELECT name, stamp FROM release")
    if found is None or found[1] != this_release().stamp:
        refuse_future(standing(db))
        made = f"OnePAM {found[0]}, and this is {__version__}" if found and found[0] != __version__ else "another build"
        raise OtherRelease(
            f"the tables of this ledger were made by {made}: `onepam up` or `onepam ledger rebuild` makes them its own"
        )


def refuse_future(found: Standing) -> None:
    """Raises `OtherRelease` for a database in which a newer release has left what this one cannot know."""
    ours = this_release()
    texts = {each.number: each.digest for each in ours.steps}
    unknown = [f"migration {number}" for number, digest in found.done.items() if texts.get(number) != digest]
    unknown += [f"{kind} v{n}" for kind, n in found.kinds.items() if n > ours.kinds.get(kind, 0)]
    if not unknown and found.state != ours.state and _number(found.name) > _number(ours.name):
        unknown = ["how its state is made"]
    if unknown:
        raise OtherRelease(
            f"this folder was opened by OnePAM {found.name}, and this is {ours.name}, which does not know "
            f"{', '.join(unknown[:5])}: install {found.name} or newer, or restore the backup from before the upgrade"
        )


def record(db: Db) -> None:
    """Writes that the tables are this release's."""
    ours = this_release()
    db.execute(
        "INSERT INTO release VALUES (1, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE "
        "SET name = excluded.name, kinds = excluded.kinds, state = excluded.state, stamp = excluded.stamp",
        (ours.name, json.dumps(ours.kinds), json.dumps(ours.state), ours.stamp),
    )


def _number(name: str) -> tuple[int, ...]:
    """1.12.3 as numbers; empty for a name that is none."""
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", name)
    return tuple(map(int, match.groups())) if match else ()
