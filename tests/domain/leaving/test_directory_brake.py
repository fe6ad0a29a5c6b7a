"""The brake of a directory: every branch of what is ended, what is held, and who may say what becomes of it."""

from dataclasses import replace

import pytest

from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.leaving.brake import (
    NO_BRAKE,
    UNDECIDED,
    BrakeFacts,
    Departing,
    DirectoryHeld,
    DirectoryHoldReminded,
    DirectoryPersonDecided,
    DirectoryPersonHeld,
    DirectoryReportDecided,
    HoldFacts,
    HoldOutcome,
    HoldReason,
    PersonHold,
    ReminderFacts,
    Report,
    allowed,
    decide_hold,
    end_or_hold,
    lapse_hold,
    remind_of_hold,
    returned,
    there_again,
    under_hold,
)
from onepam.domain.leaving.leaving import END, Cause, Held
from onepam.domain.people.adding import PersonFacts
from onepam.domain.people.events import GroupMemberRemoved, PersonDisabled, PersonKind
from onepam.domain.signing_in.events import FactorRemoved, SignedOut
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADA, ADMINISTRATOR, ENGINEER, EVE, NOW, present

CAUSE = Cause("scim:okta", "deactivated in the directory", None, None, NOW)
HELD = Held(
    sign_ins=("sgn_1",),
    grants=(("grt_1", "req_0"),),
    factors=("fac_1",),
    bindings=("bnd_1",),
    groups=(("directory:A", "scim:okta"),),
    rerouted=(("req_2", ("max",)),),
)
DUE = Instant(NOW + UNDECIDED)
MANY = PersonHold("hld_0", "scim:okta", HoldReason.MANY, "deactivated", DUE, None, NOW)
LAST = replace(MANY, hold="hld_1-ada", reason=HoldReason.LAST_ADMINISTRATOR, decide_by=None)


def leaving(*people: str) -> tuple[Departing, ...]:
    return tuple(Departing(each, HELD, CAUSE) for each in people)


def standing(events: tuple[object, ...]) -> dict[str, str]:
    """What became of whom: "ended", or why the account is held."""
    found: dict[str, str] = {}
    for each in events:
        if isinstance(each, PersonDisabled):
            found[each.person] = "ended"
        elif isinstance(each, DirectoryPersonHeld):
            found[each.person] = each.reason.value
    return found


@pytest.mark.parametrize(("people", "most"), [(0, 5), (250, 5), (299, 5), (300, 6), (10_000, 200)])
def test_how_many_may_end_in_an_hour(people: int, most: int) -> None:
    assert allowed(people) == most
    facts = BrakeFacts(people=people, ended=most - 1)
    assert standing(end_or_hold(facts, leaving("eve", "max"), "hld_1", NOW)) == {"eve": "ended", "max": "many"}


def test_where_nobody_was_ended_yet_five_are() -> None:
    assert BrakeFacts() == BrakeFacts(0, 0, frozenset(), frozenset(), None)
    events = end_or_hold(NO_BRAKE, leaving("a", "b", "c", "d", "e", "f"), "hld_1", NOW)
    assert standing(events) == {**dict.fromkeys("abcde", "ended"), "f": "many"}


def test_the_sixth_in_an_hour_waits_and_loses_all_but_the_account() -> None:
    events = end_or_hold(BrakeFacts(people=20, ended=5), leaving("eve", "max"), "hld_1", NOW)
    assert [each for each in events if isinstance(each, DirectoryHeld)] == [
        DirectoryHeld("hld_1", "scim:okta", HoldReason.MANY, DUE)
    ]
    assert standing(events) == {"eve": "many", "max": "many"}
    names = [type(each).__name__ for each in events if getattr(each, "person", "eve") == "eve"]
    assert names[:4] == ["DirectoryHeld", "DirectoryPersonHeld", "SignedOut", "GrantEnded"]
    assert not any(isinstance(each, FactorRemoved | PersonDisabled) for each in events)
    assert {type(each).__name__ for each in events} == {
        "DirectoryHeld", "DirectoryPersonHeld", "SignedOut", "GrantEnded", "RequestRerouted"
    }  # fmt: skip
    joined = end_or_hold(BrakeFacts(people=20, ended=9, open=("hld_0", DUE)), leaving("eve"), "hld_1", NOW)
    assert isinstance(joined[0], DirectoryPersonHeld)
    assert (joined[0].hold, joined[0].decide_by, joined[0].notified) == ("hld_0", DUE, NOW)


