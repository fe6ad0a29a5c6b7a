"""Rules of accounts: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.leaving.brake import (
    DirectoryHeld,
    DirectoryLeaverReported,
    DirectoryPersonDecided,
    DirectoryPersonHeld,
    DirectoryReportDecided,
    HoldOutcome,
    HoldReason,
)
from onepam.domain.matrix.events import ChangeProposed
from onepam.domain.people.events import (
    GroupMemberAdded,
    PersonAdded,
    PersonChanged,
    PersonDisabled,
    PersonEnabled,
    PersonKind,
)
from onepam.domain.providers.events import IdentityLinked, ProviderRemoved
from onepam.domain.reviews.events import Answers
from onepam.domain.roster.events import RosterRulesSet
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from tests.ledger.lawful.story import Story, binding
from tests.ledger.lawful.test_providers import with_provider
from tests.ledger.lawful.test_provisioning import USER, ZOE, with_token
from tests.ledger.lawful.test_reviews import decided, review

NO_TOKEN = "no directory of okta wrote it under a token in force"
EVE = PersonChanged("eve", "ada", None, None, None, "eve", "eve@example.com")


def added(who: str = "zoe", by: str | None = "ada", origin: str = "administrator", **other: object) -> PersonAdded:
    """Somebody new."""
    values: dict[str, object] = {"kind": PersonKind.EMPLOYEE, "owner": None, "ends": None, **other}
    return PersonAdded(who, because="joined", by=by, origin=origin, **values)  # type: ignore[arg-type]


def test_an_administrator_adds_changes_ends_and_brings_back() -> None:
    told = Story().ready("ada", "bob")
    told.add(added())
    told.add(replace(EVE, person="zoe"))
    told.add(PersonDisabled("zoe", "ada", "left", "administrator", None, None))
    told.add(PersonEnabled("zoe", "ada", "back"))
    assert told.said() == []


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (added(by="joe"), "joe was not signed in"),
        (added(by=None), "it is on nobody's word, and somebody had signed in already"),
        (added(by=None, origin="scim:okta"), NO_TOKEN),
        (added(by=None, origin="claims:idp"), "no identity provider idp was in force"),
        (added("eve"), "there was an account eve already"),
        (added(kind=PersonKind.VENDOR), "a vendor needs a sponsor and an end"),
        (replace(EVE, by="joe"), "joe was not signed in"),
        (replace(EVE, person="nobody"), "there was no account nobody"),
        (replace(EVE, person="ada"), "nobody changes their own end, manager or sponsor"),
        (replace(EVE, by=None), "no directory that leads the account wrote it, nor does the roster say so"),
        (added(origin="scim:okta"), "an administrator brings nobody in the name of a directory"),
        (PersonDisabled("eve", "joe", "left", "administrator", None, None), "joe was not signed in"),
        (PersonDisabled("ada", "ada", "left", "administrator", None, None), "nobody ends themselves"),
        (PersonDisabled("eve", None, "left", "moon", None, None), "nothing that is called 'moon' may do so"),
        (
            PersonDisabled("eve", None, "its end", "end", None, None),
            "its end had not come, and somebody answered for it",
        ),
        (PersonDisabled("nobody", "ada", "left", "administrator", None, None), "there was no account nobody"),
        (PersonEnabled("eve", "ada", "back"), "the account had not ended"),
        (PersonEnabled("nobody", "ada", "back"), "there was no account nobody"),
        (DirectoryLeaverReported("eve", "scim:okta", "usr_1", "deleted", Instant(0)), NO_TOKEN),
    ],
)
def test_who_exists_is_not_for_everybody_to_say(planted: object, why: str) -> None:
    told = Story().ready("ada", "bob")
    at = told.add(planted)
    assert told.said() == [(at, why)]


def reported(who: str) -> Story:
    """A directory has said that somebody left whom it does not lead."""
    told = with_token()
    told.add(DirectoryLeaverReported(who, "scim:okta", "usr_1", "deleted", Instant(0)), replace(USER, person=None))
    return told


@pytest.mark.parametrize(
    ("who", "origin", "by", "why"),
    [
        ("eve", "scim:okta", None, NO_TOKEN),
        ("eve", "scim:okta", "joe", "joe was not signed in"),
        ("ada", "scim:okta", "ada", "nobody answers a report on themselves"),
        ("eve", "scim:entra", "ada", "no report of that directory waited"),
    ],
)
def test_who_settles_a_report(who: str, origin: str, by: str | None, why: str) -> None:
    outcome = HoldOutcome.KEPT if by else HoldOutcome.RETURNED
    told = reported(who)
    at = told.add(DirectoryReportDecided(who, origin, outcome, by, "there"))
    assert told.said() == [(at, why)]


def test_a_report_is_settled_once_and_of_who_is_here() -> None:
    settled = DirectoryReportDecided("eve", "scim:okta", HoldOutcome.KEPT, "ada", "there")
    gone = PersonDisabled("eve", "ada", "left", "administrator", None, None)
    for before in ((settled,), (gone,), (gone, PersonEnabled("eve", "ada", "back"))):
        told = reported("eve")
        for event in before:
            told.add(event)
        assert told.said() == []
        at = told.add(settled)
        assert told.said() == [(at, "no report of that directory waited")]
    at = told.add(replace(settled, person="nobody"))
    assert told.said()[1:] == [(at, "no report of that directory waited")]
    told = with_token()
    told.add(DirectoryLeaverReported("nobody", "scim:okta", "usr_1", "deleted", Instant(0)), replace(USER, person=None))
    assert told.said() == []


def test_an_account_ends_with_its_time_and_not_before() -> None:
    told = Story().ready("ada")
    told.add(added(kind=PersonKind.VENDOR, owner="max", ends=Instant(told.at() + DAY)))
    told.wait(DAY)
    told.add(PersonDisabled("zoe", None, "the last day has passed", "end", None, None))
    assert told.said() == []
    at = told.add(PersonEnabled("zoe", None, "back"))
    assert told.said() == [
        (at, "the end of the account had passed"),
        (at, "the directory that had ended it did not write it"),
    ]


def test_a_vendor_ends_once_nobody_answers_for_them() -> None:
    told = Story().ready("ada")
    told.add(added(kind=PersonKind.VENDOR, owner="max", ends=Instant(told.at() + 90 * DAY)))
    at = told.add(PersonDisabled("zoe", None, "a vendor without a sponsor", "end", None, None))
    assert told.said() == [(at, "its end had not come, and somebody answered for it")]

    told = Story().ready("ada")
    told.add(added(kind=PersonKind.VENDOR, owner="max", ends=Instant(told.at() + 90 * DAY)))
    told.add(PersonDisabled("max", "ada", "left", "administrator", None, None))
    told.wait(8 * DAY)
    told.add(PersonDisabled("zoe", None, "a vendor without a sponsor", "end", None, None))
    assert told.said() == []


def hold(
    who: str = "bob", reason: HoldReason = HoldReason.MANY, by: Instant | None = None
) -> tuple[DirectoryHeld, DirectoryPersonHeld]:
    """Somebody whom a directory ended, under a hold."""
    return (
        DirectoryHeld("hld_1", "end", reason, by),
        DirectoryPersonHeld("hld_1", who, "end", reason, "gone", by, None, None),
    )


def test_who_is_held_acts_no_more_save_the_last_administrator() -> None:
    told = Story().ready("ada", "bob")
    told.add(*hold())
    told.sign_in("bob")
    at = told.add(ChangeProposed("chg_1", "d0", "d1", True, "bob", "more", "text"))
    assert told.said() == [(at, "bob held no role with the right to administer")]

    told = Story().ready("ada", "bob")
    told.add(*hold(reason=HoldReason.LAST_ADMINISTRATOR))
    told.sign_in("bob")
    told.add(ChangeProposed("chg_1", "d0", "d1", True, "bob", "more", "text"))
    assert told.said() == []


def test_a_message_of_a_provider_in_force_holds() -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    told.add(*(replace(each, origin="claims:idp") for each in hold("eve")))
    at = told.add(replace(hold("max")[1], origin="claims:idp"))
    assert told.said() == [(at, "max had no identity at idp")]
    told.add(ProviderRemoved("idp", "ada", "gone"))
    then = told.add(replace(hold("eve")[1], origin="claims:idp"))
    assert told.said()[1:] == [(then, "there was no such provider as idp")]


def test_nobody_comes_back_on_the_word_of_who_may_not() -> None:
    told = Story().ready("ada")
    gone = PersonDisabled("eve", "ada", "left", "administrator", None, None)
    told.add(gone)
    at = told.add(PersonEnabled("eve", "joe", "back"))
    told.add(gone)
    then = told.add(PersonEnabled("eve", None, "back"))
    assert told.said() == [(at, "joe was not signed in"), (then, "the directory that had ended it did not write it")]


def test_the_roster_brings_nobody_in_before_there_is_one() -> None:
    told = Story().ready("ada")
    told.add(RosterRulesSet(50, HOUR, True, {}, "ada"))
    at = told.add(added(by=None, origin="roster"))
    assert told.said() == [(at, "they do not stand on the staff roster")]


def test_a_directory_ends_nobody_without_a_token() -> None:
    told = with_token()
    told.add(ZOE, USER)
    at = told.add(PersonDisabled("zoe", None, "left", "scim:okta", None, None))
    assert told.said() == [(at, NO_TOKEN)]


def test_a_hold_is_a_directorys_and_of_somebody() -> None:
    told = Story().ready("ada")
    at = told.add(DirectoryHeld("hld_1", "scim:okta", HoldReason.MANY, None))
    assert told.said() == [(at, NO_TOKEN), (at, "nobody is held by it")]
    told = Story().ready("ada")
    at = told.add(DirectoryPersonHeld("hld_1", "eve", "roster", HoldReason.MANY, "gone", None, None, None))
    then = told.add(DirectoryPersonHeld("hld_1", "nobody", "end", HoldReason.MANY, "gone", None, None, None))
    assert told.said() == [
        (at, "no version of the staff roster was in force"),
        (at, "eve was not off the staff roster"),
        (then, "there was no account nobody"),
    ]


def test_a_hold_that_lapsed_may_become_another() -> None:
    told = Story().ready("ada")
    told.add(*hold("eve", by=Instant(told.at() + HOUR)))
    told.wait(HOUR)
    told.add(DirectoryPersonHeld("hld_2", "eve", "scim:okta", HoldReason.LAST_ADMINISTRATOR, "gone", None, None, None))
    assert told.said() == []


@pytest.mark.parametrize(
    ("outcome", "by", "why"),
    [
        (HoldOutcome.KEPT, "joe", "joe was not signed in"),
        (HoldOutcome.KEPT, None, "it was kept on nobody's word"),
        (HoldOutcome.RETURNED, None, ""),
        (HoldOutcome.LAPSED, None, "the time to decide was not over"),
        (HoldOutcome.ENDED, None, "the time to decide was not over"),
        (HoldOutcome.ENDED, "ada", ""),
    ],
)
def test_a_hold_is_decided_by_an_administrator_a_directory_or_time(
    outcome: HoldOutcome, by: str | None, why: str
) -> None:
    told = Story().ready("ada")
    told.add(*hold("eve", by=Instant(told.at() + HOUR)))
    at = told.add(DirectoryPersonDecided("hld_1", "eve", outcome, by, "so"))
    assert told.said() == ([(at, why)] if why else [])


def test_a_hold_ends_once_and_nobody_ends_themselves() -> None:
    told = Story().ready("ada")
    at = told.add(DirectoryPersonDecided("hld_1", "eve", HoldOutcome.KEPT, "ada", "so"))
    assert told.said() == [(at, "the account was not held")]
    told = Story().ready("ada", "bob")
    told.add(*hold("ada", HoldReason.LAST_ADMINISTRATOR))
    told.sign_in("ada")
    at = told.add(DirectoryPersonDecided("hld_1", "ada", HoldOutcome.ENDED, "ada", "so"))
    assert told.said() == [(at, "nobody ends themselves")]


def test_a_hold_that_lapsed_ends_the_account() -> None:
    told = Story().ready("ada")
    told.add(*hold("eve", by=Instant(told.at() + HOUR)))
    told.wait(HOUR)
    told.add(
        DirectoryPersonDecided("hld_1", "eve", HoldOutcome.LAPSED, None, "nobody decided in time"),
        PersonDisabled("eve", None, "gone", "scim:okta", None, None),
    )
    assert told.said() == []


def test_what_a_directory_took_back_has_its_end_still_to_come() -> None:
    told = Story().ready("ada")
    told.add(added(kind=PersonKind.VENDOR, owner="max", ends=Instant(told.at() + DAY)))
    told.add(*hold("zoe"))
    told.wait(DAY)
    at = told.add(DirectoryPersonDecided("hld_1", "zoe", HoldOutcome.RETURNED, None, "moved"))
    assert told.said() == [(at, "its end had come, and no directory took it back")]


@pytest.mark.parametrize(("by", "origin"), [("ada", "administrator"), (None, "end")])
def test_whoever_leaves_keeps_nothing(by: str | None, origin: str) -> None:
    told = Story().ready("ada", "eve")
    ends = Instant(told.at() + MINUTE)
    told.add(PersonChanged("eve", "ada", None, None, ends))
    told.wait(MINUTE)
    gone = PersonDisabled("eve", by, "left", origin, None, None)
    at = told.add(gone, bare=True)
    assert told.said() == [(at, "what they held was left")] * 3  # the sign-in, the factors, the role
    told = Story().ready("ada", "eve")
    told.add(PersonChanged("eve", "ada", None, None, Instant(told.at() + MINUTE)))
    told.wait(MINUTE)
    told.add(gone)
    assert told.said() == []


def test_whoever_comes_back_has_nothing_of_before() -> None:
    told = Story().ready("ada", "eve")
    at = told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None), bare=True)
    back = told.add(PersonEnabled("eve", "ada", "back"))
    assert told.said() == [
        *[(at, "what they held was left")] * 3,
        *[(back, "it brings back what was held before")] * 3,
    ]
    told = Story().ready("ada")
    told.add(PersonDisabled("joe", "ada", "left", "administrator", None, None))
    told.change("chg_1", "ada", binding("bnd_joe", "auditor", "joe"))
    back = told.add(PersonEnabled("joe", "ada", "back"))
    assert told.said() == [(back, "it brings back what was held before")]


def test_of_what_one_command_cannot_end_the_rest_is_no_finding() -> None:
    told = Story().ready("ada")
    groups = (GroupMemberAdded(f"group-{number}", "joe", "access.yaml", None) for number in range(1_201))
    told.change("chg_1", "ada", *groups)
    gone = PersonDisabled("joe", "ada", "left", "administrator", None, None)
    at = told.add(gone, bare=True)
    told.add(PersonEnabled("joe", "ada", "back"))
    assert told.said() == [(at, "what they held was left")]  # the factors


def test_the_manager_with_whom_somebody_is_added_decides_in_their_review() -> None:
    told = Story().ready("ada", "max")
    told.add(added(manager="max"))
    told.change("chg_1", "ada", binding("bnd_zoe", "engineer", "zoe"))
    told.add(review(told))
    told.add(decided("zoe", by="max", answers=Answers.MANAGER))
    at = told.add(decided("zoe", by="bob", answers=Answers.MANAGER))
    assert [place for place, _ in told.said()] == [at]
