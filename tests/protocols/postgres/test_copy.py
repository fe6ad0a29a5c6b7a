"""COPY both ways: the data are counted and pass, whatever the pieces in which they come."""

import pytest

from onepam.protocols.sql.events import Done, Run
from onepam.recording.statements import Form, Outcome
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.told import Told

IN, OUT = pg.copy_response("G"), pg.copy_response("H")


def test_copy_in_by_query() -> None:
    told = Told()
    told.passes(pg.query("/* x */ copy t FROM STDIN"))
    told.answers(IN)
    told.passes(pg.copy_data(b"1\n") * 3 + pg.copy_data(b"") + pg.FLUSH + pg.COPY_DONE)
    told.answers(pg.complete("COPY 3") + pg.ready())
    assert told.runs == [Run(1, 1, Form.COPY)]
    assert told.done == [Done(1, Outcome.OK, b"I", 3, 6, "COPY 3")]


def test_copy_out_by_query() -> None:
    told = Told()
    told.passes(pg.query("COPY t TO STDOUT"))
    told.answers(OUT + pg.copy_data(b"1\n") * 3 + pg.COPY_DONE + pg.complete("COPY 3") + pg.ready())
    assert told.done == [Done(1, Outcome.OK, b"I", 3, 6, "COPY 3")]


def test_a_client_gives_up_copying() -> None:
    told = Told()
    told.passes(pg.query("COPY t FROM STDIN"))
    told.answers(IN)
    told.passes(pg.copy_data(b"1\n") + pg.copy_fail("no more"))
    told.answers(pg.error("57014", "COPY from stdin failed: no more") + pg.ready())
    told.passes(pg.query("SELECT 1"))
    told.answers(pg.complete("SELECT 1") + pg.ready())
    assert [done.outcome for done in told.done] == [Outcome.ERROR, Outcome.OK]


def test_what_a_client_sends_on_after_its_copy_has_failed_is_ignored_there_and_asks_for_nothing() -> None:
    told = Told()
    told.passes(pg.query("COPY t FROM STDIN"))
    told.answers(IN + pg.error("22P02", "invalid input") + pg.ready())
    told.passes(pg.copy_data(b"1\n") + pg.COPY_DONE + pg.query("SELECT 1"))
    told.answers(pg.complete("SELECT 1") + pg.ready())
    assert [done.outcome for done in told.done] == [Outcome.ERROR, Outcome.OK]


def test_copy_in_by_execute_where_the_sync_came_before_the_server_took_data_as_libpq_does() -> None:
    told = Told()
    told.passes(pg.parse("", "COPY t FROM STDIN") + pg.bind("", "") + pg.describe("P") + pg.execute() + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + pg.NO_DATA + IN)
    told.passes(pg.copy_data(b"1\n") + pg.COPY_DONE + pg.SYNC)
    told.answers(pg.complete("COPY 1") + pg.ready())
    told.passes(pg.query("SELECT 1"))
    told.answers(pg.complete("SELECT 1") + pg.ready())
    assert [(done.outcome, done.rows) for done in told.done] == [(Outcome.OK, 1), (Outcome.OK, 1)]


def test_the_same_where_the_data_are_bad() -> None:
    told = Told()
    told.passes(pg.parse("", "COPY t FROM STDIN") + pg.bind("", "") + pg.execute() + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + IN)
    told.passes(pg.copy_data(b"x\n") + pg.COPY_DONE + pg.SYNC)
    told.answers(pg.error("22P02", "invalid input") + pg.ready())
    told.passes(pg.query("SELECT 1"))
    told.answers(pg.described("a") + pg.complete("SELECT 1") + pg.ready())
    assert [done.outcome for done in told.done] == [Outcome.ERROR, Outcome.OK]


def test_the_same_where_the_server_fails_before_it_reads_and_so_answers_the_first_sync() -> None:
    told = Told()
    told.passes(pg.parse("", "COPY t FROM STDIN") + pg.bind("", "") + pg.execute() + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + IN + pg.error("P0001", "a trigger") + pg.ready())
    told.passes(pg.query("SELECT 1"))
    told.answers(pg.described("a") + pg.complete("SELECT 1") + pg.ready())
    assert [done.outcome for done in told.done] == [Outcome.ERROR, Outcome.OK]


