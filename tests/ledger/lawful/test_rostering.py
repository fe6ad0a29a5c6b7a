"""Rules of the staff roster: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.leaving.brake import DirectoryHeld, DirectoryPersonHeld, HoldReason
from onepam.domain.people.events import PersonAdded, PersonChanged, PersonDisabled, PersonEnabled, PersonKind
from onepam.domain.roster.events import (
    RosterEntryEnded,
    RosterEntrySet,
    RosterHeld,
    RosterLinked,
    RosterRefused,
    RosterReleased,
    RosterRulesSet,
    RosterSourceSet,
    RosterTaken,
)
from onepam.kernel.clock import HOUR, Instant
from onepam.ledger.lawful.rostering import NOBODYS, PORTION
from tests.ledger.lawful.story import Story

EMPLOYEE, VENDOR, SERVICE = PersonKind.EMPLOYEE, PersonKind.VENDOR, PersonKind.SERVICE
TAKEN = RosterTaken("rov_1", "0", "upload", 1, 1, 0, 0, Instant(0), "ada")
ROW = RosterEntrySet("ent_1", "rov_1", "eve", EMPLOYEE, None, None, None, None, None, "UTC")
NO_ENTRY = "there was no such entry on the staff roster that led to nobody"
NOT_SAID = "no directory that leads the account wrote it, nor does the roster say so"
ONLY = "only the staff roster says of what kind an account is"
GONE = PersonDisabled("eve", None, "left", "roster", None, None)
JOINS = PersonAdded("zoe", EMPLOYEE, "roster", None, None, None, origin="roster")
NOT_OFF = "eve was not off the staff roster"


def on_roster(*rows: object) -> Story:
    """A version with these rows was taken; it may bring people in."""
    told = Story().ready("ada")
    told.add(RosterRulesSet(50, HOUR, True, {}, "ada"))
    told.add(*rows, TAKEN)
    assert told.said() == []
    return told


def changed(kind: PersonKind | None = EMPLOYEE, owner: str | None = None, ends: Instant | None = None) -> PersonChanged:
    """What follows from the roster for eve."""
    return PersonChanged("eve", None, None, owner, ends, kind=kind)


def test_what_the_roster_says_follows_for_accounts() -> None:
    end, later = Instant(1 << 51), Instant(1 << 52)
    sponsor = replace(ROW, entry="ent_2", person=None)
    told = on_roster(
        replace(ROW, type=VENDOR, ends=end, sponsor="ent_2"), sponsor, replace(ROW, entry="ent_3", person=None)
    )
    told.add(RosterLinked("ent_2", "max"))
    told.add(changed(VENDOR, "max", end))
    told.add(replace(ROW, version="rov_2", type=VENDOR, ends=later), replace(TAKEN, version="rov_2"))
    told.add(changed(VENDOR, "max", end))  # the sponsor stays, and the end of whom nobody can do without
    told.add(changed(VENDOR, "max", later))
    told.add(replace(ROW, version="rov_3"), replace(TAKEN, version="rov_3"))
    told.add(changed())
    told.add(JOINS, RosterLinked("ent_3", "zoe"))
    ended = (RosterEntryEnded(each, "rov_4", None, Instant(0)) for each in ("ent_1", "ent_2"))
    told.add(*ended, replace(TAKEN, version="rov_4"))
    told.add(GONE)
    assert told.said() == []


@pytest.mark.parametrize(
    "planted",
    [
        changed(VENDOR, "max"),
        changed(owner="max"),
        changed(ends=Instant(1 << 52)),
        replace(changed(), person="max"),
    ],
)
def test_what_the_roster_does_not_say_does_not_follow(planted: PersonChanged) -> None:
    told = on_roster(ROW)
    at = told.add(planted)
    assert (at, NOT_SAID) in told.said()
    assert {each for each, _ in told.said()} == {at}


def test_a_vendor_keeps_a_sponsor() -> None:
    told = on_roster(replace(ROW, type=VENDOR, sponsor="ent_9"))
    at = told.add(changed(VENDOR))
    assert told.said() == [(at, ONLY), (at, NOT_SAID)]


def test_who_is_off_the_roster_does_not_follow_it() -> None:
    told = on_roster(ROW)
    told.add(RosterEntryEnded("ent_1", "rov_2", "eve", Instant(0)), replace(TAKEN, version="rov_2"))
    at = told.add(changed())
    assert told.said() == [(at, ONLY), (at, NOT_SAID)]


def test_rows_of_no_version_that_was_taken_say_nothing() -> None:
    told = on_roster()
    rows = (replace(ROW, entry=f"ent_{each}", version="rov_2", person=None) for each in range(PORTION - 2))
    last = replace(ROW, entry="ent_max", version="rov_2", person="max")
    told.add(*rows, replace(ROW, version="rov_2", ends=Instant(0)), last)
    at = told.add(GONE)
    then = told.add(changed(ends=Instant(0)))
    last_of_all = told.add(JOINS, RosterLinked("ent_5", "zoe"))
    assert told.said() == [(at, NOT_OFF), (then, ONLY), (then, NOT_SAID), (last_of_all + 1, NO_ENTRY)]


def test_of_what_kind_an_account_is_the_roster_says_alone() -> None:
    told = on_roster(ROW, replace(ROW, entry="ent_2", person="max", type=SERVICE))
    at = told.add(replace(changed(), by="ada"))
    then = told.add(replace(changed(SERVICE), person="max"))
    assert told.said() == [(at, ONLY), (then, "nobody becomes a service account, nor does one become somebody")]


def test_a_leaver_is_off_the_roster() -> None:
    told = on_roster(ROW)
    at = told.add(GONE)
    held = DirectoryPersonHeld("hld_1", "eve", "roster", HoldReason.MANY, "gone", None, None, None)
    then = told.add(DirectoryHeld("hld_1", "roster", HoldReason.MANY, None), held)
    assert told.said() == [(at, NOT_OFF), (then + 1, NOT_OFF)]
    # by another entry they are still there; the end of the last one that is left counts
    told = on_roster(ROW, replace(ROW, entry="ent_2", ends=Instant(1)))
    at = told.add(GONE)
    told.add(PersonEnabled("eve", "ada", "back"))
    told.add(RosterEntryEnded("ent_1", "rov_2", "eve", Instant(0)), replace(TAKEN, version="rov_2"))
    told.add(GONE)
    assert told.said() == [(at, NOT_OFF)]
    told = on_roster(replace(ROW, ends=Instant(1 << 52)))
    at = told.add(GONE)
    assert told.said() == [(at, NOT_OFF)]


OFF = RosterEntryEnded("ent_9", "rov_2", None, Instant(0))


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (RosterLinked("ent_2", "eve"), "another entry of the staff roster led to eve"),
        (RosterLinked("ent_1", "max"), NO_ENTRY),
        (RosterLinked("ent_2", "nobody"), NOBODYS),
        (RosterLinked("ent_2", "bot"), NOBODYS),
        (RosterLinked("ent_2", "joe"), NOBODYS),
        (replace(ROW, version="rov_2", person="max"), "the entry led to eve"),
        (replace(ROW, version="rov_2", person=None), "the entry led to eve"),
        (replace(ROW, version="rov_2", entry="ent_2", person="nobody"), NOBODYS),
        (replace(ROW, version="rov_2", entry="ent_4", person="bot"), NOBODYS),
        (OFF, "there was no such entry on the staff roster"),
        (replace(OFF, entry="ent_3"), "there was no such entry on the staff roster"),
    ],
)
def test_an_entry_leads_to_one_account_and_stays_with_it(planted: object, why: str) -> None:
    told = on_roster(ROW, *(replace(ROW, entry=each, person=None) for each in ("ent_2", "ent_4")))
    told.add(replace(ROW, entry="ent_3", person="max"), TAKEN)
    told.add(*(replace(OFF, entry=each) for each in ("ent_3", "ent_4")), replace(TAKEN, version="rov_2"))
    told.add(PersonAdded("bot", SERVICE, "deploys", "ada", "max", Instant(1 << 52)))
    told.add(PersonDisabled("joe", "ada", "left", "administrator", None, None))
    at = told.add(planted, replace(TAKEN, version="rov_2"))
    assert told.said() == [(at, why)]


def test_who_joins_is_as_the_roster_says() -> None:
    vendor = replace(JOINS, kind=VENDOR, owner="max", ends=Instant(1 << 52))
    for joins in (replace(JOINS, ends=Instant(1 << 52)), vendor):
        told = on_roster(replace(ROW, person=None))
        at = told.add(joins, RosterLinked("ent_1", "zoe"))
        assert told.said() == [(at + 1, "the roster says something else of who joined")]
    told = on_roster(replace(ROW, person=None))
    at = told.add(JOINS)
    assert told.said() == [(at, "they do not stand on the staff roster")]


def test_a_version_of_the_roster_is_taken_whole() -> None:
    """A large one comes in several commands, of which each has as many rows as one takes."""
    told = Story().ready("ada")
    row = replace(ROW, person=None)
    told.add(*(replace(row, entry=f"ent_{each}") for each in range(PORTION)))
    told.add(row, replace(row, entry="ent_2", person="eve"), TAKEN)
    assert told.said() == []
    at = told.add(row, row)
    assert told.said() == [(at, "no version of the roster was taken with it")]
    told = on_roster(ROW)
    at = told.add(RosterEntryEnded("ent_1", "rov_2", None, Instant(0)))
    assert told.said() == [(at, "no version of the roster was taken with it")]


def test_the_roster_is_taken_by_an_administrator_or_its_source() -> None:
    told = Story().ready("ada")
    told.add(RosterSourceSet("hr.example.com", HOUR, "ada"))
    told.add(replace(TAKEN, by=None))
    told.add(RosterHeld("rov_2", "1", "upload", "x", 1, 0, 0, 1, 1, 1, Instant(0), "ada"))
    told.add(RosterReleased("rov_2", "1", "ada"))
    assert told.said() == []


HELD = RosterHeld("rov_2", "1", "upload", "x", 1, 0, 0, 1, 1, 1, Instant(0), "ada")


@pytest.mark.parametrize(
    "between",
    [RosterRefused("rov_3", "2", "upload", "x", 1, Instant(0), "ada"), TAKEN, replace(HELD, version="rov_3")],
)
def test_what_is_released_is_what_was_held_last(between: object) -> None:
    told = Story().ready("ada")
    told.add(HELD)
    told.add(between)
    at = told.add(RosterReleased("rov_2", "1", "ada"))
    assert told.said() == [(at, "it was not the version that was held last")]


def test_the_roster_brings_people_in_where_it_may_and_no_machines() -> None:
    told = Story().ready("ada")
    told.add(replace(ROW, person=None), TAKEN)
    at = told.add(JOINS, RosterLinked("ent_1", "zoe"))
    assert told.said() == [(at, "the staff roster may bring nobody in")]
    told = Story().ready("ada")
    at = told.add(RosterRulesSet(91, HOUR, True, {}, "ada"))
    assert told.said() == [(at, "the brake is set between 50 and 90 percent")]
    told = on_roster(replace(ROW, person=None, type=SERVICE))
    at = told.add(replace(JOINS, person="bot", kind=SERVICE), RosterLinked("ent_1", "bot"))
    assert told.said() == [(at, "a service account is made by hand"), (at + 1, NOBODYS)]


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (replace(TAKEN, by="joe"), "joe was not signed in"),
        (replace(TAKEN, by=None), "it is on nobody's word, and no source of the roster was set"),
        (
            RosterHeld("rov_1", "0", "pull", "x", 1, 0, 0, 1, 1, 1, Instant(0), None),
            "it is on nobody's word, and no source of the roster was set",
        ),
        (
            RosterRefused("rov_1", "0", "pull", "x", 1, Instant(0), None),
            "it is on nobody's word, and no source of the roster was set",
        ),
        (RosterLinked("ent_1", "eve"), NO_ENTRY),
        (RosterSourceSet("evil.example.com", HOUR, "joe"), "joe was not signed in"),
        (RosterRulesSet(50, HOUR, True, {}, "joe"), "joe was not signed in"),
    ],
)
def test_the_roster_is_not_for_everybody_to_say(planted: object, why: str) -> None:
    told = Story().ready("ada")
    at = told.add(planted)
    assert told.said() == [(at, why)]


def test_a_held_version_is_not_for_everybody_to_release() -> None:
    told = Story().ready("ada")
    told.add(HELD)
    at = told.add(RosterReleased("rov_2", "1", "joe"))
    assert told.said() == [(at, "joe was not signed in")]
