"""What passes, what is recorded of it, and what is refused."""

from struct import pack

import pytest

from onepam.protocols.mysql.texts import killed
from onepam.protocols.sql.events import Allowance, Cut
from onepam.recording.statements import Form, Outcome
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.told import Talk

MORE = 2 | 8


def test_a_query_with_rows() -> None:
    talk = Talk().client(my.query(b"SELECT c FROM t"))
    assert (talk.to_target, talk.to_client) == (my.query(b"SELECT c FROM t"), b"")
    answer = my.rows(b"one", b"three")
    talk.target(answer)
    assert talk.to_client == answer
    (run,), (done,) = talk.runs, talk.ends
    assert (run.form, talk.texts) == (Form.SIMPLE, [b"SELECT c FROM t"])
    assert (done.outcome, done.rows, done.size, done.words, done.status) == (Outcome.OK, 2, 10, "2 rows", b"I")


def test_what_was_touched_and_the_state_of_the_transaction() -> None:
    (done,) = Talk().client(my.query(b"DELETE FROM t")).target(my.ok(affected=7, status=3)).ends
    assert (done.outcome, done.rows, done.words, done.status) == (Outcome.OK, 7, "OK 7", b"T")


def test_an_error_has_its_words() -> None:
    (done,) = Talk().client(my.query(b"SELECT")).target(my.error(1)).ends
    assert (done.outcome, done.words) == (Outcome.ERROR, "42S02 no such table (1146)")


def test_an_error_behind_rows() -> None:
    answer = my.packet(1, b"\1") + my.column(2) + my.eof(3) + my.packet(4, b"\1x") + my.error(5)
    talk = Talk().client(my.query(b"SELECT")).target(answer)
    (done,) = talk.ends
    assert (done.outcome, done.rows, talk.to_client) == (Outcome.ERROR, 1, answer)


def test_several_results_are_one_execution() -> None:
    answer = my.rows(b"1", status=MORE) + my.ok(6, affected=2, status=MORE) + my.rows(b"1", b"2", sequence=7)
    talk = Talk().client(my.query(b"SELECT 1; UPDATE t SET c = 1; SELECT 2")).target(answer)
    (done,) = talk.ends
    assert (done.rows, done.words) == (5, "1 rows; OK 2; 2 rows")
    assert not talk.talk.busy


@pytest.mark.parametrize("status", [2, MORE])
def test_behind_what_a_procedure_gives_back_comes_an_answer(status: int) -> None:
    """MySQL says so behind the description alone, MariaDB behind the rows as well."""
    outs = 1 << 12
    answer = my.rows(b"1", status=MORE) + my.rows(b"8", sequence=6, begins=MORE | outs, status=status)
    talk = Talk().client(my.query(b"CALL p(1, @a)")).target(answer)
    assert (talk.talk.busy, talk.ends) == (True, [])
    talk.target(my.ok(11))
    (done,) = talk.ends
    assert (done.rows, done.words, talk.talk.busy, talk.fault) == (2, "1 rows; 1 rows; OK 0", False, "")


def test_a_row_that_begins_like_an_end_is_a_row() -> None:
    """0xFE begins a length of eight bytes, too."""
    huge = my.packet(4, b"\xfe" + pack("<Q", 9) + b"x" * 9)
    answer = my.packet(1, b"\1") + my.column(2) + my.eof(3) + huge + my.eof(5)
    (done,) = Talk().client(my.query(b"SELECT")).target(answer).ends
    assert done.rows == 1


def test_a_row_of_several_packets_is_one() -> None:
    """D3: the lengths of packets, not of rows, are below 2^24."""
    value = b"\xfd\xff\xff\xff" + b"x" * (2**24 - 1)
    parts = my.packet(4, value)
    assert parts[:3] == b"\xff\xff\xff"
    answer = my.packet(1, b"\1") + my.column(2) + my.eof(3) + parts + my.eof(6)
    talk = Talk().client(my.query(b"SELECT")).target(answer)
    (done,) = talk.ends
    assert (done.rows, done.size, talk.to_client == answer) == (1, len(value), True)


@pytest.mark.parametrize("size", [2**24 - 2, 2**24 - 1, 2**24])
def test_a_command_of_16_mib_and_more(size: int) -> None:
    """Of its text the first MiB is kept, with the digest of all; what follows it is sent once it is answered."""
    text = b"SELECT '" + b"y" * (size - 9)
    sent = my.query(text)
    talk = Talk().client(sent + my.query(b"SELECT 2"))
    assert talk.to_target == sent
    (cut,) = [each for each in talk.events if isinstance(each, Cut)]
    assert (cut.kept, cut.size) == (1024 * 1024, len(text))
    talk.target(my.ok(_packets(sent)))
    assert talk.to_target == sent + my.query(b"SELECT 2")


