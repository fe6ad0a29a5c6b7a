"""Reviews attacked by planted entries: one's own reviewer, a removal taken back, a session all the same."""

from dataclasses import replace

from onepam.domain.access.events import BindingEnded
from onepam.domain.reviews.events import Passed, ReviewClosed
from onepam.kernel.clock import MINUTE
from tests.ledger.lawful.story import PROD, Story, binding, resource_set, role_set
from tests.ledger.lawful.test_reviews import NO, PASSED, REMOVE, decided, over, ready, returned, review, taken, withheld
from tests.ledger.lawful.test_sessions import opened
from tests.ledger.lawful.test_sessions import ready as sessions_ready


def test_nobody_who_administers_names_who_decides_on_their_own_access() -> None:
    told = ready(fallback=None)
    item = replace(PASSED, person="ada", role="administrator", because=Passed.ASSIGNED)
    at = told.add(item)
    told.add(replace(item, by="bob", to="max"))
    told.change("chg_9", "ada", BindingEnded("bnd_bob_administrator", "binding.removed", "", None))
    told.add(replace(item, to="max"))  # nobody else is there who could
    assert told.said() == [(at, "they named who decides on their own access")]


def test_what_silence_took_is_passed_on_late() -> None:
    told = over(ready())
    told.add(*taken(), ReviewClosed("rev_1", 0, 0, 8))
    told.add(PASSED)
    at = told.add(replace(PASSED, person="bob", role="administrator", by="ada", to="max"))
    assert told.said() == [(at, "no such item of a review waited")]


def test_a_removal_stands_though_another_review_keeps_it() -> None:
    told = ready()
    told.add(review(told, review="rev_2"))
    told.add(NO, withheld())
    told.add(decided(verdict=REMOVE, name="rev_2"))
    at = told.add(decided(), returned())
    told.add(NO, withheld())
    told.add(decided(verdict=REMOVE, name="rev_2"))
    told.add(decided(name="rev_2"))
    told.add(decided(), returned())
    assert told.said() == [(at + 1, "another review's removal stood")]


def test_no_session_is_opened_by_a_role_that_is_withheld() -> None:
    told = sessions_ready()
    shown = told.rows[-1].time
    told.add(review(told, fallback=None))
    told.add(opened(told, shown=shown))
    told.add(NO, withheld())
    at = told.add(opened(told, session="ses_2", shown=shown))
    assert told.said() == [(at, "eve did not hold the role engineer by that binding")]


def test_nobody_reaches_a_resource_by_a_role_that_is_withheld_from_all_who_have_it() -> None:
    for removed, whys in ((True, []), (False, ["somebody reaches it, and nobody else had approved the change"])):
        told = Story().ready("ada", "bob")
        far = role_set("far", [replace(PROD, where={"team": "y"})])
        told.change("chg_1", "ada", far, binding("bnd_far", "far", "eve"))
        told.add(review(told))
        if removed:
            told.add(decided(role="far", verdict=REMOVE), withheld(role="far"))
        told.change("chg_2", "ada", resource_set("far-1", {"team": "y"}), alone=True)
        assert [why for _, why in told.said()] == whys


def test_what_administers_is_removed_under_a_fresh_factor() -> None:
    told = ready()
    told.wait(10 * MINUTE)
    at = told.add(decided("bob", "administrator", REMOVE), withheld("bob", "administrator"))
    told.add(NO, withheld())
    assert told.said() == [(at, "ada had shown no second factor within 5 minutes")]
