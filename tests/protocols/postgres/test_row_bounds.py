"""The bounds of rows and of their bytes: what may be given is, and of the rest nothing passes or is kept."""

import itertools

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.protocols.postgres.guarding import allowance
from onepam.protocols.sql.events import Done
from onepam.recording.statements import Outcome
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.test_guarding import reader, words
from tests.protocols.postgres.told import Told

ROW = len(pg.row(b"1")) - 5
BOUNDS = pytest.mark.parametrize("bound", ["rows", "bytes"])
"""What each test of a bound is about: so many rows, or the bytes of so many."""


def bounded(bound: str, rows: int, status: bytes = b"I", size: int = ROW) -> Told:
    """So many rows pass, by the one bound or by the other."""
    return reader(status, **{bound: rows if bound == "rows" else rows * size + 1})


@BOUNDS
@pytest.mark.parametrize("mode", ["query", "execute"])
def test_rows_beyond_the_bound_are_not_given_and_the_server_is_asked_to_stop(mode: str, bound: str) -> None:
    told = bounded(bound, 2)
    if mode == "query":
        told.passes(pg.query("SELECT"))
    else:
        told.passes(pg.parse("", "SELECT") + pg.bind("", "") + pg.execute() + pg.SYNC)
        told.answers(pg.PARSED + pg.BOUND)
    to_client = told.target(pg.row(b"1") * 2 + pg.row(b"secret") * 5)
    assert pg.kinds(to_client) == "DDE"
    assert ("at most 2 rows" if bound == "rows" else "at most 15 bytes") in words(
        to_client[len(pg.row(b"1")) * 2 :], "54000"
    )
    assert told.cancels == 1
    assert pg.kinds(told.target(pg.row(b"secret") * 5 + pg.notice("n"))) == "N"
    assert told.target(pg.error("57014", "canceled") + pg.ready()) == pg.ready()
    assert told.cancels == 1
    [done] = told.done
    assert (done.outcome, done.rows, done.words[:5]) == (Outcome.ERROR, 2, "54000")
    told.passes(pg.query("SELECT 1"))
    told.answers(pg.row(b"1") * 2 + pg.complete("SELECT 2") + pg.ready())


@BOUNDS
def test_a_result_that_was_complete_before_the_server_heard_is_cut_as_well(bound: str) -> None:
    told = bounded(bound, 1)
    told.passes(pg.query("SELECT"))
    to_client = told.target(pg.row(b"1") * 3 + pg.complete("SELECT 3") + pg.ready())
    assert pg.kinds(to_client) == "DEZ"
    assert told.done == [Done(1, Outcome.ERROR, b"I", 1, 7, told.done[0].words)]


@BOUNDS
def test_the_bound_holds_for_all_pages_of_a_portal_and_for_all_results_of_a_query(bound: str) -> None:
    told = bounded(bound, 3, b"T")
    told.passes(pg.parse("", "SELECT") + pg.bind("c", "") + pg.execute("c", 2) + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + pg.row(b"1") * 2 + pg.SUSPENDED + pg.ready("T"))
    told.passes(pg.execute("c", 2) + pg.SYNC)
    assert pg.kinds(told.target(pg.row(b"1") * 2 + pg.SUSPENDED + pg.ready("T"))) == "DEZ"
    most = 3 if bound == "rows" else 3 * ROW
    told = Told(allowance(Guardrails((StatementClass.READ, StatementClass.SEVERAL), **{bound: most})))
    told.passes(pg.query("SELECT 1; SELECT 2"))
    result = pg.row(b"1") * 2 + pg.complete("SELECT 2")
    assert pg.kinds(told.target(result + result + pg.ready())) == "DDCDEZ"
    assert told.done[0].rows == 3


@BOUNDS
def test_the_bound_holds_for_data_that_are_copied_out(bound: str) -> None:
    told = bounded(bound, 2, size=2)
    told.passes(pg.query("COPY t TO STDOUT"))
    to_client = told.target(pg.copy_response("H") + pg.copy_data(b"1\n") * 5 + pg.COPY_DONE + pg.complete("COPY 5"))
    assert pg.kinds(to_client) == "HddE"
    assert told.target(pg.ready()) == pg.ready()
    assert told.done[0].rows == 2


