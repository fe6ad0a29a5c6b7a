"""A terminal without a browser, in its person's browser: what the page shows, who may answer, and what voids it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.signing_in.devices import LIFETIME
from onepam.domain.signing_in.events import DeviceAllowed, DeviceRefused, FactorEnrolled, FactorKind
from onepam.domain.signing_in.rules import FRESH_FACTOR
from onepam.identity.devices import Shown, Waiting
from onepam.kernel.clock import Instant
from onepam.store.engine.entries import entries
from tests.company import record
from tests.console.browsing import ADDRESS, Office, opened

pytestmark = pytest.mark.anyio

OTHER_CODE = "ZZZZ-ZZZZ"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        yield office


def asked(office: Office, source: str = ADDRESS, key: str = "", *, vouches: bool = True) -> tuple[str, str, Waiting]:
    """The page's address, the terminal's code, and how it stands."""
    shown = office.services.devices.ask(source, "eve@build-7", office.company.clock(), vouches=vouches)
    assert isinstance(shown, Shown)
    waiting = office.services.devices.named(shown.device, office.company.clock())
    assert waiting is not None
    if key:
        office.services.devices.show_key(waiting, key)
    return f"/cli/device/{shown.device}", shown.code, waiting


async def said(office: Office) -> list[Any]:
    return await office.company.reader(
        lambda db, at: [
            each.event for each in entries(db, 0, 1_000) if isinstance(each.event, DeviceAllowed | DeviceRefused)
        ]
    )


async def registered(office: Office, person: str) -> str:
    await record(
        office.company.ledger, FactorEnrolled(f"fac_key_{person}", person, FactorKind.SSH_KEY, "1", None, person)
    )
    return f"fac_key_{person}"


async def test_the_page_shows_who_asks_and_takes_the_code_once(office: Office) -> None:
    eve = await office.sign_in("eve")
    page, code, waiting = asked(office)
    shown = await eve.read(page)
    assert "eve@build-7" in shown
    assert ADDRESS in shown
    assert "none shown" in shown
    assert code not in shown
    assert (await eve.post(page, code="12345")).status_code == 403  # no code at all: nothing is void yet
    done = await eve.post(page, code=code.lower().replace("-", " "))
    assert "Signed in" in done.text
    assert waiting.answer is not None
    assert (waiting.answer.person, waiting.answer.source) == ("eve", ADDRESS)
    [event] = await said(office)
    assert (event.session, event.person, event.parent, event.key) == (waiting.asked.session, "eve", "sgn_eve", "")
    assert "This question is over" in (await eve.post(page, code=code)).text
    assert "This question is over" in await eve.read(page)
    await eve.close()


async def test_a_guessed_code_voids_the_attempt(office: Office) -> None:
    eve = await office.sign_in("eve")
    page, code, waiting = asked(office)
    assert "That is not the code" in (await eve.post(page, code=OTHER_CODE)).text
    assert "This question is over" in (await eve.post(page, code=code)).text
    assert (waiting.over, waiting.answer) == (True, None)
    assert [each.code for each in await said(office)] == ["device.wrong_code"]
    await eve.close()


async def test_a_stolen_link_is_worth_nothing_to_somebody_else_even_with_the_code(office: Office) -> None:
    eve, max_ = await office.sign_in("eve"), await office.sign_in("max")
    page, code, waiting = asked(office, "198.51.100.7", await registered(office, "eve"))
    refused = await max_.get(page)
    assert refused.status_code == 403
    assert "key of somebody else" in refused.text
    assert "eve@build-7" not in refused.text
    assert "key of somebody else" in (await max_.post(page, code=code)).text
    assert waiting.over
    assert "This question is over" in (await eve.post(page, code=code)).text
    assert [(each.by, each.code) for each in await said(office)] == [("max", "device.wrong_person")]
    await eve.close()
    await max_.close()


async def test_without_a_key_a_browser_at_another_address_lets_nobody_in(office: Office) -> None:
    eve = await office.sign_in("eve")
    for source, vouches in (("198.51.100.7", True), (ADDRESS, False)):
        page, code, waiting = asked(office, source, vouches=vouches)
        refused = await eve.get(page)
        assert refused.status_code == 403
        assert "another address" in refused.text
        assert "another address" in (await eve.post(page, code="12345")).text
        assert not waiting.over
        assert "another address" in (await eve.post(page, code=code)).text
        assert waiting.over
    assert [each.code for each in await said(office)] == ["device.wrong_address"] * 2
    await eve.close()


async def test_the_person_of_a_key_is_asked_wherever_the_terminal_is(office: Office) -> None:
    eve = await office.sign_in("eve")
    page, code, waiting = asked(office, "198.51.100.7", await registered(office, "eve"))
    shown = await eve.read(page)
    assert "one of yours" in shown
    assert "198.51.100.7" in shown
    assert "Signed in" in (await eve.post(page, code=code)).text
    assert waiting.answer is not None
    await eve.close()


async def test_this_is_not_me_voids_it(office: Office) -> None:
    eve = await office.sign_in("eve")
    page, code, _ = asked(office)
    assert "was not let in" in (await eve.post(f"{page}/refuse")).text
    assert "This question is over" in (await eve.post(page, code=code)).text
    assert "This question is over" in (await eve.post(f"{page}/refuse")).text
    assert [each.code for each in await said(office)] == ["device.not_me"]
    await eve.close()


async def test_an_old_factor_is_shown_anew_and_two_minutes_are_all(office: Office) -> None:
    eve = await office.sign_in("eve")
    page, code, waiting = asked(office)
    office.company.clock.now = Instant(office.company.clock.now + LIFETIME)
    assert "This question is over" in (await eve.post(page, code=code)).text
    office.company.clock.now = Instant(office.company.clock.now + FRESH_FACTOR)
    page, code, waiting = asked(office)
    for answer in (await eve.get(page), await eve.post(page, code=code)):
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/step-up?next={page}")
    assert waiting.answer is None
    await eve.close()


async def test_a_form_of_another_site_lets_nobody_in(office: Office) -> None:
    eve = await office.sign_in("eve")
    page, code, waiting = asked(office)
    assert (await eve.post(page, origin="https://evil.example", code=code)).status_code == 403
    assert (await eve.post(page, csrf="0" * 64, code=code)).status_code == 403
    assert (waiting.answer, waiting.over) == (None, False)
    await eve.close()
