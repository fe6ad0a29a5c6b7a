"""Policy documents as people see them: in force, with their versions, and who has confirmed them."""

import json
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.policies import CONFIRMED, READERS, due
from onepam.store.read.names import Called, name

MOST_MISSING = 200
"""Of those who have not confirmed a policy a page names so many."""


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy in force. `mine`: the reader is to confirm it; `confirmed` when they did, None while they have not.
    `asked` are to read it, `done` of them have confirmed this version."""

    policy: str
    version: int
    title: str
    digest: str
    size: int
    media: str
    owner: str
    owner_name: str
    review_by: Instant
    looked_through: Instant | None
    readers: tuple[str, ...]
    published: Instant
    published_by: str
    mine: bool
    confirmed: Instant | None
    asked: int
    done: int


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version that was in force from `published` on."""

    version: int
    title: str
    digest: str
    media: str
    published: Instant
    by_name: str


@dataclass(frozen=True, slots=True)
class MissingRow:
    """Somebody who has not confirmed the version in force, and how often they were told."""

    person: str
    name: str
    times: int


def policies(db: Snapshot, at: Instant, reader: str) -> tuple[PolicyRow, ...]:
    """All that are in force, by title."""
    found = rows(db, f"SELECT * FROM policy WHERE {AT} ORDER BY title, policy", {"at": at})
    return tuple(_row(db, at, each, reader) for each in found)


def policy(db: Snapshot, at: Instant, wanted: str, reader: str) -> PolicyRow | None:
    """One that is in force."""
    found = row(db, f"SELECT * FROM policy WHERE policy = :policy AND {AT}", {"policy": wanted, "at": at})
    return _row(db, at, found, reader) if found is not None else None


def versions(db: Snapshot, at: Instant, wanted: str) -> tuple[VersionRow, ...]:
    """Every version up to `at`, the newest first; also of a policy that is retired."""
    called = Called(db, at)
    found = rows(
        db,
        "SELECT version, title, digest, media, published, published_by FROM policy d WHERE policy = :policy "
        "AND valid_from <= :at AND valid_from = (SELECT min(valid_from) FROM policy f WHERE f.policy = d.policy "
        "AND f.version = d.version) ORDER BY version DESC",
        {"policy": wanted, "at": at},
    )
    return tuple(
        VersionRow(
            each["version"], each["title"], each["digest"], each["media"], each["published"],
            called[each["published_by"]],
        )
        for each in found
    )  # fmt: skip


def missing(db: Snapshot, at: Instant, wanted: str) -> tuple[MissingRow, ...]:
    """Who is to read it and has not confirmed the version in force, by name; so many as a page shows."""
    found = rows(
        db,
        f"SELECT p.person, p.name, coalesce(r.times, 0) AS times FROM policy d JOIN person p ON {READERS} "
        "LEFT JOIN policy_reminded r ON r.policy = d.policy AND r.person = p.person AND r.version = d.version "
        "AND r.valid_from <= :at AND :at < r.valid_until "
        f"WHERE d.policy = :policy AND NOT {CONFIRMED} ORDER BY p.name, p.person LIMIT :most",
        {"policy": wanted, "at": at, "most": MOST_MISSING},
    )
    return tuple(MissingRow(each["person"], each["name"] or each["person"], each["times"]) for each in found)


def waits(db: Snapshot, at: Instant, wanted: str, person: str) -> bool:
    """Whether somebody is to read a policy and has not confirmed the version in force."""
    found = row(
        db,
        f"SELECT 1 FROM policy d JOIN person p ON {READERS} WHERE d.policy = :policy AND p.person = :person "
        f"AND NOT {CONFIRMED}",
        {"policy": wanted, "person": person, "at": at},
    )
    return found is not None


def is_anybody_due(db: Snapshot, at: Instant) -> bool:
    """Whether somebody is to be told that a policy waits for them."""
    return bool(due(db, at, 1))


def _row(db: Snapshot, at: Instant, found: Row, reader: str) -> PolicyRow:
    of = {"policy": found["policy"], "person": reader, "at": at}
    counted = row(
        db,
        f"SELECT count(*) AS asked, coalesce(sum(CASE WHEN {CONFIRMED} THEN 1 ELSE 0 END), 0) AS done, "
        "coalesce(max(CASE WHEN p.person = :person THEN 1 ELSE 0 END), 0) AS mine "
        f"FROM policy d JOIN person p ON {READERS} WHERE d.policy = :policy",
        of,
    )
    said = row(
        db,
        f"SELECT confirmed FROM policy_confirmed WHERE policy = :policy AND person = :person AND version = :version "
        f"AND {AT}",
        {**of, "version": found["version"]},
    )
    assert counted is not None
    return PolicyRow(
        policy=found["policy"],
        version=found["version"],
        title=found["title"],
        digest=found["digest"],
        size=found["size"],
        media=found["media"],
        owner=found["owner"],
        owner_name=name(db, at, found["owner"]),
        review_by=found["review_by"],
        looked_through=found["looked_through"],
        readers=tuple(json.loads(found["readers"])),
        published=found["published"],
        published_by=found["published_by"],
        mine=bool(counted["mine"]),
        confirmed=said["confirmed"] if said is not None else None,
        asked=counted["asked"],
        done=counted["done"],
    )
