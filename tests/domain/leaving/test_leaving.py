"""Leaving ends all in one command; coming back brings back the account only."""

from dataclasses import replace

import pytest

from onepam.domain.access.events import BindingEnded
from onepam.domain.history.commit import Decided
from onepam.domain.lapsing.people import OverdueFacts, end_overdue
from onepam.domain.leaving.brake import UNDECIDED, BrakeFacts, DirectoryHeld, HoldReason
from onepam.domain.leaving.leaving import (
    END,
    MOST_DECIDERS,
    MOST_OF_EACH,
    MOST_REROUTED,
    SPONSOR_GRACE,
    Cause,
    Ended,
    Held,
    LeavingFacts,
    departure,
    disable,
    enable,
)
from onepam.domain.people.adding import PersonFacts
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved, PersonDisabled, PersonEnabled, PersonKind
from onepam.domain.requests.events import GrantEnded, RequestRerouted, RequestStatus, RequestWithdrawn
from onepam.domain.sessions.events import ConfirmationFailed
from onepam.domain.signing_in.events import EnrolmentEnded, FactorRemoved, SignedOut
from onepam.domain.signing_in.exception_events import MfaExceptionEnded
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.limits import MAX_EVENTS_PER_COMMAND
from tests.domain.given import ADA, ADMINISTRATOR, EVE, LATER, NOW, present

THEM = PersonFacts("eve", PersonKind.EMPLOYEE, True, None, None, "eve@example.com")
HELD = Held(
    sign_ins=("sgn_1", "sgn_2"),
    grants=(("grt_1", "req_0"),),
    requests=("req_1",),
    enrolments=("enr_1",),
    factors=("fac_1",),
    bindings=("bnd_1",),
    groups=(("directory:Ops", "scim:idp_1"),),
    live=3,
    confirmations=("cnf_1",),
    rerouted=(("req_2", ("max",)), ("req_3", ())),
    exceptions=(("exc_1", "eve"), ("exc_2", "vic")),
)
FACTS = LeavingFacts(present("ada", ADMINISTRATOR), THEM, None, HELD)
CODE = "person.disabled"
ENDINGS = (
    SignedOut("sgn_1", "eve", CODE, "ada"),
    SignedOut("sgn_2", "eve", CODE, "ada"),
    GrantEnded("grt_1", "req_0", CODE, "ada"),
    RequestWithdrawn("req_1", RequestStatus.VOID, CODE, "ada"),
    EnrolmentEnded("enr_1", "eve", CODE, "ada"),
    ConfirmationFailed("cnf_1", "ada", CODE),
    FactorRemoved("fac_1", "eve", CODE, "ada"),
    BindingEnded("bnd_1", CODE, "", "ada"),
    GroupMemberRemoved("directory:Ops", "eve", "scim:idp_1", "ada"),
    MfaExceptionEnded("exc_1", "eve", CODE, "ada"),
    MfaExceptionEnded("exc_2", "vic", CODE, "ada"),
)
REROUTED = (RequestRerouted("req_2", "eve", ("max",), "ada"), RequestRerouted("req_3", "eve", (), "ada"))


@pytest.mark.claim(
    "Whoever leaves loses every sign-in, key and live session",
    altered="leaving kept the keys; in another run, the sign-ins",
)
def test_everything_ends_in_one_command() -> None:
    assert disable(FACTS, ADA, "eve", "left", NOW) == Decided(
        (PersonDisabled("eve", "ada", "left"), *ENDINGS, *REROUTED), Ended(2, 1, 1, 1, 3, 1, 1, 1, 1, 2, 2)
    )


