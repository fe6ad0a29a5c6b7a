"""What a review recommends on a real ledger: by sessions, bindings, and roles that are kept apart."""

from pathlib import Path
from typing import Any

import pytest

from onepam.app.open_session import Opened
from onepam.app.reviews.decide_item import decide_item, keep_usual
from onepam.domain.reviews.advice import UNUSED_FOR, Odd
from onepam.domain.reviews.events import Verdict
from onepam.kernel.clock import Instant
from onepam.store.db import Db, Rows, Values
from onepam.store.read.review_items import ItemRow
from onepam.store.read.reviews import review_page
from tests.app.test_reviews import opened
from tests.company import Company, refused
from tests.matrix_company import FILE, founded

pytestmark = pytest.mark.anyio

APART = """
separate:
  deciding:
    roles: [engineer, manager]
    because: nobody approves for themselves
"""


async def row_of(made: Company, person: str, role: str) -> ItemRow:
    page = await made.reader(review_page, None, "rev_1", "ada", True, "all")
    assert page is not None
    (row,) = [each for each in page.items if (each.person, each.role) == (person, role)]
    return row


async def test_what_is_not_used_is_better_removed_and_kept_with_a_note(tmp_path: Path) -> None:
    made = await founded(tmp_path)
    try:
        made.clock.advance(UNUSED_FOR)
        for who in ("ada", "bob", "max", "eve"):
            await made.sign_in(who)
        await opened(made)
        row = await row_of(made, "eve", "engineer")
        assert (row.unusual, row.against) == ((Odd.NEVER_USED, Odd.PRIVILEGED), (Odd.NEVER_USED,))
        of = made.ledger, made.actor("max"), "rev_1", "eve", "engineer", Verdict.KEEP
        refused(await decide_item(*of, ""), "review.say_why")
        assert await decide_item(*of, "on call in winter") is None
        assert isinstance(await made.open("eve", "dev-1", "app"), Opened)
        row = await row_of(made, "eve", "engineer")
        assert (row.unusual, row.against) == ((Odd.PRIVILEGED,), ())
        row = await row_of(made, "ada", "administrator")
        assert (row.unusual, row.against) == ((Odd.DIRECT, Odd.PRIVILEGED), ())
    finally:
        made.close()


async def test_only_what_is_as_usual_is_kept_together(tmp_path: Path) -> None:
    plain = FILE.replace("labels: {env: prod", "labels: {env: test").replace("where: {env: prod}", "where: {env: test}")
    made = await founded(tmp_path, plain)
    try:
        assert isinstance(await made.open("eve", "dev-1", "app"), Opened)
        await opened(made)
        everything = (("eve", "engineer"), ("ada", "administrator"), ("max", "manager"), ("eve", "none"))
        refused(await keep_usual(made.ledger, made.actor("ada"), "rev_1", everything), "review.own")
        assert await keep_usual(made.ledger, made.actor("max"), "rev_1", everything) == 1
        assert (await row_of(made, "eve", "engineer")).verdict is Verdict.KEEP
        refused(await keep_usual(made.ledger, made.actor("max"), "rev_1", everything * 26), "review.many_items")
        refused(await keep_usual(made.ledger, made.actor("max"), "rev_9", everything), "review.unusual")
    finally:
        made.close()


class Counting(Db):
    """A connection that counts what it is asked."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.asked = 0

    def execute(self, sql: str, values: Values = (), /) -> Rows:
        self.asked += 1
        found: Rows = self._db.execute(sql, values)
        return found


async def test_a_page_asks_the_tables_once_and_not_once_an_item(tmp_path: Path) -> None:
    made = await Company.create(tmp_path)
    try:
        await made.bind("eve", "auditor")
        await opened(made)

        def asked(db: Any, at: Instant, after: str) -> tuple[int, int]:
            counting = Counting(db)
            page = review_page(counting, at, "rev_1", "ada", True, "all", after)
            assert page is not None
            return len(page.items), counting.asked

        await made.reader(asked, None, "")  # what the review is of is kept in memory from here on
        (many, of_many), (one, of_one) = await made.reader(asked, None, ""), await made.reader(asked, None, "max/x")
        assert (many, one) == (8, 1)
        assert of_many == of_one
    finally:
        made.close()
