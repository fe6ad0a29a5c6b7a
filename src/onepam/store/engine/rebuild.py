"""Rebuilding every state table from the ledger, and comparing: a row that somebody slipped in is found."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from onepam.kernel.errors import Corrupt
from onepam.store.db import Db, rows
from onepam.store.engine.append import subject
from onepam.store.engine.database import DatabaseError, connect
from onepam.store.engine.entries import Stored, entries, size_of
from onepam.store.engine.projections import Place
from onepam.store.engine.release import check
from onepam.store.engine.schema import create
from onepam.store.engine.tables import StateTable
from onepam.store.engine.whose import ANOTHERS, strays
from onepam.store.project import STATE_TABLES, project

READ_TOGETHER = 50
"""Entries in memory at a time: with more of them, what is read wakes the garbage collector again and again."""
MAX_FINDINGS = 100
ERASED = "payload.erased"


@dataclass(frozen=True, slots=True)
class Difference:
    """A state row that the ledger does not explain (`extra`), or one it demands that is not there (`missing`)."""

    table: str
    kind: str
    row: str


def fold(source: Db, target: Db, progress: Callable[[int, int], None] = lambda done, of: None) -> list[Corrupt]:
    """Projects all entries of `source` into the empty database `target`; what could not be read is returned by name.

    A payload that is missing must have its `payload.erased` entry, and that entry may take what speaks of its person.
    """
    create(target, indexed=False)
    size, missing, erased, faults = size_of(source), set[int](), set[int](), list[Corrupt]()
    target.execute("BEGIN")
    for begin in range(0, size, READ_TOGETHER):
        for stored in entries(source, begin, begin + READ_TOGETHER):
            found = fold_one(target, stored, missing, erased)
            if stored.kind == ERASED and not found:
                said = f"entry {stored.index} ({ERASED})"
                found = [Corrupt(f"{said}: {each}") for each in strays(source, target, stored.event)]
            faults += found
        progress(min(begin + READ_TOGETHER, size), size)
    target.execute("COMMIT")
    faults += [Corrupt(f"entry {index} has lost its payload without an erasure") for index in sorted(missing - erased)]
    return faults[:MAX_FINDINGS]


def fold_one(target: Db, stored: Stored, missing: set[int], erased: set[int]) -> list[Corrupt]:
    """Projects one entry; what is wrong with it. Notes payloads that are not there, and those that were erased."""
    index, kind, time = stored.index, stored.kind, stored.time
    if type(time) is not int or time <= 0:  # a column holds whatever somebody puts there
        return [Corrupt(f"entry {index} ({kind}) cannot be read: its time is none")]
    faults = list[Corrupt]()
    try:
        event = stored.read()
        if stored.payload is not None and stored.person != subject(event):
            faults.append(Corrupt(f"entry {index} ({kind}): {ANOTHERS}"))
        if stored.payload is None and "payload" in stored.fields:
            missing.add(index)
        if kind == ERASED:
            erased.update(event.indexes)
        project(target, Place(index, time), event)
    except Corrupt as error:
        return [*faults, error]
    except DatabaseError as error:
        return [*faults, Corrupt(f"entry {index} ({kind}) cannot be projected: {error}")]
    return faults


def compare(path: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> list[Corrupt | Difference]:
    """What the ledger and the state tables of the database at `path` do not agree on; empty when they do."""
    live = connect(path, read_only=True)
    rebuilt = connect(":memory:")
    try:
        live.execute("BEGIN")
        check(live)
        found: list[Corrupt | Difference] = list(fold(live, rebuilt, progress))
        for table in STATE_TABLES:
            found += _differences(table, live, rebuilt)
        return found[:MAX_FINDINGS]
    finally:
        live.close()
        rebuilt.close()


def _differences(table: StateTable, live: Db, rebuilt: Db) -> list[Difference]:
    have = {tuple(each) for each in rows(live, table.rows_in_order)}
    want = {tuple(each) for each in rows(rebuilt, table.rows_in_order)}
    if have == want:
        return []
    keys = len(table.key)
    extra = [Difference(table.name, "extra", "/".join(map(str, each[:keys]))) for each in sorted(have - want, key=str)]
    lost = [Difference(table.name, "missing", "/".join(map(str, each[:keys]))) for each in sorted(want - have, key=str)]
    return extra + lost
