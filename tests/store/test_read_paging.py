"""Lists a page at a time: in the order of names, nothing twice and nothing left out, narrowed and counted."""

from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copy

import pytest

from onepam.boot.demo.month import LARGE, lay
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.kernel.clock import Instant
from onepam.kernel.text import natural
from onepam.signing.author import NodeAuthor
from onepam.store.read.everybody import PeopleFilter, PersonRow, find_people, people
from onepam.store.read.paging import MOST, Page, Window
from onepam.store.read.resources import find_resources, resource, resources
from onepam.store.read.roles import OTHER, MatrixFilter, System, roles
from tests.company import START, Company, record

SIZE = LARGE.times(0.02)


pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("laid") / "ledger"
    lay(path, NodeAuthor.uncertified("node-1"), SIZE, START)
    return path


@pytest.fixture
async def company(laid: Path, tmp_path: Path) -> AsyncIterator[Company]:
    company = Company(Path(copy(laid, tmp_path)))
    yield company
    company.close()


def test_a_window_is_bounded() -> None:
    assert (Window(size=10_000).most, Window(size=0).most) == (MOST, 1)


async def test_people_come_by_name_each_once(company: Company) -> None:
    pages, after = list[Page[PersonRow]](), None
    while after != "":
        page = await company.reader(people, None, PeopleFilter(), Window(after or "", 7))
        pages.append(page)
        after = page.next
    found = [each for page in pages for each in page.rows]
    assert len({each.person for each in found}) == len(found) == SIZE.people == pages[0].total
    assert [each.name for each in found] == sorted((each.name for each in found), key=str.casefold)
    assert {len(page.rows) for page in pages[:-1]} == {7}
    lost = await company.reader(people, None, PeopleFilter(), Window("per_nobody", 7))
    assert lost == pages[0], "whoever is not there any more is no place to go on from"


async def test_the_matrix_comes_in_parts_that_are_the_whole(company: Company) -> None:
    whole = await company.reader(roles, None, None, Window(size=MOST))
    shown, systems = dict[str, dict[str, object]](), list[System]()
    after: str | None = None
    while after != "":
        across: str | None = None
        while across != "":
            part = await company.reader(roles, None, None, Window(after or "", 7), Window(across or "", 5))
            assert (part.roles.total, part.systems.total) == (len(whole.roles.rows), len(whole.systems.rows))
            assert len(part.roles.rows) <= 7
            assert len(part.systems.rows) <= 5
            systems += part.systems.rows if after is None else ()
            for each in part.roles.rows:
                shown.setdefault(each.role, {}).update(each.cells)
            across = part.systems.next
        after = part.roles.next
    reached = {system for each in whole.roles.rows[:7] for system in each.cells}
    order = list(whole.systems.rows)
    assert 0 < len(reached) < len(order)
    assert systems == sorted(order, key=lambda each: each.system not in reached), "what these roles reach comes first"
    assert shown == {each.role: dict(each.cells) for each in whole.roles.rows}
    assert list(shown) == sorted(shown, key=natural)
    assert [each.group for each in order] == sorted(each.group for each in order), "one group stands together"


async def test_the_matrix_is_narrowed_and_its_systems_stand_together_by_any_label(company: Company) -> None:
    part = await company.reader(roles, None, MatrixFilter(role="PAYM", system="team=payments", by="team"))
    assert [each.role for each in part.roles.rows] == ["payments"]
    assert {each.group for each in part.systems.rows} == {"payments"}
    assert {each for one in part.systems.rows for each in one.resources} < {
        each.resource for each in (await company.reader(resources, None, "", Window(size=MOST))).rows
    }
    unknown = await company.reader(roles, None, MatrixFilter(by="nothing"))
    assert {each.group for each in unknown.systems.rows} == {OTHER}