def _packets(sent: bytes) -> int:
    place = count = 0
    while place < len(sent):
        place += 4 + int.from_bytes(sent[place : place + 3], "little")
        count += 1
    return count


@pytest.mark.parametrize(
    "wrong",
    [
        b"\0\0\0\0",
        b"\1\0\0\1\x0e",
        b"\xff\xff\xff\0\x0e",
        my.packet(0, b"\x17\1"),
        my.packet(0, b"\x19\1"),
        my.packet(1, b"\x03SELECT 1"),
    ],
)
def test_a_malformed_command_reaches_no_target(wrong: bytes) -> None:
    talk = Talk().client(wrong + b"\0" * 70_000)
    assert (talk.to_target, talk.fault) == (b"", "client.protocol")
    assert b"OnePAM: " in talk.to_client


def test_packets_out_of_order_are_the_targets_fault() -> None:
    talk = Talk().client(my.query(b"SELECT 1")).target(my.ok(2))
    assert (talk.fault, b"OnePAM: " in talk.to_client) == ("target.protocol", True)
    assert talk.end().ends[-1].outcome is Outcome.UNFINISHED


def test_what_nobody_asked_for() -> None:
    assert Talk().target(my.ok(0)).fault == "target.protocol"
    said = Talk().target(my.error(0, 1927, b"Connection was killed"))
    assert (said.to_client, said.talk.midway) == (my.error(1, 1927, b"Connection was killed"), True)


def test_a_file_of_the_clients_is_not_given() -> None:
    """No target was told that it may ask for one."""
    talk = Talk().client(my.query(b"LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t"))
    talk.target(my.packet(1, b"\xfb/etc/passwd"))
    assert (talk.fault, b"/etc/passwd" in talk.to_client) == ("target.protocol", False)


@pytest.mark.parametrize("before", [b"", my.rows(b"1", status=MORE)])
def test_nor_after_a_harmless_select(before: bytes) -> None:
    """A target that lies about what it was asked; where rows come it would be a NULL."""
    talk = Talk().client(my.query(b"SELECT 1")).target(before)
    talk.target(my.packet(6 if before else 1, b"\xfb/etc/passwd"))
    assert (talk.fault, b"/etc/passwd" in talk.to_client) == ("target.protocol", False)
    assert talk.end().ends[-1].outcome is Outcome.UNFINISHED


def test_a_packet_of_16_mib_that_nothing_follows() -> None:
    """Nothing of it is a command before its end; what comes in its place is out of order."""
    whole = b"\xff\xff\xff\0\x03" + b"y" * (2**24 - 2)
    talk = Talk().client(whole)
    assert (talk.runs, talk.talk.busy, talk.fault) == ([], False, "")
    talk.client(my.query(b"SELECT 1"))
    assert (talk.fault, len(talk.to_target), talk.runs) == ("client.protocol", len(whole), [])


# Prepared statements -------------------------------------------------------------------------------------------------


