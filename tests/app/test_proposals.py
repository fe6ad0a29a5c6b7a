"""Every kind that takes two people, by its real use cases on a real ledger, against every rule of the table.

What each try leaves in the ledger is part of the answer: nothing, that somebody tried their own, or the end.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from onepam.app.deciding.decide_proposal import deny_proposal
from onepam.app.matrix.apply_access import apply_access
from onepam.app.matrix.approve_change import approve_change
from onepam.app.matrix.plan_access import plan_access
from onepam.app.providers.approve_provider import approve_provider
from onepam.app.providers.propose_provider import propose_provider
from onepam.app.providers.signal_streams import approve_stream, propose_stream
from onepam.app.provisioning.scim_token import approve_scim_token, propose_scim_token
from onepam.app.requests.lapse_proposals import lapse_proposals
from onepam.app.signing_in.accept_risk import accept_exception, propose_exception
from onepam.app.signing_in.enrol import approve_enrolment, open_enrolment
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ONE_HAND, RULES, ProposalKind, ProposalRefused, may_deny
from onepam.domain.matrix.plan import Plan
from onepam.domain.people.events import PersonDisabled
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderRule, ProviderSet
from onepam.domain.providers.setting import Provider
from onepam.domain.providers.signals import Delivery, Stream
from onepam.domain.provisioning.tokens import END_ATTRIBUTE, TokenWish
from onepam.domain.signing_in.events import EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.domain.signing_in.exceptions import Proposed as WantedException
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.store.engine.rebuild import compare
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.proposals import proposal_of
from onepam.store.read.proposals import proposals
from tests.company import Company, record, refused
from tests.matrix_company import FILE, founded
from tests.proposals import TABLE

pytestmark = pytest.mark.anyio

RISK = "risk: {purpose: Accepts risks, owner: ada@example.com, console: [accept_risk]}"
TEXT = (
    FILE.replace("\nbindings:\n", f"\n  {RISK}\nbindings:\n")
    + "  - {role: administrator, person: max@example.com, because: is the third}\n"
    + "".join(f"  - {{role: risk, person: {who}@example.com, because: decides}}\n" for who in ("ada", "bob", "eve"))
)
"""Three administrators: ada proposes, bob decides, max needs a new factor. Ada, bob and eve may accept risks."""
WIDER = TEXT.replace("longest: 4h", "longest: 6h")
LAB = ProviderSet("chg_9", "idp_9", ProviderKind.OIDC, "Lab", "{}", ProviderRule(), "ada", "bob")
OKTA = Provider("chg_1", "idp_1", ProviderKind.OIDC, "Okta", '{"issuer":"https://okta.example"}', ProviderRule(), None)
STREAM = Stream(
    "chg_2", "sst_1", "Okta", "https://okta.example", "https://pam.example", Delivery.PUSH, "idp_9", "", "s-1",
    "d" * 64, None,
)  # fmt: skip

Try = Callable[[Company, str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody proposes and decides by the use cases, what stands in the ledger then, whom it is for, and the code
    of what does not wait."""

    propose: Try
    decide: Try
    proposed: str
    done: str
    void: str
    gone: str
    person: str = ""


async def propose_token(company: Company, by: str) -> object:
    ends = Instant(company.clock() + 90 * DAY)
    wish = TokenWish("stk_1", "okta", "Okta", (), END_ATTRIBUTE, ends, "ab" * 32)
    return await propose_scim_token(company.ledger, company.actor(by), wish)


async def propose_exception_of_eve(company: Company, by: str) -> object:
    ends = Instant(company.clock() + 30 * DAY)
    wanted = WantedException("exc_1", "eve", "No telephone", "From the office only", ends)
    return await propose_exception(company.ledger, company.actor(by), wanted)


async def propose_change(company: Company, by: str) -> object:
    plan = await plan_access(company.ledger, None if by == "" else company.actor(by), WIDER)
    digest = plan.digest if isinstance(plan, Plan) else ""
    return await apply_access(company.ledger, company.actor(by), WIDER, "chg_3", digest)


