"""Nothing that comes from elsewhere acts on the terminal or looks like our own words."""

import io

import pytest
import typer

from onepam.cli.play import play_lines
from onepam.cli.show import clean, say, span, table, when


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcödé 漢字 👩\u200d💻", "plain ünïcödé 漢字 👩\u200d💻"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("one\ntwo\rthree\tfour", "one\\ntwo\\rthree\\tfour"),
        ("\x9b31m\x00\x7f", "\\x9b31m\\x00\\x7f"),
        ("\udc80", "\\udc80"),
        ("[bold red]not markup[/]", "[bold red]not markup[/]"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_say_and_table_print_text(capsys: pytest.CaptureFixture[str]) -> None:
    say("[red]x[/red] \x1b[2J", "second :smile:")
    table(("NAME",), [("[b]y[/b]\n\x1b[31mz",)], "none")
    table(("NAME",), [], "none")
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "[red]x[/red] \\x1b[2J",
        "second :smile:",
        "NAME",
        "[b]y[/b]\\n\\x1b[31mz",
        "none",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (5400, "1 h 30 min"), (36_600, "10 h"),
     (43_190, "12 h"), (90_000, "25 h"), (172_790, "2 days"), (604_790, "7 days")],
)  # fmt: skip
def test_span(seconds: int, words: str) -> None:
    assert span(seconds) == words


def test_when() -> None:
    assert when(None) == ""
    assert when("2020-01-01T00:00:00Z").endswith(" days ago")
    assert when("2999-01-01T00:00:00Z").startswith("in ")


@pytest.mark.parametrize("lines", [['{"version": 2}'], ['{"version": 3, "term": {}}', "[1, 2]"], ["[0, 1, 2]"]])
def test_what_is_no_recording_is_refused(lines: list[str]) -> None:
    with pytest.raises(typer.Exit):
        play_lines(lines, io.StringIO(), 1, 1)


def test_a_marker_is_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    head = '{"version": 3, "term": {"cols": 80, "rows": 24}, "title": "a\\u001b[2J"}'
    play_lines([head, '[0, "o", "x\\u001b[6n"]', '[9, "m", "end \\u001b]0;t"]', '[0, "i", "secret"]'], screen, 1, 1)
    assert screen.getvalue() == "x"
    assert capsys.readouterr().err.splitlines() == ["-- a\\x1b[2J (80x24)", "-- end \\x1b]0;t"]
