"""Who decides for whom: naming somebody, what they may then, and that it goes no further."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.separation import Separation
from onepam.domain.history.commit import Decided
from onepam.domain.requests.approval import Agreed, ApprovalFacts, Approve, Granted, Yes, approve, deny
from onepam.domain.requests.delegating import (
    LONGEST,
    UNKNOWN,
    DelegatingFacts,
    Delegation,
    DelegationFacts,
    StandIn,
    delegate,
    end_delegation,
)
from onepam.domain.requests.events import (
    ApprovalRefused,
    DelegationEnded,
    DelegationSet,
    DelegationUsed,
    GrantStarted,
    RequestApproved,
    RequestDenied,
)
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADA, ADMINISTRATOR, ENGINEER, EVE, LATER, MANAGER, MAX, NOW, OPEN, present, waiting
from tests.domain.requests.test_when import several

LEAD = replace(MANAGER, role="lead")
WEEK = Instant(NOW + 7 * DAY)
FACTS = DelegatingFacts(present("max", MANAGER), to_approves=True, theirs=())
WANTED = Delegation("dlg_1", "max", "joe", NOW, WEEK)


def made(facts: DelegatingFacts = FACTS, wanted: Delegation = WANTED, reason: str = "") -> DelegationSet:
    decided = delegate(facts, wanted, reason, NOW)
    assert isinstance(decided, Decided), decided
    (event,) = decided.events
    assert isinstance(event, DelegationSet)
    return event


def code(facts: DelegatingFacts = FACTS, wanted: Delegation = WANTED, reason: str = "") -> str:
    outcome = delegate(facts, wanted, reason, NOW)
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def test_whoever_approves_names_another_who_does() -> None:
    assert made(reason=" on  leave ") == DelegationSet("dlg_1", "max", "joe", NOW, WEEK, "on leave")
    assert made(wanted=replace(WANTED, begins=Instant(0))).begins == NOW
    assert made(wanted=replace(WANTED, begins=LATER)).begins == LATER


@pytest.mark.parametrize(
    ("facts", "wanted", "reason", "refused"),
    [
        ({"actor": replace(FACTS.actor, enabled=False)}, {}, "", "person.disabled"),
        ({}, {}, "\x1b]0;x", "text.not_plain"),
        ({"actor": present("max", ENGINEER)}, {}, "", "delegation.no_authority"),
        ({"to_approves": False}, {}, "", "delegation.cannot_decide"),
        ({}, {"to": "max"}, "", "delegation.cannot_decide"),
        ({}, {"ends": NOW}, "", "delegation.time"),
        ({}, {"begins": WEEK}, "", "delegation.time"),
        ({}, {"ends": Instant(NOW + LONGEST + 1)}, "", "delegation.time"),
        ({}, {"begins": Instant(NOW + LONGEST + 1), "ends": Instant(NOW + LONGEST + 2)}, "", "delegation.time"),
    ],
)
def test_what_is_no_delegation(facts: dict[str, Any], wanted: dict[str, Any], reason: str, refused: str) -> None:
    assert code(replace(FACTS, **facts), replace(WANTED, **wanted), reason) == refused


def test_one_at_a_time_decides_for_somebody() -> None:
    runs = replace(FACTS, theirs=(replace(WANTED, delegation="dlg_0", begins=LATER, ends=WEEK),))
    assert (
        code(runs)
        == code(runs, replace(WANTED, begins=Instant(WEEK - 1), ends=Instant(WEEK + 1)))
        == "delegation.overlaps"
    )
    made(runs, replace(WANTED, ends=LATER))
    made(runs, replace(WANTED, begins=WEEK, ends=Instant(WEEK + 1)))


def test_either_of_them_or_an_administrator_ends_it() -> None:
    for actor, facts in ((MAX, present("max")), (ADA, present("ada", ADMINISTRATOR))):
        decided = end_delegation(DelegationFacts(facts, WANTED), actor, NOW)
        assert isinstance(decided, Decided)
        assert decided.events == (DelegationEnded("dlg_1", actor.person),)
    named = replace(WANTED, person="ada", to="max")
    assert isinstance(end_delegation(DelegationFacts(present("max"), named), MAX, NOW), Decided)
    for facts, found in ((present("eve"), WANTED), (present("eve"), None), (present("eve"), replace(WANTED, ends=NOW))):
        assert end_delegation(DelegationFacts(facts, found), EVE, NOW) == UNKNOWN
    assert end_delegation(DelegationFacts(present("max"), replace(WANTED, ends=NOW)), MAX, NOW) == UNKNOWN
    outcome = end_delegation(DelegationFacts(replace(present("max"), enabled=False), WANTED), MAX, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == "person.disabled"


BOSS = StandIn("dlg_1", "joe", (MANAGER,), frozenset(), barred=False)
COMMAND = Approve("req_1", OPEN.digest, "grt_1")


def standing_in(*others: StandIn, actor: ActorFacts | None = None, **changes: Any) -> ApprovalFacts:
    """Max approves other things only, and decides for these."""
    request = replace(waiting(), **changes)
    return ApprovalFacts(actor or present("max", LEAD), request, stand_ins=others)


def test_whoever_was_named_decides_for_the_other_under_a_role_of_theirs() -> None:
    used = DelegationUsed("dlg_1", "req_1", "joe", "max", "manager")
    other = replace(BOSS, delegation="dlg_0", roles=(ENGINEER,))
    decided = approve(standing_in(other, BOSS), MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert isinstance(decided.result, Granted)
    approved, started, said = decided.events
    assert said == used
    assert isinstance(approved, RequestApproved)
    assert (approved.by, approved.under) == ("max", "manager")
    assert isinstance(started, GrantStarted)
    denied = deny(standing_in(BOSS), MAX, "req_1", "no", NOW)
    assert isinstance(denied, Decided)
    assert denied.events == (RequestDenied("req_1", "max", "manager", "no"), used)


def test_nobody_decides_under_a_role_that_is_kept_apart_from_one_of_theirs() -> None:
    """Else a delegation would lend what nobody may hold beside it."""
    apart = (Separation("duties", (LEAD.role, MANAGER.role), "nobody does both"),)
    refused = approve(replace(standing_in(BOSS), separations=apart), MAX, COMMAND, NOW)
    assert isinstance(refused, Decided)
    assert isinstance(refused.result, Refused)
    assert refused.result.code == "request.no_authority"
    over = replace(LEAD, ends=NOW)
    allowed = approve(replace(standing_in(BOSS, actor=present("max", over)), separations=apart), MAX, COMMAND, NOW)
    assert isinstance(allowed, Decided)
    assert isinstance(allowed.result, Granted)


def test_ones_own_authority_comes_first() -> None:
    decided = approve(standing_in(BOSS, actor=present("max", MANAGER)), MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert isinstance(decided.events[0], RequestApproved)


def test_a_yes_of_several_may_be_for_another() -> None:
    facts = several(Yes("sue", counts=False), actor=present("max", LEAD))
    decided = approve(replace(facts, stand_ins=(BOSS,)), MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert decided.result == Agreed("req_1", 1, 2)
    assert decided.events[1] == DelegationUsed("dlg_1", "req_1", "joe", "max", "manager")


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        (standing_in(), "request.no_authority"),
        (standing_in(replace(BOSS, barred=True)), "request.no_authority"),
        (standing_in(replace(BOSS, roles=(LEAD,))), "request.no_authority"),
        (standing_in(replace(BOSS, roles=(replace(MANAGER, ends=NOW),))), "request.no_authority"),
        (standing_in(BOSS, own_delegate=True), "request.own_delegate"),
        (standing_in(BOSS, actor=replace(present("max", LEAD), linked_by=("eve",))), "request.one_hand"),
        (standing_in(actor=present("max", MANAGER), own_delegate=True), "request.own_delegate"),
    ],
)
def test_who_decides_for_nobody(facts: ApprovalFacts, refused: str) -> None:
    decided = approve(facts, MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (ApprovalRefused("req_1", "max", refused),)


def test_the_requester_decides_for_nobody_either() -> None:
    decided = approve(standing_in(BOSS, actor=present("eve", LEAD)), EVE, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (ApprovalRefused("req_1", "eve", "request.self_approval"),)


def test_one_hand_with_whom_somebody_agreed_for_is_no_other() -> None:
    """Sue agreed for joe, and max enrolled by a link of joe's: else joe had given two of the yeses."""
    actor = replace(present("max", MANAGER), linked_by=("joe",))
    decided = approve(several(Yes("sue", counts=True, instead_of="joe"), actor=actor), MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (ApprovalRefused("req_1", "max", "request.one_hand"),)


def test_a_yes_for_another_is_theirs() -> None:
    for agreed, stand_ins, actor in (
        (Yes("joe", counts=True), (BOSS,), present("max", LEAD)),  # joe agreed, and max would for joe
        (Yes("sue", counts=True, instead_of="joe"), (BOSS,), present("max", LEAD)),
        (Yes("sue", counts=True, instead_of="max"), (), present("max", MANAGER)),  # sue did for max
    ):
        facts = replace(several(agreed, actor=actor), stand_ins=stand_ins)
        outcome = approve(facts, MAX, COMMAND, NOW)
        assert isinstance(outcome, Refused)
        assert outcome.code == "request.agreed"
