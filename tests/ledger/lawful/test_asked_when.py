"""Rules of requests, beside `test_requests.py`: when access is asked for, and whose yes it takes."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.asked import Asking
from onepam.domain.access.events import BindingEnded
from onepam.domain.access.hours import Offset, Schedule, Weekday, Weekly
from onepam.domain.access.model import ConsoleRight, Substance
from onepam.domain.people.events import PersonChanged
from onepam.domain.requests.events import (
    ApprovalUndone,
    GrantEnded,
    GrantExpired,
    GrantStarted,
    RequestAgreed,
    RequestApproved,
    RequestMade,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.ledger.lawful.asked_for import somebody_else
from onepam.ledger.lawful.known import Request
from onepam.ledger.lawful.rows import of_rows
from tests.ledger.lawful.story import DEV, HOLDS, PROD, Story, binding, role_set, substance
from tests.ledger.lawful.test_requests import grant, yes
from tests.ledger.lawful.test_sessions import PROD_BECAUSE, opened

MORNING = Weekly((Weekday.MON, Weekday.TUE), 8 * 60, 12 * 60, "UTC", (Offset(Instant(0), 0),))
ASKING = Asking(ahead=7 * DAY, weekly=14 * DAY)
BEHIND = "it begins in the past, or further ahead than it may be asked for"
NOTHING = "it goes on from nothing of that kind that runs"


def offering(asking: Asking | None = ASKING, *more: str) -> Story:
    """Production is asked for so, on a Monday at eight in the morning."""
    told = Story().found()
    told.change("chg_1", None, role_set("engineer", [DEV, replace(PROD, asking=asking)]))
    for who in HOLDS:
        told.enrol(who)
    for who in ("ada", "max", "eve", *more):
        told.sign_in(who, f"sgn_{who}")
    return told


def asks(asking: Asking | None = ASKING, **other: Any) -> Substance:
    """What eve asks for, of that version of the role."""
    version = role_set("engineer", [DEV, replace(PROD, asking=asking)]).version
    return substance(role_version=version, **other)


def request(told: Story, asked: Substance, name: str = "req_1", lasts: int = DAY) -> RequestMade:
    return RequestMade(name, asked, asked.digest(), Instant(told.at() + lasts), "", "")


def agreed(asked: Substance, by: str, under: str = "manager") -> RequestAgreed:
    return RequestAgreed("req_1", asked.digest(), by, under, "")


def approved(told: Story, asked: Substance, begins: Instant | None = None, **other: Any) -> tuple[object, GrantStarted]:
    """Max's yes, and what it gives."""
    starts = Instant(max(told.at() + 10 * SECOND, begins or 0))
    ends = Instant((begins or starts) + asked.duration)
    said = yes(told, digest=asked.digest(), effective_at=starts)
    return said, grant(told, **{"substance": asked, "starts": starts, "ends": ends, **other})


def test_access_in_a_window_and_within_weekly_hours_and_by_two_is_lawful() -> None:
    told = offering()
    begins = Instant(told.at() + 3 * DAY)
    asked = asks(schedule=Schedule(begins))
    told.add(request(told, asked, lasts=3 * DAY))
    told.add(*approved(told, asked, begins))
    within = asks(schedule=Schedule(None, MORNING), duration=7 * DAY)
    told.add(request(told, within, "req_2"))
    starts = Instant(told.at() + 10 * SECOND)
    told.add(
        yes(told, request="req_2", digest=within.digest()),
        grant(told, grant="grt_2", request="req_2", substance=within, ends=Instant(starts + 7 * DAY)),
    )
    assert told.said() == []
    both = Asking(approvals=2)
    told = two(both)
    told.add(agreed(asks(both), "joe"))
    told.add(*approved(told, asks(both)))
    assert told.said() == []


