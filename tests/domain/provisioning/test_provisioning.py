"""What a directory's word about users and groups does: every branch of the rules."""

from dataclasses import replace

import pytest

from onepam.domain.history.commit import Decided
from onepam.domain.leaving.brake import (
    BrakeFacts,
    DirectoryHeld,
    DirectoryLeaverReported,
    DirectoryPersonDecided,
    DirectoryPersonHeld,
    DirectoryReportDecided,
    HoldOutcome,
    HoldReason,
    PersonHold,
)
from onepam.domain.leaving.group_brake import GroupBrake
from onepam.domain.leaving.leaving import Held
from onepam.domain.people.adding import PersonFacts
from onepam.domain.people.events import (
    GroupMemberAdded,
    GroupMemberRemoved,
    PersonAdded,
    PersonChanged,
    PersonDisabled,
    PersonEnabled,
    PersonKind,
)
from onepam.domain.people.groups import MAX_GROUP_CHARACTERS, MOST_GROUPS, kept_groups
from onepam.domain.provisioning import groups, users
from onepam.domain.provisioning.events import (
    ScimGroupMemberAdded,
    ScimGroupMemberRemoved,
    ScimGroupRemoved,
    ScimGroupSet,
    ScimUserRemoved,
    ScimUserSet,
    name_key,
)
from onepam.domain.provisioning.groups import Group, GroupFacts, Member, PutGroup, put_group, remove_group
from onepam.domain.provisioning.tokens import Token
from onepam.domain.provisioning.users import Known, Profile, PutUser, User, UserFacts, put_user, remove_user
from onepam.kernel import limits
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused

NOW = Instant(1_750_000_000_000_000)
LATER, BEFORE = Instant(NOW + DAY), Instant(NOW - DAY)
TOKEN = Token("stk_1", "okta", True, LATER)
DEAD = (None, replace(TOKEN, approved=False), replace(TOKEN, ends=NOW))
EVE = Known(PersonFacts("per_eve", PersonKind.EMPLOYEE, True, None, None, "eve@x.example"), None, "Eve")
MAX = PersonFacts("per_max", PersonKind.EMPLOYEE, True, None, None, "max@x.example")
PROFILE = Profile("eve", "00u1", True, "Eve", "eve@x.example", False, "", None, "{}")
FACTS = UserFacts(TOKEN, None, False, None, None, False, None, Held(), None, (), (), frozenset())
USER = User("usr_1", "per_eve", True, 3)
THERE = replace(FACTS, user=USER, person=EVE)
NEW = PutUser("usr_1", None, "per_new", NOW, PROFILE)
CHANGE = replace(NEW, version=3)


def events(outcome: object) -> list[object]:
    assert isinstance(outcome, Decided), outcome
    return list(outcome.events)


def code(outcome: object) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def known(person: Known, **changes: object) -> Known:
    return replace(person, facts=replace(person.facts, **changes))  # type: ignore[arg-type]


def wished(command: PutUser, **changes: object) -> PutUser:
    return replace(command, profile=replace(command.profile, **changes))  # type: ignore[arg-type]


def last(outcome: object) -> ScimUserSet:
    found = events(outcome)[-1]
    assert isinstance(found, ScimUserSet)
    return found


def test_of_whoever_was_erased_nothing_is_kept_that_a_directory_goes_on_saying() -> None:
    """Whoever else has the name by now; once it says that they are there, they are somebody new."""
    off = wished(CHANGE, active=False)
    erased = replace(FACTS, user=User("usr_1", None, False, 3), led_to_erased=True, user_name_taken=True)
    outcome = put_user(erased, off, NOW)
    assert isinstance(outcome, Decided)
    assert (outcome.events, outcome.result) == ((), User("usr_1", None, False, 3, kept=False))
    waited = replace(erased, user=User("usr_1", None, True, 3))
    outcome = put_user(waited, off, NOW)
    assert isinstance(outcome, Decided)
    assert outcome.result == User("usr_1", None, False, 4, kept=False)
    said = last(outcome)
    assert (said.version, said.active, said.person) == (4, False, None)
    assert (said.user_name, said.external_id, said.document) == (None, None, None)
    assert code(put_user(erased, CHANGE, NOW)) == "scim.user_name"
    there = put_user(replace(erased, user_name_taken=False), CHANGE, NOW)
    assert (last(there).person, last(there).document) == ("per_new", PROFILE.document)


