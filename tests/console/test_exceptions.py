"""Exceptions from the second factor on the console: one proposes, another accepts, everybody sees it, it ends."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from onepam.domain.access.model import ConsoleRight
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import IdentityLinked, ProviderRule, ProviderSet
from onepam.kernel.clock import DAY, HOUR, MINUTE
from tests.company import record, role_set
from tests.console.browsing import Browser, Office, opened

pytestmark = pytest.mark.anyio

OKTA = ProviderSet("chg_9", "idp_1", ProviderKind.OIDC, "Okta", "{}", ProviderRule(), "ada", "bob")
WANTED = {
    "email": "eve@example.com",
    "reason": "No phones on the shop floor.",
    "control": "From the shop's network only.",
    "ends": "2026-03-20",
}
OFFER = "Propose an exception"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Max and bob may accept risks; everybody but aud signs in through Okta."""
    async with opened(tmp_path) as office:
        linked = (
            IdentityLinked(f"idn_{each}", "idp_1", each, "joined", None, f"{number:064}", each, each)
            for number, each in enumerate(("ada", "bob", "eve", "vic"))
        )
        await record(office.company.ledger, OKTA, *linked, role_set("risk", (), (ConsoleRight.ACCEPT_RISK,)))
        await office.company.bind("max", "risk")
        await office.company.bind("bob", "risk")
        yield office


@pytest.fixture
async def ada(office: Office) -> AsyncIterator[Browser]:
    browser = await office.sign_in("ada")
    yield browser
    await browser.close()


async def test_one_proposes_another_accepts_and_it_ends(office: Office, ada: Browser) -> None:
    page = await ada.read("/people/eve")
    assert 'href="/exceptions?for=eve%40example.com"' in page
    assert 'value="eve@example.com"' in await ada.read("/exceptions?for=eve@example.com")
    page = await ada.done("/exceptions", **WANTED)
    assert "It waits for a senior approver." in page
    assert 'value="approve"' not in page, "whoever proposed it does not accept it"
    assert "1 waiting for a senior approver" in await ada.read("/second-factors")
    assert OFFER not in await ada.read("/people/eve"), "there is one already"

    office.company.clock.advance(HOUR)
    maximum = await office.sign_in("max")
    found = re.search(r'action="/approvals/(exc_\w+)"', await maximum.read("/exceptions"))
    assert found
    office.company.clock.advance(6 * MINUTE)
    stale = await maximum.post(f"/approvals/{found[1]}", decision="approve", back="/exceptions")
    assert stale.headers["Location"] == "/step-up?next=/exceptions"
    maximum = await office.sign_in("max")
    assert "accepted by Max Example" in await maximum.approves(found[1], back="/exceptions")

    ada = await office.sign_in("ada")
    page = await ada.read("/people/eve")
    assert "No second factor until 20 Mar" in page
    assert "accepted by Max Example" in page
    assert "accepted by Max Example" in await ada.read("/second-factors")
    eve = await office.sign_in("eve")
    page = await eve.read("/exceptions")
    assert "No phones on the shop floor." in page, "one's own"
    assert f'action="/exceptions/{found[1]}/end"' not in page

    assert "alert-danger" in await ada.refused(f"/exceptions/{found[1]}/end", reason="")
    assert "Ended: a second factor is asked for again." in await ada.done(
        f"/exceptions/{found[1]}/end", reason="keys came"
    )
    assert "No second factor until" not in await ada.read("/people/eve")
    assert "None in force" in await ada.read("/second-factors")


async def test_it_ends_by_itself(office: Office, ada: Browser) -> None:
    await ada.done("/exceptions", **WANTED)
    found = re.search(r'id="(exc_\w+)-name"', await ada.read("/exceptions"))
    assert found
    maximum = await office.sign_in("max")
    await maximum.approves(found[1])
    office.company.clock.advance(19 * DAY)
    ada = await office.sign_in("ada")
    assert "No second factor until" not in await ada.read("/people/eve")
    assert "exc_" not in await ada.read("/exceptions")


async def test_it_is_never_offered_nor_proposed_for_administrators(office: Office, ada: Browser) -> None:
    assert OFFER not in await ada.read("/people/bob"), "administrative"
    assert OFFER not in await ada.read("/people/aud"), "without a provider there is a factor of ours"
    assert OFFER in await ada.read("/people/vic")
    said = unescape(await ada.refused("/exceptions", **{**WANTED, "email": "bob@example.com"}))
    assert "holds an administrative role" in said
    assert "Nobody does this for themselves" in unescape(
        await ada.refused("/exceptions", **{**WANTED, "email": "ada@example.com"})
    )
    assert "within 90 days" in await ada.refused("/exceptions", **{**WANTED, "ends": "2026-07-01"})
    assert "within 90 days" in await ada.refused("/exceptions", **{**WANTED, "ends": "tomorrow"})
    assert "Nobody has this address" in await ada.refused("/exceptions", **{**WANTED, "email": "no@example.com"})


async def test_only_rights_show_them(office: Office, ada: Browser) -> None:
    await ada.done("/exceptions", **WANTED)
    found = re.search(r'id="(exc_\w+)-name"', await ada.read("/exceptions"))
    assert found
    vic = await office.sign_in("vic")
    assert "No phones" not in await vic.read("/exceptions")
    assert "right" in await vic.refused(f"/approvals/{found[1]}", decision="approve", back="/exceptions")
    await vic.refused("/exceptions", **WANTED)
    await vic.refused(f"/exceptions/{found[1]}/end", reason="no")
