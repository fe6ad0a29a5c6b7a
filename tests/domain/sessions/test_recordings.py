"""What a check of recordings says in the ledger: always that it was, and each change for better or worse once."""

import pytest

from onepam.domain.sessions.recordings import (
    Checked,
    Condition,
    KnownBad,
    RecordingFoundBad,
    RecordingFoundGood,
    RecordingsChecked,
    told,
)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, Condition.WHOLE, None),
        (None, Condition.GAP, None),
        (None, Condition.CUT, RecordingFoundBad("ses_1", Condition.CUT, "why")),
        (Condition.CUT, Condition.CUT, None),
        (Condition.CUT, Condition.MISSING, RecordingFoundBad("ses_1", Condition.MISSING, "why")),
        (Condition.MISSING, Condition.WHOLE, RecordingFoundGood("ses_1", Condition.WHOLE)),
    ],
)
def test_a_condition_is_told_when_it_changes(before: Condition | None, now: Condition, expected: object | None) -> None:
    known = KnownBad({"ses_1": before} if before else {})
    decided = told(known, (Checked("ses_1", now, "why"),), "node-1", 3, 10, 20, "ab")
    checked = RecordingsChecked("node-1", 3, 10, 20, 1, {now.value: 1}, "ab")
    assert decided.events == ((expected, checked) if expected else (checked,))
    assert decided.result == (not now.good)


def test_conditions_are_counted_apart() -> None:
    results = [Checked(f"ses_{number}", condition) for number, condition in enumerate((*Condition, Condition.CUT))]
    decided = told(KnownBad({}), tuple(results), "node-1", 0, 0, 9, "")
    checked = decided.events[-1]
    assert isinstance(checked, RecordingsChecked)
    assert checked.conditions == {each.value: 1 + (each is Condition.CUT) for each in Condition}
    assert (checked.number, decided.result) == (len(results), len(results) - 3)
    assert [each.value for each in Condition if each.good] == ["whole", "gap", "none"]