def test_the_last_administrator_who_can_sign_in_keeps_the_account() -> None:
    two = BrakeFacts(people=9, administrators=frozenset({"ada", "bob"}), staying=frozenset({"ada", "bob"}))
    events = end_or_hold(two, leaving("bob", "ada", "eve"), "hld_1", NOW)
    assert standing(events) == {"bob": "ended", "ada": "last_administrator", "eve": "ended"}
    held = next(each for each in events if isinstance(each, DirectoryHeld))
    assert held == DirectoryHeld("hld_1-ada", "scim:okta", HoldReason.LAST_ADMINISTRATOR, None)
    # An administrator whose own end is near, or whose account is held, does not stay.
    assert replace(two, staying=frozenset({"ada"})).last("ada")
    assert replace(two, staying=frozenset({"ada"})).last("bob") is False
    assert NO_BRAKE.last("eve") is False
    full = replace(two, ended=5)
    assert standing(end_or_hold(full, leaving("ada", "bob"), "hld_1", NOW)) == {
        "ada": "many",
        "bob": "last_administrator",
    }


def test_what_roles_give_under_a_hold() -> None:
    roles = (ADMINISTRATOR, replace(ENGINEER, console=(ConsoleRight.APPROVE, ConsoleRight.ADMINISTER)), ENGINEER)
    assert under_hold(roles, None) == roles
    assert under_hold(roles, HoldReason.MANY) == ()
    left = under_hold(roles, HoldReason.LAST_ADMINISTRATOR)
    assert [each.role for each in left] == ["administrator", "engineer"]
    assert all(each.console == (ConsoleRight.ADMINISTER,) and each.permissions == () for each in left)
    assert under_hold(roles, HoldReason.LAST_ADMINISTRATORS_GROUP) == left


FACTS = HoldFacts(present("ada", ADMINISTRATOR), MANY, HELD, NO_BRAKE)


def code(outcome: object) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def test_an_administrator_keeps_or_ends_the_account() -> None:
    kept = decide_hold(FACTS, ADA, "eve", True, "she is here", NOW)
    assert isinstance(kept, Decided)
    assert kept.events == (DirectoryPersonDecided("hld_0", "eve", HoldOutcome.KEPT, "ada", "she is here"),)
    ended = decide_hold(FACTS, ADA, "eve", False, "she left", NOW)
    assert isinstance(ended, Decided)
    assert ended.result is HoldOutcome.ENDED
    disabled = next(each for each in ended.events if isinstance(each, PersonDisabled))
    assert (disabled.origin, disabled.by, disabled.notified) == ("scim:okta", "ada", NOW)
    assert FactorRemoved("fac_1", "eve", "person.disabled", "ada") in ended.events
    # By another administrator the account follows the directory again; the last one alone keeps the group.
    group = replace(
        FACTS, hold=replace(LAST, reason=HoldReason.LAST_ADMINISTRATORS_GROUP), unsaid=(("directory:A", "s"),)
    )
    follows = decide_hold(group, ADA, "eve", True, "she is here", NOW)
    assert isinstance(follows, Decided)
    assert follows.events[1:] == (GroupMemberRemoved("directory:A", "eve", "s", "ada"),)
    alone = decide_hold(group, ADA, "ada", True, "I am here", NOW)
    assert isinstance(alone, Decided)
    assert len(alone.events) == 1
    # The word on oneself: keeping is recorded with the same name twice, ending is another's.
    own = decide_hold(replace(FACTS, hold=LAST), ADA, "ada", True, "I am here", NOW)
    assert isinstance(own, Decided)
    assert own.events[0].by == own.events[0].person == "ada"  # type: ignore[attr-defined]
    assert code(decide_hold(replace(FACTS, hold=LAST), ADA, "ada", False, "I go", NOW)) == "person.self"


def test_an_administrator_answers_a_report() -> None:
    said = Report("scim:okta", "deleted in the directory", NOW)
    facts = replace(FACTS, hold=None, reports=(said, replace(said, origin="scim:entra", because="other")))
    stays = decide_hold(facts, ADA, "eve", True, "she works here", NOW)
    assert isinstance(stays, Decided)
    assert stays.events == tuple(
        DirectoryReportDecided("eve", each, HoldOutcome.KEPT, "ada", "she works here")
        for each in ("scim:okta", "scim:entra")
    )
    ended = decide_hold(facts, ADA, "eve", False, "she left", NOW)
    assert isinstance(ended, Decided)
    disabled = next(each for each in ended.events if isinstance(each, PersonDisabled))
    assert (disabled.origin, disabled.because, disabled.by) == ("scim:okta", "deleted in the directory", "ada")
    assert disabled.notified == NOW
    # Nobody waves their own report away; with a hold on them, too, their word is on the hold alone.
    assert code(decide_hold(facts, ADA, "ada", True, "I am here", NOW)) == "person.self"
    assert code(decide_hold(facts, ADA, "ada", False, "I go", NOW)) == "person.self"
    both = decide_hold(replace(facts, hold=LAST), ADA, "ada", True, "I am here", NOW)
    assert isinstance(both, Decided)
    assert [type(each) for each in both.events] == [DirectoryPersonDecided]
    other = decide_hold(replace(facts, hold=MANY), ADA, "eve", True, "she is here", NOW)
    assert isinstance(other, Decided)
    assert [type(each) for each in other.events] == [DirectoryPersonDecided] + [DirectoryReportDecided] * 2
    old = replace(facts, actor=replace(present("ada", ADMINISTRATOR), mfa_at=Instant(NOW - HOUR)))
    assert code(decide_hold(old, ADA, "eve", True, "x", NOW)) == "factor.stale"
    assert there_again("eve", "scim:okta").outcome is HoldOutcome.RETURNED


