"""Two accounts in one hand are not two people: what somebody gets who makes another's enrolment link.

The attack: an administrator asks for access, makes an enrolment link for somebody who approves, enrols as that person
and approves. It granted the access; the right answers are here, by the real doors.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest

from onepam.domain.access.proposal import ONE_HAND
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, MINUTE, SECOND
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from tests.company import record
from tests.console.browsing import Browser, Office, opened

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery staple 4711"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Ada and bob administer, ada works on production, too; all have factors but max, the one who approves."""
    async with opened(tmp_path) as office:
        await office.company.bind("ada", "engineer")
        keys = (FactorEnrolled(f"fac_{who}", who, FactorKind.PASSKEY, "v1", None, None) for who in ("ada", "bob"))
        await record(office.company.ledger, *keys)
        yield office


def kinds(office: Office) -> list[str]:
    db = connect(office.company.path, read_only=True)
    try:
        return [each.header.kind for each in entries(db, 0, 1 << 40)]
    finally:
        db.close()


def found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    assert match is not None, pattern
    return match[1]


def link_in(page: str) -> str:
    """The one-use link that a page shows."""
    return found(r"(/enrol/enr_[A-Za-z0-9_-]+)", page)


async def enrols(office: Office, link: str) -> pyotp.TOTP:
    """Whoever has the link sets a password and an app."""
    browser = office.browser()
    assert (await browser.post(f"{link}/password", password=PASSWORD, again=PASSWORD)).status_code == 303
    assert (await browser.post(f"{link}/totp/start")).status_code == 303
    app = pyotp.TOTP(found(r'data-copy="([A-Z2-7]{16,})"', await browser.read(link)))
    now = office.company.clock() // SECOND
    assert (await browser.post(f"{link}/totp", code=app.at(now))).status_code == 303
    await browser.read(link)
    answer = await browser.post(f"{link}/codes", kept="yes")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    return app


