"""Plain text: what is kept, what is refused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.kernel.errors import Refused
from onepam.kernel.text import harmless, natural, plain_text, printable


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  restart\tnginx\r\nafter  deploy ", "restart nginx after deploy"),
        ("cafe\u0301", "caf\u00e9"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("<b>=1+1</b>", "<b>=1+1</b>"),
    ],
)
def test_text_is_kept_on_one_line(typed: str, kept: str) -> None:
    assert plain_text(typed, 100, what="reason") == kept


@pytest.mark.parametrize(
    "typed", ["\x1b[2J", "a\u202eb", "a\u2066b", "a\x00", "a\u2028b", "\ud800", "a\u200bb", "a\x85b", "\U000e0041"]
)
def test_invisible_characters_are_refused_by_name(typed: str) -> None:
    refused = plain_text(typed, 100, what="reason")
    assert isinstance(refused, Refused)
    assert refused.code == "text.not_plain"
    assert "U+" in refused.message


def test_bounds() -> None:
    assert plain_text("x" * 10, 10, what="reason") == "x" * 10
    long = plain_text("x" * 11, 10, what="reason")
    assert isinstance(long, Refused)
    assert long.code == "text.too_long"
    empty = plain_text(" \n", 10, what="reason")
    assert isinstance(empty, Refused)
    assert empty.code == "text.missing"
    assert plain_text(" \n", 10, what="ticket", required=False) == ""


@given(st.text(max_size=60))
def test_what_is_kept_is_plain_and_stays_as_it_is(typed: str) -> None:
    kept = plain_text(typed, 60, what="reason", required=False)
    if isinstance(kept, Refused):
        return
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in kept)
    assert plain_text(kept, len(kept), what="reason", required=False) == kept


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("psql", "psql"),
        ("a\x1b[31m\nb\x9bc\x7f\0", "a[31mbc"),
        ("a\u202eb c\u2028", "ab c"),
        ("\x1b" * 9 + "x" * 9, "xxxx"),
    ],
)
def test_what_a_machine_says_is_made_printable(said: str, kept: str) -> None:
    assert printable(said, 8 if len(kept) > 4 else 4) == kept


def test_names_sort_as_people_count() -> None:
    wanted = ["Web", "web-1", "Web-2", "web-2a", "web-10", "web-10-1", "web-10-02", "web-100", "web-x", "Åsa"]
    shuffled = wanted[5:] + wanted[:5]
    assert sorted(shuffled, key=natural) == wanted
    assert natural("web-007") == natural("WEB-7")
    assert natural("") == ""
    assert natural("1" * 120).endswith("1" * 99)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_spreadsheet_runs_a_cell(begin: str) -> None:
    assert harmless(f"{begin}1+1") == f"'{begin}1+1"
    assert harmless(f"  {begin}1+1")[:1] == ("'" if begin.strip() else " ")
    assert harmless(f"1{begin}1") == f"1{begin}1"
    assert harmless("") == ""
