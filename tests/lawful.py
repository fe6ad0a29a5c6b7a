"""Whether the history that a test left behind was lawful, but for what the test laid down by hand.

What the product wrote is judged on top of that: so a rule that is too strict, or a decider that is too lax, is found by
every test that goes through real doors.
"""

from collections.abc import Container
from contextlib import closing
from pathlib import Path
from weakref import WeakKeyDictionary

from onepam.app.ports import Ledger
from onepam.ledger.check import check
from onepam.ledger.findings import Row
from onepam.ledger.lawful.rows import of_rows, through
from onepam.store.as_stored import stored_rows
from onepam.store.engine.database import connect

_by_hand: WeakKeyDictionary[Ledger, set[int]] = WeakKeyDictionary()


def laid_by_hand(ledger: Ledger, size: int, count: int) -> None:
    """Notes that the last `count` entries of the ledger, which has `size` now, are the test's own."""
    _by_hand.setdefault(ledger, set()).update(range(size - count, size))


def by_hand(ledger: Ledger) -> Container[int]:
    """The entries that tests laid down."""
    return _by_hand.get(ledger, set())


def assert_lawful(database: Path, but: Container[int] = ()) -> None:
    """Names each entry that used a right which the history did not give; what is laid by hand (`but`) may. Of a history
    that the test has altered nothing is asked: that it is broken comes first."""
    judging = of_rows()
    with closing(connect(database, read_only=True)) as db:
        altered = check(through(judging, (Row(*each) for each in stored_rows(db, 0)))).findings
    if altered:
        return
    found = [each.words() for each in judging.end().findings if each.position not in but]
    assert not found, "\n".join(found)