async def signs_in(office: Office, email: str, app: pyotp.TOTP) -> Browser:
    """With that password and app, as anybody would."""
    browser = office.browser()
    office.company.clock.advance(MINUTE)
    assert (await browser.post("/sign-in", login=email, password=PASSWORD)).status_code == 303
    answer = await browser.post("/sign-in/totp", code=app.at(office.company.clock() // SECOND))
    assert answer.status_code == 303, answer.text[-1000:]
    return browser


async def asks(office: Office, person: str) -> tuple[str, str]:
    """A request for production; its id and digest."""
    made = await office.company.ask(person, "web-1", "root")
    return made.request, made.digest


async def test_who_made_the_link_is_given_nothing_by_it(office: Office) -> None:
    """The attack as it was, on an approver who enrols for the first time."""
    ada = await office.sign_in("ada")
    request, digest = await asks(office, "ada")
    link = link_in((await ada.post("/people/max/enrol-link")).text)
    as_max = await signs_in(office, "max@example.com", await enrols(office, link))
    answer = await as_max.post(f"/approvals/{request}", decision="approve", digest=digest)
    assert answer.status_code == 409
    assert "that is one hand" in answer.text
    assert kinds(office)[-1] == "request.approval_refused"
    assert "grant.started" not in kinds(office)
    theirs = await office.company.ask("eve", "web-1", "app")
    answer = await as_max.post(f"/approvals/{theirs.request}", decision="approve", digest=theirs.digest)
    assert answer.status_code == 303, "what others ask is decided all the same"


async def test_who_came_by_links_of_one_decide_for_each_other_and_are_found(office: Office) -> None:
    """Not refused: whoever invites an approver and an engineer would keep them apart. But seen."""
    ada = await office.sign_in("ada")
    title = "Two accounts that may be in one hand"
    apps = [await enrols(office, link_in((await ada.post(f"/people/{who}/enrol-link")).text)) for who in ("max", "eve")]
    await office.company.sign_in("eve")
    request, digest = await asks(office, "eve")
    assert title not in await ada.read("/second-factors")
    as_max = await signs_in(office, "max@example.com", apps[0])
    answer = await as_max.post(f"/approvals/{request}", decision="approve", digest=digest)
    assert answer.status_code == 303
    page = await ada.read("/second-factors")
    assert title in page
    assert "First links" in page


async def test_nor_does_who_made_the_link_decide_for_who_enrolled_by_it(office: Office) -> None:
    """The other way round: the maker approves what the other account asks."""
    await office.company.bind("ada", "manager")
    ada = await office.sign_in("ada")
    app = await enrols(office, link_in((await ada.post("/people/eve/enrol-link")).text))
    await signs_in(office, "eve@example.com", app)
    await office.company.sign_in("eve")
    request, digest = await asks(office, "eve")
    answer = await ada.post(f"/approvals/{request}", decision="approve", digest=digest)
    assert answer.status_code == 409
    office.company.clock.advance(ONE_HAND)
    await office.company.sign_in("eve")
    request, digest = await asks(office, "eve")
    ada = await office.sign_in("ada")
    answer = await ada.post(f"/approvals/{request}", decision="approve", digest=digest)
    assert answer.status_code == 303


async def test_replacing_an_approvers_factors_takes_two_and_serves_neither(office: Office) -> None:
    """The attack as it was, on an approver who works here already: bob has to agree, and then neither gains."""
    await record(office.company.ledger, FactorEnrolled("fac_max", "max", FactorKind.PASSKEY, "v1", None, None))
    await office.company.bind("bob", "engineer")
    ada = await office.sign_in("ada")
    assert "waits for a second administrator" in await ada.done("/people/max/enrol-link")
    action = found(r'action="(/approvals/enr_\w+)"', await (await office.sign_in("bob")).read("/people/max"))
    assert "Nobody approves their own proposal" in await ada.refused(action, decision="approve")
    bob = await office.sign_in("bob")
    link = link_in((await bob.post(action, decision="approve")).text)
    as_max = await signs_in(office, "max@example.com", await enrols(office, link))
    for person in ("ada", "bob"):
        request, digest = await asks(office, person)
        answer = await as_max.post(f"/approvals/{request}", decision="approve", digest=digest)
        assert (answer.status_code, "that is one hand" in answer.text) == (409, True)


async def test_disabling_and_enabling_makes_no_newcomer(office: Office) -> None:
    """It takes the factors away; a link for who had some is a replacement all the same."""
    await record(office.company.ledger, FactorEnrolled("fac_max", "max", FactorKind.PASSKEY, "v1", None, None))
    ada = await office.sign_in("ada")
    await ada.done("/people/max/disable", reason="left")
    await ada.done("/people/max/enable", reason="came back")
    await office.company.bind("max", "manager")
    assert "waits for a second administrator" in await ada.done("/people/max/enrol-link")


async def test_where_nobody_else_can_decide_it_takes_two_days_and_is_told(office: Office) -> None:
    """Two administrators, one of whom lost the telephone."""
    ada = await office.sign_in("ada")
    assert "nobody else could decide" in await ada.done("/people/bob/enrol-link")
    assert kinds(office)[-1] == "enrolment.announced"
    assert "New factors of somebody were announced" in await ada.read("/")
    page = await ada.read("/people/bob")
    assert 'value="approve"' not in page
    item = found(r'action="(/approvals/enr_\w+)"', page)
    assert "Nobody else could decide on it" in await ada.refused(item, decision="approve")
    office.company.clock.advance(2 * DAY)
    ada = await office.sign_in("ada")
    assert 'value="approve"' in await ada.read("/people/bob")
    link = link_in((await ada.post(item, decision="approve")).text)
    as_bob = await signs_in(office, "bob@example.com", await enrols(office, link))
    assert "People" in await as_bob.read("/people")


@pytest.mark.parametrize("who", ["ada", "bob"])
async def test_anybody_who_administers_cancels_it(office: Office, who: str) -> None:
    ada = await office.sign_in("ada")
    await ada.done("/people/bob/enrol-link")
    item = found(r'action="(/approvals/enr_\w+)"', await ada.read("/people/bob"))
    browser = await office.sign_in(who)
    assert "It will not take effect." in await browser.done(item, decision="deny", back="/factors")
    assert "were announced" not in await ada.read("/")
    office.company.clock.advance(2 * DAY)
    ada = await office.sign_in("ada")
    assert "waits for a decision" in await ada.refused(item, decision="approve")


async def test_a_link_ends_with_who_made_it(office: Office) -> None:
    """Whoever has left still knows it."""
    bob = await office.sign_in("bob")
    link = link_in((await bob.post("/people/max/enrol-link")).text)
    assert (await office.browser().get(link)).status_code == 200
    ada = await office.sign_in("ada")
    await ada.done("/people/bob/disable", reason="left")
    assert (await office.browser().get(link)).status_code == 404
