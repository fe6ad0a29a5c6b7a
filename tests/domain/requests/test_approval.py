"""Deciding: who may, over exactly what, and what becomes of it."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.asked import MANAGER as MANAGER_OF
from onepam.domain.access.asked import OWNER
from onepam.domain.access.authority import Actor
from onepam.domain.access.model import Mode, permission_of
from onepam.domain.access.proof import MfaBasis
from onepam.domain.access.separation import Separation
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.requests.approval import (
    ApprovalFacts,
    Approve,
    EndGrant,
    Granted,
    GrantFacts,
    approve,
    authority,
    deny,
    end_grant,
    standing,
    undo,
)
from onepam.domain.requests.events import (
    ApprovalRefused,
    ApprovalUndone,
    GrantEnded,
    GrantStarted,
    RequestApproved,
    RequestDenied,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.kernel.clock import HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import (
    ADA,
    ADMINISTRATOR,
    ASKED,
    ENGINEER,
    EVE,
    GRANT,
    LATER,
    MANAGER,
    MAX,
    NOW,
    OPEN,
    PROD,
    WEB,
    access,
    present,
    waiting,
)

FACTS = ApprovalFacts(present("max", MANAGER), waiting())
COMMAND = Approve("req_1", OPEN.digest, "grt_1", "go ahead")
SOON = Instant(NOW + 10 * MINUTE)
EFFECT = Instant(NOW + 10 * SECOND)
ENDS = Instant(LATER + 10 * SECOND)


def given(**changes: Any) -> ApprovalFacts:
    """The facts with another request."""
    return replace(FACTS, request=replace(waiting(), **changes))


def test_what_came_to_be_kept_apart_from_another_role_of_theirs_is_void() -> None:
    apart = (Separation("production", ("engineer", "manager"), "nobody approves their own"),)
    both = replace(given(requester=access(ENGINEER, replace(MANAGER, ends=LATER))), separations=apart)
    decided = approve(both, MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert isinstance(decided.result, Refused)
    assert (decided.result.code, [type(each) for each in decided.events]) == ("request.separated", [RequestWithdrawn])
    over = replace(both, request=replace(waiting(), requester=access(ENGINEER, replace(MANAGER, ends=EFFECT))))
    allowed = approve(over, MAX, COMMAND, NOW)
    assert isinstance(allowed, Decided)
    assert isinstance(allowed.result, Granted)


QUARTER = 15 * MINUTE


def after(age: int, **changes: Any) -> ApprovalFacts:
    """Whoever decides showed their factor so long ago."""
    return replace(given(**changes), actor=replace(FACTS.actor, mfa_at=Instant(NOW - age)))


def test_a_yes_needs_a_factor_as_fresh_as_the_access_asks() -> None:
    """15 minutes for what is privileged, an hour for the rest; a no takes any."""
    dev = replace(access(), resource=replace(WEB, labels={"env": "dev"}))
    offered = replace(ENGINEER, permissions=(replace(PROD, where={"app": "web"}),))
    ordinary = replace(dev, roles=(offered,), resource=replace(WEB, labels={"env": "dev", "app": "web"}))
    for facts, code in (
        (after(QUARTER - 1), ""),
        (after(QUARTER), "factor.stale"),
        (after(QUARTER, requester=ordinary), ""),
        (after(HOUR - 1, requester=ordinary), ""),
        (after(HOUR, requester=ordinary), "factor.stale"),
        (after(QUARTER, requester=dev), "factor.stale"),
        (after(QUARTER, requester=replace(dev, resource=None)), "factor.stale"),
    ):
        answer = approve(facts, MAX, COMMAND, NOW)
        assert (answer.code if isinstance(answer, Refused) else "") == code
    assert isinstance(deny(after(5 * HOUR), MAX, "req_1", "no", NOW), Decided)


@pytest.mark.parametrize("basis", MfaBasis)
def test_a_yes_to_what_is_privileged_needs_a_factor_that_somebody_saw(basis: MfaBasis) -> None:
    """What no factor opens it does not grant to others either; what is ordinary, and a no, takes the sign-in."""
    offered = replace(ENGINEER, permissions=(replace(PROD, where={"app": "web"}),))
    ordinary = replace(access(offered), resource=replace(WEB, labels={"env": "dev", "app": "web"}))
    unseen = basis in (MfaBasis.DECLARED, MfaBasis.ACCEPTED)
    for request, code in ((given(), "mfa.not_shown" if unseen else ""), (given(requester=ordinary), "")):
        facts = replace(request, actor=replace(FACTS.actor, basis=basis))
        answer = approve(facts, MAX, COMMAND, NOW)
        assert (answer.code if isinstance(answer, Refused) else "") == code
        assert isinstance(deny(facts, MAX, "req_1", "no", NOW), Decided)


def test_an_approval_makes_a_grant_that_begins_ten_seconds_later() -> None:
    decided = approve(FACTS, MAX, COMMAND, NOW)
    assert decided == Decided(
        (
            RequestApproved("req_1", OPEN.digest, "max", "manager", EFFECT, "go ahead"),
            GrantStarted("grt_1", "req_1", ASKED, "bnd_1", "max", EFFECT, ENDS),
        ),
        Granted("grt_1", "req_1", ASKED, EFFECT, ENDS),
    )


@pytest.mark.parametrize(
    "requester",
    [replace(access(), ends=SOON), access(replace(ENGINEER, ends=SOON))],
)
def test_a_grant_ends_with_its_binding_or_its_person(requester: Any) -> None:
    decided = approve(given(requester=requester), MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert isinstance(decided.result, Granted)
    assert decided.result.ends == SOON


def test_what_will_not_stand_when_it_takes_effect_is_void_now() -> None:
    ends = Instant(EFFECT)
    decided = approve(given(requester=access(replace(ENGINEER, ends=ends))), MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (RequestWithdrawn("req_1", RequestStatus.VOID, "binding.ended", "max"),)


COMING = replace(GRANT, grant="grt_1", request="req_1", approved_by="max", starts=EFFECT)
APPROVED = given(status=RequestStatus.APPROVED, grant=COMING)


def test_an_approval_is_undone_until_it_takes_effect() -> None:
    last = Instant(EFFECT - 1)
    assert undo(APPROVED, MAX, "req_1", last) == Decided(
        (ApprovalUndone("req_1", "grt_1", "max"), GrantEnded("grt_1", "req_1", "undone", "max")), None
    )
    refused = undo(APPROVED, MAX, "req_1", EFFECT)
    assert isinstance(refused, Refused)
    assert refused.code == "request.nothing_to_undo"


def test_only_who_approved_can_undo_it() -> None:
    decided = undo(replace(APPROVED, actor=present("ada", ADMINISTRATOR)), ADA, "req_1", NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (ApprovalRefused("req_1", "ada", "request.no_authority"),)
    assert isinstance(decided.result, Refused)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (FACTS, "request.nothing_to_undo"),
        (replace(FACTS, request=None), "request.unknown"),
        (replace(APPROVED, actor=replace(APPROVED.actor, mfa_at=None)), "sign_in.ended"),
    ],
)
def test_nothing_to_undo(facts: ApprovalFacts, code: str) -> None:
    refused = undo(facts, MAX, "req_1", NOW)
    assert isinstance(refused, Refused)
    assert refused.code == code


REFUSED_ATTEMPTS: list[tuple[ApprovalFacts, Actor, str]] = [
    (replace(FACTS, actor=present("eve", ENGINEER, MANAGER)), EVE, "request.self_approval"),
    (given(requester_kind=PersonKind.SERVICE, owner="max"), MAX, "request.own_service"),
    (replace(FACTS, actor=replace(FACTS.actor, linked_by=("eve",))), MAX, "request.one_hand"),
    (replace(FACTS, actor=replace(FACTS.actor, linked_for=("eve",))), MAX, "request.one_hand"),
    (
        replace(given(requester_kind=PersonKind.SERVICE, owner="bob"), actor=replace(FACTS.actor, linked_by=("bob",))),
        MAX,
        "request.one_hand",
    ),
    (replace(FACTS, actor=present("max")), MAX, "request.no_authority"),
    (replace(FACTS, actor=present("max", replace(MANAGER, ends=NOW))), MAX, "request.no_authority"),
    (replace(FACTS, actor=present("max", replace(MANAGER, console=()))), MAX, "request.no_authority"),
    (replace(FACTS, actor=present("ada", ADMINISTRATOR)), ADA, "request.no_authority"),
    (given(approvers=("director",)), MAX, "request.no_authority"),
    (replace(given(approvers=()), actor=present("ada", ADMINISTRATOR)), ADA, "request.no_authority"),
]


@pytest.mark.claim(
    "Nobody approves their own request",
    altered="the requester could decide",
)
@pytest.mark.parametrize(("facts", "actor", "code"), REFUSED_ATTEMPTS)
def test_an_attempt_without_authority_is_refused_and_kept(facts: ApprovalFacts, actor: Actor, code: str) -> None:
    for decided in (approve(facts, actor, COMMAND, NOW), deny(facts, actor, "req_1", "", NOW)):
        assert isinstance(decided, Decided)
        assert decided.events == (ApprovalRefused("req_1", actor.person, code),)
        assert isinstance(decided.result, Refused)
        assert decided.result.code == code


@pytest.mark.claim(
    "a request that changed",
    altered="the digest of what is approved was not compared",
)
def test_another_digest_is_refused_and_kept() -> None:
    decided = approve(FACTS, MAX, replace(COMMAND, digest="0" * 64), NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (ApprovalRefused("req_1", "max", "request.digest"),)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(FACTS, actor=replace(FACTS.actor, mfa_at=None)), "sign_in.ended"),
        (replace(FACTS, request=None), "request.unknown"),
        (given(status=RequestStatus.APPROVED), "request.closed"),
        (given(open=replace(OPEN, expires=NOW)), "request.expired"),
    ],
)
def test_what_nobody_can_decide(facts: ApprovalFacts, code: str) -> None:
    for outcome in (approve(facts, MAX, COMMAND, NOW), deny(facts, MAX, "req_1", "", NOW)):
        assert isinstance(outcome, Refused)
        assert outcome.code == code


def test_comments_are_plain() -> None:
    for outcome in (
        approve(FACTS, MAX, replace(COMMAND, comment="\x07"), NOW),
        deny(FACTS, MAX, "req_1", "\u202e", NOW),
    ):
        assert isinstance(outcome, Refused)
        assert outcome.code == "text.not_plain"


VOID = [
    (replace(access(), enabled=False), "person.disabled"),
    (replace(access(), ends=NOW), "person.disabled"),
    (replace(access(), roles=()), "binding.ended"),
    (access(replace(ENGINEER, ends=NOW)), "binding.ended"),
    (access(replace(ENGINEER, version="v2")), "role.changed"),
    (replace(access(), resource=None), "resource.changed"),
    (access(replace(ENGINEER, permissions=())), "resource.changed"),
    (access(replace(ENGINEER, permissions=(replace(PROD, mode=Mode.STANDING),))), "resource.changed"),
    (replace(access(), resource=replace(WEB, labels={"env": "dev"})), "resource.changed"),
    (replace(access(), resource=replace(WEB, logins=("app",))), "resource.changed"),
]


@pytest.mark.claim(
    "a request that changed",
    altered="the role's version was not compared",
)
@pytest.mark.parametrize(("requester", "code"), VOID)
def test_what_no_longer_stands_is_void_and_no_grant_starts(requester: Any, code: str) -> None:
    decided = approve(given(requester=requester), MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (RequestWithdrawn("req_1", RequestStatus.VOID, code, "max"),)
    assert isinstance(decided.result, Refused)
    assert decided.result.message.startswith("The request is void")


def test_a_request_whose_permission_is_gone_is_voided_by_any_approver() -> None:
    facts = given(approvers=(), requester=access(replace(ENGINEER, version="v2", permissions=())))
    decided = approve(facts, MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (RequestWithdrawn("req_1", RequestStatus.VOID, "role.changed", "max"),)


def test_the_binding_that_lasts_longest_carries_the_grant() -> None:
    held = standing(ASKED, access(replace(ENGINEER, ends=SOON), replace(ENGINEER, binding="bnd_9", ends=LATER)), NOW)
    assert not isinstance(held, Refused)
    assert held.binding == "bnd_9"
    for ends in (LATER, None):  # its name says nothing
        held = standing(ASKED, access(replace(ENGINEER, binding="bnd_9", ends=SOON), replace(ENGINEER, ends=ends)), NOW)
        assert not isinstance(held, Refused)
        assert held.binding == "bnd_1"


def test_a_denial_needs_the_same_authority_and_nothing_of_the_substance() -> None:
    decided = deny(given(requester=replace(access(), enabled=False)), MAX, "req_1", "not today", NOW)
    assert decided == Decided((RequestDenied("req_1", "max", "manager", "not today"),), None)


def test_authority_is_the_first_role_in_force_among_the_approvers() -> None:
    director = replace(MANAGER, role="director", binding="bnd_7")
    assert authority((MANAGER, director), ("director", "manager"), NOW) == "manager"
    assert authority((replace(MANAGER, ends=LATER),), ("manager",), NOW) == "manager"
    assert authority((), ("manager",), NOW) is None
    assert permission_of((PROD,), "prod") == PROD
    assert permission_of((PROD,), "other") is None


HELD = GrantFacts(present("eve", ENGINEER), GRANT, ("manager",))


@pytest.mark.parametrize(
    ("facts", "actor", "because", "reason"),
    [
        (HELD, EVE, "holder", ""),
        (replace(HELD, actor=present("max", MANAGER)), MAX, "approver", "seen enough"),
        (replace(HELD, actor=present("ada", ADMINISTRATOR)), ADA, "administrator", "an incident"),
    ],
)
def test_holder_approver_and_administrator_end_a_grant(
    facts: GrantFacts, actor: Actor, because: str, reason: str
) -> None:
    decided = end_grant(facts, actor, EndGrant("grt_1", reason), NOW)
    assert decided == Decided((GrantEnded("grt_1", GRANT.request, because, actor.person, reason),), None)


@pytest.mark.parametrize(
    ("facts", "actor", "code"),
    [
        (replace(HELD, actor=replace(HELD.actor, enabled=False)), EVE, "person.disabled"),
        (replace(HELD, grant=None), EVE, "grant.unknown"),
        (replace(HELD, grant=replace(GRANT, ends=NOW)), EVE, "grant.unknown"),
        (replace(HELD, actor=present("max", ENGINEER)), MAX, "grant.unknown"),
        (replace(HELD, actor=present("max", MANAGER)), MAX, "text.missing"),
    ],
)
def test_what_cannot_be_ended(facts: GrantFacts, actor: Actor, code: str) -> None:
    outcome = end_grant(facts, actor, EndGrant("grt_1", ""), NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_a_grant_of_an_hour_lasts_an_hour() -> None:
    assert LATER - NOW == HOUR == ASKED.duration


def test_a_manager_or_an_owner_decides_by_any_role_that_approves() -> None:
    named = (OWNER, MANAGER_OF)
    assert authority((MANAGER,), named, NOW) is None
    for claim in named:
        assert authority((ENGINEER, MANAGER), named, NOW, frozenset((claim,))) == "manager"
        assert authority((ENGINEER,), named, NOW, frozenset((claim,))) is None
    assert authority((MANAGER,), ("other",), NOW, frozenset((OWNER,))) is None
    theirs = given(approvers=(MANAGER_OF,))
    assert isinstance(approve(theirs, MAX, COMMAND, NOW), Decided)
    refused = approve(theirs, MAX, COMMAND, NOW)
    assert isinstance(refused, Decided)
    assert refused.events == (ApprovalRefused("req_1", "max", "request.no_authority"),)
    decided = approve(replace(theirs, claims=frozenset((MANAGER_OF,))), MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert isinstance(decided.events[0], RequestApproved)
    assert decided.events[0].under == "manager"


def test_whoever_got_a_yes_lately_does_not_give_one_back_while_somebody_else_could() -> None:
    decided = approve(given(ring=True), MAX, COMMAND, NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (ApprovalRefused("req_1", "max", "request.ring"),)
    said = deny(given(ring=True), MAX, "req_1", "", NOW)
    assert isinstance(said, Decided)
    assert isinstance(said.events[0], RequestDenied)
