"""Guardrails in a session: what is refused never reaches the target, and the client hears it in a server's words."""

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.kernel.errors import Refused
from onepam.protocols.postgres.guarding import allowance, start
from onepam.protocols.postgres.machine import Conversation
from onepam.protocols.sql.events import Run, Text
from onepam.recording.statements import Form, Outcome
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.told import Told

READER = Guardrails((StatementClass.READ, StatementClass.OTHER))
UNDOING = pg.bind("", "OnePAM: refused")


def reader(status: bytes = b"I", **bounds: int) -> Told:
    return Told(allowance(Guardrails(READER.statements, **bounds)), status)


def words(to_client: bytes, sqlstate: str = "42501") -> str:
    kind, body = pg.split(to_client)[0]
    assert kind == "E"
    assert f"SERROR\0VERROR\0C{sqlstate}\0MOnePAM: ".encode() in body
    return body.decode()


def test_a_refused_query_is_an_error_and_readiness_in_the_state_that_is_known() -> None:
    for status in (b"I", b"T", b"E"):
        told = reader(status=status)
        to_target, to_client = told.client(pg.query("DROP TABLE t"))
        assert to_target == b""
        assert "statements of the kind ddl" in words(to_client)
        assert pg.split(to_client)[1:] == [("Z", status)]
        assert told.events[:2] == [Text(1, b"DROP TABLE t"), Run(1, 1, Form.SIMPLE)]
        [done] = told.done
        assert (done.outcome, done.status) == (Outcome.REFUSED, status)


def test_several_statements_are_one_kind_too_many() -> None:
    assert "several" in words(reader().client(pg.query("SELECT 1; SELECT 2"))[1])
    told = Told(allowance(Guardrails((StatementClass.READ, StatementClass.SEVERAL))))
    told.passes(pg.query("SELECT 1; SELECT 2"))


@pytest.mark.claim("What cannot be read does not run", altered="what cannot be read was taken for nothing")
def test_what_cannot_be_read_does_not_run() -> None:
    for text in ("SELEC 1", "SELECT '" + "x" * 70_000 + "'", "SELECT '" + "x" * 300_000 + "'"):
        told = reader()
        to_target, to_client = told.client(pg.query(text))
        assert to_target == b""
        assert "cannot be read" in words(to_client)
        assert pg.kinds(to_client) == "EZ"
        told.passes(pg.query("SELECT 1"))


def test_a_session_without_guardrails_is_read_only_for_the_names_that_it_gives_up() -> None:
    told = Told(allowance(None))
    told.passes(pg.query("SELEC") + pg.query("DROP TABLE t; DO 'x'") + pg.function(1, []))


def test_a_text_without_a_statement_runs() -> None:
    reader().passes(pg.query("") + pg.query("-- ping"))


def test_a_refused_parse_is_an_error_and_the_rest_of_its_batch_goes_nowhere() -> None:
    told = reader()
    batch = pg.parse("", "DELETE FROM t") + pg.bind("", "") + pg.describe("P") + pg.execute()
    to_target, to_client = told.client(batch)
    assert to_target == b""
    assert pg.kinds(to_client) == "E"
    assert told.client(pg.SYNC) == (pg.SYNC, b"")
    told.answers(pg.ready())
    assert [done.outcome for done in told.done] == [Outcome.REFUSED]
    assert b"C26000\0" in told.client(pg.bind("", ""))[1]


def test_a_refused_parse_waits_for_its_turn() -> None:
    told = reader(status=b"T")
    told.passes(pg.parse("", "SELECT 1") + pg.bind("", "") + pg.execute())
    assert told.client(pg.parse("", "DELETE FROM t") + pg.execute() + pg.SYNC) == (pg.FLUSH + pg.SYNC, b"")
    to_client = told.target(pg.PARSED + pg.BOUND + pg.row(b"1") + pg.complete("SELECT 1") + pg.ready("T"))
    assert pg.kinds(to_client) == "12DCEZ"


