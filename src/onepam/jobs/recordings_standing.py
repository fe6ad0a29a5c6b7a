"""The line *recordings* of a verification: what the checks of the recordings, themselves entries, have said, or what
reading all of them again says now."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from onepam.domain.sessions.recordings import Checked, Condition
from onepam.jobs.recording_check import check_all, key_beside
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Fault
from onepam.ledger.verdict import Recordings
from onepam.store.engine.reader import SqliteReader
from onepam.store.read.recordings import standing
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys

_COUNTED = {
    Condition.MISSING: "missing",
    Condition.CUT: "cut",
    Condition.ALTERED: "altered",
    Condition.FOREIGN: "foreign",
    Condition.KEY_MISSING: "unopened",
    Condition.KEY_ALTERED: "unopened",
    Condition.UNREADABLE: "unopened",
    Condition.UNASKED: "unasked",
}


def recordings_standing(database: Path, clock: Clock) -> tuple[Recordings, list[Checked]]:
    """How many recordings the ledger says there are, what is known of them, and which are bad."""
    with closing(SqliteReader(database, clock, threads=1)) as reader:
        known = reader.now(standing)
    return counted(known.bad, known.total, known.checked, known.as_of), list(known.bad)


def recordings_read(data: Path, clock: Clock, told: Callable[[int, int], None]) -> tuple[Recordings, list[Checked]]:
    """Reads every recording of the data folder; which are bad, or not vouched for to their end. Raises `Fault` where
    the master keys are not here."""
    try:
        keys = FileKeys(data / "master-keys.json", secrets.token_bytes, read_only=True)
    except FileNotFoundError:
        raise Fault(f"the master keys are not in {data}: give --no-recordings, or run it where they are") from None
    folder = data / "recordings"
    with closing(SqliteReader(data / "ledger.db", clock, threads=1)) as reader:
        found = list(check_all(reader, folder, key_beside(folder, Envelope(keys, secrets.token_bytes)), told))
    return counted(found, len(found), len(found), clock()), [each for each in found if each.found]


def counted(found: Iterable[Checked], total: int, checked: int, as_of: Instant | None) -> Recordings:
    """The line over what was `found`: how many of `total` were `checked`, and the bad ones by what they are."""
    counts = Counter(_COUNTED[each.condition] for each in found if not each.condition.good)
    return Recordings(total=total, checked=checked, as_of=as_of, **counts)
