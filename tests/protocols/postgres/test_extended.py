"""The extended protocol: statements and portals by name, executions in pages, pipelines that fail in their midst."""

from onepam.protocols.postgres import binding, exchange
from onepam.protocols.sql.events import Allowance, Done, Run
from onepam.recording.statements import Form, Outcome, Parameter
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.told import Told


def test_parse_bind_describe_execute_sync_is_one_execution_with_its_parameters() -> None:
    told = Told()
    told.passes(pg.parse("", "SELECT $1, $2") + pg.bind("", "", [b"a", None]) + pg.describe("P"))
    told.passes(pg.execute() + pg.SYNC)
    assert told.texts == {1: b"SELECT $1, $2"}
    assert told.runs == [Run(1, 1, Form.EXTENDED, (Parameter(b"a"), Parameter(None)))]
    told.answers(pg.PARSED + pg.BOUND + pg.described("a", "b") + pg.row(b"a", None) + pg.complete("SELECT 1"))
    told.answers(pg.ready("T"))
    assert told.done == [Done(1, Outcome.OK, b"T", 1, 11, "SELECT 1")]


def test_parameters_have_the_form_that_was_said_for_one_for_all_or_for_none() -> None:
    told = Told()
    for formats in ((), (1,), (0, 1)):
        told.passes(pg.parse("", "SELECT $1, $2") + pg.bind("", "", [b"", b"\0\1"], formats) + pg.execute() + pg.SYNC)
    assert [tuple(each.binary for each in run.parameters) for run in told.runs] == [
        (False, False), (True, True), (False, True),
    ]  # fmt: skip
    assert {tuple(each.value for each in run.parameters) for run in told.runs} == {(b"", b"\0\1")}


def test_of_a_parameter_beyond_the_bound_only_the_size_is_kept_and_all_of_it_passes() -> None:
    told = Told(Allowance(parameter=3))
    told.passes(pg.parse("", "SELECT $1, $2") + pg.bind("", "", [b"abc", b"abcd"]) + pg.execute() + pg.SYNC)
    assert told.runs[0].parameters == (Parameter(b"abc"), Parameter(4))


def test_of_many_parameters_together_no_more_is_kept_than_a_frame_holds() -> None:
    told = Told()
    values = [b"x" * 60_000] * 10
    told.passes(pg.parse("", "SELECT") + pg.bind("", "", values) + pg.execute() + pg.SYNC)
    kept = [each.value for each in told.runs[0].parameters]
    assert sum(len(each) for each in kept if isinstance(each, bytes)) <= binding.KEPT_BYTES
    assert kept.count(60_000) == 2


def test_a_parameter_whose_values_are_masked_is_its_size() -> None:
    told = Told(Allowance(parameter=0))
    told.passes(pg.parse("", "SELECT $1") + pg.bind("", "", [b"secret"]) + pg.execute() + pg.SYNC)
    assert told.runs[0].parameters == (Parameter(6),)


def test_interleaved_named_statements_and_portals_are_told_apart() -> None:
    told = Told()
    told.passes(pg.parse("a", "SELECT 'a'") + pg.parse("b", "SELECT 'b'") + pg.SYNC)
    told.answers(pg.PARSED * 2 + pg.ready("T"))
    told.passes(pg.bind("1", "b") + pg.bind("2", "a") + pg.bind("3", "b") + pg.execute("2") + pg.execute("3"))
    told.passes(pg.execute("1") + pg.SYNC)
    assert told.ran == [b"SELECT 'b'", b"SELECT 'a'", b"SELECT 'b'"]
    told.answers(pg.BOUND * 3 + pg.complete("SELECT 2") + pg.complete("SELECT 3") + pg.complete("SELECT 1"))
    told.answers(pg.ready("T"))
    assert [(done.execution, done.words) for done in told.done] == [(2, "SELECT 2"), (3, "SELECT 3"), (1, "SELECT 1")]


