"""Rules of reviews where something is held in other systems: what is reviewed of it, and whose each item is."""

from dataclasses import replace

import pytest

from onepam.domain.access.review_schedule import Suspends
from onepam.domain.people.events import GroupMemberAdded, PersonAdded, PersonKind
from onepam.domain.provisioning.events import (
    ScimGroupMemberAdded,
    ScimGroupSet,
    ScimTokenApproved,
    ScimTokenProposed,
    ScimUserSet,
)
from onepam.domain.reviews.events import Answers, ReviewClosed, ReviewSignedOff, Scope, Verdict
from onepam.domain.systems.events import AccountListTaken, AccountSystemSet, ListedAccountGone, ListedAccountSet, Match
from onepam.kernel.clock import DAY, Instant
from tests.ledger.lawful.story import Story, binding
from tests.ledger.lawful.test_reviews import decided, over, review

REMOVE = Verdict.REMOVE
LIST = AccountListTaken("acl_1", "crm", "d1", Instant(5), 2, 2, 0, 0, "ada")
HERS = ListedAccountSet("lac_1", "crm", "acl_1", ("read", "write"), "eve", False, Match.EMAIL, None)
NOBODYS = replace(HERS, account="lac_2", person=None, because=Match.NOBODY)


def elsewhere() -> Story:
    """Eve has an account in the crm; zoe is a member of two groups of a directory, and a role is bound to one."""
    told = Story().ready("ada", "bob", "max")
    told.add(LIST, HERS, NOBODYS)
    told.change("chg_9", "ada", binding("bnd_ops", "operator", "directory:Ops", group=True))
    told.add(ScimTokenProposed("tok_1", "okta", "", (), "", Instant(told.at() + DAY), "ada"))
    told.add(ScimTokenApproved("tok_1", "okta", "bob"))
    zoe = PersonAdded("zoe", PersonKind.EMPLOYEE, "", None, None, None, origin="scim:okta")
    told.add(zoe, ScimUserSet("usr_1", "okta", "zoe", True, 1, "", "tok_1"))
    for group in ("Ops", "Sales"):
        told.add(ScimGroupSet(f"grp_{group}", "okta", 1, group, "tok_1"), ScimGroupMemberAdded(f"grp_{group}", "usr_1"),
                 GroupMemberAdded(f"directory:{group}", "zoe", "scim:okta", None))  # fmt: skip
    assert told.said() == []
    return told


@pytest.mark.parametrize(
    ("scope", "beyond"),
    [
        (Scope(), 2),
        (Scope(systems=("system:crm",)), 1),
        (Scope(people=("zoe",)), 1),
        (Scope(roles=("engineer",)), 0),
        (Scope(resources=("dev-1",)), 0),
        (Scope(privileged=True), 0),
    ],
)
def test_what_is_held_in_other_systems_is_worked_out_too(scope: Scope, beyond: int) -> None:
    told = elsewhere()
    told.add(review(told, scope, beyond=beyond))
    at = told.add(review(told, scope, review="rev_2", beyond=9))
    assert told.said() == [(at, "what it says it is of is not what everybody held")]


def test_whoever_answers_for_a_system_decides_and_silence_takes_nothing_there() -> None:
    told = elsewhere()
    told.add(AccountSystemSet("crm", "max", 9, "ada"))
    told.add(review(told, Scope(systems=("system:crm", "scim:okta")), suspends=Suspends.EVERYTHING, beyond=2))
    told.add(decided(role="system:crm", by="max", answers=Answers.SYSTEM_OWNER, verdict=REMOVE))
    told.add(decided(role="system:crm", by="max", answers=Answers.SYSTEM_OWNER))
    at = told.add(decided(role="system:crm", by="bob", answers=Answers.FALLBACK))
    over(told)
    told.add(ReviewClosed("rev_1", 1, 0, 1))
    assert told.said() == [(at, "somebody else decided on it")]


def removed_elsewhere() -> Story:
    """What eve and zoe hold in other systems was removed, and the review is over; bob is signed in."""
    told = elsewhere()
    told.add(review(told, Scope(systems=("system:crm", "scim:okta")), fallback="ada", beyond=2))
    told.add(decided("eve", "system:crm", REMOVE, answers=Answers.SYSTEM_OWNER))
    told.add(decided("zoe", "scim:okta", REMOVE, answers=Answers.FALLBACK))
    told.add(ReviewClosed("rev_1", 0, 2, 0))
    told.sign_in("bob")
    return told


def test_what_was_removed_in_another_system_and_is_there_still_counts_at_the_sign_off() -> None:
    signed = ReviewSignedOff("rev_1", 0, 2, 0, 2, (), "bob", "")
    told = removed_elsewhere()
    at = told.add(replace(signed, not_remediated=1))
    assert told.said() == [(at, "its numbers are others")]
    told = removed_elsewhere()
    gone = ListedAccountGone("lac_1", "crm", "acl_2", "eve")
    told.add(replace(LIST, list="acl_2", digest="d2", accounts=1, added=0, gone=1), gone)
    told.add(replace(signed, not_remediated=1))
    assert told.said() == []


def test_time_opens_no_review_of_some_systems_only() -> None:
    told = elsewhere()
    at = told.add(review(told, Scope(people=("eve",), systems=("system:crm",)), by=None, beyond=1))
    assert [each for each, _ in told.said()] == [at] * len(told.said()) != []
