"""What a review withholds from somebody, where their roles are read: over time, and at the role."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.domain.access.model import SubjectKind
from onepam.domain.people.events import GroupMemberAdded
from onepam.domain.reviews.events import Returned, RoleReturned, RoleWithheld, Withheld
from onepam.kernel.clock import HOUR, Instant
from onepam.store.facts.directory_brake import administrators
from onepam.store.read.everybody import PeopleFilter, people
from onepam.store.read.matrix import access_matrix
from onepam.store.read.people import lanes
from onepam.store.read.role import role
from tests.company import Company, binding, record

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


async def test_what_a_review_withholds_parts_the_lane_of_roles_and_shows_at_the_role(company: Company) -> None:
    await record(
        company.ledger,
        *(GroupMemberAdded("ops", each, "file", None) for each in ("eve", "bob")),
        binding("ops", "engineer", kind=SubjectKind.GROUP),
    )
    company.clock.advance(HOUR)
    withheld = RoleWithheld("eve", "engineer", "rev_1", Withheld.REMOVED, "max")
    await record(company.ledger, withheld)
    taken = company.clock.now
    company.clock.advance(HOUR)
    assert await bars_of_roles(company) == [("engineer", taken), ("engineer (through ops)", taken)]
    page = await company.reader(role, None, "engineer")
    assert page is not None
    assert {each.subject: (each.members, each.withheld) for each in page.bound.rows} == {"eve": (1, 1), "ops": (2, 1)}
    await record(company.ledger, RoleReturned("eve", "engineer", "rev_1", Returned.KEPT, "max"))
    found = await bars_of_roles(company)
    assert sorted(each for each in found if each[1] is None) == [("engineer", None), ("engineer (through ops)", None)]
    assert len(found) == 4


async def bars_of_roles(company: Company) -> list[tuple[str, Instant | None]]:
    drawn = {lane.name: lane.bars for lane in await company.reader(lanes, None, "eve")}
    return sorted(((bar.words, bar.ends) for bar in drawn["roles"]), key=lambda each: each[0])


async def test_a_role_through_a_group_is_held_by_the_others_only(company: Company) -> None:
    roles = ("vendor", "administrator")
    await record(
        company.ledger,
        *(GroupMemberAdded("ops", each, "file", None) for each in ("eve", "max")),
        *(binding("ops", each, kind=SubjectKind.GROUP) for each in roles),
        *(RoleWithheld("eve", each, "rev_1", Withheld.REMOVED, "max") for each in roles),
    )
    found = {each.person: set(each.roles) for each in (await company.reader(people, None)).rows}
    assert (found["eve"], found["max"]) == ({"engineer"}, {"manager", *roles})
    of_role = await company.reader(people, None, PeopleFilter(role="vendor"))
    assert {each.person for each in of_role.rows} == {"vic", "max"}
    rows = await company.reader(lambda db, at: tuple(access_matrix(db, at)), None)
    assert {each.person for each in rows if each.because.role == "vendor"} == {"vic", "max"}
    assert await company.reader(administrators, None) == {"ada", "bob", "max"}
