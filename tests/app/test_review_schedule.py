"""When reviews fall due by a file: in force at once where it asks more, else by two administrators, and lawful."""

from pathlib import Path

import pytest

from onepam.app.matrix.approve_change import approve_change
from onepam.app.people.change_person import change_person
from onepam.app.reviews.open_review import open_period
from onepam.domain.access.review_schedule import Every, Suspends
from onepam.domain.matrix.changing import Applied, Proposed
from onepam.domain.people.adding import Attributes
from onepam.domain.reviews.events import Scope
from onepam.domain.reviews.opening import Opened
from onepam.jobs.reviews import Reviewing
from onepam.kernel.clock import DAY, parse
from onepam.store.read.review_calendar import calendar, period_due, schedule
from onepam.store.read.reviews import reviews
from tests.app.test_reviews import apply
from tests.company import Company, refused
from tests.matrix_company import FILE, founded

pytestmark = pytest.mark.anyio

ON = """
reviews:
  on: [mover, widened]
"""
MONTHLY = """
reviews:
  every: month
  lasts: 7d
  suspends: everything
  fallback: bob@example.com
  holidays: ["2026-04-01", saturday, sunday, "2026-04-09"]
"""


async def test_whoever_moves_and_what_gives_more_is_reviewed(tmp_path: Path) -> None:
    made = await founded(tmp_path)
    job = Reviewing(made.ledger, made.reader)
    try:
        await move(made, "eve", "max")
        assert isinstance(await apply(made, FILE + ON, "chg_1"), Applied)
        await job.turn()
        assert await made.reader(reviews, None, "ada", True) == ()
        await move(made, "eve", "bob")
        await move(made, "aud", "bob")  # who had no manager before: nobody moved
        wider = (FILE + ON).replace("longest: 8h", "longest: 9h")
        proposed = await apply(made, wider, "chg_2")
        assert isinstance(proposed, Proposed)
        yes = await approve_change(made.ledger, made.actor("bob"), "chg_2", proposed.plan.digest, wider)
        assert isinstance(yes, Applied)
        await job.turn()
        await job.turn()
        found = await made.reader(reviews, None, "ada", True)
        assert {(each.scope, each.items) for each in found} == {
            (Scope(roles=("engineer",)), 1), (Scope(people=("eve",)), 1),
        }  # fmt: skip
        await move(made, "eve", "max")
        await job.turn()
        assert len(await made.reader(reviews, None, "ada", True)) == 2  # one a day
        made.clock.advance(2 * DAY)
        await job.turn()
        assert len(await made.reader(reviews, None, "ada", True)) == 3
    finally:
        made.close()


async def move(made: Company, person: str, manager: str) -> None:
    known = Attributes(f"{person.title()} Example", f"{person}@example.com", manager=manager)
    assert await change_person(made.ledger, made.actor("ada"), person, known) is None


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
