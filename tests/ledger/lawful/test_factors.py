"""Rules of factors, links and exceptions: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.access.events import BindingEnded
from onepam.domain.leaving.brake import DirectoryPersonDecided, DirectoryPersonHeld, HoldOutcome, HoldReason
from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonKind
from onepam.domain.providers.events import IdentityLinked
from onepam.domain.signing_in.events import (
    EnrolmentAnnounced,
    EnrolmentEnded,
    EnrolmentOpened,
    EnrolmentProposed,
    EnrolmentUndecided,
    EnrolmentUsed,
    FactorEnrolled,
    FactorKind,
    FactorRemoved,
    FactorUsed,
)
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from tests.ledger.lawful.story import Story, binding
from tests.ledger.lawful.test_providers import with_provider

STALE = "ada had shown no second factor within 5 minutes"
SHORT = {
    "COULD": "bob could have decided",
    "ONLY": "it was the only second factor",
    "NO_SECOND": "no second factor was enrolled by it",
    "LEAVES": "it leaves a factor that it replaces",
}
TWICE = "replacing the factors of somebody trusted takes two administrators"


def key(who: str, by: str | None, kind: FactorKind = FactorKind.PASSKEY) -> FactorEnrolled:
    return FactorEnrolled("fac_new", who, kind, "", None, by)


def other(who: str, by: str | None, kind: FactorKind = FactorKind.PASSKEY) -> FactorEnrolled:
    return replace(key(who, by, kind), factor="fac_other")


def gone(who: str, by: str | None = None) -> tuple[FactorRemoved, ...]:
    """The factors that everybody begins with."""
    return tuple(FactorRemoved(f"fac_{who}_{each}", who, "replaced", by or who) for each in ("password", "totp"))


def link(told: Story, who: str = "zoe", by: str | None = "ada", **other: object) -> EnrolmentOpened:
    values: dict[str, object] = {"enrolment": "enr_1", "expires": Instant(told.at() + DAY), **other}
    return EnrolmentOpened(person=who, because="new", by=by, **values)  # type: ignore[arg-type]


def alone() -> Story:
    """Ada alone administers, and has announced new factors of max."""
    told = Story().ready("ada")
    told.add(PersonDisabled("bob", "ada", "left"))
    told.add(EnrolmentAnnounced("enr_1", "max", "lost", "ada", Instant(told.at() + 2 * DAY)))
    return told


def newcomer(*people: str) -> Story:
    """Zoe was added, and has nothing yet."""
    told = Story().ready(*(people or ("ada", "bob")))
    told.add(PersonAdded("zoe", PersonKind.EMPLOYEE, "joined", "ada", None, None))
    return told


def test_a_newcomer_enrols_by_a_link() -> None:
    told = newcomer()
    told.add(link(told))
    told.add(EnrolmentUsed("enr_1", "zoe", ("ada",)), key("zoe", "zoe"))
    told.add(FactorUsed("fac_new", "zoe", 0))
    told.add(FactorUsed("fac_new", "zoe", 0))
    told.add(FactorUsed("fac_new", "zoe", 7))
    assert told.said() == []
    at = told.add(FactorUsed("fac_new", "zoe", 7))
    then = told.add(FactorUsed("fac_new", "zoe", 6))
    assert told.said() == [
        (at, "this passkey's signature counter had been there before"),
        (then, "this passkey's signature counter had been there before"),
    ]


def test_a_link_lets_nobody_but_its_person_enrol() -> None:
    told = newcomer()
    told.add(link(told))
    at = told.add(EnrolmentUsed("enr_1", "zoe", ("ada",)), key("zoe", None), other("zoe", "ada"))
    assert told.said() == [(at + 2, "only its person enrols a factor")]


def test_ones_own_factors_under_a_fresh_one() -> None:
    told = Story().ready("ada")
    told.add(key("ada", "ada"))
    told.add(FactorRemoved("fac_new", "ada", "removed", "ada"))
    assert told.said() == []
    told.wait(6 * MINUTE)
    at = told.add(key("ada", "ada"))
    then = told.add(FactorRemoved("fac_new", "ada", "removed", "ada"))
    assert told.said() == [(at, STALE), (then, STALE)]


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (key("nobody", "ada"), "there was no account nobody"),
        (key("eve", "ada"), "only its person enrols a factor"),
        (key("eve", None), "only its person enrols a factor"),
        (key("eve", "eve"), "eve was not signed in"),
        (FactorRemoved("fac_eve_totp", "eve", "x", "ada"), "only its person removes a factor"),
        (FactorRemoved("fac_eve_totp", "eve", "x", "eve"), "eve was not signed in|ONLY"),
        (FactorRemoved("fac_none", "nobody", "x", None), "there was no such factor of the person"),
        (FactorUsed("fac_none", "ada", 1), "there was no such factor of the person"),
        (FactorUsed("fac_ada_totp", "ada", 1), "this code had served before"),
        (EnrolmentProposed("enr_1", "eve", "lost", "joe"), "joe was not signed in"),
        (
            EnrolmentAnnounced("enr_1", "eve", "lost", "ada", Instant(0)),
            "COULD|it is due within two days",
        ),
        (EnrolmentEnded("enr_1", "eve", "x", "ada"), "there was no such link or proposal"),
        (EnrolmentUsed("enr_1", "eve", ()), "there was no such link, or it had served|NO_SECOND|LEAVES|LEAVES"),
        (EnrolmentUsed("enr_1", "nobody", ()), "there was no account nobody|there was no such link, or it had served"),
    ],
)
def test_factors_are_not_for_others(planted: object, why: str) -> None:
    told = Story().ready("ada")
    at = told.add(planted)
    assert told.said() == [(at, SHORT.get(each, each)) for each in why.split("|")]


def test_a_services_keys_are_an_administrators() -> None:
    told = Story().ready("ada")
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    told.add(key("bot", "ada", FactorKind.SSH_KEY))
    told.add(FactorRemoved("fac_new", "bot", "removed", "ada"))
    assert told.said() == []
    at = told.add(key("bot", "ada", FactorKind.PASSWORD))
    then = told.add(FactorRemoved("fac_new", "bot", "removed", "joe"))
    assert told.said() == [(at, "a service account has keys only"), (then, "joe was not signed in")]


def test_a_recovery_code_serves_once_and_gives_a_link() -> None:
    told = Story().ready("ada")
    told.add(key("ada", "ada", FactorKind.RECOVERY))
    told.add(FactorUsed("fac_new", "ada", 3), link(told, "ada", None))
    assert told.said() == []
    at = told.add(FactorUsed("fac_new", "ada", 3))
    assert told.said() == [(at, "this recovery code had served before")]


def test_a_link_is_an_administrators_and_for_a_day() -> None:
    told = newcomer("ada", "joe")
    at = told.add(link(told, by="joe"))
    long = told.add(link(told, enrolment="enr_2", expires=Instant(told.at() + 2 * DAY)))
    none = told.add(link(told, enrolment="enr_3", by=None))
    own = told.add(link(told, enrolment="enr_4", by="zoe"))
    assert told.said() == [
        (at, "joe held no role with the right to administer"),
        (long, "it lasts longer than any link"),
        (none, "it is on nobody's word, and no recovery code was used"),
        (own, "no identity provider lets its people enrol a first factor"),
    ]


def test_a_provider_lets_its_people_enrol() -> None:
    told = with_provider()
    told.add(PersonAdded("zoe", PersonKind.EMPLOYEE, "joined", "ada", None, None))
    told.add(IdentityLinked("idn_1", "idp", "zoe", "address", None))
    told.add(link(told, by="zoe"))
    told.add(EnrolmentUsed("enr_1", "zoe", ()), key("zoe", "zoe"))
    assert told.said() == []


def test_the_factors_of_somebody_trusted_take_two() -> None:
    told = Story().ready("ada", "bob")
    at = told.add(link(told, "max"))
    assert told.said() == [(at, TWICE)]

    told = Story().ready("ada", "bob")
    told.add(EnrolmentProposed("enr_1", "max", "lost", "ada"))
    told.add(link(told, "max", "bob", proposed_by="ada"))
    told.add(
        EnrolmentUsed("enr_1", "max", ("bob", "ada")),
        *gone("max"),
        replace(key("max", "max"), privileged_from=Instant(told.at() + HOUR)),
    )
    assert told.said() == []


def test_a_link_that_one_made_replaces_nothing_of_somebody_trusted_by_now() -> None:
    told = Story().found({"ada": ("administrator",), "bob": ("administrator",), "joe": ()})
    for who in ("ada", "bob", "joe"):
        told.enrol(who)
    told.sign_in("ada", "sgn_ada")
    told.add(link(told, "joe"))
    told.change("chg_1", "ada", binding("bnd_joe", "manager", "joe"))
    fresh = replace(key("joe", "joe"), privileged_from=Instant(told.at() + HOUR))
    at = told.add(EnrolmentUsed("enr_1", "joe", ("ada",)), *gone("joe"), fresh)
    assert told.said() == [(at, TWICE)]


@pytest.mark.parametrize(
    ("by", "first", "who", "why"),
    [
        ("ada", "ada", "max", "ada had proposed it"),
        ("bob", "max", "max", "it is not what was proposed"),
        ("joe", "ada", "max", "joe was not signed in"),
        ("bob", "ada", "eve", "it is not what was proposed"),
    ],
)
def test_a_proposed_link_is_another_administrators(by: str, first: str, who: str, why: str) -> None:
    told = Story().ready("ada", "bob")
    told.add(EnrolmentProposed("enr_1", "max", "lost", "ada"))
    at = told.add(link(told, who, by, proposed_by=first))
    assert told.said() == [(at, why)]


def test_nobody_decides_on_a_link_for_themselves() -> None:
    told = Story().ready("ada", "bob")
    told.add(EnrolmentProposed("enr_1", "bob", "lost", "ada"))
    at = told.add(link(told, "bob", "bob", proposed_by="ada"))
    assert told.said() == [(at, "it is for bob")]


def test_a_link_that_was_announced_is_its_proposers_once_it_is_due() -> None:
    told = alone()
    told.wait(2 * DAY)
    told.sign_in("ada")
    told.add(link(told, "max", "ada", proposed_by="ada"), EnrolmentUndecided("enr_1", "max", "ada"))
    assert told.said() == []
    told = alone()
    at = told.add(link(told, "max", "ada", proposed_by="ada"), EnrolmentUndecided("enr_1", "max", "ada"))
    assert told.said() == [(at, "its proposer may carry it out alone only later")]


@pytest.mark.parametrize("could", [True, False])
def test_whoever_else_could_decide_by_then_had_to(could: bool) -> None:
    told = Story().ready("ada")
    told.add(DirectoryPersonHeld("hld_1", "bob", "end", HoldReason.MANY, "gone", None, None, None))
    told.add(EnrolmentAnnounced("enr_1", "max", "lost", "ada", Instant(told.at() + 2 * DAY)))
    if could:
        told.add(DirectoryPersonDecided("hld_1", "bob", HoldOutcome.KEPT, "ada", "back"))
    told.wait(2 * DAY)
    told.sign_in("ada")
    at = told.add(link(told, "max", "ada", proposed_by="ada"), EnrolmentUndecided("enr_1", "max", "ada"))
    assert told.said() == [(at, "bob could have decided")] * could


def test_a_link_falls_with_whoever_made_it_and_a_proposal_with_the_right_of_whose_it_is() -> None:
    told = newcomer()
    told.add(link(told))
    told.add(PersonDisabled("ada", "bob", "left"))
    at = told.add(EnrolmentUsed("enr_1", "zoe", ("ada",)), key("zoe", "zoe"))
    assert told.said() == [(at, "the account ada was disabled")]
    told = Story().ready("ada", "bob")
    told.add(EnrolmentProposed("enr_1", "max", "lost", "ada"))
    told.change("chg_1", "bob", BindingEnded("bnd_ada_administrator", "over", "chg_1", "bob"))
    at = told.add(link(told, "max", "bob", proposed_by="ada"))
    assert told.said() == [(at, "its proposer had lost the right to propose it")]


def test_a_link_ends_by_those_whom_it_concerns() -> None:
    told = newcomer()
    told.add(link(told, enrolment="enr_2"))
    told.add(EnrolmentEnded("enr_2", "zoe", "x", "bob"))
    told.add(EnrolmentProposed("enr_3", "max", "lost", "ada"))
    told.add(EnrolmentEnded("enr_3", "max", "x", "max"))
    told.add(link(told, enrolment="enr_4"))
    told.add(
        PersonDisabled("zoe", "ada", "left", "administrator", None, None), EnrolmentEnded("enr_4", "zoe", "x", "ada")
    )
    assert told.said() == []
    told = newcomer()
    told.add(link(told))
    at = told.add(EnrolmentEnded("enr_1", "zoe", "x", None))
    told.add(link(told, enrolment="enr_2"))
    then = told.add(EnrolmentEnded("enr_2", "zoe", "x", "joe"))
    told.add(EnrolmentProposed("enr_3", "max", "lost", "ada"))
    last = told.add(EnrolmentEnded("enr_3", "max", "x", None))
    assert told.said() == [
        (at, "it is on nobody's word, and its people were there"),
        (then, "joe was not signed in"),
        (last, "it is on nobody's word, had not lapsed, and its people were there"),
    ]


@pytest.mark.parametrize(
    ("used", "why"),
    [
        (EnrolmentUsed("enr_1", "eve", ("ada",)), "the link is for somebody else"),
        (EnrolmentUsed("enr_1", "zoe", ()), "it does not name those who made the link"),
    ],
)
def test_a_link_serves_its_person_and_names_its_makers(used: object, why: str) -> None:
    told = newcomer()
    told.add(link(told))
    at = told.add(used)
    found = told.said()
    assert (at, why) in found
    assert {each for each, _ in found} == {at}


def test_a_link_lapses_and_serves_once() -> None:
    told = newcomer()
    told.add(link(told))
    told.wait(2 * DAY)
    at = told.add(EnrolmentUsed("enr_1", "zoe", ("ada",)), key("zoe", "zoe"))
    assert told.said() == [(at, "the link had lapsed")]
    told = newcomer()
    told.add(link(told))
    told.add(EnrolmentUsed("enr_1", "zoe", ("ada",)), key("zoe", "zoe"))
    until = Instant(told.at() + HOUR)
    at = told.add(
        EnrolmentUsed("enr_1", "zoe", ("ada",)),
        FactorRemoved("fac_new", "zoe", "x", "zoe"),
        replace(other("zoe", "zoe"), privileged_from=until),
    )
    assert told.said() == [(at, "there was no such link, or it had served")]


def test_what_replaces_a_factor_of_somebody_trusted_opens_nothing_privileged_for_an_hour() -> None:
    told = Story().ready("ada", "bob")
    told.add(EnrolmentProposed("enr_1", "max", "lost", "ada"))
    told.add(link(told, "max", "bob", proposed_by="ada"))
    at = told.add(EnrolmentUsed("enr_1", "max", ("bob", "ada")), *gone("max"), key("max", "max"))
    why = "what replaces a factor of somebody trusted opens nothing privileged for an hour, and it does not say so"
    assert told.said() == [(at + 3, why)]


def test_a_link_names_makers_whom_nobody_knows() -> None:
    told = newcomer()
    told.add(link(told))
    at = told.add(EnrolmentUsed("enr_1", "zoe", ("nobody",)), key("zoe", "zoe"))
    none = told.add(EnrolmentUsed("enr_2", "nobody", ("ada",)))
    assert told.said() == [
        (at, "it does not name those who made the link"),
        (none, "there was no account nobody"),
        (none, "there was no such link, or it had served"),
    ]


def test_a_factor_of_somebody_unknown_is_none() -> None:
    told = Story().ready("ada")
    at = told.add(FactorRemoved("fac_eve_totp", "max", "x", "max"))
    assert told.said() == [(at, "there was no such factor of the person")]


def test_factors_go_with_the_account() -> None:
    told = Story().ready("ada")
    told.add(
        PersonDisabled("eve", "ada", "left", "administrator", None, None),
        FactorRemoved("fac_eve_totp", "eve", "person.disabled", "ada"),
    )
    assert told.said() == []
