"""Rules of directories: each clause broken once by a planted entry, and nothing else found."""

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
from onepam.kernel.clock import DAY, MINUTE, Instant
from tests.ledger.lawful.story import Story

USER = ScimUserSet("usr_1", "okta", "zoe", True, 1, "", "tok_1")
GROUP = ScimGroupSet("sgr_1", "okta", 1, "ops", "tok_1")


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


def let_lead(told: Story, who: str) -> Story:
    """An administrator has let okta lead an account that was made by hand, by a user who is gone."""
    waits = replace(USER, user="usr_0", person=None, waits_for=who)
    told.add(waits)
    told.add(AccountTakenOver(who, "okta", "usr_0", "ada"), replace(waits, person=who, version=2, waits_for=None))
    told.add(ScimUserRemoved("usr_0", "okta", who, "tok_1"))
    return told


ZOE = PersonAdded("zoe", PersonKind.EMPLOYEE, "a user", None, None, None, origin="scim:okta")


def test_a_directory_brings_changes_ends_and_takes_back() -> None:
    told = with_token()
    told.add(replace(USER, person=None), GROUP, ScimGroupMemberAdded("sgr_1", "usr_1"))
    told.add(ZOE, GroupMemberAdded("directory:ops", "zoe", "scim:okta", None), replace(USER, version=2))
    told.add(PersonChanged("zoe", None, "ada", None, None), replace(USER, version=3))
    told.add(ScimGroupMemberRemoved("sgr_1", "usr_1"), ScimGroupRemoved("sgr_1", "okta", "ops", (), "tok_1"))
    told.add(GROUP, ScimGroupMemberAdded("sgr_1", "usr_1"))
    told.add(ScimGroupRemoved("sgr_1", "okta", "ops", (), "tok_1"))
    told.add(GROUP, ScimGroupMemberAdded("sgr_1", "usr_1"))
    told.add(replace(GROUP, version=2, name="dev"), GroupMemberAdded("directory:dev", "zoe", "scim:okta", None))
    told.add(replace(GROUP, group="sgr_2"))
    told.add(
        DirectoryHeld("hld_1", "scim:okta", HoldReason.MANY, None),
        DirectoryPersonHeld("hld_1", "zoe", "scim:okta", HoldReason.MANY, "x", None, None, None),
        replace(USER, active=False, version=4),
    )
    told.add(DirectoryPersonDecided("hld_1", "zoe", HoldOutcome.RETURNED, None, "back"), replace(USER, version=5))
    told.add(
        PersonDisabled("zoe", None, "deleted", "scim:okta", None, None),
        ScimUserRemoved("usr_1", "okta", "zoe", "tok_1"),
    )
    two = replace(USER, user="usr_2", person=None, waits_for="eve")
    told.add(DirectoryLeaverReported("eve", "scim:okta", "usr_2", "deleted", Instant(0)), two)
    told.add(DirectoryReportDecided("eve", "scim:okta", HoldOutcome.RETURNED, None, "there"), replace(two, version=2))
    assert told.said() == []


@pytest.mark.parametrize(
    "written",
    [
        replace(USER, person=None),
        GROUP,
        ScimUserRemoved("usr_9", "okta", None, "tok_1"),
        ScimGroupRemoved("sgr_9", "okta", "ops", (), "tok_1"),
    ],
)
def test_a_directory_writes_under_a_token_in_force(written: object) -> None:
    why = "there was no such token of okta"
    for lasts in (0, 1, 91):
        told = with_token()
        told.add(replace(USER, user="usr_9", person=None), replace(GROUP, group="sgr_9", name="nine"))
        if not lasts:
            told.add(ScimTokenEnded("tok_1", "okta", "x", "ada"))
        elif lasts == 1:
            told.add(proposed(told, token="tok_2"))
            written, why = replace(written, token="tok_2"), "nobody else had approved the token"  # type: ignore[type-var]
        else:
            told.wait(lasts * DAY)
            written, why = replace(written, token="tok_1"), "the token had ended"  # type: ignore[type-var]
        at = told.add(written)
        assert told.said() == [(at, why)]


def test_a_directory_writes_what_is_its_own_in_order() -> None:
    told = with_token()
    told.add(proposed(told, token="tok_2", provider="entra"))
    told.add(ScimTokenApproved("tok_2", "entra", "bob"))
    told.add(ZOE, USER, GROUP)
    foreign = {"provider": "entra", "token": "tok_2"}
    at = told.add(replace(USER, **foreign, version=2, person="zoe"))  # type: ignore[arg-type]
    assert told.said() == [(at, "another directory had written it")]
    told = with_token()
    told.add(ZOE, USER, GROUP)
    at = told.add(replace(USER, version=3))
    then = told.add(replace(GROUP, version=1))
    last = told.add(replace(GROUP, group="sgr_2"))
    next_one = "it is not the next version"
    assert told.said() == [(at, next_one), (then, next_one), (last, "another group of okta had that name")]
    told = with_token()
    at = told.add(ScimUserRemoved("usr_1", "okta", None, "tok_1"))
    then = told.add(ScimGroupRemoved("sgr_1", "okta", "ops", (), "tok_1"))
    none = "there was no such {} of the directory"
    assert told.said() == [(at, none.format("user")), (then, none.format("group"))]


