"""Other systems on a real ledger: lists, what is found of their accounts at any instant, and reviews of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.people.add_person import add_person
from onepam.app.reviews.close_review import close_review
from onepam.app.reviews.decide_item import decide_item
from onepam.app.reviews.open_review import open_review
from onepam.app.reviews.sign_off import sign_off
from onepam.app.systems.answer_for import link_account, set_system
from onepam.app.systems.import_accounts import Brought, import_list, plan_list, release_list
from onepam.domain.access.model import SubjectKind
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved, PersonKind
from onepam.domain.reviews.advice import Odd
from onepam.domain.reviews.events import Answers, Scope, Verdict
from onepam.domain.reviews.opening import Opened, Opening
from onepam.domain.systems.events import Match, Standing
from onepam.domain.systems.file import InvalidList
from onepam.domain.systems.importing import ListHeld, ListPlan, ListTaken
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.engine.rebuild import compare
from onepam.store.read.controls.reviews import carried_out
from onepam.store.read.paging import Window
from onepam.store.read.review_figures import review_figures
from onepam.store.read.review_items import ItemRow
from onepam.store.read.reviews import review_page, waiting_for
from onepam.store.read.systems import AccountFilter, accounts, findings, lists, of_person, systems
from tests.company import START, Company, Counted, binding, record, refused

pytestmark = pytest.mark.anyio

RANDOM = Counted()
HEAD = "account,right,email,last used,owner\n"
EVE = "e.example,write,eve@example.com,2026-03-01,\n"
EVE_READS = "e.example,read,eve@example.com,2026-03-01,\n"
VIC = "vic,read,,,\n"
BATCH = "batch,write,,,max@example.com\n"
ROOT = "root,all,,,\n"


def fresh(prefix: str) -> str:
    return new_id(prefix, RANDOM)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


async def bring(
    company: Company, *rows: str, by: str = "ada", system: str = "payroll", made: Instant | None = None
) -> ListTaken | ListHeld | InvalidList | Refused:
    data = (HEAD + "".join(rows)).encode()
    await company.sign_in(by)
    return await import_list(company.ledger, company.actor(by), Brought(data, system, made), fresh)


async def found(company: Company, at: Instant | None = None) -> dict[str, str]:
    return {each.name: each.finding for each in await company.reader(findings, at)}


async def test_what_nobody_stands_behind_is_found_of_any_instant(company: Company) -> None:
    before = company.clock()
    company.clock.advance(HOUR)
    assert isinstance(await bring(company, EVE, EVE_READS, VIC, BATCH, ROOT), ListTaken)
    taken = company.clock()
    page = await company.reader(accounts, None, "payroll", AccountFilter(), Window())
    assert [(each.name, each.rights, each.person, each.service, each.because) for each in page.rows] == [
        ("batch", ("write",), "max", True, Match.OWNER),
        ("e.example", ("read", "write"), "eve", False, Match.EMAIL),
        ("root", ("all",), None, False, Match.NOBODY),
        ("vic", ("read",), "vic", False, Match.NAME),
    ]
    assert await found(company) == {"root": "nobody"}
    company.clock.advance(DAY)
    left = await company.leaves("vic")
    assert await found(company) == {"root": "nobody", "vic": "left"}
    company.clock.advance(DAY)
    assert isinstance(await bring(company, EVE, EVE_READS, VIC, BATCH, ROOT), ListTaken)
    assert await found(company) == {"root": "nobody", "vic": "still_there"}
    by_name = {each.name: each for each in await company.reader(findings, None)}
    assert by_name["vic"].since is not None
    assert by_name["vic"].since >= left - MINUTE
    assert by_name["vic"].due == by_name["vic"].since + 30 * DAY
    assert (by_name["root"].answers, by_name["root"].person) == ("ada", None)
    (one,) = await company.reader(systems, None)
    assert (one.accounts, one.services, one.nobody, one.left, one.still_there, one.overdue, one.found) == (
        4, 1, 1, 0, 1, 0, 2,
    )  # fmt: skip
    assert await found(company, Instant(taken + HOUR)) == {"root": "nobody"}
    assert await found(company, before) == {}
    assert await company.reader(systems, before) == ()
    company.clock.advance(31 * DAY)
    await company.sign_in("ada")
    assert await set_system(company.ledger, company.actor("ada"), "payroll", "bob", 60) is None
    (one,) = await company.reader(systems, None)
    assert (one.owner, one.days, one.overdue) == ("bob", 60, 0)
    assert await set_system(company.ledger, company.actor("ada"), "payroll", "bob", 1) is None
    (one,) = await company.reader(systems, None)
    assert one.overdue == 2
    assert isinstance(await bring(company, EVE, EVE_READS, BATCH, ROOT), ListTaken)
    assert await found(company) == {"root": "nobody"}
    newest = (await company.reader(lists, None, "payroll"))[0]
    assert (newest.gone, newest.added, newest.changed, newest.by_name) == (1, 0, 0, "Ada Example")


async def test_pages_of_accounts_are_narrowed_and_go_on(company: Company) -> None:
    assert isinstance(await bring(company, EVE, VIC, BATCH, ROOT), ListTaken)
    for which, names in (
        (AccountFilter("any"), ["root"]),
        (AccountFilter("left"), []),
        (AccountFilter("", "ALL"), ["root"]),
        (AccountFilter("", "example.com"), ["batch", "e.example", "vic"]),
        (AccountFilter("", "%"), []),
    ):
        page = await company.reader(accounts, None, "payroll", which, Window())
        assert [each.name for each in page.rows] == names
        assert page.total == len(names)
    first = await company.reader(accounts, None, "payroll", AccountFilter(), Window(size=3))
    rest = await company.reader(accounts, None, "payroll", AccountFilter(), Window(first.next, 3))
    assert [each.name for each in first.rows] == ["batch", "e.example", "root"]
    assert [each.name for each in rest.rows] == ["vic"]
    assert (first.total, rest.next) == (4, "")


async def test_somebody_in_two_systems_under_two_names_is_one_person(company: Company) -> None:
    assert isinstance(await bring(company, EVE), ListTaken)
    assert isinstance(await bring(company, "x71,read,,,\n", system="crm"), ListTaken)
    refused(await link_account(company.ledger, company.actor("ada"), "crm", "x72", "eve"), "listed_account.unknown")
    refused(await link_account(company.ledger, company.actor("ada"), "crm", "x71", "nobody"), "person.unknown")
    assert await link_account(company.ledger, company.actor("ada"), "crm", "X71", "eve") is None
    both = await company.reader(of_person, None, "eve")
    assert [(each.system, each.name, each.because) for each in both] == [
        ("crm", "x71", Match.SAID),
        ("payroll", "e.example", Match.EMAIL),
    ]
    assert both[0].linked_by_name == "Ada Example"
    assert isinstance(await bring(company, "x71,write,,,\n", system="crm"), ListTaken)  # a list changes it no more
    again = (await company.reader(of_person, None, "eve"))[0]
    assert (again.because, again.rights, again.linked_by_name) == (Match.SAID, ("write",), "Ada Example")
    assert await link_account(company.ledger, company.actor("ada"), "crm", again.account, None) is None
    assert await found(company) == {"x71": "nobody"}
    assert isinstance(await bring(company, "x71,write,eve@example.com,,\n", system="crm"), ListTaken)
    assert await found(company) == {"x71": "nobody"}
    assert await link_account(company.ledger, company.actor("ada"), "crm", "x71", "max", True) is None
    assert await found(company) == {}


async def test_a_list_that_lacks_most_waits_for_somebody_else(company: Company) -> None:
    assert isinstance(await bring(company, EVE, VIC, BATCH), ListTaken)
    company.clock.advance(HOUR)
    held = await bring(company, ROOT)
    assert isinstance(held, ListHeld)
    assert held.plan.held == "account_list.shrinks"
    again = await bring(company, ROOT, by="bob")
    assert isinstance(again, ListHeld)
    assert again.list == held.list
    (one,) = await company.reader(systems, None)
    assert one.held is not None
    assert (one.held.standing, one.held.gone, one.accounts) == (Standing.HELD, 3, 3)
    digest = held.plan.digest
    for person in ("ada", "bob"):
        await company.sign_in(person)
    refused(await release_list(company.ledger, company.actor("ada"), "payroll", digest), "account_list.self_release")
    assert await release_list(company.ledger, company.actor("bob"), "payroll", digest) is None
    taken = await bring(company, ROOT)
    assert isinstance(taken, ListTaken)
    assert (taken.list, await found(company)) == (held.list, {"root": "nobody"})
    back = await bring(company, EVE, VIC, BATCH)  # the list from before
    assert isinstance(back, ListHeld)
    assert back.plan.held == "account_list.shrinks"
    (one,) = await company.reader(systems, None)
    assert one.held is not None
    assert one.held.list == back.list


async def test_two_at_once_and_one_that_is_older(company: Company) -> None:
    assert isinstance(await bring(company, EVE, made=company.clock()), ListTaken)
    before = company.clock()
    company.clock.advance(HOUR)
    planned = await plan_list(company.ledger, company.actor("ada"), Brought((HEAD + EVE + VIC).encode(), "payroll"))
    assert isinstance(planned, ListPlan)
    assert (len(planned.difference.added), len(await company.reader(lists, None, "payroll"))) == (1, 1)
    assert isinstance(await bring(company, EVE, VIC), ListTaken)
    second = await bring(company, EVE, VIC, by="bob")
    assert isinstance(second, ListTaken)
    assert second.plan.difference.added == ()
    refused(await bring(company, EVE, made=before), "account_list.older")
    repeated = await bring(company, EVE)
    assert isinstance(repeated, ListHeld)
    assert repeated.plan.held == "account_list.again"
    assert isinstance(await bring(company, "a,\n"), InvalidList)
    refused(await bring(company, EVE, by="max"), "right.missing")


async def items(company: Company, review: str = "rev_1") -> dict[tuple[str, str], ItemRow]:
    page = await company.reader(review_page, None, review, "ada", True, "all")
    assert page is not None
    return {(each.person, each.role): each for each in page.items if ":" in each.role}


async def opened(company: Company, review: str = "rev_1", scope: Scope | None = None) -> Opened:
    wanted = Opening(scope or Scope(), 14 * DAY, Suspends.NOTHING, "bob")
    outcome = await open_review(company.ledger, company.actor("ada"), wanted, review)
    assert isinstance(outcome, Opened), outcome
    return outcome


async def decide(company: Company, by: str, person: str, role: str, verdict: Verdict = Verdict.REMOVE) -> object:
    return await decide_item(company.ledger, company.actor(by), "rev_1", person, role, verdict, "")


async def came_to(company: Company) -> tuple[int, int, int]:
    found = await company.reader(review_figures, None, "rev_1", "ada")
    assert found is not None
    return found.figures.kept, found.figures.removed, found.figures.not_remediated


async def rev_04(company: Company, key: str) -> str:
    population = await company.reader(carried_out, None, TESTS["REV-04"])
    (found,) = (each.reason for each in population.rows if each.key == key)
    return found


async def test_no_service_account_stands_behind_an_account_or_answers_for_one(company: Company) -> None:
    assert isinstance(await bring(company, ROOT), ListTaken)
    known = Attributes("Deploy bot", None, owner="max", ends=Instant(START + 30 * DAY))
    assert await add_person(company.ledger, company.actor("ada"), "bot", PersonKind.SERVICE, known, "CI") is None
    of = (company.ledger, company.actor("ada"), "payroll")
    refused(await link_account(*of, "root", "bot"), "person.unknown")
    refused(await link_account(*of, "root", "bot", True), "person.unknown")
    refused(await set_system(*of, "bot", 30), "account_list.owner")
    assert await found(company) == {"root": "nobody"}


async def test_a_review_is_of_what_is_held_in_other_systems_until_a_list_says_that_it_is_gone(company: Company) -> None:
    assert isinstance(await bring(company, EVE, EVE_READS, VIC, BATCH, ROOT), ListTaken)
    members = [GroupMemberAdded("directory:Sales", each, "scim:entra", None) for each in ("eve", "max")]
    bound = GroupMemberAdded("directory:Ops", "eve", "scim:entra", None)
    await record(company.ledger, *members, bound)
    await record(company.ledger, binding("directory:Ops", "engineer", kind=SubjectKind.GROUP))
    assert await set_system(company.ledger, company.actor("ada"), "payroll", "bob", 30) is None
    await opened(company)
    there = await items(company)
    assert {key: (each.by, each.decides, each.answers, each.held) for key, each in there.items()} == {
        ("eve", "scim:entra"): (("member of directory:Sales",), "bob", Answers.FALLBACK, True),
        ("eve", "system:payroll"): (("e.example: read, write",), "bob", Answers.SYSTEM_OWNER, True),
        ("max", "scim:entra"): (("member of directory:Sales",), "bob", Answers.FALLBACK, True),
        ("max", "system:payroll"): (("batch: write, as who owns it",), "bob", Answers.SYSTEM_OWNER, True),
        ("vic", "system:payroll"): (("vic: read",), "max", Answers.SPONSOR, True),
    }
    assert there["eve", "system:payroll"].last_used is not None
    refused(await decide(company, "bob", "ada", "system:payroll"), "review.unknown")
    refused(await decide(company, "bob", "eve", "system:crm"), "review.unknown")
    assert await decide(company, "max", "vic", "system:payroll") is None
    assert await decide(company, "bob", "eve", "scim:entra") is None
    assert await decide(company, "bob", "eve", "system:payroll", Verdict.KEEP) is None
    page = await company.reader(review_page, None, "rev_1", "ada", True)
    assert page is not None
    assert (page.review.not_remediated, page.review.removed) == (2, 2)
    company.clock.advance(15 * DAY)
    assert await close_review(company.ledger, "rev_1") is None
    for person in ("ada", "bob"):
        await company.sign_in(person)
    assert await came_to(company) == (1, 2, 2)
    gone = "rev_1/vic/system:payroll"
    assert await rev_04(company, gone) == "it is there still"
    assert await link_account(company.ledger, company.actor("ada"), "payroll", "vic", "max") is None
    assert await rev_04(company, gone) == "it is there still", "whoever is said to stand behind it by now"
    await record(company.ledger, GroupMemberRemoved("directory:Sales", "eve", "scim:entra", None))
    page = await company.reader(review_page, None, "rev_1", "ada", True)
    assert page is not None
    assert page.review.not_remediated == 1
    assert await came_to(company) == (1, 2, 1)
    assert isinstance(await bring(company, EVE, EVE_READS, BATCH, ROOT), ListTaken)
    page = await company.reader(review_page, None, "rev_1", "ada", True)
    assert page is not None
    assert page.review.not_remediated == 0
    assert await rev_04(company, gone) == ""
    await company.sign_in("aud")
    figures = await company.reader(review_figures, None, "rev_1", "aud")
    assert figures is not None
    assert await sign_off(company.ledger, company.actor("aud"), "rev_1", "seen", figures.seen) is None
    there = await items(company)
    assert [key for key, each in there.items() if not each.held] == [("eve", "scim:entra"), ("vic", "system:payroll")]


async def test_what_a_list_says_was_not_used_is_unusual_and_better_removed(company: Company) -> None:
    assert isinstance(await bring(company, EVE + VIC), ListTaken)
    assert await set_system(company.ledger, company.actor("ada"), "payroll", "bob", 30) is None
    company.clock.advance(80 * DAY)
    await company.sign_in("ada")
    await opened(company, scope=Scope(systems=("system:payroll",)))
    company.clock.advance(10 * DAY)
    there = await items(company)
    eve, vic = there["eve", "system:payroll"], there["vic", "system:payroll"]
    assert (eve.unusual[0], eve.against) == (Odd.UNUSED, (Odd.UNUSED,))
    assert vic.against == (), "its list does not say when it was used"
    for who in ("ada", "bob"):
        await company.sign_in(who)
    assert eve.decides == "bob"
    refused(await decide(company, "bob", "eve", "system:payroll", Verdict.KEEP), "review.say_why")


async def test_what_waits_for_whoever_answers_for_a_system_alone_is_counted(company: Company) -> None:
    """Aud owns no role, and leads nobody."""
    assert isinstance(await bring(company, EVE), ListTaken)
    assert await set_system(company.ledger, company.actor("ada"), "payroll", "aud", 30) is None
    await opened(company, scope=Scope(systems=("system:payroll",)))
    assert await company.reader(waiting_for, None, "aud") == 1


async def test_a_scope_narrows_it_to_systems_or_to_roles(company: Company) -> None:
    await record(company.ledger, GroupMemberAdded("directory:Sales", "eve", "scim:entra", None))
    assert isinstance(await bring(company, EVE, BATCH), ListTaken)
    found = [
        (await opened(company, f"rev_{number}", scope)).items
        for number, scope in enumerate(
            (
                Scope(),
                Scope(systems=("system:payroll",)),
                Scope(systems=("scim:entra",)),
                Scope(systems=("system:payroll",), people=("max",)),
                Scope(people=("max",)),
                Scope(roles=("engineer",)),
                Scope(privileged=True),
                Scope(resources=("web-1",)),
            )
        )
    ]
    assert found == [10, 2, 1, 1, 2, 1, 7, 2]
