"""Creating the database, and the number of its layout."""

from onepam.kernel.errors import Corrupt
from onepam.store.database import Db, row
from onepam.store.project import STATE_TABLES
from onepam.store.tables import LEDGER_SCHEMA
from onepam.store.views import EVIDENCE_VIEWS

LAYOUT = 5


def create(db: Db, *, indexed: bool = True) -> None:
    """Creates what is missing; without the indexes of the state tables for a fold, which only looks up keys.

    Raises `Corrupt` for a database of another layout.
    """
    found = row(db, "PRAGMA user_version")
    version = found[0] if found else 0
    if version not in (0, LAYOUT):
        raise Corrupt(f"the database has layout {version}; this release knows layout {LAYOUT}")
    db.executescript(LEDGER_SCHEMA + "".join(table.schema(indexed=indexed) for table in STATE_TABLES) + EVIDENCE_VIEWS)
    db.execute(f"PRAGMA user_version = {LAYOUT}")
