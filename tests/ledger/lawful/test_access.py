"""Rules of the role matrix, bindings and groups: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.access.events import BindingEnded, ResourceRemoved, RoleRemoved
from onepam.domain.access.proposal import ProposalKind, ProposalRefused
from onepam.domain.matrix.events import ChangeApplied, ChangeApproved, ChangeProposed, ChangeRefused, ChangeRejected
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved, PersonDisabled
from onepam.domain.provisioning.events import ScimGroupMemberAdded
from onepam.domain.signing_in.events import SignedOut
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from tests.ledger.lawful.story import DEV, PROD, ROLES, Story, binding, resource_set, role_set
from tests.ledger.lawful.test_provisioning import GROUP, USER, let_lead, with_token

USER_OF_JOE = replace(USER, person="joe")
NO_CHANGE = "no change of the roles that was applied says so"


def proposed(told: Story, by: str = "ada", digest: str = "d1") -> int:
    """A change that waits for a second administrator."""
    return told.add(ChangeProposed("chg_1", "d0", digest, True, by, "more", "text"))


def approved(told: Story, by: str = "bob", digest: str = "d1", *objects: object) -> int:
    """Another administrator's yes, in force at once."""
    return told.add(ChangeApproved("chg_1", digest, by), ChangeApplied("chg_1", "d0", digest, by, False), *objects)


def test_a_founding_is_lawful_and_so_is_a_change_by_two() -> None:
    told = Story().ready("ada", "bob")
    proposed(told)
    given = binding("bnd_new", "engineer", "joe")
    approved(
        told,
        "bob",
        "d1",
        type(given)("bnd_new", "engineer", given.subject_kind, "joe", None, "access.yaml", "w", "chg_1", "bob"),
    )
    assert told.said() == []


def test_a_member_row_that_was_slipped_in_is_named_by_what_was_done_with_it() -> None:
    """H3b: mallory was an administrator for a moment, in the tables only; the history gave the right to nobody."""
    told = Story().ready("ada", "joe")
    at = told.change("chg_1", "joe", BindingEnded("bnd_max_manager", "binding.removed", "", None))
    why = "joe held no role with the right to administer"
    assert told.said() == [(at, why), (at + 1, why)]
    assert told.judged().findings[1].words() == f"entry {at + 1} (change.applied): changing the roles: {why}"


def test_an_administrator_who_is_not_signed_in_changes_nothing() -> None:
    told = Story().ready("ada")
    at = proposed(told, "bob")
    assert told.said() == [(at, "bob was not signed in")]


def test_nobody_changes_anything_on_nobodys_word_once_somebody_has_signed_in() -> None:
    told = Story().ready("ada")
    at = told.change("chg_1", None, binding("bnd_new", "engineer", "joe"))
    nobody = "it is on nobody's word, and somebody had signed in already"
    assert told.said() == [(at, nobody), (at + 1, nobody), (at + 1, "somebody had signed in already")]


def test_a_change_takes_somebody_else_with_a_fresh_factor_in_time() -> None:
    told = Story().ready("ada", "bob")
    proposed(told)
    at = approved(told, "ada")
    assert told.said() == [(at, "ada had proposed it")]

    told = Story().ready("ada", "bob")
    proposed(told)
    told.wait(6 * MINUTE)
    at = approved(told)
    assert told.said() == [(at, "bob had shown no second factor within 5 minutes")]

    told = Story().ready("ada", "bob")
    proposed(told)
    told.wait(8 * DAY)
    told.sign_in("bob")
    at = approved(told)
    assert told.said() == [(at, "it had lapsed")]


def test_a_change_falls_with_its_proposer() -> None:
    told = Story().ready("ada", "bob")
    proposed(told)
    told.add(
        PersonDisabled("ada", "bob", "left", "administrator", None, None),
        SignedOut("sgn_ada", "ada", "person.disabled", "bob"),
        BindingEnded("bnd_ada_administrator", "person.disabled", "", "bob"),
    )
    at = approved(told)
    assert told.said() == [(at, "its proposer had left: the account ada was disabled")]


def test_what_is_approved_and_applied_is_what_was_proposed() -> None:
    told = Story().ready("ada", "bob")
    proposed(told)
    at = approved(told, digest="d2")
    assert told.said() == [
        (at, "what was approved is not what was proposed"),
        (at + 1, "what was applied is not what was proposed"),
    ]
    told = Story().ready("ada", "bob")
    at = approved(told)
    assert told.said() == [(at, "no such proposal waited"), (at + 1, "nobody had proposed it")]


def test_what_widens_is_not_applied_by_one() -> None:
    told = Story().ready("ada", "bob")
    at = proposed(told) + 1
    told.add(ChangeApplied("chg_1", "d0", "d1", "ada", False))
    assert told.said() == [(at, "it widens access, and nobody else had approved it")]

    told = Story().ready("ada", "bob")
    told.add(ChangeProposed("chg_1", "d0", "d1", False, "ada", "less", "text"))
    at = told.add(ChangeApplied("chg_1", "d0", "d1", "bob", False))
    assert told.said() == [(at, "somebody else had proposed it")]


