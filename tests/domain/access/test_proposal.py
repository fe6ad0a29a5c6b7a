"""What takes two people: the table of kinds and rules, and the judgement over it, branch by branch."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.authority import ActorFacts, HeldRole
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import (
    PRIVILEGED_REQUEST,
    REQUEST,
    RULES,
    Proposal,
    ProposalKind,
    ProposalRefused,
    Ruling,
    acts_as_manager,
    fallen,
    judge,
    lapses,
    may_deny,
    may_propose,
)
from onepam.domain.history.commit import Decided
from onepam.domain.lapsing.proposals import LapsingFacts, Waiting, lapse
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import NOW, present, proposal
from tests.proposals import ADMINISTER, FIVE, TABLE

KINDS = pytest.mark.parametrize("kind", ProposalKind)


def somebody(person: str, right: ConsoleRight | None, age: int = 0) -> ActorFacts:
    """Somebody with one right at most, whose factor was shown `age` ago."""
    roles = () if right is None else (HeldRole("bnd_1", "", "some", "v1", (), (right,), None),)
    return replace(present(person, *roles), mfa_at=Instant(NOW - age))


def judged(laid: Proposal, actor: ActorFacts, changed: Instant | None = None) -> tuple[Ruling, str] | None:
    no = judge(laid, actor, RULES[laid.kind], NOW, changed)
    return (no.ruling, no.refused.code) if no is not None else None


def test_every_kind_has_its_rules() -> None:
    assert TABLE.keys() == RULES.keys() == set(ProposalKind)
    for kind, row in TABLE.items():
        rules = RULES[kind]
        factors = (rules.factor_to_propose, rules.factor_to_decide)
        assert (rules.proposes, rules.decides, *factors, rules.lapse, rules.alone, rules.benefits) == row, kind


def test_requests_have_their_rules() -> None:
    ordinary = (None, ConsoleRight.APPROVE, None, HOUR, DAY, None, True)
    for rules, age in ((REQUEST, HOUR), (PRIVILEGED_REQUEST, 15 * MINUTE)):
        factors = (rules.factor_to_propose, rules.factor_to_decide)
        found = (rules.proposes, rules.decides, *factors, rules.lapse, rules.alone, rules.benefits)
        assert found == (*ordinary[:3], age, *ordinary[4:])
        assert may_propose(somebody("ada", None), rules, NOW) is None
        refused = may_propose(replace(somebody("ada", None), enabled=False), rules, NOW)
        assert refused is not None


@KINDS
def test_who_proposes(kind: ProposalKind) -> None:
    right, _, age, *_ = TABLE[kind]

    def code(actor: ActorFacts) -> str:
        refused = may_propose(actor, RULES[kind], NOW)
        return refused.code if refused is not None else ""

    assert code(somebody("ada", right)) == ""
    assert code(somebody("ada", ConsoleRight.AUDIT)) == ("right.missing" if right else "")
    assert code(somebody("ada", right, FIVE)) == ("factor.stale" if age else "")


@KINDS
def test_who_decides(kind: ProposalKind) -> None:
    _, right, _, age, *_ = TABLE[kind]
    laid = proposal(kind, "x", "bob", person="eve")
    assert judged(laid, somebody("ada", right, age - 1)) is None
    assert judged(laid, somebody("ada", None)) == (Ruling.REFUSED, "right.missing")
    assert judged(laid, somebody("ada", right, age)) == (Ruling.REFUSED, "factor.stale")
    for concerned in ("bob", "eve"):
        assert judged(laid, somebody(concerned, right)) == (Ruling.RECORDED, f"{kind.value}.self_approval")


@KINDS
def test_who_may_be_one_hand_with_its_proposer_or_beneficiary_decides_nothing(kind: ProposalKind) -> None:
    row, laid = TABLE[kind], proposal(kind, "x", "bob", person="eve")
    ada = somebody("ada", row.decides)
    one_hand = (Ruling.RECORDED, f"{kind.value}.one_hand")
    assert judged(laid, replace(ada, linked_by=("bob",))) == one_hand
    assert judged(laid, replace(ada, linked_for=("max", "bob"))) == one_hand
    assert judged(laid, replace(ada, linked_by=("eve",))) == one_hand
    assert judged(laid, replace(ada, linked_for=("eve",))) == one_hand
    assert judged(laid, replace(ada, linked_by=("max",), linked_for=("vic",))) is None


@KINDS
def test_where_nobody_else_could_decide_its_proposer_does_when_it_is_due(kind: ProposalKind) -> None:
    row, laid = TABLE[kind], proposal(kind, "x", "ada", person="eve")
    ada, early = somebody("ada", row.decides), replace(laid, alone=Instant(NOW + 1))
    assert judged(replace(laid, alone=NOW), ada) is None
    assert judged(early, ada) == (Ruling.RECORDED, f"{kind.value}.not_due")
    own = (Ruling.RECORDED, f"{kind.value}.self_approval")
    assert judged(replace(laid, alone=NOW), somebody("eve", row.decides)) == own
    assert judged(early, somebody("max", row.decides)) is None
    assert judged(replace(laid, alone=NOW, until=NOW), ada) == (Ruling.VOID, f"{kind.value}.lapsed")


@KINDS
def test_what_falls(kind: ProposalKind) -> None:
    _, right, _, _, lapse_of, *_ = TABLE[kind]
    ada, laid = somebody("ada", right), proposal(kind, "x")
    begun = Instant(NOW - lapse_of)
    assert judged(replace(laid, since=begun, until=lapses(RULES[kind], begun)), ada) == (
        Ruling.VOID,
        f"{kind.value}.lapsed",
    )
    assert judged(replace(laid, until=Instant(NOW + 1)), ada) is None
    assert judged(replace(laid, present=False), ada) == (Ruling.VOID, f"{kind.value}.proposer_left")
    assert judged(replace(laid, entitled=False), ada) == (Ruling.VOID, f"{kind.value}.proposer_right")
    assert judged(laid, ada, laid.since) == (Ruling.VOID, f"{kind.value}.overtaken")
    assert judged(laid, ada, Instant(laid.since - 1)) is None


@KINDS
def test_who_says_no(kind: ProposalKind) -> None:
    row, laid = TABLE[kind], proposal(kind, "x", "bob", person="eve")
    for right in ConsoleRight:
        somebody_else = somebody("ada", right, age=DAY)
        assert may_deny(laid, somebody_else, RULES[kind]) == (right in (row.proposes, row.decides)), right
    assert may_deny(laid, somebody("eve", None), RULES[kind]) == (not row.benefits)
    takes_back = may_deny(laid, somebody("bob", None), RULES[kind])
    assert takes_back == (row.proposes is None), "who lost the right takes nothing back"


def test_it_lapses_with_the_end_of_what_it_proposes_where_that_is_earlier() -> None:
    rules = RULES[ProposalKind.MFA_EXCEPTION]
    assert lapses(rules, NOW, Instant(NOW + DAY)) == NOW + DAY
    assert lapses(rules, NOW, Instant(NOW + 90 * DAY)) == NOW + rules.lapse


def test_that_somebody_tried_their_own_is_an_entry_even_when_it_has_fallen() -> None:
    laid = replace(proposal(ProposalKind.CHANGE, "chg_1", "ada"), until=NOW)
    assert judged(laid, somebody("ada", ADMINISTER)) == (Ruling.RECORDED, "change.self_approval")


def test_what_a_ruling_leaves_behind() -> None:
    laid = proposal(ProposalKind.PROVIDER, "chg_1", "ada")
    ended = ProposalRefused(laid.kind, "an end", "x", "y")

    def answer(laid: Proposal, actor: ActorFacts) -> Decided[Any] | Refused:
        no = judge(laid, actor, RULES[laid.kind], NOW)
        assert no is not None
        return no.answer(ended)

    assert isinstance(answer(laid, somebody("bob", None)), Refused)
    own = answer(laid, somebody("ada", ADMINISTER))
    assert isinstance(own, Decided)
    assert own.events == (ProposalRefused(laid.kind, "chg_1", "ada", "provider.self_approval"),)
    void = answer(replace(laid, present=False), somebody("bob", ADMINISTER))
    assert isinstance(void, Decided)
    assert (void.events, void.result.code) == ((ended,), "provider.proposer_left")


@KINDS
def test_what_is_over_ends_by_itself(kind: ProposalKind) -> None:
    laid = proposal(kind, "x", person="eve")
    left, late = replace(laid, proposal="y", present=False), replace(laid, proposal="z", until=NOW)
    decided = lapse(LapsingFacts(tuple(Waiting(each, "of") for each in (laid, left, late))), NOW)
    assert decided.result == len(decided.events) == 2
    assert [getattr(each, "because", "") for each in decided.events] == [
        f"{kind.value}.proposer_left",
        f"{kind.value}.lapsed",
    ]
    assert all(getattr(each, "by", "") is None for each in decided.events)
    assert fallen(laid, NOW) is None


@pytest.mark.parametrize(
    ("said_by", "other", "since", "acts"),
    [
        (None, "", NOW, True),
        ("ada", "", NOW, True),
        ("max", "", NOW, False),
        ("ada", "ada", NOW, False),
        ("max", "", Instant(NOW - 30 * DAY + 1), False),
        ("max", "", Instant(NOW - 30 * DAY), True),
    ],
)
def test_nobody_decides_as_the_manager_whom_they_named_themselves_lately(
    said_by: str | None, other: str, since: Instant, acts: bool
) -> None:
    """Neither for themselves nor by somebody whom they named so."""
    assert acts_as_manager("max", said_by, since, NOW, other) is acts
