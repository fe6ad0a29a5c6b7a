"""Rules of who decides as a manager: not whoever named the manager, for a while."""

from dataclasses import replace

from onepam.domain.people.events import PersonChanged
from onepam.domain.requests.events import DelegationSet, DelegationUsed, RequestApproved
from onepam.domain.reviews.events import Answers
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from tests.ledger.lawful.story import Story
from tests.ledger.lawful.test_asked_when import approved, named, request
from tests.ledger.lawful.test_reviews import decided, review


def test_whoever_named_the_manager_does_not_decide_as_one_for_thirty_days() -> None:
    """Ada names herself; then joe, who names ada to decide for him; what the roster says serves at once."""
    for lasts, right in ((0, False), (30 * DAY - MINUTE, False), (30 * DAY, True)):
        told, asked = named("requester:manager")
        told.add(PersonChanged("eve", "ada", "ada", None, None, "eve", "eve@example.com"))
        told.wait(lasts)
        for who in ("ada", "max", "eve"):
            told.sign_in(who)
        asked = replace(asked, duration=2 * HOUR)
        told.add(request(told, asked, "req_9"))
        said, given = approved(told, asked, approved_by="ada", request="req_9")
        assert isinstance(said, RequestApproved)
        at = told.add(replace(said, by="ada", request="req_9"), given)
        assert told.said() == ([] if right else [(at, "the role manager may not approve this")])


def test_nobody_decides_for_the_manager_whom_they_named() -> None:
    for named_by in ("ada", "bob"):
        told, asked = named("requester:manager")
        told.sign_in("bob")
        told.add(PersonChanged("eve", "ada", None, None, None, "eve", "eve@example.com"))
        told.add(PersonChanged("eve", named_by, "joe", None, None, "eve", "eve@example.com"))
        told.add(DelegationSet("dlg_1", "joe", "ada", told.at(), Instant(told.at() + DAY), ""))
        said, given = approved(told, asked, approved_by="ada")
        assert isinstance(said, RequestApproved)
        at = told.add(replace(said, by="ada"), given, DelegationUsed("dlg_1", "req_1", "joe", "ada", "manager"))
        assert told.said() == ([] if named_by == "bob" else [(at + 2, "joe could not decide on it either")])


def test_whoever_made_themselves_the_manager_decides_on_no_item_as_one_for_thirty_days() -> None:
    for lasts, right in ((0, False), (30 * DAY, True)):
        told = Story().ready("ada", "max")
        told.add(PersonChanged("eve", "ada", "ada", "max", None, "eve", "eve@example.com"))
        told.wait(lasts)
        told.sign_in("ada")
        told.add(review(told))
        at = told.add(decided(by="ada", answers=Answers.MANAGER))
        assert told.said() == ([] if right else [(at, "somebody else decided on it")])
