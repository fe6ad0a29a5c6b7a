"""Rules of other systems: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.domain.systems.events import (
    AccountListHeld,
    AccountListReleased,
    AccountListTaken,
    AccountSystemSet,
    ListedAccountGone,
    ListedAccountLinked,
    ListedAccountSet,
    Match,
)
from onepam.kernel.clock import DAY, HOUR, Instant
from tests.ledger.lawful.story import Story, binding

TAKEN = AccountListTaken("acl_1", "payroll", "d1", Instant(5), 2, 2, 0, 0, "ada")
EVE = ListedAccountSet("lac_eve", "payroll", "acl_1", ("read",), "eve", False, Match.EMAIL, None)
ROOT = replace(EVE, account="lac_root", person=None, because=Match.NOBODY)
NEXT = replace(TAKEN, list="acl_2", digest="d2", accounts=2, added=0)
HELD = AccountListHeld("acl_3", "payroll", "d3", Instant(6), "account_list.shrinks", 0, 2, 2, "ada")
RELEASED = AccountListReleased("acl_3", "payroll", "d3", "bob")
EMPTY = AccountListTaken("acl_3", "payroll", "d3", Instant(6), 0, 0, 0, 2, "ada")
GONE = ListedAccountGone("lac_eve", "payroll", "acl_3", "eve")
ROOT_GONE = ListedAccountGone("lac_root", "payroll", "acl_3", None)
LINKED = ListedAccountLinked("lac_root", "payroll", "max", False, "ada")
SET = AccountSystemSet("payroll", "max", 10, "ada")
BRAKE = "the brake holds it, and nobody else had released it"
NO_LIST = "no list of its system was taken with it"
NUMBERS = "its numbers do not add up"
OTHERS = "other accounts changed with it than it says"
NONE_SUCH = "the system had no such account on its list"


def listed() -> Story:
    """A list of two accounts is in force, and ada and bob are signed in."""
    told = Story().ready("ada", "bob", "max")
    told.add(TAKEN, EVE, ROOT)
    assert told.said() == []
    return told


def test_lists_links_and_a_held_list_that_somebody_else_released() -> None:
    told = listed()
    told.add(NEXT)
    told.add(LINKED)
    told.add(SET)
    told.add(replace(NEXT, list="acl_4", digest="d4", changed=1),
             replace(ROOT, list="acl_4", person="max", because=Match.SAID))  # fmt: skip
    told.add(replace(LINKED, person="eve", service=True))
    told.add(replace(LINKED, person=None))
    told.add(HELD)
    told.add(RELEASED)
    told.add(EMPTY, GONE, ROOT_GONE)
    told.add(
        replace(TAKEN, list="acl_5", digest="d5", made=Instant(7), accounts=1, added=1), replace(EVE, list="acl_5")
    )
    told.add(replace(HELD, digest="d2", because="account_list.again", missing=0, before=1))
    assert told.said() == []


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        ((replace(NEXT, by="max"),), "max held no role with the right to administer"),
        ((replace(NEXT, made=Instant(4)),), "it is older than the list in force"),
        ((replace(NEXT, accounts=3),), NUMBERS),
        ((replace(NEXT, changed=1),), OTHERS),
        ((EMPTY, GONE, ROOT_GONE), BRAKE),
        ((replace(HELD, by="max"),), "max held no role with the right to administer"),
        ((replace(HELD, missing=1),), "the brake does not hold that"),
        ((replace(HELD, system="crm"),), "the brake does not hold that"),
        ((RELEASED,), "it was not the list that was held last"),
        ((replace(RELEASED, system="crm"),), "it was not the list that was held last"),
        ((replace(SET, by="max"),), "max held no role with the right to administer"),
        ((replace(SET, owner="zoe"),), "there was no account zoe"),
        ((replace(SET, system="crm"),), "the system had no list"),
        ((replace(EVE, rights=("write",)),), NO_LIST),
        ((replace(NEXT, changed=1), replace(EVE, list="acl_2", person="zoe")), "there was no account zoe"),
        (
            (replace(NEXT, system="crm", accounts=0, changed=1), replace(EVE, system="crm", list="acl_2")),
            "it was an account of another system",
        ),
        (
            (replace(NEXT, changed=1), replace(EVE, list="acl_2", because=Match.SAID)),
            "no administrator had said who stands behind it",
        ),
        ((replace(LINKED, by="max"),), "max held no role with the right to administer"),
        ((replace(LINKED, account="lac_none"),), NONE_SUCH),
        ((replace(LINKED, system="crm"),), NONE_SUCH),
        ((replace(LINKED, person="zoe"),), "there was no account zoe"),
        ((replace(LINKED, person="zoe", service=True),), "there was no account zoe"),
        ((GONE,), NO_LIST),
        ((replace(NEXT, accounts=1, gone=1), replace(GONE, list="acl_2", account="lac_none")), NONE_SUCH),
        (
            (replace(NEXT, accounts=1, gone=1), replace(GONE, list="acl_2", person="max")),
            "somebody else stood behind it",
        ),
    ],
)
def test_what_no_history_gives(planted: tuple[object, ...], why: str) -> None:
    told = listed()
    at = told.add(*planted)
    found = told.said()
    assert [each for _, each in found] == [why]
    assert at <= found[0][0] < at + len(planted)


def test_a_list_that_was_in_force_before_the_last_one_is_held() -> None:
    told = listed()
    told.add(NEXT)
    at = told.add(replace(NEXT, list="acl_9", digest="d1"))
    assert told.said() == [(at, BRAKE)]


def test_who_brought_a_list_does_not_release_it_nor_does_their_hand() -> None:
    told = listed()
    told.add(HELD)
    at = told.add(replace(RELEASED, by="ada"))
    assert told.said() == [(at, "they brought it themselves")]
    told = listed()
    told.add(HELD)
    told.wait(HOUR)
    at = told.add(RELEASED)
    assert told.said() == [(at, "bob had shown no second factor within 5 minutes")]
    told = Story().found()
    for who in ("ada", "bob"):
        told.enrol(who)
    told.sign_in("ada")
    told.add(EnrolmentOpened("enr_e", "eve", Instant(told.at() + DAY), "new", "ada"))
    told.add(
        EnrolmentUsed("enr_e", "eve", ("ada",)),
        FactorEnrolled("fac_eve_password", "eve", FactorKind.PASSWORD, "", None, "eve"),
        FactorEnrolled("fac_eve_totp", "eve", FactorKind.TOTP, "", None, "eve"),
    )
    told.sign_in("bob")
    told.change("chg_9", "bob", binding("bnd_eve_too", "administrator", "eve"))
    told.sign_in("eve")
    told.sign_in("ada")
    told.add(TAKEN, EVE, ROOT)
    told.add(replace(HELD, by="eve"))
    at = told.add(replace(RELEASED, by="ada"))
    hand = "ada and eve may be one hand: one made the link by which the other enrolled"
    assert told.said() == [(at, hand)]


def test_a_released_list_goes_through_once_and_only_that_one() -> None:
    told = listed()
    told.add(HELD)
    told.add(RELEASED)
    at = told.add(replace(EMPTY, digest="d9"), GONE, ROOT_GONE)
    assert told.said() == [(at, BRAKE)]


def test_what_an_administrator_said_of_an_account_no_list_changes() -> None:
    told = listed()
    told.add(LINKED)
    at = told.add(replace(NEXT, changed=1), replace(ROOT, list="acl_2"))
    assert told.said() == [(at + 1, "an administrator had said who stands behind it")]
