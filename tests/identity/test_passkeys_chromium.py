"""A passkey made and used by a real browser: Chromium with its virtual authenticator."""

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Error, Page, sync_playwright

from onepam.identity.passkeys import (
    Authenticated,
    Passkey,
    RelyingParty,
    authentication_options,
    new_challenge,
    presented,
    registration_options,
    verify_authentication,
    verify_registration,
)
from onepam.kernel.errors import Refused

ORIGIN = "http://localhost:8080"
PARTY = RelyingParty("localhost", "OnePAM", (ORIGIN,))
PERSON = b"per_abcdefgh234567ab"

CREATE = """async json => JSON.stringify(await navigator.credentials.create(
  {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(json))}))"""
GET = """async json => JSON.stringify(await navigator.credentials.get(
  {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(json))}))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[tuple[Page, CDPSession]]:
    """A page of the origin; nothing listens there, the page is put in by the test."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page()
        page.route(f"{ORIGIN}/**", lambda route: route.fulfill(body="<title>OnePAM</title>", content_type="text/html"))
        page.goto(ORIGIN)
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        yield page, session
        chromium.close()


def authenticator(session: CDPSession, *, verifies: bool = True) -> dict[str, Any]:
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verifies,
    }
    added: dict[str, Any] = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return added


def test_a_passkey_of_a_real_browser_registers_and_signs_in(browser: tuple[Page, CDPSession]) -> None:
    page, session = browser
    added = authenticator(session)
    challenge = new_challenge(secrets.token_bytes)
    made = page.evaluate(CREATE, registration_options(PARTY, challenge, PERSON, "ann@example.com", "Ann"))
    passkey = verify_registration(PARTY, challenge, made)
    assert isinstance(passkey, Passkey), passkey
    assert passkey.transports == ("internal",)
    again = verify_registration(PARTY, new_challenge(secrets.token_bytes), made)
    assert isinstance(again, Refused)

    with pytest.raises(Error, match="InvalidStateError"):  # the same authenticator is not registered twice
        page.evaluate(CREATE, registration_options(PARTY, challenge, PERSON, "ann@example.com", "Ann", [passkey]))

    for _ in range(2):
        challenge = new_challenge(secrets.token_bytes)
        answer = page.evaluate(GET, authentication_options(PARTY, challenge))
        shown = presented(answer)
        assert not isinstance(shown, Refused)
        assert (shown.credential_id, shown.person_handle) == (passkey.credential_id, PERSON)
        outcome = verify_authentication(PARTY, challenge, answer, passkey, PERSON)
        assert isinstance(outcome, Authenticated), outcome
        assert outcome.sign_count > passkey.sign_count
        passkey = replace(passkey, sign_count=outcome.sign_count)
    replayed = verify_authentication(PARTY, new_challenge(secrets.token_bytes), answer, passkey, PERSON)
    assert isinstance(replayed, Refused)
    session.send("WebAuthn.removeVirtualAuthenticator", added)


def test_without_user_verification_the_browser_itself_gives_up(browser: tuple[Page, CDPSession]) -> None:
    page, session = browser
    added = authenticator(session, verifies=False)
    options = json.loads(registration_options(PARTY, bytes(32), PERSON, "ann@example.com", "Ann"))
    with pytest.raises(Error, match="NotAllowedError"):
        page.evaluate(CREATE, json.dumps(options | {"timeout": 2000}))
    session.send("WebAuthn.removeVirtualAuthenticator", added)
