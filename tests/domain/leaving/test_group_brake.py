"""The brake of a group: who stays the last administrator when a directory takes a group away, and who does not."""

from dataclasses import replace

from onepam.domain.leaving.brake import (
    BrakeFacts,
    DirectoryHeld,
    DirectoryPersonDecided,
    DirectoryPersonHeld,
    HoldOutcome,
    HoldReason,
    PersonHold,
)
from onepam.domain.leaving.group_brake import GroupBrake, MessageBrake, Taken, given_back, said_at_sign_in, take
from onepam.domain.leaving.leaving import Held
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved
from onepam.domain.signing_in.events import SignedOut
from tests.domain.given import NOW

TAKEN = Taken("directory:Admins", "scim:okta", NOW, "hld_1")
BOTH = frozenset({"ada", "bob"})
FACTS = GroupBrake(
    resting={"ada": Held(sign_ins=("sgn_1",), groups=(("directory:Admins", "scim:okta"),)), "bob": Held()},
    brake=BrakeFacts(people=9, administrators=BOTH, staying=BOTH),
)
HOLD = PersonHold("hld_0", "scim:okta", HoldReason.LAST_ADMINISTRATORS_GROUP, "removed", None, None, NOW)


def became(events: tuple[object, ...]) -> dict[str, str]:
    """What became of whose membership."""
    found: dict[str, str] = {}
    for each in events:
        if isinstance(each, GroupMemberRemoved):
            found[each.person] = "removed"
        elif isinstance(each, DirectoryPersonHeld):
            found[each.person] = each.reason.value
    return found


def test_one_of_two_goes_and_the_last_one_is_held() -> None:
    assert became(take(FACTS, {"ada"}, (), TAKEN)) == {"ada": "removed"}
    events = take(FACTS, {"bob", "eve", "ada"}, (), TAKEN)
    assert became(events) == {"ada": "removed", "bob": "last_administrators_group", "eve": "removed"}
    alone = replace(FACTS, brake=replace(FACTS.brake, administrators=frozenset({"ada"}), staying=frozenset({"ada"})))
    held = take(alone, {"ada"}, (), TAKEN)
    assert [type(each) for each in held] == [DirectoryHeld, DirectoryPersonHeld, SignedOut]
    assert isinstance(held[1], DirectoryPersonHeld)
    assert (held[1].hold, held[1].decide_by, held[1].notified) == ("hld_1-ada", None, NOW)
    assert "directory:Admins" in held[1].because


def test_who_does_not_lose_the_right_is_not_held() -> None:
    alone = BrakeFacts(people=9, administrators=frozenset({"ada"}), staying=frozenset({"ada"}))
    by_another_way = GroupBrake(resting={}, brake=alone)
    assert became(take(by_another_way, {"ada"}, (), TAKEN)) == {"ada": "removed"}
    onward = replace(FACTS, onward=True, brake=alone)
    assert became(take(onward, {"ada"}, {"ada"}, TAKEN)) == {"ada": "removed"}
    assert became(take(onward, {"ada"}, {"bob"}, TAKEN)) == {"ada": "last_administrators_group"}
    assert became(take(replace(onward, onward=False), {"ada"}, {"ada"}, TAKEN)) == {"ada": "last_administrators_group"}


def test_who_is_held_already_keeps_the_membership_with_the_hold() -> None:
    alone = BrakeFacts(people=9, administrators=frozenset({"ada"}), staying=frozenset({"ada"}))
    held = replace(FACTS, brake=alone, holds={"ada": replace(HOLD, reason=HoldReason.LAST_ADMINISTRATOR)})
    assert take(held, {"ada"}, (), TAKEN) == ()


def test_the_group_is_said_again() -> None:
    facts = replace(
        FACTS,
        holds={
            "ada": HOLD,
            "bob": replace(HOLD, origin="scim:entra"),
            "eve": replace(HOLD, reason=HoldReason.LAST_ADMINISTRATOR),
        },
    )
    (back,) = given_back(facts, {"ada", "bob", "eve", "max"}, "scim:okta")
    assert isinstance(back, DirectoryPersonDecided)
    assert (back.person, back.outcome) == ("ada", HoldOutcome.RETURNED)


MESSAGE = Taken("", "claims:okta", NOW, "hld_2")
SAID = MessageBrake(frozenset({"directory:A", "directory:B"}), frozenset({"directory:A"}), last=True, held=Held())
OURS = replace(HOLD, origin="claims:okta")


def changed(*names: str) -> list[GroupMemberAdded | GroupMemberRemoved]:
    """`+A` is said for the first time, `-A` no more."""
    kinds: dict[str, type[GroupMemberAdded] | type[GroupMemberRemoved]]
    kinds = {"+": GroupMemberAdded, "-": GroupMemberRemoved}
    return [kinds[each[0]](f"directory:{each[1:]}", "ada", "claims:okta", None) for each in names]


def test_a_message_without_the_last_group_holds_its_person() -> None:
    lost, other = changed("-A", "-C")
    events = said_at_sign_in(SAID, "ada", [lost, other], MESSAGE)
    assert [type(each) for each in events] == [GroupMemberRemoved, DirectoryHeld, DirectoryPersonHeld]
    assert events[0] == other
    assert isinstance(events[2], DirectoryPersonHeld)
    assert (events[2].hold, events[2].origin, events[2].reason) == (
        "hld_2",
        "claims:okta",
        HoldReason.LAST_ADMINISTRATORS_GROUP,
    )
    assert said_at_sign_in(replace(SAID, hold=OURS), "ada", [lost, other], MESSAGE) == (other,)


def test_a_message_that_takes_nothing_that_is_missed_is_followed() -> None:
    lost, other = changed("-A", "-C")
    assert said_at_sign_in(replace(SAID, last=False), "ada", [lost, other], MESSAGE) == (lost, other)
    assert said_at_sign_in(SAID, "ada", [other], MESSAGE) == (other,)
    moved = changed("+B", "-A")
    assert said_at_sign_in(SAID, "ada", moved, MESSAGE) == tuple(moved)
    two = replace(SAID, said=frozenset({"directory:A", "directory:B"}))
    assert said_at_sign_in(two, "ada", [lost], MESSAGE) == (lost,)
    nothing = replace(SAID, said=frozenset())
    assert said_at_sign_in(nothing, "ada", [other], MESSAGE) == (other,)


def test_a_message_that_says_the_group_again_ends_its_own_hold() -> None:
    held = replace(SAID, hold=OURS)
    (back,) = said_at_sign_in(held, "ada", [], MESSAGE)
    assert isinstance(back, DirectoryPersonDecided)
    assert back.outcome is HoldOutcome.RETURNED
    assert said_at_sign_in(replace(SAID, hold=HOLD), "ada", [], MESSAGE) == ()
    again = said_at_sign_in(replace(held, said=frozenset()), "ada", changed("+A"), MESSAGE)
    assert [type(each) for each in again] == [GroupMemberAdded, DirectoryPersonDecided]
