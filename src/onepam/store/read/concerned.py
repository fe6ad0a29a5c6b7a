"""The entries that concern a person, a resource, or one person on one resource: by what their bodies name, themselves
or by the id of a session, a request or a binding that is theirs.

No index is kept of it: it would cost every commit and every fold. A page looks back through a bounded part of the
ledger, says how far, and goes on from there: by itself, a look at a time, until it is full.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from onepam.app.ports import Snapshot
from onepam.domain.history.event import kinds
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.entries import entries, size_at
from onepam.store.engine.tables import AT
from onepam.store.read.console import Entries
from onepam.store.read.paging import Window
from onepam.store.read.proofs_of_sign_in import people_meant

LOOKED = 5_000
"""Entries that one look goes through at most: a dozen milliseconds of processor."""

_NAMES = ("one", "two", "three", "four", "five")
"""The parameters of a statement for the people who are meant: so many at most have one address or name."""

_LINKS = ("session", "request", "binding")
"""The fields that link: an entry of a kind that has one names somebody's session, request or binding, and maybe nobody.
Each is the name of its table, too."""


@cache
def linking() -> dict[str, frozenset[str]]:
    """By kind of entry, of those that name nobody: the fields that link it to somebody."""
    found = {
        each.name: frozenset(each.open_fields) & frozenset(_LINKS)
        for each in kinds()
        if "person" not in each.open_fields
    }
    return {kind: links for kind, links in found.items() if links}


def _linking(field: str) -> str:
    """The kinds that have the field and no person, as a list in SQL."""
    return ", ".join(f"'{kind}'" for kind, links in sorted(linking().items()) if field in links)


@dataclass(frozen=True, slots=True)
class Concern:
    """Whom or what entries must concern: the ids of `people`, one of them, and `resource`; empty: anybody, anything."""

    people: tuple[str, ...] = ()
    resource: str = ""


def meant(db: Snapshot, at: Instant, who: str) -> tuple[str, ...]:
    """The ids of whoever is meant by an id, an address or a whole name."""
    if found := people_meant(db, at, who):
        return tuple(found[: len(_NAMES)])
    same = f"SELECT person FROM person WHERE lower(name) = lower(:who) AND {AT} ORDER BY person LIMIT 5"
    return tuple(each["person"] for each in rows(db, same, {"who": who, "at": at}))


def known_resource(db: Snapshot, at: Instant, resource: str) -> bool:
    """Whether a resource has, or had, this name by `at`."""
    known = "SELECT 1 FROM resource WHERE resource = :resource AND valid_from <= :at LIMIT 1"
    return row(db, known, {"resource": resource, "at": at}) is not None


def concerning(
    db: Snapshot, at: Instant, window: Window, which: Collection[str], since: Instant | None, concern: Concern
) -> Entries:
    """The entries of these kinds, not older than `since`, that were there at `at` and concern them, after the one whose
    index is the window's cursor: of the newest `LOOKED` of them."""
    cursor, size = window.after, size_at(db, at)
    first = 0 if since is None else size_at(db, Instant(since - 1))
    before = min(size, int(cursor)) if cursor.isascii() and cursor.isdigit() and len(cursor) < 17 else size
    low = max(first, before - LOOKED)
    where, values = _where(concern, at)
    found = [
        each["idx"]
        for each in rows(
            db,
            "SELECT idx FROM (SELECT idx, kind, CAST(body AS TEXT) AS said FROM entry WHERE idx >= :low "
            "AND idx < :before AND kind IN (SELECT value FROM json_each(:kinds))) e "
            f"WHERE {where} ORDER BY idx DESC LIMIT :most",
            {**values, "low": low, "before": before, "kinds": json.dumps(list(which)), "most": window.most + 1},
        )
    ]
    shown = tuple(stored for each in found[: window.most] for stored in entries(db, each, each + 1))
    if len(found) > len(shown):
        return Entries(shown, str(shown[-1].header.index))
    if low <= first:
        return Entries(shown, "")
    reached = row(db, "SELECT time FROM entry WHERE idx = :low", {"low": low})
    return Entries(shown, str(low), Instant(reached[0]) if reached is not None else None)


def _where(concern: Concern, at: Instant) -> tuple[str, dict[str, str | int]]:
    """The condition on an entry `e` with its body as `said`. Ids stand in quotes: no other word of a body is one."""
    parts, values = list[str](), dict[str, str | int]({"at": at})
    if concern.people:
        called = dict(zip(_NAMES, concern.people, strict=False))
        named = [f"instr(e.said, :{name}) > 0" for name in called]
        values |= {name: json.dumps(each) for name, each in called.items()}
        values["people"] = json.dumps(concern.people)
        whose = "{column} IN (SELECT value FROM json_each(:people))"
        parts.append(" OR ".join([*named, *_linked(whose.format(column="person"), whose.format(column="subject"))]))
    if concern.resource:
        values |= {"resource": concern.resource, "named": f'"resource":{json.dumps(concern.resource)}'}
        parts.append(" OR ".join(["instr(e.said, :named) > 0", *_linked("resource = :resource", "")]))
    return " AND ".join(f"({part})" for part in parts) or "1 = 1", values


def _linked(of: str, bound: str) -> list[str]:
    """Entries of the kinds of `_LINKS` by what the tables say is theirs; `of` and `bound` are conditions on its row."""
    tables = {"session": of, "request": of, "binding": bound}
    return [
        f"(e.kind IN ({_linking(field)}) AND json_extract(e.said, '$.{field}') IN "
        f"(SELECT {field} FROM {field} WHERE {tables[field]} AND valid_from <= :at))"
        for field in _LINKS
        if tables[field]
    ]
