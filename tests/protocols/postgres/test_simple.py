"""The simple protocol: a Query is a text, one execution, and one end."""

import pytest

from onepam.protocols.sql.events import Done, Run, Text
from onepam.recording.statements import Form, Outcome
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.told import Told


def test_a_query_is_recorded_before_it_passes_and_its_end_with_rows_and_size() -> None:
    told = Told()
    told.passes(pg.query("SELECT 1"))
    assert told.events == [Text(1, b"SELECT 1"), Run(1, 1, Form.SIMPLE)]
    rows = pg.row(b"1") + pg.row(None)
    told.answers(pg.described("a") + rows + pg.complete("SELECT 2") + pg.ready())
    assert told.events[2:] == [Done(1, Outcome.OK, b"I", 2, len(rows) - 10, "SELECT 2")]


def test_the_same_text_is_written_once_however_often_it_runs() -> None:
    told = Told()
    for _ in range(3):
        told.passes(pg.query("SELECT 1"))
        told.answers(pg.complete("SELECT 0") + pg.ready())
    told.passes(pg.query("SELECT 2"))
    assert told.texts == {1: b"SELECT 1", 2: b"SELECT 2"}
    assert [(run.execution, run.statement) for run in told.runs] == [(1, 1), (2, 1), (3, 1), (4, 2)]


def test_an_error_is_told_with_its_code_and_the_state_of_the_transaction() -> None:
    told = Told()
    told.passes(pg.query("BEGIN"))
    told.answers(pg.complete("BEGIN") + pg.ready("T"))
    told.passes(pg.query("SELEC"))
    told.answers(pg.error("42601", "syntax error") + pg.ready("E"))
    assert told.done == [
        Done(1, Outcome.OK, b"T", 0, 0, "BEGIN"),
        Done(2, Outcome.ERROR, b"E", 0, 0, "42601 syntax error"),
    ]


def test_several_statements_of_one_text_are_one_execution_with_all_their_tags_and_rows() -> None:
    told = Told()
    told.passes(pg.query("INSERT ..; SELECT ..; UPDATE .."))
    told.answers(pg.complete("INSERT 0 5") + pg.described("a") + pg.row(b"x") + pg.complete("SELECT 1"))
    told.answers(pg.complete("UPDATE 7") + pg.ready())
    [done] = told.done
    assert (done.rows, done.words) == (13, "INSERT 0 5; SELECT 1; UPDATE 7")


def test_what_is_left_when_both_have_gone_is_unfinished() -> None:
    told = Told()
    told.passes(pg.query("SELECT pg_sleep(9)"))
    told.answers(pg.row(b"1"))
    told.end()
    assert [(done.outcome, done.rows) for done in told.done] == [(Outcome.UNFINISHED, 1)]


def test_a_fatal_error_is_what_came_of_the_execution() -> None:
    told = Told()
    told.passes(pg.query("SELECT pg_sleep(9)"))
    before = told.conversation.midway
    told.answers(pg.error("57P01", "terminating connection", "FATAL"))
    assert (before, told.conversation.midway) == (False, True), "no word of ours follows the server's last"
    told.end()
    assert [(done.outcome, done.words) for done in told.done] == [(Outcome.ERROR, "57P01 terminating connection")]


def test_a_fatal_error_that_belongs_to_nothing_passes() -> None:
    told = Told()
    told.answers(pg.error("57P01", "terminating connection", "FATAL"))
    told.end()
    assert told.events == []


def test_notices_notifications_and_settings_pass_wherever_they_come() -> None:
    told = Told()
    any_time = pg.notice("n") + pg.notification("c", "p") + pg.setting("TimeZone", "UTC")
    told.answers(any_time)
    told.passes(pg.query("SELECT 1"))
    told.answers(any_time + pg.described("a") + any_time + pg.row(b"1") + any_time + pg.complete("SELECT 1"))
    told.answers(any_time + pg.ready() + any_time)
    assert [(done.outcome, done.rows) for done in told.done] == [(Outcome.OK, 1)]