@pytest.mark.parametrize("token", DEAD)
def test_a_token_that_does_not_work_does_nothing(token: Token | None) -> None:
    assert code(put_user(replace(FACTS, token=token), NEW, NOW)) == "scim.token"
    assert code(remove_user(replace(THERE, token=token), "usr_1", None, NOW, NOW)) == "scim.token"
    assert code(put_group(replace(TEAM, token=token), GROUP, NOW)) == "scim.token"
    assert code(remove_group(replace(TEAM, token=token), "grp_1", None, NOW, "hld_1", NOW)) == "scim.token"


def test_somebody_new_is_added_with_the_groups_that_were_told_before() -> None:
    facts = replace(FACTS, groups=("directory:A", "directory:A", "directory:B"), member_of=frozenset({"directory:B"}))
    found = events(put_user(facts, NEW, NOW))
    assert [type(each) for each in found] == [PersonAdded, GroupMemberAdded, ScimUserSet]
    assert found[0].origin == found[1].source == "scim:okta"  # type: ignore[attr-defined]
    assert last(put_user(facts, NEW, NOW)).person == "per_new"


def test_without_an_address_there_is_nobody() -> None:
    nobody = put_user(FACTS, wished(NEW, email=None), NOW)
    assert (last(nobody).trouble, len(events(nobody))) == ("no_address", 1)
    assert code(put_user(FACTS, wished(NEW, name="a\u200eb"), NOW)) == "text.not_plain"
    assert last(put_user(FACTS, wished(NEW, active=False), NOW)).person is None


def test_an_address_leads_to_the_person_who_has_it() -> None:
    facts = replace(FACTS, namesake=replace(EVE, origin="roster"))
    assert last(put_user(facts, NEW, NOW)).person == "per_eve"
    assert [type(each) for each in events(put_user(facts, wished(NEW, name="Eva"), NOW))] == [
        PersonChanged,
        ScimUserSet,
    ]
    assert last(put_user(facts, wished(NEW, vendor=True), NOW)).trouble == "kind_differs"
    assert code(put_user(replace(facts, namesake_held=True), NEW, NOW)) == "scim.address"
    assert code(put_user(facts, wished(NEW, name=""), NOW)) == "text.missing"
    assert code(put_user(replace(THERE, namesake=EVE), CHANGE, NOW)) == "scim.address"


BRAKE = BrakeFacts(people=9, administrators=frozenset({"per_eve"}), staying=frozenset({"per_eve"}))
MANY = PersonHold("hld_0", "scim:okta", HoldReason.MANY, "deactivated", LATER, None, NOW)


