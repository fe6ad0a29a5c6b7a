"""The catalogue, the matrix and the why: they must say what the door would do, now and at every past instant."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest

from onepam.app.open_session import Opened
from onepam.app.people.disable_person import disable_person
from onepam.app.ports import Snapshot
from onepam.app.requests.end_grant import end_grant
from onepam.domain.access.decision import Because, Permitted, decide
from onepam.domain.access.model import Action, Mode, Permission, SubjectKind
from onepam.domain.leaving.brake import DirectoryPersonDecided, DirectoryPersonHeld, HoldOutcome, HoldReason
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved, PersonAdded, PersonKind
from onepam.kernel.clock import FOREVER, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.store.engine.rebuild import compare
from onepam.store.facts.holdings import access_facts
from onepam.store.read.catalogue import Catalogue, catalogue
from onepam.store.read.explain import explain, why
from onepam.store.read.matrix import AccessRow, How, access_matrix
from tests.company import ALL_ACTIONS, DEV, HOLDS, PROD, RESOURCES, Company, binding, record, resource_set, role_set

pytestmark = pytest.mark.anyio

DATABASES = Permission("dev", (Action.SFTP,), {"env": "dev"}, ("db",), Mode.STANDING, HOUR)
OPERATORS = (
    role_set("operators", (DATABASES,)),
    binding("ops", "operators", kind=SubjectKind.GROUP),
    GroupMemberAdded("ops", "aud", "scim", None),
)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


def matrix(db: Snapshot, at: Instant, person: str | None = None, resource: str | None = None) -> list[AccessRow]:
    return list(access_matrix(db, at, person, resource))


def doors(db: Snapshot, at: Instant, people: Iterable[str]) -> set[tuple[str, str, str]]:
    """Who the door would let in, where, as whom: asked one by one."""
    return {
        (person, resource, login)
        for person in people
        for resource in RESOURCES
        for login in ("app", "root", "db")
        if isinstance(decide(access_facts(db, person, resource, at), login, at), Permitted)
    }


def shown(db: Snapshot, at: Instant, people: Iterable[str]) -> set[tuple[str, str, str]]:
    """What the catalogues say is open."""
    return {
        (person, each.site.resource, each.login)
        for person in people
        for each in catalogue(db, at, person).open
        if each.site.ready
    }


def in_force(db: Snapshot, at: Instant) -> set[tuple[str, str, str]]:
    """What the matrix says is in force, where there is a host key."""
    rows = access_matrix(db, at, requestable=False)
    return {(each.person, each.resource, each.login) for each in rows if RESOURCES[each.resource][1]}


@pytest.mark.claim(
    "can be read as of any past instant",
    altered="the matrix of an instant took the grants that run now",
)
async def test_catalogue_matrix_and_door_agree_and_the_past_stays_as_it_was(company: Company) -> None:
    remembered: list[tuple[Instant, set[tuple[str, str, str]], Catalogue, list[AccessRow]]] = []

    async def remember() -> None:
        company.clock.advance(MINUTE)
        at = company.clock.now
        found = await company.reader(doors, at, HOLDS)
        assert await company.reader(shown, at, HOLDS) == found
        assert await company.reader(in_force, at) == found
        remembered.append((at, found, await company.reader(catalogue, at, "eve"), await company.reader(matrix, at)))

    await remember()
    granted = await company.approve("max", await company.ask("eve", "web-1", "root"))
    await remember()
    await company.approve("max", await company.ask("vic", "web-2", "app", 30 * MINUTE))
    await company.bind("vic", "engineer")
    await remember()
    await record(company.ledger, role_set("engineer", (PROD,)))
    await remember()
    assert await end_grant(company.ledger, company.actor("max"), granted.grant, "done") is None
    await remember()
    await record(company.ledger, *OPERATORS)
    await remember()
    await record(company.ledger, DirectoryPersonHeld("hld_1", "aud", "scim:x", HoldReason.MANY, "x", None, None, None))
    await remember()
    await record(company.ledger, DirectoryPersonDecided("hld_1", "aud", HoldOutcome.KEPT, "ada", "she is here"))
    await remember()
    await company.unbind("vic", "vendor")
    await remember()
    await record(company.ledger, GroupMemberRemoved("ops", "aud", "scim", None))
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    await remember()
    for at, found, listed, rows in remembered:
        assert await company.reader(doors, at, HOLDS) == found
        assert await company.reader(catalogue, at, "eve") == listed
        assert await company.reader(matrix, at) == rows
    sizes = [len(found) for _, found, _, _ in remembered]
    assert sizes == [1, 2, 4, 2, 1, 2, 1, 2, 1, 0]


async def test_the_catalogue_lists_what_is_open_and_what_may_be_asked_for(company: Company) -> None:
    made = await company.ask("eve", "web-2", "app")
    await company.approve("max", await company.ask("eve", "web-1", "root", 20 * MINUTE))
    found = await company.reader(catalogue, None, "eve")
    assert [(each.site.resource, each.login, each.site.ready) for each in found.open] == [
        ("dev-1", "app", True),
        ("old-1", "app", False),
        ("web-1", "root", True),
    ]
    assert [each.until == FOREVER for each in found.open] == [True, True, False]
    assert [each.privileged for each in found.open] == [False, False, True]
    assert [(each.site.resource, each.login, each.pending) for each in found.requestable] == [
        ("web-1", "app", None),
        ("web-2", "app", made.request),
        ("web-2", "root", None),
    ]
    assert {(each.role, each.approvers, each.longest) for each in found.requestable} == {
        ("engineer", ("manager",), 4 * HOUR)
    }
    searched = await company.reader(catalogue, None, "eve", "WEB-2", 1)
    assert ([each.login for each in searched.requestable], searched.beyond, searched.open) == (["app"], 1, ())
    assert len((await company.reader(catalogue, None, "eve", "env=prod")).requestable) == 3
    assert await company.reader(catalogue, None, "nobody") == Catalogue((), (), 0)


async def test_a_vendor_sees_nothing_after_the_contract(company: Company) -> None:
    assert (await company.reader(catalogue, None, "vic")).requestable
    company.clock.advance(91 * 24 * HOUR)
    assert await company.reader(catalogue, None, "vic") == Catalogue((), (), 0)
    assert await company.reader(matrix, None, "vic") == []


async def test_the_matrix_of_one_person_or_one_resource_is_a_part_of_the_whole(company: Company) -> None:
    await company.approve("max", await company.ask("eve", "web-1", "root"))
    whole = await company.reader(matrix)
    assert {each.how for each in whole} == set(How)
    assert await company.reader(matrix, None, "eve") == [each for each in whole if each.person == "eve"]
    assert await company.reader(matrix, None, None, "web-1") == [each for each in whole if each.resource == "web-1"]
    granted = [each for each in whole if each.how is How.GRANTED]
    assert [(each.person, each.resource, each.login, each.privileged) for each in granted] == [
        ("eve", "web-1", "root", True)
    ]


async def test_a_role_narrowed_to_nothing_leaves_a_grant_without_use(company: Company) -> None:
    shell_only = Permission("prod", (Action.SHELL,), PROD.where, PROD.logins, Mode.REQUEST, HOUR, ("manager",))
    await record(company.ledger, role_set("engineer", (shell_only,)))
    await company.approve("max", await company.ask("eve", "web-1", "app"))
    sftp_only = Permission("prod", (Action.SFTP,), PROD.where, PROD.logins, Mode.REQUEST, HOUR, ("manager",))
    await record(company.ledger, role_set("engineer", (sftp_only,)))
    assert await company.reader(doors, None, HOLDS) == await company.reader(shown, None, HOLDS) == set()
    assert await company.reader(in_force, None) == set()


async def test_why_goes_from_the_role_to_the_approval(company: Company) -> None:
    made = await company.ask("eve", "web-1", "root", 30 * MINUTE)
    granted = await company.approve("max", made)
    links = await company.reader(why, None, "eve", "web-1", "root")
    assert not isinstance(links, Refused)
    assert [(each.kind, each.reference) for each in links] == [
        ("role", "engineer"),
        ("permission", "engineer"),
        ("binding", "bnd_eve_engineer"),
        ("request", made.request),
        ("ticket", made.request),
        ("approval", made.request),
        ("grant", granted.grant),
    ]
    assert [each.words for each in links] == [
        "the work of engineer",
        "shell, exec, sftp on env=prod as app, root; on request, 4 h at the longest",
        "joined the team (access.yaml)",
        "restart nginx",
        "OPS-7",
        "go ahead (as manager)",
        "for 30 min",
    ]
    assert [each.by_name for each in links if each.by] == ["Eve Example", "Max Example"]
    refused = await company.reader(why, None, "eve", "web-2", "root")
    assert isinstance(refused, Refused)
    standing = await company.reader(why, None, "eve", "dev-1", "app")
    assert not isinstance(standing, Refused)
    assert [each.kind for each in standing] == ["role", "permission", "binding"]


async def test_why_still_explains_what_has_changed_since(company: Company) -> None:
    await record(company.ledger, *OPERATORS)
    (row,) = [each for each in await company.reader(matrix, None, "aud") if each.resource == "dev-1"]
    before = await company.reader(explain, None, row.because)
    assert [each.kind for each in before] == ["role", "permission", "binding", "group"]
    await record(company.ledger, role_set("operators", (DEV,)))
    await company.unbind("ops", "operators")
    assert await company.reader(explain, None, row.because) == before
    unknown = await company.reader(explain, company.clock.now, Because("x", "y", "z", "w", "", "req"))
    assert [(each.kind, each.words) for each in unknown] == [("role", ""), ("permission", "z")]


async def test_the_matrix_of_a_large_company_is_drawn_in_seconds(company: Company) -> None:
    """5,000 people in 100 teams, 10,000 resources, each team with 100 of them; times are ratios of a plain loop."""
    teams = 100
    team = [Permission("own", ALL_ACTIONS, {"team": f"t{n}"}, ("app",), Mode.STANDING, HOUR) for n in range(teams)]
    await record(company.ledger, *(role_set(f"team-{n}", (team[n],)) for n in range(teams)))
    for begin in range(0, 10_000, 2_500):
        await record(
            company.ledger, *(resource_set(f"r{n}", {"team": f"t{n % teams}"}) for n in range(begin, begin + 2_500))
        )
    for begin in range(0, 5_000, 2_500):
        await record(
            company.ledger,
            *(
                PersonAdded(
                    f"p{n}", PersonKind.EMPLOYEE, "hired", None, None, None, None, f"P {n}", f"p{n}@example.com"
                )
                for n in range(begin, begin + 2_500)
            ),
            *(binding(f"p{n}", f"team-{n % teams}") for n in range(begin, begin + 2_500)),
        )
    begin_time = process_time()
    count = await company.reader(counted)
    matrix_seconds = process_time() - begin_time
    assert count >= 500_000
    begin_time = process_time()
    alike = [
        AccessRow(f"p{n}", "r", "app", How.STANDING, ALL_ACTIONS, FOREVER, False, None)  # type: ignore[arg-type]
        for n in range(count)
    ]
    assert matrix_seconds < 6 * (process_time() - begin_time), matrix_seconds
    del alike
    begin_time = process_time()
    assert len((await company.reader(catalogue, None, "p7")).open) == 100
    assert process_time() - begin_time < matrix_seconds


def counted(db: Snapshot, at: Instant) -> int:
    return sum(1 for _ in access_matrix(db, at))


async def test_the_catalogue_shows_what_the_ways_in_allow_together(company: Company) -> None:
    files = Permission("files", (Action.SFTP,), {"env": "prod"}, ("app",), Mode.STANDING, 8 * HOUR)
    narrow = replace(PROD, actions=(Action.SHELL,))
    await record(company.ledger, role_set("engineer", (narrow,)), role_set("files", (files,)), binding("eve", "files"))
    await company.approve("max", await company.ask("eve", "web-1", "app"))
    found = {each.site.resource: each for each in (await company.reader(catalogue, None, "eve")).open}
    door = await company.open("eve", "web-1", "app")
    assert isinstance(door, Opened)
    assert found["web-1"].actions == door.actions == (Action.SHELL, Action.SFTP)
    assert (found["web-1"].because.role, found["web-1"].until) == ("files", FOREVER)
    assert [each.role for each in (door.because, *door.also)] == ["files", "engineer"]
    assert found["web-2"].actions == (Action.SFTP,)


async def test_numbers_in_names_are_sorted_by_their_value(company: Company) -> None:
    names = ("dev-2", "dev-10", "Dev-3")
    await record(company.ledger, *(resource_set(each, {"env": "dev", "app": "web"}) for each in names))
    found = await company.reader(catalogue, None, "eve")
    listed = [each.site.resource for each in found.open if each.site.resource.casefold().startswith("dev-")]
    assert list(dict.fromkeys(listed)) == ["dev-1", "dev-2", "Dev-3", "dev-10"]
