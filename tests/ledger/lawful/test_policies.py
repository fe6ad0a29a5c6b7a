"""Rules of policy documents: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.people.events import PersonDisabled
from onepam.domain.policies.events import (
    PolicyConfirmed,
    PolicyLookedThrough,
    PolicyPublished,
    PolicyReminded,
    PolicyRetired,
)
from onepam.kernel.clock import Instant
from tests.ledger.lawful.story import Story

FIRST = PolicyPublished("access", 1, "Access", "d1", 9, "text/plain", "max", Instant(1 << 52), (), "ada")
SECOND = replace(FIRST, version=2, digest="d2")
LOOKED = PolicyLookedThrough("access", 1, Instant(1 << 52), "max")
READ = PolicyConfirmed("access", 1, "d1", "eve")
TOLD = PolicyReminded("access", 1, "eve", 1)
RETIRED = PolicyRetired("access", "ada", "another one")
NOT_IN_FORCE = "no such version of the policy was in force"


def published() -> Story:
    told = Story().ready("ada", "max", "eve", "joe")
    told.add(FIRST)
    return told


def test_a_policy_lives() -> None:
    told = published()
    told.add(TOLD)
    told.add(READ)
    told.add(LOOKED)
    told.add(replace(LOOKED, by="ada"))
    told.add(SECOND)
    told.add(replace(TOLD, version=2))
    told.add(replace(READ, version=2, digest="d2"))
    told.add(RETIRED)
    told.add(replace(SECOND, version=3))
    assert told.said() == []


def test_an_administrator_publishes_and_versions_follow() -> None:
    told = published()
    by_joe = told.add(replace(SECOND, by="joe"))
    again = told.add(SECOND)
    told.add(PersonDisabled("max", "ada", "left"))
    nobodys = told.add(replace(SECOND, version=3))
    first = told.add(replace(SECOND, policy="other", owner="ada"))
    assert told.said() == [
        (by_joe, "joe held no role with the right to administer"),
        (again, "its number does not follow the one before"),
        (nobodys, "the account max was disabled"),
        (first, "its number does not follow the one before"),
    ]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (replace(LOOKED, by="joe"), "joe held no role with the right to administer"),
        (replace(LOOKED, version=2), NOT_IN_FORCE),
        (replace(LOOKED, policy="other"), NOT_IN_FORCE),
        (replace(READ, by="bob"), "bob was not signed in"),
        (replace(READ, digest="d2"), NOT_IN_FORCE),
        (replace(READ, version=2), NOT_IN_FORCE),
        (replace(READ, policy="other"), NOT_IN_FORCE),
        (replace(TOLD, version=2), NOT_IN_FORCE),
        (replace(TOLD, policy="other"), NOT_IN_FORCE),
        (replace(RETIRED, by="joe"), "joe held no role with the right to administer"),
        (replace(RETIRED, policy="other"), NOT_IN_FORCE),
    ],
)
def test_what_is_not_lawful(entry: object, why: str) -> None:
    told = published()
    at = told.add(entry)
    assert told.said() == [(at, why)]


def test_nobody_looks_their_policy_through_signed_out() -> None:
    told = Story().ready("ada")
    told.add(FIRST)
    at = told.add(LOOKED)
    assert told.said() == [(at, "max was not signed in")]


def test_what_was_confirmed_is_not_confirmed_again_and_nobody_is_told_of_it() -> None:
    told = published()
    told.add(READ)
    again, reminded = told.add(READ), told.add(TOLD)
    assert told.said() == [(again, "they had confirmed it already"), (reminded, "they had confirmed it already")]


def test_what_is_retired_is_in_force_no_more() -> None:
    told = published()
    told.add(RETIRED)
    found = [told.add(each) for each in (LOOKED, READ, TOLD, RETIRED)]
    assert told.said() == [(at, NOT_IN_FORCE) for at in found]
