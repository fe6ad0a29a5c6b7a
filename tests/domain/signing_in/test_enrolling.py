"""Enrolment links: who makes one, when that takes two people and when time, and what using one replaces."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.authority import ActorFacts, HeldRole
from onepam.domain.access.model import ConsoleRight, Permission
from onepam.domain.access.proposal import Proposal, ProposalKind, ProposalRefused
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in import enrolling as rules
from onepam.domain.signing_in.enrolling import EnrolmentFacts, LinkFacts, Opened
from onepam.domain.signing_in.events import (
    EnrolmentAnnounced,
    EnrolmentEnded,
    EnrolmentOpened,
    EnrolmentProposed,
    EnrolmentUndecided,
    EnrolmentUsed,
    FactorEnrolled,
    FactorKind,
    FactorRemoved,
    SignedOut,
)
from onepam.domain.signing_in.gate import Tries
from onepam.domain.signing_in.rules import ANSWERED, ENROLMENT_LINK, AccountFacts, FactorFacts
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, LATER, MANAGER, MONITOR, NOW, PROD, present, proposal

PASSWORD = FactorFacts("fac_p", FactorKind.PASSWORD, 0)
TOTP = FactorFacts("fac_t", FactorKind.TOTP, 41)
PASSKEY = FactorFacts("fac_k", FactorKind.PASSKEY, 7)
KEY = FactorFacts("fac_s", FactorKind.SSH_KEY, 0)
ACCOUNT = AccountFacts("eve", PersonKind.EMPLOYEE, True, None, Tries(), (PASSWORD, TOTP, PASSKEY), (), ())
TWO_DAYS = 2 * DAY
ADA, BOB = present("ada", ADMINISTRATOR), present("bob", ADMINISTRATOR)
THREE = frozenset({"ada", "bob", "cyd"})


def new(kind: FactorKind, person: str = "eve", challenge: str = "") -> FactorEnrolled:
    return FactorEnrolled("fac_new_" + kind, person, kind, "", None, None, secret="x", challenge=challenge)


def agreed(actor: ActorFacts, laid: Proposal, others: bool = False) -> Decided[Instant | Refused] | Refused:
    """The actor's yes to the proposal."""
    return rules.agree(EnrolmentFacts(ACCOUNT, actor, "enr_1", None, laid, others=others), "digest", NOW)