def test_a_leaver_whose_account_was_made_by_hand_is_reported() -> None:
    waiting = replace(FACTS, user=User("usr_1", None, True, 3), awaited="per_eve")
    off = put_user(waiting, wished(CHANGE, active=False), NOW)
    said = DirectoryLeaverReported("per_eve", "scim:okta", "usr_1", "deactivated in the directory", NOW)
    assert (events(off)[0], len(events(off))) == (said, 2)
    assert (last(off).person, last(off).active, last(off).waits_for) == (None, False, None)
    gone = events(remove_user(waiting, "usr_1", None, NOW, NOW))
    assert gone[0] == replace(said, because="deleted in the directory")
    assert isinstance(gone[1], ScimUserRemoved)
    # Who waits for nobody, or was inactive already, is no news.
    for other in (replace(waiting, awaited=None), replace(waiting, user=User("usr_1", None, False, 3))):
        assert [type(each) for each in events(put_user(other, wished(CHANGE, active=False), NOW))] == [ScimUserSet]
    assert [type(each) for each in events(remove_user(replace(waiting, awaited=None), "usr_1", None, NOW, NOW))] == [
        ScimUserRemoved
    ]
    again = replace(FACTS, user=User("usr_1", None, False, 4), namesake=EVE, reported=("per_eve",))
    back = put_user(again, replace(CHANGE, version=4), NOW)
    (settled, kept) = events(back)
    assert isinstance(settled, DirectoryReportDecided)
    assert (settled.person, settled.origin, settled.outcome) == ("per_eve", "scim:okta", HoldOutcome.RETURNED)
    assert last(back) is kept
    assert last(back).waits_for == "per_eve"
    refused = put_user(again, wished(replace(CHANGE, version=4), name="a\u200eb", email=None), NOW)
    assert last(refused).trouble == "no_address"
    assert code(put_user(replace(again, namesake_held=True), replace(CHANGE, version=4), NOW)) == "scim.address"


def test_a_token_speaks_for_its_domains() -> None:
    other = replace(FACTS, token=replace(TOKEN, domains=("y.example", "z.example")))
    foreign = put_user(other, NEW, NOW)
    assert (last(foreign).person, last(foreign).trouble, len(events(foreign))) == (None, "foreign_domain", 1)
    own = replace(FACTS, token=replace(TOKEN, domains=("y.example", "x.example")))
    assert last(put_user(own, NEW, NOW)).trouble == ""
    there = replace(THERE, token=replace(TOKEN, domains=("x.example",)))
    moved = put_user(there, wished(CHANGE, email="eve@evil.example", name="Eva"), NOW)
    changed = events(moved)[0]
    assert isinstance(changed, PersonChanged)
    assert (changed.email, changed.name, last(moved).trouble) == ("eve@x.example", "Eva", "foreign_domain")


def test_the_last_administrator_is_held_and_gets_no_end() -> None:
    there = replace(THERE, brake=BRAKE)
    held = put_user(there, replace(wished(CHANGE, active=False), hold="hld_1"), NOW)
    assert [type(each) for each in events(held)] == [DirectoryHeld, DirectoryPersonHeld, ScimUserSet]
    assert not last(held).active
    assert [type(each) for each in events(remove_user(there, "usr_1", None, NOW, NOW, "hld_1"))] == [
        DirectoryHeld,
        DirectoryPersonHeld,
        ScimUserRemoved,
    ]
    ends = put_user(there, wished(CHANGE, ends=LATER), NOW)
    assert ([type(each) for each in events(ends)], last(ends).trouble) == ([ScimUserSet], "end_not_followed")
    again = replace(THERE, hold=MANY)
    assert [type(each) for each in events(put_user(again, wished(CHANGE, active=False), NOW))] == [ScimUserSet]
    back = events(put_user(replace(again, user=replace(USER, active=False)), CHANGE, NOW))
    assert [type(each) for each in back] == [DirectoryPersonDecided, ScimUserSet]
    group = replace(MANY, reason=HoldReason.LAST_ADMINISTRATORS_GROUP)
    assert [type(each) for each in events(put_user(replace(again, hold=group), CHANGE, NOW))] == [ScimUserSet]
    ended = put_user(replace(THERE, hold=group), wished(CHANGE, active=False), NOW)
    assert [type(each) for each in events(ended)] == [PersonDisabled, ScimUserSet]
    elsewhere = replace(again, hold=replace(MANY, origin="scim:entra"))
    assert [type(each) for each in events(put_user(elsewhere, CHANGE, NOW))] == [ScimUserSet]


def test_versions_and_names() -> None:
    assert code(put_user(FACTS, CHANGE, NOW)) == "scim.gone"
    assert code(put_user(THERE, replace(CHANGE, version=2), NOW)) == "scim.changed"
    assert code(put_user(replace(THERE, user_name_taken=True), CHANGE, NOW)) == "scim.user_name"
    assert last(put_user(THERE, CHANGE, NOW)).version == 4
    assert len(events(put_user(THERE, CHANGE, NOW))) == 1


