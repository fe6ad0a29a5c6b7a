"""What the recording does not show: of texts, parameters and words."""

import struct

import pytest

from onepam.domain.access.masking import Mask
from onepam.domain.access.patterns import Patterns
from onepam.protocols.mysql.guarding import allowance
from onepam.protocols.sql import masking
from onepam.protocols.sql.masking import NOTHING, Masking, Shown
from onepam.recording.statements import Parameter

CARDS = Patterns.of((r"\b\d{16}\b",))
CARD = "4111111111111111"


def by_pattern(text: str) -> str:
    return Masking(CARDS, None).text(text.encode(), text).text.decode()


def by_column(text: str, shown: Shown | None) -> masking.Masked:
    return Masking(None, lambda _: shown).text(text.encode(), text)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("SELECT 1", "SELECT 1"),
        (f"SELECT '{CARD}', 'a'", "SELECT '[masked: 16 bytes]', 'a'"),
        (f"SELECT {CARD}", "SELECT '[masked: 16 bytes]'"),
        (f"SELECT 'card {CARD}!'", "SELECT '[masked: 22 bytes]'"),
        (f"SELECT 1 -- {CARD}", "SELECT 1 /* [masked: 17 bytes] */"),
        (f"SELECT 1 /* {CARD} */", "SELECT 1 /* [masked: 20 bytes] */"),
        (f"SELECT $${CARD}$$", "SELECT '[masked: 16 bytes]'"),
        (f'SELECT "{CARD}"', "/* [masked: 25 bytes] */"),
        ("SELECT 1111111111111111111", "SELECT 1111111111111111111"),
    ],
)
def test_where_a_pattern_stands_the_size_does(text: str, right: str) -> None:
    assert by_pattern(text) == right


ESCAPED = "".join(f"\\x{ord(each):02x}" for each in CARD)


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT E'{ESCAPED}'",
        "SELECT E'4111\\x31\\61\\u0031\\U0000003111111111'",
        "SELECT U&'4111\\0031\\+0000311111111111' || 'x'",
        "SELECT U&'4111!0031!003111111111' UESCAPE '!'",
        "SELECT U&'4111!0031!003111111111' /* x */ -- y\n UESCAPE '!'",
        f"SELECT '\\x{CARD.encode().hex()}'::bytea",
        f"SELECT X'{CARD.encode().hex()}'",
        f"""INSERT INTO t VALUES ('{{"card": "\\u0034{CARD[1:]}"}}')""",
        "SELECT '4111111111'\n'111111'",
        "SELECT '41111'  -- first\n  '11111'\n\n'111111'",
        "SELECT E'\\x34' '11', '4111111111'\r'111111'",
    ],
)
def test_a_pattern_is_found_however_its_letters_are_written(text: str) -> None:
    said = by_pattern(text)
    assert "masked: " in said
    for part in ("4111", "1111", ESCAPED, CARD.encode().hex(), "003111"):
        assert part not in said


def test_what_only_looks_escaped_or_joined_is_shown() -> None:
    for text in ("SELECT 'C:\\temp', 'x'", "SELECT '41111111', '11111111'", "SELECT '41111111' '11111111'",
                 "SELECT E'a\\'b', U&'\\0041', '\\x00ff'", "SELECT 'a'\n'b'"):  # fmt: skip
        assert by_pattern(text) == text


def test_a_text_that_is_too_long_or_has_too_many_literals_to_be_looked_at_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = "SELECT 'a', " + "b, " * 30_000 + "1"
    assert by_pattern(long) == long.replace("'a'", "'[masked: 1 byte]'").removesuffix("1") + "'[masked: 1 byte]'"
    monkeypatch.setattr(masking, "MOST_LITERALS", 2)
    assert by_pattern("SELECT 1, 2") == "SELECT 1, 2"
    assert "1, 2" not in by_pattern("SELECT 1, 2, 3")


@pytest.mark.parametrize(
    ("value", "binary"),
    [
        (CARD.encode(), False), (b"\\x" + CARD.encode().hex().encode(), False), (ESCAPED.encode(), False),
        (struct.pack(">q", int(CARD)), True), (struct.pack(">d", float(CARD)), True), (CARD.encode(), True),
    ],
)  # fmt: skip
def test_a_pattern_is_found_in_a_parameter_however_it_is_written(value: bytes, binary: bool) -> None:
    for each, hidden in ((Parameter(value, binary), (1,)), (Parameter(value[:-1] if not binary else None), ())):
        assert Masking(CARDS, None).parameters((each,), None)[1] == hidden