def test_queries_may_be_asked_before_the_first_is_answered() -> None:
    told = Told()
    told.passes(pg.query("SELECT 1") + pg.query("SELECT 2") + pg.query("SELECT 3"))
    told.answers(pg.complete("SELECT 1") + pg.ready() + pg.error("22012", "by zero") + pg.ready())
    told.answers(pg.complete("SELECT 3") + pg.ready())
    assert [(done.execution, done.outcome) for done in told.done] == [
        (1, Outcome.OK), (2, Outcome.ERROR), (3, Outcome.OK),
    ]  # fmt: skip


def test_after_goodbye_nothing_passes() -> None:
    told = Told()
    told.passes(pg.TERMINATE)
    assert told.conversation.over
    assert told.client(pg.query("SELECT 1")) == (b"", b"")
    assert told.events == []


BAD = {
    "a length below its own size": b"Q\0\0\0\3",
    "a length beyond a gigabyte": b"Q\x7f\xff\xff\xff",
    "a negative length": b"Q\xff\xff\xff\xff",
    "an Execute beyond PostgreSQL's bound": b"E\0\0\x27\x11",
    "a Sync with a body": b"S\0\0\0\5x",
    "a kind that there is not": b"?\0\0\0\4",
    "a password": pg.message("p", b"secret\0"),
    "a text without an end": pg.message("Q", b"SELECT 1"),
    "a text with two ends": pg.message("Q", b"SELECT 1\0; DROP TABLE t\0"),
    "an empty Query": pg.message("Q"),
    "a Parse with fewer types than it says": pg.message("P", b"\0SELECT 1\0\0\2\0\0\0\1"),
    "a Parse without a text": pg.message("P", b"\0"),
    "a Bind with less than it says": pg.message("B", b"\0\0\0\0\0\1\0\0\0\5abc"),
    "a Bind with more than it says": pg.bind("", "")[:-2].replace(b"\0\0\0\x0c", b"\0\0\0\x0d") + b"\0\0x",
    "a Bind with a parameter below NULL": pg.message("B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"),
    "a Bind with a form that there is not": pg.message("B", b"\0\0\0\1\0\2\0\0\0\0"),
    "a Bind with forms for other parameters": pg.message("B", b"\0\0\0\2\0\1\0\1\0\1\xff\xff\xff\xff\0\0"),
    "a Describe of neither": pg.message("D", b"X\0"),
    "a Close with two names": pg.message("C", b"S\0\0"),
    "an Execute without its number": pg.message("E", b"\0\0\0"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_message_ends_the_session_and_never_reaches_the_target(what: str) -> None:
    told = Told()
    told.passes(pg.parse("", "SELECT 1"))
    to_target, to_client = told.client(BAD[what])
    assert to_target == b""
    assert told.fault is not None
    [(kind, body)] = pg.split(to_client)
    assert kind == "E"
    assert b"VFATAL\0C08P01\0" in body
    assert told.client(pg.query("SELECT 1")) == (b"", b"")
    assert told.target(pg.PARSED) == b""


BAD_ANSWERS = {
    "a length below its own size": b"D\0\0\0\3",
    "a kind that there is not": b"?\0\0\0\4",
    "another question for a password": pg.message("R", b"\0\0\0\3"),
    "a key to cancel by": pg.message("K", bytes(8)),
    "a stream of replication": pg.copy_response("W"),
    "a row that nobody asked for": pg.row(b"1"),
    "an end of what nobody asked for": pg.complete("SELECT 1"),
    "readiness for nothing": pg.ready(),
    "a prepared statement that nobody prepared": pg.PARSED,
}


@pytest.mark.parametrize("what", BAD_ANSWERS)
def test_what_is_no_answer_ends_the_session_and_never_reaches_the_client(what: str) -> None:
    told = Told()
    to_client = told.target(pg.notice("n") + BAD_ANSWERS[what])
    assert told.fault is not None
    assert pg.kinds(to_client) == "NE"


def test_a_state_that_no_transaction_has_ends_the_session() -> None:
    told = Told()
    told.passes(pg.query("SELECT 1"))
    told.target(pg.ready("X"))
    assert told.fault is not None