def test_a_change_is_rejected_by_an_administrator_or_by_time() -> None:
    told = Story().ready("ada", "bob", "max")
    proposed(told)
    at = told.add(ChangeRejected("chg_1", "max", "change.denied", "no"))
    assert told.said() == [(at, "max held no role with the right to administer")]

    told = Story().ready("ada")
    proposed(told)
    at = told.add(ChangeRejected("chg_1", None, "change.lapsed", None))
    assert told.said() == [(at, "it is on nobody's word, had not lapsed, and its people were there")]

    told = Story().ready("ada")
    proposed(told)
    told.wait(8 * DAY)
    told.add(ChangeRejected("chg_1", None, "change.lapsed", None))
    assert told.said() == []
    at = told.add(ChangeRejected("chg_1", None, "change.lapsed", None))
    assert told.said() == [(at, "no such proposal waited")]


@pytest.mark.parametrize(
    "tried",
    [
        ChangeRefused("chg_1", "joe", "change.own_gain"),
        ProposalRefused(ProposalKind.CHANGE, "chg_1", "joe", "change.self_approval"),
    ],
)
def test_who_tried_was_signed_in(tried: object) -> None:
    told = Story().ready("ada")
    at = told.add(tried)
    assert told.said() == [(at, "joe was not signed in")]


@pytest.mark.parametrize(
    "planted",
    [
        role_set("engineer", [PROD, DEV]),
        resource_set("web-2", {"env": "prod"}),
        RoleRemoved("spare", "chg_9", None),
        ResourceRemoved("dev-1", "chg_9", None),
    ],
)
def test_roles_and_resources_come_and_go_by_changes_only(planted: object) -> None:
    told = Story().ready()
    told.change("chg_1", None, role_set("spare", [DEV]))
    told.sign_in("ada")
    at = told.add(planted)
    assert told.said() == [(at, NO_CHANGE)]


def test_what_is_removed_was_there() -> None:
    told = Story().ready("ada")
    at = told.change("chg_1", "ada", RoleRemoved("nobody", "", None), ResourceRemoved("none", "", None))
    assert told.said() == [(at + 2, "there was no such role"), (at + 3, "there was no such resource")]


def test_a_role_is_given_by_a_change_that_names_its_binding() -> None:
    told = Story().ready("ada")
    at = told.add(binding("bnd_new", "administrator", "joe"))
    assert told.said() == [(at, "no change of the roles that was applied gave it")]
    named = binding("bnd_two", "administrator", "joe")
    then = told.add(type(named)("bnd_two", "administrator", named.subject_kind, "joe", None, "x", "y", "chg_0", None))
    assert told.said()[1:] == [(then, NO_CHANGE)]
    told = Story().ready("ada")
    at = told.change("chg_1", "ada", binding("bnd_new", "engineer", "nobody"))
    assert told.said() == [(at + 2, "there was no account nobody")]


def test_a_role_is_taken_by_a_change_or_with_the_account() -> None:
    told = Story().ready("ada")
    at = told.add(BindingEnded("bnd_eve_engineer", "person.disabled", "", None))
    assert told.said() == [(at, "no change of the roles took it, and the account had not ended")]

    told = Story().ready("ada")
    at = told.add(BindingEnded("bnd_eve_engineer", "binding.removed", "chg_9", "ada"))
    assert told.said() == [(at, NO_CHANGE)]

    told = Story().ready("ada")
    at = told.add(BindingEnded("bnd_none", "person.disabled", "", None))
    assert told.said() == [(at, "there was no such binding")]

    told = Story().ready("ada")
    told.add(
        PersonDisabled("eve", "ada", "left", "administrator", None, None),
        BindingEnded("bnd_eve_engineer", "person.disabled", "", "ada"),
    )
    assert told.said() == []


def test_who_ends_their_own_role_holds_it_for_the_rest_of_the_command() -> None:
    told = Story().ready("ada", "bob")
    told.change(
        "chg_1",
        "ada",
        BindingEnded("bnd_ada_administrator", "binding.removed", "", None),
        role_set("operator", []),
    )
    assert told.said() == []
    at = told.change("chg_2", "ada", role_set("operator", []))
    assert [each for each, _ in told.said()] == [at, at + 1]


def test_groups_give_their_roles_to_members() -> None:
    told = Story().ready("ada")
    told.change(
        "chg_1",
        "ada",
        binding("bnd_admins", "administrator", "admins", group=True),
    )
    told.sign_in("joe")
    at = proposed(told, "joe")
    assert told.said() == [(at, "joe held no role with the right to administer")]
    at = told.add(GroupMemberAdded("admins", "joe", "access.yaml", None))
    assert told.said()[1:] == [(at, "no change of the roles that was applied says so")]
    told.add(ChangeProposed("chg_2", "d0", "d1", True, "joe", "more", "text"))
    assert len(told.said()) == 2, "the root is named, and not what follows from it"
    told.change("chg_3", "ada", BindingEnded("bnd_admins", "binding.removed", "", None))
    at = told.add(ChangeProposed("chg_4", "d0", "d1", True, "joe", "more", "text"))
    assert told.said()[2:] == [(at, "joe held no role with the right to administer")]