def test_of_masked_columns_only_what_is_bound_to_others_is_shown() -> None:
    text = "UPDATE t SET a = 'x', n = - 5, b = 'y' -- z"
    found = by_column(text, Shown(frozenset((text.index("'x'"), text.index("-")))))
    assert found.text.decode() == "UPDATE t SET a = 'x', n = - 5, b = '[masked: 1 byte]' -- z"
    assert (found.parts, found.words) == (1, "masked: 1 part of the text")
    assert by_column(text, None).text.decode() == text
    hidden = by_column(text, NOTHING)
    assert (hidden.parts, hidden.words) == (3, "masked: 3 parts of the text")
    assert by_column("SELECT a", NOTHING).words == ""


def test_of_code_the_literals_in_it_are_masked_and_the_rest_is_shown() -> None:
    text = "DO $x$ BEGIN UPDATE t SET card = '4111'; END $x$ LANGUAGE 'plpgsql'"
    assert by_column(text, Shown(code=True)).text.decode() == (
        "DO $x$ BEGIN UPDATE t SET card = '[masked: 4 bytes]'; END $x$ LANGUAGE '[masked: 7 bytes]'"
    )
    assert "BEGIN" not in by_column(text, NOTHING).text.decode()


def test_a_text_that_nobody_can_read_for_sure_is_its_size() -> None:
    for each in (Masking(CARDS, None), Masking(None, lambda _: None)):
        found = each.text(b"SELECT '\\'", None)
        assert (found.text, found.shown) == (b"/* [masked: 10 bytes] */", NOTHING)


def test_a_text_whose_letters_are_of_several_bytes_elsewhere_shows_no_literal() -> None:
    latin = "UPDATE t SET a = '\xe9', b = 'y'"
    found = Masking(None, lambda _: Shown(frozenset((17,)))).text(latin.encode("latin-1"), latin)
    assert found.text == b"UPDATE t SET a = '[masked: 1 byte]', b = '[masked: 1 byte]'"


INT = struct.pack(">q", int(CARD))


@pytest.mark.parametrize(
    ("value", "binary", "masked"),
    [
        (CARD.encode(), False, True), (b"4111", False, False), (b"\xff", False, True), (CARD.encode(), True, True),
        (INT, True, True), (struct.pack(">i", 41), True, False), (struct.pack(">h", 1), True, False),
        (b"\1", True, False),
        (b"text", True, False), (b"a text\nof lines", True, False), (b"\0\4\0\1\0\0\0\0\1\2", True, True),
        (b"\xff\xfe\xfd", True, True), (b"", True, False),
    ],
)  # fmt: skip
def test_a_value_is_masked_where_a_pattern_stands_in_it_or_it_cannot_be_told(
    value: bytes, binary: bool, masked: bool
) -> None:
    mask = Masking(CARDS, None)
    found, numbers = mask.parameters((Parameter(None), Parameter(value, binary), Parameter(7)), None)
    right = Parameter(len(value), binary) if masked else Parameter(value, binary)
    assert (found, numbers) == ((Parameter(None), right, Parameter(7)), (2,) if masked else ())
    assert mask.value(value, binary=binary) is masked


def test_parameters_are_shown_that_are_bound_to_no_masked_column() -> None:
    mask, given = (
        Masking(None, lambda _: None),
        (Parameter(b"a"), Parameter(b"bc", True), Parameter(None), Parameter(9)),
    )
    assert mask.parameters(given, None) == (given, ())
    assert mask.parameters(given, Shown(parameters=frozenset((1,)))) == (
        (Parameter(b"a"), Parameter(2, True), Parameter(None), Parameter(9)), (2, 4),
    )  # fmt: skip


@pytest.mark.claim(
    "and the words only where the statement has to do with no masked column",
    altered="the words were kept of a statement with a masked column",
)
def test_what_a_target_says_of_a_masked_value_is_not_repeated() -> None:
    mask = Masking(CARDS, lambda _: None)
    assert mask.words("22P02 invalid input", bound=True) == "22P02 [masked: 13 bytes]"
    assert mask.words("22P02 invalid input", bound=False) == "22P02 invalid input"
    assert mask.words(f"22P02 invalid {CARD}", bound=False) == "22P02 [masked: 24 bytes]"
    assert mask.words("57014", bound=True) == "57014"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'a'" + "/**/" * 1_000 + "x, 'b'",
        "SELECT 'a' " + "-" * 40_000 + "\nx, 'b'",
        "SELECT 'a'\n" + "--\n" * 1_000 + "x, 'b'",
    ],
)
def test_comments_do_not_make_a_text_take_long_to_be_looked_at(text: str) -> None:
    """Where they were read in more than one way, this would take for ever."""
    assert by_pattern(text) == text
    mysql = allowance(None, Mask(patterns=(r"\b\d{16}\b",))).masking
    assert mysql is not None
    assert mysql.text(text.encode(), text).text.decode() == text


def test_a_pattern_is_found_behind_comments_in_comments() -> None:
    text = "SELECT U&'4111!0031' /* a /* b */ c */ -- d\r/**/ uescape '!', 'x'"
    assert by_pattern(text) == text.replace("4111!0031", "[masked: 9 bytes]").replace("U&", "")
