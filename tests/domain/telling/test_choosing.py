"""How somebody is told: at once, by digest or not, never in quiet hours, by their own clock; over is over."""

from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.authority import ActorFacts
from onepam.domain.history.commit import Decided
from onepam.domain.telling.choosing import Choice, NoticesChosen, Plan, choose, planned
from onepam.domain.telling.freedom import Freedom
from onepam.domain.telling.notices import TABLE
from onepam.domain.telling.outbox import Occurrence
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant, moment, parse
from onepam.kernel.errors import Refused

BERLIN = ZoneInfo("Europe/Berlin")
FREE, FIRM, FIXED, URGENT = "request.made", "role.withheld", "factor.removed", "statement.asked"
MONDAY = parse("2026-03-02T07:00:00Z")
"""Eight o'clock in Berlin."""


def chosen(**changes: object) -> Choice:
    made = Choice(BERLIN, (1, 2, 3, 4, 5), 8 * 60, 22 * 60, 7 * 60, frozenset({FREE, FIRM}), frozenset())
    return replace(made, **changes)  # type: ignore[arg-type]


def happened(index: int, at: Instant, kind: str = FREE) -> Occurrence:
    return Occurrence(index, at, kind, kind, "It happened.", "/", alarm=False)


def at(text: str) -> Instant:
    return parse(text)


def plan(kinds: Iterable[str], ago: int, now: Instant, *choices: Choice, over: Iterable[int] = ()) -> Plan:
    """Of one of each kind, that happened so long ago."""
    found = [happened(index, Instant(now - ago), kind) for index, kind in enumerate(kinds)]
    return planned(found, frozenset(over), choices, now)


def test_each_row_lets_one_choose_what_is_good_for_it() -> None:
    """What alarms, and what tells of one's own factors, is told at once, always; what takes something, always."""
    for row in TABLE:
        if row.alarm or row.kind.startswith(("factor.", "enrolment.")):
            assert row.freedom is Freedom.NONE, row.kind
    assert {row.kind for row in TABLE if row.freedom == Freedom.WAITS | Freedom.DIGEST} == {
        FIRM,
        "grant.ended",
        "policy.reminded",
        "incident.reminded",
        "control.reminded",
    }
    assert {row.kind for row in TABLE if row.freedom == Freedom.WAITS | Freedom.OFF} == {URGENT}


def test_whoever_never_chose_is_told_all_at_once_and_what_is_over_is_not_told() -> None:
    assert plan([FREE, FIXED, "no.such"], 0, MONDAY) == Plan(frozenset({0, 1, 2}), frozenset(), Instant(0), frozenset())
    assert plan([FREE, FREE], 0, MONDAY, over=[1]) == Plan(frozenset({0}), frozenset(), Instant(0), frozenset({1}))


def test_the_digest_comes_at_the_hour_of_a_working_day_by_their_clock() -> None:
    friday = at("2026-02-27T07:00:00Z")
    before = plan([FREE, FIXED], HOUR, Instant(MONDAY - 1), chosen(quiet_until=22 * 60))
    assert before == Plan(frozenset({1}), frozenset(), friday, frozenset())
    due = plan([FREE, FIRM], 2 * DAY, MONDAY, chosen())
    assert due == Plan(frozenset(), frozenset({0, 1}), MONDAY, frozenset())
    assert plan([FREE], 0, MONDAY, chosen()).digest == set(), "what happens at the hour is of the next"
    urgent = plan([URGENT, FIXED], HOUR, MONDAY, chosen(in_digest=frozenset({URGENT, FIXED})))
    assert urgent.at_once == {0, 1}, "what is over by then, or warns, waits for no digest"


@pytest.mark.parametrize(
    ("day", "hour", "slot"),
    [
        ("2026-03-29T12:00:00Z", 8 * 60, "2026-03-29T06:00:00Z"),  # the day that is an hour shorter
        ("2026-03-29T12:00:00Z", 2 * 60 + 30, "2026-03-29T01:30:00Z"),  # an hour that there is not: an hour later
        ("2026-10-25T12:00:00Z", 8 * 60, "2026-10-25T07:00:00Z"),
        ("2026-10-25T12:00:00Z", 2 * 60 + 30, "2026-10-25T00:30:00Z"),  # an hour that comes twice: the first time
    ],
)
def test_on_the_days_on_which_the_clocks_change_too(day: str, hour: int, slot: str) -> None:
    always = chosen(days=(1, 2, 3, 4, 5, 6, 7), digest_at=hour)
    assert always.slot(at(day)) == at(slot)


