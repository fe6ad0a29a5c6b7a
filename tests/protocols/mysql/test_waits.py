"""An execution that waits for somebody's yes, in the machine: nothing of it reaches the target before, and exactly it
does afterwards."""

import pytest

from onepam.domain.access.guardrails import PLAIN, Guardrails, StatementClass, asking
from onepam.gateway.ask_first import LAPSED
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import guarding
from onepam.protocols.mysql.asking import HELD_BYTES, MOST_BEHIND, MOST_KEPT
from onepam.recording.statements import Outcome
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.told import Talk

READ, OTHER, WRITE = StatementClass.READ, StatementClass.OTHER, StatementClass.WRITE
WRITES = Guardrails((READ, OTHER, StatementClass.SEVERAL, StatementClass.ASK_WRITE))
EVERYTHING = Guardrails((READ, OTHER, *(asking(each) for each in PLAIN if each not in (READ, OTHER))))
NO = Refused("statement.denied", "max said no.")
INSERT = b"INSERT INTO t VALUES (?)"
ONE = b"\0\1\x08\0" + (7).to_bytes(8, "little")


class Waits(Talk):
    """A conversation in which some ask."""

    def __init__(self, guardrails: Guardrails = WRITES) -> None:
        super().__init__(guarding.allowance(guardrails))

    def passed(self) -> bytes:
        passed, self.to_target = self.to_target, b""
        return passed

    def decided(self, refused: Refused | None = None) -> "Waits":
        self._add(self.talk.decided(refused))
        return self

    def prepares(self, text: bytes, name: int = 1) -> "Waits":
        self.client(my.prepare(text)).target(my.prepared(name, parameters=1, columns=0))
        self.passed()
        return self


def test_a_text_waits_and_exactly_it_goes_on_and_what_came_behind_it_follows() -> None:
    talk = Waits()
    write, read = my.query(b"DELETE FROM t"), my.query(b"SELECT 1")
    talk.client(write + read)
    assert (talk.passed(), talk.to_client) == (b"", b"")
    wanted = talk.talk.wanted
    assert wanted is not None
    assert (wanted.execution, [*wanted.classes], wanted.text) == (1, ["write"], b"DELETE FROM t")
    assert not wanted.in_transaction
    assert [each.execution for each in talk.runs] == [1], "it is recorded before somebody is asked"
    talk.decided()
    assert talk.passed() == write
    assert talk.talk.wanted is None
    talk.target(my.ok())
    assert talk.passed() == read
    assert [each.outcome for each in talk.ends] == [Outcome.OK]


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (NO, b"\x76\x04#42000OnePAM: max said no."),
        (Refused(LAPSED, "late."), b"\x25\x05#70100OnePAM: late."),
        (Refused("gateway.failed", "gone."), b"\x51\x04#HY000OnePAM: gone."),
    ],
)
def test_a_no_is_an_error_and_what_came_behind_it_follows(refused: Refused, error: bytes) -> None:
    talk = Waits()
    talk.client(my.query(b"DELETE FROM t") + my.query(b"SELECT 1")).decided(refused)
    assert talk.to_client == my.packet(1, b"\xff" + error)
    assert talk.passed() == my.query(b"SELECT 1")
    assert [each.outcome for each in talk.ends] == [Outcome.REFUSED]
    assert talk.decided().passed() == b"", "nothing waits any more"


def test_each_execution_of_a_prepared_statement_asks_with_its_values() -> None:
    talk = Waits().prepares(INSERT)
    for execution in (1, 2):
        talk.client(my.execute(1, ONE))
        wanted = talk.talk.wanted
        assert wanted is not None
        assert (wanted.execution, [each.value for each in wanted.parameters]) == (execution, [b"7"])
        assert talk.passed() == b""
        talk.decided()
        assert talk.passed() == my.execute(1, ONE)
        talk.target(my.ok())
    assert [each.outcome for each in talk.ends] == [Outcome.OK, Outcome.OK]


def test_whoever_decides_is_told_of_an_open_transaction() -> None:
    talk = Waits().client(my.query(b"BEGIN")).target(my.ok(status=3)).client(my.query(b"DELETE FROM t"))
    wanted = talk.talk.wanted
    assert wanted is not None
    assert wanted.in_transaction


def test_what_cannot_be_shown_is_refused() -> None:
    """Values that are too large, in one command or ahead of it, and more texts than are kept."""
    talk = Waits().prepares(INSERT)
    large = b"\0\1\xfd\0" + b"\xfd" + (70_000).to_bytes(3, "little") + b"x" * 70_000
    talk.client(my.execute(1, large))
    assert (talk.passed(), b"too large to be shown" in talk.to_client) == (b"", True)
    assert talk.talk.wanted is None
    talk.to_client = b""
    talk.client(my.ahead(1, 0, b"x" * 50_000) + my.ahead(1, 0, b"x" * 50_000))
    talk.passed()
    talk.client(my.execute(1, b"\0\1\xfd\0"))
    assert (talk.passed(), b"too large to be shown" in talk.to_client) == (b"", True)
    talk.client(my.execute(1, ONE))
    assert talk.talk.wanted is None, "what was sent ahead is a part of it still"


def test_so_many_texts_that_ask_are_kept() -> None:
    talk, text = Waits(), b"DELETE FROM t -- ".ljust(16 * 1024, b"x")
    for name in range(MOST_KEPT // len(text)):
        talk.prepares(text, name + 1)
    talk.client(my.prepare(b"SELECT 1")).target(my.prepared(1000))
    talk.passed()
    talk.to_client = b""
    talk.client(my.prepare(text))
    assert (talk.passed(), b"too many prepared statements" in talk.to_client) == (b"", True)


def test_where_all_ask_so_does_what_cannot_be_read() -> None:
    talk = Waits(EVERYTHING).client(my.query(b"SELEC 1"))
    wanted = talk.talk.wanted
    assert wanted is not None
    assert "admin" in wanted.classes
    talk = Waits(EVERYTHING).client(my.query(b"SELECT '" + b"x" * HELD_BYTES))
    assert (talk.passed(), b"cannot be read" in talk.to_client) == (b"", True)


def test_what_runs_another_text_is_refused_where_some_ask() -> None:
    every = Guardrails((*(each for each in PLAIN if each is not WRITE), StatementClass.ASK_WRITE))
    for text in (b"PREPARE x FROM 'SELECT 1'", b"EXECUTE x"):
        talk = Waits(every).client(my.query(text))
        assert (talk.passed(), talk.talk.wanted) == (b"", None)
        assert b"PREPARE and EXECUTE of SQL do not pass" in talk.to_client


def test_so_much_is_read_behind_what_waits() -> None:
    talk = Waits().client(my.query(b"DELETE FROM t"))
    talk.client(b"\1" * MOST_BEHIND)
    assert not talk.talk.full
    assert talk.client(b"\1").talk.full
    assert talk.talk.decided(None).fault is None


def test_the_end_of_a_session_is_a_no() -> None:
    talk = Waits().client(my.query(b"DELETE FROM t")).end()
    assert [(each.outcome, each.words) for each in talk.ends] == [(Outcome.REFUSED, "nobody has said yes to it")]
    assert talk.passed() == b""
