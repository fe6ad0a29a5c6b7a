"""One inbox: everything that waits for somebody, counted by one badge, decided by one pair of actions."""

import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.providers.propose_provider import propose_provider
from onepam.app.providers.signal_streams import propose_stream
from onepam.app.provisioning.scim_token import propose_scim_token
from onepam.app.signing_in.accept_risk import propose_exception
from onepam.app.signing_in.enrol import open_enrolment
from onepam.console.desk.inbox import PAGE_SIZE
from onepam.domain.access.model import ConsoleRight
from onepam.domain.leaving.brake import DirectoryPersonHeld, HoldReason
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderProposed, ProviderRule, ProviderSet
from onepam.domain.providers.setting import Provider
from onepam.domain.providers.signals import Delivery, Stream
from onepam.domain.provisioning.tokens import END_ATTRIBUTE, TokenWish
from onepam.domain.signing_in.events import EnrolmentProposed, FactorEnrolled, FactorKind
from onepam.domain.signing_in.exceptions import Proposed as WantedException
from onepam.kernel.clock import DAY, MINUTE, Instant
from tests.company import record, role_set
from tests.console.browsing import Browser, Office, opened

pytestmark = pytest.mark.anyio

PAGES = {
    "stk_1": "/provisioning",
    "chg_1": "/providers/proposed/chg_1",
    "chg_2": "/signals",
    "exc_1": "/exceptions",
    "enr_1": "/people/max",
}
"""A proposal of each kind that is laid by its use case, and its own page: token, provider, stream, exception, factors.
A change of the matrix has its walk in `test_pages_admin`."""
IDS = tuple(PAGES)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Ada has proposed one of each kind; bob administers and accepts risks, max approves requests and has a factor."""
    async with opened(tmp_path) as office:
        company, ledger = office.company, office.company.ledger
        lab = ProviderSet("chg_9", "idp_9", ProviderKind.OIDC, "Lab", "{}", ProviderRule(), "ada", "bob")
        await record(ledger, lab, role_set("risk", (), (ConsoleRight.ACCEPT_RISK,)))
        await company.bind("ada", "risk")
        await company.bind("bob", "risk")
        keys = (
            FactorEnrolled(f"fac_{who}", who, FactorKind.PASSKEY, "v1", None, None) for who in ("ada", "bob", "max")
        )
        await record(ledger, *keys)
        ada, ends = company.actor("ada"), Instant(company.clock() + 30 * DAY)
        wish = TokenWish("stk_1", "okta", "Okta <b>", (), END_ATTRIBUTE, ends, "ab" * 32)
        assert await propose_scim_token(ledger, ada, wish) is None
        okta = Provider(
            "chg_1", "idp_1", ProviderKind.OIDC, "Okta", '{"issuer":"https://o.example"}', ProviderRule(), None
        )
        assert await propose_provider(ledger, ada, okta, None) is None
        stream = Stream(
            "chg_2", "sst_1", "Push", "https://okta.example", "https://pam.example", Delivery.PUSH, "idp_9", "", "s-1",
            "d" * 64, None,
        )  # fmt: skip
        assert await propose_stream(ledger, ada, stream) is None
        wanted = WantedException("exc_1", "eve", "No telephone", "From the office only", ends)
        assert await propose_exception(ledger, ada, wanted) is None
        await open_enrolment(ledger, ada, "max", "enr_1", secrets.token_hex(32), "lost it")
        yield office


def listed(page: str) -> set[str]:
    """The proposals that have a form."""
    return set(re.findall(r'action="/approvals/((?!req_)[a-z]+_\w+)"', page))


def badge(page: str) -> str:
    found = re.search(r"data-waiting>([^<]*)<", page)
    assert found is not None
    return found[1].strip()


async def test_everything_that_waits_stands_in_one_place_and_is_counted(office: Office) -> None:
    bob = await office.sign_in("bob")
    page = await bob.read("/approvals")
    there = listed(page)
    assert there == set(IDS)
    assert badge(page) == str(len(there))
    assert "Okta &lt;b&gt;" in page, "names are text"
    assert page.count('value="approve"') == len(there)
    held = DirectoryPersonHeld("hld_1", "vic", "scim:okta", HoldReason.MANY, "deactivated", None, None, None)
    await record(office.company.ledger, held)
    page = await bob.read("/approvals")
    assert badge(page) == str(len(there) + 1)
    assert "that a directory ended waits for your word" in page
    mine = await (await office.sign_in("ada")).read("/approvals")
    assert listed(mine) == there
    assert 'value="approve"' not in mine
    assert badge(mine) == "1", "the account alone: nobody decides on their own"
    theirs = await (await office.sign_in("max")).read("/approvals")
    assert listed(theirs) == {"enr_1"}, "max decides on requests; these are for max"


async def said(browser: Browser, item: str, decision: str, **more: str) -> str:
    return await browser.done(f"/approvals/{item}", decision=decision, **more)


@pytest.mark.parametrize("item", ["stk_1", "chg_1", "chg_2", "exc_1"])
async def test_one_pair_of_actions_decides_on_each(office: Office, item: str) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    assert "Nobody approves their own proposal" in await ada.refused(f"/approvals/{item}", decision="approve")
    office.company.clock.advance(6 * MINUTE)
    assert (await bob.post(f"/approvals/{item}", decision="approve")).headers["Location"] == "/step-up?next=/approvals"
    asked = await bob.read("/step-up?next=/approvals?after=1")
    assert "What comes next on <strong>Approvals</strong> asks for a proof" in asked
    assert '<a href="/approvals">Back to Approvals</a>' in asked
    assert "Back to" not in await bob.read("/step-up?next=/confirm/cnf_1"), "it would ask for the same again"
    bob = await office.sign_in("bob")
    assert "Approved, and in force." in await said(bob, item, "approve")
    assert item not in listed(await bob.read("/approvals"))
    assert "waits for a decision" in await bob.refused(f"/approvals/{item}", decision="approve")


@pytest.mark.parametrize("item", IDS)
@pytest.mark.parametrize("who", ["ada", "bob"])
async def test_and_says_no_or_takes_it_back(office: Office, item: str, who: str) -> None:
    browser = await office.sign_in(who)
    assert "It will not take effect." in await said(browser, item, "deny", comment="not now")
    assert item not in listed(await browser.read("/approvals"))


@pytest.mark.parametrize("item", IDS)
async def test_the_page_of_its_kind_has_the_same_form(office: Office, item: str) -> None:
    form = f'action="/approvals/{item}"'
    mine = await (await office.sign_in("ada")).read(PAGES[item])
    assert (mine.count(form), mine.count('value="approve"')) == (1, 0)
    assert "Withdraw" in mine
    bob = await office.sign_in("bob")
    theirs = await bob.read(PAGES[item])
    assert (theirs.count(form), theirs.count('value="approve"')) == (1, 1)
    assert form not in await (await office.sign_in("aud")).read(PAGES[item])
    office.company.clock.advance(6 * MINUTE)
    assert "Show your factor, then approve" in await bob.read(PAGES[item])


async def test_a_yes_to_new_factors_shows_the_link_once(office: Office) -> None:
    bob = await office.sign_in("bob")
    answer = await bob.post("/approvals/enr_1", decision="approve")
    assert answer.status_code == 200
    assert "/enrol/enr_" in answer.text
    assert "/enrol/enr_" not in await bob.read("/approvals")


async def test_whose_factors_they_are_cancels(office: Office) -> None:
    """Also somebody who decides on nothing, on the page of their factors."""
    max_ = await office.sign_in("max")
    assert "Ada Example asks to set all your factors anew" in await max_.read("/factors")
    await max_.done("/approvals/enr_1", decision="deny", back="/factors")
    assert "asks to set all your factors anew" not in await max_.read("/factors")
    await record(office.company.ledger, EnrolmentProposed("enr_2", "max", "lost it", "ada"))
    eve = await office.sign_in("eve")
    await eve.refused("/approvals/enr_2", decision="deny", back="/factors")


async def test_who_decides_on_nothing_has_no_inbox(office: Office) -> None:
    eve = await office.sign_in("eve")
    assert (await eve.get("/approvals")).status_code == 403
    for item in IDS:
        said = await eve.refused(f"/approvals/{item}", decision="approve", back="/")
        assert "This needs a role with the right to" in said
    request = (await office.company.ask("eve", "web-1", "root")).request
    assert "waits for a decision" in await eve.refused(f"/approvals/{request}", decision="approve")


async def test_the_way_back_stays_here(office: Office) -> None:
    bob = await office.sign_in("bob")
    answer = await bob.post("/approvals/stk_1", decision="deny", back="//evil.example")
    assert answer.headers["Location"] == "/approvals"
    answer = await bob.post("/approvals/chg_2", decision="deny", back="/signals")
    assert answer.headers["Location"] == "/signals"
    office.company.clock.advance(6 * MINUTE)
    answer = await bob.post("/approvals/chg_1", decision="approve", back="https://evil.example/")
    assert answer.headers["Location"] == "/step-up?next=/approvals"


async def test_more_than_a_page_is_turned_over_and_counted_whole(office: Office) -> None:
    ledger, rule = office.company.ledger, ProviderRule()
    many = [f"chg_m{number:03}" for number in range(2 * PAGE_SIZE)]
    for each in many:
        await record(ledger, ProviderProposed(each, "idp_7", ProviderKind.OIDC, "Lab", "{}", rule, "ada"))
    request = (await office.company.ask("eve", "web-1", "root")).request
    await office.company.bind("bob", "manager")
    bob, found, href = await office.sign_in("bob"), list[str](), "/approvals"
    while href:
        page = await bob.read(href)
        assert badge(page) == str(len(IDS) + len(many) + 1)
        shown = re.findall(r'action="/approvals/(\w+)"', page)
        assert 0 < len(shown) <= 2 * PAGE_SIZE
        found += shown
        later = re.search(r'href="(/approvals\?after=\d+)">Later', page)
        href = later[1] if later else ""
    assert len(found) == len(set(found))
    assert set(found) == {*IDS, *many, request}
    assert "From the oldest" in page
    for words, those in (("EVE", {request, "exc_1"}), ("web-1", {request}), ("signal", {"chg_2"}), ("lab", set(many))):
        narrowed = await bob.read(f"/approvals?q={words}")
        there = set(re.findall(r'action="/approvals/(\w+)"', narrowed))
        assert (there == those) if len(those) <= PAGE_SIZE else (there < those), words
        assert badge(narrowed) == str(len(IDS) + len(many) + 1), "the number is of all"
        assert ("&amp;q=lab" in narrowed) == (words == "lab")
    assert "Nothing that waits matches" in await bob.read("/approvals?q=zzz")
    for odd in ("x", "-1", "9" * 30, ""):
        assert listed(await bob.read(f"/approvals?after={odd}")) == set(found[:PAGE_SIZE])
