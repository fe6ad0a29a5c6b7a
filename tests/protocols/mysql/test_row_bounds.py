"""The bounds of rows and of their bytes: what may be given is, and of the rest nothing passes or is kept."""

import pytest

from onepam.protocols.sql.events import Allowance
from onepam.recording.statements import Outcome
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.told import Talk

MORE = 2 | 8


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        (Allowance(rows=2), "2 rows"),
        (Allowance(bytes=5), "5 bytes"),
        (Allowance(rows=3, bytes=4), "4 bytes"),
        (Allowance(rows=2, bytes=4), "2 rows"),
    ],
)
def test_rows_beyond_what_is_allowed(allowed: Allowance, said: str) -> None:
    """The client hears so in the place of the row; what comes then is dropped, and the next statement is as ever."""
    talk = Talk(allowed).client(my.query(b"SELECT c FROM t"))
    answer = my.rows(b"1", b"2", b"3", b"4")
    talk.target(answer[:-9])
    assert talk.cancelled == 1
    assert talk.talk.cut
    talk.target(answer[-9:])
    (done,) = talk.ends
    assert (done.outcome, done.rows, done.words) == (Outcome.ERROR, 2, f"This access allows {said} of a statement.")
    assert talk.cancelled == 1
    assert my.packet(6, b"\x013") not in talk.to_client
    heard = talk.to_client
    talk.client(my.query(b"DO 1")).target(my.ok())
    assert talk.to_client == heard + my.ok()


def test_the_bound_of_bytes_holds_for_all_results_of_a_text_and_for_nothing_but_rows() -> None:
    allowed = Allowance(bytes=4)
    talk = Talk(allowed).client(my.query(b"SELECT c FROM t"))
    talk.target(my.rows(b"1", b"2")).client(my.query(b"SELECT c FROM t")).target(my.rows(b"3", b"4"))
    assert [done.outcome for done in talk.ends] == [Outcome.OK] * 2
    answer = my.rows(b"1", status=MORE) + my.ok(6, affected=9, status=MORE) + my.rows(b"2", b"3", sequence=7)
    talk = Talk(allowed).client(my.query(b"SELECT 1; UPDATE t; SELECT 2")).target(answer)
    (done,) = talk.ends
    assert (done.outcome, done.rows, b"This access allows 4 bytes" in talk.to_client) == (Outcome.ERROR, 11, True)


def test_the_bound_of_bytes_holds_for_all_pages_of_a_cursor() -> None:
    opened = my.packet(1, b"\1") + my.column(2) + my.eof(3, 2 | 64)
    talk = Talk(Allowance(bytes=8)).client(my.prepare(b"SELECT c")).target(my.prepared(1))
    talk.client(my.execute(1, cursor=True)).target(opened)
    talk.client(my.fetch(1, 2)).target(my.packet(1, b"\0\0\1") + my.packet(2, b"\0\0\2") + my.eof(3, 2 | 64))
    assert talk.ends == []
    talk.client(my.fetch(1, 2)).target(my.packet(1, b"\0\0\3") + my.eof(2, 2 | 128))
    (done,) = talk.ends
    assert (done.outcome, done.rows, talk.cancelled) == (Outcome.ERROR, 2, 1)
    talk.client(my.fetch(1, 2))
    assert b"no more rows" in talk.to_client


@pytest.mark.parametrize(
    ("most", "given"), [(2**24 - 1, False), (2**24 + 99, False), (2**32 - 1, False), (2**32, True), (None, True)]
)
def test_a_row_that_does_not_say_its_length_is_given_where_the_longest_there_can_be_may_be(
    most: int | None, given: bool
) -> None:
    value = b"\xfd\xff\xff\xff" + b"x" * (2**24 - 1)
    answer = my.packet(1, b"\1") + my.column(2) + my.eof(3) + my.packet(4, value) + my.eof(6)
    talk = Talk(Allowance(bytes=most)).client(my.query(b"SELECT")).target(answer)
    (done,) = talk.ends
    assert (done.outcome, done.rows) == ((Outcome.OK, 1) if given else (Outcome.ERROR, 0))
    assert (talk.fault, talk.to_client == answer) == ("", given)
    heard = len(talk.to_client)
    talk.client(my.query(b"DO 1")).target(my.ok())
    assert talk.to_client[heard:] == my.ok()


def test_of_a_result_that_is_cut_the_recording_has_the_bytes_that_were_given() -> None:
    """However many more came, as one row or as many, in one result or in several; also where the session ends first."""
    rows, size = my.rows(b"1", b"2", b"x" * 40, b"3", status=MORE), 2 * 2
    for answer in (rows + my.rows(b"4", sequence=9), rows, rows[: len(rows) - 9 - 6 - 10]):
        talk = Talk(Allowance(bytes=20)).client(my.query(b"SELECT c FROM t; SELECT c")).target(answer).end()
        (done,) = talk.ends
        assert (done.outcome, done.rows, done.size) == (Outcome.ERROR, 2, size)
        assert done.words == "This access allows 20 bytes of a statement."


def test_what_an_ok_tells_of_the_session_is_no_longer_than_rows_may_be() -> None:
    """A MySQL tells of `session_track_system_variables` whatever it was set to: `(SELECT GROUP_CONCAT(c) FROM t)`."""
    short = b"\0\xfc\xff\1\0" + (2).to_bytes(2, "little") + b"\5\0"
    for most, size, passes in ((2000, 1900, True), (2000, 2000, False), (10, 900, True), (None, 60_000, True)):
        tells = short[:5] + (2 | 1 << 14).to_bytes(2, "little") + short[7:] + b"\0\xfd" + bytes(3) + b"x" * size
        talk = Talk(Allowance(bytes=most)).client(my.query(b"SET @@x = (SELECT c)"))
        answer = my.packet(1, tells)
        talk.target(answer[:5], answer[5:700], answer[700:])
        assert talk.to_client == (answer if passes else my.packet(1, short))
        assert [each.words for each in talk.ends] == ["OK 511"]
        talk.client(my.query(b"DO 1")).target(my.ok())
        assert talk.to_client.endswith(my.ok())
