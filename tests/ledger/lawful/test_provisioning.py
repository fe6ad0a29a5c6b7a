"""Rules of directories and the roster: each clause broken once by a planted entry, and nothing else found."""

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
from onepam.domain.people.events import (
    GroupMemberAdded,
    PersonAdded,
    PersonChanged,
    PersonDisabled,
    PersonEnabled,
    PersonKind,
)
from onepam.domain.provisioning.events import (
    AccountTakenOver,
    ScimGroupMemberAdded,
    ScimGroupMemberRemoved,
    ScimGroupRemoved,
    ScimGroupSet,
    ScimTokenApproved,
    ScimTokenEnded,
    ScimTokenProposed,
    ScimUserRemoved,
    ScimUserSet,
)
from onepam.domain.roster.events import (
    RosterHeld,
    RosterLinked,
    RosterRefused,
    RosterReleased,
    RosterRulesSet,
    RosterSourceSet,
    RosterTaken,
)
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from tests.ledger.lawful.story import Story

USER = ScimUserSet("usr_1", "okta", "zoe", True, 1, "", "tok_1")
GROUP = ScimGroupSet("sgr_1", "okta", 1, "ops", "tok_1")
TAKEN = RosterTaken("rov_1", "0", "upload", 1, 1, 0, 0, Instant(0), "ada")


def proposed(told: Story, **other: object) -> ScimTokenProposed:
    """Ada's token for okta."""
    ends = Instant(told.at() + 90 * DAY)
    values: dict[str, object] = {"token": "tok_1", "provider": "okta", "ends": ends, "by": "ada", **other}
    return ScimTokenProposed(name="Okta", networks=(), end_attribute="x", **values)  # type: ignore[arg-type]


def with_token() -> Story:
    told = Story().ready("ada", "bob")
    told.add(proposed(told))
    told.add(ScimTokenApproved("tok_1", "okta", "bob"))
    return told


def test_a_directory_brings_changes_ends_and_takes_back() -> None:
    told = with_token()
    told.add(
        PersonAdded("zoe", PersonKind.EMPLOYEE, "a user", None, None, None, origin="scim:okta"),
        GroupMemberAdded("directory:ops", "zoe", "scim:okta", None),
        USER,
    )
    told.add(PersonChanged("zoe", None, "ada", None, None), replace(USER, version=2))
    told.add(ScimGroupMemberAdded("sgr_1", "usr_1"), GROUP)
    told.add(ScimGroupMemberRemoved("sgr_1", "usr_1"), ScimGroupRemoved("sgr_1", "okta", "ops", (), "tok_1"))
    told.add(
        DirectoryHeld("hld_1", "scim:okta", HoldReason.MANY, None),
        DirectoryPersonHeld("hld_1", "zoe", "scim:okta", HoldReason.MANY, "x", None, None, None),
        replace(USER, active=False, version=3),
    )
    told.add(DirectoryPersonDecided("hld_1", "zoe", HoldOutcome.RETURNED, None, "back"), replace(USER, version=4))
    told.add(
        PersonDisabled("zoe", None, "deleted", "scim:okta", None, None),
        ScimUserRemoved("usr_1", "okta", "zoe", "tok_1"),
    )
    told.add(DirectoryLeaverReported("eve", "scim:okta", "usr_2", "deleted", Instant(0)), USER)
    told.add(DirectoryReportDecided("eve", "scim:okta", HoldOutcome.RETURNED, None, "there"), USER)
    assert told.said() == []


@pytest.mark.parametrize(
    "written",
    [
        USER,
        GROUP,
        ScimUserRemoved("usr_1", "okta", None, "tok_1"),
        ScimGroupRemoved("sgr_1", "okta", "ops", (), "tok_1"),
    ],
)
def test_a_directory_writes_under_a_token_in_force(written: object) -> None:
    told = Story().ready("ada", "bob")
    at = told.add(written)
    told.add(proposed(told))
    waits = told.add(written)
    told.add(ScimTokenApproved("tok_1", "okta", "bob"))
    told.wait(91 * DAY)
    late = told.add(written)
    assert told.said() == [
        (at, "there was no such token of okta"),
        (waits, "nobody else had approved the token"),
        (late, "the token had ended"),
    ]


def test_a_token_of_another_provider_writes_nothing() -> None:
    told = with_token()
    at = told.add(replace(USER, provider="entra"))
    assert told.said() == [(at, "there was no such token of entra")]


