"""What is kept until a day, on a real ledger: then it gives nothing, and what was given anew meanwhile is left."""

from pathlib import Path

import pytest

from onepam.app.open_session import Challenge, Opened
from onepam.app.reviews.close_review import carry_out, close_review
from onepam.app.reviews.decide_item import decide_item
from onepam.domain.access.events import BindingEnded
from onepam.domain.access.model import SubjectKind
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved
from onepam.domain.reviews.events import Scope, Verdict, Withheld
from onepam.jobs.reviews import Reviewing
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.store.facts.reduced import reduced_due, reduced_of
from onepam.store.read.controls.reviews import carried_out
from onepam.store.read.review_items import ItemRow
from onepam.store.read.reviews import review_page
from tests.app.test_reviews import decide, opened, roles_of
from tests.app.test_signing_off import figures, sign
from tests.company import Company, binding, record, refused

pytestmark = pytest.mark.anyio

KEEP, REMOVE = Verdict.KEEP, Verdict.REMOVE


async def kept_until(made: Company, days: int, by: str = "ada", person: str = "eve", role: str = "engineer") -> object:
    await made.sign_in(by)
    day = Instant(made.clock.now + days * DAY)
    return await decide_item(made.ledger, made.actor(by), "rev_1", person, role, KEEP, "for the project", day)


async def goes_in(made: Company) -> bool:
    await made.sign_in("eve")
    return isinstance(await made.open("eve", "dev-1", "app"), Opened | Challenge)


async def item(made: Company, person: str = "eve") -> ItemRow:
    page = await made.reader(review_page, None, "rev_1", "ada", True, "all")
    assert page is not None
    (found,) = [each for each in page.items if each.person == person]
    return found


async def test_it_gives_nothing_once_its_day_is_over_and_is_in_the_figures_of_the_sign_off(tmp_path: Path) -> None:
    made = await Company.create(tmp_path)
    job = Reviewing(made.ledger, made.reader)
    try:
        await opened(made, scope=Scope(roles=("engineer", "vendor")))
        refused(await kept_until(made, 400), "review.until")
        refused(await kept_until(made, 0), "review.until")
        assert await kept_until(made, 30) is None
        assert await decide(made, "max", "vic", "vendor", KEEP) is None
        row = await item(made)
        assert (row.verdict, row.until is not None, row.withheld) == (KEEP, True, None)
        await job.turn()
        assert await goes_in(made)
        assert (await figures(made, "aud")).figures.reduced == 1
        made.clock.advance(30 * DAY)
        assert await made.reader(reduced_due, None) == (("eve", "engineer", "rev_1"),)
        assert (await made.reader(carried_out, None, TESTS["REV-04"])).rows == ()
        made.clock.advance(HOUR)
        (late,) = (await made.reader(carried_out, None, TESTS["REV-04"])).rows
        assert (late.key, late.reason) == ("rev_1/eve/engineer", "its day is over, and it is given")
        await job.turn()
        assert (await made.reader(carried_out, None, TESTS["REV-04"])).rows == ()
        await job.turn()
        assert await roles_of(made, "eve") == []
        assert not await goes_in(made)
        row = await item(made)
        assert (row.verdict, row.until, row.withheld) == (KEEP, None, Withheld.REDUCED)
        await made.sign_in("aud")
        seen = await figures(made, "aud")
        assert (seen.figures.kept, seen.figures.reduced, seen.figures.removed) == (2, 1, 0)
        assert await sign(made, "aud", seen.seen) is None
        await made.unbind("eve", "engineer")
        assert await carry_out(made.ledger) == 1
        await made.bind("eve", "engineer")
        await job.turn()
        assert await goes_in(made), "whoever gave it anew did so by a change of its own"
    finally:
        made.close()


async def test_a_later_decision_takes_the_end_away(tmp_path: Path) -> None:
    made = await Company.create(tmp_path)
    try:
        await opened(made)
        assert await kept_until(made, 3) is None
        assert await decide(made, "ada", "eve", "engineer", KEEP) is None
        refused(await decide(made, "ada", "eve", "engineer", KEEP), "review.decided")
        made.clock.advance(4 * DAY)
        assert await made.reader(reduced_due, None) == ()
        assert await made.reader(reduced_of, None, "rev_1") == 0
        assert await kept_until(made, 3) is None
        await opened(made, "rev_2", scope=Scope(roles=("engineer",)))
        assert await decide(made, "ada", "eve", "engineer", KEEP, "rev_2") is None
        made.clock.advance(4 * DAY)
        assert await made.reader(reduced_due, None) == ()
    finally:
        made.close()


