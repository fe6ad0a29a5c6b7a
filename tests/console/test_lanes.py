"""A person's time in lanes: the span holds all of it, ticks stand at round times, bars that overlap take rows."""

from onepam.console.frame.view import View
from onepam.console.people.lanes import lanes, ticks
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant, parse
from onepam.store.read.people import Bar, Lane
from tests.console.samples.company import MINE

NOW = parse("2026-11-20T14:05:00Z")
VIEW = View("eve", MINE, False)


def at(before: int) -> Instant:
    return Instant(NOW - before)


def test_ticks_are_few_round_and_within() -> None:
    for span in (10 * MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY, 20 * DAY, 90 * DAY, 400 * DAY, 4000 * DAY):
        marks = ticks(at(span), NOW)
        assert len(marks) <= 10, (span, marks)
        assert all(at(span) <= each["at"] < NOW for each in marks), span
        assert len({each["at"] for each in marks}) == len(marks)
    assert [each["word"] for each in ticks(at(5 * HOUR), NOW)] == ["10:00", "11:00", "12:00", "13:00"]
    assert [each["word"] for each in ticks(at(100 * DAY), NOW)] == ["Sep 2026", "Oct", "Nov"]
    assert ticks(at(4000 * DAY), NOW)[0]["word"].endswith("2016")


def test_bars_that_overlap_take_rows_and_sessions_are_points() -> None:
    roles = Lane(
        "roles",
        (Bar(at(9 * DAY), None, "engineer", "b1"), Bar(at(5 * DAY), at(DAY), "manager", "b2"),
         Bar(at(HOUR), None, "auditor", "b3")),
    )  # fmt: skip
    went = Lane("sessions", (Bar(at(2 * HOUR), at(HOUR), "app on web-1", "ses_1"),))
    drawn = lanes((roles, went, Lane("sign-ins", ())), at(10 * DAY), NOW, VIEW)
    assert drawn["start"] < at(10 * DAY) < NOW < drawn["end"]
    assert [each["word"] for each in drawn["lanes"]] == ["Roles", "Sessions"]
    bars = drawn["lanes"][0]["bars"]
    assert [each["row"] for each in bars] == [0, 1, 1]
    assert bars[0]["until"] == NOW
    assert bars[1]["until"] == at(DAY)
    assert bars[1]["says"] == "Manager, from 15 November 2026 14:05 UTC until 19 November 2026 14:05 UTC"
    (point,) = drawn["lanes"][1]["points"]
    assert point["href"] == "/sessions/ses_1"


def test_what_began_before_the_account_is_drawn_from_the_left_edge() -> None:
    roster = Lane("roster", (Bar(at(90 * DAY), None, "Employee", "rst_1"),))
    drawn = lanes((roster,), at(10 * DAY), NOW, VIEW)
    (bar,) = drawn["lanes"][0]["bars"]
    assert drawn["lanes"][0]["word"] == "Staff roster"
    assert bar["since"] == drawn["start"]
    assert "from 22 August 2026" in bar["says"]
    assert lanes((Lane("roster", ()),), at(10 * DAY), NOW, VIEW)["lanes"] == []


def test_somebody_who_came_a_moment_ago_stands_at_the_left_and_is_seen() -> None:
    account = Lane("account", (Bar(at(10 * SECOND), None, "enabled", ""),))
    drawn = lanes((account,), at(10 * SECOND), NOW, VIEW)
    length = drawn["end"] - drawn["start"]
    assert at(10 * SECOND) - drawn["start"] < length // 20
    (bar,) = drawn["lanes"][0]["bars"]
    assert bar["until"] - bar["since"] > length // 20
    assert len(drawn["ticks"]) >= 2
