"""Factors are replaced after a theft, by a link in the real console: whatever the thief holds opens nothing any more.

Stock clients in front of a whole gateway. A registered SSH key stays, for it opens nothing by itself: every session
asks for a confirmation under a fresh factor, which is one of the new ones.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from secrets import token_bytes

import httpx2
import pyotp
import pytest

from onepam.app.sessions.confirm import give_confirmation
from onepam.app.signing_in.enrol import approve_enrolment, open_enrolment
from onepam.boot.clock import wall_clock
from onepam.domain.access.model import ConsoleRight, Permission
from onepam.domain.sessions.events import SessionClosed, SessionOpened
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, FactorRemoved, SignedIn, SignedOut, SignInKind
from onepam.domain.signing_in.rules import SESSIONS_OVER
from onepam.identity.tokens import code_digest, new_token, token_digest
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from tests.gateway_fixture import STANDING, Gateway, Person, certificate_of, outcome, running_gateway, shown_code

pytestmark = pytest.mark.anyio

PASSWORD = "seven tall ships sail at dusk"


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


def browser(gateway: Gateway) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{gateway.platform.config.console_port}", timeout=60)


async def post(client: httpx2.AsyncClient, path: str, **form: str) -> httpx2.Response:
    """A form of the page that stands there."""
    page = await client.get("/sign-in", follow_redirects=True)  # whoever is signed in goes on
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf is not None, page.text
    return await client.post(path, data={**form, "csrf": csrf[1]}, headers={"Origin": str(client.base_url).rstrip("/")})


async def stolen(gateway: Gateway, person: Person, kind: SignInKind) -> tuple[str, Secret]:
    """A sign-in of the thief's, by the factors that were stolen: its id and its token."""
    session, now = new_id("sgn", token_bytes), wall_clock()
    token = new_token("opc", token_bytes)
    await gateway.record(
        SignedIn(
            session, person.id, kind, (FactorKind.PASSWORD, FactorKind.TOTP), now, Instant(now + HOUR), None,
            token_digest=token_digest(token).hex(), source="127.0.0.1", agent="test",
        )
    )  # fmt: skip
    return session, token


async def with_factors(gateway: Gateway, permission: Permission = STANDING, *, key_only: bool = False) -> Person:
    person = await gateway.person(permission, certificate=not key_only, registered=key_only)
    await gateway.record(
        *(
            FactorEnrolled(new_id("fac", token_bytes), person.id, kind, "v1", None, None, secret="old", reference="")
            for kind in (FactorKind.PASSWORD, FactorKind.TOTP, FactorKind.RECOVERY)
        )
    )
    return person


async def enrolled_anew(gateway: Gateway, person: Person) -> pyotp.TOTP:
    """Administrators make a link, and its person goes through it in a browser; gives the new app."""
    proposer, other = [await gateway.person(console=(ConsoleRight.ADMINISTER,)) for _ in range(2)]
    passkey = FactorEnrolled(new_id("fac", token_bytes), other.id, FactorKind.PASSKEY, "v1", None, None)
    await gateway.record(passkey)
    token, enrolment = new_token("enr", token_bytes), new_id("enr", token_bytes)
    digest, ledger = token_digest(token).hex(), gateway.platform.ledger
    proposed = await open_enrolment(ledger, gateway.actor(proposer), person.id, enrolment, digest, "stolen")
    assert not isinstance(proposed, Refused)
    if proposed.expires is None:  # the person reaches what is privileged
        assert not isinstance(await approve_enrolment(ledger, gateway.actor(other), enrolment, digest), Refused)
    here = f"/enrol/{token.reveal().decode('ascii')}"
    async with browser(gateway) as client:
        assert (await post(client, f"{here}/password", password=PASSWORD, again=PASSWORD)).status_code == 303
        assert (await post(client, f"{here}/totp/start")).status_code == 303
        shown = re.search(r'data-copy="([A-Z2-7]{16,})"', (await client.get(here)).text)
        assert shown is not None
        app = pyotp.TOTP(shown[1])
        assert (await post(client, f"{here}/totp", code=app.now())).status_code == 303
        assert 'id="codes"' in (await client.get(here)).text
        answer = await post(client, f"{here}/codes", kept="yes")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    return app