def test_one_day_a_week_is_enough() -> None:
    mondays = chosen(days=(1,))
    assert mondays.slot(MONDAY) == MONDAY
    assert mondays.slot(Instant(MONDAY - 1)) == Instant(MONDAY - 7 * DAY)
    assert chosen(days=()).slot(MONDAY) == 0


def test_quiet_hours_hold_what_can_wait_and_nothing_that_warns() -> None:
    night = at("2026-03-02T21:30:00Z")
    told = plan([FREE, FIRM, URGENT, FIXED], 0, night, chosen(in_digest=frozenset()))
    assert told == Plan(frozenset({3}), frozenset(), at("2026-03-02T07:00:00Z"), frozenset())
    morning = at("2026-03-03T06:00:00Z")
    assert plan([FREE, FIRM], HOUR, morning, chosen(in_digest=frozenset())).at_once == {0, 1}
    noon = chosen(quiet_from=12 * 60, quiet_until=13 * 60)
    assert [noon.quiet(at(f"2026-03-02T{each}:00Z")) for each in ("10:59", "11:00", "11:59", "12:00")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not any(chosen(quiet_from=0, quiet_until=0).quiet(Instant(MONDAY + each * HOUR)) for each in range(24))


def test_what_they_did_not_want_to_hear_they_are_not_told_later() -> None:
    off = chosen(untold=frozenset({FREE, FIRM, FIXED}), in_digest=frozenset())
    now = at("2026-03-02T12:00:00Z")
    told = plan([FREE, FIRM, FIXED], HOUR, now, off)
    assert told.at_once == {1, 2}, "what takes something, or warns, is told all the same"
    assert told.dropped == {0}
    for since, dropped in ((2 * HOUR, set()), (MINUTE, {0})):
        earlier, later = replace(off, until=Instant(now - since)), chosen(in_digest=frozenset())
        assert plan([FREE], HOUR, now, earlier, later).dropped == dropped


@given(st.integers(0, 2 * 365), st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60 - 1))
def test_a_slot_is_never_ahead_and_at_most_eight_days_ago(days: int, minute: int, hour: int) -> None:
    now = Instant(MONDAY + days * DAY + minute * MINUTE)
    for zone in (BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Pacific/Apia")):
        choice = chosen(zone=zone, days=(3,), digest_at=hour)
        slot = choice.slot(now)
        assert now - 8 * DAY < slot <= now
        here = moment(slot).astimezone(zone)
        assert here.isoweekday() == 3
        assert here.hour * 60 + here.minute in (hour, hour + 60)


ACTOR = ActorFacts("eve", True, None, Instant(MONDAY + HOUR), MONDAY, ())
WISH = NoticesChosen("eve", "Europe/Berlin", (1, 2, 3, 4, 5), 480, 1320, 420, (FREE, FIRM), (URGENT,), "eve")


def test_a_choice_is_an_entry() -> None:
    assert choose(ACTOR, WISH, MONDAY) == Decided((WISH,), None)
    assert isinstance(choose(ACTOR, replace(WISH, quiet_from=0, quiet_until=0), MONDAY), Decided)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"digest_at": 24 * 60}, "notices.form"),
        ({"quiet_from": -1}, "notices.form"),
        ({"untold": ("no.such",)}, "notices.form"),
        ({"in_digest": ("no.such",)}, "notices.form"),
        ({"days": ()}, "notices.days"),
        ({"days": (0,)}, "notices.days"),
        ({"days": (8,)}, "notices.days"),
        ({"untold": (FIRM,)}, "notices.firm"),
        ({"untold": (FIXED,)}, "notices.firm"),
        ({"untold": ("system.verified",)}, "notices.firm"),
        ({"in_digest": (URGENT,)}, "notices.urgent"),
        ({"in_digest": (FIXED,)}, "notices.urgent"),
        ({"quiet_from": 0, "quiet_until": 16 * 60 + 1, "digest_at": 17 * 60}, "notices.quiet"),
        ({"digest_at": 419}, "notices.quiet"),
        ({"digest_at": 1320}, "notices.quiet"),
    ],
)
def test_what_cannot_be_chosen(changes: dict[str, object], code: str) -> None:
    refused = choose(ACTOR, replace(WISH, **changes), MONDAY)  # type: ignore[arg-type]
    assert isinstance(refused, Refused)
    assert refused.code == code


def test_whoever_is_not_signed_in_chooses_nothing() -> None:
    refused = choose(replace(ACTOR, signed_in_until=None), WISH, MONDAY)
    assert isinstance(refused, Refused)
    assert refused.code == "sign_in.ended"