def test_a_person_of_another_kind_than_the_directory_says_is_told() -> None:
    vendor = replace(THERE, person=known(EVE, kind=PersonKind.VENDOR, ends=LATER, owner="per_max"), manager=MAX)
    for facts, said, trouble in (
        (THERE, False, ""),
        (THERE, True, "kind_differs"),
        (vendor, False, "kind_differs"),
        (vendor, True, ""),
    ):
        assert last(put_user(facts, wished(CHANGE, vendor=said, ends=LATER), NOW)).trouble == trouble


def test_a_vendor_has_a_sponsor_and_an_end() -> None:
    vendor = wished(NEW, vendor=True, ends=LATER)
    sponsored = replace(FACTS, manager=MAX)
    added = events(put_user(sponsored, vendor, NOW))[0]
    assert isinstance(added, PersonAdded)
    assert (added.kind, added.owner, added.ends) == (PersonKind.VENDOR, "per_max", LATER)
    assert code(put_user(sponsored, wished(vendor, ends=None), NOW)) == "scim.vendor"
    assert code(put_user(sponsored, wished(vendor, ends=BEFORE), NOW)) == "scim.end_past"
    for manager in (None, replace(MAX, kind=PersonKind.VENDOR), replace(MAX, enabled=False), replace(MAX, ends=NOW)):
        assert code(put_user(replace(FACTS, manager=manager), vendor, NOW)) == "scim.vendor"
    there = replace(THERE, person=known(EVE, kind=PersonKind.VENDOR, owner="per_old"), manager=MAX)
    change = wished(CHANGE, vendor=True)
    changed = events(put_user(there, change, NOW))[0]
    assert isinstance(changed, PersonChanged)
    assert changed.owner == "per_max"
    assert code(put_user(replace(there, manager=replace(MAX, enabled=False)), change, NOW)) == "scim.vendor"
    assert code(put_user(there, wished(change, ends=BEFORE), NOW)) == "scim.end_past"
    assert isinstance(events(put_user(there, wished(change, ends=LATER), NOW))[0], PersonChanged)


def test_nobody_is_their_own_manager() -> None:
    assert len(events(put_user(replace(THERE, manager=EVE.facts), CHANGE, NOW))) == 1


def test_leaving_hangs_on_the_change() -> None:
    off = wished(CHANGE, active=False)
    left = events(put_user(replace(THERE, held=Held(groups=(("directory:A", "scim:okta"),))), off, NOW))
    assert [type(each) for each in left] == [PersonDisabled, GroupMemberRemoved, ScimUserSet]
    assert left[0].notified == NOW  # type: ignore[attr-defined]
    inactive = replace(THERE, user=replace(USER, active=False))
    assert len(events(put_user(inactive, off, NOW))) == 1
    assert len(events(put_user(replace(THERE, person=known(EVE, enabled=False)), off, NOW))) == 1


def test_coming_back() -> None:
    gone = replace(
        THERE,
        user=replace(USER, active=False),
        person=known(EVE, enabled=False),
        left_by="scim:okta",
        groups=("directory:A",),
        elsewhere=(("directory:B", "scim:entra"),),
    )
    back = events(put_user(gone, CHANGE, NOW))
    assert [type(each) for each in back] == [PersonEnabled, GroupMemberAdded, GroupMemberAdded, ScimUserSet]
    assert [each.source for each in back[1:3]] == ["scim:entra", "scim:okta"]  # type: ignore[attr-defined]
    assert last(put_user(replace(gone, left_by="administrator"), CHANGE, NOW)).trouble == "disabled_here"
    still = replace(gone, user=USER)
    assert last(put_user(still, CHANGE, NOW)).trouble == "disabled_here"
    ended = replace(gone, person=known(EVE, enabled=False, ends=BEFORE))
    assert last(put_user(ended, CHANGE, NOW)).trouble == "end_passed"