def code(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def decided(answer: object) -> Decided[Any]:
    assert isinstance(answer, Decided), answer
    return answer


def enrol(
    account: AccountFacts | None,
    enrolment: str | None,
    expires: Instant | None,
    factors: tuple[FactorEnrolled, ...],
    now: Instant,
    opened_by: str | None = None,
    proposed_by: str | None = None,
) -> Any:
    """A link serves; it is nobody else's where nobody is named."""
    link = EnrolmentFacts(account, None, enrolment, expires, None, opened_by, proposed_by)
    return rules.enrol(link, factors, now)


def events(answer: object) -> list[type]:
    return [type(event) for event in decided(answer).events]


def link(answer: object) -> EnrolmentOpened:
    (opened,) = decided(answer).events
    assert isinstance(opened, EnrolmentOpened)
    return opened


def opened_by(account: AccountFacts, actor: ActorFacts = ADA, administrators: frozenset[str] = THREE) -> Any:
    return rules.open_link(LinkFacts(account, actor, administrators), "enr_1", "digest", "lost", NOW)


def test_an_enrolment_link() -> None:
    answer = decided(rules.open_without(ACCOUNT, "enr_1", "digest", "bootstrap", NOW))
    assert answer.events == (
        EnrolmentOpened("enr_1", "eve", Instant(NOW + ENROLMENT_LINK), "bootstrap", None, token_digest="digest"),
    )
    assert answer.result == Opened(Instant(NOW + ENROLMENT_LINK))
    assert link(opened_by(ACCOUNT)).by == "ada"


@pytest.mark.parametrize(
    "account", [replace(ACCOUNT, kind=None), replace(ACCOUNT, kind=PersonKind.SERVICE), replace(ACCOUNT, enabled=False)]
)
def test_no_link_for_who_cannot_enrol(account: AccountFacts) -> None:
    assert code(rules.open_without(account, "enr_1", "digest", "x", NOW)) == "person.unknown"
    assert code(opened_by(account)) == "person.unknown"


def test_no_link_by_who_does_not_administer() -> None:
    assert code(opened_by(ACCOUNT, present("bob"))) == "right.missing"
    assert code(opened_by(replace(ACCOUNT, roles=(MANAGER,)), present("bob"))) == "right.missing"


def role(*permissions: Permission, console: tuple[ConsoleRight, ...] = ()) -> HeldRole:
    return HeldRole("bnd_9", "", "some", "v1", permissions, console, None)


DEV = replace(PROD, where={"env": "dev"})
TRUSTED = [
    ADMINISTRATOR,
    MANAGER,
    role(console=(ConsoleRight.ACCEPT_RISK,)),
    role(PROD),
    role(replace(DEV, administrative=True)),
    role(replace(PROD, where={"app": "web"})),
]
"""Whoever says yes, administers, or reaches what is privileged now or with the next resource."""
OTHERS = [MONITOR, role(DEV), role(console=(ConsoleRight.AUDIT,))]


@pytest.mark.parametrize("held", TRUSTED)
def test_replacing_the_factors_of_somebody_trusted_takes_two(held: HeldRole) -> None:
    account = replace(ACCOUNT, roles=(held,))
    proposed = decided(opened_by(account))
    assert proposed.events == (EnrolmentProposed("enr_1", "eve", "lost", "ada"),)
    assert proposed.result == Opened()
    first = decided(opened_by(replace(account, factors=())))
    assert first.result == Opened(Instant(NOW + ENROLMENT_LINK))
    assert events(opened_by(replace(account, factors=(), had_factors=True))) == [EnrolmentProposed]


@pytest.mark.parametrize("held", OTHERS)
def test_the_factors_of_others_take_one(held: HeldRole) -> None:
    assert events(opened_by(replace(ACCOUNT, roles=(held,)))) == [EnrolmentOpened]


def test_one_link_for_somebody_waits_at_a_time() -> None:
    """However often somebody asks, nothing else is crowded out; what lapsed or fell stands in nobody's way."""
    laid = proposal(ProposalKind.ENROLMENT, "enr_0", "ada", person="eve")
    facts = LinkFacts(replace(ACCOUNT, roles=(MANAGER,)), ADA, THREE, laid)
    for waiting, answer in (
        (laid, "enrolment.waiting"),
        (replace(laid, until=NOW), ""),
        (replace(laid, present=False), ""),
        (None, ""),
    ):
        got = rules.open_link(replace(facts, waiting=waiting), "enr_1", "digest", "lost", NOW)
        assert (got.code if isinstance(got, Refused) else "") == answer
    ordinary = replace(facts, account=ACCOUNT)
    assert events(rules.open_link(ordinary, "enr_1", "digest", "lost", NOW)) == [EnrolmentOpened]


def test_where_nobody_else_could_decide_it_takes_two_days() -> None:
    account = replace(ACCOUNT, roles=(MANAGER,))
    assert events(opened_by(account, administrators=frozenset({"ada", "bob"}))) == [EnrolmentProposed]
    hand = replace(ADA, linked_for=("bob",))
    for actor, administrators in (
        (ADA, frozenset({"ada"})),
        (ADA, frozenset({"ada", "eve"})),
        (hand, frozenset({"ada", "bob"})),
    ):
        answer = decided(opened_by(account, actor, administrators))
        assert answer.events == (EnrolmentAnnounced("enr_1", "eve", "lost", "ada", Instant(NOW + TWO_DAYS)),)
        assert answer.result == Opened(alone=Instant(NOW + TWO_DAYS))
    own = replace(account, person="ada", roles=(ADMINISTRATOR,))
    assert code(opened_by(own, administrators=frozenset({"ada"}))) == "enrolment.own"


def test_the_second_administrator_is_another_person() -> None:
    laid = proposal(ProposalKind.ENROLMENT, "enr_1", "ada", person="eve")
    opened = link(agreed(BOB, laid))
    assert (opened.enrolment, opened.person, opened.by, opened.token_digest) == ("enr_1", "eve", "bob", "digest")
    assert opened.proposed_by == "ada"
    for who in ("ada", "eve"):
        answer = decided(agreed(present(who, ADMINISTRATOR), laid))
        refused = ProposalRefused(ProposalKind.ENROLMENT, "enr_1", who, "enrolment.self_approval")
        assert answer.events == (refused,)
        assert isinstance(answer.result, Refused)
    late = decided(agreed(BOB, replace(laid, until=NOW)))
    assert late.events == (EnrolmentEnded("enr_1", "eve", "enrolment.lapsed", "bob"),)
    assert code(agreed(present("bob"), laid)) == "right.missing"
    hand = decided(agreed(replace(BOB, linked_for=("eve",)), laid))
    assert hand.events == (ProposalRefused(ProposalKind.ENROLMENT, "enr_1", "bob", "enrolment.one_hand"),)
    assert code(rules.agree(EnrolmentFacts(ACCOUNT, BOB, "enr_1", None, None), "digest", NOW)) == "enrolment.gone"


def test_who_announced_it_makes_the_link_when_it_is_due() -> None:
    laid = replace(proposal(ProposalKind.ENROLMENT, "enr_1", "ada", person="eve"), alone=NOW)
    opened, finding = decided(agreed(ADA, laid)).events
    assert isinstance(opened, EnrolmentOpened)
    assert (opened.by, opened.proposed_by) == ("ada", "ada")
    assert finding == EnrolmentUndecided("enr_1", "eve", "ada")
    assert code(agreed(ADA, laid, others=True)) == "enrolment.others"
    early = decided(agreed(ADA, replace(laid, alone=Instant(NOW + 1))))
    assert early.result.code == "enrolment.not_due"
    assert link(agreed(BOB, replace(laid, alone=Instant(NOW + 1)))).by == "bob"


def waiting(actor: ActorFacts, by: str = "ada") -> EnrolmentFacts:
    laid = proposal(ProposalKind.ENROLMENT, "enr_1", by, person="eve")
    return EnrolmentFacts(ACCOUNT, actor, "enr_1", None, laid)


def test_any_administrator_and_the_person_end_it() -> None:
    for actor, why in ((ADA, "withdrawn"), (BOB, "denied"), (present("eve"), "denied")):
        answer = decided(rules.end(waiting(actor), NOW))
        assert answer.events == (EnrolmentEnded("enr_1", "eve", f"enrolment.{why}", actor.person),)
    link = replace(waiting(BOB), proposal=None, expires=LATER)
    assert decided(rules.end(link, NOW)).events == (EnrolmentEnded("enr_1", "eve", "enrolment.denied", "bob"),)
    assert code(rules.end(waiting(present("max", MANAGER)), NOW)) == "right.missing"
    assert code(rules.end(replace(waiting(BOB), account=None, enrolment=None), NOW)) == "enrolment.unknown"
    assert code(rules.end(replace(waiting(BOB), enrolment=None), NOW)) == "enrolment.unknown"
    gone = replace(BOB, signed_in_until=NOW)
    assert code(rules.end(waiting(gone), NOW)) == "sign_in.ended"


def test_the_makers_of_a_link_are_named_when_it_serves() -> None:
    answer = decided(enrol(ACCOUNT, "enr_1", LATER, (new(FactorKind.TOTP),), NOW, "bob", "ada"))
    assert answer.events[0] == EnrolmentUsed("enr_1", "eve", ("bob", "ada"))
    for by, agreed in (("bob", "bob"), ("bob", None), ("bob", "eve")):
        answer = decided(enrol(ACCOUNT, "enr_1", LATER, (new(FactorKind.TOTP),), NOW, by, agreed))
        assert answer.events[0] == EnrolmentUsed("enr_1", "eve", ("bob",))
    sso = replace(ACCOUNT, factors=(), provider="Okta")
    answer = decided(enrol(sso, "enr_1", LATER, (new(FactorKind.PASSKEY),), NOW, "ada"))
    assert answer.events[0] == EnrolmentUsed("enr_1", "eve", ("ada",)), "a provider that is gone tomorrow proves nobody"


def test_a_link_of_somebody_who_has_left_serves_nobody() -> None:
    link = EnrolmentFacts(ACCOUNT, None, "enr_1", LATER, None, "ada", None, here=False)
    assert code(rules.enrol(link, (new(FactorKind.PASSKEY),), NOW)) == "enrolment.maker_left"


@pytest.mark.parametrize("held", TRUSTED)
def test_a_link_of_one_person_replaces_nothing_of_somebody_trusted_by_now(held: HeldRole) -> None:
    passkey = (new(FactorKind.PASSKEY),)
    for account in (replace(ACCOUNT, roles=(held,)), replace(ACCOUNT, bound=(held,))):
        assert code(enrol(account, "enr_1", LATER, passkey, NOW, "ada")) == "enrolment.takes_two"
        gone = replace(account, factors=(), had_factors=True)
        assert code(enrol(gone, "enr_1", LATER, passkey, NOW, "ada")) == "enrolment.takes_two"
        first = replace(account, factors=())
        for given, by, proposed in (
            (account, "bob", "ada"),
            (account, "ada", "ada"),
            (account, "eve", None),
            (account, None, None),
            (first, "ada", None),
        ):
            assert EnrolmentUsed in events(enrol(given, "enr_1", LATER, passkey, NOW, by, proposed))


@pytest.mark.parametrize("held", TRUSTED)
def test_what_a_hold_keeps_back_is_trusted_all_the_same(held: HeldRole) -> None:
    account = replace(ACCOUNT, bound=(held,))
    assert events(opened_by(account)) == [EnrolmentProposed]
    added = decided(enrol(account, "enr_1", LATER, (new(FactorKind.TOTP),), NOW)).events[-1]
    assert isinstance(added, FactorEnrolled)
    assert added.privileged_from == NOW + HOUR


def test_a_password_is_for_nobody_with_a_provider_and_a_challenge_serves_once() -> None:
    both = (new(FactorKind.PASSWORD), new(FactorKind.TOTP))
    assert code(enrol(replace(ACCOUNT, provider="Okta"), "enr_1", LATER, both, NOW)) == "enrolment.password"
    made, seen = new(FactorKind.PASSKEY, challenge="c"), replace(ACCOUNT, answered=("b", "c"))
    assert FactorEnrolled in events(enrol(ACCOUNT, "enr_1", LATER, (made,), NOW))
    assert enrol(seen, "enr_1", LATER, (made,), NOW) is ANSWERED
    assert FactorEnrolled in events(enrol(seen, "enr_1", LATER, (new(FactorKind.TOTP),), NOW))


def test_enrolling_replaces_everything_but_ssh_keys() -> None:
    account = replace(ACCOUNT, factors=(PASSWORD, TOTP, KEY))
    answer = enrol(account, "enr_1", LATER, (new(FactorKind.PASSWORD), new(FactorKind.PASSKEY)), NOW)
    assert events(answer) == [EnrolmentUsed, FactorRemoved, FactorRemoved, FactorEnrolled, FactorEnrolled]
    assert isinstance(answer, Decided)
    added = answer.events[-1]
    assert isinstance(added, FactorEnrolled)
    assert added.privileged_from is None


def test_a_link_that_serves_ends_the_persons_other_links() -> None:
    account = replace(ACCOUNT, links=("enr_0", "enr_1", "enr_2"))
    answer = enrol(account, "enr_1", LATER, (new(FactorKind.PASSKEY),), NOW)
    assert isinstance(answer, Decided)
    assert [event.enrolment for event in answer.events if isinstance(event, EnrolmentEnded)] == ["enr_0", "enr_2"]


def test_a_replacement_ends_every_session_of_before_and_a_first_enrolment_none() -> None:
    account = replace(ACCOUNT, sessions=("sgn_1", "cli_1"))
    answer = enrol(account, "enr_1", LATER, (new(FactorKind.PASSKEY),), NOW)
    assert isinstance(answer, Decided)
    ended = [each for each in answer.events if isinstance(each, SignedOut)]
    assert ended == [SignedOut(each, "eve", "factors.replaced", "eve") for each in ("sgn_1", "cli_1")]
    first = enrol(replace(account, factors=()), "enr_1", LATER, (new(FactorKind.PASSKEY),), NOW)
    assert SignedOut not in events(first)


def test_a_replaced_administrators_factor_waits_an_hour() -> None:
    account = replace(ACCOUNT, roles=(ADMINISTRATOR,))
    answer = enrol(account, "enr_1", LATER, (new(FactorKind.TOTP),), NOW)
    assert isinstance(answer, Decided)
    added = answer.events[-1]
    assert isinstance(added, FactorEnrolled)
    assert added.privileged_from == NOW + HOUR


@pytest.mark.parametrize(
    ("enrolment", "expires", "account"),
    [
        (None, LATER, ACCOUNT),
        ("enr_1", None, ACCOUNT),
        ("enr_1", LATER, None),
        ("enr_1", NOW, ACCOUNT),
        ("enr_1", LATER, replace(ACCOUNT, enabled=False)),
    ],
)
def test_a_dead_link_enrols_nobody(
    enrolment: str | None, expires: Instant | None, account: AccountFacts | None
) -> None:
    assert code(enrol(account, enrolment, expires, (new(FactorKind.TOTP),), NOW)) == "enrolment.gone"


def test_enrolling_needs_a_second_factor() -> None:
    assert code(enrol(ACCOUNT, "enr_1", LATER, (new(FactorKind.PASSWORD),), NOW)) == "enrolment.factors"
