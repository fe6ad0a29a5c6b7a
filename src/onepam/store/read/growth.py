"""How the ledger has grown since somebody looked: for whoever counts what happened, without keeping a list of it."""

from collections import Counter
from dataclasses import dataclass, field

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.entries import entries_of, size_of

MOST = 20_000
"""Entries that are looked at in one question; the rest is left to the next one."""


@dataclass(slots=True)
class Growth:
    """What entries before `until` have told: sessions opened, refused by code, sign-ins failed; and how many entries
    the newest checkpoint covers that was handed out."""

    until: int
    opened: int = 0
    failed_sign_ins: int = 0
    handed_out: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def growth(db: Snapshot, at: Instant, after: int) -> Growth:
    """What the entries with index >= `after` tell."""
    found = Growth(min(size_of(db), after + MOST))
    span = (after, found.until)
    found.opened = _count(db, "session.opened", span)
    found.failed_sign_ins = _count(db, "sign_in.failed", span)
    for each in entries_of(db, ("session.refused",), *span):
        found.refused[each.event.code] += 1
    for each in entries_of(db, ("anchor.handed_out",), *span):
        found.handed_out = each.event.size
    return found


def _count(db: Snapshot, kind: str, span: tuple[int, int]) -> int:
    found = row(db, "SELECT count(*) FROM entry WHERE kind = ? AND idx >= ? AND idx < ?", (kind, *span))
    return int(found[0]) if found is not None else 0
