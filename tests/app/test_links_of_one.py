"""Links that one administrator made: for an account of a provider that is removed, for somebody trusted since, for
somebody whom a hold makes look untrusted; and proposals of links without number."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.providers.approve_provider import approve_provider
from onepam.app.providers.propose_provider import propose_provider
from onepam.app.providers.remove_provider import remove_provider
from onepam.app.requests.lapse_proposals import MOST_LAPSING
from onepam.app.signing_in.enrol import enrol, open_enrolment
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.leaving.brake import DirectoryPersonHeld, HoldReason
from onepam.domain.providers.events import IdentityLinked
from onepam.domain.signing_in.enrolling import Opened
from onepam.domain.signing_in.events import EnrolmentProposed
from onepam.store.read.proposals import proposal_kind
from tests.app.test_one_hand import passkey
from tests.app.test_providers import OKTA, connected
from tests.company import Company, binding, record, refused

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    await record(company.ledger, *(passkey(company, who) for who in ("ada", "bob")))
    yield company
    company.close()


async def link(company: Company, person: str, enrolment: str = "enr_1") -> Opened:
    opened = await open_enrolment(company.ledger, company.actor("ada"), person, enrolment, "1" * 64, "lost it")
    assert isinstance(opened, Opened)
    return opened


async def test_whoever_made_the_first_link_of_a_providers_account_is_one_hand_with_it(company: Company) -> None:
    """The provider is removed by one person, too, so it proves nobody for longer than that."""
    await connected(company)
    await company.join("dan", "administrator")
    linked = IdentityLinked("idn_1", "idp_1", "dan", "address", None, "d" * 64, "00u1", "dan@example.com")
    await record(company.ledger, linked)
    await link(company, "dan")
    assert await enrol(company.ledger, "1" * 64, (passkey(company, "dan"),)) is None
    assert await remove_provider(company.ledger, company.actor("ada"), "idp_1", "migration") == 0
    await company.sign_in("dan")
    wish = replace(OKTA, change="chg_9", provider="idp_9", name="Other")
    await propose_provider(company.ledger, company.actor("ada"), wish, None)
    refused(await approve_provider(company.ledger, company.actor("dan"), "chg_9"), "provider.one_hand")


async def test_a_link_of_before_somebody_was_trusted_replaces_nothing(company: Company) -> None:
    await record(company.ledger, passkey(company, "aud"))
    assert (await link(company, "aud")).expires is not None
    await record(company.ledger, binding("aud", "engineer"), binding("aud", "manager"))
    assert (await link(company, "aud", "enr_2")).expires is None, "by now it takes two"
    refused(await enrol(company.ledger, "1" * 64, (passkey(company, "aud"),)), "enrolment.takes_two")


async def test_a_hold_makes_nobody_untrusted(company: Company) -> None:
    held = DirectoryPersonHeld("hld_1", "eve", "scim:x", HoldReason.MANY, "x", None, None, None)
    await record(company.ledger, passkey(company, "eve"), held)
    assert (await link(company, "eve")).expires is None


async def test_one_link_for_somebody_waits_and_many_proposals_hide_none(company: Company) -> None:
    await record(company.ledger, passkey(company, "eve"))
    assert (await link(company, "eve", "enr_zz")).expires is None
    again = await open_enrolment(company.ledger, company.actor("bob"), "eve", "enr_2", "2" * 64, "lost it")
    refused(again, "enrolment.waiting")
    many = (EnrolmentProposed(f"enr_{i:03}", "eve", "lost it", "ada") for i in range(MOST_LAPSING))
    await record(company.ledger, *many)
    for each in ("enr_zz", f"enr_{MOST_LAPSING - 1:03}"):
        assert await company.reader(proposal_kind, None, each) is ProposalKind.ENROLMENT
    assert await company.reader(proposal_kind, None, "enr_yy") is None
