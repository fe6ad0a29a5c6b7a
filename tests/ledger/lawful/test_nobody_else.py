"""Who proposed may carry it out alone where nobody else could have decided: whoever is one hand with them could not."""

from onepam.domain.people.events import PersonEnabled
from onepam.domain.signing_in.events import EnrolmentUndecided, EnrolmentUsed
from onepam.kernel.clock import DAY
from tests.ledger.lawful.test_factors import alone, key, link


def test_one_hand_with_the_proposer_could_not_have_decided() -> None:
    told = alone()
    told.add(PersonEnabled("bob", "ada", "back"))
    told.add(link(told, "bob", enrolment="enr_2"))
    told.add(EnrolmentUsed("enr_2", "bob", ("ada",)), key("bob", "bob"))
    told.wait(2 * DAY)
    told.sign_in("ada")
    at = told.add(link(told, "max", "ada", proposed_by="ada"), EnrolmentUndecided("enr_1", "max", "ada"))
    assert at not in dict(told.said())
