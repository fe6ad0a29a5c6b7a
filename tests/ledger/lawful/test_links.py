"""Rules of factors and links, beside `test_factors.py`: what a link replaces, and what serves once."""

from dataclasses import replace

import pytest

from onepam.domain.matrix.events import ChangeProposed
from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonKind
from onepam.domain.providers.events import IdentityLinked
from onepam.domain.signing_in.events import (
    EnrolmentAnnounced,
    EnrolmentEnded,
    EnrolmentProposed,
    EnrolmentUsed,
    FactorEnrolled,
    FactorKind,
    FactorRemoved,
    FactorUsed,
    SignedOut,
)
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from tests.ledger.lawful.story import Story, binding
from tests.ledger.lawful.test_factors import alone, gone, key, link, newcomer, other
from tests.ledger.lawful.test_providers import WANTED, with_provider

ANSWERED = "this passkey's answer had served before"


def test_an_answer_of_a_passkey_serves_once_within_a_quarter_of_an_hour() -> None:
    told = Story().ready("ada")
    told.add(replace(key("ada", "ada"), challenge="c"))
    at = told.add(FactorUsed("fac_new", "ada", 0, "c"))
    then = told.add(FactorUsed("fac_new", "ada", 0, "d"))
    again = told.add(replace(other("ada", "ada"), challenge="d"))
    assert then
    assert told.said() == [(at, ANSWERED), (again, ANSWERED)]
    told = Story().ready("ada")
    told.add(replace(key("ada", "ada"), challenge="c"))
    at = told.add(replace(other("ada", "ada"), challenge="c"))
    assert told.said() == [(at, ANSWERED)]
    told = Story().ready("ada")
    told.add(replace(key("ada", "ada"), challenge="c"))
    told.wait(15 * MINUTE)
    told.add(FactorUsed("fac_new", "ada", 0, "c"))
    assert told.said() == []


def test_a_factor_is_one_and_nobody_has_more_than_twenty() -> None:
    told = Story().ready("ada")
    told.add(key("ada", "ada"))
    at = told.add(key("ada", "ada"))
    assert told.said() == [(at, "there was such a factor already")]
    told = Story().ready("ada")
    for number in range(18):
        told.add(replace(key("ada", "ada"), factor=f"fac_{number}"))
    assert told.said() == []
    at = told.add(key("ada", "ada"))
    assert told.said() == [(at, "there were 20 factors already")]


def test_neither_a_password_nor_the_only_second_factor_is_removed() -> None:
    told = Story().ready("ada")
    at = told.add(FactorRemoved("fac_ada_password", "ada", "removed", "ada"))
    assert told.said() == [(at, "nobody removes a password")]
    told = Story().ready("ada")
    at = told.add(FactorRemoved("fac_ada_totp", "ada", "removed", "ada"))
    assert told.said() == [(at, "it was the only second factor")]


def test_a_key_is_of_a_service_that_works_and_is_not_used_as_a_passkey() -> None:
    told = Story().ready("ada")
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    told.add(PersonDisabled("bot", "ada", "over"))
    at = told.add(key("bot", "ada", FactorKind.SSH_KEY))
    assert told.said() == [(at, "the account bot was disabled")]
    told = Story().ready("ada")
    at = told.add(FactorUsed("fac_ada_password", "ada", 1))
    assert told.said() == [(at, "a password is not used so")]


def test_one_confirmation_of_a_key_bears_one_key() -> None:
    told = Story().ready("ada", "bob")
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    told.change("chg_1", "ada", binding("bnd_bot", "engineer", "bot"))
    told.add(replace(key("bot", "ada", FactorKind.SSH_KEY), privileged_from=Instant(9007199254740991)))
    second = other("bot", "bob", FactorKind.SSH_KEY)
    at = told.add(FactorRemoved("fac_new", "bot", "confirmed", "bob"), second, replace(second, factor="fac_third"))
    why = "one administrator registered a key of what reaches something privileged, and it does not say so"
    assert told.said() == [(at + 2, why)]


