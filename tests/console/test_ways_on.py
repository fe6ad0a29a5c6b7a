"""Whoever was on their way somewhere arrives there, by every way of signing in and of showing a factor again."""

import html
import json
import re
from base64 import urlsafe_b64decode
from dataclasses import replace

import pytest

from onepam.console.frame.visit import CSRF_COOKIE, SESSION_COOKIE, csrf_token
from tests.console.browsing import ORIGIN, Browser, Office
from tests.identity.test_passkeys import Authenticator

pytestmark = pytest.mark.anyio

THEN = "/cli/authorize?state=s1&code_challenge=c1"
NEXT = "?next=%2Fcli%2Fauthorize%3Fstate%3Ds1%26code_challenge%3Dc1"
SIGN_IN, STEP_UP = f"/sign-in{NEXT}", f"/step-up{NEXT}"


async def sent(browser: Browser, path: str, body: dict[str, object]) -> dict[str, object]:
    """What the island posts."""
    cookies = browser._client.cookies
    token = csrf_token(cookies[CSRF_COOKIE], cookies.get(SESSION_COOKIE) or "")
    answer = await browser._client.post(path, json=body, headers={"Origin": ORIGIN, "X-CSRF-Token": token})
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def by_passkey(browser: Browser, page: str, device: Authenticator, *, register: bool = False) -> object:
    """Presses the page's button for passkeys; where the browser is sent."""
    options, verify = (
        html.unescape(found[1])
        for name in ("options", "verify")
        if (found := re.search(f'data-{name}="([^"]*passkey[^"]*)"', page))
    )
    challenge = str((await sent(browser, options, {}))["challenge"])
    at_hand = replace(device, challenge=urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4)))
    credential = json.loads(at_hand.create() if register else at_hand.get())
    return (await sent(browser, verify, {"credential": credential, "name": "key"})).get("redirect")


async def device_of(office: Office, person: str) -> Authenticator:
    """A passkey that the person has."""
    device = Authenticator(origin=ORIGIN, party_id="localhost", person_handle=person.encode())
    browser = await office.sign_in(person)
    assert await by_passkey(browser, await browser.read("/factors"), device, register=True)
    return device


async def test_by_a_passkey_alone(office: Office) -> None:
    device, browser = await device_of(office, "eve"), office.browser()
    assert await by_passkey(browser, await browser.read(SIGN_IN), device) == THEN


async def test_by_a_passkey_shown_again(office: Office) -> None:
    device, browser = await device_of(office, "eve"), await office.sign_in("eve")
    assert await by_passkey(browser, await browser.read(STEP_UP), device) == THEN


async def test_a_way_to_another_site_is_none(office: Office) -> None:
    device, browser = await device_of(office, "eve"), office.browser()
    assert await by_passkey(browser, await browser.read("/sign-in?next=//evil.example"), device) == "/"


async def test_a_code_that_comes_too_late_begins_again_on_the_way(office: Office) -> None:
    browser = office.browser()
    answer = await browser.post("/sign-in/totp", code="000000", next=THEN)
    assert answer.headers["Location"] == SIGN_IN
    assert html.escape(THEN) in await browser.read(answer.headers["Location"])
    answer = await browser.post("/sign-in/totp", code="000000", next="//evil.example")
    assert answer.headers["Location"] == "/sign-in?next=%2F"