async def test_live_sessions_certificates_cookies_and_tokens_end(gateway: Gateway) -> None:
    person, bystander = await with_factors(gateway), await with_factors(gateway)
    thief, stays = await gateway.working(person), await gateway.working(bystander)
    _, cookie = await stolen(gateway, person, SignInKind.CONSOLE)
    _, token = await stolen(gateway, person, SignInKind.CLI)
    bearer = {"Authorization": f"Bearer {token.reveal().decode('ascii')}"}
    async with browser(gateway) as client:
        client.cookies.set("onepam_session", cookie.reveal().decode("ascii"))
        assert (await client.get("/factors")).status_code == 200
        assert (await client.get("/api/v1/me", headers=bearer)).status_code == 200
        await enrolled_anew(gateway, person)
        gone = await outcome(thief, None)
        assert gone.status == 255
        assert "the password or second factor of this account was replaced: sign in again" in gone.stderr
        (closed,) = await gateway.ended(person)
        assert isinstance(closed, SessionClosed)
        assert (closed.because, closed.verified) == (SESSIONS_OVER, True)
        assert (await client.get("/factors")).headers["location"].startswith("/sign-in")
        assert (await client.get("/api/v1/me", headers=bearer)).status_code == 401
    assert certificate_of(person).exists()
    again = await gateway.run(*gateway.ssh(person, "echo in"))
    assert (again.status, again.stdout) == (255, b"")
    assert len(gateway.events(SessionOpened, person)) == 1
    assert {each.because for each in gateway.events(SignedOut, person)} == {SESSIONS_OVER}
    assert len(gateway.events(SignedOut, person)) == 3
    assert (await outcome(stays, b"still here\n")).stdout == b"still here\n"


async def test_a_key_of_before_opens_only_what_its_person_confirms_under_a_new_factor(gateway: Gateway) -> None:
    """On a machine that is not production: there nothing opens for an hour."""
    await gateway.record(replace(gateway.resource("lab-1"), labels={"env": "dev"}))
    person = await with_factors(gateway, replace(STANDING, where={"env": "dev"}), key_only=True)
    command = gateway.ssh(person, "echo in", user=f"{gateway.target.login}@lab-1")
    actor, confirm = gateway.actor(person), give_confirmation
    waiting = await gateway.start(*command)
    before, code = await shown_code(waiting)
    app = await enrolled_anew(gateway, person)
    digest = code_digest(code)
    assert digest is not None
    stale = await confirm(gateway.platform.ledger, actor, before, digest.hex())
    assert isinstance(stale, Refused), "by the sign-in of before, which has ended"
    waiting.kill()
    await outcome(waiting, None)
    assert [each.factor for each in gateway.events(FactorRemoved, person)] != []
    terminal = await gateway.start(*command)
    asked, code = await shown_code(terminal)
    assert gateway.events(SessionOpened, person) == [], "the key by itself opens nothing"
    async with browser(gateway) as client:
        email = f"{person.id}@example.com"
        assert (await post(client, "/sign-in", login=email, password=PASSWORD)).status_code == 303
        later = app.at(int(wall_clock() // 1_000_000) + 30)  # the step that enrolled it has served
        assert (await post(client, "/sign-in/totp", code=later)).status_code == 303
        answer = await post(client, f"/confirm/{asked}", code=code)
        assert answer.status_code == 200, answer.text
    done = await outcome(terminal)
    assert (done.status, done.stdout) == (0, b"in\n")
    (opened,) = gateway.events(SessionOpened, person)
    assert opened.mfa.session not in {person.sign_in}