def replacing(left: str = "") -> tuple[Story, int]:
    """Eve enrols anew by a link that two agreed to, and leaves something of before; where the link was used."""
    told = Story().ready("ada", "bob", "eve")
    told.add(EnrolmentProposed("enr_1", "eve", "lost", "ada"))
    told.add(link(told, "eve", "bob", proposed_by="ada"))
    told.add(link(told, "eve", None, enrolment="enr_2")) if left == "spare" else None
    until = Instant(told.at() + HOUR)
    kind = FactorKind.PASSWORD if left == "second" else FactorKind.PASSKEY
    new = replace(key("eve", "eve", kind), privileged_from=until)
    out = () if left == "sign-in" else (SignedOut("sgn_eve", "eve", "factors.replaced", "eve"),)
    removed = [each for each in gone("eve") if left not in each.factor or not left]
    return told, told.add(EnrolmentUsed("enr_1", "eve", ("bob", "ada")), *removed, new, *out)


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ("totp", "it leaves a factor that it replaces"),
        ("sign-in", "it leaves a sign-in of before"),
        ("second", "no second factor was enrolled by it"),
    ],
)
def test_a_link_leaves_nothing_of_what_it_replaces(left: str, why: str) -> None:
    told, at = replacing(left)
    assert told.said() == [(at, why)]


def test_a_link_that_serves_ends_the_others() -> None:
    assert replacing()[0].said() == []
    told = newcomer()
    told.add(link(told))
    told.add(link(told, enrolment="enr_2"))
    at = told.add(EnrolmentUsed("enr_1", "zoe", ("ada",)), key("zoe", "zoe"))
    assert told.said() == [(at, "it leaves another link")]
    told = newcomer()
    told.add(link(told))
    told.add(link(told, enrolment="enr_2"))
    told.add(
        EnrolmentUsed("enr_1", "zoe", ("ada",)),
        EnrolmentEnded("enr_2", "zoe", "another link served", "zoe"),
        key("zoe", "zoe"),
    )
    assert told.said() == []


def test_a_link_ends_by_its_person_who_is_signed_in_and_by_nobody_else() -> None:
    told = Story().ready("ada", "bob", "joe")
    told.add(link(told, "joe"))
    told.add(EnrolmentEnded("enr_1", "joe", "x", "joe"))
    told.add(link(told, "joe"))
    assert told.said() == []
    told = newcomer()
    told.add(link(told))
    at = told.add(EnrolmentEnded("enr_1", "zoe", "x", "zoe"))
    assert told.said() == [(at, "zoe was not signed in")]
    told = newcomer()
    told.add(link(told))
    at = told.add(EnrolmentEnded("enr_1", "joe", "x", "bob"))
    assert told.said() == [(at, "the link is for somebody else, and made by others")]


def test_a_link_ends_by_itself_once_its_people_have_left() -> None:
    told = newcomer()
    told.add(link(told))
    told.add(PersonDisabled("ada", "bob", "left"))
    told.add(EnrolmentEnded("enr_1", "zoe", "person.disabled", None))
    assert told.said() == []


def test_a_sign_in_that_has_run_out_is_none_of_before() -> None:
    told = Story().ready("eve")
    told.wait(11 * HOUR)
    told.sign_in("ada", "sgn_ada")
    told.sign_in("bob", "sgn_bob")
    told.add(EnrolmentProposed("enr_1", "eve", "lost", "ada"))
    told.add(link(told, "eve", "bob", proposed_by="ada"))
    new = replace(key("eve", "eve"), privileged_from=Instant(told.at() + HOUR))
    told.add(EnrolmentUsed("enr_1", "eve", ("bob", "ada")), *gone("eve"), new)
    assert told.said() == []


def test_a_link_is_one_and_no_machines() -> None:
    told = newcomer()
    told.add(link(told))
    at = told.add(link(told))
    assert told.said() == [(at, "there was such a link already")]
    told = newcomer()
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    at = told.add(link(told, "bot"))
    assert told.said() == [(at, "a service account enrols nothing")]
    at = told.add(EnrolmentProposed("enr_9", "bot", "lost", "ada"))
    assert told.said()[1:] == [(at, "a service account signs in nowhere, and enrols nothing")]


