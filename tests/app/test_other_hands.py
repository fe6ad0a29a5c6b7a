"""What one administrator could do with the account of another: each way was open once, and each is tried."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.matrix.approve_change import approve_change
from onepam.app.people.add_person import add_person
from onepam.app.people.change_person import change_person
from onepam.app.people.disable_person import disable_person
from onepam.app.providers.federated_sign_in import sign_in_by_provider
from onepam.app.signing_in.enrol import approve_enrolment, enrol, open_enrolment
from onepam.domain.matrix.changing import Applied, Proposed
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonDisabled, PersonEnabled, PersonKind
from onepam.domain.providers.assertion import Assertion
from onepam.domain.providers.entering import Outcome, SignedInto
from onepam.domain.signing_in.enrolling import Opened
from onepam.domain.signing_in.events import EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from tests.app.test_apply_access import apply
from tests.app.test_federated_sign_in import OKTA, entering
from tests.company import Company, record, refused
from tests.matrix_company import FILE, founded

pytestmark = pytest.mark.anyio


def passkey(company: Company, who: str) -> FactorEnrolled:
    return FactorEnrolled(company.new("fac"), who, FactorKind.PASSKEY, "v1", None, None, reference=company.new("ref"))


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    """Ada and bob administer, and max approves; each has a passkey, and the company has a provider."""
    company = await Company.create(tmp_path)
    await record(company.ledger, OKTA, *(passkey(company, who) for who in ("ada", "bob", "max")))
    yield company
    company.close()


async def comes(company: Company, address: str, number: int = 1) -> Outcome | Refused:
    """Whoever has the address at the provider signs in."""
    said = Assertion("idp_1", f"of-{address}", address, address, "A", None, ("mfa",), "", company.clock.now, address)
    return await sign_in_by_provider(company.ledger, said, entering(number))


async def link(company: Company, by: str, whom: str, number: int) -> Opened:
    await company.sign_in(by)
    made = await open_enrolment(company.ledger, company.actor(by), whom, f"enr_{number}", f"{number:064}", "lost it")
    assert not isinstance(made, Refused), made
    return made


async def agree(company: Company, by: str, number: int) -> Instant | Refused:
    await company.sign_in(by)
    return await approve_enrolment(company.ledger, company.actor(by), f"enr_{number}", f"{number + 50:064}")


@pytest.mark.parametrize("whom", ["bob", "max"])
async def test_nobody_becomes_somebody_trusted_by_an_address_that_one_administrator_gave(
    company: Company, whom: str
) -> None:
    changed = Attributes(whom.title(), "ada.alt@example.com")
    assert await change_person(company.ledger, company.actor("ada"), whom, changed) is None
    answer = await comes(company, "ada.alt@example.com")
    assert isinstance(answer, Refused)
    assert answer.code == "sign_in.other_identity"
    back = replace(changed, email=f"{whom}@example.com")
    assert await change_person(company.ledger, company.actor("ada"), whom, back) is None
    assert isinstance(await comes(company, f"{whom}@example.com", 2), Refused)  # nor by an address to and fro


async def test_an_address_that_nobody_changed_or_a_name_alone_links_still(company: Company) -> None:
    named = Attributes("Robert", "bob@example.com")
    assert await change_person(company.ledger, company.actor("ada"), "bob", named) is None
    assert isinstance(await comes(company, "bob@example.com"), SignedInto)


async def test_a_newcomer_whose_address_was_mistyped_is_linked(company: Company) -> None:
    new = Attributes("Dan", "dna@example.com")
    assert await add_person(company.ledger, company.actor("ada"), "dan", PersonKind.EMPLOYEE, new, "hired") is None
    mended = replace(new, email="dan@example.com")
    assert await change_person(company.ledger, company.actor("ada"), "dan", mended) is None
    assert isinstance(await comes(company, "dan@example.com"), SignedInto)


async def test_a_link_whose_maker_has_left_serves_nobody(company: Company) -> None:
    """Also one that the end of the account did not reach, as where there are more than one command ends."""
    await company.join("dan")
    await link(company, "ada", "dan", 1)
    await record(company.ledger, PersonDisabled("ada", "bob", "left"))
    refused(await enrol(company.ledger, f"{1:064}", (passkey(company, "dan"),)), "enrolment.maker_left")


async def test_a_proposal_falls_with_the_right_of_whose_it_is(company: Company) -> None:
    await link(company, "ada", "max", 1)
    await company.unbind("ada", "administrator")
    answer = await agree(company, "bob", 1)
    assert isinstance(answer, Refused)
    assert answer.code == "enrolment.proposer_right"
    assert isinstance(again := await agree(company, "bob", 1), Refused)
    assert again.code == "enrolment.gone"


async def test_nobody_agrees_to_new_factors_of_whom_they_invited(company: Company) -> None:
    await company.join("cyd", "administrator")
    await company.join("dan", "manager")
    await record(company.ledger, EnrolmentUsed("enr_0", "dan", ("bob",)), passkey(company, "dan"))
    await record(company.ledger, passkey(company, "cyd"))
    assert (await link(company, "cyd", "dan", 1)).alone is None  # ada could decide
    answer = await agree(company, "bob", 1)
    assert isinstance(answer, Refused)
    assert answer.code == "enrolment.one_hand"
    assert not isinstance(await agree(company, "ada", 1), Refused)


async def test_who_could_decide_by_now_ends_the_way_alone(company: Company) -> None:
    await record(company.ledger, PersonDisabled("bob", None, "left", "roster"))
    alone = (await link(company, "ada", "max", 1)).alone
    assert alone is not None
    await record(company.ledger, PersonEnabled("bob", None, "back"))
    company.clock.now = alone
    answer = await agree(company, "ada", 1)
    assert isinstance(answer, Refused)
    assert answer.code == "enrolment.others"
    left = await disable_person(company.ledger, company.actor("ada"), "bob", "left again")
    assert not isinstance(left, Refused)
    assert isinstance(again := await agree(company, "ada", 1), Refused)  # alone by her own hand
    assert again.code == "enrolment.others"


WITH_DAN = FILE.replace("members: [eve@example.com]", "members: [eve@example.com, dan@example.com]")


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (("dan", "bob"), "change.own_gain"),  # bob invited dan
        (("bob", "dan"), "change.own_gain"),  # dan invited bob
        (("ada", "dan"), "change.own_gain"),  # dan invited ada, who proposes
        (("dan", "ada"), ""),  # ada invited dan: bob's word is a second one
    ],
)
async def test_nobody_gains_by_a_change_of_their_own_hand(tmp_path: Path, made: tuple[str, str], code: str) -> None:
    company = await founded(tmp_path)
    try:
        new = Attributes("Dan", "dan@example.com")
        assert await add_person(company.ledger, company.actor("ada"), "dan", PersonKind.EMPLOYEE, new, "hired") is None
        proposed = await apply(company, WITH_DAN, "chg_x")
        assert isinstance(proposed, Proposed)
        whom, maker = made
        await record(company.ledger, EnrolmentUsed("enr_0", whom, (maker,)))
        bob = company.actor("bob")
        answer = await approve_change(company.ledger, bob, "chg_x", proposed.plan.digest, WITH_DAN)
        if code:
            assert isinstance(answer, Refused)
            assert answer.code == code
        else:
            assert isinstance(answer, Applied)
    finally:
        company.close()


async def test_the_rule_of_a_month_ends(company: Company) -> None:
    await company.join("cyd", "administrator")
    await company.join("dan", "manager")
    await record(company.ledger, EnrolmentUsed("enr_0", "dan", ("bob",)), passkey(company, "dan"))
    company.clock.advance(31 * DAY)
    await link(company, "cyd", "dan", 1)
    assert not isinstance(await agree(company, "bob", 1), Refused)
