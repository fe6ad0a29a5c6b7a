"""The staff roster as pages ask for it: health, versions and entries."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.people.events import PersonKind
from onepam.domain.roster.events import RosterRules, Standing
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.staff import staff_rules
from onepam.store.read.names import Called

MOST_VERSIONS = 100


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version of the roster. `said` are the names of those who would have left, or what was wrong with the file."""

    version: str
    standing: Standing
    digest: str
    source: str
    because: str
    rows: int
    added: int
    changed: int
    ended: int
    leavers: int
    accounts: int
    errors: int
    received: Instant
    by_name: str
    released_by_name: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the roster is pulled from; `secret` is sealed. `directory` holds the settings of one."""

    host: str
    url: str | None
    header: str | None
    secret: str | None
    interval: int
    directory: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class RosterHealth:
    """How the roster stands. `taken` is the version in force, `newest` the last that came, whatever became of it."""

    taken: VersionRow | None
    newest: VersionRow | None
    stale: bool
    rules: RosterRules
    source: Source | None

    @property
    def held(self) -> VersionRow | None:
        """The version that waits for an administrator."""
        waits = self.newest is not None and self.newest.standing in (Standing.HELD, Standing.RELEASED)
        return self.newest if waits else None

    @property
    def trouble(self) -> tuple[str, ...]:
        """What was wrong with the file that came last; empty where nothing was."""
        if self.newest is None or self.newest.standing is not Standing.REFUSED:
            return ()
        return self.newest.said


@dataclass(frozen=True, slots=True)
class EntryRow:
    """Somebody on the roster; the private parts are None once erased."""

    entry: str
    person: str | None
    number: str | None
    name: str | None
    email: str | None
    type: PersonKind
    manager: str | None
    sponsor: str | None
    starts: Instant | None
    ends: Instant | None


@dataclass(frozen=True, slots=True)
class OnRoster:
    """What the roster says of an account; `removed` is when they left by it, None while they are on it. Without an
    entry all is None: the account is on no roster."""

    entry: str | None = None
    number: str | None = None
    since: Instant | None = None
    starts: Instant | None = None
    ends: Instant | None = None
    manager: str | None = None
    sponsor: str | None = None
    removed: Instant | None = None


def health(db: Snapshot, at: Instant) -> RosterHealth:
    """How the roster stands as of `at`."""
    called, rules = Called(db, at), staff_rules(db, at)
    taken = row(
        db,
        f"SELECT * FROM staff_version WHERE standing = 'taken' AND {AT} ORDER BY decided DESC LIMIT 1",
        {"at": at},
    )
    newest = row(db, f"SELECT * FROM staff_version WHERE {AT} ORDER BY decided DESC LIMIT 1", {"at": at})
    return RosterHealth(
        taken=_version(taken, called) if taken else None,
        newest=_version(newest, called) if newest else None,
        stale=taken is not None and taken["received"] <= at - rules.stale_after,
        rules=rules,
        source=source(db, at),
    )


def source(db: Snapshot, at: Instant) -> Source | None:
    """Where the roster is pulled from; None where it is uploaded only."""
    found = row(db, f"SELECT * FROM staff_source WHERE host <> '' AND {AT}", {"at": at})
    if found is None:
        return None
    directory = json.loads(found["directory"]) if found["directory"] else None
    return Source(found["host"], found["url"], found["header"], found["secret"], found["pull_every"], directory)


def versions(db: Snapshot, at: Instant, most: int = MOST_VERSIONS) -> tuple[VersionRow, ...]:
    """The versions by `at`, the newest first."""
    called = Called(db, at)
    found = rows(
        db, f"SELECT * FROM staff_version WHERE {AT} ORDER BY decided DESC LIMIT :most", {"at": at, "most": most}
    )
    return tuple(_version(each, called) for each in found)


def entries(db: Snapshot, at: Instant) -> tuple[EntryRow, ...]:
    """Who is on the roster as of `at`, by name; managers and sponsors by the names that it gives."""
    found = rows(db, f"SELECT * FROM staff_entry WHERE {AT} AND removed IS NULL ORDER BY name, entry", {"at": at})
    called = {each["entry"]: each["name"] or each["entry"] for each in found}
    return tuple(
        EntryRow(
            entry=each["entry"],
            person=each["person"],
            number=each["number"],
            name=each["name"],
            email=each["email"],
            type=PersonKind(each["type"]),
            manager=called.get(each["manager"]),
            sponsor=called.get(each["sponsor"]),
            starts=each["starts"],
            ends=each["ends"],
        )
        for each in found
    )


def of_person(db: Snapshot, at: Instant, person: str) -> OnRoster | None:
    """What the roster says of an account, the living entry first; None while there is no roster."""
    if not in_force(db, at):
        return None
    found = row(
        db,
        "SELECT e.*, "
        "(SELECT min(f.valid_from) FROM staff_entry f WHERE f.entry = e.entry AND f.person = e.person) AS since, "
        "(SELECT m.name FROM staff_entry m WHERE m.entry = e.manager AND m.valid_from <= :at AND :at < m.valid_until) "
        "AS manager_name, "
        "(SELECT m.name FROM staff_entry m WHERE m.entry = e.sponsor AND m.valid_from <= :at AND :at < m.valid_until) "
        "AS sponsor_name FROM staff_entry e "
        "WHERE e.person = :person AND e.valid_from <= :at AND :at < e.valid_until "
        "ORDER BY e.removed IS NOT NULL, e.said DESC LIMIT 1",
        {"at": at, "person": person},
    )
    if found is None:
        return OnRoster()
    over = found["ends"] if found["ends"] is not None and found["ends"] <= at else None
    return OnRoster(
        entry=found["entry"],
        number=found["number"],
        since=found["since"],
        starts=found["starts"],
        ends=found["ends"],
        manager=found["manager_name"],
        sponsor=found["sponsor_name"],
        removed=found["removed"] or over,
    )


def in_force(db: Snapshot, at: Instant) -> bool:
    """Whether a version of the roster was ever taken."""
    return row(db, f"SELECT 1 FROM staff_version WHERE standing = 'taken' AND {AT} LIMIT 1", {"at": at}) is not None


def _version(found: Row, called: Mapping[str, str]) -> VersionRow:
    return VersionRow(
        version=found["version"],
        standing=Standing(found["standing"]),
        digest=found["digest"],
        source=found["source"],
        because=found["because"],
        rows=found["row_count"],
        added=found["added"],
        changed=found["changed"],
        ended=found["ended"],
        leavers=found["leavers"],
        accounts=found["accounts"],
        errors=found["errors"],
        received=found["received"],
        by_name=called.get(found["made_by"], found["made_by"] or ""),
        released_by_name=called.get(found["released_by"], found["released_by"] or ""),
        said=tuple(json.loads(found["said"])) if found["said"] else (),
    )
