"""What a reader is shown of the proposals that wait, and their number: for everybody, by every kind and rule."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.ports import Snapshot
from onepam.domain.access.authority import Actor, ActorFacts
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import (
    RULES,
    ProposalKind,
    fallen,
    judge,
)
from onepam.domain.people.events import PersonDisabled
from onepam.domain.providers.events import ProviderProposed
from onepam.domain.signing_in.events import EnrolmentAnnounced, EnrolmentProposed, EnrolmentUsed
from onepam.kernel.clock import DAY, FOREVER, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.proposals import proposal_of
from onepam.store.read.proposals import MOST, count_proposals, proposal, proposals, proposed_enrolment
from tests.app.proposing import KINDS, NAMES, OKTA, WAYS, laid, opened
from tests.company import Company, record
from tests.proposals import TABLE

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    async with opened(tmp_path) as company:
        yield company


async def test_what_waited_then_is_shown_by_the_rights_of_then_and_of_today(company: Company) -> None:
    """Whoever administers no more does not look at what they could have decided on; their own they see."""
    way = WAYS[ProposalKind.SCIM_TOKEN]
    assert not isinstance(await way.propose(company, "ada"), Refused)
    then = company.clock()
    company.clock.advance(MINUTE)
    for person, rights, decides in (
        ("bob", frozenset(ConsoleRight), [True]),
        ("bob", frozenset({ConsoleRight.ADMINISTER}), [True]),
        ("bob", frozenset(ConsoleRight) - {ConsoleRight.ADMINISTER}, []),
        ("ada", frozenset[ConsoleRight](), [False]),
        ("aud", frozenset(ConsoleRight), []),
    ):
        found = await company.reader(proposals, then, person, rights)
        assert [each.decides for each in found] == decides, (person, rights)


EVERYBODY = ("ada", "bob", "max", "eve", "vic", "aud")
HAPPENINGS: dict[str, tuple[object, ...]] = {
    "nothing": (),
    "bob enrolled by ada's link": (EnrolmentUsed("enr_9", "bob", ("ada",)),),
    "ada enrolled by bob's link": (EnrolmentUsed("enr_9", "ada", ("bob",)),),
    "bob enrolled by the link of who enrolled by ada's": (
        EnrolmentUsed("enr_8", "vic", ("ada",)),
        EnrolmentUsed("enr_9", "bob", ("vic",)),
    ),
    "eve and max enrolled by bob's links": (
        EnrolmentUsed("enr_8", "eve", ("bob",)),
        EnrolmentUsed("enr_9", "max", ("bob",)),
    ),
    "ada left": (PersonDisabled("ada", None, "left", "roster"),),
}


def facts_of(db: Snapshot, at: Instant, actor: Actor) -> ActorFacts:
    return actor_facts(db, actor, at)


async def counted_and_shown_as_judged(company: Company, kind: ProposalKind) -> None:
    at = company.clock()
    waiting = await company.reader(lambda db, at: proposal_of(db, kind, NAMES[kind], at))
    assert waiting is not None
    for who in EVERYBODY:
        facts = await company.reader(facts_of, None, company.actor(who))
        reader = replace(facts, enabled=True, mfa_at=at, signed_in_until=FOREVER)
        decides = judge(waiting, reader, RULES[kind], at) is None
        assert await company.reader(count_proposals, None, who) == decides, who
        found = await company.reader(proposals, None, who, frozenset(ConsoleRight))
        one = await company.reader(proposal, None, who, frozenset(ConsoleRight), NAMES[kind])
        theirs = who == waiting.by or (who == waiting.person and not RULES[kind].benefits)
        shown = fallen(waiting, at) is None and (decides or theirs)
        assert [each.decides for each in found] == [decides] * shown, who
        assert one == (found[0] if found else None), who


@KINDS
@pytest.mark.parametrize("happened", HAPPENINGS)
async def test_the_list_and_its_number_are_what_the_judgement_says(
    company: Company, kind: ProposalKind, happened: str
) -> None:
    """For everybody, by every rule: the statement that counts says the rules once more."""
    await laid(company, kind)
    await record(company.ledger, *HAPPENINGS[happened])
    await counted_and_shown_as_judged(company, kind)
    company.clock.advance(TABLE[kind].lapse - MINUTE)
    await counted_and_shown_as_judged(company, kind)
    company.clock.advance(MINUTE)
    await counted_and_shown_as_judged(company, kind)


async def test_what_nobody_else_could_decide_is_counted_when_it_is_due(company: Company) -> None:
    due = Instant(company.clock() + 2 * DAY)
    await record(company.ledger, EnrolmentAnnounced("enr_1", "max", "lost it", "ada", due))
    for _ in range(4):
        await counted_and_shown_as_judged(company, ProposalKind.ENROLMENT)
        company.clock.advance(DAY)


async def test_many_are_counted_whole_and_read_in_pieces(company: Company) -> None:
    """More than a list gives."""
    made = [f"chg_many_{number:03}" for number in range(MOST + 5)]
    await record(
        company.ledger, *(ProviderProposed(each, "idp_1", OKTA.kind, "Okta", "{}", OKTA.rule, "ada") for each in made)
    )
    assert await company.reader(count_proposals, None, "bob") == len(made)
    rights, found = frozenset(ConsoleRight), list[str]()
    page = await company.reader(proposals, None, "bob", rights)
    while page:
        assert len(page) <= MOST
        found += [each.proposal.proposal for each in page]
        page = await company.reader(proposals, None, "bob", rights, page[-1].proposal.since)
    assert found == made
    last = await company.reader(proposal, None, "bob", rights, made[-1])
    assert last is not None
    assert last.decides


async def test_the_one_that_waits_is_shown_beside_one_that_has_lapsed(company: Company) -> None:
    await record(company.ledger, EnrolmentProposed("enr_1", "max", "lost it", "ada"))
    company.clock.advance(DAY)
    assert await company.reader(proposed_enrolment, None, "max") is None
    await record(company.ledger, EnrolmentProposed("enr_2", "max", "lost it", "bob"))
    waiting = await company.reader(proposed_enrolment, None, "max")
    assert waiting is not None
    assert waiting.proposal == "enr_2"