def test_one_proposal_of_a_link_waits_at_a_time_and_nobody_announces_their_own() -> None:
    told = Story().ready("ada", "bob")
    told.add(EnrolmentProposed("enr_1", "max", "lost", "ada"))
    at = told.add(EnrolmentProposed("enr_2", "max", "lost", "bob"))
    assert told.said() == [(at, "a link for them waited for a decision already")]
    told = Story().ready("ada", "bob")
    told.add(EnrolmentProposed("enr_1", "max", "lost", "ada"))
    told.wait(DAY)
    told.sign_in("bob")
    told.add(EnrolmentProposed("enr_2", "max", "lost", "bob"))
    at = told.add(EnrolmentProposed("enr_3", "nobody", "lost", "bob"))
    assert told.said() == [(at, "there was no account nobody")]
    told = Story().ready("ada")
    at = told.add(EnrolmentAnnounced("enr_1", "max", "lost", "ada", Instant(told.at() + 2 * DAY)))
    assert told.said() == [(at, "bob could have decided")]
    told = Story().ready("ada")
    told.add(PersonDisabled("bob", "ada", "left"))
    told.add(PersonDisabled("max", "ada", "left"))
    at = told.add(EnrolmentAnnounced("enr_1", "max", "lost", "ada", Instant(told.at() + 2 * DAY)))
    assert told.said() == [(at, "the account max was disabled")]
    told = Story().ready("ada")
    told.add(PersonDisabled("bob", "ada", "left"))
    at = told.add(EnrolmentAnnounced("enr_1", "ada", "lost", "ada", Instant(told.at() + 2 * DAY)))
    assert told.said() == [(at, "nobody announces it for themselves")]


def test_a_link_of_ones_own_is_for_a_first_factor_of_somebody_who_administers_nothing() -> None:
    told = with_provider()
    told.add(IdentityLinked("idn_1", "idp", "eve", "address", None))
    at = told.add(link(told, "eve", "eve"))
    assert told.said() == [(at, "it is not the first factor of their own")]
    told = with_provider()
    told.add(PersonAdded("zoe", PersonKind.EMPLOYEE, "joined", "ada", None, None))
    told.add(IdentityLinked("idn_1", "idp", "zoe", "address", None))
    told.change("chg_9", "ada", binding("bnd_zoe", "operator", "zoe"))
    at = told.add(link(told, "zoe", "zoe"))
    assert told.said() == [(at, "zoe held something administrative: an administrator makes the link")]


def test_whoever_signs_in_through_a_provider_needs_no_password() -> None:
    told = with_provider()
    told.add(PersonAdded("zoe", PersonKind.EMPLOYEE, "joined", "ada", None, None))
    told.add(IdentityLinked("idn_1", "idp", "zoe", "address", None))
    told.add(link(told))
    password = FactorEnrolled("fac_p", "zoe", FactorKind.PASSWORD, "", None, "zoe")
    at = told.add(EnrolmentUsed("enr_1", "zoe", ("ada",)), password, key("zoe", "zoe"))
    assert told.said() == [(at + 1, "the person signs in through an identity provider, and needs no password")]


def test_a_recovery_code_bears_one_link() -> None:
    told = Story().ready("ada")
    told.add(key("ada", "ada", FactorKind.RECOVERY))
    at = told.add(FactorUsed("fac_new", "ada", 3), link(told, "ada", None), link(told, "ada", None, enrolment="enr_2"))
    assert told.said() == [(at + 2, "it is on nobody's word, and no recovery code was used")]


def test_a_link_that_was_made_alone_says_so() -> None:
    told = alone()
    told.wait(2 * DAY)
    told.sign_in("ada")
    at = told.add(link(told, "max", "ada", proposed_by="ada"))
    assert told.said() == [(at, "it does not say that nobody else decided")]


def plan(document: str) -> ChangeProposed:
    return ChangeProposed("chg_1", "d0", document, False, "ada", "changes", "text")


def lost(who: str) -> EnrolmentProposed:
    return EnrolmentProposed("enr_1", who, "lost", "ada")


@pytest.mark.parametrize(
    ("first", "second"),
    [(lost("max"), lost("eve")), (plan("d1"), plan("d2")), (WANTED, replace(WANTED, name="Another"))],
)
def test_what_a_proposal_says_never_changes_under_it(first: object, second: object) -> None:
    told = Story().ready("ada")
    told.add(first)
    at = told.add(second)
    assert told.said() == [(at, "such a proposal waited already")]
