"""What the console's cookies and forms are bound to."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from onepam.console.app import create_console
from onepam.console.frame.visit import CSRF_COOKIE, SESSION_COOKIE, csrf_token
from tests.console.browsing import ADDRESS, Office, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        yield office


async def test_a_form_is_good_in_the_session_that_it_was_shown_in_only(office: Office) -> None:
    eve, max_ = await office.sign_in("eve"), await office.sign_in("max")
    await eve.get("/")
    nonce = eve._client.cookies[CSRF_COOKIE]
    own = csrf_token(nonce, eve.token)
    assert f'name="csrf" value="{own}"' in await eve.read("/")
    for name, token in {
        "before the sign-in": csrf_token(nonce, ""),
        "another session": csrf_token(nonce, max_.token),
        "another browser": csrf_token("x" * 43, eve.token),
        "the cookie itself": nonce,
    }.items():
        answer = await eve.post("/sign-out", csrf=token)
        assert "csrf.token" in answer.text, name
    assert (await eve.post("/sign-out", csrf=own)).status_code == 303


async def test_over_https_cookies_belong_to_this_host_alone(office: Office) -> None:
    console = create_console(replace(office.services, origin="https://pam.example.org"))
    eve = await office.sign_in("eve")
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=console, client=(ADDRESS, 40_000)), base_url="https://pam.example.org"
    ) as browser:
        plain = await browser.get("/", headers={"cookie": f"{SESSION_COOKIE}={eve.token}"})
        assert plain.status_code == 303  # a cookie that a neighbour could have set is nobody's
        (made,) = plain.headers.get_list("set-cookie")
        assert made.startswith("__Host-onepam_csrf=")
        assert {each.strip().lower() for each in made.split(";")} >= {"path=/", "secure", "httponly", "samesite=lax"}
        assert "domain" not in made.lower()
        known = await browser.get("/", headers={"cookie": f"__Host-{SESSION_COOKIE}={eve.token}"})
        assert known.status_code == 200
