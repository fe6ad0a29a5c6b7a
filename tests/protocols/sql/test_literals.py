"""Literals and comments of a text, by its letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.protocols.sql.literals import What, literals


def said(text: str) -> list[str]:
    data = text.encode()
    return [data[each.inner[0] : each.inner[1]].decode() for each in literals(data)]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("SELECT 1, a2, $3, 4.5e-6, .7, 0x1F, 1_000", ["1", "4.5e-6", ".7", "0x1F", "1_000"]),
        ("'a''b' 'c' \"d'e\" 'f'", ["a''b", "c", "f"]),
        (r"E'a\'b' 'c\' e'd''e'", [r"a\'b", "c\\", "d''e"]),
        ("B'01' x'1F' N'n' U&'\\0041' u&\"a'b\"", ["01", "1F", "n", "\\0041"]),
        ("$$a$$ $t$b $$ c$t$ a$1$b", ["a", "b $$ c"]),
        ("1 -- a'b\n'c' /* d /* e */ 'f' */ 'g'", ["1", " a'b", "c", " d /* e */ 'f' */", "g"]),
        ("'open", ["open"]),
        ("'a''", ["a''"]),
        ("E'a\\'", ["a\\'"]),
        ("$$open", ["open"]),
        ("/* open", [" open"]),
        ("a'b'", ["b"]),
        ("1-2", ["1", "2"]),
        ("", []),
    ],
)
def test_each_is_found_with_what_it_says(text: str, right: list[str]) -> None:
    assert said(text) == right


@given(st.text("'\"$/*-\\eE1a \n", max_size=30))
def test_they_follow_each_other_within_any_text(text: str) -> None:
    data, end = text.encode(), 0
    for each in literals(data):
        assert end <= each.start <= each.inner[0] <= each.inner[1] <= each.end <= len(data)
        assert each.start < each.end
        assert (each.what is What.NUMBER) is (
            each.inner == (each.start, each.end) and data[each.start : each.end][:1] in b".0123456789"
        )
        end = each.end