def test_nobody_is_kept_past_their_end_and_a_moved_end_ends_nobody() -> None:
    hold = replace(MANY, origin=END)
    over = PersonFacts("eve", PersonKind.EMPLOYEE, True, NOW, None, "eve@example.com")
    facts = replace(FACTS, hold=hold, person=over)
    assert code(decide_hold(facts, ADA, "eve", True, "she is here", NOW)) == "hold.end_passed"
    assert isinstance(decide_hold(facts, ADA, "eve", False, "she left", NOW), Decided)
    ended = lapse_hold(replace(facts, actor=None), "eve", "hld_2", DUE)
    assert isinstance(ended, Decided)
    assert ended.result is HoldOutcome.LAPSED
    moved = lapse_hold(replace(facts, actor=None, person=replace(over, ends=Instant(DUE + 1))), "eve", "hld_2", DUE)
    assert isinstance(moved, Decided)
    assert moved.events == (DirectoryPersonDecided("hld_0", "eve", HoldOutcome.RETURNED, None, "the end was moved"),)


def test_who_may_not_decide() -> None:
    assert code(decide_hold(replace(FACTS, actor=present("eve", ENGINEER)), EVE, "max", True, "x", NOW)) == (
        "right.missing"
    )
    assert code(decide_hold(replace(FACTS, hold=None), ADA, "eve", True, "x", NOW)) == "hold.unknown"
    assert code(decide_hold(FACTS, ADA, "eve", True, "", NOW)) == "text.missing"
    old = replace(FACTS, actor=replace(present("ada", ADMINISTRATOR), mfa_at=Instant(NOW - HOUR)))
    assert code(decide_hold(old, ADA, "eve", True, "x", NOW)) == "factor.stale"
    assert isinstance(decide_hold(old, ADA, "eve", False, "x", NOW), Decided)


def test_nobody_decides_and_the_account_ends_in_time() -> None:
    facts = replace(FACTS, actor=None)
    assert code(lapse_hold(facts, "eve", "hld_2", Instant(DUE - 1))) == "hold.not_due"
    assert code(lapse_hold(replace(facts, hold=LAST), "eve", "hld_2", Instant(DUE * 2))) == "hold.not_due"
    assert code(lapse_hold(replace(facts, hold=None), "eve", "hld_2", DUE)) == "hold.not_due"
    ended = lapse_hold(facts, "eve", "hld_2", DUE)
    assert isinstance(ended, Decided)
    assert isinstance(ended.events[0], DirectoryPersonDecided)
    assert (ended.events[0].outcome, ended.events[0].by) == (HoldOutcome.LAPSED, None)
    assert standing(ended.events) == {"eve": "ended"}
    alone = replace(facts, brake=BrakeFacts(administrators=frozenset({"eve"})))
    kept = lapse_hold(alone, "eve", "hld_2", DUE)
    assert isinstance(kept, Decided)
    assert standing(kept.events) == {"eve": "last_administrator"}
    assert SignedOut("sgn_1", "eve", "person.held", None) in kept.events


def test_the_reminder_goes_out_once_at_half_time() -> None:
    facts = ReminderFacts(DUE, False, 7)
    half = Instant(DUE - UNDECIDED // 2)
    sent = remind_of_hold(facts, "hld_0", half)
    assert isinstance(sent, Decided)
    assert sent.events == (DirectoryHoldReminded("hld_0", 7, DUE),)
    for other in (replace(facts, decide_by=None), replace(facts, reminded=True), replace(facts, waiting=0)):
        assert code(remind_of_hold(other, "hld_0", half)) == "hold.not_due"
    assert code(remind_of_hold(facts, "hld_0", Instant(half - 1))) == "hold.not_due"


def test_the_directory_takes_its_word_back() -> None:
    assert returned("eve", MANY).outcome is HoldOutcome.RETURNED
