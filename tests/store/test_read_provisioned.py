"""What comes of what directories have sent, a page at a time: nothing twice and nothing left out, narrowed, counted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from onepam.domain.people.events import GroupMemberAdded
from onepam.domain.provisioning.events import ScimGroupMemberAdded, ScimGroupSet, ScimUserSet
from onepam.domain.provisioning.users import DISABLED_HERE, FOREIGN_DOMAIN, NO_ADDRESS
from onepam.store.read.paging import Page, Window
from onepam.store.read.provisioned import TroubleFilter, group_page, group_uses, troubled, troubled_page
from tests.company import Company, record

pytestmark = pytest.mark.anyio
T = TypeVar("T")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    users = [
        ScimUserSet(f"usr_{n}", "okta" if n % 2 else "entra", None, True, 1, trouble, "stk_1", f"Žofie {n}")
        for n, trouble in enumerate([NO_ADDRESS] * 7 + [FOREIGN_DOMAIN] * 4)
    ]
    fine = ScimUserSet("usr_fine", "okta", "ada", True, 1, "", "stk_1", "Žofie fine")
    again = ScimUserSet("usr_again", "okta", "bob", True, 1, DISABLED_HERE, "stk_1", "Žofie again")
    groups = [ScimGroupSet(f"grp_{n}", "okta", 1, name, "stk_1") for n, name in enumerate(("B", "Ände", "a", "C", "B"))]
    members = (
        ScimGroupMemberAdded("grp_0", "usr_fine"),
        ScimGroupMemberAdded("grp_0", "usr_1"),
        GroupMemberAdded("directory:B", "ada", "scim:okta", None),
    )
    await record(company.ledger, *users, fine, again, *groups, *members)
    yield company
    company.close()


async def all_pages(ask: Callable[[Window], Awaitable[Page[T]]], size: int) -> tuple[list[T], int]:
    found, after, total = list[T](), None, 0
    while after != "":
        page = await ask(Window(after or "", size))
        found, after, total = [*found, *page.rows], page.next, page.total
        assert len(page.rows) <= size
    return found, total


async def test_users_in_trouble_come_by_directory_and_name(company: Company) -> None:
    whole = await company.reader(troubled, None)
    found, total = await all_pages(lambda window: company.reader(troubled_page, None, TroubleFilter(), window), 3)
    assert (found, total) == (whole, 11), "who is disabled here and works again is in none"
    names = [int(each.user_name.removeprefix("Žofie ")) for each in whole]
    assert [each.provider for each in whole] == ["entra"] * 6 + ["okta"] * 5
    assert names == [0, 10, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    lost = await company.reader(troubled_page, None, TroubleFilter(), Window("usr_gone", 3))
    assert list(lost.rows) == whole[:3], "who is not there any more is no place to go on from"


async def test_they_are_narrowed_by_name_and_by_trouble(company: Company) -> None:
    async def told(which: TroubleFilter) -> tuple[list[str], int]:
        page = await company.reader(troubled_page, None, which, Window())
        return [each.user for each in page.rows], page.total

    assert await told(TroubleFilter("ŽOFIE 1")) == (["usr_10", "usr_1"], 2)
    assert await told(TroubleFilter("", FOREIGN_DOMAIN)) == (["usr_10", "usr_8", "usr_7", "usr_9"], 4)
    assert await told(TroubleFilter("žofie 1", NO_ADDRESS)) == (["usr_1"], 1)
    assert await told(TroubleFilter("fine")) == ([], 0)


async def test_groups_come_by_name_with_their_members(company: Company) -> None:
    whole = await company.reader(group_uses, None)
    found, total = await all_pages(lambda window: company.reader(group_page, None, "", window), 2)
    assert (found, total) == (whole, 5)
    assert [each.group for each in whole] == ["grp_0", "grp_4", "grp_3", "grp_2", "grp_1"]
    assert (whole[0].named, whole[0].in_effect) == (2, 1)
    narrowed = await company.reader(group_page, None, "ÄN", Window())
    assert ([each.name for each in narrowed.rows], narrowed.total) == (["Ände"], 1)