@BOUNDS
def test_after_the_bound_the_rest_of_the_batch_is_answered_with_nothing(bound: str) -> None:
    told = bounded(bound, 1)
    told.passes(pg.parse("", "SELECT") + pg.bind("", "") + pg.execute() + pg.FLUSH)
    assert pg.kinds(told.target(pg.PARSED + pg.BOUND + pg.row(b"1") * 2)) == "12DE"
    assert told.client(pg.bind("", "") + pg.execute()) == (b"", b"")
    told.passes(pg.SYNC)
    assert pg.kinds(told.target(pg.complete("SELECT 2") + pg.ready())) == "Z"


def test_of_two_bounds_the_one_that_is_reached_first_holds() -> None:
    for rows, size, given, said in ((3, 2 * ROW, 2, "14 bytes"), (2, 3 * ROW, 2, "2 rows"), (2, 2 * ROW, 2, "2 rows")):
        told = reader(rows=rows, bytes=size)
        told.passes(pg.query("SELECT"))
        to_client = told.target(pg.row(b"1") * 5)
        assert pg.kinds(to_client) == "D" * given + "E"
        assert f"this access gives at most {said} of a result".encode() in to_client


def test_what_the_bound_of_bytes_lets_through_is_the_whole_of_it() -> None:
    told = reader(bytes=2 * ROW)
    for _ in range(2):
        told.passes(pg.query("SELECT"))
        told.answers(pg.row(b"1") * 2 + pg.complete("SELECT 2") + pg.ready())
    assert [(done.outcome, done.size) for done in told.done] == [(Outcome.OK, 2 * ROW)] * 2


@pytest.mark.claim("is never given, however large it is", altered="a row was counted once it had passed")
@pytest.mark.parametrize("pieces", [1, 6, 1_000_000])
def test_a_row_that_is_larger_than_the_bound_is_not_given(pieces: int) -> None:
    """Whether it comes whole or byte by byte, and nothing of it is kept until it is over."""
    told = reader(bytes=100_000)
    told.passes(pg.query("SELECT"))
    large = pg.row(b"x" * 200_000)
    answer = pg.row(b"1") + large + pg.row(b"2")
    ends = [*range(0, 5_000, pieces), *range(5_000, len(answer), 50_000), len(answer)]
    to_client = b"".join(told.target(answer[begin:end]) for begin, end in itertools.pairwise(ends))
    assert pg.kinds(to_client) == "DE"
    assert told.cancels == 1
    assert pg.kinds(told.target(pg.error("57014", "canceled") + pg.ready())) == "Z"
    assert [(done.outcome, done.rows, done.size) for done in told.done] == [(Outcome.ERROR, 1, ROW)]
    told.passes(pg.query("SELECT"))
    told.answers(pg.row(b"x" * 99_994) + pg.complete("SELECT 1") + pg.ready())


def test_a_target_that_lies_about_the_length_of_a_row_ends_the_session_under_a_bound_as_without() -> None:
    for length in (b"\0\0\0\3", b"\x7f\xff\xff\xff"):
        told = reader(bytes=1 << 40)
        told.passes(pg.query("SELECT"))
        told.target(pg.row(b"1") + b"D" + length)
        assert told.fault is not None


@BOUNDS
def test_behind_a_row_that_may_not_be_given_none_is_on_any_page(bound: str) -> None:
    """Also where the server had done with the page before it heard that it should stop."""
    told = reader(b"T", bytes=100) if bound == "bytes" else reader(b"T", rows=0)
    told.passes(pg.parse("", "SELECT") + pg.bind("c", "") + pg.execute("c", 1) + pg.SYNC)
    told.target(pg.PARSED + pg.BOUND)
    assert pg.kinds(told.target(pg.row(b"x" * 200) + pg.SUSPENDED + pg.ready("T"))) == "EZ"
    for row in (pg.row(b"1"), pg.row(b"x" * 200)):
        told.passes(pg.execute("c", 1) + pg.SYNC)
        to_client = told.target(row + pg.SUSPENDED + pg.ready("T"))
        assert pg.kinds(to_client) == "EZ"
        assert "this access gives at most " in words(to_client, "54000")
    told.passes(pg.query("COMMIT"))
    told.answers(pg.complete("COMMIT") + pg.ready())
    [cut] = [each for each in told.done if each.execution == 1]
    assert (cut.outcome, cut.rows, cut.size, cut.words[:5]) == (Outcome.ERROR, 0, 0, "54000")


