"""Everything that serves once, in one table: the second use is refused, one after the other and both at once.

Each state table stands here, either with what it remembers to have served, or among those that remember no such thing;
a new one that is in neither list fails.
"""

import asyncio
import json
import secrets
from base64 import b32encode, urlsafe_b64decode
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyotp
import pytest

from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.providers.federated_sign_in import sign_in_by_provider, sign_out_by_provider, step_up_by_provider
from onepam.app.providers.receive_signal import receive_signal
from onepam.app.requests.approve_request import approve_request, undo_approval
from onepam.app.sessions.confirm import ask_confirmation, give_confirmation
from onepam.app.signing_in.devices import answer_device, open_device_session
from onepam.app.signing_in.enrol import enrol
from onepam.app.signing_in.sign_in import open_cli_session
from onepam.console.frame.visit import CSRF_COOKIE, FLOW_COOKIE, csrf_token
from onepam.domain.access.authority import Actor
from onepam.domain.leaving.probing import Probe, ProbedProof, ProbePath, ProbePurpose
from onepam.domain.providers.assertion import Assertion, ProviderKind
from onepam.domain.providers.entering import Entering, SignedInto, subject_digest
from onepam.domain.providers.events import IdentityLinked, ProviderRule, ProviderSet
from onepam.domain.providers.signals import Delivery, Signal, SignalKind, SignalStreamSet, Stream, Subject
from onepam.domain.sessions.confirmation import Ask
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.signing_in.devices import DeviceOpening
from onepam.domain.signing_in.events import EnrolmentOpened, FactorEnrolled, FactorKind, FactorRemoved
from onepam.domain.signing_in.gate import Visitor
from onepam.identity.cli_codes import issue_code, open_code
from onepam.identity.passwords import hash_password
from onepam.identity.stored import codes_text, sealed_seed
from onepam.identity.tokens import pkce_challenge
from onepam.kernel.clock import DAY, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.store.db import rows
from onepam.store.engine.database import connect
from onepam.store.engine.projections import STATE_TABLES
from tests.company import record
from tests.console.browsing import ORIGIN, Browser, Office, opened, recovery_codes
from tests.console.lasting_tables import NOT_ONE_USE
from tests.identity.test_passkeys import Authenticator

pytestmark = pytest.mark.anyio

Use = Callable[[], Awaitable[bool]]
"""One use; whether it served."""


async def nothing() -> None:
    """Nothing lies between the two."""


@dataclass(frozen=True)
class OneUse:
    """`table` remembers it ("" where only the memory of a process does); `begin` makes one in this office, and gives
    its use and what an attacker waits for before the second."""

    table: str
    begin: Callable[[Office], Awaitable[tuple[Use, Callable[[], Awaitable[None]]]]]


PASSWORD = "violet harbour ladder"
SEED = Secret(b"twenty bytes of seed")
VERIFIER, REDIRECT = "v" * 43, "http://127.0.0.1:40000/callback"
RULE = ProviderRule(attests=("mfa",), domains=("example.com",))
Begun = tuple[Use, Callable[[], Awaitable[None]]]


def done(outcome: object) -> bool:
    return not isinstance(outcome, Refused)


async def with_factors(office: Office) -> None:
    seed = sealed_seed(SEED, "ada", office.services.envelope)
    kept = ((FactorKind.PASSWORD, hash_password(PASSWORD)), (FactorKind.RECOVERY, codes_text(recovery_codes()[1])),
            (FactorKind.TOTP, seed))  # fmt: skip
    await record(
        office.company.ledger,
        *(FactorEnrolled(f"fac_{kind}", "ada", kind, "v1", None, "ada", secret=secret, reference="")
          for kind, secret in kept),
    )  # fmt: skip


async def after_password(office: Office) -> Browser:
    browser = office.browser()
    answer = await browser.post("/sign-in", login="ada@example.com", password=PASSWORD)
    assert answer.headers["Location"] == "/sign-in/second"
    return browser


