"""What a statement does, read from its text."""

from random import Random

import pytest

from onepam.domain.access.guardrails import StatementClass
from onepam.protocols.mysql.bound import bound
from onepam.protocols.mysql.masked_columns import refusal
from onepam.protocols.mysql.parsing import MOST_DEPTH, MOST_TOKENS
from onepam.protocols.mysql.statements import MOST_BYTES, by_name, classify
from tests.protocols.mysql.read_texts import DOES, READS, UNREADABLE
from tests.protocols.mysql.test_masked_columns import KNOWN

READ = frozenset((StatementClass.READ,))


@pytest.mark.parametrize("text", [*READS, *DOES])
def test_what_a_text_does(text: str) -> None:
    found = classify(text)
    assert found is not None
    assert " ".join(sorted(found)) == {**READS, **DOES}[text]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read(text: str) -> None:
    assert classify(text) is None


def test_so_much_is_read() -> None:
    def listed(count: int) -> str:
        return f"SELECT {'1 + ' * count}1"

    assert classify("SELECT 1 -- ".ljust(MOST_BYTES, "x")) == READ
    assert classify("SELECT 1 -- ".ljust(MOST_BYTES + 1, "x")) is None
    assert classify(listed(MOST_TOKENS // 2 - 1)) == READ
    assert classify(listed(MOST_TOKENS // 2)) is None


def test_a_text_is_as_deep_as_the_parser_goes_without_harm() -> None:
    for opens, closes in (("(", ")"), ("IF(", ",1,1)"), ("(SELECT ", ")"), ("CASE WHEN 1 THEN ", " END")):
        for depth in (10, MOST_DEPTH, MOST_DEPTH + 1):
            found = classify(f"SELECT {opens * depth}1{closes * depth}")
            assert found == READ if depth == 10 else found in (None, READ)
            assert depth <= MOST_DEPTH or found is None
    for sign in ("NOT ", "- ", "~ "):
        assert classify(f"SELECT {sign * 900}1") in (None, READ)


@pytest.mark.parametrize("text", ["PREPARE x FROM 'SELECT 1'", "SELECT 1; EXECUTE x", "EXECUTE IMMEDIATE 'SELECT 1'"])
def test_what_runs_another_text_is_told_apart(text: str) -> None:
    assert by_name(text)
    assert not by_name("SELECT 'PREPARE'")
    assert not by_name("SELECT '")


def test_whatever_comes_is_read_or_not() -> None:
    """Pieces of texts in any order: a parser may stumble, and nothing comes of it but that they are not read."""
    pieces = [
        *READS,
        *DOES,
        *UNREADABLE,
        "'",
        '"',
        "`",
        "\\",
        "/*",
        "*/",
        "--",
        "#",
        "(",
        ")",
        "CASE",
        "NOT",
        "OVER (",
        "{",
    ]
    chosen = Random(1)
    for _ in range(400):
        cut = (each[chosen.randrange(len(each) or 1) :] for each in chosen.choices(pieces, k=3))
        text = chosen.choice(("", " ", "SELECT ")).join(cut)
        classify(text)
        bound(text, frozenset("ab"))
        refusal(text, KNOWN)
