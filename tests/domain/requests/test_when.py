"""When access is asked for, with which ticket, and with whose yes: what the permission says of it."""

from dataclasses import fields, replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from onepam.domain.access.asked import Asking
from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.decision import HeldGrant
from onepam.domain.access.earlier import Guardrails1, Schedule1, Substance1, Substance2
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.hours import Hours, Schedule, read_hours, weekly
from onepam.domain.access.model import Permission
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import newest
from onepam.domain.requests.approval import (
    Agreed,
    ApprovalFacts,
    Approve,
    EndGrant,
    Granted,
    GrantFacts,
    Yes,
    approve,
    end_grant,
)
from onepam.domain.requests.asking import Ask, AskFacts, OpenRequest, ask
from onepam.domain.requests.events import (
    UNDO,
    ApprovalRefused,
    GrantEnded,
    GrantStarted,
    GrantStarted1,
    GrantStarted2,
    RequestAgreed,
    RequestApproved,
    RequestMade,
    RequestMade1,
    RequestMade2,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import (
    ASKED,
    ENGINEER,
    EVE,
    GRANT,
    LATER,
    MANAGER,
    MAX,
    NOW,
    PROD,
    WEB,
    access,
    present,
    waiting,
)


def reads(text: str) -> Hours:
    """Hours as people write them."""
    hours = read_hours(text)
    assert isinstance(hours, Hours)
    return hours


WORK = reads("Mon-Fri 09:00-17:00 Europe/Berlin")
BERLIN = ZoneInfo("Europe/Berlin")
COMMAND = Ask("req_9", "web-1", "root", HOUR, "restart nginx", "OPS-7")
WEEKS = replace(COMMAND, duration=14 * DAY, hours=WORK, zone=BERLIN)


def offering(**asks: object) -> Permission:
    return replace(PROD, asking=Asking(**asks))  # type: ignore[arg-type]


def facts(*grants: HeldGrant, **asks: object) -> AskFacts:
    return AskFacts(present("eve", replace(ENGINEER, permissions=(offering(**asks),))), WEB, (), grants=grants)


def made(facts: AskFacts, command: Ask) -> RequestMade:
    decided = ask(facts, command, NOW)
    assert isinstance(decided, Decided), decided
    (event,) = decided.events
    assert isinstance(event, RequestMade)
    assert event.digest == event.substance.digest()
    return event


def code(facts: AskFacts, command: Ask) -> str:
    outcome = ask(facts, command, NOW)
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def test_a_ticket_is_there_where_it_is_needed_and_looks_like_one() -> None:
    any_text, pattern = facts(ticketed=True), facts(ticket="^OPS-[0-9]+$", ticketed=True)
    perhaps = facts(ticket="^OPS-[0-9]+$")
    assert (
        code(any_text, replace(COMMAND, ticket=""))
        == code(pattern, replace(COMMAND, ticket=" "))
        == "request.no_ticket"
    )
    assert (
        code(pattern, replace(COMMAND, ticket="OPS-7x"))
        == code(perhaps, replace(COMMAND, ticket="7"))
        == "request.ticket"
    )
    assert made(any_text, replace(COMMAND, ticket="7")).ticket == "7"
    assert made(pattern, COMMAND).ticket == made(facts(), COMMAND).ticket == "OPS-7"
    assert made(perhaps, replace(COMMAND, ticket="")).ticket == ""


def test_a_window_begins_within_what_the_role_lets_ahead_and_is_waited_for() -> None:
    offered = facts(ahead=7 * DAY)
    at = Instant(NOW + 7 * DAY)
    event = made(offered, replace(COMMAND, begins=at))
    assert event.substance.schedule == Schedule(at)
    assert event.expires == at
    assert code(offered, replace(COMMAND, begins=Instant(at + 1))) == "request.too_far"
    assert code(facts(), replace(COMMAND, begins=at)) == "request.too_far"
    assert code(offered, replace(COMMAND, begins=NOW)) == "request.past"


def test_a_window_is_not_waited_for_beyond_its_end() -> None:
    at = Instant(NOW + MINUTE)
    assert made(facts(ahead=DAY), replace(COMMAND, begins=at)).expires == at + HOUR - UNDO


def test_weekly_hours_are_offered_for_so_long_and_are_some() -> None:
    offered = facts(weekly=14 * DAY)
    event = made(offered, WEEKS)
    assert event.substance.schedule == Schedule(None, weekly(WORK, BERLIN, NOW, Instant(NOW + 15 * DAY)))
    assert code(facts(), WEEKS) == "request.no_hours"
    assert code(offered, replace(WEEKS, duration=14 * DAY + 1)) == "request.too_long"
    sunday = reads("Sun 00:00-24:00 UTC")
    assert code(offered, replace(WEEKS, duration=HOUR, hours=sunday)) == "hours.none"
    assert made(offered, replace(WEEKS, duration=7 * DAY, hours=sunday)).substance.schedule is not None
    now = reads("Mon-Sun 00:00-24:00 UTC")
    assert made(offered, replace(WEEKS, duration=5 * MINUTE, hours=now)).substance.schedule is not None
    outcome = ask(offered, replace(WEEKS, duration=15 * DAY), NOW)
    assert isinstance(outcome, Refused)
    assert outcome.message == "This may be asked for 14 days at the longest."


def test_what_is_yours_already_is_said_at_once_and_offered_as_an_extension() -> None:
    outcome = ask(facts(GRANT), COMMAND, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == "request.given"
    assert outcome.hint == "To have it longer: onepam request root@web-1 --extend"
    for other in (
        replace(GRANT, ends=NOW),
        replace(GRANT, substance=replace(ASKED, login="app")),
        replace(GRANT, substance=replace(ASKED, permission="other")),
        replace(GRANT, starts=Instant(NOW + HOUR), ends=Instant(NOW + 2 * HOUR)),
    ):
        made(facts(other), COMMAND)
    within = replace(GRANT, ends=Instant(NOW + 14 * DAY), substance=made(facts(weekly=14 * DAY), WEEKS).substance)
    assert code(facts(within, weekly=14 * DAY), WEEKS) == "request.given"
    made(facts(within), COMMAND)  # outside of its hours, too
    nights = reads("Mon-Fri 22:00-06:00 Europe/Berlin")
    made(facts(within, weekly=14 * DAY), replace(WEEKS, hours=nights))


def test_an_extension_begins_with_the_end_of_what_runs() -> None:
    longer = replace(GRANT, grant="grt_2", ends=Instant(LATER + HOUR))
    event = made(facts(GRANT, longer), replace(COMMAND, extend=True))
    assert event.substance.schedule == Schedule(longer.ends, None, "grt_2")
    assert code(facts(), replace(COMMAND, extend=True)) == "request.nothing_to_extend"
    coming = replace(GRANT, starts=Instant(NOW + 1))
    assert code(facts(coming), replace(COMMAND, extend=True)) == "request.nothing_to_extend"
    assert code(facts(GRANT), replace(COMMAND, extend=True, begins=LATER)) == "request.nothing_to_extend"


def scheduled(schedule: Schedule | None, duration: int = HOUR, **changes: Any) -> ApprovalFacts:
    """Eve's request with that schedule, before max."""
    asked = replace(ASKED, schedule=schedule, duration=duration)
    held = replace(ENGINEER, permissions=(offering(ahead=7 * DAY),))
    request = replace(
        waiting(), open=OpenRequest("req_1", asked, asked.digest(), LATER, NOW), requester=access(held), **changes
    )
    return ApprovalFacts(present("max", MANAGER), request)


def yes(facts: ApprovalFacts) -> Approve:
    assert facts.request is not None
    return Approve("req_1", facts.request.open.digest, "grt_1")


def given(facts: ApprovalFacts, now: Instant = NOW) -> GrantStarted:
    decided = approve(facts, MAX, yes(facts), now)
    assert isinstance(decided, Decided), decided
    assert isinstance(decided.result, Granted), decided
    approved, started = decided.events
    assert isinstance(approved, RequestApproved)
    assert isinstance(started, GrantStarted)
    assert approved.effective_at == started.starts == decided.result.starts
    return started


def test_a_window_opens_when_it_was_asked_for_and_a_late_yes_makes_it_shorter() -> None:
    at = Instant(NOW + 30 * MINUTE)
    early = given(scheduled(Schedule(at)))
    assert (early.starts, early.ends) == (at, at + HOUR)
    late = given(scheduled(Schedule(Instant(NOW - 10 * MINUTE))))
    assert (late.starts, late.ends) == (NOW + UNDO, NOW + 50 * MINUTE)


def test_weekly_hours_count_from_the_approval() -> None:
    hours = weekly(WORK, BERLIN, NOW, Instant(NOW + 15 * DAY))
    started = given(scheduled(Schedule(None, hours), 14 * DAY))
    assert (started.starts, started.ends) == (NOW + UNDO, NOW + UNDO + 14 * DAY)
    assert started.substance.schedule == Schedule(None, hours)


def test_an_extension_falls_with_what_it_goes_on_from() -> None:
    facts = scheduled(Schedule(LATER, None, "grt_0"), extended=False)
    decided = approve(facts, MAX, yes(facts), NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (RequestWithdrawn("req_1", RequestStatus.VOID, "grant.ended", "max"),)
    assert given(scheduled(Schedule(LATER, None, "grt_0"))).starts == LATER


def test_whoever_ends_access_ends_what_goes_on_from_it() -> None:
    more = replace(GRANT, grant="grt_2", request="req_2", starts=LATER, ends=Instant(LATER + HOUR))
    gone = replace(more, grant="grt_3", ends=NOW)
    decided = end_grant(GrantFacts(present("eve", ENGINEER), GRANT, (), (more, gone)), EVE, EndGrant("grt_1", ""), NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (
        GrantEnded("grt_1", "req_1", "holder", "eve", ""),
        GrantEnded("grt_2", "req_2", "holder", "eve", ""),
    )


def several(*agreed: Yes, approvals: int = 2, actor: ActorFacts | None = None) -> ApprovalFacts:
    held = replace(ENGINEER, permissions=(offering(approvals=approvals),))
    request = replace(waiting(), requester=access(held), agreed=agreed)
    return ApprovalFacts(actor or present("max", MANAGER), request)


@pytest.mark.parametrize(
    ("agreed", "approvals", "count"),
    [
        ((), 2, 1),
        ((Yes("joe", counts=True),), 3, 2),
        ((Yes("joe", counts=False),), 2, 1),  # joe has left, or lost the role, since
        ((Yes("joe", counts=True), Yes("sue", counts=False)), 3, 2),
    ],
)
def test_nothing_opens_before_all_have_agreed(agreed: tuple[Yes, ...], approvals: int, count: int) -> None:
    facts = several(*agreed, approvals=approvals)
    decided = approve(facts, MAX, replace(yes(facts), comment="fine"), NOW)
    assert isinstance(decided, Decided)
    assert decided.result == Agreed("req_1", count, approvals)
    assert decided.events == (RequestAgreed("req_1", yes(facts).digest, "max", "manager", "fine"),)


def test_the_last_yes_grants() -> None:
    given(several(Yes("joe", counts=True)))
    given(several(Yes("joe", counts=True), Yes("sue", counts=True)))


def test_nobody_agrees_twice_whether_by_one_hand_or_by_two() -> None:
    facts = several(Yes("max", counts=True))
    outcome = approve(facts, MAX, yes(facts), NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == "request.agreed"
    hand = several(Yes("joe", counts=True), actor=replace(present("max", MANAGER), linked_by=("joe",)))
    decided = approve(hand, MAX, yes(hand), NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (ApprovalRefused("req_1", "max", "request.one_hand"),)


def test_it_escalates_to_others_after_a_while() -> None:
    plain = replace(PROD, asking=None)
    later = replace(PROD, asking=Asking(escalates=HOUR, then=("head", "manager")))
    assert plain.deciders(NOW, NOW + 9 * DAY) == plain.all_deciders == ("manager",)
    assert later.deciders(NOW, NOW + HOUR - 1) == ("manager",)
    assert later.deciders(NOW, NOW + HOUR) == later.all_deciders == ("manager", "head")


def test_a_substance_without_a_schedule_has_the_digest_that_it_always_had() -> None:
    assert ASKED.digest() == "b806c447a690a90a72376448f4735e8a948ff877af5a32d885c3b07cbe7a3ba9"
    assert replace(ASKED, schedule=Schedule()).digest() != ASKED.digest()


@pytest.mark.parametrize("told", [("why", "OPS-7"), (None, None)])
def test_what_was_asked_for_before_was_asked_for_at_once(told: tuple[str | None, str | None]) -> None:
    values = {each.name: getattr(ASKED, each.name) for each in fields(Substance1)}
    old = Substance1(**values)
    made = newest(RequestMade1("req_1", old, "d", LATER, *told))
    assert made == RequestMade("req_1", ASKED, "d", LATER, *told)
    started = newest(GrantStarted1("grt_1", "req_1", old, "bnd_1", "max", NOW, LATER))
    assert started == GrantStarted("grt_1", "req_1", ASKED, "bnd_1", "max", NOW, LATER)


@pytest.mark.parametrize("told", [("why", "OPS-7"), (None, None)])
def test_what_was_asked_for_before_lasted_from_its_beginning(told: tuple[str | None, str | None]) -> None:
    guarded = replace(ASKED, guardrails=Guardrails((StatementClass.READ,), 7, 8), schedule=Schedule(NOW, None, "grt_0"))
    values = {each.name: getattr(ASKED, each.name) for each in fields(Substance2)}
    values |= {"guardrails": Guardrails1((StatementClass.READ,), 7, 8), "schedule": Schedule1(NOW, None, "grt_0")}
    old = Substance2(**values)
    made = newest(RequestMade2("req_1", old, "d", LATER, *told))
    assert made == RequestMade("req_1", guarded, "d", LATER, *told)
    started = newest(GrantStarted2("grt_1", "req_1", old, "bnd_1", "max", NOW, LATER))
    assert started == GrantStarted("grt_1", "req_1", guarded, "bnd_1", "max", NOW, LATER)
