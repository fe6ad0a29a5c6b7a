"""Who proposed may carry it out alone where nobody else could have decided: whoever is one hand with them could not."""

from onepam.domain.leaving.brake import DirectoryPersonHeld, HoldReason
from onepam.domain.signing_in.events import EnrolmentAnnounced, EnrolmentUndecided, EnrolmentUsed
from onepam.kernel.clock import DAY, Instant
from tests.ledger.lawful.story import binding
from tests.ledger.lawful.test_factors import key, link, newcomer


def test_one_hand_with_the_proposer_could_not_have_decided() -> None:
    told = newcomer()
    told.add(link(told, enrolment="enr_2"))
    told.add(EnrolmentUsed("enr_2", "zoe", ("ada",)), key("zoe", "zoe"))
    told.change("chg_1", "bob", binding("bnd_zoe", "administrator", "zoe"))
    told.add(DirectoryPersonHeld("hld_1", "bob", "end", HoldReason.MANY, "gone", None, None, None))
    told.add(EnrolmentAnnounced("enr_1", "max", "lost", "ada", Instant(told.at() + 2 * DAY)))
    told.wait(2 * DAY)
    told.sign_in("ada")
    told.add(link(told, "max", "ada", proposed_by="ada"), EnrolmentUndecided("enr_1", "max", "ada"))
    assert told.said() == []
