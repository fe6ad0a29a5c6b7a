"""Rules of exceptions from the second factor: each clause broken once by a planted entry, and nothing else found."""

import json
from dataclasses import replace

import pytest

from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonKind
from onepam.domain.signing_in.exception_events import MfaExceptionAccepted, MfaExceptionEnded, MfaExceptionProposed
from onepam.kernel.clock import DAY, Instant
from tests.ledger.lawful.story import Story


def exception(told: Story, who: str = "eve", days: int = 30) -> MfaExceptionProposed:
    return MfaExceptionProposed("exc_1", who, Instant(told.at() + days * DAY), "ada")


def accepted(told: Story, by: str = "sue") -> MfaExceptionAccepted:
    waiting = next(row for row in told.rows if row.kind == "mfa_exception.proposed")
    body = json.loads(waiting.body)
    shown = next((row.time for row in told.rows if row.kind == "sign_in.opened" and f'"{by}"'.encode() in row.body), 1)
    return MfaExceptionAccepted("exc_1", body["person"], body["ends"], by, Instant(shown - 1))


def test_an_exception_is_accepted_by_a_senior_and_ends() -> None:
    told = Story().ready("ada", "sue")
    told.add(exception(told))
    told.add(accepted(told))
    told.add(MfaExceptionEnded("exc_1", "eve", "x", "sue"))
    assert told.said() == []


@pytest.mark.parametrize(
    ("who", "days", "why"),
    [
        ("ada", 30, "nobody does this for themselves|ada held something administrative"),
        ("bob", 30, "bob held something administrative"),
        ("ops", 30, "ops held something administrative"),
        ("eve", 91, "it lasts longer than 90 days"),
    ],
)
def test_whom_an_exception_is_for_and_how_long(who: str, days: int, why: str) -> None:
    told = Story().ready("ada", "sue")
    at = told.add(exception(told, who, days))
    assert told.said() == [(at, each) for each in why.split("|")]


def test_who_accepts_and_ends_an_exception() -> None:
    told = Story().ready("ada", "bob", "sue")
    told.add(exception(told))
    at = told.add(accepted(told, "bob"))
    assert told.said() == [(at, "bob held no role with the right to accept_risk")]
    told = Story().ready("ada", "sue")
    told.add(exception(told))
    at = told.add(replace(accepted(told), ends=Instant(told.now + DAY)))
    assert told.said() == [(at, "it is not what was proposed")]
    told = Story().ready("ada", "sue", "joe")
    told.add(exception(told))
    told.add(accepted(told))
    at = told.add(MfaExceptionEnded("exc_1", "eve", "x", "joe"))
    assert told.said() == [(at, "joe held no role with the right to administer or accept_risk")]
    told = Story().ready("ada", "sue")
    told.add(exception(told))
    told.add(accepted(told))
    at = told.add(MfaExceptionEnded("exc_1", "joe", "x", "sue"))
    assert told.said() == [(at, "it is somebody else's")]
    told = Story().ready("ada", "sue")
    told.add(exception(told))
    told.add(accepted(told))
    at = told.add(MfaExceptionEnded("exc_1", "eve", "x", None))
    then = told.add(MfaExceptionEnded("exc_1", "eve", "x", None))
    assert told.said() == [
        (at, "it is on nobody's word, and its person was there"),
        (then, "no such proposal waited"),
    ]


def test_an_exception_ends_with_its_person() -> None:
    told = Story().ready("ada", "sue")
    told.add(exception(told))
    told.add(accepted(told))
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None))
    told.add(MfaExceptionEnded("exc_1", "eve", "person.disabled", None))
    told.add(replace(exception(told, "joe"), exception="exc_2"))
    told.add(
        PersonDisabled("joe", "ada", "left", "administrator", None, None),
        MfaExceptionEnded("exc_2", "joe", "person.disabled", None),
    )
    assert told.said() == []


def test_of_one_person_five_exceptions_are_open_each_by_its_name() -> None:
    told = Story().ready("ada", "sue")
    for number in range(5):
        told.add(replace(exception(told), exception=f"exc_{number}"))
    assert told.said() == []
    at = told.add(replace(exception(told), exception="exc_5"))
    assert told.said() == [(at, "5 exceptions of the person were open")]
    told = Story().ready("ada", "sue")
    told.add(exception(told))
    at = told.add(exception(told))
    assert told.said() == [(at, "there was such an exception already")]


def test_an_exception_is_for_a_person_whose_account_works() -> None:
    told = Story().ready("ada", "sue")
    told.add(PersonDisabled("eve", "ada", "left"))
    at = told.add(exception(told))
    assert told.said() == [(at, "the account eve was disabled")]
    told = Story().ready("ada", "sue")
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    at = told.add(exception(told, "bot"))
    assert told.said() == [(at, "a service account signs in nowhere, and enrols nothing")]
    told = Story().ready("ada", "sue")
    at = told.add(exception(told, "nobody"))
    assert told.said() == [(at, "there was no account nobody")]
    told = Story().ready("ada", "sue")
    told.add(exception(told))
    at = told.add(replace(accepted(told), mfa_at=Instant(1)))
    assert told.said() == [(at, "it was shown in no sign-in of theirs")]
    at = told.add(MfaExceptionEnded("exc_9", "nobody", "x", None))
    assert told.said()[1:] == [(at, "no such proposal waited")]