def test_a_portal_that_is_fetched_in_pages_is_one_execution_with_its_rows_summed() -> None:
    told = Told()
    told.passes(pg.parse("", "SELECT") + pg.bind("C_1", "") + pg.execute("C_1", 2) + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + pg.row(b"1") * 2 + pg.SUSPENDED + pg.ready("T"))
    told.passes(pg.execute("C_1", 2) + pg.SYNC)
    told.answers(pg.row(b"1") * 2 + pg.SUSPENDED + pg.ready("T"))
    assert told.done == []
    told.passes(pg.execute("C_1", 2) + pg.SYNC)
    told.answers(pg.row(b"1") + pg.complete("SELECT 1") + pg.ready("T"))
    assert len(told.runs) == 1
    assert told.done == [Done(1, Outcome.OK, b"T", 5, 35, "SELECT 1")]


def test_of_a_portal_that_nobody_fetched_to_its_end_the_rows_are_told_when_it_goes() -> None:
    for end, answer in (
        (pg.close("P", "C_1") + pg.SYNC, pg.CLOSED + pg.ready("T")),
        (pg.bind("C_1", "") + pg.SYNC, pg.BOUND + pg.ready("T")),
        (pg.query("COMMIT"), pg.complete("COMMIT") + pg.ready("I")),
    ):
        told = Told(status=b"T")
        told.passes(pg.parse("", "SELECT") + pg.bind("C_1", "") + pg.execute("C_1", 2) + pg.SYNC)
        told.answers(pg.PARSED + pg.BOUND + pg.row(b"1") * 2 + pg.SUSPENDED + pg.ready("T"))
        told.passes(end)
        told.answers(answer)
        suspended = [done for done in told.done if done.execution == 1]
        assert [(done.outcome, done.rows) for done in suspended] == [(Outcome.SUSPENDED, 2)]


def test_the_end_of_the_session_is_the_end_of_a_portal() -> None:
    told = Told(status=b"T")
    told.passes(pg.parse("", "SELECT") + pg.bind("", "") + pg.execute("", 2) + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + pg.row(b"1") * 2 + pg.SUSPENDED + pg.ready("T"))
    told.end()
    assert [(done.outcome, done.rows) for done in told.done] == [(Outcome.SUSPENDED, 2)]


def test_a_portal_that_was_bound_before_the_last_transaction_was_heard_to_end_is_of_the_next_one() -> None:
    told = Told(status=b"T")
    told.passes(pg.query("COMMIT") + pg.parse("", "SELECT") + pg.bind("p", ""))
    told.answers(pg.complete("COMMIT") + pg.ready() + pg.PARSED + pg.BOUND)
    told.passes(pg.execute("p") + pg.SYNC)
    told.answers(pg.complete("SELECT 0") + pg.ready())
    assert b"C34000\0" in told.client(pg.execute("p"))[1]


def test_a_statement_that_was_not_parsed_here_is_refused_and_never_guessed() -> None:
    told = Told()
    told.passes(pg.parse("a", "SELECT"))
    to_target, to_client = told.client(pg.bind("", "b") + pg.execute() + pg.SYNC)
    assert (to_target, to_client) == (pg.FLUSH + pg.SYNC, b"")
    assert pg.kinds(told.target(pg.PARSED + pg.ready())) == "1EZ"
    assert told.runs == []


def test_a_portal_that_was_not_bound_here_is_refused_and_never_guessed() -> None:
    told = Told()
    to_target, to_client = told.client(pg.execute("a") + pg.SYNC)
    assert to_target == pg.SYNC
    assert b"C34000\0" in to_client
    assert told.runs == []


def test_a_statement_that_was_closed_is_unknown_and_one_whose_close_was_skipped_is_not() -> None:
    told = Told()
    told.passes(pg.parse("a", "SELECT 1") + pg.SYNC)
    told.answers(pg.PARSED + pg.ready())
    told.passes(pg.parse("x", "SELEC") + pg.close("S", "a") + pg.SYNC)
    told.answers(pg.error("42601", "syntax") + pg.ready())
    told.passes(pg.bind("", "a") + pg.SYNC)
    told.answers(pg.BOUND + pg.ready())
    told.passes(pg.close("S", "a") + pg.SYNC)
    told.answers(pg.CLOSED + pg.ready())
    assert b"C26000\0" in told.client(pg.bind("", "a"))[1]


