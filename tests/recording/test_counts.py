"""Counts: what a recording states of itself."""

from onepam.recording.counts import MOST, Counts
from onepam.recording.frames import Closed, Frame, Omitted, Output, Stream
from onepam.recording.statements import Executed, Finished, Form, Outcome, StatementText


def _stated(*frames: Frame) -> dict[str, int]:
    counts = Counts()
    for frame in frames:
        counts.add(frame)
    assert counts.begun is any(type(frame) is not Closed for frame in frames)
    return dict(counts.stated)


def test_a_recording_of_nothing_states_no_bytes() -> None:
    assert _stated(Closed(0, "killed", {})) == {"frames": 0, "bytes": 0}


def test_what_is_left_out_is_stated_where_there_is_any() -> None:
    output, left_out = Output(0, 1, Stream.STDOUT, b"abc"), Omitted(0, 1, Stream.STDOUT, 7)
    assert _stated(output) == {"outputs": 1, "frames": 1, "bytes": 3}
    assert _stated(output, left_out) == {"outputs": 1, "omissions": 1, "frames": 2, "bytes": 3, "omitted_bytes": 7}


def test_a_statement_counts_once_however_long_its_text_is() -> None:
    text = (StatementText(0, 1, b"SELECT ", more=True), StatementText(0, 1, b"1"))
    assert _stated(text[0]) == {"frames": 1, "bytes": 0}
    assert _stated(*text) == {"statements": 1, "frames": 2, "bytes": 0}


def test_rows_are_summed_and_stated_no_higher_than_every_reader_can_read() -> None:
    run, done = Executed(0, 1, 1, Form.SIMPLE), Finished(0, 1, Outcome.OK, rows=2, size=9)
    known = {"executions": 1, "finishes": 2, "frames": 3, "bytes": 0}
    assert _stated(run, done, done) == {**known, "rows": 4, "row_bytes": 18}
    much = Finished(0, 1, Outcome.OK, rows=2**64 - 1, size=MOST)
    assert _stated(run, done, much) == {**known, "rows": 2**53 - 1, "row_bytes": 2**53 - 1}
