"""A review is signed off by its real use case: by whoever had no part in it, of the figures that they were shown."""

from pathlib import Path

import pytest

from onepam.app.people.change_person import change_person
from onepam.app.reviews.close_review import close_review
from onepam.app.reviews.sign_off import sign_off
from onepam.domain.people.adding import Attributes
from onepam.domain.reviews.events import Verdict
from onepam.kernel.clock import DAY
from onepam.store.read.review_calendar import calendar
from onepam.store.read.review_figures import ReviewFigures, review_figures
from onepam.store.read.reviews import reviews
from tests.app.test_reviews import company, decide
from tests.company import Company, refused

pytestmark = pytest.mark.anyio


async def figures(made: Company, reader: str) -> ReviewFigures:
    found = await made.reader(review_figures, None, "rev_1", reader)
    assert found is not None
    return found


async def sign(made: Company, by: str, seen: str, note: str = "looked at") -> object:
    return await sign_off(made.ledger, made.actor(by), "rev_1", note, seen)


async def test_whoever_had_no_part_in_it_signs_the_figures_that_they_saw(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        assert await decide(made, "max", "vic", "vendor", Verdict.KEEP) is None
        assert await decide(made, "ada", "eve", "engineer", Verdict.REMOVE) is None
        before = await figures(made, "aud")
        assert (before.seen, before.took_part, before.lost) == ("1.0.1.5.1", False, False)
        refused(await sign(made, "aud", before.seen), "review.runs")
        made.clock.advance(15 * DAY)
        assert await close_review(made.ledger, "rev_1") is None
        for who in ("ada", "bob", "max", "aud"):
            await made.sign_in(who)
        await made.unbind("eve", "engineer")
        assert await decide(made, "ada", "aud", "auditor", Verdict.KEEP) is None  # silence had taken it
        refused(await sign(made, "ada", before.seen), "review.took_part")
        refused(await sign(made, "max", before.seen), "right.missing")
        refused(await sign(made, "aud", before.seen), "review.figures")
        now = await figures(made, "max")
        assert (now.seen, now.took_part) == ("2.0.1.4.1", True)
        assert [(await figures(made, who)).lost for who in ("ada", "bob", "aud")] == [True, False, False]
        assert [(each.name, each.items, each.kept) for each in now.reviewers] == [
            ("Ada Example", 2, 1), ("Max Example", 1, 1),
        ]  # fmt: skip
        (row,) = await made.reader(reviews, None, "ada", True)
        assert (row.signed, row.signer_name) == (None, "")
        assert await sign(made, "aud", now.seen) is None
        refused(await sign(made, "aud", now.seen), "review.signed")
        (row,) = await made.reader(reviews, None, "ada", True)
        assert (row.signed is not None, row.signer_name, row.sign_note) == (True, "Aud Example", "looked at")
        assert await made.reader(review_figures, None, "rev_9", "aud") is None
        assert await made.reader(calendar, None) == ()


async def test_whoever_decided_what_somebody_decided_otherwise_later_had_a_part_in_it(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        assert await decide(made, "bob", "ada", "security", Verdict.KEEP) is None
        known = Attributes("Ada Example", "ada@example.com", manager="max")
        assert await change_person(made.ledger, made.actor("bob"), "ada", known) is None
        assert await decide(made, "max", "ada", "security", Verdict.REMOVE) is None
        made.clock.advance(15 * DAY)
        assert await close_review(made.ledger, "rev_1") is None
        await made.sign_in("bob")
        found = await figures(made, "bob")
        assert [each.reviewer for each in found.reviewers] == ["max"]
        assert (found.took_part, found.lost) == (True, False)
        refused(await sign(made, "bob", found.seen), "review.took_part")
