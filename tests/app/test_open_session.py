"""The one door, and the table entry point x control: an entry point that is not listed here fails."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Challenge, Knock, Opened, open_session
from onepam.app.people.add_person import add_person
from onepam.app.people.add_service_key import add_service_key
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.mfa_rule import MAX_AGE
from onepam.domain.access.model import MAX_SESSION, Action, ResourceKind
from onepam.domain.access.proof import MfaProof
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.sessions.events import (
    SPEAKS,
    ConfirmationAsked,
    ConfirmationFailed,
    ConfirmationGiven,
    ConfirmationUsed,
    EntryPoint,
    SessionOpened,
    SessionRefused,
)
from onepam.domain.sessions.login_tokens import LoginTokenIssued
from onepam.domain.signing_in.events import SignedOut
from onepam.domain.signing_in.service_keys import ServiceKey
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from tests.company import DEV, START, Company, record, refused, role_set

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


class Visitor:
    """Eve at one entry point, with the proof that it asks for; where machines come in, the service account bot."""

    def __init__(self, company: Company, entry: EntryPoint) -> None:
        self.company = company
        self.entry = entry
        self.person = "bot" if entry is EntryPoint.SSH_SERVICE_KEY else "eve"

    async def knock(self, resource: str = "dev-1", login: str = "app", **changed: object) -> Knock:
        """A knock with a good proof of the second factor, shown a moment ago."""
        session = self.company.new("ses")
        knock = Knock(session, self.entry, self.person, resource, login, "node-1", "192.0.2.1", "OpenSSH_9.2")
        proof: dict[str, object] = {**await PROOFS[self.entry](self.company, resource, login), **changed}
        return replace(knock, **proof)  # type: ignore[arg-type]

    async def open(
        self, resource: str = "dev-1", login: str = "app", **changed: object
    ) -> Opened | Challenge | Refused:
        return await open_session(self.company.ledger, await self.knock(resource, login, **changed))


async def certificate(company: Company, resource: str, login: str) -> dict[str, str]:
    return {"sign_in": "sgn_eve"}


async def confirmation(company: Company, resource: str, login: str) -> dict[str, str]:
    name = company.new("cnf")
    now = company.clock()
    await record(
        company.ledger,
        ConfirmationAsked(name, "eve", resource, login, Instant(now + 2 * MINUTE), "c0de", "192.0.2.1"),
        ConfirmationGiven(name, "eve", MfaProof("sgn_eve", ("password", "totp"), now)),
    )
    return {"confirmation": name}


async def login_token(company: Company, resource: str, login: str) -> dict[str, str]:
    name = company.new("tok")
    expires = Instant(company.clock() + 10 * MINUTE)
    await record(
        company.ledger,
        LoginTokenIssued(name, "eve", resource, login, "sgn_eve", expires, name, "192.0.2.1"),
    )
    return {"sign_in": "sgn_eve", "token": name}


async def service_key(company: Company, resource: str, login: str) -> dict[str, str]:
    known = Attributes("Deploy bot", None, owner="aud", ends=Instant(START + 30 * DAY))
    added = await add_person(company.ledger, company.actor("ada"), "bot", PersonKind.SERVICE, known, "deploys")
    if added is None:
        await company.bind("bot", "engineer")
        key = ServiceKey("fac_bot", "bot", "ci", "SHA256:bot", "ssh-ed25519 AAAA", ("192.0.2.0/24",))
        assert await add_service_key(company.ledger, company.actor("ada"), replace(key, factor="fac_0")) is True
        await company.sign_in("bob")
        assert await add_service_key(company.ledger, company.actor("bob"), key) is False
        await company.sign_in("bot")  # nothing signs it in; it is how this test asks for a grant
    return {"key": "fac_bot"}


PROOFS = {
    EntryPoint.SSH_CERTIFICATE: certificate,
    EntryPoint.SSH_KEY_CONFIRMED: confirmation,
    EntryPoint.SSH_SERVICE_KEY: service_key,
    EntryPoint.POSTGRES_TOKEN: login_token,
    EntryPoint.POSTGRES_CERTIFICATE: certificate,
    EntryPoint.MYSQL_TOKEN: login_token,
}
BY_SIGN_IN = {entry for entry, proof in PROOFS.items() if proof in (certificate, login_token)}
SHOWN = {
    EntryPoint.SSH_CERTIFICATE: ("password", "totp"),
    EntryPoint.SSH_KEY_CONFIRMED: ("password", "totp"),
    EntryPoint.SSH_SERVICE_KEY: ("machine",),
    EntryPoint.POSTGRES_TOKEN: ("password", "totp"),
    EntryPoint.POSTGRES_CERTIFICATE: ("password", "totp"),
    EntryPoint.MYSQL_TOKEN: ("password", "totp"),
}
"""What the record says of the second factor: a machine has none, and never passes for having one."""


def history(company: Company, *kinds: type) -> list[object]:
    db = connect(company.path, read_only=True)
    try:
        return [each.event for each in entries(db, 0, 100_000) if isinstance(each.event, kinds)]
    finally:
        db.close()


def test_every_entry_point_is_in_the_table() -> None:
    assert set(PROOFS) == set(SHOWN) == set(EntryPoint) == set(SPEAKS)


@pytest.fixture(params=list(PROOFS), ids=lambda entry: entry.value)
async def visitor(request: pytest.FixtureRequest, company: Company) -> Visitor:
    if (kind := SPEAKS[request.param]) is not ResourceKind.SSH:
        await company.databases(kind)
    return Visitor(company, request.param)


@pytest.mark.claim(
    "A second factor for people on every path",
    altered="a registered key alone counted as a proof",
)
async def test_mfa_without_a_second_factor_nothing_opens(visitor: Visitor) -> None:
    answer = await visitor.open(sign_in=None, confirmation=None, key=None)
    if isinstance(answer, Challenge):
        assert history(visitor.company, SessionOpened) == []
    else:
        refused(answer, "service.key" if visitor.entry is EntryPoint.SSH_SERVICE_KEY else "sign_in.ended")


async def test_mfa_of_somebody_else_opens_nothing(visitor: Visitor) -> None:
    other = {"sign_in": "sgn_max"} if visitor.entry in BY_SIGN_IN else {"person": "vic"}
    assert isinstance(await visitor.open(**other), Refused)


async def test_mfa_grows_old_and_a_machine_has_none(visitor: Visitor) -> None:
    knock = await visitor.knock()
    visitor.company.clock.advance(MAX_AGE)
    answer = await open_session(visitor.company.ledger, knock)
    assert isinstance(answer, Opened if visitor.entry is EntryPoint.SSH_SERVICE_KEY else Refused)


async def test_approval_production_opens_with_a_grant_only(visitor: Visitor) -> None:
    refused(await visitor.open("web-1"), "access.needs_approval")
    made = await visitor.company.ask(visitor.person, "web-1", "app")
    refused(await visitor.open("web-1"), "access.needs_approval")
    granted = await visitor.company.approve("max", made)
    opened = await visitor.open("web-1")
    assert isinstance(opened, Opened)
    assert (opened.because.grant, opened.because.request) == (granted.grant, made.request)
    refused(await visitor.open("web-2"), "access.needs_approval")
    refused(await visitor.open("web-1", "root"), "access.needs_approval")


async def test_recording_what_is_privileged_is_recorded_strictly(visitor: Visitor) -> None:
    plain = await visitor.open()
    await visitor.company.approve("max", await visitor.company.ask(visitor.person, "web-1", "app"))
    privileged = await visitor.open("web-1")
    assert isinstance(plain, Opened)
    assert isinstance(privileged, Opened)
    assert (plain.privileged, privileged.privileged) == (False, True)


async def test_limits_every_permit_ends(visitor: Visitor) -> None:
    opened = await visitor.open()
    assert isinstance(opened, Opened)
    assert opened.opened < opened.ends <= opened.opened + MAX_SESSION
    await visitor.company.approve("max", await visitor.company.ask(visitor.person, "web-1", "app", duration=HOUR))
    granted = await visitor.open("web-1")
    assert isinstance(granted, Opened)
    assert granted.ends <= granted.opened + HOUR


async def test_limits_a_door_leads_to_nothing_that_speaks_otherwise(company: Company) -> None:
    """What is said is for those who may go there: somebody else learns nothing of what it is."""
    for entry in PROOFS:
        await Visitor(company, entry).knock()  # the machine is registered before the roles change
    for entry in PROOFS:
        if SPEAKS[entry] is not ResourceKind.SSH:
            refused(await Visitor(company, entry).open(), "resource.protocol")
    await company.databases()
    for entry in PROOFS:
        if SPEAKS[entry] is not ResourceKind.POSTGRES:
            refused(await Visitor(company, entry).open(), "resource.protocol")
    other = await open_session(
        company.ledger,
        Knock("ses_aud", EntryPoint.SSH_CERTIFICATE, "aud", "dev-1", "app", "n", "192.0.2.1", "", sign_in="sgn_aud"),
    )
    refused(other, "resource.unknown")


async def test_limits_the_permit_and_its_record_have_the_guardrails(company: Company) -> None:
    await company.databases()
    guardrails = Guardrails((StatementClass.READ,), 100, MINUTE)
    await record(company.ledger, role_set("engineer", [replace(DEV, actions=(Action.QUERY,), guardrails=guardrails)]))
    opened = await Visitor(company, EntryPoint.POSTGRES_CERTIFICATE).open()
    assert isinstance(opened, Opened)
    (event,) = history(company, SessionOpened)
    assert isinstance(event, SessionOpened)
    assert opened.guardrails == event.guardrails == guardrails


async def test_limits_an_unpinned_target_opens_for_nobody(visitor: Visitor) -> None:
    assert isinstance(await visitor.open("old-1"), Refused)


async def test_record_every_answer_is_an_event_with_its_proof(visitor: Visitor) -> None:
    opened = await visitor.open()
    assert isinstance(opened, Opened)
    (event,) = history(visitor.company, SessionOpened)
    assert isinstance(event, SessionOpened)
    assert (event.session, event.entry, event.ends) == (opened.session, visitor.entry, opened.ends)
    assert event.mfa.factors == SHOWN[visitor.entry]
    refused(await visitor.open("no-such-1"), "resource.unknown")
    (said,) = history(visitor.company, SessionRefused)
    assert isinstance(said, SessionRefused)
    assert (said.entry, said.resource, said.asked, said.code) == (
        visitor.entry, None, "no-such-1", "resource.unknown",
    )  # fmt: skip


async def test_a_confirmation_serves_one_opening_of_what_was_confirmed(company: Company) -> None:
    visitor = Visitor(company, EntryPoint.SSH_KEY_CONFIRMED)
    given = await confirmation(company, "dev-1", "app")
    elsewhere = await confirmation(company, "web-1", "app")
    assert isinstance(await visitor.open(**given), Opened)
    assert len(history(company, ConfirmationUsed)) == 1
    refused(await visitor.open(**given), "confirmation.missing")
    refused(await visitor.open(**elsewhere), "confirmation.other")
    refused(await visitor.open(confirmation="cnf_none"), "confirmation.missing")
    assert len(history(company, SessionOpened)) == 1


async def test_a_confirmation_that_failed_opens_nothing(company: Company) -> None:
    given = await confirmation(company, "dev-1", "app")
    await record(company.ledger, ConfirmationFailed(given["confirmation"], "eve", "confirmation.wrong_code"))
    refused(await Visitor(company, EntryPoint.SSH_KEY_CONFIRMED).open(**given), "confirmation.missing")


async def test_a_sign_in_that_has_ended_opens_nothing(company: Company) -> None:
    await record(company.ledger, SignedOut("sgn_eve", "eve", "logout", "eve"))
    refused(await Visitor(company, EntryPoint.SSH_CERTIFICATE).open(), "sign_in.ended")
