"""Names of statements and portals: one that SQL has given up, or that an error took back, is refused and never guessed;
what was bound to one is in the recording before the target has it."""

import time
import tracemalloc

import pytest

from onepam.protocols.postgres import exchange
from onepam.protocols.postgres.statements import freed
from onepam.protocols.sql.events import Allowance, Run
from onepam.recording.statements import Form, Outcome, Parameter
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.told import Told

READS = Allowance(freed=freed)
LONG = " " * 5000
"""More than is read of a text for the names that it gives up."""


def prepared(allowed: Allowance = READS) -> Told:
    told = Told(allowed)
    told.passes(pg.parse("a", "SELECT 1") + pg.parse("b", "SELECT 2") + pg.SYNC)
    told.answers(pg.PARSED * 2 + pg.ready())
    return told


def opened(allowed: Allowance = READS) -> Told:
    told = Told(allowed, status=b"T")
    told.passes(pg.parse("", "SELECT 1") + pg.bind("c", "") + pg.bind("d", "") + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND * 2 + pg.ready("T"))
    return told


def known(told: Told, name: str) -> bool:
    asked = pg.bind("", name)
    return asked in told.client(asked + pg.SYNC)[0]


def bound(told: Told, name: str) -> bool:
    asked = pg.execute(name)
    return asked in told.client(asked + pg.SYNC)[0]


GIVING = [
    ("deallocate a", ["DEALLOCATE"], (False, True)),
    ("DEALLOCATE a; PREPARE a AS DELETE FROM t", ["DEALLOCATE", "PREPARE"], (False, True)),
    ("/* so */ PREPARE a AS DELETE FROM t", ["PREPARE"], (False, True)),
    ("DEALLOCATE ALL", ["DEALLOCATE ALL"], (False, False)),
    ("DISCARD ALL", ["DISCARD ALL"], (False, False)),
    ("DISCARD PLANS", ["DISCARD PLANS"], (True, True)),
    ("SELECT 'deallocate a'", ["SELECT 1"], (True, True)),
    ("SELECT 'a;deallocate a'", ["SELECT 1"], (True, True)),
]


@pytest.mark.claim
@pytest.mark.parametrize(("text", "tags", "left"), GIVING)
def test_a_statement_whose_name_sql_gives_up_or_takes_is_refused_from_then_on(
    text: str, tags: list[str], left: tuple[bool, bool]
) -> None:
    for waits in (True, False):
        told = prepared()
        told.passes(pg.query(text))
        if waits:
            told.answers(b"".join(pg.complete(tag) for tag in tags) + pg.ready())
        assert (known(told, "a"), known(told, "b")) == left
    told = prepared()
    told.passes(pg.parse("", text) + pg.bind("", "") + pg.execute())
    assert (known(told, "a"), known(told, "b")) == left


@pytest.mark.claim
@pytest.mark.parametrize(
    ("text", "tags", "left"),
    [
        ("CLOSE c; DECLARE c CURSOR FOR SELECT s FROM secret", ["CLOSE CURSOR", "DECLARE CURSOR"], (False, True)),
        ("DECLARE d CURSOR FOR SELECT s FROM secret", ["DECLARE CURSOR"], (True, False)),
        ("CLOSE ALL", ["CLOSE CURSOR ALL"], (False, False)),
        ("DISCARD ALL", ["DISCARD ALL"], (False, False)),
        ("COMMIT; BEGIN", ["COMMIT", "BEGIN"], (False, False)),
        ("CALL f()", ["CALL"], (False, False)),
        ("SAVEPOINT a", ["SAVEPOINT"], (True, True)),
        ("FETCH 1 FROM c", ["FETCH 1"], (True, True)),
    ],
)
def test_a_portal_whose_name_sql_gives_up_or_takes_is_refused_from_then_on(
    text: str, tags: list[str], left: tuple[bool, bool]
) -> None:
    for allowed, said in ((READS, text), (Allowance(), text), (READS, text + LONG + ";")):
        told = opened(allowed)
        told.passes(pg.query(said))
        if allowed is READS and said is text:
            assert (bound(told, "c"), bound(told, "d")) == left
            continue
        told.answers(b"".join(pg.complete(tag) for tag in tags) + pg.ready("T"))
        gives = {tag.split()[0] for tag in tags} & {"CLOSE", "DECLARE", "COMMIT", "DISCARD", "CALL"}
        assert (bound(told, "c"), bound(told, "d")) == (not gives, not gives)


def test_of_a_text_that_nobody_read_the_tags_tell_and_until_then_no_name_is_sure() -> None:
    text = f"SELECT 1;{LONG}DEALLOCATE a; PREPARE a AS DELETE FROM t"
    told = prepared()
    told.passes(pg.query(text))
    assert not known(told, "b")
    for tags, left in ((("SELECT 1",), True), (("SELECT 1", "DEALLOCATE", "PREPARE"), False)):
        told = prepared()
        told.passes(pg.query(text) + pg.parse("new", "SELECT 3"))
        told.answers(b"".join(pg.complete(tag) for tag in tags) + pg.ready() + pg.PARSED)
        assert (known(told, "b"), known(told, "new")) == (left, True if left else known(told, "new"))
    told = prepared()
    told.passes(pg.query("SELECT '" + "x" * 300_000 + "'"))
    assert not known(told, "a")
    told = prepared()
    told.passes(pg.query("INSERT INTO t VALUES ('" + "end;" * 5000 + "')"))
    told.answers(pg.complete("INSERT 0 1") + pg.ready())
    assert known(told, "a")


