"""Rules of controls: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.controls.control import Verdict
from onepam.domain.controls.events import ControlAssigned, ControlReminded, ControlTested
from onepam.kernel.clock import DAY, Instant
from tests.ledger.lawful.story import Story


def ready() -> Story:
    return Story().ready("ada", "aud", "max")


def run(told: Story, **other: Any) -> ControlTested:
    """One of 3 rows, of which one fails, as of the next command."""
    at = told.at()
    found = ControlTested("IDN-01", 1, Instant(at - DAY), at, 3, 1, 0, 0, "00", "", Verdict.FAIL, None)
    return replace(found, **other)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"begin": None, "by": "aud"},
        {"by": "ada", "failed": 0, "verdict": Verdict.PASS},
        {"failed": 0, "untested": 1, "verdict": Verdict.NOT_TESTED},
        {"failed": 0, "excluded": 3, "verdict": Verdict.NOT_TESTED},
        {"failed": 0, "excluded": 2, "verdict": Verdict.PASS},
        {"population": 0, "failed": 0, "verdict": Verdict.NOT_TESTED},
        {"population": 0, "failed": 0, "verdict": Verdict.PASS, "cause": "nobody left"},
        {"failed": 0, "excluded": 3, "verdict": Verdict.NOT_TESTED, "cause": "nobody left"},
    ],
)
def test_what_a_test_found(other: dict[str, Any]) -> None:
    told = ready()
    told.add(run(told, **other))
    assert told.said() == []


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"by": "max"}, "max held no role with the right to audit or administer"),
        ({"failed": 4}, "its numbers do not add up"),
        ({"failed": 2, "untested": 1, "excluded": 1}, "its numbers do not add up"),
        ({"untested": -1}, "its numbers do not add up"),
        ({"verdict": Verdict.PASS}, "its verdict is not that of its numbers"),
        ({"failed": 0, "untested": 1, "verdict": Verdict.PASS}, "its verdict is not that of its numbers"),
        ({"failed": 0, "population": 0, "verdict": Verdict.PASS}, "its verdict is not that of its numbers"),
        (
            {"failed": 0, "excluded": 3, "verdict": Verdict.PASS, "cause": "so"},
            "its verdict is not that of its numbers",
        ),
    ],
)
def test_what_no_test_found(other: dict[str, Any], why: str) -> None:
    told = ready()
    at = told.add(run(told, **other))
    assert told.said() == [(at, why)]


def test_a_run_is_of_a_time_that_has_come() -> None:
    for begin, until in ((None, 1), (0, 0), (5, -5)):
        told = ready()
        at = told.at()
        of = Instant(at + until)
        found = run(told, until=of, begin=None if begin is None else Instant(of + begin))
        place = told.add(found)
        assert told.said() == [(place, "it is of a time that had not come, or of none")]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"by": "max"}, "max held no role with the right to administer"),
        ({"owner": "nobody"}, "there was no account nobody"),
        ({"due": 0}, "it is due on a day that had passed"),
        ({}, ""),
        ({"due": DAY}, ""),
    ],
)
def test_who_answers(other: dict[str, Any], why: str) -> None:
    told = ready()
    if "due" in other:
        other = {"due": Instant(told.at() + other["due"])}
    at = told.add(replace(ControlAssigned("IDN-01", "max", None, "ada"), **other))
    assert told.said() == ([(at, why)] if why else [])


def test_whoever_answers_is_told_once_of_each_failure() -> None:
    told = ready()
    answers = ControlAssigned("IDN-01", "max", None, "ada")
    reminded = ControlReminded("IDN-01", "max", Instant(1), 1)
    early = told.add(reminded)
    told.add(run(told))
    nobodys = told.add(reminded)
    told.add(answers)
    told.add(reminded)
    told.add(answers)
    told.add(run(told))
    again = told.add(reminded)
    told.add(replace(answers, owner="aud"))
    anothers = told.add(reminded)
    told.add(replace(reminded, person="aud"))
    told.add(run(told, failed=0, verdict=Verdict.PASS))
    mended = told.add(replace(reminded, person="aud"))
    told.add(run(told))
    told.add(replace(reminded, person="aud"))
    why = "it did not fail, or somebody else answered for it"
    assert told.said() == [
        (early, why),
        (nobodys, why),
        (again, "they had been told of it already"),
        (anothers, why),
        (mended, why),
    ]
