"""Backups of the installation: that one was made, and that one was proven by restoring it.

The command that makes one must work where nothing else does, so it says nothing to the ledger: it leaves a word in the
data folder, and the gateway tells of it.
"""

from dataclasses import dataclass

from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.kernel.clock import DAY, Instant, later

BACKUP_DAYS = 7
"""How old the newest backup may be where nobody says otherwise (days)."""

LONGEST_BACKUP_DAYS = 366
"""The most that may be said (days)."""


@event(
    "backup.made",
    klass="system",
    control="LOG-04",
    words="The installation was backed up: {backup}, of {entries} entries",
)
@dataclass(frozen=True, slots=True)
class BackupMade:
    """Somebody on the host copied the installation at `copied` (microseconds), with its first `entries` entries. The
    digest of the copy's list of files (SHA-256, hex) is `digest`; `node` is who told, maybe a while later."""

    node: str
    backup: str
    entries: int
    copied: int
    digest: str


@event(
    "backup.proven",
    klass="system",
    control="LOG-04",
    words="The backup {backup} was proven: it restores, and its {entries} entries are those of this history",
)
@dataclass(frozen=True, slots=True)
class BackupProven:
    """Somebody on the host restored a backup at `proven` (microseconds) and threw away what came of it: it was whole,
    it verified, and its first `entries` entries were this ledger's. `digest` is its list's, `node` who told."""

    node: str
    backup: str
    entries: int
    proven: int
    digest: str


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup by its name, how many entries it has, when it was copied, and the digest of its list (SHA-256, hex).
    `proven` is when it was restored for a proof; None for one that was just made."""

    backup: str
    entries: int
    copied: Instant
    digest: str
    proven: Instant | None = None


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """Of when the newest backup is that the ledger knows, and when one was proven last; None before the first."""

    copied: Instant | None
    proven: Instant | None


@dataclass(frozen=True, slots=True)
class WordFacts:
    """What the ledger says of backups, and how many entries it has itself."""

    known: BackupFacts
    size: int


def tell_backup(facts: WordFacts, node: str, found: Backup, now: Instant) -> Decided[bool]:
    """What the ledger does not say yet: that it was made, where no newer one is known, and that it was proven. Whether
    that can be: nothing is told of a backup with more entries than there are, or of a day to come."""
    if found.entries > facts.size or max(found.copied, found.proven or 0) > later(now, DAY):
        return Decided((), False)
    told, known = list[object](), facts.known
    if known.copied is None or known.copied < found.copied:
        told.append(BackupMade(node, found.backup, found.entries, found.copied, found.digest))
    if found.proven is not None and (known.proven is None or known.proven < found.proven):
        told.append(BackupProven(node, found.backup, found.entries, found.proven, found.digest))
    return Decided(tuple(told), True)
