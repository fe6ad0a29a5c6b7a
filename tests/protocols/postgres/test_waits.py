"""An execution that waits for somebody's yes, in the machine: nothing of it reaches the target before, and exactly it
does afterwards."""

import pytest

from onepam.domain.access.guardrails import PLAIN, Guardrails, StatementClass, asking
from onepam.kernel.errors import Refused
from onepam.protocols.postgres import guarding, wire
from onepam.protocols.postgres.asking import MOST_BEHIND
from onepam.protocols.postgres.machine import Conversation
from onepam.protocols.postgres.refusing import MOST_KEPT
from onepam.protocols.postgres.statements import by_name
from onepam.protocols.sql.events import Done, Run, Step
from onepam.protocols.sql.judging import MOST_SHOWN
from onepam.recording.statements import Outcome, Parameter
from tests.protocols.postgres import messages as pg

READ, OTHER, WRITE = StatementClass.READ, StatementClass.OTHER, StatementClass.WRITE
WRITES = Guardrails((READ, OTHER, StatementClass.SEVERAL, StatementClass.ASK_WRITE))
EVERYTHING = Guardrails((READ, OTHER, *(asking(each) for each in PLAIN if each not in (READ, OTHER))))
INSERT = "INSERT INTO t VALUES ($1)"
NO = Refused("statement.denied", "max said no.")


class Talk:
    """A conversation, in which what passes and what is recorded adds up."""

    def __init__(self, guardrails: Guardrails = WRITES, status: bytes = b"I") -> None:
        self.talk = Conversation(guarding.allowance(guardrails), status=status)
        self.to_target = self.to_client = b""
        self.events: list[object] = []

    def step(self, step: Step) -> None:
        self.to_target += b"".join(step.to_target)
        self.to_client += b"".join(step.to_client)
        self.events += step.events

    def says(self, data: bytes) -> tuple[bytes, bytes]:
        """What passes to the target, and what the client hears, of bytes of the client's."""
        self.to_target = self.to_client = b""
        self.step(self.talk.from_client(data))
        while self.talk.reading is not None:  # as the relay does, beside the loop
            self.talk.has_read(self.talk.look())
            self.step(self.talk.from_client(b""))
        return self.to_target, self.to_client

    def answers(self, data: bytes) -> bytes:
        self.to_target = self.to_client = b""
        self.step(self.talk.from_target(data))
        return self.to_client

    def decided(self, refused: Refused | None = None) -> tuple[bytes, bytes]:
        self.to_target = self.to_client = b""
        self.step(self.talk.decided(refused))
        return self.to_target, self.to_client

    @property
    def outcomes(self) -> list[Outcome]:
        return [each.outcome for each in self.events if isinstance(each, Done)]

    @property
    def runs(self) -> list[Run]:
        return [each for each in self.events if isinstance(each, Run)]


@pytest.mark.claim("run only once somebody else has said yes", altered="no class asked")
def test_a_query_waits_and_exactly_it_goes_on_and_what_came_behind_it_follows() -> None:
    talk = Talk()
    write, read = pg.query("INSERT INTO t VALUES (1)"), pg.query("SELECT 1")
    assert talk.says(write + read) == (b"", b"")
    waiting = talk.talk.waiting
    assert waiting is not None
    assert (waiting.statement.text, *waiting.statement.asks) == (b"INSERT INTO t VALUES (1)", "write")
    assert not waiting.in_transaction
    assert talk.says(read) == (b"", b"")
    assert [each.execution for each in talk.runs] == [1], "it is recorded before somebody is asked"
    assert talk.decided() == (write + read + read, b"")
    assert talk.talk.waiting is None
    talk.answers(pg.complete("INSERT 0 1") + pg.ready())
    assert talk.outcomes == [Outcome.OK]


def test_a_no_is_an_error_and_what_came_behind_it_follows() -> None:
    talk = Talk()
    read = pg.query("SELECT 1")
    talk.says(pg.query("DELETE FROM t") + read)
    target, client = talk.decided(NO)
    assert target == read
    assert pg.kinds(client) == "EZ"
    assert b"C42501\0MOnePAM: max said no." in client
    assert talk.outcomes == [Outcome.REFUSED]