def values(*typed: tuple[int, bytes]) -> bytes:
    """Types and values of an execution; a type of 6 is NULL."""
    nulls = sum(1 << place for place, (kind, _) in enumerate(typed) if kind == 6)
    types = b"".join(pack("<H", kind) for kind, _ in typed)
    body = b"".join(value for _, value in typed)
    return nulls.to_bytes((len(typed) + 7) // 8, "little") + b"\1" + types + body


def test_values_are_recorded_as_they_are_written() -> None:
    given = values(
        (1, b"\xff"), (0x8001, b"\xff"), (2, pack("<h", -2)), (0x8003, pack("<I", 4_000_000_000)), (8, pack("<q", -5)),
        (4, pack("<f", 1.5)), (5, pack("<d", 0.1)), (6, b""), (10, b"\4" + pack("<HBB", 2026, 11, 30)),
        (12, b"\7" + pack("<HBBBBB", 2026, 11, 30, 4, 5, 6)), (7, b"\x0b" + pack("<HBBBBBI", 2026, 1, 2, 3, 4, 5, 6)),
        (11, b"\x08" + pack("<BIBBB", 1, 1, 2, 3, 4)), (11, b"\0"), (253, b"\3abc"), (252, b"\0"),
    )  # fmt: skip
    talk = (
        Talk()
        .client(my.prepare(b"INSERT INTO t VALUES (?)"))
        .target(my.prepared(7, 15, 0))
        .client(my.execute(7, given))
    )
    (run,) = talk.runs
    assert (run.form, talk.texts) == (Form.EXTENDED, [b"INSERT INTO t VALUES (?)"])
    assert [each.value for each in run.parameters] == [
        b"-1", b"255", b"-2", b"4000000000", b"-5", b"1.5", b"0.1", None, b"2026-11-30", b"2026-11-30 04:05:06",
        b"2026-01-02 03:04:05.000006", b"-26:03:04", b"00:00:00", b"abc", b"",
    ]  # fmt: skip
    again = given[:2] + b"\0" + given[3 + 30 :]
    talk.target(my.ok()).client(my.execute(7, again))
    assert talk.runs[1].parameters == run.parameters


def test_what_is_sent_ahead_is_a_parameter() -> None:
    talk = Talk().client(my.prepare(b"INSERT ?, ?")).target(my.prepared(1, 2, 0))
    talk.client(my.ahead(1, 0, b"ab"), my.ahead(1, 0, b"cd"), my.execute(1, values((252, b""), (1, b"\5"))))
    assert [each.value for each in talk.runs[0].parameters] == [b"abcd", b"5"]
    talk.target(my.ok()).client(my.execute(1, values((253, b"\1z"), (1, b"\5"))))
    assert [each.value for each in talk.runs[1].parameters] == [b"z", b"5"]


def test_of_what_is_long_the_size_is_kept() -> None:
    talk = Talk(Allowance(parameter=8)).client(my.prepare(b"INSERT ?, ?")).target(my.prepared(1, 2, 0))
    value = b"\xfd" + pack("<I", 200_000)[:3] + b"v" * 200_000
    sent = my.execute(1, values((252, b""), (252, value)))
    talk.client(my.ahead(1, 0, b"x" * 100_000), sent)
    assert [each.value for each in talk.runs[0].parameters] == [100_000, 200_000]
    assert talk.to_target.endswith(my.ahead(1, 0, b"x" * 100_000) + sent)


def test_an_unknown_number_is_refused() -> None:
    """D2: never guessed. One that closes or sends ahead to nobody has no answer, and goes nowhere."""
    talk = Talk().client(my.execute(9), my.ahead(9, 0, b"x"), my.close(9), my.fetch(9, 1), my.execute(2**32 - 1))
    assert (talk.to_target, talk.to_client.count(b"not prepared"), talk.events) == (b"", 3, [])


def test_the_last_one_that_was_prepared() -> None:
    """As MariaDB's own connectors say it."""
    talk = (
        Talk()
        .client(my.prepare(b"SELECT ?"))
        .target(my.prepared(3, 1))
        .client(my.execute(2**32 - 1, values((1, b"\1"))))
    )
    assert [each.value for each in talk.runs[0].parameters] == [b"1"]
    talk.target(my.rows(b"1")).client(my.prepare(b"wrong")).target(my.error(1))
    talk.client(my.execute(2**32 - 1, values((1, b"\1"))))
    assert (len(talk.runs), talk.to_client.count(b"not prepared"), talk.fault) == (1, 1, "")


def test_a_cursors_pages_are_one_execution() -> None:
    opened = my.packet(1, b"\1") + my.column(2) + my.eof(3, 2 | 64)
    talk = (
        Talk().client(my.prepare(b"SELECT c")).target(my.prepared(1)).client(my.execute(1, cursor=True)).target(opened)
    )
    assert talk.ends == []
    talk.client(my.fetch(1, 2)).target(my.packet(1, b"\0\0\1") + my.packet(2, b"\0\0\2") + my.eof(3, 2 | 64))
    talk.client(my.fetch(1, 2)).target(my.packet(1, b"\0\0\3") + my.eof(2, 2 | 128))
    (done,) = talk.ends
    assert (done.outcome, done.rows) == (Outcome.OK, 3)
    talk.client(my.fetch(1, 2))
    assert b"no more rows" in talk.to_client


def test_a_cursor_that_is_left_was_partly_fetched() -> None:
    opened = my.packet(1, b"\1") + my.column(2) + my.eof(3, 2 | 64)
    talk = (
        Talk().client(my.prepare(b"SELECT c")).target(my.prepared(1)).client(my.execute(1, cursor=True)).target(opened)
    )
    (done,) = talk.client(my.close(1)).ends
    assert done.outcome is Outcome.SUSPENDED


# Bounds --------------------------------------------------------------------------------------------------------------


def test_nothing_is_asked_before_the_last_answer() -> None:
    talk = Talk().client(my.query(b"SELECT 1") + my.query(b"SELECT 2"))
    assert talk.to_target == my.query(b"SELECT 1")
    assert len(talk.runs) == 1
    talk.target(my.rows(b"1"))
    assert talk.to_target == my.query(b"SELECT 1") + my.query(b"SELECT 2")
    talk.client(b"x" * 300_000)
    assert talk.talk.full


# What does not pass --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [5, 6, 7, 8, 13, 17, 18, 19, 21, 30, 32, 0xFA, 0xFE, 99])
def test_a_command_that_does_not_pass(kind: int) -> None:
    talk = Talk().client(my.packet(0, bytes([kind]) + b"more"))
    (done,) = talk.ends
    assert (talk.to_target, done.outcome) == (b"", Outcome.REFUSED)
    assert b"does not pass the gateway" in talk.to_client


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        (b"KILL 5", (5, True)),
        (b"kill connection 5;", (5, True)),
        (b"/* why */ KILL QUERY 5", (5, False)),
        (b"-- why\n# and\nKILL /**/ HARD QUERY 5", (5, False)),
        (b"/*!40101 KILL 5 */", (0, True)),
        (b"/*M!100100 KILL QUERY 5*/", (0, True)),
        (b"KILL USER root", (0, True)),
        (b"KILL 5; DELETE FROM t", (0, True)),
        (b"KILL 2 + 3", (0, True)),
        (b"DO 1; KILL 5", (0, True)),
        (b"BEGIN NOT ATOMIC KILL 5; END", (0, True)),
        (b"SET STATEMENT max_statement_time=5 FOR KILL 5", (0, True)),
        (b"/*!99999999 x */ KILL 5", (0, True)),
        (b"/*! */KILL 5", (0, True)),
        (b"/*!50000KILL 5*/", (0, True)),
        (b"/*Maybe*/KILL 5", (5, True)),
        (b"/*+ x */KILL 5", (5, True)),
        (b"--\x7fc\nKILL 5", (5, True)),
        (b"\xa0KILL 5", (0, True)),
        (b"KILL@x", (0, True)),
        (b" " * 5000 + b"KILL 5", (5, True)),
        (b"/*a*/ DO 1 /* */ KILL 5", (0, True)),
        (b"CREATE TABLE t (i INT); KILL 5", (0, True)),
        (b"DO 'a''b\\'', \"it's\", `'`; KILL 5", (0, True)),
        (b"KILLED", None),
        (b"--KILL 5", (0, True)),
        (b"DO 1 -- KILL 5", None),
        (b"DO 1 # KILL 5\n/* KILL 5 */", None),
        (b"SELECT 'KILL 5'", None),
        (b"SELECT 'it\\'s a; KILL 5', \"; KILL 5\", t.kill, `kill`, @kill", None),
        (b"CREATE DEFINER=`a`@`%` PROCEDURE p() BEGIN DO 1; KILL 5; END", None),
        (b"/*!50003 CREATE*/ /*!50020 DEFINER=`a`@`%`*/ /*!50003 TRIGGER t KILL 5*/", None),
    ],
)
def test_whom_a_kill_is_for(text: bytes, whom: tuple[int, bool] | None) -> None:
    assert killed(text) == whom


