"""Roles that are kept apart: each clause broken once, and what directories do is judged by nobody."""

from dataclasses import replace

from onepam.domain.access.events import BindingEnded
from onepam.domain.access.separation import Excuse, SeparationRemoved, SeparationSet
from onepam.domain.matrix.events import ChangeApplied, ChangeApproved, ChangeProposed
from onepam.domain.people.events import GroupMemberAdded
from onepam.domain.provisioning.events import ScimGroupMemberAdded
from onepam.kernel.clock import DAY, HOUR, Instant
from tests.ledger.lawful.story import Story, binding
from tests.ledger.lawful.test_provisioning import GROUP, USER, let_lead, with_token

ALONE = "and nobody else had approved the change"
NO_CHANGE = "no change of the roles that was applied says so"
APART = SeparationSet("production", ("engineer", "manager"), "nobody approves their own", (), "", None)
EXCUSED = "is excused by it, and decided, proposed it, or may be one hand with who did"


def ready(*people: str, apart: SeparationSet = APART) -> Story:
    """A company of which these have signed in, whose engineers are no managers."""
    told = Story().ready(*people or ("ada", "bob"))
    told.change("chg_1", "ada", apart)
    return told


def excuse(told: Story, who: str, days: int = 9) -> SeparationSet:
    """The separation with somebody excused."""
    return replace(APART, excused=(Excuse(who, "their work is read", Instant(told.at() + days * DAY)),))


def by_two(told: Story, change: str, proposer: str, by: str, *objects: SeparationSet | SeparationRemoved) -> int:
    """A change that one proposed and another approved."""
    told.add(ChangeProposed(change, "d0", "d1", True, proposer, "changes", "text"))
    named = (replace(each, change=change, by=by) for each in objects)
    return told.add(ChangeApproved(change, "d1", by), ChangeApplied(change, "d0", "d1", by, False), *named)


def test_who_is_given_what_is_kept_apart_from_a_role_of_theirs_is_found() -> None:
    told = ready()
    told.change("chg_x", "ada", replace(APART, separation="a", roles=("auditor", "senior")))
    at = told.change("chg_2", "ada", binding("bnd_eve_manager", "manager", "eve"))
    assert told.said() == [(at + 2, "eve holds what is kept apart from manager")]


def test_who_changes_from_one_to_the_other_holds_both_at_no_time() -> None:
    told = ready()
    ended = BindingEnded("bnd_eve_engineer", "binding.removed", "", None)
    told.change("chg_2", "ada", ended, binding("bnd_eve_manager", "manager", "eve"))
    assert told.said() == []


def test_a_group_gives_no_more_than_a_binding_does() -> None:
    told = ready()
    told.change("chg_2", "ada", binding("bnd_leads", "manager", "leads", group=True))
    at = told.change("chg_3", "ada", GroupMemberAdded("leads", "eve", "access.yaml", None))
    assert told.said() == [(at + 2, "eve holds what is kept apart from manager")]

    told = ready()
    told.change("chg_2", "ada", GroupMemberAdded("leads", "eve", "access.yaml", None))
    at = told.change("chg_3", "ada", binding("bnd_leads", "manager", "leads", group=True))
    assert told.said() == [(at + 2, "eve holds what is kept apart from manager")]


def test_what_was_held_before_may_be_given_again_and_what_is_over_is_not_held() -> None:
    told = Story().ready("ada", "bob")
    told.change("chg_1", "ada", binding("bnd_eve_manager", "manager", "eve"))
    told.change("chg_2", "ada", APART)
    told.change("chg_3", "ada", binding("bnd_eve_again", "manager", "eve"))
    assert told.said() == []

    told = Story().ready("ada", "bob")
    told.change("chg_1", "ada", binding("bnd_joe", "engineer", "joe", Instant(told.at() + HOUR)))
    told.change("chg_2", "ada", APART)
    told.wait(2 * HOUR)
    told.sign_in("ada")
    told.change("chg_3", "ada", binding("bnd_joe_manager", "manager", "joe"))
    assert told.said() == []


def test_who_is_excused_may_hold_both_until_then() -> None:
    told = ready()
    by_two(told, "chg_2", "bob", "ada", excuse(told, "eve"))
    told.change("chg_3", "ada", binding("bnd_eve_manager", "manager", "eve"))
    told.sign_in("eve")
    told.ask("eve")
    assert told.said() == []
    told.wait(10 * DAY)
    told.sign_in("eve")
    at = told.ask_at("eve", "req_2")
    assert told.said() == [(at, "eve holds what is kept apart from engineer")]


def test_what_keeps_less_apart_or_excuses_somebody_takes_two() -> None:
    told = ready(apart=replace(APART, roles=("auditor", "engineer", "manager")))
    at = told.change("chg_2", "ada", APART)
    assert told.said() == [(at + 2, f"it keeps less apart, {ALONE}")]

    told = ready()
    at = told.change("chg_2", "ada", excuse(told, "eve"))
    assert told.said() == [(at + 2, f"it excuses somebody, {ALONE}")]

    told = ready()
    at = told.change("chg_2", "ada", SeparationRemoved("production", "", None))
    assert told.said() == [(at + 2, f"it keeps nothing apart any more, {ALONE}")]
    told = ready()
    by_two(told, "chg_2", "bob", "ada", SeparationRemoved("production", "", None))
    told.change("chg_3", "ada", binding("bnd_eve_manager", "manager", "eve"))
    assert told.said() == []


def test_an_excuse_that_ends_sooner_takes_one() -> None:
    told = ready()
    by_two(told, "chg_2", "bob", "ada", excuse(told, "eve", 9))
    told.change("chg_3", "ada", excuse(told, "eve", 3))
    assert told.said() == []


def test_nobody_decides_on_an_excuse_of_their_own() -> None:
    for who in ("ada", "bob"):
        told = ready()
        at = by_two(told, "chg_2", "bob", "ada", excuse(told, who))
        assert told.said() == [(at + 2, f"{who} {EXCUSED}")]


def test_a_separation_comes_by_a_change_and_keeps_two_roles_apart() -> None:
    told = ready()
    at = told.add(replace(APART, change="chg_1", by="ada"))
    assert told.said() == [(at, NO_CHANGE)]
    told = ready()
    at = told.add(SeparationRemoved("production", "chg_2", None))
    assert told.said() == [(at, NO_CHANGE)]
    told = ready()
    at = told.change("chg_2", "ada", replace(APART, separation="none", roles=("engineer", "engineer")))
    assert told.said() == [(at + 2, "it keeps no two roles apart")]
    told = ready()
    at = by_two(told, "chg_2", "bob", "ada", SeparationRemoved("other", "", None))
    assert told.said() == [(at + 2, "there was no such separation")]


def test_what_a_directory_brings_together_is_no_deed_of_anybodys_but_nothing_is_asked_for_under_it() -> None:
    told = let_lead(with_token(), "eve")
    told.change("chg_1", "ada", APART)
    told.change("chg_2", "ada", binding("bnd_ops", "manager", "directory:ops", group=True))
    told.add(replace(USER, user="usr_1", person="eve"), GROUP, ScimGroupMemberAdded("sgr_1", "usr_1"))
    told.add(GroupMemberAdded("directory:ops", "eve", "scim:okta", None), replace(GROUP, version=2))
    told.sign_in("eve")
    assert told.said() == []
    at = told.ask_at("eve")
    assert told.said() == [(at, "eve holds what is kept apart from engineer")]