async def decide_change(company: Company, by: str) -> object:
    plan = await plan_access(company.ledger, company.actor("aud"), WIDER)
    digest = plan.digest if isinstance(plan, Plan) else ""
    return await approve_change(company.ledger, company.actor(by), "chg_3", digest, WIDER)


WAYS = {
    ProposalKind.SCIM_TOKEN: Way(
        propose_token,
        lambda company, by: approve_scim_token(company.ledger, company.actor(by), "stk_1"),
        "scim_token.proposed",
        "scim_token.approved",
        "scim_token.ended",
        "scim_token.unknown",
    ),
    ProposalKind.PROVIDER: Way(
        lambda company, by: propose_provider(company.ledger, company.actor(by), OKTA, None),
        lambda company, by: approve_provider(company.ledger, company.actor(by), "chg_1"),
        "provider.proposed",
        "provider.set",
        "provider.rejected",
        "provider.no_proposal",
    ),
    ProposalKind.SIGNAL_STREAM: Way(
        lambda company, by: propose_stream(company.ledger, company.actor(by), STREAM),
        lambda company, by: approve_stream(company.ledger, company.actor(by), "chg_2"),
        "signal_stream.proposed",
        "signal_stream.set",
        "signal_stream.rejected",
        "signal.no_proposal",
    ),
    ProposalKind.MFA_EXCEPTION: Way(
        propose_exception_of_eve,
        lambda company, by: accept_exception(company.ledger, company.actor(by), "exc_1"),
        "mfa_exception.proposed",
        "mfa_exception.accepted",
        "mfa_exception.ended",
        "mfa_exception.unknown",
        "eve",
    ),
    ProposalKind.ENROLMENT: Way(
        lambda company, by: open_enrolment(company.ledger, company.actor(by), "max", "enr_1", "d" * 64, "lost it"),
        lambda company, by: approve_enrolment(company.ledger, company.actor(by), "enr_1", "e" * 64),
        "enrolment.proposed",
        "enrolment.opened",
        "enrolment.ended",
        "enrolment.gone",
        "max",
    ),
    ProposalKind.CHANGE: Way(
        propose_change,
        decide_change,
        "change.proposed",
        "change.approved",
        "change.rejected",
        "change.closed",
    ),
}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", WAYS)
NAMES = {
    ProposalKind.SCIM_TOKEN: "stk_1",
    ProposalKind.PROVIDER: "chg_1",
    ProposalKind.SIGNAL_STREAM: "chg_2",
    ProposalKind.CHANGE: "chg_3",
    ProposalKind.MFA_EXCEPTION: "exc_1",
    ProposalKind.ENROLMENT: "enr_1",
}


def test_every_kind_is_walked() -> None:
    assert WAYS.keys() == TABLE.keys() == set(ProposalKind)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await founded(tmp_path, TEXT)
    passkeys = (
        FactorEnrolled(f"fac_{who}", who, FactorKind.PASSKEY, "v1", None, None) for who in ("ada", "bob", "max")
    )
    await record(company.ledger, LAB, *passkeys)
    yield company
    company.close()
    assert compare(company.path) == []


async def tried(company: Company, attempt: Try, by: str) -> tuple[str, list[str], list[object]]:
    """The code of the refusal ("" for a yes), and the kinds and events that came of it."""
    before = company.ledger.size()
    outcome = await attempt(company, by)
    db = connect(company.path, read_only=True)
    try:
        found = list(entries(db, before, 1 << 40))
    finally:
        db.close()
    code = outcome.code if isinstance(outcome, Refused) else ""
    return code, [each.header.kind for each in found], [each.event for each in found]


async def laid(company: Company, kind: ProposalKind) -> Way:
    """Ada has proposed; bob has just signed in."""
    way = WAYS[kind]
    code, found, _ = await tried(company, way.propose, "ada")
    assert (code, found) == ("", [way.proposed])
    return way


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
