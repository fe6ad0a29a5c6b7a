"""A service account's key on a real ledger: registered, used from its networks, removed, and never more than that."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Challenge, Knock, Opened, open_session
from onepam.app.people.add_person import add_person
from onepam.app.people.add_service_key import add_service_key
from onepam.app.people.disable_person import disable_person
from onepam.app.people.remove_service_key import remove_service_key
from onepam.app.signing_in.enrol import open_enrolment
from onepam.domain.access.model import Action, Mode, Permission
from onepam.domain.access.proof import MfaProof
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.sessions.events import EntryPoint, SessionOpened, SessionRefused
from onepam.domain.signing_in.events import FactorKind
from onepam.domain.signing_in.service_keys import ServiceKey
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.store.engine.rebuild import compare
from onepam.store.read.proofs_of_sign_in import KeyHolder, account, factor_by_reference, key_holder
from onepam.store.read.second_factor import mfa_report
from tests.company import START, Company, record, refused, role_set

pytestmark = pytest.mark.anyio

KEY = ServiceKey("fac_bot", "bot", "ci", "SHA256:bot", "ssh-ed25519 AAAA", ("192.0.2.0/24",))


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    known = Attributes("Deploy bot", None, owner="max", ends=Instant(START + 30 * DAY))
    assert await add_person(company.ledger, company.actor("ada"), "bot", PersonKind.SERVICE, known, "CI") is None
    await company.bind("bot", "engineer")
    await company.sign_in("ada")
    yield company
    company.close()


async def registered(company: Company, key: ServiceKey = KEY) -> bool | Refused:
    return await add_service_key(company.ledger, company.actor("ada"), key)


def knock(company: Company, **changed: str | None) -> Knock:
    entry = EntryPoint.SSH_SERVICE_KEY
    session = company.new("ses")
    found = Knock(session, entry, "bot", "dev-1", "app", "node-1", "192.0.2.9", "OpenSSH", key="fac_bot")
    return replace(found, **changed)  # type: ignore[arg-type]


async def knocked(company: Company, **changed: str | None) -> Opened | Challenge | Refused:
    return await open_session(company.ledger, knock(company, **changed))


def events(company: Company, kind: type) -> list[object]:
    with connect(company.path, read_only=True) as db:
        return [each.event for each in entries(db, 0, 1 << 30) if isinstance(each.event, kind)]


async def test_a_registered_key_opens_what_the_account_may_reach_and_is_shown_as_a_machine(company: Company) -> None:
    assert await registered(company) is True
    answer = await knocked(company)
    assert isinstance(answer, Opened)
    opened = events(company, SessionOpened)[-1]
    assert isinstance(opened, SessionOpened)
    assert opened.entry is EntryPoint.SSH_SERVICE_KEY
    assert opened.mfa == MfaProof("", ("machine",), answer.opened)
    report = await company.reader(mfa_report)
    assert (report.sessions, report.machine_sessions) == ({}, 1), "of machines, and of nobody"
    assert answer.ends <= START + 30 * DAY
    refused(await knocked(company, target="web-1"), "access.needs_approval")


async def test_a_key_opens_nothing_from_elsewhere_and_the_attempt_is_recorded(company: Company) -> None:
    assert await registered(company) is True
    answer = refused(await knocked(company, source="198.51.100.1", target="nowhere"), "service.network")
    assert answer.message == "This key may not come from 198.51.100.1."
    told = events(company, SessionRefused)[-1]
    assert isinstance(told, SessionRefused)
    assert (told.person, told.entry, told.code) == ("bot", EntryPoint.SSH_SERVICE_KEY, "service.network")
    assert told.source == "198.51.100.1"
    assert isinstance(await knocked(company, source="::ffff:192.0.2.9"), Opened)


async def test_one_administrator_alone_opens_nothing_privileged_by_a_key(company: Company) -> None:
    standing = Permission("d", (Action.SHELL,), {"env": "prod"}, ("root",), Mode.STANDING, 4 * HOUR)
    await record(company.ledger, role_set("deploy", [standing]))
    await company.bind("bot", "deploy")
    assert await registered(company) is True
    privileged = {"target": "web-1", "login": "root"}
    refused(await knocked(company, **privileged), "service_key.takes_two")
    assert isinstance(await knocked(company), Opened)
    refused(await registered(company, replace(KEY, factor="fac_2")), "service_key.takes_two")
    await company.sign_in("bob")
    second = replace(KEY, factor="fac_3")
    assert await add_service_key(company.ledger, company.actor("bob"), second) is False
    assert isinstance(await knocked(company, key="fac_3", **privileged), Opened)
    refused(await knocked(company, **privileged), "service.key")


async def test_a_removed_key_a_disabled_account_and_one_past_its_end_open_nothing(company: Company) -> None:
    assert await registered(company) is True
    assert await registered(company, replace(KEY, factor="fac_2", fingerprint="SHA256:two")) is True
    company.clock.advance(6 * MINUTE)
    assert await remove_service_key(company.ledger, company.actor("ada"), "bot", "fac_bot") is None
    refused(await remove_service_key(company.ledger, company.actor("ada"), "bot", "fac_bot"), "service_key.unknown")
    refused(await knocked(company), "service.key")
    assert isinstance(await knocked(company, key="fac_2"), Opened)
    refused(await knocked(company, key=None), "service.key")
    company.clock.advance(30 * DAY)
    refused(await knocked(company, key="fac_2"), "person.disabled")


async def test_a_disabled_account(company: Company) -> None:
    assert await registered(company) is True
    assert not isinstance(await disable_person(company.ledger, company.actor("ada"), "bot", "leaked"), Refused)
    refused(await knocked(company), "service.key")


async def test_a_machine_has_no_other_way_in_and_nobody_else_has_its(company: Company) -> None:
    assert await registered(company) is True
    refused(await knocked(company, entry=EntryPoint.SSH_KEY_CONFIRMED), "service.entry")
    refused(await knocked(company, entry=EntryPoint.SSH_CERTIFICATE, sign_in="sgn_eve"), "service.entry")
    refused(await knocked(company, person="eve"), "service.entry")
    refused(await knocked(company, person="nobody"), "service.entry")
    link = await open_enrolment(company.ledger, company.actor("ada"), "bot", "enr_1", "digest", "x")
    assert isinstance(link, Refused)


async def test_a_key_of_another_account_is_not_its_own(company: Company) -> None:
    known = Attributes("Other bot", None, owner="max", ends=Instant(START + 30 * DAY))
    assert await add_person(company.ledger, company.actor("ada"), "rob", PersonKind.SERVICE, known, "CI") is None
    assert await registered(company) is True
    refused(await registered(company, replace(KEY, person="rob", factor="fac_rob")), "service_key.registered")
    refused(await knocked(company, person="rob"), "service.key")
    actor = company.actor("ada")
    refused(await remove_service_key(company.ledger, actor, "rob", "fac_bot"), "service_key.unknown")


async def test_only_an_administrator_with_a_fresh_factor_registers(company: Company) -> None:
    refused(await add_service_key(company.ledger, company.actor("eve"), KEY), "right.missing")
    refused(await registered(company, replace(KEY, person="eve")), "service_key.person")
    refused(await registered(company, replace(KEY, person="nobody")), "person.unknown")
    company.clock.advance(6 * MINUTE)
    refused(await registered(company), "factor.stale")


async def test_who_holds_a_key_and_with_which_networks(company: Company) -> None:
    before = company.clock()
    assert await registered(company) is True
    assert await company.reader(key_holder, None, "SHA256:bot") == KeyHolder("fac_bot", "bot", PersonKind.SERVICE)
    assert await company.reader(key_holder, before, "SHA256:bot") is None
    found = await company.reader(factor_by_reference, None, FactorKind.SSH_KEY, "SHA256:bot")
    assert found is not None
    assert found.networks == ("192.0.2.0/24",)
    known = await company.reader(account, None, "bot")
    assert known is not None
    assert known.factors == (found,)
    assert compare(company.path) == []
