"""Messages too long to be read whole: they pass in pieces, and are recorded as far as policy keeps them."""

import hashlib

from onepam.protocols.sql.events import Allowance, Cut, Text
from onepam.recording.statements import MAX_TEXT_BYTES, Form, Parameter
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.told import Told

LONG = "SELECT '" + "x" * 3_000_000 + "'"


def in_pieces(told: Told, data: bytes, size: int = 50_000) -> bytes:
    """What reaches the target; of a text no byte before it is recorded."""
    passed = b""
    for offset in range(0, len(data), size):
        to_target, to_client = told.client(data[offset : offset + size])
        assert to_client == b""
        passed += to_target
    return passed


def test_a_text_of_which_all_is_kept() -> None:
    told = Told(Allowance(text=1 << 30))
    data = pg.query(LONG)
    assert in_pieces(told, data) == data
    assert told.texts == {1: LONG.encode()}
    texts = [each for each in told.events if isinstance(each, Text)]
    assert max(len(each.text) for each in texts) <= MAX_TEXT_BYTES
    assert [each.more for each in texts] == [True] * (len(texts) - 1) + [False]
    assert [run.form for run in told.runs] == [Form.SIMPLE]


def test_a_text_of_which_the_beginning_is_kept_with_size_and_digest_of_the_whole() -> None:
    for data in (pg.query(LONG), pg.parse("a", LONG, [23])):
        told = Told()
        assert in_pieces(told, data) == data
        assert told.texts == {1: LONG.encode()[: 1 << 20]}
        digest = hashlib.sha256(LONG.encode()).hexdigest()
        assert [each for each in told.events if isinstance(each, Cut)] == [Cut(1, 1 << 20, len(LONG), digest)]
    told = Told(Allowance(text=10))
    told.passes(pg.query("SELECT 1234567"))
    assert told.texts == {1: b"SELECT 123"}


def test_what_reached_the_target_of_a_text_was_recorded_before() -> None:
    told, passed = Told(Allowance(text=1 << 30)), 0
    for offset in range(0, len(data := pg.query(LONG)), 70_000):
        step = told.conversation.from_client(data[offset : offset + 70_000])
        told.events += step.events
        passed += sum(len(each) for each in step.to_target)
        assert passed <= 5 + sum(len(each) for each in told.texts.values()) + 1


def test_a_long_parse_is_bound_by_its_name() -> None:
    told = Told()
    in_pieces(told, pg.parse("a", LONG))
    told.passes(pg.bind("", "a") + pg.execute())
    assert [run.statement for run in told.runs] == [1]


def test_a_long_bind_passes_and_of_its_great_parameters_the_size_is_kept() -> None:
    told = Told()
    told.passes(pg.parse("", "INSERT"))
    data = pg.bind("", "", [b"a", b"x" * 3_000_000, None, b"b" * 60_000], [1])
    assert in_pieces(told, data) == data
    told.passes(pg.execute())
    [run] = told.runs
    assert run.parameters == (
        Parameter(b"a", True), Parameter(3_000_000, True), Parameter(None, True), Parameter(b"b" * 60_000, True),
    )  # fmt: skip


def test_a_long_bind_to_what_nobody_prepared_is_refused_and_none_of_it_passes() -> None:
    told = Told()
    data = pg.bind("", "a", [b"x" * 3_000_000])
    to_target, to_client = told.client(data)
    assert to_target == b""
    assert b"C26000\0" in to_client
    assert told.client(pg.SYNC) == (pg.SYNC, b"")


def test_a_long_function_call() -> None:
    told = Told()
    data = pg.function(7, [b"x" * 300_000])
    assert in_pieces(told, data) == data
    assert told.runs[0].parameters == (Parameter(300_000),)


def test_a_long_message_that_is_not_what_it_says_ends_the_session_before_it_is_whole_at_the_target() -> None:
    for data in (
        pg.message("Q", b"x" * 300_000),
        pg.message("Q", b"x" * 100_000 + b"\0" + b"x" * 200_000),
        pg.message("P", b"x" * 300_000),
        pg.message("P", b"\0" + b"x" * 299_000 + b"\0\0\1"),
        pg.message("P", b"\0x\0" + b"\0" * 300_000),
        pg.message("B", b"x" * 300_000),
        pg.message("B", pg.bind("", "", [b"x" * 300_000])[5:-2]),
    ):
        told = Told()
        told.passes(pg.parse("", "SELECT 1"))
        assert len(in_pieces_until_fault(told, data)) < len(data)
        assert told.fault is not None


def in_pieces_until_fault(told: Told, data: bytes) -> bytes:
    return b"".join(told.client(data[offset : offset + 9_999])[0] for offset in range(0, len(data), 9_999))


def test_a_long_message_that_the_target_skips_does_nothing() -> None:
    told = Told()
    told.passes(pg.parse("", "SELEC"))
    data = pg.bind("", "", [b"x" * 3_000_000])
    half = len(data) // 2
    passed = told.client(data[:half])[0]
    told.answers(pg.error("42601", "syntax"))
    passed += told.client(data[half:])[0]
    assert passed == data
    assert told.client(pg.execute() + pg.query(LONG) + pg.bind("", "", [b"x" * 3_000_000])) == (b"", b"")
    told.passes(pg.SYNC)
    told.answers(pg.ready())
    assert told.runs == []
