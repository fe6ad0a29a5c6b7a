"""Attacks on reviews by the use cases: words, borrowed sessions, delegation in a circle, and rights kept after one."""

from pathlib import Path

import pytest

from onepam.app.reviews.close_review import close_review
from onepam.app.reviews.decide_item import decide_item, pass_on
from onepam.app.reviews.open_review import open_review
from onepam.domain.access.authority import Actor
from onepam.domain.reviews.events import Scope
from onepam.domain.reviews.opening import Opened as ReviewOpened
from onepam.domain.reviews.opening import Opening
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY
from onepam.kernel.errors import Refused
from tests.app.test_reviews import KEEP, REMOVE, company, decide, opened
from tests.company import Company, record, refused

pytestmark = pytest.mark.anyio
EVE = ("rev_1", "eve", "engineer")


async def test_odd_words_and_borrowed_sessions_decide_nothing_and_no_circle_comes_back_to_its_person(
    tmp_path: Path,
) -> None:
    async with company(tmp_path) as made:
        for note in ("x" * 1_000_000, "a\x00b", "\ud800", "a\x1b[2J"):
            assert isinstance(await decide_item(made.ledger, made.actor("ada"), *EVE, REMOVE, note), Refused)
            assert isinstance(await pass_on(made.ledger, made.actor("ada"), *EVE, "bob", note), Refused)
        for session in ("", "nope", made.actor("bob").session):
            actor = Actor("ada", session, "127.0.0.1")
            assert isinstance(await decide_item(made.ledger, actor, *EVE, REMOVE), Refused)
        vic = ("rev_1", "vic", "vendor")
        assert await pass_on(made.ledger, made.actor("max"), *vic, "eve") == "eve"
        refused(await pass_on(made.ledger, made.actor("eve"), *vic, "vic"), "review.cannot_decide")
        assert await pass_on(made.ledger, made.actor("eve"), *vic, "max") == "max"
        refused(await decide(made, "vic", "vic", "vendor", KEEP), "review.own")


async def test_whoever_administered_opens_no_review_and_names_nobody_after_a_removal(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        await _keys(made)
        assert await decide(made, "ada", "max", "manager", REMOVE) is None
        assert await decide(made, "ada", "bob", "administrator", REMOVE) is None
        wanted = Opening(Scope(), 14 * DAY)
        refused(await open_review(made.ledger, made.actor("bob"), wanted, "rev_2"), "right.missing")
        refused(await pass_on(made.ledger, made.actor("bob"), *EVE, "aud"), "review.not_yours")


async def test_reviews_that_end_together_leave_one_who_administers(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        await _keys(made)
        await opened(made, "rev_2", scope=Scope(people=("ada",)))
        await opened(made, "rev_3", scope=Scope(people=("bob",)))
        made.clock.advance(14 * DAY)
        for review in ("rev_2", "rev_3", "rev_1"):
            assert await close_review(made.ledger, review) is None
        await made.sign_in("bob")
        outcome = await open_review(made.ledger, made.actor("bob"), Opening(Scope(), 14 * DAY), "rev_4")
        assert isinstance(outcome, ReviewOpened)


async def test_what_silence_took_where_nobody_was_left_comes_back_by_whoever_is_named(tmp_path: Path) -> None:
    async with company(tmp_path, fallback=None) as made:
        made.clock.advance(14 * DAY)
        assert await close_review(made.ledger, "rev_1") is None
        for who in ("ada", "bob", "max"):
            await made.sign_in(who)
        own = ("rev_1", "ada", "security")
        refused(await decide(made, "max", "ada", "security", KEEP), "review.not_yours")
        assert await pass_on(made.ledger, made.actor("bob"), *own, "max") == "max"
        assert await decide(made, "max", "ada", "security", KEEP) is None
        refused(await pass_on(made.ledger, made.actor("bob"), *own, "max"), "review.over")


async def _keys(made: Company) -> None:
    for who in ("ada", "bob"):
        await record(made.ledger, FactorEnrolled(f"fac_{who}", who, FactorKind.PASSKEY, "", None, who))
