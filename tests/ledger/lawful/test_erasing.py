"""Rules of erasing: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.history.system import PayloadsErased
from onepam.domain.leaving.erasure_events import ErasureApproved, ErasureEnded, ErasureFinished, ErasureProposed
from onepam.domain.people.events import PersonChanged, PersonDisabled, PersonEnabled, PersonKind
from onepam.domain.provisioning.events import AccountTakenOver
from onepam.domain.requests.events import GrantEnded
from onepam.domain.roster.events import RosterEntrySet, RosterLinked, RosterSourceSet, RosterTaken
from onepam.domain.signing_in.events import FactorKind, SignInFailed
from onepam.kernel.clock import DAY, HOUR, Instant
from tests.ledger.lawful.story import Story
from tests.ledger.lawful.test_provisioning import USER, with_token

PROPOSED = ErasureProposed("ers_1", "eve", "ada", "asked for it", 30, (0, 9), {})
APPROVED = ErasureApproved("ers_1", "eve", "asked for it", "ada", "bob")
ADDED, FILE = 6, 9
"""Where eve was added, and the founding file was proposed."""
ERASED = PayloadsErased("ers_1", "eve", (ADDED,), naming=False)
FINISHED = ErasureFinished("ers_1", "eve", 2)


def left(days: int = 30) -> Story:
    """Eve left so many days ago; ada and bob have just signed in."""
    told = Story().ready("ada", "bob", "joe")
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None))
    told.wait(days * DAY)
    for who in ("ada", "bob", "joe"):
        told.sign_in(who)
    return told


def agreed() -> Story:
    told = left()
    told.add(PROPOSED)
    told.add(APPROVED)
    return told


def test_two_administrators_erase() -> None:
    told = agreed()
    told.add(ERASED)
    told.add(replace(ERASED, indexes=(FILE,), naming=True))
    told.add(FINISHED)
    assert told.said() == []


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (replace(PROPOSED, by="joe"), "joe held no role with the right to administer"),
        (replace(PROPOSED, person="nobody"), "there was no account nobody"),
        (replace(PROPOSED, person="max"), "max had not left"),
        (replace(PROPOSED, keep_days=31), "eve had left less than 31 days before"),
        (replace(PROPOSED, keep_days=-1), "nobody's data are kept for less than no days"),
    ],
)
def test_who_proposes_and_of_whom(planted: ErasureProposed, why: str) -> None:
    told = left()
    at = told.add(planted)
    assert told.said() == [(at, why)]


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (replace(APPROVED, by="ada"), "ada had proposed it"),
        (replace(APPROVED, by="joe"), "joe held no role with the right to administer"),
        (replace(APPROVED, erasure="ers_2"), "no such proposal waited"),
        (replace(APPROVED, because="another reason"), "it is not what was proposed"),
        (replace(APPROVED, proposed_by="max"), "it is not what was proposed"),
    ],
)
def test_who_agrees_and_to_what(planted: ErasureApproved, why: str) -> None:
    told = left()
    told.add(PROPOSED)
    at = told.add(planted)
    assert told.said() == [(at, why)]


def test_whoever_came_back_is_not_erased() -> None:
    told = left()
    told.add(PROPOSED)
    told.add(PersonEnabled("eve", "ada", "back"))
    at = told.add(APPROVED)
    assert told.said() == [(at, "eve had not left")]


def test_somebody_else_than_was_proposed() -> None:
    told = left()
    told.add(PROPOSED)
    at = told.add(replace(APPROVED, person="nobody"))
    assert told.said() == [(at, "it is not what was proposed"), (at, "there was no account nobody")]


def test_who_says_no() -> None:
    told = left()
    told.add(PROPOSED)
    told.add(ErasureEnded("ers_1", "eve", "denied", "bob"))
    at = told.add(ErasureEnded("ers_1", "eve", "denied", "bob"))
    assert told.said() == [(at, "no such proposal waited")]
    told = left()
    told.add(PROPOSED)
    at = told.add(ErasureEnded("ers_1", "eve", "erasure.lapsed", None))
    assert told.said() == [(at, "it is on nobody's word, had not lapsed, and its people were there")]


def test_once() -> None:
    again = "it was proposed already, or done"
    told = left()
    told.add(PROPOSED)
    at = told.add(replace(PROPOSED, erasure="ers_2"))
    told.add(APPROVED)
    assert told.said() == [(at, again)]
    told = agreed()
    at = told.add(replace(PROPOSED, erasure="ers_2"))
    assert told.said() == [(at, again)]


def test_whom_a_directory_says_is_there_stays() -> None:
    told = with_token()
    waits = replace(USER, person=None, waits_for="eve")
    told.add(waits)
    told.add(AccountTakenOver("eve", "okta", "usr_1", "ada"), replace(waits, person="eve", version=2, waits_for=None))
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None))
    at = told.add(replace(PROPOSED, keep_days=0))
    assert told.said() == [(at, "a directory said that eve was there")]
    told.add(ErasureEnded("ers_1", "eve", "denied", "bob"))
    told.add(replace(USER, person="eve", version=3, active=False))
    told.add(replace(PROPOSED, keep_days=0))
    assert len(told.said()) == 1


def spoke(told: Story) -> dict[str, int]:
    """Of each kind whose payload an erasure may take, an entry that speaks of eve and one of somebody else's."""
    told.add(RosterSourceSet("hr.example.com", HOUR, "ada"))
    taken = RosterTaken("rov_1", "0", "upload", 1, 1, 0, 0, Instant(0), "ada")
    row = RosterEntrySet("ent_1", "rov_1", None, PersonKind.EMPLOYEE, None, None, None, None, None, "UTC")
    found = {"row": told.add(row, replace(row, entry="ent_2"), taken)}
    found["row of somebody"] = found["row"] + 1
    told.add(RosterLinked("ent_1", "eve"))
    asked = told.ask("eve", "req_1")
    found["request"] = len(told.rows) - 1
    told.sign_in("max", "sgn_max2")
    found["yes"] = told.approve(asked)
    return found


