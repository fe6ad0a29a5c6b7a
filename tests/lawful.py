"""Whether the histories that tests leave behind were lawful, but for what the tests laid down by hand.

What the product wrote is judged on top of that: so a rule that is too strict, or a decider that is too lax, is found by
every test that goes through real doors. An entry is by hand where no decider of the product gave it; it is known by its
leaf, in whatever copy it lies.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from onepam.kernel.errors import Fault
from onepam.ledger.check import check
from onepam.ledger.findings import Row
from onepam.ledger.lawful.rows import of_rows, through
from onepam.store.as_stored import stored_batches, stored_rows
from onepam.store.db import Db, row
from onepam.store.engine.database import DatabaseError, connect
from onepam.store.engine.writer import Writer

_by_hand: set[bytes] = set()
_judged: set[Path] = set()
_looked_at: set[Path] = set()

_SQLITE = b"SQLite format 3\0"


def laid_by_hand(*leaves: bytes) -> None:
    """Notes entries that a test wrote past the writer."""
    _by_hand.update(leaves)


@contextmanager
def listening() -> Iterator[None]:
    """Notes each entry that a decider of a test's gives. What tests and benchmarks alike go through asks for it, too,
    so it may be within itself."""
    written = Writer._append

    def noted(writer: Writer, job: Any, *rest: Any) -> Any:
        before = len(writer._leaves)
        after = written(writer, job, *rest)
        if not _of_product(job.decide):
            _by_hand.update(writer._leaves[before:])
        return after

    Writer._append = noted  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Writer._append = written  # type: ignore[method-assign]


def _of_product(decide: Callable[..., object]) -> bool:
    while isinstance(decide, partial):
        decide = decide.func
    return decide.__module__.startswith("onepam.")


def assert_lawful(database: Path) -> None:
    """Names each entry that used a right which the history did not give; what is laid by hand may."""
    _judged.add(database.resolve())
    found = unlawful(database)
    assert not found, "\n".join(found)


def meant_unlawful(database: Path) -> None:
    """Notes that a test has made the product do there what the history gave no right to."""
    _judged.add(database.resolve())


def unlawful(database: Path) -> list[str]:
    """What is not lawful, in words. Of a history that the test has altered, or that cannot be read, nothing is asked:
    that it is broken comes first."""
    judging, hand = of_rows(), set[int]()
    with closing(connect(database, read_only=True)) as db:
        begins = {each[0] for each in stored_batches(db, 0)}.__contains__
        if check(through(judging, _noted(db, hand), begins)).findings:
            return []
    return [each.words() for each in judging.end().findings if each.position not in hand]


def _noted(db: Db, hand: set[int]) -> Iterator[Row]:
    for each in stored_rows(db, 0):
        found = Row(*each)
        if found.leaf in _by_hand:
            hand.add(found.position)
        yield found


def new_folders(base: Path) -> list[Path]:
    """Those in a folder that were not there when it was asked for last."""
    found = [each for each in base.iterdir() if each not in _looked_at and not each.is_symlink()]
    _looked_at.update(found)
    return found


def unlawful_in(folders: list[Path]) -> list[str]:
    """The same of every ledger below that nobody has asked for yet, each with its place."""
    found = list[str]()
    for path in sorted(path for each in folders for path in each.rglob("*")):
        with suppress(OSError, DatabaseError, Fault):  # what cannot be read was spoilt, and no ledger any more
            if path.resolve() not in _judged and _is_ledger(path):
                found += [f"{path}: {each}" for each in unlawful(path)]
    return found


def _is_ledger(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            return False
    with closing(connect(path, read_only=True)) as db:
        return row(db, "SELECT 1 FROM sqlite_master WHERE name = 'entry' AND type = 'table'") is not None
