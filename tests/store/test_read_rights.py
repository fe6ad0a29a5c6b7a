"""What people hold against what they used, and the matrix as designed against what is: now, and as of then."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.matrix.apply_access import apply_access
from onepam.app.matrix.plan_access import plan_access
from onepam.app.open_session import Opened
from onepam.app.requests.make_request import make_request
from onepam.app.sessions.close_session import close_session
from onepam.domain.access.authority import Actor
from onepam.domain.matrix.changing import Applied
from onepam.domain.matrix.difference import Differs
from onepam.domain.matrix.plan import Plan
from onepam.domain.matrix.use import Standing, Used
from onepam.domain.people.events import GroupMemberAdded
from onepam.domain.reviews.events import RoleWithheld, Withheld
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.engine.rebuild import compare
from onepam.store.read.difference import administering, differences, suggested
from onepam.store.read.role import reviewed_last, role
from onepam.store.read.unused import Use, unused_plan
from tests.company import Company, binding, record, refused
from tests.matrix_company import FILE, WHY, founded

pytestmark = pytest.mark.anyio

NAMED = FILE + "  - {role: engineer, person: vic@example.com, because: helps}\n"
APART = """separate:
  four-eyes:
    roles: [manager, engineer]
    because: Nobody approves what they ask for
"""


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await founded(tmp_path, NAMED)
    yield company
    company.close()
    assert compare(company.path) == []


async def worked(company: Company, person: str, resource: str, login: str) -> None:
    """A session in which three files and a command went by."""
    await company.sign_in(person)
    opened = await company.open(person, resource, login)
    assert isinstance(opened, Opened)
    counts = {"channels": 1, "files": 3, "outputs": 40}
    await close_session(
        company.ledger, SessionClosed(opened.session, SessionEnd.CLIENT_LEFT, "0" * 64, 1, counts, True, last_byte=None)
    )


async def test_what_is_used_is_told_by_sessions_and_what_is_not_is_prepared_to_go(company: Company) -> None:
    began = company.clock.now
    await worked(company, "eve", "dev-1", "app")
    company.clock.advance(89 * DAY)
    use = await company.reader(Use, None)
    assert {(each.person, each.role, each.standing(company.clock.now)) for each in use.held()} == {
        ("eve", "engineer", Standing.USED),
        ("vic", "engineer", Standing.NEW),
    }
    eves = next(each for each in use.held() if each.person == "eve")
    assert (eves.rights, eves.touched, eves.by_name, eves.groups) == (3, 1, False, ("engineers",))
    assert (eves.used.sessions, eves.used.work) == (1, 4)
    assert {(each.resource, each.login): each.used.sessions for each in use.rights() if each.person == "eve"} == {
        ("dev-1", "app"): 1,
        ("web-1", "app"): 0,
        ("web-1", "root"): 0,
    }
    company.clock.advance(2 * DAY)
    held = (await company.reader(Use, None)).held()
    assert {each.person: each.standing(company.clock.now) for each in held} == {
        "eve": Standing.UNUSED,
        "vic": Standing.UNUSED,
    }
    assert next(each for each in held if each.person == "eve").used == Used(0, eves.used.last, 0)
    made = await company.reader(unused_plan, None)
    assert [(each.person, each.permission) for each in made.done] == [("", "dev"), ("vic", "")]
    assert "vic@example.com" not in made.text
    assert "mode: standing" not in made.text
    other = await company.reader(unused_plan, None, "manager")
    assert (other.text, other.done) == (NAMED, ())
    plan = await plan_access(company.ledger, await signed(company, "ada"), made.text)
    assert isinstance(plan, Plan)
    assert [(each.people, each.gained, each.approves_gained) for each in plan.differences if each.gains] == [
        (("max",), (), ("engineer/dev",))
    ]
    as_of_then = await company.reader(Use, Instant(began + HOUR))
    assert next(each for each in as_of_then.held() if each.person == "eve").used.sessions == 1
    assert await company.reader(suggested, None) == ()


async def signed(company: Company, person: str) -> Actor:
    """Signed in anew."""
    await company.sign_in(person)
    return company.actor(person)


async def test_the_matrix_and_what_is_are_the_same_until_something_else_gives(company: Company) -> None:
    before = await company.reader(differences, None)
    assert (before.designed, before.rows) == (True, ())
    founded_at = company.clock.now
    company.clock.advance(DAY)
    await record(company.ledger, replace(binding("aud", "manager"), source="recover-access", change="chg_9"))
    await record(company.ledger, RoleWithheld("vic", "engineer", "rev_1", Withheld.REMOVED, "max"))
    found = await company.reader(differences, None)
    assert [(each.differs, each.role, each.person) for each in found.rows] == [
        (Differs.UNDECLARED, "manager", "aud"),
        (Differs.WITHHELD, "engineer", "vic"),
    ]
    assert found.counts == {Differs.UNDECLARED: 1, Differs.WITHHELD: 1}
    assert found.rows[0].name == "Aud Example"
    assert (await company.reader(differences, founded_at)).rows == ()
    assert await company.reader(reviewed_last, None, "engineer") is None
    company.clock.advance(40 * DAY)
    trend = await company.reader(administering, None)
    assert [(each.administer, each.people) for each in trend] == [(2, 6), (2, 6)]


async def test_roles_kept_apart_stop_a_plan_and_a_request_and_of_a_directory_are_a_finding(company: Company) -> None:
    text = NAMED + APART
    await signed(company, "ada")
    plan = await plan_access(company.ledger, company.actor("ada"), text)
    assert isinstance(plan, Plan)
    assert isinstance(
        await apply_access(company.ledger, company.actor("ada"), text, "chg_1", plan.digest, WHY), Applied
    )
    both = text.replace("members: [eve@example.com]", "members: [eve@example.com, max@example.com]")
    plan = await plan_access(company.ledger, company.actor("ada"), both)
    assert isinstance(plan, Plan)
    outcome = await apply_access(company.ledger, company.actor("ada"), both, "chg_2", plan.digest, WHY)
    assert "max@example.com would hold engineer and manager" in refused(outcome, "change.separated").message


async def test_who_holds_both_asks_for_nothing_under_either(company: Company) -> None:
    await record(company.ledger, GroupMemberAdded("leads", "eve", "scim:okta", None))
    text = NAMED + APART
    await signed(company, "ada")
    plan = await plan_access(company.ledger, company.actor("ada"), text)
    assert isinstance(plan, Plan)
    applied = await apply_access(company.ledger, company.actor("ada"), text, "chg_1", plan.digest, WHY)
    assert isinstance(applied, Applied)
    found = await company.reader(differences, None)
    detail = await company.reader(role, None, "manager")
    assert detail is not None
    assert [each.roles for each in detail.apart] == [("engineer", "manager")]
    assert (detail.reviewed, detail.since < company.clock.now) == (None, True)
    assert [(each.differs, each.person, each.detail) for each in found.rows] == [
        (Differs.APART, "eve", "engineer and manager (four-eyes)")
    ]
    asked = await make_request(
        company.ledger, company.actor("eve"), "req_9", "web-1", "app", HOUR, "restart nginx", "OPS-7"
    )
    refused(asked, "request.separated")
