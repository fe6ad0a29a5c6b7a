"""Access reviews by their real use cases, on a real ledger: what is decided takes effect, and everything is lawful."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from onepam.app.matrix.apply_access import apply_access
from onepam.app.matrix.plan_access import plan_access
from onepam.app.open_session import Challenge, Opened
from onepam.app.people.add_person import add_person
from onepam.app.people.change_person import change_person
from onepam.app.people.disable_person import disable_person
from onepam.app.reviews.close_review import carry_out, close_review, remind
from onepam.app.reviews.decide_item import decide_item, pass_on
from onepam.app.reviews.open_review import open_period, open_review
from onepam.domain.leaving.leaving import Ended
from onepam.domain.matrix.changing import Applied, Proposed
from onepam.domain.matrix.plan import Plan
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.reviews.events import Scope, Verdict
from onepam.domain.reviews.opening import Opened as ReviewOpened
from onepam.domain.reviews.opening import Opening
from onepam.domain.signing_in.events import EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.read.everybody import people
from onepam.store.read.review_calendar import calendar, period_due
from onepam.store.read.reviews import (
    due_to_close,
    reminders_due,
    review_page,
    reviews,
    waiting_for,
)
from tests.company import Company, record, refused
from tests.matrix_company import FILE, WHY, founded

pytestmark = pytest.mark.anyio

KEEP, REMOVE = Verdict.KEEP, Verdict.REMOVE


@asynccontextmanager
async def company(folder: Path, **wanted: Any) -> AsyncIterator[Company]:
    """Of tests/company.py, in which ada has opened the review rev_1 of everything; bob is its fallback."""
    made = await Company.create(folder)
    try:
        await opened(made, **wanted)
        yield made
    finally:
        made.close()


async def opened(company: Company, review: str = "rev_1", **wanted: Any) -> int:
    values = {"scope": Scope(), "lasts": 14 * DAY, "fallback": "bob", **wanted}
    outcome = await open_review(company.ledger, company.actor("ada"), Opening(**values), review)
    assert isinstance(outcome, ReviewOpened), outcome
    return outcome.items


async def decide(company: Company, by: str, person: str, role: str, verdict: Verdict, review: str = "rev_1") -> object:
    return await decide_item(company.ledger, company.actor(by), review, person, role, verdict, "as seen")


async def test_each_item_is_decided_by_the_one_whose_it_is(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        assert await made.reader(waiting_for, None, "ada") == 4  # bob, max, eve and aud hold roles that ada owns
        assert await made.reader(waiting_for, None, "max") == 1  # max is vic's sponsor
        assert await made.reader(waiting_for, None, "bob") == 2  # ada's own two have no other owner
        assert await decide(made, "max", "vic", "vendor", KEEP) is None
        refused(await decide(made, "max", "vic", "vendor", KEEP), "review.decided")
        refused(await decide(made, "ada", "ada", "administrator", KEEP), "review.own")
        refused(await decide(made, "max", "eve", "engineer", KEEP), "review.not_yours")
        refused(await decide(made, "ada", "eve", "vendor", KEEP), "review.unknown")
        refused(await decide(made, "ada", "eve", "engineer", KEEP, "rev_2"), "review.unknown")
        assert await decide(made, "bob", "ada", "security", KEEP) is None
        page = await made.reader(review_page, None, "rev_1", "max", False)
        assert page is not None
        assert [(each.person, each.verdict, each.by) for each in page.items] == [("vic", KEEP, ("joined the team",))]
        assert await made.reader(review_page, None, "rev_1", "eve", False) is None
        assert await made.reader(review_page, None, "rev_9", "ada", True) is None


async def test_nobody_decides_for_whoever_may_be_one_hand_with_them(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        assert (await made.reader(waiting_for, None, "ada"), await made.reader(waiting_for, None, "bob")) == (4, 2)
        await record(made.ledger, EnrolmentUsed("enr_eve", "eve", ("ada",)))
        assert (await made.reader(waiting_for, None, "ada"), await made.reader(waiting_for, None, "bob")) == (3, 3)
        refused(await decide(made, "ada", "eve", "engineer", KEEP), "review.own")
        assert await decide(made, "bob", "eve", "engineer", KEEP) is None


async def test_nothing_goes_to_a_service_account_that_its_person_owns(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        bot = Attributes("bot", None, owner="eve", ends=Instant(made.clock() + 30 * DAY))
        assert await add_person(made.ledger, made.actor("ada"), "bot", PersonKind.SERVICE, bot, "deploys") is None
        of = made.ledger, made.actor("ada"), "rev_1", "eve", "engineer"
        refused(await pass_on(*of, "bot", "hers"), "review.cannot_decide")
        page = await made.reader(review_page, None, "rev_1", "ada", True)
        assert page is not None
        assert "bot" not in {each.decides for each in page.items}


async def test_what_is_removed_gives_nothing_at_once_and_a_decision_may_be_changed(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        assert isinstance(await made.open("eve", "dev-1", "app"), Opened | Challenge)
        await made.approve("max", await made.ask("eve", "web-1", "app"))
        waits = await made.ask("eve", "web-2", "app")
        assert await roles_of(made, "eve") == ["engineer"]
        assert await decide(made, "ada", "eve", "engineer", REMOVE) is None
        assert await roles_of(made, "eve") == []
        for target in ("dev-1", "web-1"):
            refused(await made.open("eve", target, "app"), "resource.unknown")
        assert isinstance(waits.request, str)
        assert await decide(made, "ada", "eve", "engineer", KEEP) is None
        assert isinstance(await made.open("eve", "dev-1", "app"), Opened | Challenge)
        assert isinstance(await made.open("eve", "web-1", "app"), Opened | Challenge)


async def roles_of(made: Company, person: str) -> list[str]:
    page = await made.reader(people, None)
    return [role for each in page.rows if each.person == person for role in each.roles]


async def test_a_removal_is_carried_out_once_nothing_gives_the_role(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        assert await decide(made, "ada", "eve", "engineer", REMOVE) is None
        assert await carry_out(made.ledger) == 0
        (row,) = await made.reader(reviews, None, "ada", True)
        assert (row.removed, row.open_removals, row.waiting) == (1, 1, 6)
        assert await opened(made, "rev_2", scope=Scope(roles=("engineer", "vendor"))) == 1
        refused(await decide(made, "ada", "eve", "engineer", KEEP, "rev_2"), "review.unknown")
        await made.unbind("eve", "engineer")
        assert await carry_out(made.ledger) == 1
        (_, row) = await made.reader(reviews, None, "ada", True)
        assert (row.removed, row.open_removals) == (1, 0)
        await made.bind("eve", "engineer")
        assert isinstance(await made.open("eve", "dev-1", "app"), Opened | Challenge)


async def test_silence_withholds_what_is_privileged_spares_the_last_administrators_and_has_a_way_back(
    tmp_path: Path,
) -> None:
    async with company(tmp_path) as made:
        refused(await close_review(made.ledger, "rev_1"), "review.runs")
        assert await decide(made, "max", "vic", "vendor", KEEP) is None
        made.clock.advance(14 * DAY)
        for person in ("ada", "bob", "eve"):
            await made.sign_in(person)
        refused(await decide(made, "ada", "eve", "engineer", KEEP), "review.over")
        assert await made.reader(due_to_close) == ("rev_1",)
        assert await close_review(made.ledger, "rev_1") is None
        refused(await close_review(made.ledger, "rev_1"), "review.unknown")
        refused(await made.open("eve", "dev-1", "app"), "resource.unknown")
        (row,) = await made.reader(reviews, None, "ada", True)
        assert (row.kept, row.removed, row.waiting, row.suspended) == (1, 0, 6, 4)  # both administrators are spared
        assert await made.reader(due_to_close) == ()
        refused(await decide(made, "ada", "bob", "administrator", KEEP), "review.over")
        assert await decide(made, "ada", "eve", "engineer", KEEP) is None
        assert isinstance(await made.open("eve", "dev-1", "app"), Opened | Challenge)
        assert await decide(made, "ada", "aud", "auditor", REMOVE) is None
        refused(await decide(made, "ada", "aud", "auditor", KEEP), "review.over")


async def test_those_who_decide_are_told_three_times_and_of_nothing_that_is_decided(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        assert await made.reader(reminders_due) == ("rev_1",)
        assert await remind(made.ledger, "rev_1") == 3  # ada, bob and max
        assert await made.reader(reminders_due) == ()
        refused(await remind(made.ledger, "rev_1"), "review.not_due")
        refused(await remind(made.ledger, "rev_9"), "review.not_due")
        assert await decide(made, "max", "vic", "vendor", KEEP) is None
        made.clock.advance(7 * DAY)
        assert await remind(made.ledger, "rev_1") == 3  # bob twice: he is next after ada
        made.clock.advance(5 * DAY)
        assert await made.reader(reminders_due) == ("rev_1",)
        assert await remind(made.ledger, "rev_1") == 3
        made.clock.advance(2 * DAY)
        assert await made.reader(reminders_due) == ()


async def test_the_last_administrator_is_not_removed(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        for person in ("ada", "bob"):
            passkey = FactorEnrolled(f"fac_{person}", person, FactorKind.PASSKEY, "", None, person)
            await record(made.ledger, passkey)
        assert await decide(made, "ada", "bob", "administrator", REMOVE) is None
        refused(await decide(made, "bob", "ada", "administrator", REMOVE), "review.last_administrator")
        assert await decide(made, "bob", "ada", "administrator", KEEP) is None


async def test_an_item_goes_on_to_the_next_and_to_whoever_is_named(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        eve = ("rev_1", "eve", "engineer")
        assert await pass_on(made.ledger, made.actor("ada"), *eve, None) == "bob"
        refused(await decide(made, "ada", "eve", "engineer", KEEP), "review.not_yours")
        assert await pass_on(made.ledger, made.actor("bob"), *eve, "max", "knows her work") == "max"
        refused(await pass_on(made.ledger, made.actor("max"), *eve, "eve"), "review.cannot_decide")
        refused(await pass_on(made.ledger, made.actor("max"), *eve, "max"), "review.cannot_decide")
        assert await pass_on(made.ledger, made.actor("ada"), *eve, "aud") == "aud"  # whoever administers may
        refused(await pass_on(made.ledger, made.actor("max"), *eve, "bob"), "review.not_yours")
        assert isinstance(await disable_person(made.ledger, made.actor("ada"), "aud", "left"), Ended)
        assert await decide(made, "ada", "eve", "engineer", KEEP) is None  # whoever was named is gone
        refused(await pass_on(made.ledger, made.actor("ada"), *eve, "bob"), "review.decided")


async def test_nobody_names_who_decides_on_their_own_access(tmp_path: Path) -> None:
    async with company(tmp_path, fallback=None) as made:
        own = ("rev_1", "ada", "administrator")
        refused(await pass_on(made.ledger, made.actor("ada"), *own, "max"), "review.own")
        assert await pass_on(made.ledger, made.actor("bob"), *own, "max") == "max"


async def test_a_removal_stands_though_another_review_that_removed_it_first_keeps_it(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        await opened(made, "rev_2", scope=Scope(people=("eve",)), lasts=20 * DAY)
        eve = ("eve", "engineer")
        assert await decide(made, "ada", *eve, REMOVE) is None
        assert await pass_on(made.ledger, made.actor("ada"), "rev_2", *eve, "max") == "max"
        assert await decide(made, "max", *eve, REMOVE, "rev_2") is None
        refused(await decide(made, "ada", *eve, KEEP), "review.removed_elsewhere")
        refused(await made.open("eve", "dev-1", "app"), "resource.unknown")
        assert await decide(made, "max", *eve, KEEP, "rev_2") is None
        refused(await made.open("eve", "dev-1", "app"), "resource.unknown")
        assert await decide(made, "ada", *eve, KEEP) is None
        assert isinstance(await made.open("eve", "dev-1", "app"), Opened | Challenge)


async def test_a_managers_items_are_the_next_ones_when_they_leave(tmp_path: Path) -> None:
    made = await Company.create(tmp_path)
    try:
        known = Attributes("Eve Example", "eve@example.com", manager="max")
        assert await change_person(made.ledger, made.actor("ada"), "eve", known) is None
        await opened(made, scope=Scope(people=("eve",)))
        assert await made.reader(waiting_for, None, "max") == 1
        assert isinstance(await disable_person(made.ledger, made.actor("bob"), "max", "left"), Ended)
        assert await made.reader(waiting_for, None, "ada") == 1
        assert await decide(made, "ada", "eve", "engineer", KEEP) is None
        assert await made.reader(due_to_close) == ("rev_1",)
        assert await close_review(made.ledger, "rev_1") is None
    finally:
        made.close()


async def test_a_review_of_the_period_opens_once_and_a_missed_one_shows(tmp_path: Path) -> None:
    made = await Company.create(tmp_path)  # on 2 March
    try:
        assert not await made.reader(period_due)
        refused(await open_period(made.ledger, "rev_0"), "review.not_due")
        made.clock.advance(30 * DAY)
        assert await made.reader(period_due)
        outcome = await open_period(made.ledger, "rev_1")
        assert isinstance(outcome, ReviewOpened)
        assert outcome.items == 7
        assert not await made.reader(period_due)
        refused(await open_period(made.ledger, "rev_2"), "review.not_due")
        made.clock.advance(190 * DAY)
        due = await made.reader(calendar)
        assert [(each.period, each.review) for each in due] == [
            ("2026-Q4", ""), ("2026-Q3", ""), ("2026-Q2", "rev_1"),
        ]  # fmt: skip
    finally:
        made.close()


@pytest.mark.parametrize(
    ("scope", "items"),
    [
        (Scope(roles=("vendor", "auditor")), 2),
        (Scope(people=("eve", "vic")), 2),
        (Scope(resources=("dev-1",)), 2),
        (Scope(resources=("web-1",)), 2),
        (Scope(privileged=True), 7),
    ],
)
async def test_what_a_review_is_of(tmp_path: Path, scope: Scope, items: int) -> None:
    async with company(tmp_path) as made:
        assert await opened(made, "rev_2", scope=scope) == items


async def test_what_is_withheld_outlives_the_next_file_until_it_agrees(tmp_path: Path) -> None:
    """One administrator alone brings nothing back by another way, and a plan says who gains."""
    made = await founded(tmp_path)
    try:
        await opened(made)
        assert await decide(made, "max", "eve", "engineer", REMOVE) is None
        refused(await made.open("eve", "dev-1", "app"), "resource.unknown")
        longer = FILE.replace("purpose: Runs the web", "purpose: Runs the web, still")
        assert isinstance(await apply(made, longer, "chg_1"), Applied)
        refused(await made.open("eve", "dev-1", "app"), "resource.unknown")
        another = longer.replace("members: [max@example.com]", "members: [max@example.com, eve@example.com]")
        assert isinstance(await apply(made, another, "chg_2"), Proposed)
        without = longer.replace("members: [eve@example.com]", "members: [bob@example.com]")
        assert await carry_out(made.ledger) == 0
        assert isinstance(await apply(made, without, "chg_3"), Proposed)  # bob gains, so it waits; eve only loses
        assert isinstance(
            await apply(made, longer.replace("members: [eve@example.com]", "members: []"), "chg_4"), Applied
        )
        assert await carry_out(made.ledger) == 1
    finally:
        made.close()


async def apply(made: Company, text: str, change: str) -> object:
    actor = made.actor("ada")
    plan = await plan_access(made.ledger, actor, text)
    assert isinstance(plan, Plan), plan
    return await apply_access(made.ledger, actor, text, change, plan.digest, WHY)


async def test_keeping_takes_a_fresh_factor_and_opening_takes_whoever_administers(tmp_path: Path) -> None:
    async with company(tmp_path) as made:
        wanted = Opening(Scope(), 14 * DAY)
        refused(await open_review(made.ledger, made.actor("max"), wanted, "rev_2"), "right.missing")
        made.clock.advance(2 * HOUR)
        refused(await decide(made, "ada", "eve", "engineer", KEEP), "factor.stale")
        assert await decide(made, "ada", "eve", "engineer", REMOVE) is None
        outcome = await decide_item(made.ledger, made.actor("ada"), "rev_1", "max", "manager", KEEP, "\u202e")
        refused(outcome, "text.not_plain")