@pytest.mark.parametrize(
    ("source", "by", "why"),
    [
        ("access.yaml", "ada", "no change of the roles that was applied says so"),
        ("scim:okta", None, "no directory of okta wrote it under a token in force"),
        ("scim:okta", "ada", "nothing that an administrator decided says so"),
        ("claims:idp", None, "no identity provider idp was in force"),
    ],
)
def test_a_membership_comes_and_goes_by_its_source(source: str, by: str | None, why: str) -> None:
    told = let_lead(with_token(), "joe")
    told.add(USER_OF_JOE, GROUP, ScimGroupMemberAdded("sgr_1", "usr_1"))
    group = "ops" if source == "access.yaml" else "directory:ops"
    at = told.add(GroupMemberAdded(group, "joe", source, by))
    then = told.add(GroupMemberRemoved(group, "joe", source, by))
    assert told.said() == [(at, why), (then, why)]


def test_a_membership_is_of_somebody_and_is_taken_once() -> None:
    told = Story().ready("ada")
    at = told.change("chg_1", "ada")
    told = Story().ready("ada")
    gone = GroupMemberRemoved("admins", "joe", "access.yaml", "ada")
    told.add(
        ChangeProposed("chg_1", "d0", "d1", False, "ada", "x", "text"),
        ChangeApplied("chg_1", "d0", "d1", "ada", False),
        GroupMemberAdded("admins", "nobody", "access.yaml", "ada"),
        gone,
    )
    assert told.said() == [(at + 2, "there was no account nobody"), (at + 3, "there was no such membership")]


def test_an_end_of_a_binding_takes_the_role() -> None:
    told = Story().found({"ada": ("administrator",), "joe": ()})
    ends = Instant(told.at() + HOUR)
    told.change("chg_1", None, binding("bnd_short", "administrator", "joe", ends))
    told.enrol("joe")
    told.sign_in("joe")
    proposed(told, "joe")
    assert told.said() == []
    told.wait(HOUR)
    at = told.add(ChangeProposed("chg_2", "d0", "d1", True, "joe", "more", "text"))
    assert told.said() == [(at, "joe held no role with the right to administer")]


def test_the_roles_of_the_story_are_those_it_names() -> None:
    assert set(ROLES) >= {"administrator", "engineer"}


def test_a_binding_of_somebody_unknown_ends_like_any_other() -> None:
    told = Story().ready("ada")
    at = told.change("chg_1", "ada", binding("bnd_new", "engineer", "nobody"))
    told.change("chg_2", "ada", BindingEnded("bnd_new", "binding.removed", "", None))
    last = told.add(GroupMemberRemoved("admins", "nobody", "access.yaml", None))
    assert told.said() == [(at + 2, "there was no account nobody"), (last, "there was no such membership")]


def test_a_membership_goes_with_the_account() -> None:
    told = Story().ready("ada")
    told.change("chg_1", "ada", binding("bnd_g", "engineer", "crew", group=True))
    members = (GroupMemberAdded("crew", who, "access.yaml", None) for who in ("joe", "max"))
    told.change("chg_2", "ada", *members)
    told.add(
        PersonDisabled("joe", "ada", "left", "administrator", None, None),
        GroupMemberRemoved("crew", "joe", "access.yaml", "ada"),
    )
    assert told.said() == []


def test_what_one_group_gives_by_two_sources_counts_once() -> None:
    told = Story().ready("ada")
    told.change("chg_1", "ada", binding("bnd_g", "administrator", "crew", group=True))
    told.change("chg_2", "ada", GroupMemberAdded("crew", "joe", "access.yaml", None))
    at = told.change("chg_3", None, GroupMemberAdded("crew", "joe", "access.yaml", None))
    told.sign_in("joe")
    proposed(told, "joe")
    assert [each for each, _ in told.said()] == [at, at + 1, at + 1]


def test_a_proposal_ends_with_its_proposer_in_one_command() -> None:
    told = Story().ready("ada", "bob")
    proposed(told)
    told.add(
        ChangeRejected("chg_1", None, "change.proposer_left", None),
        PersonDisabled("ada", "bob", "left", "administrator", None, None),
    )
    assert told.said() == []


def test_a_proposal_falls_with_a_proposer_who_left_before() -> None:
    told = Story().ready("ada", "bob")
    proposed(told)
    told.add(PersonDisabled("ada", "bob", "left", "administrator", None, None))
    told.add(ChangeRejected("chg_1", None, "change.proposer_left", None))
    assert told.said() == []


def test_what_ends_and_comes_again_in_one_command_is_there_after_it() -> None:
    told = Story().ready("ada", "bob")
    told.change(
        "chg_1",
        "ada",
        BindingEnded("bnd_bob_administrator", "binding.shortened", "", None),
        binding("bnd_bob_administrator", "administrator", "bob"),
    )
    proposed(told, "bob")
    assert told.said() == []
