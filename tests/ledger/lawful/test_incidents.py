"""Rules of incidents: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.controls.control import Severity
from onepam.domain.incidents.events import (
    IncidentAssigned,
    IncidentClosed,
    IncidentNoted,
    IncidentOpened,
    IncidentReminded,
    IncidentReopened,
    Link,
    LinkKind,
)
from onepam.domain.people.events import PersonDisabled
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, Instant
from tests.ledger.lawful.story import HOLDS, Story
from tests.ledger.lawful.test_sessions import closed, machine, opened

LATER = Instant(1 << 52)
LONG_AGO = Instant(1)
MADE = IncidentOpened("inc_1", Severity.MEDIUM, None, LONG_AGO, "max", LATER, (), "mon", "A key", "was published")
NOTED = IncidentNoted("inc_1", LONG_AGO, (), "max", "revoked")
SAID = IncidentAssigned("inc_1", Severity.HIGH, "joe", LATER, "ada", "worse")
TOLD = IncidentReminded("inc_1", "max", LATER, 1)
OVER = IncidentClosed("inc_1", "aud", "a log", "revoked", None)
AGAIN = IncidentReopened("inc_1", LATER, "mon", "used again")
NOT_OPEN = "no such incident was open"
RIGHTS = "joe held no role with the right to administer or audit or monitor"


def open_one(**changes: object) -> Story:
    told = Story().ready("ada", "bob", "aud", "mon", "max", "joe")
    told.add(replace(MADE, **changes))  # type: ignore[arg-type]
    return told


def linked(kind: LinkKind, ref: str) -> IncidentNoted:
    return replace(NOTED, by="mon", links=(Link(kind, ref),))


def test_an_incident_lives() -> None:
    told = open_one(links=(Link(LinkKind.PERSON, "eve"), Link(LinkKind.ENTRY, "1"), Link(LinkKind.RESOURCE, "web-1")))
    for each in (TOLD, NOTED, replace(NOTED, by="mon"), SAID, linked(LinkKind.CONTROL, "LOG-01"), OVER, AGAIN):
        told.add(each)
        if each == SAID:
            told.add(replace(NOTED, by="joe"))
    told.add(replace(OVER, by="ada"))
    assert told.said() == []


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (replace(MADE, incident="inc_2", by="joe"), RIGHTS),
        (replace(MADE, incident="inc_2", owner="nobody"), "there was no account nobody"),
        (replace(MADE, incident="inc_2", due=LONG_AGO), "it is due on a day that had passed"),
        (MADE, "there was such an incident already"),
        (
            replace(MADE, incident="inc_2", links=(Link(LinkKind.PERSON, "nobody"),)),
            "there was no account nobody",
        ),
        (replace(MADE, incident="inc_2", found=LATER), "it was found before it began, or at a time that had not come"),
        (
            replace(MADE, incident="inc_2", began=Instant(2)),
            "it was found before it began, or at a time that had not come",
        ),
        (replace(NOTED, incident="inc_2"), NOT_OPEN),
        (replace(NOTED, by="joe"), RIGHTS),
        (replace(linked(LinkKind.ENTRY, "1"), by="max"), RIGHTS.replace("joe", "max")),
        (replace(linked(LinkKind.CAUSED_BY, "eve"), by="max"), RIGHTS.replace("joe", "max")),
        (replace(NOTED, at=LATER), "it is of a time that had not come"),
        (linked(LinkKind.PERSON, "nobody"), "there was no account nobody"),
        (linked(LinkKind.CAUSED_BY, "nobody"), "there was no account nobody"),
        (linked(LinkKind.SESSION, "ses_9"), "there was no session ses_9"),
        (linked(LinkKind.ENTRY, "123456"), "there was no entry 123456"),
        (linked(LinkKind.ENTRY, "x"), "there was no entry x"),
        (replace(SAID, by="joe"), RIGHTS),
        (replace(SAID, owner="nobody"), "there was no account nobody"),
        (replace(SAID, due=LONG_AGO), "it is due on a day that had passed"),
        (replace(SAID, incident="inc_2"), NOT_OPEN),
        (replace(TOLD, incident="inc_2"), NOT_OPEN),
        (replace(TOLD, person="joe"), NOT_OPEN),
        (replace(OVER, by="mon"), "mon held no role with the right to administer or audit"),
        (replace(OVER, incident="inc_2"), NOT_OPEN),
        (AGAIN, "no such incident was closed"),
        (replace(AGAIN, incident="inc_2"), "no such incident was closed"),
    ],
)
def test_what_is_not_lawful(entry: object, why: str) -> None:
    told = open_one()
    at = told.add(entry)
    assert told.said() == [(at, why)]


def test_what_is_closed_is_open_no_more() -> None:
    told = open_one()
    told.add(OVER)
    found = [told.add(each) for each in (NOTED, SAID, TOLD, OVER)]
    late = told.add(replace(AGAIN, by="joe", due=LONG_AGO))
    assert told.said() == [
        *((at, NOT_OPEN) for at in found),
        (late, RIGHTS),
        (late, "it is due on a day that had passed"),
    ]


def test_nobody_closes_what_they_brought_about() -> None:
    told = open_one(links=(Link(LinkKind.CAUSED_BY, "aud"),))
    at = told.add(OVER)
    assert told.said() == [(at, "aud brought it about")]


def test_nobody_closes_what_their_session_is_part_of() -> None:
    told = Story().found({**HOLDS, "eve": ("engineer", "auditor")})
    for who in HOLDS:
        told.enrol(who)
    for who in ("mon", "aud", "eve"):
        told.sign_in(who, f"sgn_{who}")
    told.add(opened(told))
    told.add(closed())
    told.add(replace(MADE, links=(Link(LinkKind.SESSION, "ses_1"),)))
    own = told.add(replace(OVER, by="eve"))
    told.add(AGAIN)
    told.add(OVER)
    assert told.said() == [(own, "eve brought it about")]


def test_nobody_closes_what_a_service_of_theirs_brought_about() -> None:
    told = Story().found({**HOLDS, "max": ("auditor",)})
    for who in ("ada", "bob", "max", "mon"):
        told.enrol(who)
    for who in ("ada", "max", "mon"):
        told.sign_in(who)
    machine(told)
    told.add(replace(MADE, owner="mon", links=(Link(LinkKind.CAUSED_BY, "bot"),)))
    own = told.add(replace(OVER, by="max"))
    assert told.said() == [(own, "max brought it about")]


@pytest.mark.parametrize("which", ["opened", "assigned"])
def test_one_that_was_ever_of_high_severity_is_closed_by_nobody_who_ever_answered_for_it(which: str) -> None:
    high = Severity.HIGH
    told = open_one(owner="aud", severity=high if which == "opened" else Severity.LOW)
    told.add(replace(SAID, severity=high if which == "assigned" else Severity.LOW))
    told.add(replace(SAID, severity=Severity.LOW))
    at = told.add(OVER)
    assert told.said() == [(at, "aud answered for it")]


def test_of_medium_severity_whoever_answers_for_it_may_close_it() -> None:
    told = open_one(owner="aud")
    told.add(OVER)
    assert told.said() == []


def test_one_hand_with_whoever_brought_it_about_does_not_close_it() -> None:
    told = Story().found(HOLDS)
    for who in ("ada", "bob", "mon", "max"):
        told.enrol(who)
    for who in ("ada", "mon"):
        told.sign_in(who, f"sgn_{who}")
    told.add(EnrolmentOpened("enr_e", "eve", Instant(told.at() + DAY), "new", "ada"))
    kinds = (FactorKind.PASSWORD, FactorKind.TOTP)
    enrolled = (FactorEnrolled(f"fac_eve_{each.value}", "eve", each, "", None, "eve") for each in kinds)
    told.add(EnrolmentUsed("enr_e", "eve", ("ada",)), *enrolled)
    told.add(replace(MADE, links=(Link(LinkKind.CAUSED_BY, "eve"),)))
    at = told.add(replace(OVER, by="ada"))
    assert told.said() == [(at, "ada and eve may be one hand: one made the link by which the other enrolled")]


def test_somebody_who_left_answers_for_nothing() -> None:
    told = open_one()
    told.add(PersonDisabled("max", "ada", "left"))
    at = told.add(replace(MADE, incident="inc_2"))
    assert told.said() == [(at, "the account max was disabled")]