def test_a_user_leads_to_one_person_and_stays_with_them() -> None:
    told = with_token()
    told.add(ZOE, USER)
    at = told.add(replace(USER, user="usr_2"))
    assert told.said() == [(at, "another user of okta led to zoe")]
    for other in (None, "kim"):
        told = with_token()
        told.add(ZOE, replace(ZOE, person="kim"), USER)
        at = told.add(replace(USER, person=other, version=2))
        assert told.said() == [(at, "the user led to zoe")]
    told = with_token()
    at = told.add(USER)
    then = told.add(replace(USER, user="usr_2", person="eve"))
    by_hand = "the account eve was made by hand, and no administrator had let okta lead it"
    assert told.said() == [(at, "there was no account zoe"), (then, by_hand)]
    gone = told.add(replace(USER, version=2, person=None))
    assert told.said()[2:] == [(gone, "the user led to zoe")]


def test_a_token_of_another_provider_writes_nothing() -> None:
    told = with_token()
    at = told.add(replace(USER, provider="entra", person=None))
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
    over = told.add(proposed(told, ends=Instant(told.at() - 1), token="tok_3"))
    told.wait(6 * MINUTE)
    at = told.add(proposed(told, token="tok_2"))
    assert told.said() == [
        (long, "it lasts longer than any token"),
        (over, "its end had come already"),
        (at, "ada had shown no second factor within 5 minutes"),
    ]


def test_a_token_is_proposed_once() -> None:
    told = with_token()
    at = told.add(proposed(told))
    assert told.said() == [(at, "there was such a token already")]


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
    told.add(replace(USER, person=None), GROUP)
    at = told.add(ScimGroupMemberAdded("sgr_1", "usr_1"))
    then = told.add(ScimGroupMemberRemoved("sgr_1", "usr_1"))
    last = told.add(replace(GROUP, version=2), ScimGroupMemberAdded("sgr_1", "usr_2")) + 1
    assert told.said() == [
        (at, "its directory did not write that group"),
        (then, "its directory wrote neither that group nor that user"),
        (last, "there was no such group and user of one directory"),
    ]
    told.add(ScimGroupMemberRemoved("sgr_9", "usr_1"), replace(USER, version=2, person=None))
    assert len(told.said()) == 3


def test_whoever_comes_back_by_one_directory_has_the_groups_of_all() -> None:
    told = with_token()
    told.add(proposed(told, token="tok_2", provider="entra"))
    told.add(ScimTokenApproved("tok_2", "entra", "bob"))
    told.add(ZOE, USER)
    entra = {"provider": "entra", "token": "tok_2"}
    group = replace(GROUP, group="sgr_e", name="x", **entra)  # type: ignore[arg-type]
    told.add(replace(USER, user="usr_e", **entra), group, ScimGroupMemberAdded("sgr_e", "usr_e"))  # type: ignore[arg-type]
    gone = PersonDisabled("zoe", None, "deactivated", "scim:okta", None, None)
    told.add(gone, replace(USER, version=2))
    back = PersonEnabled("zoe", None, "active again")
    told.add(back, GroupMemberAdded("directory:x", "zoe", "scim:entra", None), replace(USER, version=3))
    assert told.said() == []
    told.add(gone, replace(USER, version=4))
    at = told.add(back, replace(USER, user="usr_e", version=2, **entra))  # type: ignore[arg-type]
    assert told.said() == [(at, "the directory that had ended it did not write it")]


def test_a_directory_ends_whom_it_leads() -> None:
    told = with_token()
    other = replace(USER, user="usr_2", person=None)
    at = told.add(PersonDisabled("eve", None, "deactivated", "scim:okta", None, None), other)
    hold = DirectoryPersonHeld("hld_1", "max", "scim:okta", HoldReason.MANY, "x", None, None, None)
    then = told.add(hold, replace(other, version=2))
    led = "the directory of okta did not lead the account"
    assert told.said() == [(at, led), (then, led)]
    last = told.add(PersonChanged("joe", None, "ada", None, None), replace(other, version=3))
    assert told.said()[2:] == [(last, "no directory that leads the account wrote it, nor does the roster say so")]


def test_an_account_is_taken_over_on_an_administrators_word() -> None:
    led = replace(USER, person="eve", version=2)
    taken = AccountTakenOver("eve", "okta", "usr_1", "ada")
    for by, waits, why in (
        ("ada", "eve", ""),
        ("joe", "eve", "joe was not signed in"),
        ("ada", "joe", "no user of the directory waited for that account"),
    ):
        told = with_token()
        told.add(replace(USER, person=None, waits_for=waits), GROUP, ScimGroupMemberAdded("sgr_1", "usr_1"))
        told.add(ScimTokenEnded("tok_1", "okta", "x", "ada"))
        told.add(replace(taken, by=by), led, GroupMemberAdded("directory:ops", "eve", "scim:okta", "ada"))
        assert [said for _, said in told.said()] == [why] * bool(why)
    told = with_token()
    at = told.add(replace(USER, person=None, waits_for="nobody"))
    at = told.add(replace(taken, person="nobody"))
    assert told.said() == []
    assert at