def test_each_waits_for_itself() -> None:
    talk = Talk()
    first, second = pg.query("DELETE FROM t"), pg.query("DELETE FROM u")
    talk.says(first + second)
    assert talk.decided() == (first, b"")
    waiting = talk.talk.waiting
    assert waiting is not None
    assert (waiting.statement.text, waiting.in_transaction) == (b"DELETE FROM u", True)
    assert talk.decided() == (second, b"")


def test_in_any_chunking() -> None:
    said = pg.query("SELECT 1") + pg.query("DELETE FROM t") + pg.query("SELECT 2")
    talk = Talk()
    passed = b""
    for each in range(len(said)):
        passed += talk.says(said[each : each + 1])[0]
    assert passed == pg.query("SELECT 1")
    assert talk.decided()[0] == pg.query("DELETE FROM t") + pg.query("SELECT 2")


def test_a_text_waits_whatever_else_it_does() -> None:
    for text in ("SELECT 1; DELETE FROM t", "EXPLAIN ANALYZE DELETE FROM t", "SELECT own()", "COPY t FROM STDIN"):
        talk = Talk()
        assert talk.says(pg.query(text)) == (b"", b""), text
        assert talk.talk.waiting is not None
    talk = Talk()
    _, client = talk.says(pg.query("DELETE FROM t; DROP TABLE t"))
    assert b"of the kind ddl" in client, "what is not allowed asks nobody"


def test_of_the_extended_protocol_the_execution_waits_with_its_parameters() -> None:
    talk = Talk()
    before = pg.parse("s", INSERT) + pg.bind("", "s", [b"a", None], (0, 1)) + pg.describe("P")
    execute = pg.execute() + pg.SYNC
    assert talk.says(before + execute)[0] == b"", "what is parsed and bound holds locks until the Sync"
    waiting = talk.talk.waiting
    assert waiting is not None
    assert waiting.parameters == (Parameter(b"a"), Parameter(None, True))
    assert not waiting.in_transaction
    assert talk.decided()[0] == before + execute
    assert [each.parameters for each in talk.runs] == [waiting.parameters]
    answers = pg.PARSED + pg.BOUND + pg.message("n") + pg.complete("INSERT 0 1") + pg.ready()
    assert talk.answers(answers) == answers
    assert talk.outcomes == [Outcome.OK]
    again = pg.bind("", "s", [b"b", None])
    assert talk.says(again + execute)[0] == b"", "another execution asks again"
    assert talk.talk.waiting is not None


def test_a_statement_that_is_made_anew_while_its_execution_waits_asks_again() -> None:
    """By the name of what somebody decides on there is something else, and by the portal's, too: none of it runs."""
    talk = Talk(EVERYTHING)
    execute = pg.execute() + pg.SYNC
    before = pg.parse("s", INSERT) + pg.bind("", "s", [b"a"])
    talk.says(before + execute)
    drop = pg.close("S", "s") + pg.parse("s", "DROP TABLE t") + pg.bind("", "s")
    assert talk.says(drop + execute) == (b"", b"")
    assert talk.talk.waiting is not None
    assert talk.talk.waiting.statement.text == INSERT.encode()
    assert talk.decided()[0] == before + execute + pg.close("S", "s")
    assert talk.talk.waiting is not None, "the other one asks for itself"
    assert (talk.talk.waiting.statement.text, *talk.talk.waiting.statement.asks) == (b"DROP TABLE t", "ddl")
    assert [each.parameters for each in talk.runs] == [(Parameter(b"a"),), ()]
    assert talk.decided(NO)[0] == pg.FLUSH + pg.SYNC
    assert talk.says(pg.query("DEALLOCATE s; PREPARE s AS DROP TABLE t"))[0] == b""


def test_a_further_page_asks_nobody() -> None:
    talk = Talk()
    talk.says(pg.parse("", f"{INSERT} RETURNING 1") + pg.bind("", "", [b"a"]) + pg.execute("", 1) + pg.FLUSH)
    talk.decided()
    talk.answers(pg.PARSED + pg.BOUND + pg.row(b"1") + pg.message("s"))
    assert talk.says(pg.execute("", 1) + pg.SYNC)[0] == pg.execute("", 1) + pg.SYNC
    assert talk.talk.waiting is None


