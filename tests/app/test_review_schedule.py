"""When reviews fall due by a file: in force at once where it asks more, else by two administrators, and lawful."""

from pathlib import Path

import pytest

from onepam.app.reviews.open_review import open_period
from onepam.domain.access.review_schedule import Every, Suspends
from onepam.domain.matrix.changing import Applied, Proposed
from onepam.domain.reviews.opening import Opened
from onepam.kernel.clock import DAY, parse
from onepam.store.read.review_calendar import calendar, period_due, schedule
from onepam.store.read.reviews import reviews
from tests.app.test_reviews import apply
from tests.company import refused
from tests.matrix_company import FILE, founded

pytestmark = pytest.mark.anyio

MONTHLY = """
reviews:
  every: month
  lasts: 7d
  suspends: everything
  fallback: bob@example.com
  holidays: ["2026-04-01", saturday, sunday, "2026-04-09"]
"""


async def test_a_file_says_when_reviews_fall_due(tmp_path: Path) -> None:
    made = await founded(tmp_path)  # on 2 March
    try:
        before = await made.reader(schedule, None)
        assert (before.every, before.next_period) == (Every.QUARTER, "2026-Q2")
        named = await apply(made, FILE + MONTHLY, "chg_1")
        assert isinstance(named, Proposed)  # somebody decides where nobody else can
        assert isinstance(
            await apply(made, FILE + MONTHLY.replace("  fallback: bob@example.com\n", ""), "chg_2"), Applied
        )
        now = await made.reader(schedule, None)
        assert (now.every, now.lasts, now.suspends, now.next_period) == (
            Every.MONTH, 7 * DAY, Suspends.EVERYTHING, "2026-04",
        )  # fmt: skip
        for less in (FILE, FILE + MONTHLY.replace("month", "year"), FILE + MONTHLY.replace("everything", "nothing")):
            assert isinstance(await apply(made, less, f"chg_{len(less)}"), Proposed)
        made.clock.advance(parse("2026-04-01T20:00:00Z") - made.clock())
        refused(await open_period(made.ledger, "rev_0"), "review.not_due")
        made.clock.advance(DAY)
        assert await made.reader(period_due)
        assert isinstance(await open_period(made.ledger, "rev_1"), Opened)
        (found,) = await made.reader(reviews, None, "ada", True)
        assert (found.period, found.suspends, found.fallback) == ("2026-04", Suspends.EVERYTHING, None)
        assert found.closes == found.opened + 8 * DAY  # its last day is a holiday
        (due,) = await made.reader(calendar)
        assert (due.begins, due.review) == (parse("2026-04-02T00:00:00Z"), "rev_1")
    finally:
        made.close()