def test_a_token_takes_two_and_a_fresh_factor() -> None:
    told = Story().ready("ada", "bob")
    told.add(proposed(told))
    at = told.add(ScimTokenApproved("tok_1", "okta", "ada"))
    assert told.said() == [(at, "ada had proposed it")]
    told = Story().ready("ada", "bob")
    told.add(proposed(told))
    at = told.add(ScimTokenApproved("tok_1", "entra", "bob"))
    assert told.said() == [(at, "it is not what was proposed")]
    told = Story().ready("ada", "bob")
    long = told.add(proposed(told, ends=Instant(told.at() + 401 * DAY)))
    told.wait(6 * MINUTE)
    at = told.add(proposed(told, token="tok_2"))
    assert told.said() == [
        (long, "it lasts longer than any token"),
        (at, "ada had shown no second factor within 5 minutes"),
    ]


def test_a_token_ends_by_an_administrator_or_by_time() -> None:
    told = with_token()
    at = told.add(ScimTokenEnded("tok_1", "okta", "x", None))
    then = told.add(ScimTokenEnded("tok_1", "okta", "x", "ada"))
    assert told.said() == [
        (at, "it is on nobody's word, and its end had not come"),
        (then, "there was no such token"),
    ]
    told = with_token()
    at = told.add(ScimTokenEnded("tok_1", "okta", "x", "joe"))
    assert told.said() == [(at, "joe was not signed in")]
    told = Story().ready("ada", "bob")
    told.add(proposed(told))
    at = told.add(ScimTokenEnded("tok_1", "okta", "x", None))
    assert told.said() == [(at, "it is on nobody's word, had not lapsed, and its people were there")]
    told = with_token()
    told.wait(91 * DAY)
    told.add(ScimTokenEnded("tok_1", "okta", "x", None))
    assert told.said() == []


def test_members_of_a_directorys_group_come_with_a_write() -> None:
    told = with_token()
    at = told.add(ScimGroupMemberAdded("sgr_1", "usr_1"))
    then = told.add(ScimGroupMemberRemoved("sgr_1", "usr_1"))
    no_token = "no directory wrote it under a token in force"
    assert told.said() == [(at, no_token), (then, no_token)]


def test_whoever_comes_back_by_one_directory_has_the_groups_of_all() -> None:
    told = with_token()
    told.add(PersonDisabled("eve", None, "deactivated", "scim:okta", None, None), USER)
    told.add(
        PersonEnabled("eve", None, "active again"), GroupMemberAdded("directory:x", "eve", "scim:entra", None), USER
    )
    assert told.said() == []


def test_an_account_is_taken_over_on_an_administrators_word() -> None:
    told = with_token()
    told.add(ScimTokenEnded("tok_1", "okta", "x", "ada"))
    led = replace(USER, person="eve", version=2)
    told.add(
        AccountTakenOver("eve", "okta", "usr_1", "ada"),
        led,
        GroupMemberAdded("directory:ops", "eve", "scim:okta", "ada"),
    )
    assert told.said() == []
    at = told.add(AccountTakenOver("eve", "okta", "usr_1", "joe"), led)
    assert told.said() == [(at, "joe was not signed in")]


def test_the_roster_is_taken_by_an_administrator_or_its_source() -> None:
    told = Story().ready("ada")
    source = RosterSourceSet("hr.example.com", HOUR, "ada")
    told.add(source)
    told.add(replace(TAKEN, by=None))
    told.add(RosterLinked("ent_1", "eve"))
    told.add(
        PersonAdded("zoe", PersonKind.EMPLOYEE, "roster", None, None, None, origin="roster"), RosterLinked("e", "zoe")
    )
    told.add(PersonChanged("eve", None, None, None, None))
    told.add(PersonDisabled("eve", None, "left", "roster", None, None))
    told.add(RosterRulesSet(50, HOUR, True, {}, "ada"))
    told.add(RosterReleased("rov_1", "0", "ada"))
    assert told.said() == []


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (replace(TAKEN, by="joe"), "joe was not signed in"),
        (replace(TAKEN, by=None), "it is on nobody's word, and no source of the roster was set"),
        (
            RosterHeld("rov_1", "0", "pull", "x", 1, 0, 0, 1, 1, 1, Instant(0), None),
            "it is on nobody's word, and no source of the roster was set",
        ),
        (
            RosterRefused("rov_1", "0", "pull", "x", 1, Instant(0), None),
            "it is on nobody's word, and no source of the roster was set",
        ),
        (RosterLinked("ent_1", "eve"), "no version of the staff roster was in force"),
        (RosterSourceSet("evil.example.com", HOUR, "joe"), "joe was not signed in"),
        (RosterRulesSet(50, HOUR, True, {}, "joe"), "joe was not signed in"),
        (RosterReleased("rov_1", "0", "joe"), "joe was not signed in"),
    ],
)
def test_the_roster_is_not_for_everybody_to_say(planted: object, why: str) -> None:
    told = Story().ready("ada")
    at = told.add(planted)
    assert told.said() == [(at, why)]