def test_a_deleted_user_has_left() -> None:
    found = events(remove_user(replace(THERE, scim_groups=("grp_1",)), "usr_1", 3, NOW, NOW))
    assert [type(each) for each in found] == [ScimGroupMemberRemoved, PersonDisabled, ScimUserRemoved]
    assert len(events(remove_user(replace(THERE, person=None), "usr_1", None, NOW, NOW))) == 1
    gone = replace(THERE, person=known(EVE, enabled=False))
    assert [type(each) for each in events(remove_user(gone, "usr_1", None, NOW, NOW))] == [ScimUserRemoved]
    assert code(remove_user(FACTS, "usr_1", None, NOW, NOW)) == "scim.gone"
    assert code(remove_user(THERE, "usr_1", 2, NOW, NOW)) == "scim.changed"


OURS = frozenset({"directory:Ops"})
ANN = Member("usr_a", "per_a", True, OURS)
BOB = Member("usr_b", "per_b", False, frozenset())
OFF = Member("usr_c", None, True, frozenset())
TEAM = GroupFacts(TOKEN, Group("grp_1", "Ops", 2), False, {"usr_a": ANN, "usr_b": BOB, "usr_c": OFF}, ("bnd_1",))
GROUP = PutGroup("grp_1", 2, "Ops", "", "{}", frozenset(), frozenset(), False, NOW, "hld_1")


def test_members_come_and_go() -> None:
    added = events(put_group(TEAM, replace(GROUP, add=frozenset({"usr_a", "usr_b"})), NOW))
    assert [type(each) for each in added] == [ScimGroupSet, ScimGroupMemberAdded, GroupMemberAdded]
    removed = events(put_group(TEAM, replace(GROUP, remove=frozenset({"usr_a", "usr_b"})), NOW))
    assert [type(each) for each in removed] == [ScimGroupMemberRemoved, GroupMemberRemoved, ScimGroupSet]
    only = events(put_group(TEAM, replace(GROUP, add=frozenset({"usr_b"}), all_members=True), NOW))
    assert [type(each) for each in only].count(ScimGroupMemberRemoved) == 2
    already = replace(TEAM, members={"usr_b": replace(BOB, in_effect=OURS)})
    told = events(put_group(already, replace(GROUP, add=frozenset({"usr_b"})), NOW))
    assert [type(each) for each in told] == [ScimGroupSet, ScimGroupMemberAdded]


def test_the_last_administrators_membership_stays_and_waits() -> None:
    """By taking a member out, by another name, by deleting the group: in effect, held, and answered as always."""
    brake = BrakeFacts(people=9, administrators=frozenset({"per_a"}), staying=frozenset({"per_a"}))
    last_one = replace(TEAM, brake=GroupBrake(resting={"per_a": Held()}, brake=brake))
    taken = events(put_group(last_one, replace(GROUP, remove=frozenset({"usr_a"})), NOW))
    assert [type(each) for each in taken] == [ScimGroupMemberRemoved, DirectoryHeld, DirectoryPersonHeld, ScimGroupSet]
    named = events(put_group(last_one, replace(GROUP, name="Core"), NOW))
    assert [type(each) for each in named] == [DirectoryHeld, DirectoryPersonHeld, ScimGroupSet, GroupMemberAdded]
    gone = events(remove_group(last_one, "grp_1", 2, NOW, "hld_1", NOW))
    kinds = [type(each) for each in gone]
    assert kinds == [ScimGroupMemberRemoved] * 2 + [DirectoryHeld, DirectoryPersonHeld, ScimGroupRemoved]
    onward = replace(last_one, brake=replace(last_one.brake, onward=True))
    moved = events(put_group(onward, replace(GROUP, name="Core"), NOW))
    assert [type(each) for each in moved] == [GroupMemberRemoved, ScimGroupSet, GroupMemberAdded]
    both = events(put_group(onward, replace(GROUP, name="Core", remove=frozenset({"usr_a"})), NOW))
    assert DirectoryPersonHeld in [type(each) for each in both]
    # Said again, the hold is over; and only for whom the membership had stayed in effect.
    hold = replace(MANY, reason=HoldReason.LAST_ADMINISTRATORS_GROUP, decide_by=None)
    out = replace(
        TEAM,
        members={"usr_a": replace(ANN, is_member=False), "usr_b": BOB},
        brake=GroupBrake(holds={"per_a": hold, "per_b": hold}, brake=brake),
    )
    back = events(put_group(out, replace(GROUP, add=frozenset({"usr_a", "usr_b"})), NOW))
    assert [each.person for each in back if isinstance(each, DirectoryPersonDecided)] == ["per_a"]
    assert [each.person for each in back if isinstance(each, GroupMemberAdded)] == ["per_b"]