async def cli_code(office: Office) -> Begun:
    """What `onepam login` carries from the browser to the terminal."""
    services, company = office.services, office.company
    code = issue_code(
        services.envelope, "eve", "sgn_eve", pkce_challenge(VERIFIER), REDIRECT, company.clock(), secrets.token_bytes
    )
    assert isinstance(code, str)

    async def use() -> bool:
        found = open_code(services.envelope, code, VERIFIER, REDIRECT, company.clock())
        assert not isinstance(found, Refused)
        actor, digest = Actor(found.person, found.parent, "192.0.2.1"), secrets.token_hex(32)
        return done(await open_cli_session(company.ledger, actor, found.session, digest, "192.0.2.1"))

    return use, nothing


async def terminal_let_in(office: Office) -> Begun:
    """A terminal without a browser, of which the code was typed."""
    company, terminals = office.company, office.services.devices
    shown = terminals.ask("192.0.2.1", "eve@build-7", company.clock(), vouches=True)
    assert not isinstance(shown, Refused)
    waiting = terminals.named(shown.device, company.clock())
    assert waiting is not None
    eve, asked = company.actor("eve"), waiting.asked
    assert await answer_device(company.ledger, eve, asked, asked.code_digest) is None

    async def use() -> bool:
        opening = DeviceOpening(asked.session, secrets.token_hex(32), "192.0.2.1")
        return done(await open_device_session(company.ledger, eve, opening))

    return use, nothing


async def confirmation_link(office: Office) -> Begun:
    """The address that a terminal shows."""
    company = office.company
    asked = Ask("cnf_1", "eve", "dev-1", "app", "192.0.2.1", "c0de")
    assert done(await ask_confirmation(company.ledger, asked))
    return lambda: _none(give_confirmation(company.ledger, company.actor("eve"), "cnf_1", "c0de")), nothing


async def given_confirmation(office: Office) -> Begun:
    """The person's yes opens one session."""
    company = office.company
    await (await confirmation_link(office))[0]()
    await record(
        company.ledger,
        FactorEnrolled("fac_key", "eve", FactorKind.SSH_KEY, "v1", None, None, reference="SHA256:k", public="k"),
    )

    async def use() -> bool:
        knock = Knock(
            company.new("ses"), EntryPoint.SSH_KEY_CONFIRMED, "eve", "dev-1", "app", "node-1", "192.0.2.1", "OpenSSH",
            confirmation="cnf_1",
        )  # fmt: skip
        return isinstance(await open_session(company.ledger, knock), Opened)

    return use, nothing