@pytest.mark.parametrize(("asking", "ahead"), [(None, DAY), (ASKING, 7 * DAY + 2 * SECOND), (ASKING, -1)])
def test_a_window_is_asked_for_no_further_ahead_than_the_role_lets_it(asking: Asking | None, ahead: int) -> None:
    told = offering(asking)
    asked = asks(asking, schedule=Schedule(Instant(told.at() + ahead)))
    at = told.add(request(told, asked, lasts=DAY // 2))
    assert told.said() == [(at, BEHIND)]


def test_access_begins_and_ends_with_its_window() -> None:
    for early, late, why in ((1, 0, "took effect"), (0, 1, "lasts longer")):
        told = offering()
        begins = Instant(told.at() + DAY)
        asked = asks(schedule=Schedule(begins))
        told.add(request(told, asked))
        starts, ends = Instant(begins - early), Instant(begins + HOUR + late)
        said = yes(told, digest=asked.digest(), effective_at=starts)
        at = told.add(said, grant(told, substance=asked, starts=starts, ends=ends))
        ((position, found),) = told.said()
        assert (position, why in found) == (at + late, True)


def test_weekly_hours_are_some_and_last_no_longer_than_the_role_lets_them() -> None:
    for broken in (
        replace(MORNING, days=()),
        replace(MORNING, closes=8 * 60),
        replace(MORNING, offsets=()),
    ):
        told = offering()
        at = told.add(request(told, asks(schedule=Schedule(None, broken), duration=DAY)))
        assert told.said() == [(at, "its weekly hours are none")]
    told = offering()
    at = told.add(request(told, asks(schedule=Schedule(None, MORNING), duration=14 * DAY + 1)))
    assert told.said() == [(at, "it is more than the role offered")]


def within(told: Story) -> None:
    """Eve has production on Monday and Tuesday mornings, from five minutes ago on."""
    asked = asks(schedule=Schedule(None, MORNING), duration=7 * DAY)
    told.add(request(told, asked))
    told.add(*approved(told, asked))
    told.wait(5 * MINUTE)


OUTSIDE = "it was outside of the hours of the access, or lasts longer than they do"


@pytest.mark.parametrize(
    ("wait", "lasts", "right"),
    [
        (0, HOUR, True), (3 * HOUR, 50 * MINUTE, True), (3 * HOUR, HOUR, False), (4 * HOUR, HOUR, False),
        (0, 5 * HOUR, False),
    ],
)  # fmt: skip
def test_a_session_lies_within_the_hours(wait: int, lasts: int, right: bool) -> None:
    told = offering()
    within(told)
    told.wait(wait)
    told.sign_in("eve", "sgn_now")
    version = role_set("engineer", [DEV, replace(PROD, asking=ASKING)]).version
    because = replace(PROD_BECAUSE, role_version=version)
    session = opened(told, resource="web-1", because=because, privileged=True, ends=Instant(told.at() + lasts))
    at = told.add(replace(session, mfa=replace(session.mfa, session="sgn_now")))
    assert told.said() == ([] if right else [(at, OUTSIDE)])


@pytest.mark.parametrize("change", [{}, {"extends": "grt_9"}, {"begins": 1}, {"login": "other"}])
def test_an_extension_goes_on_from_what_runs(change: dict[str, Any]) -> None:
    told = offering()
    asked = asks()
    told.add(request(told, asked))
    started = approved(told, asked)
    told.add(*started)
    schedule = Schedule(Instant(started[1].ends + change.get("begins", 0)), None, change.get("extends", "grt_1"))
    more = asks(schedule=schedule, duration=2 * HOUR)
    if "login" in change:
        told.change("chg_2", "ada", binding("bnd_joe_engineer", "engineer", "joe"))
        told.sign_in("joe")
        more = replace(more, person="joe")
    at = told.add(request(told, more, "req_2"))
    assert told.said() == ([(at, NOTHING)] if change else [])


def test_an_extension_is_void_once_what_it_goes_on_from_has_ended() -> None:
    told = offering()
    asked = asks()
    told.add(request(told, asked))
    started = approved(told, asked)
    told.add(*started)
    more = asks(schedule=Schedule(started[1].ends, None, "grt_1"), duration=2 * HOUR)
    told.add(request(told, more, "req_2"))
    void = RequestWithdrawn("req_2", RequestStatus.VOID, "grant.ended", "max")
    at = told.add(void)
    assert told.said() == [(at, "it stood, had not lapsed, and nothing voided it")]
    told.rows.pop()
    told.wait(2 * HOUR)
    told.add(GrantExpired("grt_1", "req_1", started[1].ends))
    told.add(void)
    assert told.said() == []


def two(asking: Asking, *more: str) -> Story:
    """Eve asks for what takes the yes of max and joe."""
    told = offering(asking, "joe", *more)
    told.change("chg_2", "ada", binding("bnd_joe_manager", "manager", "joe"))
    told.add(request(told, asks(asking)))
    return told


def test_it_takes_the_yes_of_as_many_as_the_permission_says() -> None:
    both = Asking(approvals=2)
    others = "it takes the yes of others, too"
    told = two(both)
    at = told.add(*approved(told, asks(both)))
    assert told.said() == [(at, others)]


def test_a_yes_counts_no_longer_than_whoever_gave_it_may_decide() -> None:
    both = Asking(approvals=2)
    told = two(both)
    told.add(agreed(asks(both), "joe"))
    told.change("chg_3", "ada", BindingEnded("bnd_joe_manager", "change", "", None))
    at = told.add(*approved(told, asks(both)))
    assert told.said() == [(at, "it takes the yes of others, too")]


def test_nobody_agrees_twice_or_to_what_does_not_wait_or_without_authority() -> None:
    three = Asking(approvals=3)
    told = two(three)
    told.add(agreed(asks(three), "joe"))
    at = told.add(agreed(asks(three), "joe"))
    assert told.said() == [(at, "joe had agreed to it already, or somebody for them")]
    told = two(three)
    at = told.add(replace(agreed(asks(three), "joe"), request="req_9"))
    assert told.said() == [(at, "no such request waited")]
    told = two(three)
    at = told.add(agreed(asks(three), "ada", "administrator"))
    assert told.said() == [(at, "ada held no role administrator with the right to approve")]


def test_two_of_one_hand_are_one() -> None:
    both = Asking(approvals=2)
    told = Story().found({**HOLDS, "ada": ("administrator", "manager"), "joe": ("manager",)})
    told.change("chg_1", None, role_set("engineer", [DEV, replace(PROD, asking=both)]))
    for who in ("ada", "eve"):
        told.enrol(who)
    for who in ("ada", "eve"):
        told.sign_in(who, f"sgn_{who}")
    told.add(EnrolmentOpened("enr_j", "joe", Instant(told.at() + DAY), "new", "ada"))
    kinds = (FactorKind.PASSWORD, FactorKind.TOTP)
    factors = (FactorEnrolled(f"fac_joe_{each.value}", "joe", each, "", None, "joe") for each in kinds)
    told.add(EnrolmentUsed("enr_j", "joe", ("ada",)), *factors)
    told.sign_in("joe")
    told.add(request(told, asks(both)))
    told.add(agreed(asks(both), "joe"))
    said, given = approved(told, asks(both), approved_by="ada")
    assert isinstance(said, RequestApproved)
    at = told.add(replace(said, by="ada"), given)
    assert told.said() == [(at, "ada and joe may be one hand: one made the link by which the other enrolled")]


def test_it_escalates_after_its_time_and_not_before() -> None:
    later = Asking(escalates=HOUR, then=("senior",))
    for wait, right in ((0, False), (HOUR, True)):
        told = Story().found()
        told.change("chg_1", None, role_set("engineer", [DEV, replace(PROD, asking=later)]))
        told.change("chg_2", None, role_set("senior", (), (ConsoleRight.APPROVE,)))
        for who in HOLDS:
            told.enrol(who)
        for who in ("sue", "eve"):
            told.sign_in(who)
        asked = asks(later)
        told.add(request(told, asked))
        told.wait(wait)
        told.sign_in("sue")
        said, given = approved(told, asked, approved_by="sue")
        assert isinstance(said, RequestApproved)
        at = told.add(replace(said, by="sue", under="senior"), given)
        assert told.said() == ([] if right else [(at, "the role senior may not approve this")])


def named(token: str) -> tuple[Story, Substance]:
    """Eve asks for what the token decides on: joe is her manager, and ada owns the resource; both may approve."""
    told = Story().found({**HOLDS, "ada": ("administrator", "manager"), "joe": ("manager",)})
    production = replace(PROD, approvers=(token,))
    told.change("chg_1", None, role_set("engineer", [DEV, production]))
    for who in HOLDS:
        told.enrol(who)
    for who in ("ada", "max", "joe", "eve"):
        told.sign_in(who, f"sgn_{who}")
    told.add(PersonChanged("eve", "ada", "joe", None, None, "eve", "eve@example.com"))
    asked = substance(role_version=role_set("engineer", [DEV, production]).version)
    told.add(request(told, asked))
    return told, asked


@pytest.mark.parametrize(("token", "who"), [("requester:manager", "joe"), ("resource:owner", "ada")])
def test_a_manager_or_an_owner_decides_where_they_are_named(token: str, who: str) -> None:
    for by in ("joe", "ada", "max"):
        told, asked = named(token)
        said, given = approved(told, asked, approved_by=by)
        assert isinstance(said, RequestApproved)
        at = told.add(replace(said, by=by), given)
        assert told.said() == ([] if by == who else [(at, "the role manager may not approve this")])
        told.add(GrantEnded("grt_1", "req_1", "approver", by, "enough"))
        if by not in (who, "ada"):  # ada administers: whoever does may end it
            assert len(told.said()) == 2


def test_a_yes_of_whoever_is_named_counts() -> None:
    told = Story().found({**HOLDS, "joe": ("manager",)})
    production = replace(PROD, approvers=("manager", "requester:manager"), asking=Asking(approvals=2))
    told.change("chg_1", None, role_set("engineer", [DEV, production]))
    for who in HOLDS:
        told.enrol(who)
    for who in ("ada", "max", "joe", "eve"):
        told.sign_in(who, f"sgn_{who}")
    asked = substance(role_version=role_set("engineer", [DEV, production]).version)
    told.add(request(told, asked))
    told.add(agreed(asked, "joe"))
    told.add(*approved(told, asked))
    assert told.said() == []


def test_two_do_not_say_yes_to_each_other_in_turn_where_somebody_else_could() -> None:
    for others in ((), ("joe",)):
        managers = {**HOLDS, "eve": ("engineer", "manager"), "max": ("engineer", "manager")}
        managers |= dict.fromkeys(others, ("manager",))
        told = Story().found(managers)
        for who in HOLDS:
            told.enrol(who)
        for who in ("max", "eve"):
            told.sign_in(who, f"sgn_{who}")
        first = substance("max")
        told.add(request(told, first))
        told.approve(first, "eve")
        told.wait(5 * MINUTE)
        second = told.ask(request="req_2")
        at = told.approve(second, "max", "req_2", "grt_2")
        assert told.said() == (
            [(at, "eve had said yes to max lately, and somebody else could decide")] if others else []
        )


def test_where_all_would_give_a_yes_back_each_may() -> None:
    three = {**HOLDS, **dict.fromkeys(("eve", "max", "joe"), ("engineer", "manager"))}
    told = Story().found(three)
    for who in HOLDS:
        told.enrol(who)
    for who in ("max", "eve", "joe"):
        told.sign_in(who, f"sgn_{who}")
    for number, asks in enumerate(("max", "joe")):
        told.approve(told.ask(asks, f"req_{number}"), "eve", f"req_{number}", f"grt_{number}")
    told.wait(5 * MINUTE)
    told.approve(told.ask(request="req_9"), "max", "req_9", "grt_9")
    assert told.said() == []


def test_whoever_asked_in_the_days_before_may_have_said_yes_to_each_other() -> None:
    told = Story().found({**HOLDS, "eve": ("engineer", "manager"), "max": ("engineer", "manager"), "joe": ("manager",)})
    for who in HOLDS:
        told.enrol(who)
    for who in ("max", "eve"):
        told.sign_in(who, f"sgn_{who}")
    for name, (asks, says) in {"1": ("max", "eve"), "2": ("eve", "max")}.items():
        asked = told.ask(asks, f"req_{name}")
        then = told.rows[-1]
        told.rows[-1] = then._replace(version=1, body=then.body.replace(b',"schedule":null', b""))
        told.approve(asked, says, f"req_{name}", f"grt_{name}")
        told.wait(5 * MINUTE)
    assert told.said() == []


def test_a_yes_that_was_undone_makes_no_ring() -> None:
    both = ("engineer", "manager")
    told = Story().found({**HOLDS, "eve": both, "max": both, "joe": ("manager",)})
    for who in HOLDS:
        told.enrol(who)
    for who in ("max", "eve"):
        told.sign_in(who, f"sgn_{who}")
    first = substance("max")
    told.add(request(told, first))
    told.approve(first, "eve")
    told.add(ApprovalUndone("req_1", "grt_1", "eve"), GrantEnded("grt_1", "req_1", "undone", "eve"))
    told.approve(told.ask(request="req_2"), "max", "req_2", "grt_2")
    assert told.said() == []


def test_of_a_machine_it_is_not_judged_who_else_could_decide() -> None:
    """Whoever owns it says no yes to it either, which the account itself does not say."""
    judging = of_rows()
    request = Request({"person": "bot"}, "", Instant(0), Instant(0))
    assert not somebody_else(judging._state, request, "max")