def test_a_new_name_moves_the_members() -> None:
    found = events(put_group(TEAM, replace(GROUP, name="Core"), NOW))
    assert [(type(each), getattr(each, "group", "")) for each in found] == [
        (GroupMemberRemoved, "directory:Ops"),
        (ScimGroupSet, "grp_1"),
        (GroupMemberAdded, "directory:Core"),
    ]


def test_a_group_is_made_and_refused() -> None:
    made = replace(TEAM, group=None, members={"usr_b": BOB})
    found = put_group(made, replace(GROUP, version=None, add=frozenset({"usr_b"})), NOW)
    assert isinstance(found, Decided)
    assert found.result == Group("grp_1", "Ops", 1)
    assert code(put_group(made, GROUP, NOW)) == "scim.gone"
    assert code(put_group(TEAM, replace(GROUP, version=1), NOW)) == "scim.changed"
    assert code(put_group(replace(TEAM, name_taken=True), GROUP, NOW)) == "scim.display_name"
    assert code(put_group(TEAM, replace(GROUP, add=frozenset({"usr_x"})), NOW)) == "scim.member"


def test_a_group_that_is_gone_gives_nothing_and_says_who_used_it() -> None:
    found = events(remove_group(TEAM, "grp_1", 2, NOW, "hld_1", NOW))
    kinds = [type(each) for each in found]
    assert kinds == [ScimGroupMemberRemoved, ScimGroupMemberRemoved, GroupMemberRemoved, ScimGroupRemoved]
    assert found[-1].bindings == ("bnd_1",)  # type: ignore[attr-defined]
    assert code(remove_group(replace(TEAM, group=None), "grp_1", None, NOW, "hld_1", NOW)) == "scim.gone"
    assert code(remove_group(TEAM, "grp_1", 1, NOW, "hld_1", NOW)) == "scim.changed"


def test_too_much_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_MEMBERS_CHANGED", 0)
    assert code(put_group(TEAM, replace(GROUP, add=frozenset({"usr_b"})), NOW)) == "scim.too_many"
    monkeypatch.setattr(limits, "MAX_EVENTS_PER_COMMAND", 2)
    assert code(put_group(TEAM, replace(GROUP, name="Core"), NOW)) == "scim.too_many"
    assert code(remove_group(TEAM, "grp_1", None, NOW, "hld_1", NOW)) == "scim.too_many"


def test_names_are_compared_without_case_and_form() -> None:
    assert name_key("E\u0301VE") == name_key("éve")
    assert users.origin("okta") == "scim:okta"


def test_groups_that_can_be_kept_are_kept_once_and_in_order_and_the_others_counted() -> None:
    named = ["admins", " x ", "admins", 7, "ops", "a" * (MAX_GROUP_CHARACTERS + 1)]
    assert kept_groups(named) == (("admins", "ops"), 3)
    many = [f"g{number}" for number in range(MOST_GROUPS + 2)]
    kept, left_out = kept_groups(many)
    assert (len(kept), kept[-1], left_out) == (MOST_GROUPS, f"g{MOST_GROUPS - 1}", 2)
