"""Rows under a mask, in a conversation: what is masked in which form, pages, errors, rows of which nothing is known."""

import struct
from typing import Any

import pytest

from onepam.domain.access.masking import Results
from onepam.domain.access.patterns import Patterns
from onepam.protocols.postgres import hiding
from onepam.protocols.sql.events import Allowance, Kept
from onepam.protocols.sql.masking import Masking
from onepam.recording.statements import Outcome
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.told import Told

TEXT, INT8, VARCHAR = 25, 20, 1043
NULL = None


def described(*columns: tuple[str, int, int, int]) -> bytes:
    """Name, relation, number and type of each."""
    body = struct.pack("!H", len(columns))
    for name, relation, number, type_ in columns:
        body += name.encode() + b"\0" + struct.pack("!IhIhih", relation, number, type_, -1, -1, 0)
    return pg.message("T", body)


def told(**more: Any) -> Told:
    return Told(Allowance(masks=lambda relation, number: relation == 9 and number > 1, **more))


COLUMNS = described(("id", 9, 1, INT8), ("email", 9, 2, VARCHAR), ("ssn", 9, 3, INT8), ("other", 8, 2, TEXT))
PLAIN = described(("id", 9, 1, INT8), ("sum", 0, 0, INT8))
BINARY = struct.pack("!q", 5)


def test_a_masked_text_is_a_word_and_everything_else_is_null_in_both_forms() -> None:
    one = told()
    one.passes(pg.query("SELECT"))
    assert one.target(COLUMNS + pg.row(b"1", b"joe@x", b"5", b"a")) == COLUMNS + pg.row(b"1", b"[masked]", NULL, b"a")
    assert one.target(pg.row(b"2", NULL, NULL, NULL)) == pg.row(b"2", NULL, NULL, NULL)
    assert one.target(pg.row(BINARY, b"joe", BINARY, b"a")) == pg.row(BINARY, b"[masked]", NULL, b"a")
    one.answers(pg.complete("SELECT 3") + PLAIN + pg.row(b"3", b"4") + pg.complete("SELECT 1") + pg.ready())
    assert (one.done[0].rows, one.done[0].outcome, one.done[0].size) == (4, Outcome.OK, 26 + 19 + 38 + 12)


def test_rows_are_masked_however_they_are_described_and_in_whatever_pieces_they_come() -> None:
    data = pg.row(b"1", b"joe@x", b"5", b"a") * 2 + pg.complete("SELECT 2") + pg.ready()
    for size in range(1, len(data)):
        one = told()
        one.passes(pg.parse("s", "SELECT") + pg.describe("S", "s") + pg.SYNC)
        one.answers(pg.PARSED + pg.message("t", b"\0\0") + COLUMNS + pg.ready())
        one.passes(pg.bind("", "s") + pg.execute() + pg.SYNC)
        one.answers(pg.BOUND)
        said = b"".join(one.target(data[start : start + size]) for start in range(0, len(data), size))
        assert said == pg.row(b"1", b"[masked]", NULL, b"a") * 2 + pg.complete("SELECT 2") + pg.ready()


def test_a_described_portal_is_told_from_another_and_tells_of_its_statement() -> None:
    one = told()
    one.passes(pg.parse("s", "SELECT") + pg.bind("a", "s") + pg.describe("P", "a") + pg.execute("a", 1) + pg.SYNC)
    one.answers(pg.PARSED + pg.BOUND + PLAIN)
    one.answers(pg.row(b"1", b"2") + pg.SUSPENDED + pg.ready("T"))
    one.passes(pg.execute("a", 1) + pg.SYNC)
    one.answers(pg.row(b"1", b"2") + pg.SUSPENDED + pg.ready("T"))
    one.passes(pg.bind("b", "s") + pg.execute("b") + pg.SYNC)
    assert one.target(pg.BOUND + pg.row(b"1", b"2")) == pg.BOUND + pg.row(NULL, NULL)


def test_of_a_row_of_which_nothing_is_known_nothing_is_shown() -> None:
    one = told()
    one.passes(pg.parse("", "SELECT") + pg.bind("", "") + pg.execute() + pg.SYNC)
    assert one.target(pg.PARSED + pg.BOUND + pg.row(b"1", b"x")) == pg.PARSED + pg.BOUND + pg.row(NULL, NULL)
    one.answers(pg.complete("SELECT 1") + pg.ready())


def test_what_an_error_and_a_notice_say_beside_their_message_is_left_out() -> None:
    more = b"DFailing row contains (joe@x).\0Wcontext\0qSELECT 'joe@x'\0Hhint\0P5\0"
    for kind in "EN":
        one = told()
        one.passes(pg.query("SELECT"))
        body = b"SERROR\0VERROR\0C23502\0Mnull value\0"
        said = one.target(pg.message(kind, body + more + b"\0"))
        assert said == pg.message(kind, body + b"Hhint\0P5\0\0")
    one = told(unmasked=True)
    one.passes(pg.query("SELECT"))
    one.answers(pg.message("E", body + more + b"\0") + pg.ready())


