"""The export is exact and valid; the player's text can do nothing to a terminal but show."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.kernel.clock import SECOND, Instant
from onepam.recording.asciicast import MAX_SEQUENCE_CHARACTERS, Player, export
from onepam.recording.frames import (
    ChannelClosed,
    ChannelOpened,
    Closed,
    Frame,
    Marker,
    Omitted,
    Opened,
    Output,
    Resize,
    Signal,
    Stream,
    TypedInput,
)

OPENED = Opened(0, "ses_1", "per_1", "res_1", "root", "ssh", Instant(1_700_000_000 * SECOND + 5))


def lines(*frames: Frame, channel: int = 1) -> list[object]:
    return [json.loads(line) for line in export((OPENED, *frames), channel)]


def test_a_terminal_becomes_events_with_relative_times() -> None:
    assert lines(
        ChannelOpened(1 * SECOND, 1, "pty", "", "xterm-256color", 120, 40),
        ChannelOpened(1 * SECOND, 2, "exec", "id"),
        Output(1 * SECOND + 250_000, 1, Stream.STDOUT, b"$ "),
        Output(1 * SECOND + 260_000, 2, Stream.STDOUT, b"other channel"),
        TypedInput(2 * SECOND, 1, 3),
        Marker(2 * SECOND, "five minutes left"),
        Signal(2 * SECOND, 1, "INT"),
        Signal(2 * SECOND, 2, "KILL"),
        Signal(2 * SECOND, 1, "BREAK", 500),
        Resize(2 * SECOND + 1, 1, 90, 30),
        Resize(2 * SECOND + 1, 2, 1, 1),
        Resize(2 * SECOND + 2, 1, 0, 99_999),
        Omitted(2 * SECOND + 2, 1, Stream.STDOUT, 12_345),
        Omitted(2 * SECOND + 2, 2, Stream.STDOUT, 1),
        Omitted(2 * SECOND + 2, 1, Stream.STDIN, 5),
        Output(2 * SECOND + 2, 1, Stream.STDERR, b"\x1b[1mno\r\n"),
        ChannelClosed(3 * SECOND, 2, 7),
        ChannelClosed(3 * SECOND, 1, 130),
        Closed(4 * SECOND, "end", {}),
    ) == [
        {"version": 3, "term": {"cols": 120, "rows": 40, "type": "xterm-256color"}, "timestamp": 1_700_000_000},
        [0.25, "o", "$ "],
        [0.75, "m", "five minutes left"],
        [0, "m", "signal INT"],
        [0, "m", "break of 500 ms"],
        [0.000001, "r", "90x30"],
        [0.000001, "r", "80x1000"],
        [0, "m", "partial by policy: 12,345 bytes are left out here"],
        [0, "o", "\x1b[1mno\r\n"],
        [0.999998, "x", "130"],
    ]


def test_a_command_without_a_terminal_gets_a_size() -> None:
    opened = ChannelOpened(5, 1, "exec", "uname -a")
    assert lines(opened, ChannelClosed(9, 1, None, "KILL")) == [
        {"version": 3, "term": {"cols": 80, "rows": 24}, "timestamp": 1_700_000_000, "command": "uname -a"}
    ]
    assert lines(opened, channel=2) == []


@given(st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_no_code_point_is_split(text: str, data: st.DataObject) -> None:
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    frames: list[Frame] = [ChannelOpened(0, 1, "pty")]
    frames += [Output(1, 1, Stream.STDOUT, raw[a:b]) for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    events = lines(*frames, ChannelClosed(2, 1, 0))[1:-1]
    assert "".join(event[2] for event in events if isinstance(event, list)) == text


def test_what_is_no_utf8_is_shown_as_such() -> None:
    events = lines(
        ChannelOpened(0, 1, "pty"), Output(1, 1, Stream.STDOUT, b"a\xff"), Output(1, 1, Stream.STDOUT, b"\xe2\x82"),
        Output(1, 1, Stream.STDERR, b"e"), ChannelClosed(2, 1, 0),
    )[1:]  # fmt: skip
    assert events == [[0.000001, "o", "a\ufffd"], [0, "o", "e"], [0.000001, "o", "\ufffd"], [0, "x", "0"]]


HARMLESS = re.compile(
    "(?:[^\x00-\x1f\x7f-\x9f]|[\n\r\t\b]|\x1b[78DEM]"
    r"|\x1b\[[0-9]{0,4}(?:;[0-9]{0,4})?[A-HJKLMPX@`adef]|\x1b\[[0-9]{0,4}[ST]|\x1b\[[0-9:;]{0,64}m)*"
)
terminal_text = st.lists(
    st.one_of(
        st.sampled_from(
            ["\x1b", "\x1b[", "\x1b]", "\x1bP", "\x1b\\", "\x07", "\x9b", "\x9d", "\x9c", "\x18", "?", ";", "25",
             "h", "m",
             "31", "H", "n", "c", "0;title", "\x1b(0", "\x1b#8", "\x1b7", "text", "é", "\x00", "\r\n", "\x1bc", " q"]
        ),
        st.text(max_size=6),
        st.just("x" * (MAX_SEQUENCE_CHARACTERS - 3)),
        st.just("0" * (MAX_SEQUENCE_CHARACTERS + 3)),
        st.just(" " * (MAX_SEQUENCE_CHARACTERS - 1)),
    ),
    max_size=25,
)  # fmt: skip


@given(terminal_text)
def test_only_harmless_text_comes_out(pieces: list[str]) -> None:
    assert HARMLESS.fullmatch(Player().feed("".join(pieces)))


@given(terminal_text, st.data())
def test_any_chunking_plays_the_same(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    whole, parts = Player(), Player()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    played = "".join(parts.feed(text[a:b]) for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True))
    assert whole.feed(text) == played


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("plain\r\n\ttext\b", "plain\r\n\ttext\b"),
        ("\x1b[1;31mred\x1b[38:2::1:2:3m\x1b[0m", "\x1b[1;31mred\x1b[38:2::1:2:3m\x1b[0m"),
        ("\x1b[2J\x1b[H\x1b[10;20f\x1b[K\x1b[3S\x1b[2T", "\x1b[2J\x1b[H\x1b[10;20f\x1b[K\x1b[3S\x1b[2T"),
        ("\x9b31mred", "\x1b[31mred"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;cm0gLXJm\x1b\\after", "after"),
        ("\x9d0;title\x9cafter", "after"),
        ("\x1bP$q q\x1b\\after", "after"),
        ("\x1b]0;cut\x18after", "after"),
        ("\x1b[6n\x1b[c\x1b[>c\x1b[21t\x1b[?1049h\x1b[?25lafter", "after"),
        ("\x1b[1;2;3;4;5Tafter", "after"),
        ("\x1b[99999Cafter", "after"),
        ("\x1bcafter\x1b(0q\x1b)B\x1b#8", "afterq"),
        ("\x1b7\x1b8\x1bM", "\x1b7\x1b8\x1bM"),
        ("\x07\x0e\x0f\x00\x7fafter", "after"),
        ("\x1b\x1b[1mafter", "\x1b[1mafter"),
        ("\x1béafter", "éafter"),
        ("\x1b[3\x1b[1mafter", "\x1b[1mafter"),
        ("\x1b( éafter", "éafter"),
        ("\x1b]hidden" + "x" * MAX_SEQUENCE_CHARACTERS + "seen", "x" * 6 + "seen"),
        ("\x1b[" + "0" * (MAX_SEQUENCE_CHARACTERS + 1) + "seen", "0seen"),
        ("held\x1b[3", "held"),
        ("ab\x1b" + " " * (MAX_SEQUENCE_CHARACTERS - 2) + "0seen", "abseen"),
        ("ab\x1b" + " " * (MAX_SEQUENCE_CHARACTERS - 1) + "0seen", "ab0seen"),
    ],
)
def test_what_a_terminal_is_shown(sent: str, shown: str) -> None:
    assert Player().feed(sent) == shown


def test_a_control_string_of_exactly_the_bound_ends_there() -> None:
    player = Player()
    assert player.feed("\x1b]" + "x" * MAX_SEQUENCE_CHARACTERS) == ""
    assert player.feed("seen") == "seen"


def test_an_escape_without_end_is_given_up_at_the_bound() -> None:
    player = Player()
    assert player.feed("\x1b" + " " * (MAX_SEQUENCE_CHARACTERS - 2)) == ""
    assert player.feed("  seen") == " seen"


def test_a_control_string_in_pieces_is_skipped_to_its_end_or_its_bound() -> None:
    player = Player()
    assert [player.feed(each) for each in ("a\x1b]0;ti", "tle", "\x07seen")] == ["a", "", "seen"]
    sent = ("\x1b]" + "x" * 10, "x" * (MAX_SEQUENCE_CHARACTERS - 10), "seen")
    assert [player.feed(each) for each in sent] == ["", "", "seen"]


def test_an_escape_that_is_cut_waits_for_what_follows() -> None:
    player = Player()
    assert [player.feed(each) for each in ("a\x1b", "[1mb")] == ["a", "\x1b[1mb"]
