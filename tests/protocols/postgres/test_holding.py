"""What of a batch is held back until somebody has said yes, and what lets it pass."""

from onepam.protocols.postgres.holding import MOST_HELD, MOST_MESSAGES
from onepam.protocols.sql.events import Done
from onepam.recording.statements import Outcome, Parameter
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.test_waits import INSERT, NO, Talk


def test_after_a_no_the_target_never_hears_of_it_and_its_names_mean_what_they_did() -> None:
    talk = Talk()
    read = pg.parse("s", "SELECT 1")
    talk.says(read + pg.SYNC)
    talk.answers(pg.PARSED + pg.ready())
    anew = pg.close("S", "s") + pg.parse("s", INSERT) + pg.bind("", "s", [b"a"]) + pg.describe("P") + pg.execute()
    assert talk.says(anew + pg.SYNC) == (pg.close("S", "s"), b"")
    assert talk.decided(NO) == (pg.FLUSH + pg.SYNC, b"")
    assert pg.kinds(talk.answers(pg.CLOSED + pg.ready())) == "3EZ"
    assert b"C26000" in talk.says(pg.bind("", "s") + pg.SYNC)[1], "what was made in its batch was not made"
    talk.answers(pg.ready())
    talk.says(read + pg.SYNC)
    talk.answers(pg.PARSED + pg.ready())
    talk.says(pg.parse("", INSERT) + pg.bind("", "", [b"a"]) + pg.bind("p", "s") + pg.describe("P", "p"))
    assert talk.says(pg.parse("t", "SELECT 2") + pg.bind("", "", [b"b"]) + pg.execute() + pg.SYNC)[0] == b""
    assert talk.decided(NO)[0] == pg.SYNC
    talk.answers(pg.ready())
    assert b"C26000" in talk.says(pg.bind("", "t") + pg.SYNC)[1]
    talk.answers(pg.ready())
    assert talk.says(pg.bind("", "s") + pg.execute() + pg.SYNC)[0] != pg.SYNC, "what was made before it is still there"
    runs = {each.execution: each.statement for each in talk.runs}
    ended = {each.execution: each.outcome for each in talk.events if isinstance(each, Done)}
    assert (len(runs), ended) == (4, {1: Outcome.REFUSED, 2: Outcome.UNFINISHED, 3: Outcome.REFUSED})


def test_a_batch_asks_for_each_of_its_rows_and_none_is_bound_before_its_yes() -> None:
    """As pgjdbc sends one, and psycopg a pipeline: all at once, one Sync behind it."""
    parse, binds = pg.parse("", INSERT), [pg.bind("", "", [each]) + pg.describe("P") for each in (b"a", b"b", b"c")]
    talk = Talk()
    assert talk.says(parse + b"".join(each + pg.execute() for each in binds) + pg.SYNC) == (b"", b"")
    waits = []
    for number, each in enumerate(binds):
        waiting = talk.talk.waiting
        assert waiting is not None
        waits.append((waiting.parameters, waiting.in_transaction))
        sync = pg.SYNC if number == 2 else b""
        assert talk.decided()[0] == (parse if not number else b"") + each + pg.execute() + sync
    assert waits == [((Parameter(b"a"),), False), ((Parameter(b"b"),), True), ((Parameter(b"c"),), True)]
    row = pg.BOUND + pg.NO_DATA + pg.complete("INSERT 0 1")
    assert talk.answers(pg.PARSED + row * 3 + pg.ready()) == pg.PARSED + row * 3 + pg.ready()
    assert talk.outcomes == [Outcome.OK] * 3


def test_a_no_within_a_batch_undoes_what_ran_of_it_and_the_rest_is_skipped() -> None:
    one, two = (pg.bind("", "", [each]) + pg.execute() for each in (b"a", b"b"))
    talk = Talk()
    talk.says(pg.parse("", INSERT) + one + two + pg.parse("", "SELECT 1") + pg.bind("", "") + pg.execute() + pg.SYNC)
    assert talk.decided()[0] == pg.parse("", INSERT) + one
    target, client = talk.decided(NO)
    assert [kind for kind, _ in pg.split(target)] == ["B", "S"], "its error is that of a Bind to what nobody has"
    assert client == b""
    answers = pg.PARSED + pg.BOUND + pg.complete("INSERT 0 1") + pg.error("26000", "no such statement") + pg.ready()
    client = talk.answers(answers)
    assert pg.kinds(client) == "12CEZ"
    assert b"max said no" in client
    assert talk.outcomes == [Outcome.REFUSED, Outcome.OK]


def test_what_runs_or_wants_an_answer_lets_what_is_held_back_pass() -> None:
    held = pg.parse("s", INSERT) + pg.parse("", "SELECT 1") + pg.bind("", "")
    for more in (pg.SYNC, pg.FLUSH, pg.execute(), pg.query("SELECT 2"), pg.TERMINATE):
        talk = Talk()
        assert talk.says(held) == (b"", b"")
        assert talk.says(more)[0] == held + more
    for more in (pg.bind("", "no such"), pg.function(1, ())):
        talk = Talk()
        talk.says(held)
        assert talk.says(more)[0].startswith(held), "what is refused is answered behind it"
    talk = Talk()
    talk.says(held)
    assert talk.says(pg.query("DELETE FROM t")) == (held, b"")
    assert talk.talk.waiting is not None
    assert talk.talk.waiting.in_transaction


def test_only_so_much_is_held_back() -> None:
    for one, many in ((pg.describe("S", "s"), MOST_MESSAGES), (pg.bind("", "s", [b"a" * 60_000]), MOST_HELD // 60_000)):
        talk, before = Talk(), pg.parse("s", INSERT)
        assert talk.says(before + one * (many - 1))[0] == b""
        assert talk.says(one * 2)[0].startswith(before)
        assert not talk.talk.full


def test_what_is_skipped_with_it_does_not_pass_either() -> None:
    talk = Talk()
    talk.says(pg.parse("", "SELECT 1/0") + pg.bind("", "") + pg.execute())
    assert talk.says(pg.parse("s", INSERT) + pg.bind("", "s", [b"a"]))[0] == b""
    talk.answers(pg.PARSED + pg.BOUND + pg.error("22012", "division by zero"))
    assert talk.says(pg.execute() + pg.SYNC)[0] == pg.SYNC
    talk.answers(pg.ready())
    assert b"C26000" in talk.says(pg.bind("", "s", [b"a"]) + pg.SYNC)[1]