def test_a_kill_reaches_ones_own_alone() -> None:
    talk = Talk(own=(5,)).client(my.query(b"KILL QUERY 5"), my.query(b"KILL 6"), my.packet(0, b"\x0c" + pack("<I", 5)))
    assert talk.killed == [(5, False), (6, True), (5, True)]
    assert [each.outcome for each in talk.ends] == [Outcome.OK, Outcome.REFUSED, Outcome.OK]
    assert (talk.to_target, talk.to_client.count(b"OnePAM: KILL")) == (b"", 1)
    talk.client(my.prepare(b"KILL ?"))
    assert talk.to_target == b""
    assert talk.ends[-1].outcome is Outcome.REFUSED


def test_commands_that_are_no_statements_are_recorded_by_name() -> None:
    talk = Talk().client(my.packet(0, b"\x02app")).target(my.ok())
    talk.client(my.packet(0, b"\x04t\0%")).target(my.column(1) + my.column(2) + my.eof(3))
    talk.client(my.packet(0, b"\x1f")).target(my.ok())
    talk.client(my.packet(0, b"\x0e")).target(my.ok()).client(my.packet(0, b"\x09")).target(my.packet(1, b"Uptime: 1"))
    assert talk.texts == [b"COM_INIT_DB app", b"COM_FIELD_LIST t %", b"COM_RESET_CONNECTION"]
    assert {each.outcome for each in talk.ends} == {Outcome.OK}


def test_a_reset_forgets_what_was_prepared() -> None:
    talk = Talk().client(my.prepare(b"SELECT 1")).target(my.prepared(1)).client(my.packet(0, b"\x1f")).target(my.ok())
    assert b"not prepared" in talk.client(my.execute(1)).to_client


def test_goodbye() -> None:
    talk = Talk().client(my.packet(0, b"\x01") + my.query(b"SELECT 1"))
    assert (talk.to_target, talk.talk.goodbye) == (my.packet(0, b"\x01"), True)
