"""From half time of a review on, whoever is next sees what waits for somebody else, and is told."""

from pathlib import Path

import pytest

from onepam.app.ports import Snapshot
from onepam.app.reviews.close_review import remind
from onepam.app.reviews.decide_item import pass_on
from onepam.domain.reviews.events import Verdict
from onepam.domain.telling.outbox import Channel, ReceiverSet
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import rows
from onepam.store.read.outbox import to_tell
from onepam.store.read.reviews import review_page, reviews, waiting_for
from onepam.store.read.telling import plan
from tests.app.test_reviews import company, decide
from tests.company import Company, record

pytestmark = pytest.mark.anyio


async def seen(made: Company, reader: str) -> list[tuple[str, str]]:
    page = await made.reader(review_page, None, "rev_1", reader, False)
    return [(each.person, each.decides) for each in page.items] if page is not None else []


def told(db: Snapshot, at: Instant) -> list[bytes]:
    found = rows(db, "SELECT body FROM entry WHERE kind = 'review.reminded' ORDER BY idx", {"at": at})
    return [body for each in found if b"escalated" in (body := bytes(each["body"]))]


async def test_whoever_is_next_sees_what_waits_since_half_time(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        await remind(made.ledger, "rev_1")
        assert ("vic", "max") not in await seen(made, "ada")
        assert made.reader.now(told) == []
        made.clock.advance(7 * DAY)
        await remind(made.ledger, "rev_1")
        await remind(made.ledger, "rev_1")
        assert ("vic", "max") in await seen(made, "ada")
        assert await seen(made, "eve") == []
        assert await made.reader(waiting_for, None, "max") == 1  # it is still theirs alone to decide on
        assert [each.review for each in await made.reader(reviews, None, "bob", False)] == ["rev_1"]
        assert len(made.reader.now(told)) == 2  # ada and bob, once
        await made.sign_in("max")
        assert await decide(made, "max", "vic", "vendor", Verdict.KEEP) is None
        assert ("vic", "max") not in await seen(made, "ada")


async def told_bob(made: Company) -> list[bool]:
    """Of each reminder that bob is mailed: whether it is over by now, and so is not sent."""
    found, _ = await made.reader(to_tell, None, 0)
    his = [each.occurrence for each in found if each.receiver == "mail:bob"]
    plans = [await made.reader(plan, None, "mail:bob", [each]) for each in his if each.kind == "review.reminded"]
    return [bool(each.dropped) for each in plans]


async def test_whoever_is_next_is_told_though_nothing_of_their_own_waits(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        await record(made.ledger, ReceiverSet("mail", Channel.MAIL))
        for role in ("administrator", "security"):
            assert await decide(made, "bob", "ada", role, Verdict.KEEP) is None
        assert await made.reader(waiting_for, None, "bob") == 0
        made.clock.advance(7 * DAY)
        await remind(made.ledger, "rev_1")
        assert await told_bob(made) == [False]
        await made.sign_in("ada")
        for person, role in (("eve", "engineer"), ("max", "manager"), ("aud", "auditor"), ("bob", "administrator")):
            assert await decide(made, "ada", person, role, Verdict.KEEP) is None
        assert await told_bob(made) == [True]


async def test_whoever_administers_is_told_of_what_nobody_is_left_to_decide_on(tmp_path: Path) -> None:
    async with company(tmp_path, fallback=None) as made:
        await record(made.ledger, ReceiverSet("mail", Channel.MAIL))
        await remind(made.ledger, "rev_1")
        assert await made.reader(waiting_for, None, "bob") == 0
        assert await told_bob(made) == [False]
        for role in ("administrator", "security"):
            named = await pass_on(made.ledger, made.actor("bob"), "rev_1", "ada", role, "max", "")
            assert named == "max"
        assert await told_bob(made) == [True]
