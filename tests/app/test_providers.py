"""Identity providers on the real ledger: two administrators set one; who removes it ends what it opened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.people.disable_person import disable_person
from onepam.app.providers.approve_provider import approve_provider
from onepam.app.providers.declare_mfa import declare_mfa
from onepam.app.providers.end_declaration import end_declaration
from onepam.app.providers.propose_provider import propose_provider
from onepam.app.providers.reject_provider import reject_provider
from onepam.app.providers.remove_provider import remove_provider
from onepam.domain.access.proof import MfaBasis
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import IdentityLinked, ProviderRule
from onepam.domain.providers.setting import Provider, Statement
from onepam.domain.signing_in.events import FactorKind, SignInFailed
from onepam.kernel.clock import DAY, FOREVER, HOUR, Instant
from onepam.kernel.errors import Refused
from onepam.store.engine.database import connect
from onepam.store.engine.rebuild import compare
from onepam.store.facts import providers as facts
from onepam.store.read import providers as rows
from tests.company import Company, record, refused

pytestmark = pytest.mark.anyio

RULE = ProviderRule(attests=("mfa",), domains=("example.com",))
OKTA = Provider("chg_1", "idp_1", ProviderKind.OIDC, "Okta", '{"issuer":"https://okta.example"}', RULE, "sealed")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


async def connected(company: Company, wanted: Provider = OKTA) -> None:
    """ada proposes, bob approves."""
    assert await propose_provider(company.ledger, company.actor("ada"), wanted, None) is None
    assert await approve_provider(company.ledger, company.actor("bob"), wanted.change) is None


async def came_by(company: Company, person: str, provider: str, number: int = 0) -> str:
    """A sign-in of the person through the provider; the id of its session."""
    session = f"sgn_{person}_{number}"
    opened = replace(
        company.signed_in(person),
        session=session,
        provider=provider,
        basis=MfaBasis.ATTESTED,
        token_digest=f"{session:0>64}",
    )
    await record(company.ledger, opened)
    return session


async def test_two_administrators_connect_a_provider(company: Company) -> None:
    ada, bob = company.actor("ada"), company.actor("bob")
    assert await propose_provider(company.ledger, ada, OKTA, None) is None
    waiting = await company.reader(rows.proposals)
    assert [(each.provider, each.current, each.by_name) for each in waiting] == [(OKTA, None, "Ada Example")]
    assert await company.reader(rows.providers) == []
    assert await company.reader(rows.by_change, None, "chg_1") == OKTA
    refused(await approve_provider(company.ledger, ada, "chg_1"), "provider.self_approval")
    refused(await approve_provider(company.ledger, company.actor("eve"), "chg_1"), "right.missing")
    before = company.clock.now
    assert await approve_provider(company.ledger, bob, "chg_1") is None
    assert await company.reader(rows.proposals) == []
    (found,) = await company.reader(rows.providers)
    assert (found.provider, found.proposed_by, found.approved_by) == (OKTA, "ada", "bob")
    assert (found.people, found.last, found.declaration) == (0, None, None)
    assert await company.reader(rows.provider, Instant(before), "idp_1") is None, "it was not there before"
    refused(await approve_provider(company.ledger, bob, "chg_1"), "provider.no_proposal")


async def test_a_change_waits_while_the_old_settings_are_in_force(company: Company) -> None:
    await connected(company)
    changed = replace(OKTA, change="chg_2", name="Okta Europe", secret="sealed anew")
    assert await propose_provider(company.ledger, company.actor("bob"), changed, None) is None
    assert await company.reader(rows.by_provider, None, "idp_1") == OKTA
    assert await company.reader(rows.by_change, None, "chg_1") == OKTA
    waiting = await company.reader(rows.proposal, None, "chg_2")
    assert waiting is not None
    assert (waiting.provider, waiting.current) == (changed, OKTA)
    again = replace(changed, change="chg_3", name="Okta EU")
    assert await propose_provider(company.ledger, company.actor("bob"), again, "chg_2") is None
    refused(await approve_provider(company.ledger, company.actor("ada"), "chg_2"), "provider.no_proposal")
    assert await approve_provider(company.ledger, company.actor("ada"), "chg_3") is None
    assert await company.reader(rows.by_provider, None, "idp_1") == again


async def test_of_two_changes_the_second_is_overtaken(company: Company) -> None:
    await connected(company)
    for change in ("chg_2", "chg_3"):
        wanted = replace(OKTA, change=change, name=change)
        assert await propose_provider(company.ledger, company.actor("ada"), wanted, None) is None
    bob = company.actor("bob")
    answers = await asyncio.gather(
        approve_provider(company.ledger, bob, "chg_2"), approve_provider(company.ledger, bob, "chg_3")
    )
    assert sum(each is None for each in answers) == 1
    refused(next(each for each in answers if each is not None), "provider.overtaken")
    assert await company.reader(rows.proposals) == []


async def test_a_proposal_falls_with_its_proposer_or_is_rejected(company: Company) -> None:
    ada, bob = company.actor("ada"), company.actor("bob")
    for change in ("chg_1", "chg_2"):
        wanted = replace(OKTA, change=change, provider=f"idp_{change}", name=change)
        assert await propose_provider(company.ledger, bob, wanted, None) is None
    assert await reject_provider(company.ledger, ada, "chg_2") is None
    assert not isinstance(await disable_person(company.ledger, ada, "bob", "left"), Refused)
    refused(await approve_provider(company.ledger, ada, "chg_1"), "provider.proposer_left")
    assert await company.reader(rows.proposals) == []


async def test_an_id_that_served_never_serves_another_provider(company: Company) -> None:
    await connected(company)
    again = replace(OKTA, settings='{"issuer":"https://other.example"}')
    refused(await propose_provider(company.ledger, company.actor("ada"), again, None), "provider.change_taken")
    assert await remove_provider(company.ledger, company.actor("ada"), "idp_1", "moved") == 0
    back = replace(again, change="chg_2")
    refused(await propose_provider(company.ledger, company.actor("ada"), back, None), "provider.change_taken")


async def test_a_stale_factor_sets_nothing(company: Company) -> None:
    await connected(company)
    company.clock.advance(HOUR)
    ada = company.actor("ada")
    refused(await propose_provider(company.ledger, ada, replace(OKTA, change="chg_2"), None), "factor.stale")
    refused(await remove_provider(company.ledger, ada, "idp_1", "moved"), "factor.stale")


async def test_removing_a_provider_ends_the_sign_ins_it_opened(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await connected(company)
    opened = [await came_by(company, "eve", "idp_1", number) for number in range(7)]
    monkeypatch.setattr(facts, "MOST_SIGN_INS", 3)
    monkeypatch.setattr("onepam.app.providers.remove_provider.MOST_SIGN_INS", 3)
    assert await remove_provider(company.ledger, company.actor("ada"), "idp_1", "moved") == 7
    with closing(connect(company.path, read_only=True)) as db:
        ended = [row["session"] for row in db.execute("SELECT session FROM sign_in WHERE valid_until < ?", (FOREVER,))]
    assert sorted(ended) == opened
    assert await company.reader(rows.providers) == []


async def test_nobody_saws_off_the_branch_they_sit_on(company: Company) -> None:
    await connected(company)
    session = await came_by(company, "ada", "idp_1")
    sitting = replace(company.actor("ada"), session=session)
    refused(await remove_provider(company.ledger, sitting, "idp_1", "moved"), "provider.own_way")
    assert await remove_provider(company.ledger, company.actor("ada"), "idp_1", "moved") == 1


async def test_a_declaration_counts_until_it_ends_or_is_withdrawn(company: Company) -> None:
    await connected(company)
    ada, ends = company.actor("ada"), Instant(company.clock.now + 30 * DAY)
    signed = Statement("dcl_1", "idp_1", "It demands one of everybody.", "MFA = always", ends)
    assert await declare_mfa(company.ledger, ada, signed) is None
    found = await company.reader(rows.declaration, None, "idp_1")
    assert found is not None
    assert (found.declaration, found.policy, found.ends, found.signed_by_name) == (
        "dcl_1", "MFA = always", ends, "Ada Example",
    )  # fmt: skip
    assert await company.reader(rows.declaration, ends, "idp_1") is None, "it ends by itself"
    refused(await declare_mfa(company.ledger, ada, signed), "provider.declaration_taken")
    assert await declare_mfa(company.ledger, ada, replace(signed, declaration="dcl_2")) is None
    refused(await end_declaration(company.ledger, ada, "idp_1", "dcl_1", "old"), "provider.declaration_unknown")
    assert await end_declaration(company.ledger, ada, "idp_1", "dcl_2", "relaxed") is None
    assert await company.reader(rows.declaration, None, "idp_1") is None


async def test_what_a_provider_did_last_and_for_whom(company: Company) -> None:
    await connected(company)
    linked = IdentityLinked("idn_1", "idp_1", "eve", "address", None, "d" * 64, "00u1", "eve@example.com")
    await record(company.ledger, linked)
    await came_by(company, "max", "idp_1")
    company.clock.advance(HOUR)
    await came_by(company, "eve", "idp_1")
    await record(
        company.ledger,
        SignInFailed("vic", FactorKind.PROVIDER, "sign_in.nobody", 0, None, "idp_1"),
        SignInFailed("eve", FactorKind.PROVIDER, "sign_in.no_factor", 0, None, "idp_1"),
        SignInFailed("max", FactorKind.TOTP, "sign_in.wrong", 1, None),
    )
    found = await company.reader(rows.provider, None, "idp_1")
    assert found is not None
    assert found.failure is not None
    assert (found.failure.person_name, found.failure.code) == ("Eve Example", "sign_in.no_factor")
    assert found.people == 1
    assert found.last is not None
    assert (found.last.person_name, found.last.basis) == ("Eve Example", "attested")
