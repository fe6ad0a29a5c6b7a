"""What the console shows beside its pages: two numbers, how far the setup is, and the ledger's entries by kind."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ProposalKind
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.entries import Stored as Stored
from onepam.store.engine.entries import entries, size_at
from onepam.store.engine.tables import AT
from onepam.store.facts.directory_brake import administrators
from onepam.store.facts.holdings import held_roles
from onepam.store.read.backups import backups
from onepam.store.read.directory_brake import held_people, reported_leavers
from onepam.store.read.paging import Window
from onepam.store.read.proposals import count_proposals
from onepam.store.read.requests import count_waiting
from onepam.store.read.reviews import answers_for_others, waiting_for
from onepam.store.read.second_factor import count_without_factor

OVERSEERS = frozenset({ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR})
"""Holders of any of these see what is everybody's; others what is their own. A recording's content is for fewer:
`app.watch_recording`."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How far the setup is.

    `administrators` are enabled, `unpinned` resources have no host key, `factorless` people no second factor;
    `providers` are in force; `backed_up`: a backup was made.
    """

    administrators: int
    roles: int
    resources: int
    unpinned: int
    factorless: int
    providers: int
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """How much is kept: entries, the bytes of output in closed recordings, and the time of the oldest entry."""

    entries: int
    recorded: int
    oldest: Instant


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of the side bar: how much waits for somebody's decision (requests, proposals, accounts that a
    directory ended or reported), how many of it are changes of the matrix, how many live sessions they may see, and how
    many items of reviews wait for them. `answers`: they answer for what somebody else holds, or oversee."""

    waiting: int
    changes: int
    live: int
    reviews: int = 0
    answers: bool = False


def counts(db: Snapshot, at: Instant, person: str) -> Counts:
    """As of `at`, for the person."""
    everybody = any(OVERSEERS.intersection(each.console) for each in held_roles(db, person, at))
    who = "" if everybody else " AND person = :person"
    live = row(db, f"SELECT count(*) FROM session WHERE status = 'open' AND {AT}{who}", {"at": at, "person": person})
    proposed = count_proposals(db, at, person)
    changes = count_proposals(db, at, person, ProposalKind.CHANGE) if proposed else 0
    waiting = count_waiting(db, at, person) + proposed + _held(db, at, person)
    items = waiting_for(db, at, person)
    answers = everybody or items > 0 or answers_for_others(db, at, person)
    return Counts(waiting, changes, live[0] if live else 0, items, answers)


def _held(db: Snapshot, at: Instant, person: str) -> int:
    """How many accounts wait for an administrator's word."""
    if not any(ConsoleRight.ADMINISTER in each.console for each in held_roles(db, person, at)):
        return 0
    return len(held_people(db, at)) + len({each.person for each in reported_leavers(db, at)})


def setup(db: Snapshot, at: Instant) -> Setup:
    """What the checklist of administrators asks."""
    enabled = f"SELECT 1 FROM person WHERE person = :person AND enabled = 1 AND {AT}"
    resources = row(db, f"SELECT count(*), count(*) FILTER (WHERE pins = '[]') FROM resource WHERE {AT}", {"at": at})
    roles = row(db, f"SELECT count(*) FROM role WHERE {AT}", {"at": at})
    connected = row(db, f"SELECT count(*) FROM provider WHERE {AT}", {"at": at})
    return Setup(
        administrators=sum(row(db, enabled, {"person": each, "at": at}) is not None for each in administrators(db, at)),
        roles=roles[0] if roles else 0,
        resources=resources[0] if resources else 0,
        unpinned=resources[1] if resources else 0,
        factorless=count_without_factor(db, at),
        providers=connected[0] if connected else 0,
        backed_up=backups(db, at).copied is not None,
    )


def kept(db: Snapshot, at: Instant) -> Kept:
    """How much the ledger and the recordings hold at `at`."""
    size = size_at(db, at)
    recorded = row(
        db,
        f"SELECT coalesce(sum(bytes), 0) FROM session WHERE {AT}",
        {"at": at},
    )
    oldest = row(db, "SELECT time FROM entry WHERE idx = 0")
    return Kept(size, recorded[0] if recorded else 0, Instant(oldest[0]) if oldest else at)


@dataclass(frozen=True, slots=True)
class Verified:
    """The newest verification of a kind that was written down: when, over how many entries, and whether it found
    nothing."""

    at: Instant
    size: int
    whole: bool


def verified(db: Snapshot, at: Instant) -> dict[str, Verified]:
    """By kind."""
    known = f"SELECT kind, size, findings, valid_from FROM verification WHERE {AT}"
    return {
        each["kind"]: Verified(each["valid_from"], each["size"], not json.loads(each["findings"]))
        for each in rows(db, known, {"at": at})
    }


@dataclass(frozen=True, slots=True)
class Entries:
    """Some entries, the newest first, and the index of the last of them where the list goes on after it (else "").
    `reached`: back to when was looked, where that is not all there is."""

    rows: tuple[Stored, ...]
    next: str
    reached: Instant | None = None


_KINDS = """
WITH RECURSIVE k(kind) AS (
    SELECT min(kind) FROM entry UNION ALL SELECT (SELECT min(kind) FROM entry WHERE kind > k.kind) FROM k
    WHERE k.kind IS NOT NULL)
SELECT kind FROM k WHERE kind IS NOT NULL"""
"""Steps from one kind to the next by the index: the entries of a kind are not looked at."""


def kinds_there(db: Snapshot) -> tuple[str, ...]:
    """The kinds of all entries, also those that only another release knows."""
    return tuple(each["kind"] for each in rows(db, _KINDS))


def listed(db: Snapshot, at: Instant, window: Window, kinds: Collection[str], since: Instant | None = None) -> Entries:
    """The entries of these kinds, not older than `since`, that were there at `at`, after the one whose index is the
    window's cursor."""
    cursor, size = window.after, size_at(db, at)
    first = 0 if since is None else size_at(db, Instant(since - 1))
    before = min(size, int(cursor)) if cursor.isascii() and cursor.isdigit() and len(cursor) < 17 else size
    found = [
        each["idx"]
        for kind in kinds
        for each in rows(
            db,
            "SELECT idx FROM entry WHERE kind = :kind AND idx >= :first AND idx < :before "
            "ORDER BY idx DESC LIMIT :most",
            {"kind": kind, "before": before, "first": first, "most": window.most + 1},
        )
    ]
    newest = sorted(found, reverse=True)[: window.most + 1]
    shown = tuple(stored for each in newest[: window.most] for stored in entries(db, each, each + 1))
    return Entries(shown, str(shown[-1].header.index) if len(newest) > len(shown) else "")


def newest(db: Snapshot, at: Instant) -> Stored | None:
    """The newest entry; None before the first."""
    return entry(db, at, size_at(db, at) - 1)


def entry(db: Snapshot, at: Instant, index: int) -> Stored | None:
    """One entry that was there at `at`."""
    if not 0 <= index < size_at(db, at):
        return None
    return entries(db, index, index + 1)[0]
