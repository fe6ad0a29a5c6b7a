"""Indirect gain: who decided for whom while both had enrolled by links of the same maker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.people.add_person import add_person
from onepam.domain.access.proposal import ONE_HAND
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderRule, ProviderSet
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.domain.signing_in.exception_events import MfaExceptionAccepted, MfaExceptionProposed
from onepam.kernel.clock import DAY, FOREVER, MINUTE, Instant
from onepam.store.read.hands import IndirectGain, indirect_gains
from tests.company import Company, record

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


def links(**makers: str) -> tuple[EnrolmentUsed, ...]:
    """Each person enrolled by the maker's link."""
    return tuple(EnrolmentUsed(f"enr_{person}", person, (maker,)) for person, maker in makers.items())


async def approved(company: Company, person: str, number: int = 5) -> None:
    made = await company.ask(person, "web-1", "app", number * MINUTE)
    await company.approve("max", made)


async def found(company: Company, at: Instant | None = None) -> tuple[IndirectGain, ...]:
    return await company.reader(indirect_gains, at)


async def test_a_decision_between_two_who_came_by_links_of_one_is_found(company: Company) -> None:
    await record(company.ledger, *links(max="ada", eve="ada"))
    assert await found(company) == ()
    before = company.clock()
    company.clock.advance(MINUTE)
    await approved(company, "eve")
    company.clock.advance(10 * MINUTE)
    await approved(company, "eve", 6)
    (gain,) = await found(company)
    assert (gain.decider.person, gain.decider.name, gain.gainer.person) == ("max", "Max Example", "eve")
    assert [each.person for each in gain.makers] == ["ada"]
    assert (gain.times, gain.replaced) == (2, False)
    assert gain.last > before
    assert await found(company, before) == (), "nothing was decided then"
    company.clock.advance(ONE_HAND)
    assert await found(company) == (), "told for 30 days"


async def test_makers_in_between_count_and_strangers_do_not(company: Company) -> None:
    """Ada's link for bob, bob's for max; hers for eve. Vic came by the link of somebody else."""
    await record(company.ledger, *links(bob="ada", max="bob", eve="ada", vic="aud"))
    await approved(company, "eve")
    await company.approve("max", await company.ask("vic", "web-2", "app"))
    (gain,) = await found(company)
    assert (gain.gainer.person, [each.person for each in gain.makers]) == ("eve", ["ada"])


async def test_who_came_by_a_link_long_ago_or_by_none_is_nobodys_hand(company: Company) -> None:
    await record(company.ledger, *links(max="ada"))
    company.clock.advance(ONE_HAND)
    for person in ("ada", "bob", "eve", "max"):
        await company.sign_in(person)
    await record(company.ledger, *links(eve="ada"))
    await approved(company, "eve")
    assert await found(company) == ()


async def test_a_link_counts_from_the_decision_backwards_and_the_decision_from_now(company: Company) -> None:
    await record(company.ledger, *links(max="ada", eve="ada"))
    for step in (1, 2):
        company.clock.advance(ONE_HAND - DAY)
        if step == 1:
            await company.sign_in("eve")
            await company.sign_in("max")
            await approved(company, "eve")
    (gain,) = await found(company)
    assert (gain.decider.person, gain.gainer.person) == ("max", "eve")


async def test_where_the_decider_had_factors_it_says_so_and_comes_first(company: Company) -> None:
    await record(company.ledger, FactorEnrolled("fac_1", "bob", FactorKind.PASSKEY, "v1", None, None))
    company.clock.advance(MINUTE)
    await record(company.ledger, *links(max="ada", bob="ada", eve="ada"))
    await company.bind("bob", "manager")
    first, later = await company.ask("eve", "web-1", "app"), await company.ask("eve", "web-1", "root")
    await company.approve("bob", first)
    await company.approve("max", later)
    assert [(each.decider.person, each.replaced) for each in await found(company)] == [("bob", True), ("max", False)]


OKTA = ProviderSet("chg_1", "idp_1", ProviderKind.OIDC, "Okta", "{}", ProviderRule(), "eve", "max")


@pytest.mark.parametrize(
    "events",
    [
        (OKTA,),
        (
            MfaExceptionProposed("exc_1", "vic", Instant(FOREVER - 1), "eve", "no", "no"),
            MfaExceptionAccepted("exc_1", "vic", Instant(FOREVER - 1), "max", Instant(0)),
        ),
        (
            MfaExceptionProposed("exc_1", "eve", Instant(FOREVER - 1), "aud", "no", "no"),
            MfaExceptionAccepted("exc_1", "eve", Instant(FOREVER - 1), "max", Instant(0)),
        ),
        (
            EnrolmentOpened(
                "enr_7", "aud", Instant(FOREVER - 1), "lost", "max", proposed_by="eve", token_digest="d" * 64
            ),
        ),
    ],
    ids=["provider", "proposed", "for them", "link"],
)
async def test_proposals_are_decisions_too(company: Company, events: tuple[object, ...]) -> None:
    """By whom it was proposed, and for whom it is."""
    await record(company.ledger, *links(max="ada", eve="ada"))
    await record(company.ledger, *events)
    (gain,) = await found(company)
    assert (gain.decider.person, gain.gainer.person, gain.times) == ("max", "eve", 1)


async def test_what_was_decided_before_they_enrolled_is_none(company: Company) -> None:
    await record(company.ledger, OKTA)
    await record(company.ledger, *links(max="ada", eve="ada"))
    assert await found(company) == ()


async def test_whoever_answers_for_a_service_gains_by_it(company: Company) -> None:
    known = Attributes("Bot", None, owner="eve", ends=Instant(company.clock() + 30 * DAY))
    assert await add_person(company.ledger, company.actor("ada"), "bot", PersonKind.SERVICE, known, "CI") is None
    await company.bind("bot", "engineer")
    await record(company.ledger, *links(max="ada", eve="ada"))
    await company.sign_in("bot")
    await approved(company, "bot")
    (gain,) = await found(company)
    assert (gain.decider.person, gain.gainer.person) == ("max", "eve")