def test_what_goes_speaks_of_them_by_name_or_by_what_is_theirs() -> None:
    told = Story().ready("ada", "bob", "eve", "max")
    said = spoke(told)
    told.add(GrantEnded("grt_1", "req_1", "person.disabled", "ada"))
    failed = told.add(SignInFailed("eve", FactorKind.TOTP, "sign_in.wrong", 1, None))
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None))
    told.sign_in("ada")
    told.sign_in("bob")
    told.add(replace(PROPOSED, keep_days=0))
    told.add(APPROVED)
    indexes = (ADDED, said["row"], said["request"], said["yes"], failed)
    told.add(replace(ERASED, indexes=indexes))
    assert told.said() == []
    at = told.add(replace(ERASED, indexes=(said["row of somebody"],)))
    then = told.add(replace(ERASED, indexes=(FILE,)))
    last = told.add(replace(ERASED, indexes=(0,), naming=True))
    why = "it names an entry that does not speak of eve"
    assert told.said() == [(at, why), (then, why), (last, why)]


def test_nothing_goes_that_came_after_somebody_agreed() -> None:
    told = agreed()
    later = told.add(SignInFailed("eve", FactorKind.TOTP, "sign_in.wrong", 1, None))
    at = told.add(replace(ERASED, indexes=(ADDED, later)))
    assert told.said() == [(at, "it names an entry that came after it was agreed to")]


def test_what_names_nobody_is_of_whom_it_names_next() -> None:
    """Not of whom it was before, nor of another for whom it waits."""
    told = with_token()
    by_hand = replace(USER, person=None, waits_for="max")
    maxs = told.add(replace(USER, person=None))
    told.add(AccountTakenOver("max", "okta", "usr_1", "ada"), replace(USER, person="max", version=2))
    told.add(PersonDisabled("max", "ada", "left", "administrator", None, None))
    told.add(replace(USER, person="max", version=3, active=False))
    told.add(replace(PROPOSED, person="max", keep_days=0, documents=()))
    told.add(replace(APPROVED, person="max"))
    waits = told.add(replace(by_hand, waits_for="dan", version=4))
    hers = [told.add(replace(by_hand, waits_for="eve", version=5)), told.add(replace(USER, person=None, version=6))]
    told.add(AccountTakenOver("eve", "okta", "usr_1", "ada"), replace(USER, person="eve", version=7))
    nobodys = told.add(replace(USER, person=None, version=8, active=False))
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None))
    before = len(told.said())
    told.add(replace(PROPOSED, erasure="ers_2", keep_days=0, documents=()))
    told.add(replace(APPROVED, erasure="ers_2"))
    told.add(replace(ERASED, erasure="ers_2", indexes=tuple(hers)))
    assert len(told.said()) == before
    for each in (maxs, waits, nobodys):
        at = told.add(replace(ERASED, erasure="ers_2", indexes=(each,)))
        assert told.said()[-1] == (at, "it names an entry that does not speak of eve")


def test_it_ends_with_as_many_payloads_as_went() -> None:
    told = agreed()
    told.add(ERASED)
    at = told.add(FINISHED)
    assert told.said() == [(at, "1 payloads had gone by it")]


@pytest.mark.parametrize("planted", [ERASED, FINISHED])
def test_nothing_goes_that_was_not_agreed_to(planted: object) -> None:
    why = "nobody had agreed to erase eve"
    told = left()
    told.add(PROPOSED)
    at = told.add(planted)
    assert told.said() == [(at, why)]
    told = agreed()
    told.add(replace(FINISHED, payloads=0))
    at = told.add(planted)
    assert told.said() == [(at, why)]


def test_it_is_of_that_person_and_of_entries_that_are_there() -> None:
    told = agreed()
    at = told.add(replace(ERASED, person="max", indexes=(2,)))
    then = told.add(replace(ERASED, indexes=(ADDED, ADDED)))
    last = told.add(replace(ERASED, indexes=(9_999,)))
    again = told.add(ERASED)
    twice = "it names an entry twice"
    assert told.said() == [
        (at, "nobody had agreed to erase max"),
        (then, twice),
        (last, "it names an entry that was not there"),
        (again, twice),
    ]


@pytest.mark.parametrize(
    "planted",
    [PersonEnabled("eve", "ada", "back"), PersonChanged("eve", "ada", None, None, None, "Eve", "eve@example.com")],
)
def test_the_account_never_comes_back(planted: object) -> None:
    told = agreed()
    at = told.add(planted)
    assert told.said() == [(at, "what was known of the account had been erased")]


def test_a_list_or_file_that_was_not_proposed() -> None:
    told = left()
    told.add(replace(PROPOSED, documents=()))
    told.add(APPROVED)
    at = told.add(replace(ERASED, indexes=(FILE,), naming=True))
    assert told.said() == [(at, "it takes a list or a file that was not proposed")]
