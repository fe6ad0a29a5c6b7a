"""Groups that directories and providers fill: whom, and with what; each clause broken once, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.leaving.brake import DirectoryLeaverReported, DirectoryReportDecided, HoldOutcome
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved, PersonDisabled, PersonEnabled
from onepam.domain.providers.events import IdentityLinked
from onepam.domain.provisioning.events import ScimGroupMemberAdded, ScimTokenApproved
from tests.ledger.lawful.story import Story, binding
from tests.ledger.lawful.test_providers import with_provider
from tests.ledger.lawful.test_provisioning import GROUP, USER, let_lead, with_token
from tests.ledger.lawful.test_provisioning import proposed as token

USER_OF_JOE = replace(USER, person="joe")

BACK = GroupMemberAdded("directory:ops", "joe", "scim:okta", "ada")
NO_MEMBER = "the directory had no user in such a group who leads to the account"


@pytest.mark.parametrize(
    ("group", "source", "why"),
    [
        ("ops", "scim:okta", "such a group is not that source's to fill"),
        ("directory:dev", "scim:okta", NO_MEMBER),
    ],
)
def test_a_directory_fills_its_own_groups_with_those_whom_it_leads(group: str, source: str, why: str) -> None:
    told = let_lead(with_token(), "joe")
    told.add(
        USER_OF_JOE,
        GROUP,
        ScimGroupMemberAdded("sgr_1", "usr_1"),
        GroupMemberAdded("directory:ops", "joe", source, None),
    )
    assert told.said() == []
    told.add(replace(GROUP, group="sgr_2", name="", version=1), ScimGroupMemberAdded("sgr_2", "usr_1"))
    name = replace(GROUP, group="sgr_2", name="", version=2)
    at = told.add(name, GroupMemberAdded(group, "joe", source, None))
    found = [each for each in told.said() if each[1] == why]
    assert found == [(at + 1, why)]


def test_a_file_fills_no_group_of_a_directory() -> None:
    told = Story().ready("ada")
    at = told.change("chg_1", "ada", GroupMemberAdded("directory:ops", "joe", "access.yaml", None))
    assert told.said() == [(at + 2, "such a group is not that source's to fill")]


def test_a_member_is_led_by_the_directory_by_that_user() -> None:
    told = let_lead(with_token(), "joe")
    told.add(USER_OF_JOE, GROUP)
    at = told.add(replace(GROUP, version=2), GroupMemberAdded("directory:ops", "joe", "scim:okta", None))
    assert told.said() == [(at + 1, NO_MEMBER)]
    told = let_lead(with_token(), "joe")
    told.add(replace(USER_OF_JOE, person=None), GROUP, ScimGroupMemberAdded("sgr_1", "usr_1"))
    told.add(GroupMemberAdded("directory:ops", "joe", "scim:okta", None), replace(USER_OF_JOE, version=2))
    assert told.said() == []


def test_a_message_names_groups_of_whom_the_provider_knows() -> None:
    told = with_provider()
    at = told.add(GroupMemberAdded("directory:x", "joe", "claims:idp", None))
    told.add(IdentityLinked("idn_1", "idp", "joe", "address", None))
    told.add(GroupMemberAdded("directory:y", "joe", "claims:idp", None))
    assert told.said() == [(at, "joe had no identity at idp")]
    told.add(token(told, provider="idp"))
    told.add(ScimTokenApproved("tok_1", "idp", "bob"))
    then = told.add(GroupMemberAdded("directory:z", "joe", "claims:idp", None))
    assert told.said()[1:] == [(then, "a directory of idp says its groups by SCIM")]


def test_what_one_group_gives_by_two_sources_counts_once() -> None:
    told = let_lead(with_provider(told=with_token()), "joe")
    told.change("chg_1", "ada", binding("bnd_g", "manager", "directory:ops", group=True))
    told.add(IdentityLinked("idn_1", "idp", "joe", "address", None))
    told.add(GroupMemberAdded("directory:ops", "joe", "claims:idp", None))
    told.add(USER_OF_JOE, GROUP, ScimGroupMemberAdded("sgr_1", "usr_1"))
    told.add(replace(GROUP, version=2), GroupMemberAdded("directory:ops", "joe", "scim:okta", None))
    told.change("chg_2", "ada", GroupMemberAdded("crew", "joe", "access.yaml", None), alone=True)
    assert told.said() == []


def ended(*, inside: bool = True, active: bool = True) -> Story:
    """Joe, whom a directory leads and has in a group, and whose account has ended."""
    told = let_lead(with_token(), "joe")
    member = (ScimGroupMemberAdded("sgr_1", "usr_1"),) if inside else ()
    told.add(replace(USER_OF_JOE, active=active), GROUP, *member)
    told.add(PersonDisabled("joe", "ada", "left"))
    return told


def test_who_comes_back_has_the_groups_that_directories_say() -> None:
    for told, added, why in (
        (ended(), BACK, ""),
        (ended(inside=False), BACK, NO_MEMBER),
        (ended(active=False), BACK, "the directory's user was not active"),
        (ended(), replace(BACK, source="scim:entra"), NO_MEMBER),
    ):
        at = told.add(PersonEnabled("joe", "ada", "back"), added)
        assert told.said() == ([(at + 1, why)] if why else [])
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "joe", "address", None), PersonDisabled("joe", "ada", "left"))
    at = told.add(PersonEnabled("joe", "ada", "back"), replace(BACK, source="claims:idp"))
    assert told.said() == [(at + 1, "an administrator brings back no group that a message said")]


def test_a_report_that_is_settled_takes_out_of_groups_and_puts_into_none() -> None:
    told = let_lead(with_token(), "joe")
    told.add(USER_OF_JOE, GROUP, ScimGroupMemberAdded("sgr_1", "usr_1"))
    left = DirectoryLeaverReported("joe", "scim:okta", "usr_2", "deleted", told.at())
    settled = DirectoryReportDecided("joe", "scim:okta", HoldOutcome.KEPT, "ada", "here")
    told.add(left, replace(USER, user="usr_2", person=None))
    at = told.add(settled, BACK)
    told.add(left, replace(USER, user="usr_2", person=None, version=2))
    told.add(settled, GroupMemberRemoved("directory:ops", "joe", "scim:okta", "ada"))
    assert told.said() == [(at + 1, "nothing that an administrator decided says so")]