@pytest.mark.parametrize(
    ("facts", "person", "because", "code"),
    [
        (replace(FACTS, actor=present("ada")), "eve", "left", "right.missing"),
        (replace(FACTS, person=None), "eve", "left", "person.unknown"),
        (FACTS, "ada", "left", "person.self"),
        (replace(FACTS, person=replace(THEM, enabled=False)), "eve", "left", "person.disabled_already"),
        (FACTS, "eve", "", "text.missing"),
    ],
)
def test_what_is_not_disabled(facts: LeavingFacts, person: str, because: str, code: str) -> None:
    outcome = disable(facts, ADA, person, because, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


GONE = replace(FACTS, person=replace(THEM, enabled=False), held=Held())


def test_a_return_brings_nothing_back() -> None:
    assert enable(GONE, ADA, "eve", "back", NOW) == Decided((PersonEnabled("eve", "ada", "back"),), None)
    told = replace(GONE, directory=(("directory:Ops", "scim:okta"),))
    back = (PersonEnabled("eve", "ada", "back"), GroupMemberAdded("directory:Ops", "eve", "scim:okta", "ada"))
    assert enable(told, ADA, "eve", "back", NOW) == Decided(back, None)
    left_over = replace(FACTS, person=replace(THEM, enabled=False, ends=LATER))
    assert enable(left_over, ADA, "eve", "back", NOW) == Decided((*ENDINGS, PersonEnabled("eve", "ada", "back")), None)


@pytest.mark.parametrize(
    ("facts", "because", "code"),
    [
        (replace(GONE, actor=present("ada")), "back", "right.missing"),
        (replace(GONE, person=None), "back", "person.unknown"),
        (FACTS, "back", "person.enabled_already"),
        (replace(GONE, person=replace(THEM, enabled=False, ends=NOW)), "back", "person.end_past"),
        (replace(GONE, same_email="vim"), "back", "person.email_taken"),
        (replace(GONE, person=replace(THEM, enabled=False, erased=True)), "back", "person.erased"),
        (GONE, "\t", "text.missing"),
    ],
)
def test_what_is_not_enabled(facts: LeavingFacts, because: str, code: str) -> None:
    outcome = enable(facts, ADA, "eve", because, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_the_news_says_where_it_came_from_and_when() -> None:
    disabled, *endings = departure(HELD, "eve", Cause("roster", "left", None, NOW, LATER))
    assert disabled == PersonDisabled("eve", None, "left", "roster", NOW, LATER)
    assert len(endings) == len(ENDINGS) + len(REROUTED)


OVERDUE = OverdueFacts(THEM, None, HELD)
VENDOR = replace(THEM, kind=PersonKind.VENDOR, owner="max")


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (replace(OVERDUE, person=replace(THEM, ends=NOW)), Cause(END, "the last day has passed", None, NOW)),
        (OverdueFacts(VENDOR, Instant(NOW - SPONSOR_GRACE), HELD), Cause(END, "a vendor without a sponsor", None)),
    ],
)
def test_time_ends_access_as_any_leaving_does(facts: OverdueFacts, cause: Cause) -> None:
    assert end_overdue(facts, "eve", "hld_1", NOW) == Decided(departure(HELD, "eve", cause), HELD.ended())


def test_whom_a_directory_leads_time_ends_by_its_brake() -> None:
    led = replace(OVERDUE, person=replace(THEM, ends=NOW), led=True)
    cause = Cause(END, "the last day has passed", None, NOW)
    assert end_overdue(led, "eve", "hld_1", NOW) == Decided(departure(HELD, "eve", cause), HELD.ended())
    many = end_overdue(replace(led, brake=BrakeFacts(people=20, ended=5)), "eve", "hld_1", NOW)
    assert isinstance(many, Decided)
    assert many.events[0] == DirectoryHeld("hld_1", END, HoldReason.MANY, Instant(NOW + UNDECIDED))
    assert not any(isinstance(each, PersonDisabled) for each in many.events)


def test_what_one_command_left_over_is_ended_by_the_next() -> None:
    gone = replace(THEM, enabled=False)
    outcome = end_overdue(OverdueFacts(gone, None, Held(sign_ins=("sgn_9",))), "eve", "hld_1", NOW)
    assert isinstance(outcome, Decided)
    assert outcome.events == (SignedOut("sgn_9", "eve", CODE, None),)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(OVERDUE, person=None), "person.unknown"),
        (OVERDUE, "person.not_due"),
        (OverdueFacts(replace(THEM, enabled=False), None, Held(live=3)), "person.not_due"),
        (OverdueFacts(replace(THEM, ends=LATER), None, HELD), "person.not_due"),
        (OverdueFacts(VENDOR, None, HELD), "person.not_due"),
        (OverdueFacts(replace(THEM, ends=NOW), None, HELD, led=True, waits=True), "person.not_due"),
        (OverdueFacts(VENDOR, Instant(NOW - SPONSOR_GRACE + 1), HELD), "person.not_due"),
        (OverdueFacts(replace(VENDOR, kind=PersonKind.SERVICE), Instant(0), HELD), "person.not_due"),
    ],
)
def test_what_is_not_due(facts: OverdueFacts, code: str) -> None:
    """A service account whose owner has left goes on until its own end: what hangs on it would break, and it is
    listed."""
    outcome = end_overdue(facts, "eve", "hld_1", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_a_command_never_grows_beyond_its_bound() -> None:
    ids = tuple(f"{number:06}" for number in range(MOST_OF_EACH))
    pairs = tuple((each, each) for each in ids)
    rerouted = tuple((each, ids) for each in ids[:MOST_REROUTED])
    most = Held(ids, pairs, ids, ids, ids, ids, pairs, 0, ids, rerouted, pairs)
    events = departure(most, "eve", Cause("roster", "left", None))
    assert len(events) <= MAX_EVENTS_PER_COMMAND
    assert max(len(each.to) for each in events if isinstance(each, RequestRerouted)) == MOST_DECIDERS


def test_whoever_holds_nothing_loses_nothing() -> None:
    assert Held().ended() == Ended(0, 0, 0, 0, 0) == Ended(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_an_administrator_remains_because_nobody_disables_themselves() -> None:
    """Whoever disables holds the right, is enabled and is not the one disabled: so one is left, whoever it hits."""
    for actor in (ADA, EVE):
        facts = replace(FACTS, actor=present(actor.person, ADMINISTRATOR), person=replace(THEM, person=actor.person))
        outcome = disable(facts, actor, actor.person, "left", NOW)
        assert isinstance(outcome, Refused)
        assert outcome.code == "person.self"
