"""Folding: what does not read, what no rule knows, and how much is told."""

from onepam.domain.history.system import SystemStarted
from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.kernel.limits import MAX_EVENTS_PER_COMMAND
from onepam.ledger.findings import Row
from onepam.ledger.lawful.judging import MAX_UNLAWFUL, asks, cannot
from onepam.ledger.lawful.known import MOST_NOT_READ, About
from onepam.ledger.lawful.rows import of_rows, through
from onepam.ledger.lawful.state import LONGEST_COMMAND, State
from tests.ledger.lawful.story import Story


def test_an_entry_that_does_not_read_is_a_finding_and_nothing_stops() -> None:
    told = Story().ready("ada")
    bodies = (b"", b"[]", b"{}", b'{"by":7}', b"\xff", b'{"by":null,"change":{},"digest":[],"document":1}')
    for body in bodies:
        told.rows.append(Row(len(told.rows), told.at(), "change.proposed", 1, "access", 0, body, b""))
    found = told.judged()
    assert {each.position for each in found.findings} >= set(range(len(told.rows) - 6, len(told.rows) - 1))
    assert found.line().endswith(f"in {len(told.rows)} entries")


def test_a_kind_that_no_rule_knows_is_a_finding() -> None:
    told = Story()
    told.rows.append(Row(0, 1, "door.opened", 1, "door", 0, b"{}", b""))
    told.rows.append(Row(1, "soon", 7, 1, "door", 0, b"{}", b""))  # type: ignore[arg-type]
    told.rows.append(Row(2, 2, b"\xff", 1, "door", 0, b"{}", b""))  # type: ignore[arg-type]
    found = told.judged()
    assert [(each.kind, each.why) for each in found.findings] == [
        ("door.opened", "there is no rule for what it says"),
        ("7", "it does not read as such an entry"),
        (r"b'\xff'", "it does not read as such an entry"),
    ]
    assert found.unknown == 1
    assert found.line() == "3 findings in 3 entries"


def test_what_uses_no_right_is_not_even_read() -> None:
    told = Story()
    told.add(SystemStarted("node-1", "1", "log", "key", "test"))
    assert told.judged().line() == "yes: 1 entries by rule set 1"


def test_findings_are_counted_beyond_those_that_are_told() -> None:
    judging = of_rows()
    for number in range(MAX_UNLAWFUL + 5):
        judging.take(number, number, "door.opened", 1, b"{}")
    found = judging.end()
    assert (len(found.findings), found.found) == (MAX_UNLAWFUL, MAX_UNLAWFUL + 5)
    one = of_rows()
    one.take(0, 0, "door.opened", 1, b"{}")
    assert one.end().line() == "1 finding in 1 entries"


def test_rows_are_taken_on_the_way() -> None:
    told = Story().ready("ada")
    judging = of_rows()
    assert list(through(judging, iter(told.rows))) == told.rows
    assert judging.end().entries == len(told.rows)


def test_what_no_rule_judges_is_said_once() -> None:
    said = cannot()
    assert "counters of wrong tries" in said
    assert len(said) == len(set(said))


def test_what_a_rule_asks_about_is_known_beforehand() -> None:
    assert asks("person.added", 1)
    assert not any((asks("system.started", 1), asks("person.added", 2), asks("door.opened", 1)))


def test_no_command_is_longer_than_the_rules_take_one_for() -> None:
    """The number is the rules' own: a set of them never changes."""
    assert LONGEST_COMMAND == MAX_EVENTS_PER_COMMAND


def test_an_entry_that_stands_far_away_is_not_made_room_for() -> None:
    about = About()
    about.add(2, "eve")
    about.add(MOST_NOT_READ + 4, "eve")
    assert list(about.entries) == [0, 0, 1]


def planted(told: Story, later: int) -> list[str]:
    """What is said of a session that rests on the code of the command before, so many microseconds after it."""
    told.add(told.used("eve"))
    opened = told.signed_in("eve", "sgn_9", mfa_at=told.now, expires=Instant(told.now + HOUR))
    told.now = Instant(told.now - SECOND + later)
    told.add(opened)
    whole, parted = of_rows(), of_rows()
    list(through(whole, iter(told.rows)))
    list(through(parted, iter(told.rows), {len(told.rows) - 1}.__contains__))
    return ["; ".join(each.why for each in judging.end().findings) for judging in (whole, parted)]


def test_a_command_ends_where_the_next_entry_is_later_than_a_microsecond_or_of_another_batch() -> None:
    none = "no totp of the person was used for it"
    assert planted(Story().ready("ada"), 2) == [f"the factors were not shown then; {none}"] * 2
    assert planted(Story().ready("ada"), 1) == ["", f"the factors were not shown then; {none}"]


def test_a_cause_that_bears_one_entry_bears_no_second() -> None:
    state = State()
    state.cause("used", "eve", "totp")
    assert (state.once("used", "eve", "totp"), state.once("used", "eve", "totp")) == (True, False)
