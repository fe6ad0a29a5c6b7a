"""The first factor of ours after a provider's message: the same flow goes on to where the person was going."""

import json
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pyotp
import pytest

from onepam.console.frame.visit import SESSION_COOKIE
from onepam.console.signing_in.entering import ONWARD_COOKIE, first_step
from onepam.domain.access.proof import MfaBasis
from onepam.domain.providers.assertion import Assertion, ProviderKind
from onepam.domain.providers.entering import subject_digest
from onepam.domain.providers.events import IdentityLinked, ProviderRule, ProviderSet
from onepam.domain.signing_in.events import EnrolmentOpened, SignedIn
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, MINUTE, SECOND, Instant
from onepam.kernel.secret import Secret
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from tests.company import record
from tests.console.browsing import Browser, Office, opened

pytestmark = pytest.mark.anyio

OKTA = ProviderSet("chg_9", "idp_1", ProviderKind.OIDC, "Okta", "{}", ProviderRule(), "ada", "bob")
THEN = "/cli/authorize?state=s1&code_challenge=c1"
AGAIN = "/sign-in/begin/idp_1?next=%2Fcli%2Fauthorize%3Fstate%3Ds1%26code_challenge%3Dc1"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        digest = subject_digest("idp_1", "00u1")
        linked = IdentityLinked("idn_1", "idp_1", "eve", "joined", None, digest, "00u1", "eve")
        await record(office.company.ledger, OKTA, linked)
        yield office


async def came(office: Office) -> tuple[Browser, str]:
    """Eve's browser just back from her provider, and where she enrols."""
    token, browser, now = new_token("enr", secrets.token_bytes), office.browser(), office.company.clock()
    digest = token_digest(token).hex()
    await record(office.company.ledger, EnrolmentOpened("enr_1", "eve", Instant(now + HOUR), "x", "eve", digest))
    said = Assertion("idp_1", "00u1", "eve", None, "Eve", ("g",), ("pwd",), "", now, "nonce-1", "sid-1")
    kept = {"link": digest, "first": first_step(said), "ends": now + 10 * MINUTE, "next": THEN, "until": now + HOUR}
    sealed = office.services.envelope.seal(Secret(json.dumps(kept).encode()), f"console-flow/{ONWARD_COOKIE}".encode())
    browser._client.cookies.set(ONWARD_COOKIE, urlsafe_b64encode(sealed).decode(), domain="localhost.local", path="/")
    return browser, f"/enrol/{token.reveal().decode('ascii')}"


async def enrol(office: Office, browser: Browser, link: str, pause: int) -> str:
    """An app is enrolled, with a pause before the last step; where the browser is sent then."""
    page = await browser.done(f"{link}/totp/start")
    found = re.search(r'data-copy="([A-Z2-7]{32,})"', page)
    assert found, page
    code = pyotp.TOTP(found[1]).at(office.company.clock.now // SECOND)
    assert "Your recovery codes" in await browser.done(f"{link}/totp", code=code)
    office.company.clock.advance(pause)
    return str((await browser.post(f"{link}/codes", kept="yes")).headers["Location"])


def sign_ins(office: Office) -> list[SignedIn]:
    with closing(connect(office.company.path, read_only=True)) as db:
        found = [each.event for each in entries(db, 0, 100_000) if isinstance(each.event, SignedIn)]
    return [each for each in found if each.provider == "idp_1"]


async def test_it_goes_on_with_the_factor_as_it_was_shown(office: Office) -> None:
    browser, link = await came(office)
    before = office.company.clock.now
    assert await enrol(office, browser, link, 3 * MINUTE) == THEN
    (session,) = sign_ins(office)
    assert (session.person, session.basis, session.proven) == ("eve", MfaBasis.STEPPED_UP, ("provider", "totp"))
    assert before < session.mfa_at < before + MINUTE, "not the time of the last click"
    assert SESSION_COOKIE in browser._client.cookies
    assert ONWARD_COOKIE not in browser._client.cookies


async def test_after_ten_minutes_the_provider_is_asked_again(office: Office) -> None:
    browser, link = await came(office)
    office.company.clock.advance(6 * MINUTE)
    assert await enrol(office, browser, link, 5 * MINUTE) == AGAIN
    assert sign_ins(office) == []


async def test_a_message_that_served_opens_nothing(office: Office) -> None:
    browser, link = await came(office)
    await enrol(office, browser, link, 0)
    other, another = await came(office)
    assert await enrol(office, other, another, 0) == AGAIN
    assert len(sign_ins(office)) == 1
    assert SESSION_COOKIE not in other._client.cookies


async def test_another_links_flow_goes_nowhere(office: Office) -> None:
    """What a provider said counts for the link that it led to, and for no other."""
    browser, _ = await came(office)
    token = new_token("enr", secrets.token_bytes)
    ends = Instant(office.company.clock() + HOUR)
    await record(office.company.ledger, EnrolmentOpened("enr_2", "eve", ends, "x", "ada", token_digest(token).hex()))
    assert await enrol(office, browser, f"/enrol/{token.reveal().decode('ascii')}", 0) == "/sign-in"
    assert sign_ins(office) == []