async def test_what_silence_took_comes_back_until_a_day(tmp_path: Path) -> None:
    made = await Company.create(tmp_path)
    try:
        await opened(made, scope=Scope(roles=("engineer",)))
        made.clock.advance(15 * DAY)
        assert await close_review(made.ledger, "rev_1") is None
        assert not await goes_in(made)
        assert await kept_until(made, 3) is None
        assert await goes_in(made)
        made.clock.advance(4 * DAY)
        await Reviewing(made.ledger, made.reader).turn()
        assert not await goes_in(made)
    finally:
        made.close()


async def test_what_was_given_anew_meanwhile_is_not_taken(tmp_path: Path) -> None:
    made = await Company.create(tmp_path)
    try:
        await opened(made, scope=Scope(roles=("engineer",)))
        assert await kept_until(made, 3) is None
        made.clock.advance(DAY)
        await made.unbind("eve", "engineer")
        made.clock.advance(DAY)
        await made.bind("eve", "engineer")
        made.clock.advance(2 * DAY)
        assert await made.reader(reduced_due, None) == ()
        assert await goes_in(made)
    finally:
        made.close()


async def test_what_comes_by_a_group_is_taken_unless_somebody_joined_it_again(tmp_path: Path) -> None:
    made = await Company.create(tmp_path)
    try:
        await made.unbind("eve", "engineer")
        await record(
            made.ledger,
            binding("team", "engineer", kind=SubjectKind.GROUP),
            GroupMemberAdded("team", "eve", "access.yaml", None),
        )
        await opened(made, scope=Scope(roles=("engineer",)))
        assert await kept_until(made, 3) is None
        await record(made.ledger, binding("team", "engineer", kind=SubjectKind.GROUP))  # said again, without a break
        made.clock.advance(4 * DAY)
        assert await made.reader(reduced_due, None) == (("eve", "engineer", "rev_1"),)
        await record(made.ledger, GroupMemberRemoved("team", "eve", "access.yaml", None))
        assert await made.reader(reduced_due, None) == ()
        made.clock.advance(MINUTE)
        await record(made.ledger, GroupMemberAdded("team", "eve", "access.yaml", None))
        assert await made.reader(reduced_due, None) == ()
    finally:
        made.close()


async def test_what_gives_it_may_change_while_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one change from a binding to a group, by a directory's message from one group to another, beside what another
    source says now and then; and what is given anew keeps nothing else from ending."""
    made = await Company.create(tmp_path)
    okta, entra = "directory:Okta", "directory:Entra"
    try:
        team = (binding("team", "engineer", kind=SubjectKind.GROUP), binding(okta, "engineer", kind=SubjectKind.GROUP))
        await record(made.ledger, *team, binding(entra, "engineer", kind=SubjectKind.GROUP))
        await opened(made, scope=Scope(roles=("engineer", "vendor")))
        assert await kept_until(made, 3) is None
        assert await kept_until(made, 5, by="max", person="vic", role="vendor") is None
        made.clock.advance(DAY)
        await record(
            made.ledger, BindingEnded("bnd_eve_engineer", "binding.removed", "", None),
            GroupMemberAdded("team", "eve", "access.yaml", None),
        )  # fmt: skip
        made.clock.advance(HOUR)
        await record(made.ledger, GroupMemberAdded(okta, "eve", "scim:okta", None))
        await record(made.ledger, GroupMemberRemoved("team", "eve", "access.yaml", None))
        for _ in range(2):  # another provider says the same, twice for an hour
            made.clock.advance(HOUR)
            await record(made.ledger, GroupMemberAdded(okta, "eve", "claims:entra", None))
            made.clock.advance(HOUR)
            await record(made.ledger, GroupMemberRemoved(okta, "eve", "claims:entra", None))
        made.clock.advance(3 * DAY)
        assert await made.reader(reduced_due, None) == (("eve", "engineer", "rev_1"),)
        await record(made.ledger, GroupMemberRemoved(okta, "eve", "scim:okta", None))
        made.clock.advance(MINUTE)
        await record(made.ledger, GroupMemberAdded(entra, "eve", "scim:entra", None))
        assert await made.reader(reduced_due, None) == (), "they joined anew"
        made.clock.advance(3 * DAY)
        monkeypatch.setattr("onepam.store.facts.reduced.MOST_AT_ONCE", 1)
        assert await made.reader(reduced_due, None) == (("vic", "vendor", "rev_1"),)
    finally:
        made.close()
