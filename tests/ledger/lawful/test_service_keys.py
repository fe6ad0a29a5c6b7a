"""Keys of service accounts that reach what is privileged: two administrators register one."""

from dataclasses import replace

import pytest

from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.signing_in.events import EnrolmentUsed, FactorEnrolled, FactorKind, FactorRemoved
from onepam.kernel.clock import DAY, FOREVER, Instant
from tests.ledger.lawful.story import Story, binding

ALONE = FactorEnrolled("fac_1", "bot", FactorKind.SSH_KEY, "", FOREVER, "ada")
BOTH = FactorEnrolled("fac_2", "bot", FactorKind.SSH_KEY, "", None, "bob")
WHY = "one administrator registered a key of what reaches something privileged, and it does not say so"


def company() -> Story:
    """A service account that may reach production; ada and bob administer."""
    told = Story().ready("ada", "bob")
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    told.change("chg_1", "ada", binding("bnd_bot", "engineer", "bot"))
    return told


def test_the_word_of_two_on_one_key() -> None:
    told = company()
    told.add(ALONE)
    told.add(FactorRemoved("fac_1", "bot", "confirmed", "bob"), BOTH)
    assert told.said() == []


@pytest.mark.parametrize("by", ["ada", "bob"])
def test_the_word_of_one_is_none_of_two(by: str) -> None:
    """Also where they register it twice, or are one hand."""
    told = company()
    at = told.add(replace(ALONE, privileged_from=None))
    assert told.said() == [(at, WHY)]
    told = company()
    told.add(ALONE)
    if by == "bob":
        told.add(EnrolmentUsed("enr_9", "bob", ("ada",)))
    at = told.add(FactorRemoved("fac_1", "bot", "confirmed", by), replace(BOTH, by=by)) + 1
    assert (at, WHY) in told.said()
