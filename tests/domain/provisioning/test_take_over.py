"""Accounts that were made by hand: who lets a directory lead them, and what of its word is followed then."""

from dataclasses import replace

from onepam.domain.history.commit import Decided
from onepam.domain.people.events import GroupMemberAdded, PersonChanged
from onepam.domain.provisioning.events import AccountTakenOver, ScimUserSet
from onepam.domain.provisioning.take_over import Shown, TakeoverFacts, agree_takeover
from onepam.domain.provisioning.users import put_user
from onepam.kernel.clock import DAY, Instant
from tests.domain.given import ADMINISTRATOR, present
from tests.domain.given import NOW as GIVEN
from tests.domain.provisioning.test_provisioning import (
    CHANGE,
    EVE,
    FACTS,
    NEW,
    NOW,
    THERE,
    code,
    events,
    known,
    last,
    wished,
)

SHOWN = Shown("usr_1", 1, "per_eve")


def test_an_account_that_was_made_by_hand_waits_for_an_administrator() -> None:
    by_hand = replace(FACTS, namesake=EVE)
    waits = put_user(by_hand, wished(NEW, name="Mallory"), NOW)
    assert [type(each) for each in events(waits)] == [ScimUserSet]
    kept = last(waits)
    assert (kept.person, kept.trouble, kept.waits_for) == (None, "takeover", "per_eve")
    assert last(put_user(replace(by_hand, agreed=True), NEW, NOW)).person == "per_eve"

    facts = TakeoverFacts(present("ada", ADMINISTRATOR), kept, EVE, False, ("directory:A",))
    done = agree_takeover(facts, SHOWN, GIVEN)
    assert isinstance(done, Decided)
    assert done.result == "per_eve"
    assert [type(each) for each in done.events] == [AccountTakenOver, ScimUserSet, GroupMemberAdded]
    assert done.events[1] == replace(kept, person="per_eve", trouble="", version=2, waits_for=None)
    for other in (
        replace(facts, user=None),
        replace(facts, user=replace(kept, trouble="")),
        replace(facts, namesake=None),
        replace(facts, namesake=known(EVE, enabled=False)),
        replace(facts, led_to=True),
    ):
        assert code(agree_takeover(other, SHOWN, GIVEN)) == "takeover.unknown"
    for seen in (replace(SHOWN, version=2), replace(SHOWN, person="per_bob")):
        assert code(agree_takeover(facts, seen, GIVEN)) == "takeover.changed"
    assert code(agree_takeover(replace(facts, actor=present("eve")), SHOWN, GIVEN)) == "right.missing"
    stale = replace(facts.actor, mfa_at=Instant(GIVEN - DAY))
    assert code(agree_takeover(replace(facts, actor=stale), SHOWN, GIVEN)) == "factor.stale"


def test_an_address_is_followed_for_whom_the_directory_brought_and_who_was_trusted_with_nothing() -> None:
    change = wished(CHANGE, email="other@x.example", name="Eva")
    for there, address, trouble in (
        (replace(THERE, person=replace(EVE, origin="scim:okta")), "other@x.example", ""),
        (replace(THERE, person=replace(EVE, origin="claims:okta")), "other@x.example", ""),
        (
            replace(THERE, person=replace(EVE, origin="scim:okta"), trusted=True),
            "eve@x.example",
            "address_not_followed",
        ),
        (replace(THERE, person=replace(EVE, origin="scim:entra")), "eve@x.example", "address_not_followed"),
        (THERE, "eve@x.example", "address_not_followed"),
    ):
        done = put_user(there, change, NOW)
        (changed,) = (each for each in events(done) if isinstance(each, PersonChanged))
        assert (changed.name, changed.email, last(done).trouble) == ("Eva", address, trouble)