def test_whoever_waits_for_a_refusal_before_the_sync_hears_it() -> None:
    """As a server sends an error at once, with all that stands before it."""
    told = reader(status=b"T")
    told.passes(pg.parse("", "SELECT 1"))
    assert told.client(pg.parse("", "DELETE FROM t") + pg.FLUSH) == (pg.FLUSH, b"")
    assert pg.kinds(told.target(pg.PARSED)) == "1E"


def test_what_ran_in_the_same_batch_is_undone_as_a_server_would() -> None:
    told = Told(allowance(Guardrails((StatementClass.READ, StatementClass.WRITE))))
    told.passes(pg.parse("", "INSERT INTO t VALUES (1)") + pg.bind("", "") + pg.execute())
    assert told.client(pg.parse("", "DROP TABLE t") + pg.execute() + pg.SYNC) == (UNDOING + pg.SYNC, b"")
    answers = pg.PARSED + pg.BOUND + pg.complete("INSERT 0 1") + pg.error("26000", "does not exist") + pg.ready()
    to_client = told.target(answers)
    assert pg.kinds(to_client) == "12CEZ"
    assert b"does not exist" not in to_client
    assert b"OnePAM: this access does not allow" in to_client


def test_a_refusal_that_the_target_would_have_skipped_is_not_said() -> None:
    told = reader()
    told.passes(pg.parse("", "SELECT a") + pg.bind("", ""))
    told.client(pg.parse("", "DROP TABLE t") + pg.SYNC)
    to_client = told.target(pg.error("42703", "no column a") + pg.ready())
    assert pg.kinds(to_client) == "EZ"
    assert b"OnePAM" not in to_client


def test_a_refused_query_between_others_is_said_in_its_turn() -> None:
    told = reader()
    sent = pg.query("SELECT 1") + pg.query("DROP TABLE t") + pg.query("SELECT 2")
    assert told.client(sent) == (pg.query("SELECT 1") + pg.query("SELECT 2"), b"")
    one = pg.complete("SELECT 1") + pg.ready("T")
    to_client = told.target(one + one)
    assert pg.kinds(to_client) == "CZEZCZ"
    assert pg.split(to_client)[3] == ("Z", b"T")


def test_nothing_of_ours_is_said_in_the_midst_of_a_message() -> None:
    told = reader()
    notice = pg.notice("a long notice")
    told.answers(notice[:9])
    to_target, to_client = told.client(pg.query("DROP TABLE t"))
    assert (to_target, to_client) == (b"", b"")
    to_client = told.target(notice[9:])
    assert to_client.startswith(notice[9:])
    assert pg.kinds(notice[:9] + to_client) == "NEZ"


def test_functions_by_number_are_not_allowed() -> None:
    for values in ([b"1"], [b"x" * 300_000]):
        told = reader()
        to_target, to_client = told.client(pg.function(1598, values))
        assert to_target == b""
        assert pg.kinds(to_client) == "EZ"
        told.passes(pg.query("SELECT 1"))


def test_after_the_bound_a_refusal_of_the_same_batch_is_not_said_either() -> None:
    told = reader(rows=1, status=b"T")
    told.passes(pg.parse("", "SELECT") + pg.bind("", "") + pg.execute())
    assert told.client(pg.parse("", "DROP TABLE t") + pg.SYNC) == (pg.FLUSH + pg.SYNC, b"")
    to_client = told.target(pg.PARSED + pg.BOUND + pg.row(b"1") * 2 + pg.complete("SELECT 2") + pg.ready("T"))
    assert pg.kinds(to_client) == "12DEZ"


