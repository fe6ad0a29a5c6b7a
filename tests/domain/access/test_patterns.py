"""Patterns of masks: as Python's own finds them, in linear time, and no others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.patterns import MAX_CHARACTERS, MAX_WORK, BadPattern, Patterns


def found(pattern: str, text: str) -> bool | None:
    return Patterns.of((pattern,)).found(text)


ATOMS = ["a", "b", ".", "[ab]", "[^a]", "\\d", "\\w", "\\W", "\\s", "1", "(a|b1)", "(?:ab)", "()", "[-a]", "[a-c]"]
COUNTED = st.tuples(st.sampled_from(ATOMS), st.sampled_from(["", "", "*", "+", "?", "{2}", "{0,2}", "{1,}"])).map(
    "".join
)
PIECES = st.one_of(COUNTED, st.sampled_from(["\\b", "^", "$", "|"]))
PATTERNS = st.lists(PIECES, min_size=1, max_size=6).map("".join)


@given(PATTERNS, st.text("ab1 -\n", max_size=12))
def test_what_is_found_is_what_python_finds(pattern: str, text: str) -> None:
    python = re.search(pattern.replace("$", "\\Z"), text, re.ASCII) is not None
    assert found(pattern, text) is python


@pytest.mark.parametrize(
    ("pattern", "text", "right"),
    [
        (r"\b\d{16}\b", "card 4111111111111111, thanks", True),
        (r"\b\d{16}\b", "41111111111111110", False),
        (r"\b\d{16}\b", "x4111111111111111", False),
        (r"[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){3}", "GB82 WEST 1234 5698", True),
        (r"^sk_(live|test)_\w+$", "sk_live_abc", True),
        (r"^sk_(live|test)_\w+$", "a sk_live_abc", False),
        (r"[\d\.\]]x", "]x", True),
        (r"[]]x", "]x", True),
        (r"\n\t\.", "\n\t.", True),
        (r"\S\D\W", "a", False),
        (r"a{2,3}b", "ab", False),
        (r"a{2,3}b", "aab", True),
        ("é", "café", True),
        (r"\bé", "a é", False),
        (r"(?:ab)+c", "xababc", True),
        (r"a.c", "a\nc", False),
    ],
)
def test_usual_patterns(pattern: str, text: str, right: bool) -> None:
    assert found(pattern, text) is right


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("", "characters"), ("a" * (MAX_CHARACTERS + 1), "characters"), ("(a", "not closed"), ("a)", "closes nothing"),
        ("*a", "nothing stands"), ("{2}", "nothing stands"), ("a**", "follows a count"), ("a{2}{3}", "follows a count"),
        ("a{256}", "no count"), ("a{3,2}", "no count"), (r"\b*", "no character"), (r"\q", "not known"),
        (r"(a)\1", "not known"), ("[a", "in the midst"), ("a\\", "in the midst"), ("[z-a]", "range"),
        (r"[\d-z]", "range"), ("[a-\U0001f600]", "range"), (r"[\W]", "capital"), ("(a{200}){200}", "too large"),
        ("(?=a)", "nothing stands"),
    ],
)  # fmt: skip
def test_what_is_no_pattern_says_why(pattern: str, why: str) -> None:
    with pytest.raises(BadPattern, match=why):
        Patterns.of((pattern,))


def test_of_several_patterns_each_is_found_and_of_none_nothing() -> None:
    several = Patterns.of(("cat", "dog$"))
    assert [several.found(text) for text in ("a cat", "a dog", "dogs", "")] == [True, True, False, False]
    assert Patterns.of(()).found("anything") is False


def test_what_makes_other_matchers_go_back_for_ever_takes_one_walk() -> None:
    patterns = Patterns.of(("(a+)+b", "(a|aa)+$c", "(a?){30}a{30}c"))
    assert patterns.found("a" * 100_000) is False
    assert len(patterns._moves) < 200  # what comes again is known


def test_a_text_that_takes_too_many_steps_is_not_decided() -> None:
    """Each place of a window of 40 letters is another state, so nothing is known again."""
    patterns = Patterns.of(("x[xy]{180}z",))
    digits = iter(f"{number:b}" for number in range(3**20, 3**20 + 5_000))
    text = "".join(digits).replace("0", "y").replace("1", "x")
    assert patterns.found(text) is None
    assert len(text) * 20 > MAX_WORK
    assert patterns.found("x" * 181 + "z") is True


def test_what_is_known_of_texts_is_bounded() -> None:
    patterns = Patterns.of(("cat$",))
    assert patterns.found("".join(map(chr, range(0x4E00, 0x4E00 + 2_500))) + "cat") is True
    assert len(patterns._moves) < 2_000
