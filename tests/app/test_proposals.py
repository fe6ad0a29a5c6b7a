"""Every kind that takes two people, by its real use cases on a real ledger, against every rule of the table.

What each try leaves in the ledger is part of the answer: nothing, that somebody tried their own, or the end.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.deciding.decide_proposal import deny_proposal
from onepam.app.providers.approve_provider import approve_provider
from onepam.app.providers.propose_provider import propose_provider
from onepam.app.providers.signal_streams import approve_stream, propose_stream
from onepam.app.requests.lapse_proposals import lapse_proposals
from onepam.app.signing_in.accept_risk import accept_exception, propose_exception
from onepam.domain.access.proposal import (
    ONE_HAND,
    RULES,
    ProposalKind,
    ProposalRefused,
    may_deny,
)
from onepam.domain.people.events import PersonDisabled
from onepam.domain.signing_in.events import EnrolmentUsed
from onepam.domain.signing_in.exceptions import Proposed as WantedException
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.proposals import proposal_of
from tests.app.proposing import KINDS, NAMES, OKTA, STREAM, WAYS, laid, opened, tried
from tests.company import Company, record, refused
from tests.proposals import TABLE

pytestmark = pytest.mark.anyio


def test_every_kind_is_walked() -> None:
    """What a live session proposes has tests of its own: test_waiting_statements.py."""
    assert WAYS.keys() | {ProposalKind.STATEMENT} == TABLE.keys() == set(ProposalKind)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    async with opened(tmp_path) as company:
        yield company


@KINDS
async def test_who_proposes_and_with_which_factor(company: Company, kind: ProposalKind) -> None:
    way, age = WAYS[kind], TABLE[kind].to_propose
    assert (await tried(company, way.propose, "aud"))[:2] == ("right.missing", [])
    company.clock.advance(age or 6 * HOUR)
    code, found, _ = await tried(company, way.propose, "ada")
    assert (code, found) == (("factor.stale", []) if age else ("", [way.proposed]))


@KINDS
async def test_somebody_else_decides_once(company: Company, kind: ProposalKind) -> None:
    way = await laid(company, kind)
    assert await lapse_proposals(company.ledger) == 0
    code, found, _ = await tried(company, way.decide, "bob")
    assert (code, found[0]) == ("", way.done)
    assert (await tried(company, way.decide, "bob"))[:2] == (way.gone, [])
    company.clock.advance(TABLE[kind].lapse)
    assert await lapse_proposals(company.ledger) == 0, "what was decided is no proposal any more"


@KINDS
async def test_who_has_no_right_or_no_fresh_factor_decides_nothing(company: Company, kind: ProposalKind) -> None:
    way = await laid(company, kind)
    assert (await tried(company, way.decide, "aud"))[:2] == ("right.missing", [])
    company.clock.advance(TABLE[kind].to_decide)
    assert (await tried(company, way.decide, "bob"))[:2] == ("factor.stale", [])
    await company.sign_in("bob")
    assert (await tried(company, way.decide, "bob"))[0] == "", "the proposal stands as it was"


@KINDS
async def test_nobody_decides_on_their_own_and_the_attempt_is_an_entry(company: Company, kind: ProposalKind) -> None:
    way = await laid(company, kind)
    for concerned in filter(None, ("ada", way.person)):
        code, _, events = await tried(company, way.decide, concerned)
        assert code == f"{kind.value}.self_approval"
        assert events == [ProposalRefused(kind, NAMES[kind], concerned, code)]
    assert (await tried(company, way.decide, "bob"))[0] == "", "the proposal stands as it was"


@KINDS
async def test_it_lapses(company: Company, kind: ProposalKind) -> None:
    way = await laid(company, kind)
    company.clock.advance(TABLE[kind].lapse)
    await company.sign_in("bob")
    await company.sign_in("aud")
    code, found, events = await tried(company, way.decide, "bob")
    assert (code, found) == (f"{kind.value}.lapsed", [way.void])
    assert (getattr(events[0], "because", ""), getattr(events[0], "by", "")) == (code, "bob")
    assert (await tried(company, way.decide, "bob"))[:2] == (way.gone, [])


@KINDS
async def test_it_stands_until_it_lapses(company: Company, kind: ProposalKind) -> None:
    way = await laid(company, kind)
    company.clock.advance(TABLE[kind].lapse - MINUTE)
    await company.sign_in("bob")
    await company.sign_in("aud")
    assert await lapse_proposals(company.ledger) == 0
    assert (await tried(company, way.decide, "bob"))[0] == ""


@KINDS
async def test_it_falls_with_its_proposer(company: Company, kind: ProposalKind) -> None:
    """However the proposer left: here nothing but the account ended."""
    way = await laid(company, kind)
    await record(company.ledger, PersonDisabled("ada", None, "left", "roster"))
    code, found, events = await tried(company, way.decide, "bob")
    assert (code, found) == (f"{kind.value}.proposer_left", [way.void])
    assert getattr(events[0], "because", "") == code
    assert (await tried(company, way.decide, "bob"))[:2] == (way.gone, [])


@KINDS
@pytest.mark.parametrize("why", ["lapsed", "proposer_left"])
async def test_what_is_over_ends_by_itself(company: Company, kind: ProposalKind, why: str) -> None:
    way = await laid(company, kind)
    if why == "lapsed":
        company.clock.advance(TABLE[kind].lapse)
    else:
        await record(company.ledger, PersonDisabled("ada", None, "left", "roster"))

    async def sweep(company: Company, by: str) -> object:
        return await lapse_proposals(company.ledger)

    _, found, events = await tried(company, sweep, "")
    assert found == [way.void]
    assert (getattr(events[0], "because", ""), getattr(events[0], "by", "")) == (f"{kind.value}.{why}", None)
    assert await lapse_proposals(company.ledger) == 0
    await company.sign_in("bob")
    await company.sign_in("aud")
    assert (await tried(company, way.decide, "bob"))[:2] == (way.gone, [])


@KINDS
async def test_whoever_may_be_one_hand_with_its_proposer_decides_nothing(company: Company, kind: ProposalKind) -> None:
    """For 30 days after bob enrolled by ada's link, or she by his."""
    way = await laid(company, kind)
    for person, maker in (("bob", "ada"), ("ada", "bob")):
        await record(company.ledger, EnrolmentUsed("enr_9", person, (maker,)))
        code, _, events = await tried(company, way.decide, "bob")
        assert code == f"{kind.value}.one_hand"
        assert events == [ProposalRefused(kind, NAMES[kind], "bob", code)]