def test_a_text_that_the_server_would_read_otherwise_does_not_run() -> None:
    told = reader()
    told.answers(pg.setting("standard_conforming_strings", "off"))
    assert "cannot be read" in words(told.client(pg.query(r"SELECT 'a\'; DROP TABLE t; --'"))[1])
    told.answers(pg.setting("standard_conforming_strings", "on") + pg.setting("client_encoding", "SJIS"))
    assert "cannot be read" in words(told.client(pg.query("SELECT 'あ'"))[1])
    told.passes(pg.query("SELECT 'a'"))
    told.answers(pg.setting("client_encoding", "LATIN1"))
    told.passes(pg.message("Q", b"SELECT '\xe9'\0"))
    told.answers(pg.complete("SELECT 1") + pg.ready() + pg.complete("SELECT 1") + pg.ready())
    told.answers(pg.setting("client_encoding", "UTF8"))
    assert "cannot be read" in words(told.client(pg.message("Q", b"SELECT '\xe9'\0"))[1])


def test_the_same_bytes_are_judged_again_where_the_server_reads_otherwise_now() -> None:
    told = reader()
    text = pg.query(r"SELECT 'a\\'")
    told.passes(text)
    told.answers(pg.complete("SELECT 1") + pg.setting("standard_conforming_strings", "off") + pg.ready())
    assert told.client(text)[0] == b""


OFF = pg.query("SET standard_conforming_strings = off")
TWICE_READ = pg.query(r"SELECT '\', $$'; DELETE FROM t; --$$")
"""One harmless statement, or two of which one is none."""


@pytest.mark.parametrize("text", [TWICE_READ, pg.query("SELECT 'あ'")])
@pytest.mark.claim(
    "behind what is not answered yet a text with a backslash", altered="what was sent ahead of a text was not looked at"
)
def test_behind_what_may_change_how_the_server_reads_no_text_runs_that_it_may_read_otherwise(text: bytes) -> None:
    told = Told(allowance(Guardrails((*READER.statements, StatementClass.ADMIN))))
    told.passes(text)
    told.passes(OFF + pg.query("SELECT 'a'"))
    assert told.client(text) == (b"", b"")
    done = pg.complete("SELECT 1") + pg.ready()
    told.answers(done + pg.complete("SET") + pg.setting("standard_conforming_strings", "on") + pg.ready())
    assert "before what was sent ahead of it has been answered" in words(told.target(done)[len(done) :])
    told.passes(text)
    assert told.client(text) == (b"", b"")  # whose end may have been that of a transaction
    assert "has been answered" in words(told.target(done)[len(done) :])
    told.passes(text)


def test_nor_in_one_batch_whose_settings_are_told_at_its_end() -> None:
    told = Told(allowance(Guardrails((*READER.statements, StatementClass.ADMIN))), status=b"T")
    told.passes(pg.parse("", "SET standard_conforming_strings = off") + pg.bind("", "") + pg.execute() + pg.FLUSH)
    told.answers(pg.PARSED + pg.BOUND + pg.complete("SET"))
    assert "has been answered" in words(told.client(pg.parse("", r"SELECT '\'"))[1])
    assert told.client(pg.SYNC) == (pg.SYNC, b"")
    told.answers(pg.ready("T"))
    told.passes(pg.parse("", r"SELECT '\'"))


def test_a_yes_to_a_setting_is_none_to_what_follows_it() -> None:
    told = Told(allowance(Guardrails((*READER.statements, StatementClass.ASK_ADMIN, StatementClass.ASK_WRITE))))
    assert told.client(OFF + TWICE_READ) == (b"", b"")
    step = told.conversation.decided(None)
    assert b"".join(step.to_target) == OFF
    assert not told.conversation.waiting


def test_whoever_begins_with_other_settings_has_them_again_at_the_end_of_a_transaction() -> None:
    rails = allowance(Guardrails((*READER.statements, StatementClass.ADMIN)))
    talk = Conversation(rails, {"client_encoding": "UTF8", "standard_conforming_strings": "off"})
    talk.from_client(pg.query("SET LOCAL standard_conforming_strings = on"))
    talk.from_target(pg.complete("SET") + pg.setting("standard_conforming_strings", "on") + pg.ready("T"))
    assert talk.from_client(pg.query("COMMIT")).to_target
    assert not talk.from_client(TWICE_READ).to_target