@pytest.mark.claim("After a no the server never hears of them", altered="what waited went on after a no")
def test_a_no_to_an_execution_skips_its_batch_and_its_portal_is_no_more() -> None:
    """In a transaction the target keeps the portal: whoever executed it again would show no parameters."""
    talk = Talk(status=b"T")
    bound = pg.parse("", INSERT) + pg.bind("", "", [b"secret"]) + pg.FLUSH
    assert talk.says(bound + pg.execute() + pg.execute() + pg.SYNC)[0] == bound, "a client that wants an answer has it"
    assert talk.talk.waiting is not None
    assert talk.talk.waiting.in_transaction
    target, client = talk.decided(NO)
    assert target == pg.FLUSH + pg.SYNC
    assert client == b""
    client = talk.answers(pg.PARSED + pg.BOUND)
    assert pg.kinds(client) == "12E"
    talk.answers(pg.ready("T"))
    target, client = talk.says(pg.execute() + pg.SYNC)
    assert target == pg.SYNC
    assert b"C34000" in client
    assert talk.talk.waiting is None


def test_what_cannot_be_shown_or_could_run_by_another_way_is_refused() -> None:
    talk = Talk()
    talk.says(pg.parse("s", INSERT) + pg.SYNC)
    talk.answers(pg.PARSED + pg.ready())
    for bound, code in (
        (pg.bind("named", "s", [b"a"]), b"C0A000"),
        (pg.bind("", "s", [b"a" * 70_000]), b"C53000"),
        (pg.bind("", "s", [b"a" * 300_000]), b"C53000"),
    ):
        target, client = talk.says(bound + pg.execute() + pg.SYNC)
        assert target == pg.SYNC
        assert code in client
        talk.answers(pg.ready())
    long = f"INSERT INTO t VALUES ('{'x' * 10_000}')"
    assert talk.says(pg.query(long)) == (b"", b"")
    everything = Talk(EVERYTHING)
    text = f"DELETE FROM t -- {'x' * MOST_SHOWN}"
    assert b"too long to be shown" in everything.says(pg.query(text))[1]


def test_only_so_much_is_kept_of_texts_that_ask_under_names() -> None:
    talk = Talk()
    text = f"INSERT INTO t VALUES ('{'x' * 15_000}')"
    most = MOST_KEPT // len(text)
    for each in range(most):
        assert talk.says(pg.parse(f"s{each}", text))[1] == b""
    target, client = talk.says(pg.parse("more", text) + pg.SYNC)
    assert b"more" not in target
    client += talk.answers(pg.PARSED * most + pg.ready())
    assert b"prepared too many statements that ask first" in client


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("PREPARE p AS DELETE FROM t", True),
        ("EXECUTE p", True),
        ("EXPLAIN ANALYZE EXECUTE p", True),
        ("CREATE TABLE u AS EXECUTE p", True),
        ("SELECT 1; execute p(1)", True),
        ("SELECT 'execute'", False),
        ("PREPARE TRANSACTION 'x'", False),
        ("SELECT execute FROM t", False),
    ],
)
def test_what_runs_by_sqls_own_names_stands_in_another_text(text: str, names: bool) -> None:
    assert by_name(text) == names
    _, client = Talk(EVERYTHING).says(pg.query(text))
    assert (b"PREPARE and EXECUTE of SQL do not pass" in client) == names


@pytest.mark.claim(
    "What cannot be read asks, where every class may run or ask", altered="it asked wherever some class does"
)
def test_what_cannot_be_read_asks_where_everything_may_run_and_is_refused_elsewhere() -> None:
    for text in ("no sql at all", f"SELECT '{'x' * 20_000}'"):
        talk = Talk(EVERYTHING)
        assert talk.says(pg.query(text)) == (b"", b"")
        waiting = talk.talk.waiting
        assert waiting is not None
        assert waiting.statement.asks == EVERYTHING.asks()
        assert b"cannot be read" in Talk(WRITES).says(pg.query(text))[1]


