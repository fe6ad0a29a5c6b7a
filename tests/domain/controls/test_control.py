"""What a run says: its verdict, its numbers and its digest."""

from dataclasses import replace
from hashlib import sha256
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Population, Row, Run, Verdict, judged, run, untested, verdict_of
from onepam.kernel.clock import DAY, Instant

NOW = Instant(400 * DAY)
PASS, FAIL, NOT_TESTED, EXCLUDED = Verdict.PASS, Verdict.FAIL, Verdict.NOT_TESTED, Verdict.EXCLUDED


@pytest.mark.parametrize(
    ("numbers", "cause", "verdict"),
    [
        ((3, 0, 0, 0), "", PASS),
        ((3, 1, 0, 0), "", FAIL),
        ((3, 1, 1, 1), "", FAIL),
        ((3, 0, 1, 0), "", NOT_TESTED),
        ((3, 0, 0, 2), "", PASS),
        ((3, 0, 0, 3), "", NOT_TESTED),
        ((3, 0, 0, 3), "nobody left", NOT_TESTED),
        ((0, 0, 0, 0), "", NOT_TESTED),
        ((0, 0, 0, 0), "nobody left", PASS),
    ],
)
def test_the_verdict_follows_from_the_numbers(numbers: tuple[int, int, int, int], cause: str, verdict: Verdict) -> None:
    assert verdict_of(*numbers, cause) is verdict


@given(st.lists(st.sampled_from(list(Verdict)), max_size=6), st.sampled_from(["", "a cause"]))
def test_a_pass_needs_a_row_that_passes_or_a_cause_and_none_that_does_not(found: list[Verdict], cause: str) -> None:
    rows = tuple(Row("person", str(place), each) for place, each in enumerate(found))
    verdict = Run("IDN-01", 1, None, NOW, rows, cause).verdict
    assert verdict is not EXCLUDED
    assert (verdict is FAIL) == (FAIL in found)
    if verdict is PASS:
        assert PASS in found or (not found and cause)
        assert NOT_TESTED not in found


def test_a_run_names_its_population_and_leaves_out_what_somebody_answers_for() -> None:
    test = TESTS["MFA-01"]
    rows = (judged("session", "b", ""), judged("session", "a", "no factor"), untested("session", "c", "erased"))
    found = run(test, NOW, Population(rows))
    assert (found.control, found.version, found.begin, found.until) == ("MFA-01", 1, NOW - 90 * DAY, NOW)
    assert [found.count(each) for each in Verdict] == [1, 1, 1, 0]
    lines = b'["session","a","fail","no factor"]\n["session","b","pass",""]\n["session","c","not-tested","erased"]'
    assert found.digest == sha256(lines).hexdigest()
    assert run(test, NOW, Population(rows[::-1])).digest == found.digest
    assert run(test, NOW, Population((*rows[:2], untested("session", "c", "lost")))).digest != found.digest
    excluded = run(test, NOW, Population(rows), [("session", "a"), ("session", "b"), ("person", "c")])
    assert [each.verdict for each in excluded.rows] == [PASS, EXCLUDED, NOT_TESTED]
    assert excluded.rows[1].reason == "no factor"
    assert run(TESTS["IDN-01"], NOW, Population(())).begin is None
    assert run(test, Instant(DAY), Population((), "none")) == Run("MFA-01", 1, Instant(0), Instant(DAY), (), "none")


def test_the_catalogue_says_of_each_control_what_is_asked_and_what_is_not_shown() -> None:
    for name, test in TESTS.items():
        assert test.control.id == name
        assert test.version >= 1
        assert test.control.criteria
        assert test.rule.endswith("."), name
        assert test.blind, name
        assert not test.blind.endswith("."), name
        assert test.control.every == DAY
    assert len({each.rule for each in TESTS.values()}) == len(TESTS)
    for one, other in product(TESTS.values(), repeat=2):
        assert one is other or replace(one) != other
