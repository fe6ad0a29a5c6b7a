"""What people's second factors rest on: now, and as it was."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.access.model import MfaRule
from onepam.domain.access.proof import MfaBasis
from onepam.domain.people.events import PersonDisabled
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import IdentityLinked, ProviderRule, ProviderSet
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, FactorRemoved, FactorUsed, SteppedUp
from onepam.kernel.clock import DAY, HOUR
from onepam.store.read.everybody import people
from onepam.store.read.people import lanes, person
from onepam.store.read.proofs_of_sign_in import spent_codes
from onepam.store.read.second_factor import LastSignIn, last_sign_ins, mfa_report
from onepam.store.read.sessions import sessions
from tests.company import Company, record, resource_set

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


OKTA = ProviderSet("chg_9", "idp_1", ProviderKind.OIDC, "Okta", "{}", ProviderRule(), "ada", "bob")


async def at_provider(company: Company, who: str, basis: MfaBasis) -> None:
    await record(company.ledger, replace(company.signed_in(who), basis=basis, provider="idp_1"))


async def test_the_newest_sign_in_says_what_a_person_rests_on(company: Company) -> None:
    await record(company.ledger, OKTA)
    everybody = ("ada", "bob", "max", "eve", "vic", "aud")
    first = await company.reader(last_sign_ins, None, everybody)
    assert set(first) == set(everybody)
    before = company.clock.now
    company.clock.advance(HOUR)
    await at_provider(company, "eve", MfaBasis.DECLARED)
    assert (await company.reader(last_sign_ins, None, ["eve"]))["eve"].basis is MfaBasis.DECLARED
    await record(
        company.ledger, SteppedUp("sgn_eve", "eve", FactorKind.PASSKEY, company.clock(), MfaBasis.STEPPED_UP, True)
    )
    found = await company.reader(last_sign_ins, None, ["eve"])
    assert found == {"eve": LastSignIn(found["eve"].opened, MfaBasis.STEPPED_UP, "idp_1", "Okta", True)}
    assert await company.reader(last_sign_ins, before, everybody) == first


async def test_the_report_counts_people_resources_and_sessions(company: Company) -> None:
    await record(
        company.ledger,
        OKTA,
        FactorEnrolled("fac_1", "max", FactorKind.PASSKEY, "v1", None, None),
        FactorEnrolled("fac_2", "max", FactorKind.TOTP, "v1", None, None),
        replace(resource_set("web-1", {"env": "prod"}), mfa=MfaRule(fresh=True)),
    )
    for who, basis in (("eve", MfaBasis.ATTESTED), ("vic", MfaBasis.DECLARED), ("aud", MfaBasis.ACCEPTED)):
        await at_provider(company, who, basis)
    await company.open("eve", "dev-1", "app")
    for who in ("max", "ada"):
        await company.bind(who, "engineer")
        await company.open(who, "dev-1", "app")
    found = await company.reader(mfa_report)
    assert found.people == {
        MfaBasis.OWN: 3, MfaBasis.ATTESTED: 1, MfaBasis.DECLARED: 1, MfaBasis.ACCEPTED: 1,
    }  # fmt: skip
    assert (found.never, found.own, found.machines) == (0, {"passkey": 1, "totp": 1}, 0)
    assert found.without_total == 4
    assert found.without == ("ada", "aud", "bob", "vic")  # the company's own ones sign in with nothing enrolled
    assert (found.rules, found.resources) == ((("web-1", MfaRule(fresh=True)),), 4)
    assert (found.sessions, found.sessions_without, found.machine_sessions) == (
        {MfaBasis.OWN: 2, MfaBasis.ATTESTED: 1},
        0,
        0,
    )
    await record(company.ledger, PersonDisabled("aud", "ada", "left"))
    company.clock.advance(31 * DAY)
    later = await company.reader(mfa_report)
    assert MfaBasis.ACCEPTED not in later.people
    assert later.sessions == {}
    row = next(each for each in await company.reader(sessions) if each.person == "eve")
    assert (row.mfa.basis, row.provider_name, row.also) == (MfaBasis.ATTESTED, "Okta", ())


async def test_a_persons_identities_and_leaving_are_told_and_drawn(company: Company) -> None:
    await record(
        company.ledger,
        OKTA,
        IdentityLinked("idn_1", "idp_1", "eve", "joined", None, "d" * 64, subject="00u1", user_name="eve.example"),
    )
    await at_provider(company, "eve", MfaBasis.ATTESTED)
    found = await company.reader(person, None, "eve")
    assert found is not None
    (identity,) = found.identities
    assert (identity.provider_name, identity.user_name, identity.because) == ("Okta", "eve.example", "joined")
    assert identity.last == found.row.last_sign_in
    assert (found.row.origin, found.row.providers, found.leaving) == ("administrator", ("Okta",), None)
    assert next(each for each in (await company.reader(people)).rows if each.person == "eve") == found.row
    await record(
        company.ledger, PersonDisabled("eve", "ada", "left", "scim:idp_1", company.clock.now, company.clock.now)
    )
    gone = await company.reader(person, None, "eve")
    assert gone is not None
    assert gone.leaving is not None
    assert (gone.leaving.origin, gone.row.because) == ("scim:idp_1", "left")
    drawn = {each.name: [bar.words for bar in each.bars] for each in await company.reader(lanes, None, "eve")}
    assert (drawn["identities"], drawn["leaving"]) == (["Okta"], ["access ended: left"])


async def test_each_recovery_code_is_spent_once_and_no_other_factor_spends_any(company: Company) -> None:
    codes = FactorEnrolled("fac_r", "eve", FactorKind.RECOVERY, "v1", None, "ada")
    await record(company.ledger, codes, FactorEnrolled("fac_t", "eve", FactorKind.TOTP, "v1", None, "ada"))
    for used, spent in ((("fac_r", 3), 1), (("fac_t", 7), 1), (("fac_r", 5), 2)):
        company.clock.advance(HOUR)
        await record(company.ledger, FactorUsed(used[0], "eve", used[1]))
        assert await company.reader(spent_codes, None, "eve") == spent
    company.clock.advance(HOUR)
    await record(company.ledger, replace(codes, factor="fac_n"), FactorRemoved("fac_r", "eve", "replaced", "ada"))
    assert await company.reader(spent_codes, None, "eve") == 0, "the new ones are whole"
