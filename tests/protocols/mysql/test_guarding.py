"""Guardrails in a session: what is refused never reaches the target, and what the server is told at the start."""

from dataclasses import replace

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask
from onepam.domain.sessions.ends import SessionEnd
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import guarding, wire
from onepam.protocols.mysql.machine import Conversation
from onepam.protocols.mysql.startup import NOBODY, Greeting
from onepam.protocols.mysql.wire import Can
from onepam.protocols.sql.conversation import AT_ONCE_BYTES
from onepam.protocols.sql.events import Text
from onepam.recording.statements import Outcome
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.told import Talk

READ, WRITE, OTHER, SEVERAL = (
    StatementClass.READ, StatementClass.WRITE, StatementClass.OTHER, StatementClass.SEVERAL,
)  # fmt: skip
READER = Guardrails((READ, OTHER))
NEW, MARIA = (Greeting(version, 1, Can(0), b"", "") for version in ("8.0.36", "5.5.5-10.11.6-MariaDB"))


def reads(guardrails: Guardrails = READER) -> Talk:
    return Talk(guarding.allowance(guardrails))


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (my.query(b"DELETE FROM t"), b"kind write"),
        (my.query(b"SELECT 1; SELECT 2"), b"kind several"),
        (my.query(b"SELEC 1"), b"cannot be read"),
        (my.query(b"SELECT '\xff'"), b"cannot be read"),
        (my.prepare(b"DELETE FROM t"), b"kind write"),
        (my.prepare(b"SET GLOBAL x = 1"), b"kind admin"),
        (my.packet(0, b"\x1b\0\0"), b"kind several"),
        (my.packet(0, b"\x1f"), b"to be reset"),
        (my.query(b"SELECT '" + b"x" * 70_000 + b"'"), b"cannot be read"),
    ],
)
def test_what_is_refused_never_reaches_the_target(asked: bytes, kind: bytes) -> None:
    talk = reads().client(asked)
    assert talk.to_target == b""
    assert kind in talk.to_client
    assert [each.outcome for each in talk.ends] == [Outcome.REFUSED]
    assert talk.client(my.query(b"SELECT 1")).to_target == my.query(b"SELECT 1")


@pytest.mark.parametrize(
    ("command", "rails", "passes"),
    [
        (b"\x02app", (OTHER,), True),
        (b"\x02app", (READ,), False),
        (b"\x04t\0", (READ,), True),
        (b"\x04t\0", (OTHER,), False),
        (b"\x0a", (READ,), True),
        (b"\x0a", (OTHER,), False),
        (b"\x1b\0\0", (SEVERAL,), True),
        (b"\x0e", (), True),
        (b"\x09", (), True),
    ],
)
def test_commands_without_a_text_are_of_a_class_too(
    command: bytes, rails: tuple[StatementClass, ...], passes: bool
) -> None:
    talk = reads(Guardrails(rails)).client(my.packet(0, command))
    assert (talk.to_target, b"does not allow" in talk.to_client) == (my.packet(0, command) * passes, not passes)


def test_kill_is_ones_own_whatever_the_guardrails() -> None:
    talk = Talk(guarding.allowance(READER), own=(5,)).client(my.query(b"KILL QUERY 5"))
    assert (talk.killed, talk.to_target, talk.to_client) == ([(5, False)], b"", my.ok(status=0))


def test_the_server_is_told_before_the_client_is_in() -> None:
    assert guarding.settings(NOBODY, None, None, MARIA) == ()
    mode, charset, *more = guarding.settings(NOBODY, READER, None, MARIA)
    assert mode.startswith("SET SESSION sql_mode = REPLACE(")
    assert "'ANSI_QUOTES'" in mode
    assert (charset, more) == ("SET character_set_client = utf8mb4", ["SET SESSION TRANSACTION READ ONLY"])
    assert guarding.settings(NOBODY, None, Mask(("a",)), MARIA) == (mode, charset)
    timed = Guardrails((READ, WRITE), timeout=1_500_000)
    assert guarding.settings(NOBODY, timed, None, MARIA)[2:] == ("SET SESSION max_statement_time = 1.5",)
    assert guarding.settings(NOBODY, timed, None, NEW)[2:] == ("SET SESSION max_execution_time = 1500",)
    for one in (WRITE, StatementClass.DDL, StatementClass.GRANT, StatementClass.ASK_WRITE):
        assert not guarding.settings(NOBODY, Guardrails((READ, one)), None, MARIA)[2:]


@pytest.mark.parametrize("collation", [28, 13, 1, 84, 248, 10, 0, 35])
def test_a_client_of_another_character_set_is_refused(collation: int) -> None:
    """gbk, sjis, big5, gb18030, swe7, ucs2: in which a byte of ASCII may be another letter, or half of one."""
    refused = guarding.unfit(replace(NOBODY, collation=collation), READER, None)
    assert isinstance(refused, Refused)
    assert refused.code == SessionEnd.CLIENT_SETTING
    assert guarding.unfit(replace(NOBODY, collation=collation), None, Mask(("a",))) is not None
    assert guarding.unfit(replace(NOBODY, collation=collation), None, None) is None
    assert guarding.unfit(NOBODY, READER, Mask(("a",))) is None


