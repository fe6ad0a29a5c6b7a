"""Whether the history that a test left behind was lawful: asked of every ledger that real people and machines made."""

from contextlib import closing
from pathlib import Path

from onepam.ledger.findings import Row
from onepam.ledger.lawful.judging import Judging
from onepam.store.as_stored import stored_rows
from onepam.store.engine.database import connect


def assert_lawful(database: Path) -> None:
    """Names each entry that used a right which the history did not give."""
    judging = Judging()
    with closing(connect(database, read_only=True)) as db:
        for each in stored_rows(db, 0):
            judging.take(Row(*each))
    found = judging.end()
    assert not found.findings, "\n".join(each.words() for each in found.findings)
    assert found.entries