@pytest.mark.parametrize("read", [True, False], ids=["read in the copy", "answered"])
@pytest.mark.parametrize("last", [pg.COPY_DONE, pg.copy_fail("gives up")], ids=["done", "fail"])
def test_the_same_where_the_end_of_the_data_comes_after_the_error_as_of_tokio_postgres(read: bool, last: bytes) -> None:
    """Whether the server read the first Sync within the copy or answers it nobody sees before it is asked on."""
    told = Told()
    told.passes(pg.parse("", "COPY t FROM STDIN") + pg.bind("", "") + pg.execute() + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + IN)
    told.passes(pg.copy_data(b"x\n"))
    told.answers(pg.error("22P02", "no number"))
    told.passes(pg.copy_data(b"2\n") + last + pg.SYNC)
    told.answers(pg.ready() * (1 if read else 2))
    for number in (1, 2):
        told.passes(pg.parse("", f"SELECT {number}") + pg.bind("", "") + pg.execute() + pg.SYNC)
        told.answers(pg.PARSED + pg.BOUND + pg.complete(f"SELECT {number}") + pg.ready())
    assert [(each.outcome, each.words) for each in told.done] == [
        (Outcome.ERROR, "22P02 no number"),
        (Outcome.OK, "SELECT 1"),
        (Outcome.OK, "SELECT 2"),
    ]


def test_a_client_that_does_not_wait_may_send_its_data_with_the_statement() -> None:
    told = Told()
    told.passes(pg.query("COPY t FROM STDIN") + pg.copy_data(b"1\n") * 2 + pg.COPY_DONE + pg.query("SELECT 1"))
    told.answers(IN + pg.complete("COPY 2") + pg.ready() + pg.complete("SELECT 1") + pg.ready())
    assert [(done.outcome, done.rows, done.size) for done in told.done] == [(Outcome.OK, 2, 4), (Outcome.OK, 1, 0)]


def test_and_ask_on_before_its_copy_is_heard_to_end() -> None:
    told = Told()
    told.passes(pg.query("COPY t FROM STDIN") + pg.copy_data(b"1\n") + pg.COPY_DONE)
    told.answers(IN)
    told.passes(pg.query("SELECT 1"))
    told.answers(pg.complete("COPY 1") + pg.ready() + pg.complete("SELECT 1") + pg.ready())
    assert [done.outcome for done in told.done] == [Outcome.OK, Outcome.OK]


def test_a_message_among_others_that_is_too_long_ends_the_session_from_either_side() -> None:
    for side in ("client", "target"):
        told = Told()
        told.passes(pg.query("COPY t"))
        told.answers(IN if side == "client" else OUT)
        good, bad = pg.copy_data(b"1\n"), b"d\x40\0\0\0"
        if side == "client":
            assert told.client(good + bad)[0] == good
        else:
            assert told.target(good + bad).startswith(good + b"E")
        assert told.fault is not None


def test_a_sync_in_the_midst_of_the_data_is_no_question_and_an_error_answers_it() -> None:
    told = Told()
    told.passes(pg.parse("", "COPY t FROM STDIN") + pg.bind("", "") + pg.execute() + pg.FLUSH)
    told.answers(pg.PARSED + pg.BOUND + IN)
    assert told.client(pg.copy_data(b"x\n") + pg.SYNC) == (pg.copy_data(b"x\n"), b"")
    step = told.conversation.from_target(pg.error("22P02", "invalid input"))
    assert step.to_target == [pg.SYNC]
    told.answers(pg.ready())


def test_another_question_in_the_midst_of_the_data_ends_the_session() -> None:
    for question in (pg.query("SELECT 1"), pg.parse("", "SELECT 1"), pg.query("x" * 300_000)):
        told = Told()
        told.passes(pg.query("COPY t FROM STDIN"))
        told.answers(IN)
        assert told.client(question)[0] == b""
        assert told.fault is not None


def test_rows_that_are_many_and_short_pass_in_the_pieces_in_which_they_came() -> None:
    told = Told()
    told.passes(pg.query("COPY t FROM STDIN"))
    told.answers(IN)
    data = pg.copy_data(b"1\n") * 30_000
    for offset in range(0, len(data), 4099):
        piece = data[offset : offset + 4099]
        step = told.conversation.from_client(piece)
        assert len(step.to_target) <= 2
        assert step.events == []
    told.passes(pg.COPY_DONE)
    told.answers(pg.complete("COPY 30000") + pg.ready())
    assert told.done == [Done(1, Outcome.OK, b"I", 30_000, 60_000, "COPY 30000")]


def test_a_message_of_a_gigabyte_passes_without_being_kept() -> None:
    told = Told()
    told.passes(pg.query("COPY t FROM STDIN"))
    told.answers(IN)
    piece, left = bytes(1 << 20), 0x3FFF_FFFE - 4
    assert told.client(b"d\x3f\xff\xff\xfe")[0] == b"d\x3f\xff\xff\xfe"
    while left:
        part = piece[:left]
        assert told.conversation.from_client(part).to_target == [part]
        left -= len(part)
    told.passes(pg.COPY_DONE)
    told.answers(pg.complete("COPY 1") + pg.ready())
    assert told.done[0].size == 0x3FFF_FFFE - 4