def test_what_comes_after_an_error_of_its_batch_does_not_run_whatever_is_decided() -> None:
    talk = Talk()
    talk.says(pg.parse("", "SELECT 1/0") + pg.bind("", "") + pg.execute())
    talk.says(pg.parse("", INSERT) + pg.bind("", "", [b"a"]) + pg.execute() + pg.SYNC)
    assert talk.talk.waiting is not None
    moot = [talk.talk.moot]
    talk.answers(pg.PARSED + pg.BOUND + pg.error("22012", "division by zero"))
    assert [*moot, talk.talk.moot] == [False, True]
    assert talk.decided()[0] == pg.SYNC
    talk.answers(pg.ready())
    assert talk.outcomes == [Outcome.ERROR, Outcome.UNFINISHED]


def test_a_client_that_hears_a_message_hears_the_notice_behind_it() -> None:
    talk = Talk()
    talk.says(pg.query("SELECT 1") + pg.query("DELETE FROM t"))
    row, done = pg.row(b"one"), pg.complete("SELECT 1") + pg.ready()
    assert talk.answers(pg.described("a") + row[:-1]) == pg.described("a") + row[:-1]
    talk.to_client = b""
    talk.step(talk.talk.tell("waits"))
    assert talk.to_client == b""
    notice = wire.notice("waits")
    assert talk.answers(row[-1:] + done) == row[-1:] + notice + done
    talk.step(talk.talk.tell("waits"))
    assert talk.to_client.endswith(notice)


def test_only_so_much_is_read_behind_it_and_its_end_is_told() -> None:
    talk = Talk()
    talk.says(pg.query("DELETE FROM t"))
    full = [talk.talk.full]
    talk.says(pg.query("SELECT 1") * (MOST_BEHIND // 14 + 1))
    assert [*full, talk.talk.full] == [False, True]
    talk.events += talk.talk.end()
    assert talk.outcomes == [Outcome.REFUSED]
    assert talk.decided() == (b"", b""), "what has ended is decided no more"


def test_a_portal_that_was_not_made_runs_nothing_whatever_is_decided() -> None:
    """It was executed before the client heard that its batch had failed."""
    talk = Talk()
    talk.says(pg.parse("", INSERT) + pg.bind("", "", [b"a"]) + pg.SYNC + pg.execute() + pg.SYNC)
    assert talk.talk.waiting is not None
    talk.answers(pg.error("42P01", "no such table") + pg.ready())
    assert not talk.talk.moot, "the error was of another batch"
    target, client = talk.decided()
    assert target == pg.SYNC
    assert b"C34000\0MOnePAM: this portal was not bound in this session" in client
    assert talk.outcomes == [Outcome.REFUSED]


def test_in_a_transaction_that_was_begun_before_it_holds_locks() -> None:
    talk = Talk(status=b"T")
    talk.says(pg.query("DELETE FROM t"))
    assert talk.talk.waiting is not None
    assert talk.talk.waiting.in_transaction


def test_a_text_of_the_most_bytes_is_shown() -> None:
    for more in (0, 1):
        talk, text = Talk(EVERYTHING), "DELETE FROM t -- ".ljust(MOST_SHOWN + more, "x")
        talk.says(pg.query(text))
        assert (talk.talk.waiting is not None) == (not more)


def test_nothing_runs_behind_what_broke_the_protocol() -> None:
    talk = Talk()
    talk.says(pg.query("DELETE FROM t"))
    talk.answers(b"\xff\xff\xff\xff\xff")
    assert talk.talk.over
    assert talk.decided() == (b"", b"")


def test_whoever_decides_is_told_what_set_by_which_schemas_names_are_read() -> None:
    talk = Talk(Guardrails((READ, OTHER, StatementClass.ADMIN, StatementClass.ASK_WRITE)))
    for text, shown in (
        ("SELECT 1", b""),
        ("SET search_path TO other", b"SET search_path TO other"),
        ("SELECT 2", b"SET search_path TO other"),
        ("set  local schema 'a'", b"set  local schema 'a'"),
        ("SELECT set_config('search_path', 'b', false)", b"SELECT set_config('search_path', 'b', false)"),
        (f"DISCARD ALL{' ' * 300}", f"DISCARD ALL{' ' * 189}".encode()),
    ):
        talk.says(pg.query(text))
        talk.answers(pg.complete("SET") + pg.ready())
        talk.says(pg.query("DELETE FROM t"))
        wanted = talk.talk.wanted
        assert wanted is not None
        assert wanted.path == shown
        talk.decided(NO)
