"""Rules of locks: each clause broken once by a planted entry, and nothing else found."""

import pytest

from onepam.domain.access.locking import LockLifted, LockScope, LockSet
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, HOUR, Instant
from tests.ledger.lawful.story import HOLDS, Story
from tests.ledger.lawful.test_sessions import opened, ready


def lock(by: str = "mon", scope: LockScope = LockScope.EVERYTHING, on: str | None = None, name: str = "1") -> LockSet:
    person, resource = (on, None) if scope is LockScope.PERSON else (None, on)
    return LockSet(f"lck_{name}", scope, person, resource, by, "odd")


@pytest.mark.parametrize(
    ("scope", "on", "holds"),
    [
        (LockScope.PERSON, "eve", True),
        (LockScope.PERSON, "max", False),
        (LockScope.RESOURCE, "dev-1", True),
        (LockScope.RESOURCE, "web-1", False),
        (LockScope.EVERYTHING, None, True),
    ],
)
def test_nothing_opens_under_a_lock_and_everything_after_it(scope: LockScope, on: str | None, holds: bool) -> None:
    told = ready("mon")
    shown = told.rows[-1].time
    told.add(lock("mon", scope, on))
    at = told.add(opened(told, shown=shown))
    told.add(LockLifted("lck_1", "ada"))
    told.add(opened(told, shown=shown, session="ses_2"))
    assert told.said() == ([(at, "the person, the resource or everything was locked")] if holds else [])


def test_who_locks() -> None:
    told = Story().ready("mon", "ada", "aud")
    told.add(lock("mon", name="1"))
    told.add(lock("ada", LockScope.RESOURCE, "dev-1", name="2"))
    assert told.said() == []
    told.add(lock("mon", LockScope.PERSON, "eve", name="8"))
    assert told.said() == []
    right = told.add(lock("aud", name="3"))
    signed = told.add(lock("bob", name="4"))
    nobody = told.add(lock("ada", LockScope.PERSON, "nobody", name="5"))
    nothing = told.add(lock("ada", LockScope.RESOURCE, "no-1", name="6"))
    both = told.add(LockSet("lck_9", LockScope.EVERYTHING, "eve", None, "ada", "odd"))
    neither = told.add(lock("ada", LockScope.PERSON, None, name="10"))
    twice = told.add(lock("ada", name="1"))
    assert told.said() == [
        (right, "aud held no role with the right to administer or monitor"),
        (signed, "bob was not signed in"),
        (nobody, "there was nobody and nothing of that name"),
        (nothing, "there was nobody and nothing of that name"),
        (both, "it names something else than its scope"),
        (neither, "it names something else than its scope"),
        (twice, "there was such a lock already"),
    ]


def test_who_lifts() -> None:
    told = Story().ready("mon", "ada", "bob")
    told.add(lock("ada", name="1"))
    told.add(lock("mon", LockScope.PERSON, "ada", name="2"))
    own = told.add(LockLifted("lck_1", "ada"))
    locked = told.add(LockLifted("lck_2", "ada"))
    told.add(lock("ada", name="3"))
    told.add(LockLifted("lck_3", "bob"))
    told.add(lock("ada", name="4"))
    right = told.add(LockLifted("lck_4", "mon"))
    told.add(lock("mon", name="5"))
    told.wait(HOUR)
    stale = told.add(LockLifted("lck_5", "bob"))
    assert told.said() == [
        (own, "bob could have decided"),
        (locked, "bob could have decided"),
        (right, "mon held no role with the right to administer"),
        (stale, "bob had shown no second factor within 5 minutes"),
    ]


def company(*administrators: str) -> Story:
    """A company of these administrators, and mon who monitors. They have signed in; ada made the link of cyd."""
    told = Story().found({"mon": HOLDS["mon"], "eve": HOLDS["eve"]} | dict.fromkeys(administrators, HOLDS["ada"]))
    first = [each for each in ("mon", *administrators) if each != "cyd"]
    for who in first:
        told.enrol(who)
    for who in first:
        told.sign_in(who, f"sgn_{who}")
    if "cyd" in administrators:
        told.add(EnrolmentOpened("enr_c", "cyd", Instant(told.at() + DAY), "new", "ada"))
        kinds = (FactorKind.PASSWORD, FactorKind.TOTP)
        enrolled = (FactorEnrolled(f"fac_cyd_{each.value}", "cyd", each, "", None, "cyd") for each in kinds)
        told.add(EnrolmentUsed("enr_c", "cyd", ("ada",)), *enrolled)
        told.sign_in("cyd", "sgn_cyd")
    return told


@pytest.mark.parametrize(
    ("administrators", "by", "on", "lifts", "could"),
    [
        (("ada",), "ada", None, "ada", ""),
        (("ada",), "mon", "ada", "ada", ""),
        (("ada", "bob"), "bob", "ada", "bob", ""),
        (("ada", "bob"), "bob", "ada", "ada", "bob"),
        (("ada", "bob", "cyd"), "ada", None, "cyd", "bob"),
        (("ada", "bob", "cyd"), "ada", "eve", "cyd", "bob"),
        (("ada", "bob", "cyd"), "mon", "ada", "cyd", "bob"),
        (("ada", "bob", "cyd"), "bob", "ada", "cyd", "bob"),
        (("ada", "bob", "cyd"), "bob", "ada", "bob", ""),
        (("ada", "bob", "cyd"), "mon", "eve", "cyd", ""),
        (("ada", "cyd"), "ada", "eve", "cyd", ""),
    ],
)
def test_whoever_is_one_hand_with_either_lifts_it_only_where_there_is_no_other(
    administrators: tuple[str, ...], by: str, on: str | None, lifts: str, could: str
) -> None:
    told = company(*administrators)
    told.add(lock(by, LockScope.PERSON if on else LockScope.EVERYTHING, on))
    at = told.add(LockLifted("lck_1", lifts))
    assert told.said() == ([(at, f"{could} could have decided")] if could else [])


def test_a_lock_is_lifted_once() -> None:
    told = Story().ready("mon", "ada")
    told.add(lock("mon"))
    told.add(LockLifted("lck_1", "ada"))
    gone = told.add(LockLifted("lck_1", "ada"))
    assert told.said() == [(gone, "no such lock stood")]