def test_a_name_whose_parse_failed_means_what_it_did() -> None:
    told = Told()
    told.passes(pg.parse("a", "SELECT 1") + pg.SYNC)
    told.answers(pg.PARSED + pg.ready())
    told.passes(pg.parse("a", "DROP TABLE t") + pg.SYNC)
    told.answers(pg.error("42P05", "exists already") + pg.ready())
    told.passes(pg.bind("", "a") + pg.execute() + pg.SYNC)
    assert told.ran == [b"SELECT 1"]


def test_after_an_error_the_target_skips_until_sync_and_so_does_the_record() -> None:
    told = Told()
    one = pg.bind("", "") + pg.execute()
    told.passes(pg.parse("", "INSERT") + one * 3 + pg.query("SELECT 'skipped, too'") + pg.SYNC + one + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + pg.complete("INSERT 0 1") + pg.BOUND + pg.error("23505", "duplicate"))
    told.answers(pg.ready() + pg.BOUND + pg.complete("INSERT 0 1") + pg.ready())
    assert [(done.execution, done.outcome) for done in told.done] == [
        (1, Outcome.OK), (2, Outcome.ERROR), (3, Outcome.UNFINISHED), (4, Outcome.UNFINISHED), (5, Outcome.OK),
    ]  # fmt: skip


def test_what_a_client_sends_between_an_error_that_it_knows_of_and_its_sync_goes_nowhere() -> None:
    told = Told()
    told.passes(pg.parse("", "SELEC") + pg.FLUSH)
    told.answers(pg.error("42601", "syntax"))
    assert told.client(pg.parse("", "SELECT 1") + pg.query("SELECT 2") + pg.copy_data(b"x")) == (b"", b"")
    assert told.client(pg.SYNC) == (pg.SYNC, b"")
    told.answers(pg.ready())
    assert told.runs == []


def test_a_commit_that_fails_at_sync_is_what_came_of_the_execution() -> None:
    told = Told()
    told.passes(pg.parse("", "INSERT") + pg.bind("", "") + pg.execute() + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + pg.complete("INSERT 0 1") + pg.error("23503", "no such key") + pg.ready())
    assert told.done == [Done(1, Outcome.ERROR, b"I", 1, 0, "23503 no such key")]


def test_an_empty_text_and_a_statement_without_rows() -> None:
    told = Told()
    told.passes(pg.parse("", "") + pg.describe("S") + pg.bind("", "") + pg.describe("P") + pg.execute() + pg.SYNC)
    parameters = pg.message("t", b"\0\0")
    told.answers(pg.PARSED + parameters + pg.NO_DATA + pg.BOUND + pg.NO_DATA + pg.EMPTY + pg.ready())
    assert told.done == [Done(1, Outcome.OK, b"I", 0, 0, "")]


def test_a_portal_that_sql_declared_may_be_described() -> None:
    told = Told()
    told.passes(pg.describe("P", "a cursor") + pg.SYNC)
    told.answers(pg.described("a") + pg.ready("T"))


def test_a_function_called_by_number_is_recorded_with_what_it_was_given() -> None:
    told = Told()
    told.passes(pg.function(1598, [b"1", None]))
    told.answers(pg.message("V", b"\0\0\0\1x") + pg.ready())
    assert told.texts == {1: b"function 1598"}
    assert told.runs == [Run(1, 1, Form.FUNCTION, (Parameter(b"1"), Parameter(None)))]
    assert told.done == [Done(1, Outcome.OK, b"I", 0, 5, "")]
    told.passes(pg.function(1, []))
    told.answers(pg.error("42883", "no such function") + pg.ready())
    assert told.done[1].outcome is Outcome.ERROR


def test_no_more_is_read_from_a_client_that_asks_and_does_not_listen() -> None:
    told, full = Told(), []
    told.passes(pg.SYNC * (exchange.MAX_OWED - 1))
    full.append(told.conversation.full)
    told.passes(pg.SYNC)
    full.append(told.conversation.full)
    told.answers(pg.ready())
    full.append(told.conversation.full)
    assert full == [False, True, False]


def test_names_are_bounded() -> None:
    told = Told()
    for number in range(exchange.MAX_NAMES):
        told.passes(pg.parse(str(number), ""))
    assert told.client(pg.parse("another", "SELECT 1")) == (pg.FLUSH, b"")