@pytest.mark.parametrize("text", [b"SELECT 'it\\'s'", b'SELECT "a"', "SELECT 'ä'".encode()])
@pytest.mark.claim(
    "a letter beyond ASCII cannot be read in that session", altered="what had run before a text was not looked at"
)
def test_after_what_may_change_how_a_server_reads_only_what_reads_alike_is_read(text: bytes) -> None:
    talk = reads(Guardrails((READ, OTHER, StatementClass.ADMIN)))
    assert talk.client(my.query(text)).to_target == my.query(text)
    talk.target(my.ok()).client(my.query(b"SET sql_mode = 'ANSI_QUOTES'")).target(my.ok())
    talk.to_target = b""
    assert b"after one of the kind admin" in talk.client(my.query(text)).to_client
    assert talk.to_target == b""
    assert talk.client(my.query(b"SELECT 'a'")).to_target == my.query(b"SELECT 'a'")


def test_what_was_refused_changes_nothing() -> None:
    talk = reads().client(my.query(b"SET sql_mode = 'ANSI_QUOTES'"))
    assert talk.client(my.query(b'SELECT "a"')).to_target == my.query(b'SELECT "a"')


def test_after_a_reset_a_session_under_a_mask_is_not_read_as_at_its_start() -> None:
    """The server has its own `sql_mode` and character set again."""
    talk = Talk(guarding.allowance(None, Mask((), ("secret",))))
    text = b"SELECT 'a\\\\'"
    talk.client(my.query(text)).target(my.ok()).client(my.packet(0, bytes((wire.RESET_CONNECTION,)))).target(my.ok())
    talk.client(my.query(text))
    assert talk.texts == [text, b"COM_RESET_CONNECTION", b"/* [masked: 12 bytes] */"]


def test_a_long_text_is_read_before_it_is_taken_and_nothing_else_meanwhile() -> None:
    talk = Conversation(guarding.allowance(READER), lambda thread, whole: False)
    text = b"SELECT 1 -- ".ljust(AT_ONCE_BYTES + 1, b"x")
    sent = my.query(text) + my.query(b"SELECT 2")
    assert (talk.from_client(sent).to_target, talk.reading) == ([], text)
    assert (talk.from_client(my.query(b"SELECT 3")).to_target, talk.reading) == ([], text)
    talk.has_read(talk.look())
    assert (talk.reading, talk.from_client(b"").to_target) == (None, [my.query(text)])
    assert talk.from_target(my.ok()).to_target == [my.query(b"SELECT 2")]
    at_once = b"SELECT 1 -- ".ljust(AT_ONCE_BYTES, b"x")
    talk = Conversation(guarding.allowance(READER), lambda thread, whole: False)
    assert talk.from_client(my.query(at_once)).to_target == [my.query(at_once)]
    talk = Conversation(guarding.allowance(None), lambda thread, whole: False)
    assert talk.from_client(my.query(text)).to_target == [my.query(text)], "nothing of it is read"
    talk = Conversation(guarding.allowance(READER), lambda thread, whole: False)
    commented = b"SELECT /*!40001 SQL_NO_CACHE */ 1"
    assert (talk.from_client(my.query(commented)).to_target, talk.reading) == ([], commented), "it is read as several"


def test_a_name_behind_a_colon_is_no_parameter() -> None:
    """No server takes such a text; that of another place may stand there."""
    talk = Talk(guarding.allowance(None, Mask(("card",))))
    for text in (
        b"SELECT card FROM t WHERE a = :name",
        b"SELECT card FROM t WHERE :p3 = a",
        b"SELECT card FROM t LIMIT :n",
    ):
        before = len(talk.to_target)
        talk.client(my.query(text))
        assert talk.to_target[before:] == my.query(text)
        talk.target(my.error(1, 1064, b"syntax"))


@pytest.mark.parametrize(
    "text",
    [
        "SET max_statement_time = 0", "SET SESSION max_execution_time=1000", "SET @@session.max_statement_time = 0;",
        "/*M!100100 SET @@MAX_STATEMENT_TIME=0.000000 */",
    ],
)  # fmt: skip
def test_the_time_of_ones_own_statements_is_ones_own_where_nothing_bounds_it(text: str) -> None:
    """Dumping programs begin so."""
    untimed, timed = (guarding.allowance(each).classify for each in (READER, replace(READER, timeout=1_000_000)))
    assert untimed is not None
    assert timed is not None
    assert untimed(text) == frozenset(("other",))
    assert StatementClass.ADMIN in (timed(text) or ())
    for more in ("; DELETE FROM t", ", GLOBAL read_only = 0", " + own(1)"):
        assert untimed(f"{text}{more}") != frozenset(("other",))
    assert StatementClass.ADMIN in (untimed("SET GLOBAL max_statement_time = 0") or ())


def test_what_a_mask_asks_of_a_long_text_is_found_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    masked = guarding.allowance(None, Mask(("card",)))
    assert masked.masking is not None
    talk = Talk(masked)
    text = b"INSERT INTO t (a, card) VALUES " + b", ".join(b"('%d', 'x')" % each for each in range(100))
    talk.talk.from_client(my.query(text))
    assert talk.talk.reading == text
    looked = talk.talk.look()
    monkeypatch.setattr(type(masked.masking), "text", None)
    talk.talk.has_read(looked)
    step = talk.talk.from_client(b"")
    assert step.to_target == [my.query(text)]
    (said,) = [each.text for each in step.events if isinstance(each, Text)]
    assert said == text.replace(b"'x'", b"'[masked: 1 byte]'")
