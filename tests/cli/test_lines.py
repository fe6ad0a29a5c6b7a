"""Lines of JSON that come from a target by way of the gateway, hostile as it may be."""

import io
import json

import pytest
import typer

from onepam.cli.lines import lines_of, plain
from onepam.cli.play import play_lines
from onepam.cli.show import Output
from onepam.cli.watch import watched_lines

HEAD = {"version": 3, "term": {"cols": 80, "rows": 24}, "title": "root@web-1"}
ENDS = "a\u2028b\u2029c\x85d\x0b\x0c\x1c\x1d\x1ee"
"""All that Unicode calls the end of a line, which a person who is watched may print."""
EVENTS = (HEAD, [0, "o", ENDS], [0, "o", "after"])
SENT = "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in EVENTS).encode()


def test_lf_alone_parts_lines() -> None:
    for size in (1, 7, len(SENT)):
        pieces = [SENT[at : at + size] for at in range(0, len(SENT), size)]
        head, ends, after = map(json.loads, lines_of(pieces))
        assert (head, ends[2], after[2]) == (HEAD, ENDS, "after")
    assert list(lines_of([b"x\n\n", b"y"])) == ["x", "", "y"]


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onepam.cli.lines.MAX_LINE_BYTES", 10)
    with pytest.raises(typer.Exit):
        list(lines_of([b"x" * 11]))


def test_nobody_who_is_watched_ends_the_watching_by_what_they_print() -> None:
    watched, played = io.StringIO(), io.StringIO()
    watched_lines(lines_of([SENT]), watched, database=False)
    play_lines(lines_of([SENT]), played, 1, 1)
    for screen in (watched, played):
        assert screen.getvalue().endswith("after")


def test_json_on_a_terminal_is_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Output, "as_json", True)
    hostile, screen = [0, "o", "\x9b31m\u202e\x85\x7f"], io.StringIO()
    watched_lines([json.dumps(hostile, ensure_ascii=False)], screen, database=False)
    assert screen.getvalue().isascii()
    assert json.loads(screen.getvalue()) == hostile
    assert plain('{"a": "\u2028"}') == '{"a": "\\u2028"}'
