"""What a terminal filter lets through, and what no recording can smuggle past it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.gateway.terminal_filter import TerminalFilter


@pytest.mark.parametrize(
    "text",
    [
        "plain text, ünïcödé and 漢字\r\n\tand a tab",
        "\x1b[1;31mred\x1b[0m",
        "\x1b[38:2:1:2:3mtrue colour\x1b[m",
        "\x1b[2J\x1b[H\x1b[10;20Hmoved",
        "\x1b[K\x1b[3A\x1b[2;5r\x1b[S\x1b[T",
        "\x1b7saved\x1b8\x1bM",
    ],
)
def test_kept(text: str) -> None:
    assert TerminalFilter().feed(text) == text


@pytest.mark.parametrize(
    "attack",
    [
        "\x1b]0;title\x07",
        "\x1b]0;title\x1b\\",
        "\x1b]52;c;ZWNobyBwd25lZA==\x07",
        "\x9d0;title\x9c",
        "\x1b]8;;http://evil.example\x1b\\",
        '\x1bP$q"p\x1b\\',
        "\x1b_payload\x1b\\",
        "\x1b^payload\x1b\\",
        "\x1bXpayload\x1b\\",
        "\x1b[6n",
        "\x1b[c",
        "\x1b[>c",
        "\x1b[?1049h",
        "\x1b[?2004h",
        "\x1b[>1u",
        "\x1b[21t",
        "\x1b[5i",
        "\x1b[99999999b",
        "\x1b[4h",
        "\x1b[!p",
        "\x1b[1 q",
        "\x1bc",
        "\x1b(0",
        "\x1b#8",
        "\x1b%G",
        "\x9b6n",
        "\x07\x0e\x0f\x00\x7f\x05",
        "\u202e\u2066",
        "\x1b[" + "1;" * 200 + "m",
        "\x1b[99999H",
    ],
)
def test_dropped(attack: str) -> None:
    assert TerminalFilter().feed(f"a{attack}b") == "ab"


def test_a_string_that_never_ends_swallows_the_rest_of_its_line() -> None:
    assert TerminalFilter().feed("a\x1b]0;never ending") == "a"


def test_a_sequence_inside_a_sequence_starts_anew() -> None:
    assert TerminalFilter().feed("\x1b[3\x1b[1mx") == "\x1b[1mx"
    assert TerminalFilter().feed("\x1b\x1b[1mx") == "\x1b[1mx"
    assert TerminalFilter().feed("\x1b]0;t\x1b[6nx") == "x"
    assert TerminalFilter().feed("\x1b[3\x18x") == "x"


@pytest.mark.parametrize("begins", ["\x1b]0;", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x9d", "\x90"])
def test_a_string_that_never_ends_hides_its_own_line_alone(begins: str) -> None:
    """The terminal of whoever printed it may know no such string, and show what comes after."""
    assert TerminalFilter().feed(f"a{begins}hidden\r\nshown\n") == "a\nshown\n"


def test_plain_drops_colours_and_movement() -> None:
    assert TerminalFilter(plain=True).feed("\x1b[1mbold\x1b[0m\r\n\x1bMx\b") == "bold\nx"


_SAFE = re.compile(
    r"(?:[^\x00-\x1f\x7f-\x9f]|[\t\n\r\b]|\x1b[78DEM]|\x1b\[[0-9;:]{0,200}[mABCDEFGHfdae`suJKXP@LMSTr])*"
)
_hostile = st.text(st.sampled_from("\x1b[]P\\\x07\x9b\x9d?;:0169mnchltrHJbu \x18\r\na\u202e"), max_size=60)


@given(_hostile)
def test_nothing_else_ever_comes_out(text: str) -> None:
    assert _SAFE.fullmatch(TerminalFilter().feed(text))


@given(_hostile, st.integers(1, 7))
def test_pieces_make_no_difference(text: str, size: int) -> None:
    whole, pieces = TerminalFilter(), TerminalFilter()
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    assert "".join(map(pieces.feed, parts)) == whole.feed(text)
