"""Which steps may be noted, and which must be recorded before anything goes on."""

import pytest

from onepam.protocols.sql.events import Done, Event, Hidden, Kept, Run, Step, Text
from onepam.recording.statements import Form, Outcome

DONE = Done(1, Outcome.OK, b"I", 1, 5, "SELECT 1")


@pytest.mark.parametrize(
    ("events", "to_target", "outcome"),
    [
        ([DONE], [], True),
        ([DONE], [b"S\0\0\0\4"], False),
        ([], [], False),
        ([DONE, DONE], [], False),
        ([Run(1, 1, Form.SIMPLE)], [], False),
        ([Text(1, b"SELECT 1")], [], False),
        ([Hidden("statement", 1, "masked")], [], False),
        ([Kept(1, 1, ("a",))], [], False),
        ([Kept(1, 1, ("a",)), DONE], [], False),
    ],
)
def test_only_what_came_of_one_execution_may_be_noted(
    events: list[Event], to_target: list[bytes | memoryview], outcome: bool
) -> None:
    assert Step(to_target, [b"to the client"], events).outcome is outcome
