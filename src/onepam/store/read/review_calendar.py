"""By what reviews fall due, and what did: the calendar, each period with the review that it had."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.review_schedule import BUILT_IN, Every, Suspends, Trigger
from onepam.domain.reviews.calendar import due_since, upcoming
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import schedules
from onepam.store.facts.review_triggers import triggered
from onepam.store.read.names import Called


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """By what reviews fall due (`lasts` in microseconds), and which one is next."""

    every: Every
    lasts: int
    suspends: Suspends
    fallback: str | None
    fallback_name: str
    holidays: tuple[str, ...]
    on: tuple[Trigger, ...]
    next_period: str
    next_opens: Instant


@dataclass(frozen=True, slots=True)
class Due:
    """A period for which a review was due, and the review that it had; "" where it had none: it was missed."""

    period: str
    begins: Instant
    review: str
    opened: Instant | None
    closed: Instant | None
    signed: Instant | None


def schedule(db: Snapshot, at: Instant) -> ScheduleRow:
    """By what reviews fall due now."""
    found = schedules(db, at)
    it = found[-1].schedule if found else BUILT_IN
    following = upcoming(it, at)
    return ScheduleRow(
        every=it.every,
        lasts=it.lasts,
        suspends=it.suspends,
        fallback=it.fallback,
        fallback_name=Called(db, at)[it.fallback] if it.fallback else "",
        holidays=it.holidays,
        on=it.on,
        next_period=following.period,
        next_opens=following.opens,
    )


def period_due(db: Snapshot, at: Instant) -> bool:
    """Whether the period that runs waits for its review."""
    due = due_since(_founded(db, at), schedules(db, at), at)
    if not due:
        return False
    had = row(db, f"SELECT 1 FROM review WHERE period = :period AND {AT}", {"period": due[-1].period, "at": at})
    return had is None


def triggers_due(db: Snapshot, at: Instant) -> tuple[Trigger, ...]:
    """What happened of that for which a review of just that opens."""
    return tuple(trigger for trigger, those in triggered(db, at).items() if those)


def calendar(db: Snapshot, at: Instant) -> tuple[Due, ...]:
    """The periods for which a review fell due, the newest first, each with the review that it had."""
    found = rows(
        db,
        "SELECT r.review, r.period, r.opened, r.closed, s.signed FROM review r LEFT JOIN review_signed s "
        "ON s.review = r.review AND s.valid_from <= :at AND :at < s.valid_until "
        "WHERE r.period <> '' AND r.valid_from <= :at AND :at < r.valid_until",
        {"at": at},
    )
    had = {each["period"]: each for each in found}
    made = []
    for due in reversed(due_since(_founded(db, at), schedules(db, at), at)):
        each = had.get(due.period)
        made.append(
            Due(due.period, due.opens, each["review"], each["opened"], each["closed"], each["signed"])
            if each
            else Due(due.period, due.opens, "", None, None, None)
        )
    return tuple(made)


def _founded(db: Snapshot, at: Instant) -> Instant:
    first = row(db, "SELECT time FROM entry WHERE idx = 0")
    founded: Instant = first["time"] if first is not None else at
    return founded