async def app_code(office: Office) -> Begun:
    """A step of TOTP, shown in two browsers."""
    await with_factors(office)
    code = pyotp.TOTP(b32encode(SEED.reveal()).decode()).at(office.company.clock() // SECOND)
    browsers = [await after_password(office), await after_password(office)]
    return lambda: _redirected(browsers.pop(), "/sign-in/totp", code=code), nothing


async def recovery_code(office: Office) -> Begun:
    await with_factors(office)
    browsers = [await after_password(office), await after_password(office)]
    code = recovery_codes()[0].reveal().decode("ascii")
    return lambda: _redirected(browsers.pop(), "/sign-in/recovery", code=code), nothing


async def enrolment_link(office: Office) -> Begun:
    ledger, until = office.company.ledger, Instant(office.company.clock() + DAY)
    await record(ledger, EnrolmentOpened("enr_1", "eve", until, "hired", "ada", token_digest="d" * 64))

    async def use() -> bool:
        new = FactorEnrolled(office.company.new("fac"), "eve", FactorKind.TOTP, "v1", None, "eve", secret="s")
        return await enrol(ledger, "d" * 64, (new,)) is None

    return use, nothing


async def provider_message(office: Office, kind: ProviderKind) -> Begun:
    """An ID token by its nonce, an assertion by its id."""
    company = office.company
    said = await _provider(office, kind)

    async def use() -> bool:
        person, identity, enrolment = (company.new(each) for each in ("per", "idn", "enr"))
        digest, visitor = secrets.token_hex(32), Visitor("192.0.2.1")
        entering = Entering(person, identity, enrolment, "", digest, visitor, "browser")
        return isinstance(await sign_in_by_provider(company.ledger, said, entering), SignedInto)

    return use, nothing


async def step_up_message(office: Office) -> Begun:
    """What a provider says of somebody in mid-session."""
    company = office.company
    said = await _provider(office, ProviderKind.OIDC)
    linked = IdentityLinked(
        "idn_1", "idp_1", "eve", "address", None, subject_digest=subject_digest("idp_1", "00u"), subject="00u"
    )
    await record(company.ledger, linked)
    return lambda: _none(step_up_by_provider(company.ledger, company.actor("eve"), said)), nothing


async def logout_notice(office: Office) -> Begun:
    await _provider(office, ProviderKind.OIDC)
    return lambda: _served(sign_out_by_provider(office.company.ledger, "idp_1", "jti-1", ())), nothing


async def signal(office: Office) -> Begun:
    """A Security Event Token by its id."""
    company = office.company
    stream = Stream("chg_1", "sst_1", "Okta", "https://okta.example", "https://pam.example", Delivery.PUSH, "idp_1",
                    "", "s-1", "d" * 64, None)  # fmt: skip
    fields = {name: getattr(stream, name) for name in Stream.__slots__}
    await record(company.ledger, SignalStreamSet(**fields, proposed_by="ada", by="bob"))
    told = Signal(SignalKind.SESSION_REVOKED, "set-1", company.clock(), Subject(True, "00u"))
    return lambda: _served(receive_signal(company.ledger, stream, told, MINUTE)), nothing


async def probe_ticket(office: Office) -> Begun:
    probes = office.services.probes
    probe = Probe("prb_1", "eve", ProbePath.CONSOLE, ProbedProof.COOKIE, ProbePurpose.LEAVER, "sgn_eve")
    ticket = probes.ticket(probe)

    async def use() -> bool:
        return probes.redeem(ticket, ProbePath.CONSOLE, "127.0.0.1", "127.0.0.1") is not None

    return use, nothing


async def undo(office: Office) -> Begun:
    """The ten seconds of an approval."""
    company = office.company
    made = await company.ask("eve", "web-1", "app")
    assert await _approved(office, made)
    return lambda: _none(undo_approval(company.ledger, company.actor("max"), made.request)), nothing


async def passkey_sign_in(office: Office) -> Begun:
    """A challenge to sign in with; the answer and the browser's cookie are kept and played again."""
    device = await _registered(office)
    first = office.browser()
    asked = await _ask(first, "/sign-in/passkey/options", {})
    answer = replace(device, challenge=asked, count=0).get()
    flow = first._client.cookies[FLOW_COOKIE]
    browsers = [first, office.browser()]
    await browsers[1].get("/sign-in")
    return lambda: _played(browsers.pop(), "/sign-in/passkey/verify", flow, answer), nothing


async def passkey_registration(office: Office) -> Begun:
    """A challenge to register with: a passkey that was removed does not come back by what brought it."""
    browser = await office.sign_in("ada")
    asked = await _ask(browser, "/factors/passkey/options", {})
    answer = _device(asked).create()
    flow = browser._client.cookies[FLOW_COOKIE]

    async def removed() -> None:
        with closing(connect(office.company.path, read_only=True)) as db:
            (factor,) = rows(db, "SELECT factor FROM factor WHERE kind = 'passkey'")[0]
        await record(office.company.ledger, FactorRemoved(factor, "ada", "removed", "ada"))

    return lambda: _played(browser, "/factors/passkey/verify", flow, answer), removed


ONE_USE = {
    "the code of onepam login": OneUse("sign_in", cli_code),
    "a terminal that was let in by its code": OneUse("device_sign_in", terminal_let_in),
    "a confirmation's link": OneUse("confirmation", confirmation_link),
    "a confirmation that was given": OneUse("confirmation", given_confirmation),
    "a step of an authenticator app": OneUse("factor", app_code),
    "a recovery code": OneUse("spent_recovery_code", recovery_code),
    "an enrolment link": OneUse("enrolment", enrolment_link),
    "a passkey's challenge to sign in": OneUse("answered_challenge", passkey_sign_in),
    "a passkey's challenge to register": OneUse("answered_challenge", passkey_registration),
    "an ID token, by its nonce": OneUse("sign_in", lambda office: provider_message(office, ProviderKind.OIDC)),
    "an assertion of SAML, by its id": OneUse("sign_in", lambda office: provider_message(office, ProviderKind.SAML)),
    "a provider's message in mid-session": OneUse("answered_challenge", step_up_message),
    "a provider's notice of a logout": OneUse("provider_logout", logout_notice),
    "a signal": OneUse("signal", signal),
    "a probe's ticket": OneUse("", probe_ticket),
    "the undoing of an approval": OneUse("access_grant", undo),
}


@pytest.mark.parametrize("name", ONE_USE)
async def test_the_second_use_is_refused(tmp_path: Path, name: str) -> None:
    async with opened(tmp_path) as office:
        use, between = await ONE_USE[name].begin(office)
        assert await use(), "the first use"
        await between()
        assert not await use(), "the second use"


@pytest.mark.parametrize("name", ONE_USE)
async def test_of_two_uses_at_once_one_serves(tmp_path: Path, name: str) -> None:
    async with opened(tmp_path) as office:
        use, _ = await ONE_USE[name].begin(office)
        assert sorted(await asyncio.gather(use(), use())) == [False, True]


def test_a_table_that_remembers_what_has_served_stands_here() -> None:
    remembering = {each.table for each in ONE_USE.values() if each.table}
    assert not remembering & NOT_ONE_USE
    assert {each.name for each in STATE_TABLES} == remembering | NOT_ONE_USE


async def _none(outcome: Awaitable[Refused | None]) -> bool:
    return await outcome is None


async def _served(outcome: Awaitable[object]) -> bool:
    return done(await outcome)


async def _redirected(browser: Browser, path: str, **form: str) -> bool:
    return (await browser.post(path, **form)).status_code == 303


async def _provider(office: Office, kind: ProviderKind) -> Assertion:
    """A provider in force, and its message about eve."""
    await record(office.company.ledger, ProviderSet("chg_1", "idp_1", kind, "Okta", "{}", RULE, "ada", "bob"))
    now = office.company.clock()
    return Assertion("idp_1", "00u", "eve", "eve@example.com", "Eve", None, ("mfa",), "", now, "unique-1")


async def _approved(office: Office, made: Any) -> bool:
    """Approved a moment ago: it can still be undone."""
    company = office.company
    granted = await approve_request(
        company.ledger, company.actor("max"), made.request, made.digest, company.new("grt"), "go ahead"
    )
    return done(granted)


def _device(challenge: bytes) -> Authenticator:
    return Authenticator(challenge=challenge, origin=ORIGIN, party_id="localhost", person_handle=b"ada")


async def _registered(office: Office) -> Authenticator:
    browser = await office.sign_in("ada")
    device = _device(await _ask(browser, "/factors/passkey/options", {}))
    assert await _played(browser, "/factors/passkey/verify", browser._client.cookies[FLOW_COOKIE], device.create())
    return device


async def _post_json(browser: Browser, path: str, sent: dict[str, Any]) -> dict[str, Any]:
    client = browser._client
    if CSRF_COOKIE not in client.cookies:
        await client.get("/sign-in")
    token = csrf_token(client.cookies[CSRF_COOKIE], client.cookies.get("onepam_session") or "")
    answer = await client.post(path, json=sent, headers={"Origin": ORIGIN, "X-CSRF-Token": token})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _ask(browser: Browser, path: str, sent: dict[str, Any]) -> bytes:
    """The challenge of the options."""
    challenge = (await _post_json(browser, path, sent))["challenge"]
    return urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))


async def _played(browser: Browser, path: str, flow: str, answer: str) -> bool:
    """The authenticator's answer with the cookie that belongs to it."""
    cookies = browser._client.cookies
    if FLOW_COOKIE in cookies:
        cookies.delete(FLOW_COOKIE)
    cookies.set(FLOW_COOKIE, flow, domain="localhost.local", path="/")
    said = await _post_json(browser, path, {"credential": json.loads(answer), "name": "key"})
    return "redirect" in said
