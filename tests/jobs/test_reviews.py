"""Reviews by themselves: opened with their period, told of, ended in time, and noted as carried out."""

from pathlib import Path

import pytest

from onepam.app.ports import Snapshot
from onepam.app.reviews.decide_item import decide_item
from onepam.domain.reviews.events import Verdict
from onepam.jobs.reviews import Reviewing
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import row
from onepam.store.read.reviews import ReviewRow, reviews
from tests.company import Company, refused

pytestmark = pytest.mark.anyio


def told(db: Snapshot, at: Instant) -> int:
    found = row(db, "SELECT count(*) FROM review_reminded WHERE valid_from <= :at AND :at < valid_until", {"at": at})
    return int(found[0]) if found else 0


async def shown(company: Company) -> ReviewRow:
    (found,) = await company.reader(reviews, None, "ada", True)
    return found


async def test_a_review_from_its_period_to_its_end(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)  # on 2 March
    job = Reviewing(company.ledger, company.reader)
    try:
        await job.turn()
        assert await company.reader(reviews, None, "ada", True) == ()
        company.clock.advance(30 * DAY)
        await job.turn()
        await job.turn()
        found = await shown(company)
        assert (found.period, found.items, found.waiting, found.closed) == ("2026-Q2", 7, 7, None)
        assert (
            company.reader.now(told) == 3
        )  # ada, max, and bob: nobody is left for what is ada's own, and he may name one
        await company.sign_in("ada")
        removed = await decide_item(
            company.ledger, company.actor("ada"), found.review, "eve", "engineer", Verdict.REMOVE
        )
        assert removed is None
        await company.unbind("eve", "engineer")
        await job.turn()
        assert (await shown(company)).open_removals == 0
        company.clock.advance(21 * DAY)
        await job.turn()
        await job.turn()
        found = await shown(company)
        assert (found.removed, found.waiting, found.suspended) == (1, 6, 4)
        assert found.closed is not None
        await company.sign_in("vic")
        refused(await company.open("vic", "web-1", "app"), "resource.unknown")
    finally:
        company.close()