def test_a_statement_that_was_prepared_since_is_not_given_up_with_its_name() -> None:
    for text in ("DEALLOCATE ALL", f"DEALLOCATE ALL;{LONG};"):
        told = prepared()
        told.passes(pg.query(text) + pg.parse("a", "SELECT 3"))
        told.answers(pg.complete("DEALLOCATE ALL") + pg.ready() + pg.PARSED)
        told.passes(pg.bind("", "a") + pg.execute() + pg.SYNC)
        assert told.ran[-1] == b"SELECT 3"


def test_names_are_told_apart_by_as_many_bytes_as_the_server_does() -> None:
    n = "n" * 63
    told = Told()
    told.passes(pg.parse(n + "A", "SELECT 'harmless'") + pg.close("S", n + "B") + pg.parse(n + "B", "DELETE"))
    told.passes(pg.bind(n + "1", n + "A") + pg.close("P", n + "2") + pg.parse("", "INSERT") + pg.bind(n + "2", ""))
    told.passes(pg.execute(n + "1") + pg.SYNC)
    assert told.ran == [b"DELETE", b"INSERT"]
    assert [each.after and each.after.statement.number for each in _owed(told) if each.kind == ord("B")] == [2, 3]
    for message in (pg.parse("é", "SELECT"), pg.bind("é", n)):
        told = Told()
        told.passes(pg.parse(n, "SELECT"))
        told.client(message)
        assert b"C0A000\0" in told.target(pg.PARSED)


def _owed(told: Told) -> list[exchange.Owed]:
    return list(told.conversation._exchange.owed)


@pytest.mark.claim
def test_what_is_bound_to_a_portal_that_sql_can_run_is_recorded_when_it_is_bound() -> None:
    told = Told(status=b"T")
    told.passes(pg.parse("", "SELECT s FROM secret WHERE $1 = 1") + pg.bind("pp", "", [b"1"]))
    assert told.runs == [Run(1, 1, Form.EXTENDED, (Parameter(b"1"),))]
    told.passes(pg.SYNC + pg.query("FETCH ALL FROM pp") + pg.query("COMMIT"))
    told.answers(pg.PARSED + pg.BOUND + pg.ready("T") + pg.row(b"x") + pg.complete("FETCH 1") + pg.ready("T"))
    told.answers(pg.complete("COMMIT") + pg.ready())
    assert {done.execution: (done.outcome, done.rows) for done in told.done} == {
        1: (Outcome.UNFINISHED, 0), 2: (Outcome.OK, 1), 3: (Outcome.OK, 0),
    }  # fmt: skip
    told = Told()
    told.passes(pg.parse("", "SELECT $1") + pg.bind("pp", "", [b"x"]) + pg.execute("pp") + pg.SYNC)
    told.answers(pg.PARSED + pg.error("22P02", "no number") + pg.ready())
    assert [(done.outcome, done.words) for done in told.done] == [(Outcome.ERROR, "22P02 no number")]


def test_what_an_error_takes_back_leaves_a_later_meaning_of_the_name() -> None:
    told = Told()
    told.passes(pg.parse("", "SELECT 'harmless'") + pg.SYNC)
    told.answers(pg.PARSED + pg.ready())
    told.passes(pg.parse("", "SELEC") + pg.SYNC + pg.parse("", "DELETE") + pg.SYNC)
    told.answers(pg.error("42601", "syntax") + pg.ready() + pg.PARSED + pg.ready())
    told.passes(pg.bind("", "") + pg.execute() + pg.SYNC)
    assert told.ran == [b"DELETE"]
    told = Told(status=b"T")
    told.passes(pg.parse("a", "SELECT 'harmless'") + pg.bind("", "a") + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + pg.ready("T"))
    told.passes(pg.describe("S", "nope") + pg.bind("", "a") + pg.SYNC)
    told.answers(pg.error("26000", "unknown") + pg.ready("E"))
    assert not bound(told, "")  # its parameters are not kept


def test_a_text_that_begins_with_comments_is_a_copy_all_the_same() -> None:
    for before in ("", " ", "/* a * b */ ", "/* /* nested */ */", "-- so\n--\r", "/**/--/*\n"):
        told = Told()
        told.passes(pg.query(f"{before}copy t FROM STDIN"))
        assert told.runs[0].form is Form.COPY, before
    for text in ("/* copy t", "/* /* */ copy t", "-- copy t", "copyright"):
        told = Told()
        told.passes(pg.query(text))
        assert told.runs[0].form is Form.SIMPLE


def test_what_is_kept_of_names_is_bounded_whatever_is_bound_to_them() -> None:
    told = Told()
    told.passes(pg.parse("", "SELECT 1"))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(100):
        told.conversation.from_client(pg.bind(str(number), "", [None] * 1000))
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert kept < 100 * 1024 + 100_000


def test_many_portals_and_many_copies_at_once_take_no_more_than_their_share() -> None:
    def portals(number: int) -> float:
        told = Told(status=b"T")
        told.passes(pg.parse("s", "SELECT"))
        told.answers(pg.PARSED)
        told.passes(b"".join(pg.bind(str(each), "s") + pg.SYNC for each in range(number)))
        answers = (pg.BOUND + pg.ready()) * number
        begin = time.process_time()
        told.conversation.from_target(answers)
        return time.process_time() - begin

    def copies(number: int) -> float:
        told = Told()
        told.passes((pg.query("COPY t FROM STDIN") + pg.COPY_DONE) * number)
        answers = (pg.copy_response("G") + pg.complete("COPY 0") + pg.ready()) * number
        begin = time.process_time()
        told.conversation.from_target(answers)
        return time.process_time() - begin

    for work in (portals, copies):
        assert work(4000) < 24 * min(work(500), work(500))  # 64 times were it quadratic