@KINDS
async def test_after_that_they_are_two_people_again(company: Company, kind: ProposalKind) -> None:
    await record(company.ledger, EnrolmentUsed("enr_9", "bob", ("ada",)))
    company.clock.advance(ONE_HAND)
    for who in ("ada", "bob", "aud"):
        await company.sign_in(who)
    way = await laid(company, kind)
    assert (await tried(company, way.decide, "bob"))[0] == ""


@KINDS
@pytest.mark.parametrize("who", ["ada", "bob", "max", "eve", "aud"])
async def test_who_says_no_is_told_beforehand(company: Company, kind: ProposalKind, who: str) -> None:
    """The form that a page shows and the answer of the use case are of one mind."""
    await laid(company, kind)
    waiting = await company.reader(lambda db, at: proposal_of(db, kind, NAMES[kind], at))
    reader = await company.reader(lambda db, at: actor_facts(db, company.actor(who), at))
    assert waiting is not None
    no = await deny_proposal(company.ledger, company.actor(who), kind, NAMES[kind], "not now")
    assert (no is None) == may_deny(waiting, reader, RULES[kind]), no


async def test_it_lapses_with_the_end_of_what_it_proposes(company: Company) -> None:
    ends = Instant(company.clock() + DAY)
    wanted = WantedException("exc_1", "eve", "No telephone", "From the office only", ends)
    assert await propose_exception(company.ledger, company.actor("ada"), wanted) is None
    company.clock.advance(DAY)
    await company.sign_in("bob")
    refused(await accept_exception(company.ledger, company.actor("bob"), "exc_1"), "mfa_exception.lapsed")


async def test_what_changed_meanwhile_is_not_overwritten(company: Company) -> None:
    ada, bob = company.actor("ada"), company.actor("bob")
    for provider in (replace(OKTA, change="chg_4"), OKTA):
        assert await propose_provider(company.ledger, ada, provider, None) is None
    assert await approve_provider(company.ledger, bob, "chg_4") is None
    refused(await approve_provider(company.ledger, bob, "chg_1"), "provider.overtaken")
    for stream in (replace(STREAM, change="chg_5"), STREAM):
        assert await propose_stream(company.ledger, ada, stream) is None
    assert await approve_stream(company.ledger, bob, "chg_5") is None
    refused(await approve_stream(company.ledger, bob, "chg_2"), "signal.overtaken")