JDBC = {"user": "a@b", "database": "d", "client_encoding": "UTF8", "DateStyle": "ISO", "TimeZone": "Europe/Zurich",
        "extra_float_digits": "2"}  # fmt: skip


@pytest.mark.claim("the session is read-only for the server", altered="the server was not told so at the start")
def test_what_drivers_ask_for_at_their_start_is_given_to_readers_and_bound() -> None:
    bound = Guardrails(READER.statements, timeout=1_500_000)
    expected = {name: value for name, value in JDBC.items() if name != "user"}
    assert start(JDBC, None) == expected
    bounded = {**expected, "standard_conforming_strings": "on"}
    assert start(JDBC, bound) == {**bounded, "statement_timeout": "1500", "default_transaction_read_only": "on"}
    writer = Guardrails((StatementClass.READ, StatementClass.WRITE))
    assert start(JDBC, writer) == bounded
    options = {"options": r"-c search_path=a\ b  --application-name=x -cgeqo=off"}
    assert isinstance(start(options, READER), dict)


@pytest.mark.parametrize(
    "asked",
    [
        {"Client_Encoding": "utf8", "STANDARD_conforming_strings": "on"},
        {"options": "-c client-encoding=utf-8 --standard_conforming_strings=on"},
        {"client_encoding": "'utf-8'", "standard_conforming_strings": "on"},
    ],
)
def test_how_texts_are_read_is_said_for_whoever_does_not_say_it(asked: dict[str, str]) -> None:
    forced = {"default_transaction_read_only": "on"}
    assert start(asked, READER) == {**asked, **forced}
    assert start({}, READER) == {"client_encoding": "UTF8", "standard_conforming_strings": "on", **forced}
    assert start({}, None) == {}


def test_who_asks_before_a_change_may_change_and_nobody_is_asked_at_the_start() -> None:
    said = start({}, Guardrails((*READER.statements, StatementClass.ASK_WRITE)))
    assert isinstance(said, dict)
    assert "default_transaction_read_only" not in said
    asks = Guardrails((*READER.statements, StatementClass.ASK_ADMIN))
    assert isinstance(start({"statement_timeout": "0"}, asks), Refused)


def test_a_setting_in_another_case_does_not_stand_beside_the_forced_one() -> None:
    """The server takes the last of two."""
    every = Guardrails(
        tuple(each for each in StatementClass if each.value in ("read", "other", "admin")), timeout=1_000
    )
    said = start({"statement_timeout": "1", "STATEMENT_TIMEOUT": "0", "Default_Transaction_Read_Only": "on"}, every)
    assert isinstance(said, dict)
    assert [name for name in said if name.lower() == "statement_timeout"] == ["statement_timeout"]
    assert [name for name in said if name.lower() == "default_transaction_read_only"] == [
        "default_transaction_read_only"
    ]
    assert said["statement_timeout"] == "1"


@pytest.mark.parametrize(
    "wanted",
    [
        {"role": "postgres"},
        {"statement_timeout": "0"},
        {"default_transaction_read_only": "off"},
        {"client_encoding": "GBK"},
        {"session_preload_libraries": "x"},
        {"options": "-c role=postgres"},
        {"options": "-c geqo=off -crole=postgres"},
        {"options": "--session-authorization=postgres"},
        {"options": "--statement_timeout=0"},
        {"options": "-c search_path=mine,x\x1f--jit=,pg_catalog"},  # a blank for Python alone
        {"options": "-c application_name=x\x85-crole=postgres"},
        {"options": "-c application_name=x\\\xa0-crole=postgres"},
        {"options": "-O"},
        {"options": "-W 10"},
        {"options": "-c"},
    ],
)
def test_what_lifts_a_bound_is_refused_at_the_start(wanted: dict[str, str]) -> None:
    assert isinstance(start(wanted, READER), Refused)
    assert start(wanted, None) == wanted
