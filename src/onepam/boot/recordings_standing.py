"""The line *recordings* of a verification: what the newest check of the recordings, itself an entry, has said."""

import contextlib
from pathlib import Path

from onepam.ledger.verdict import Recordings
from onepam.store.database import connect, row


def recordings_standing(database: Path) -> Recordings:
    """How many recordings the ledger says there are, and what is known of them."""
    with contextlib.closing(connect(database, read_only=True)) as db:
        found = row(db, "SELECT count(*) FROM entry WHERE kind = 'session.closed'")
    return Recordings(total=int(found[0]) if found else 0)