def test_a_long_error_and_a_row_that_is_too_long_to_be_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    one = told()
    one.passes(pg.query("SELECT"))
    long = pg.message("E", b"SERROR\0C23502\0Mnull\0D" + b"x" * 100_000 + b"\0\0")
    assert b"".join(one.target(long[at : at + 9_999]) for at in range(0, len(long), 9_999)) == pg.message(
        "E", b"SERROR\0C23502\0Mnull\0\0"
    )
    one.answers(pg.ready())
    monkeypatch.setattr(hiding, "MOST_ROW_BYTES", 100)
    one.passes(pg.query("SELECT"))
    said = one.target(COLUMNS + pg.row(b"1", b"x" * 200, NULL, NULL) + pg.complete("SELECT 1"))
    assert b"too long for its columns to be masked" in said
    assert b"xxx" not in said
    assert one.cancels == 1


@pytest.mark.parametrize(
    "wrong",
    [
        pg.message("T", b"\0\1a\0"), pg.message("T", b"\0\0x"), pg.message("T", b"\0\1a"), COLUMNS + pg.row(b"1"),
        COLUMNS + pg.message("D", b"\0\1\0\0\0\2a"), COLUMNS + pg.message("D", b"\0\0x"),
        COLUMNS + pg.message("D", b"\0\1\0"), pg.message("T", b"x" * 300_000),
    ],
)  # fmt: skip
def test_what_is_no_row_ends_the_session(wrong: bytes) -> None:
    one = told()
    one.passes(pg.query("SELECT"))
    one.target(wrong)
    assert one.fault is not None


@pytest.mark.parametrize(("bound", "said"), [({"rows": 1}, b"1 rows"), ({"bytes": 40}, b"40 bytes")])
def test_the_bounds_hold_for_masked_rows(bound: dict[str, int], said: bytes) -> None:
    """Their bytes are those that the server gave."""
    one = told(**bound)
    one.passes(pg.query("SELECT"))
    heard = one.target(COLUMNS + pg.row(b"1", b"x", b"5", b"a") * 3)
    assert heard.startswith(COLUMNS + pg.row(b"1", b"[masked]", NULL, b"a"))
    assert pg.kinds(heard) == "TDE"
    assert b"at most " + said in heard
    assert (one.cancels, one.target(pg.row(b"1", b"x", b"5", b"a") + pg.complete("SELECT 4"))) == (1, b"")


def test_kept_rows_are_the_first_within_their_bounds_and_pass_as_they_are() -> None:
    one = Told(Allowance(results=Results(2, 8)))
    one.passes(pg.query("SELECT"))
    one.answers(PLAIN + pg.row(b"1", NULL) + pg.row(b"\xff\0", b"\n") + pg.row(b"5", b"6") + pg.complete("SELECT 3"))
    one.answers(PLAIN + pg.row(b"7", b"8") + pg.complete("SELECT 1") + pg.ready())
    kept = [each for each in one.events if isinstance(each, Kept)]
    assert kept == [Kept(1, 0, ("id", "sum")), Kept(1, 1, ("1", None)), Kept(1, 2, ("\\xff00", "\n"))]
    one = Told(Allowance(results=Results(9, 8)))
    one.passes(pg.query("SELECT"))
    one.answers(PLAIN + pg.row(b"1234", b"5678") + pg.row(b"", NULL) + pg.complete("SELECT 2") + pg.ready())
    one.passes(pg.query("SELECT"))
    one.answers(PLAIN + pg.row(b"12345", b"5678") + pg.row(b"1", NULL) + pg.complete("SELECT 2") + pg.ready())
    assert [each for each in one.events if isinstance(each, Kept)] == [
        Kept(1, 0, ("id", "sum")),
        Kept(1, 1, ("1234", "5678")),
    ]
    one.passes(pg.parse("", "S") + pg.bind("", "") + pg.execute() + pg.SYNC)
    one.answers(pg.PARSED + pg.BOUND + pg.row(b"1", b"x") + pg.complete("SELECT 1") + pg.ready())
    assert one.events[-2:][0] == Kept(3, 1, (1, 1))


def test_a_row_that_is_too_long_to_be_kept_passes_as_it_comes() -> None:
    """Nothing of it is waited for, and none behind it is kept."""
    one = Told(Allowance(results=Results(9, 1024)))
    one.passes(pg.query("SELECT"))
    one.answers(PLAIN)
    row = pg.row(b"x" * 1_000_000, b"1")
    for part in (row[:5], row[5:5000], row[5000:] + pg.row(b"1", b"2")):
        one.answers(part)
    one.answers(pg.complete("SELECT 2") + pg.ready())
    assert [each for each in one.events if isinstance(each, Kept)] == []
    assert (one.done[0].rows, one.done[0].size) == (2, len(row) + len(pg.row(b"1", b"2")) - 10)


def test_the_name_of_a_column_in_which_a_pattern_stands_is_its_size() -> None:
    masking = Masking(Patterns.of((r"\d{9}",)), None)
    one = Told(Allowance(results=Results(2, 80), masking=masking))
    one.passes(pg.query('SELECT 1 AS "of 987654321", id'))
    one.answers(described(("of 987654321", 0, 0, INT8), ("id", 9, 1, INT8)) + pg.row(b"1", b"2"))
    assert one.events[-2] == Kept(1, 0, ("[masked: 12 bytes]", "id"))
