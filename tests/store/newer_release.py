"""A release that makes other rows: `python -m tests.store.newer_release PATH` upgrades the database at PATH to it."""

import sys
from pathlib import Path

import pytest

from onepam.domain.people.events import PersonDisabled
from onepam.store.db import Db
from onepam.store.engine import projections as registry
from onepam.store.engine import release
from onepam.store.engine.projections import Place
from onepam.store.engine.rebuild import compare
from onepam.store.engine.upgrade import upgrade
from onepam.store.migrations import Migration, migrations
from onepam.store.project import people

STEPS = (
    Migration(2, "a_note", "CREATE TABLE note (idx INTEGER PRIMARY KEY);\nINSERT INTO note VALUES (1);\n"),
    Migration(3, "a_note_more", "INSERT INTO note VALUES (2);\nCREATE INDEX note_by_idx ON note (idx);\n"),
)


def disabled(db: Db, place: Place, event: PersonDisabled) -> None:
    """As this release's, and the person's manager goes."""
    key = {"person": event.person}
    people.PERSON.change(db, place.time, key, enabled=0, manager=None, because="gone")


def begin(patch: pytest.MonkeyPatch, *, steps: tuple[Migration, ...] = (), name: str = "0.2.0") -> None:
    """This process is the newer release from now on, and must forget it again: `release.this_release.cache_clear`."""
    patch.setitem(registry._projections, PersonDisabled, disabled)
    patch.setattr(release, "migrations", lambda: (*migrations(), *steps))
    patch.setattr(release, "__version__", name)
    release.this_release.cache_clear()


def main(path: Path) -> None:
    """Upgrades, says so, and compares the state with the ledger."""
    with pytest.MonkeyPatch.context() as patch:
        begin(patch)
        upgrade(path)
        sys.stdout.write(f"{compare(path)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