@pytest.mark.claim("a statement that was sent ahead of the answer is never hit", altered="the server was asked to stop")
def test_what_was_sent_behind_a_statement_is_not_cancelled_in_its_place() -> None:
    """By the time that the server hears of it, it may have come to the next one."""
    one, batch = pg.query("SELECT 1"), pg.parse("", "SELECT 1") + pg.bind("", "") + pg.execute()
    for sent, answered, cancels in (
        (one + one, b"", 0),
        (one + batch + pg.SYNC, b"", 0),
        (batch + pg.SYNC + one, pg.PARSED + pg.BOUND, 0),
        (batch + batch + pg.SYNC, pg.PARSED + pg.BOUND, 1),
        (batch + pg.SYNC + pg.SYNC, pg.PARSED + pg.BOUND, 1),
    ):
        told = reader(rows=1)
        told.passes(sent)
        told.answers(answered)
        told.target(pg.row(b"1") * 2)
        assert told.cancels == cancels
    told = reader(rows=1)
    told.passes(one + one)
    assert pg.kinds(told.target(pg.row(b"1") * 9 + pg.complete("SELECT 9") + pg.ready())) == "DEZ"
    told.answers(pg.row(b"1") + pg.complete("SELECT 1") + pg.ready())
    assert [each.outcome for each in told.done] == [Outcome.ERROR, Outcome.OK]


@pytest.mark.claim(
    "An error that is longer than the bound of bytes is never given with its words", altered="errors were of any length"
)
@pytest.mark.parametrize("mode", ["query", "execute"])
def test_an_error_says_no_more_than_rows_may(mode: str) -> None:
    """It repeats values: of `(SELECT string_agg(…) FROM t)::int` all of a table."""
    told = reader(bytes=2000)
    for size, passes in ((1900, True), (1_000_000, False)):
        if mode == "query":
            told.passes(pg.query("SELECT"))
        else:
            told.passes(pg.parse("", "SELECT") + pg.bind("", "") + pg.execute() + pg.SYNC)
            told.answers(pg.PARSED + pg.BOUND)
        error = pg.error("22P02", f"invalid input: {'x' * size}")
        to_client = b"".join(told.target(part) for part in (error[:7], error[7:3000], error[3000:] + pg.ready()))
        assert (to_client == error + pg.ready()) == passes
        assert pg.kinds(to_client) == "EZ"
    assert "at most 2,000 bytes, and this error says more" in words(to_client, "22P02")
    assert b"xxx" not in to_client
    assert [(each.outcome, each.words[:5]) for each in told.done] == [(Outcome.ERROR, "22P02")] * 2
    told.passes(pg.query("SELECT"))
    told.answers(pg.complete("SELECT 0") + pg.ready())


def test_notices_of_an_execution_say_no_more_than_rows_may_and_a_setting_neither() -> None:
    told = reader(bytes=2000)
    for _ in range(2):
        told.passes(pg.query("SELECT"))
        told.answers(pg.notice("x" * 900) * 2)
        assert told.target(pg.notice("x" * 900)) == b""
        told.answers(pg.row(b"x" * 1900) + pg.complete("SELECT 1") + pg.ready())
    path = pg.setting("search_path", "x" * 2000)
    assert told.target(path + pg.setting("search_path", "x" * 1900)) == pg.setting("search_path", "x" * 1900)
    assert told.target(pg.notice("x" * 3000) + pg.notice("x" * 900)) == pg.notice("x" * 900)
    unbound = reader(rows=1)
    unbound.passes(pg.query("SELECT"))
    unbound.answers(pg.notice("x" * 900) * 9 + path + pg.error("22P02", "x" * 3000) + pg.ready())
