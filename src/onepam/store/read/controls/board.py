"""The board of controls: what each test found last, how it went before, who answers, and since when it fails."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Row as Tested
from onepam.domain.controls.control import Test, Verdict
from onepam.domain.controls.testing import Failing, due, is_untold
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.controls import founded, last_runs, of_owners
from onepam.store.read.controls.populations import run_of
from onepam.store.read.names import Called

TREND = 30
"""Days that a tile's picture shows."""

MOST_RUNS = 400
"""Runs that a control's page lists."""

MOST_ROWS = 200
"""Rows that do not pass that a control's page lists; all are counted."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as it was written down, at the time `at` of its entry; `passed` are the rows that did."""

    at: Instant
    version: int
    begin: Instant | None
    until: Instant
    population: int
    failed: int
    untested: int
    excluded: int
    digest: str
    cause: str
    verdict: Verdict
    by: str | None

    @property
    def passed(self) -> int:
        """Rows that passed."""
        return self.population - self.failed - self.untested - self.excluded


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A control with its last run (None: it never ran), those of the last days, the oldest first, and who answers for
    it ("": nobody yet). `failing` is when its failure began (None: it does not fail), `due` when that is to be mended,
    where somebody said so since."""

    test: Test
    last: RunRow | None
    trend: tuple[RunRow, ...]
    owner: str
    owner_name: str
    failing: Instant | None
    due: Instant | None


@dataclass(frozen=True, slots=True)
class ControlPage:
    """A control with its `runs`, the newest first, and the `rows` of the last one that do not pass, worked out again
    (those of now where there was none); `left` is how many more there are. `same`: they are, with those that pass, what
    the last run's digest is of."""

    control: ControlRow
    runs: tuple[RunRow, ...]
    rows: tuple[Tested, ...]
    left: int
    same: bool


def board(db: Snapshot, at: Instant) -> tuple[ControlRow, ...]:
    """All controls of the catalogue, in its order."""
    called = Called(db, at)
    return tuple(_control(db, at, each, called) for each in TESTS.values())


def control_page(db: Snapshot, at: Instant, control: str) -> ControlPage | None:
    """One control; None where there is none of that id."""
    test = TESTS.get(control)
    if test is None:
        return None
    shown = _control(db, at, test, Called(db, at))
    found = run_of(db, shown.last.until if shown.last else at, control)
    wanted = [each for each in sorted(found.rows) if each.verdict is not Verdict.PASS]
    runs = rows(
        db,
        f"SELECT * FROM control_run WHERE control = :control AND valid_from <= :at ORDER BY valid_from DESC "
        f"LIMIT {MOST_RUNS}",
        {"control": control, "at": at},
    )
    return ControlPage(
        shown,
        tuple(_run(each) for each in runs),
        tuple(wanted[:MOST_ROWS]),
        max(0, len(wanted) - MOST_ROWS),
        shown.last is not None and (found.version, found.digest) == (shown.last.version, shown.last.digest),
    )


def is_anybody_untold(db: Snapshot, at: Instant) -> bool:
    """Whether somebody is to be told that a control fails which they answer for."""
    return any(is_untold(each) for each in of_owners(db, at))


def failing_of(db: Snapshot, at: Instant, owner: str) -> tuple[Failing, ...]:
    """The controls that fail and that somebody answers for."""
    return of_owners(db, at, owner)


def due_now(db: Snapshot, at: Instant) -> tuple[str, ...]:
    """The controls whose test's turn it is."""
    return tuple(each.control.id for each in due(TESTS.values(), last_runs(db, at), founded(db, at), at))


def _control(db: Snapshot, at: Instant, test: Test, called: Called) -> ControlRow:
    of = {"control": test.control.id, "at": at, "since": at - TREND * DAY}
    last = row(db, f"SELECT * FROM control_run WHERE control = :control AND {AT}", of)
    trend = rows(
        db,
        "SELECT * FROM control_run WHERE control = :control AND valid_from > :since AND valid_from <= :at "
        "ORDER BY valid_from",
        of,
    )
    owner = row(db, f"SELECT owner, due, valid_from FROM control_owner WHERE control = :control AND {AT}", of)
    failing = _failing(db, at, test.control.id) if last and last["verdict"] == Verdict.FAIL else None
    said = owner is not None and failing is not None and owner["valid_from"] >= failing
    return ControlRow(
        test=test,
        last=_run(last) if last else None,
        trend=tuple(_run(each) for each in trend),
        owner=owner["owner"] if owner else "",
        owner_name=called.get(owner["owner"], owner["owner"]) if owner else "",
        failing=failing,
        due=owner["due"] if owner and said else None,
    )


def bound(db: Snapshot, at: Instant, binding: str) -> tuple[str, str] | None:
    """The role and the person of a binding by name, as they were last by `at`; None of a group's, and of none."""
    found = row(
        db,
        "SELECT role, subject FROM binding WHERE binding = :binding AND subject_kind = 'person' AND valid_from <= :at "
        "ORDER BY valid_from DESC LIMIT 1",
        {"binding": binding, "at": at},
    )
    return (found["role"], found["subject"]) if found else None


def _failing(db: Snapshot, at: Instant, control: str) -> Instant | None:
    """When the failure began that runs: the first run that failed after the last that did not."""
    of = {"control": control, "at": at, "fail": Verdict.FAIL.value}
    found = row(
        db,
        "SELECT min(valid_from) AS since FROM control_run WHERE control = :control AND valid_from <= :at "
        "AND valid_from > coalesce((SELECT max(valid_from) FROM control_run WHERE control = :control "
        "AND verdict <> :fail AND valid_from <= :at), 0)",
        of,
    )
    return found["since"] if found else None


def _run(found: Row) -> RunRow:
    return RunRow(
        at=found["valid_from"],
        version=found["version"],
        begin=found["begun"],
        until=found["until"],
        population=found["population"],
        failed=found["failed"],
        untested=found["untested"],
        excluded=found["excluded"],
        digest=found["digest"],
        cause=found["cause"],
        verdict=Verdict(found["verdict"]),
        by=found["run_by"],
    )