async def test_people_are_narrowed_in_the_database(company: Company) -> None:
    async def who(**wanted: str) -> set[str]:
        found = await company.reader(people, None, PeopleFilter(**wanted), Window(size=MOST))
        assert found.total == len(found.rows)
        return {each.person for each in found.rows}

    everybody = {each.person: each for each in (await company.reader(people, None, None, Window(size=MOST))).rows}
    assert await who() == everybody.keys()
    approving = {person for person, each in everybody.items() if "approver" in each.roles}
    assert await who(role="approver") == await who(search="approver") == approving != set()
    assert await who(search="ADA ") == {person for person, each in everybody.items() if "ada" in each.name.casefold()}
    assert await who(search="@example.org") == everybody.keys()
    vendors = {person for person, each in everybody.items() if each.kind is PersonKind.VENDOR}
    assert await who(kind="vendor") == vendors != set()
    ending = {person for person in vendors if (everybody[person].ends or 0) < START + 30 * 86_400_000_000}
    assert await who(state="ending") == ending
    assert await who(state="active") == everybody.keys() - ending
    assert await who(state="disabled") == await who(state="invited") == set()
    assert await who(factor="own") == everybody.keys()
    assert await who(factor="none") == await who(factor="attested") == set()
    assert await who(origin="administrator") == everybody.keys()
    assert await who(origin="scim") == set()


async def test_who_has_nothing_yet_is_invited_and_has_no_factor(company: Company) -> None:
    added = PersonAdded("per_new", PersonKind.EMPLOYEE, "hired", None, None, None, None, "Nia New", "nia@example.org")
    await record(company.ledger, added)
    for wanted in (PeopleFilter(state="invited"), PeopleFilter(factor="none")):
        assert [each.person for each in (await company.reader(people, None, wanted)).rows] == ["per_new"]
    assert await company.reader(find_people, None, "nia n", 5) == (("per_new", "Nia New", ()),)


async def test_resources_come_as_people_count(company: Company) -> None:
    everything = await company.reader(resources, None, "", Window(size=MOST))
    named = [each.resource for each in everything.rows if each.resource.startswith("web-")]
    assert named == [f"web-{number + 1}" for number in range(len(named))]
    assert len(everything.rows) == everything.total == SIZE.resources
    second = await company.reader(resources, None, "web-", Window("web-9", 3))
    assert [each.resource for each in second.rows] == ["web-10", "web-11", "web-12"]
    assert (second.total, second.next) == (len(named), "web-12")
    production = await company.reader(resources, None, "env=prod")
    assert {each.labels["env"] for each in production.rows} == {"prod"}
    assert [name for name, _ in await company.reader(find_resources, None, "web-1", 3)] == ["web-1", "web-10", "web-11"]


async def test_whoever_reaches_a_resource_is_listed_once(company: Company) -> None:
    page = await company.reader(resource, None, "web-1", Window(size=5))
    assert page is not None
    row = (await company.reader(resources, None, "web-1", Window(size=1))).rows[0]
    assert row.people == page.reach.total
    seen, after = list[str](), ""
    while True:
        page = await company.reader(resource, None, "web-1", Window(after, 5))
        assert page is not None
        seen += [each.person for each in page.reach.rows]
        assert all({way.login for way in each.ways} == {"deploy", "root"} for each in page.reach.rows)
        if not (after := page.reach.next):
            break
    assert len(seen) == len(set(seen)) == row.people
    one = await company.reader(resource, None, "web-1", None, seen[0])
    assert one is not None
    assert [each.person for each in one.reach.rows] == [seen[0]]


async def test_then_is_then(company: Company) -> None:
    before = Instant(company.clock.now)
    await record(
        company.ledger, PersonAdded("per_a", PersonKind.EMPLOYEE, "hired", None, None, None, None, "A", "a@b.c")
    )
    assert (await company.reader(people, before, None, Window(size=1))).total == SIZE.people
    assert (await company.reader(people, None, None, Window(size=1))).rows[0].person == "per_a"
