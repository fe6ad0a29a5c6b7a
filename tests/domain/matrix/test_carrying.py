"""A change of a text, carried over to the text that others have changed meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.matrix.carrying import MOST_LINES, carried

BASE = "one\ntwo\nthree\nfour\nfive\n"


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        (BASE, "other\n", "other\n"),
        ("other\n", BASE, "other\n"),
        (BASE + "mine\n", BASE + "theirs\n", BASE + "theirs\nmine\n"),
        (BASE + "mine", BASE + "theirs", BASE + "theirs\nmine\n"),
        (BASE.replace("two", "2"), BASE.replace("four", "4"), "one\n2\nthree\n4\nfive\n"),
        (BASE.replace("four", "4"), BASE.replace("two", "2"), "one\n2\nthree\n4\nfive\n"),
        (BASE.replace("two\n", ""), BASE.replace("two\n", ""), "one\nthree\nfour\nfive\n"),
        (BASE.replace("two", "2"), BASE.replace("two", "zwei"), None),
        (BASE.replace("two\nthree\n", ""), BASE.replace("three", "3"), None),
        (BASE.replace("three", "3"), BASE.replace("two\nthree\n", ""), None),
        (BASE.replace("two\nthree\nfour\n", ""), BASE.replace("three\n", "three\nand\n"), None),
        ("", BASE + "theirs\n", "theirs\n"),
        ("x\n" * MOST_LINES, BASE, None),
    ],
)
def test_both_changes_are_kept_or_neither_is_guessed(mine: str, theirs: str, both: str | None) -> None:
    assert carried(BASE, mine, theirs) == both


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_what_only_one_changed_is_what_they_wrote(old: list[str], new: list[str]) -> None:
    base, text = ("".join(f"{each}\n" for each in lines) for lines in (old, new))
    assert carried(base, text, base) == text
    assert carried(base, base, text) == text


@given(st.lists(st.sampled_from("abcd"), unique=True), st.sampled_from(["x", "y"]))
def test_an_addition_of_each_is_there_once(lines: list[str], word: str) -> None:
    base = "".join(f"{each}\n" for each in lines)
    found = carried(base, f"{base}mine {word}\n", f"theirs\n{base}")
    assert found is not None
    assert sorted(found.splitlines()) == sorted([*lines, f"mine {word}", "theirs"])
