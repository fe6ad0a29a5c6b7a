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
from onepam.domain.leaving.group_brake import GroupBrake, Taken, given_back, take
from onepam.domain.leaving.leaving import Held
from onepam.domain.people.events import GroupMemberRemoved
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
