"""Rules of what nobody is asked for, and of access that lasts from its first use on: each clause broken once."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.hours import Hours, Offset, Schedule, Weekday, Weekly
from onepam.domain.access.model import Substance
from onepam.domain.requests.events import GrantExpired, GrantFirstUsed, GrantStarted, RequestPreapproved
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from tests.ledger.lawful.story import Story
from tests.ledger.lawful.test_asked_when import approved, asks, offering, request
from tests.ledger.lawful.test_sessions import PROD_BECAUSE, opened

MORNING = Hours((Weekday.MON, Weekday.TUE), 8 * 60, 12 * 60, "UTC")
READ = Weekly(MORNING.days, MORNING.opens, MORNING.closes, MORNING.zone, (Offset(Instant(0), 0),))
RULE = Asking(unasked=Unasked(2 * HOUR, 2, MORNING), ahead=7 * DAY)
ALWAYS = Asking(unasked=Unasked(2 * HOUR, 2))


def by_rule(
    told: Story, asked: Substance, name: str = "req_1", hours: Weekly | None = READ, **other: Any
) -> tuple[object, ...]:
    """Eve asks, and the rule approves in the same command."""
    values: dict[str, Any] = {
        "request": name,
        "person": "eve",
        "digest": asked.digest(),
        "role": "engineer",
        "role_version": asked.role_version,
        "nth": 1,
        "effective_at": told.at(),
        "hours": hours,
    }
    starts = values["effective_at"] if "effective_at" not in other else other["effective_at"]
    ends = Instant(starts + asked.duration)
    grant = GrantStarted(name.replace("req", "grt"), name, asked, "bnd_eve_engineer", "", starts, ends)
    return request(told, asked, name), RequestPreapproved(**{**values, **other}), grant


def test_a_rule_approves_within_its_hours_so_often() -> None:
    told = offering(RULE)
    told.add(*by_rule(told, asks(RULE)))
    told.wait(HOUR)
    told.add(*by_rule(told, asks(RULE, duration=2 * HOUR), "req_2", nth=2))
    told.wait(7 * DAY)
    told.sign_in("eve")
    told.add(*by_rule(told, asks(RULE), "req_3", nth=1))
    assert told.said() == []
    told = offering(ALWAYS)
    told.add(*by_rule(told, asks(ALWAYS, duration=2 * HOUR), hours=None))
    assert told.said() == []


OUTSIDE = "it lies outside of the hours of the rule"
LONG = replace(RULE, unasked=Unasked(5 * HOUR, 2, MORNING))


@pytest.mark.parametrize(
    ("asking", "asked", "other", "why"),
    [
        (Asking(), {}, {"hours": None}, "no rule of the role approves such a thing"),
        (RULE, {"schedule": Schedule(None, READ)}, {}, "no rule of the role approves such a thing"),
        (RULE, {"duration": 2 * HOUR + 1}, {}, "it is longer than the rule lets it be"),
        (RULE, {}, {"nth": 2}, "it is once more than the rule lets it be, or counted otherwise"),
        (RULE, {}, {"hours": None}, "its hours are not those of the rule"),
        (ALWAYS, {}, {"hours": READ}, "its hours are not those of the rule"),
        (RULE, {}, {"hours": replace(READ, closes=13 * 60)}, OUTSIDE),
        (RULE, {}, {"hours": replace(READ, zone="Europe/Berlin")}, OUTSIDE),
        (RULE, {}, {"hours": replace(READ, offsets=())}, OUTSIDE),
        (RULE, {}, {"hours": replace(READ, offsets=(Offset(Instant(0), 7_200 * 2),))}, OUTSIDE),
        (LONG, {"duration": 4 * HOUR}, {}, OUTSIDE),
        (RULE, {}, {"digest": "0"}, "what was approved is not what was asked"),
        (RULE, {}, {"person": "max"}, "what was approved is not what was asked"),
        (RULE, {}, {"role": "senior"}, "the rule is of another role than it was asked under"),
        (RULE, {}, {"role_version": "0"}, "the rule is of another role than it was asked under"),
    ],
)  # fmt: skip
def test_a_rule_approves_nothing_else(asking: Asking, asked: dict[str, Any], other: dict[str, Any], why: str) -> None:
    if "schedule" in asked:
        asking = replace(asking, weekly=DAY)
    told = offering(asking)
    at = told.add(*by_rule(told, asks(asking, **asked), **other))
    assert told.said() == [(at + 1, why)]


def test_a_third_time_in_seven_days_is_once_too_often() -> None:
    told = offering(RULE)
    for nth, lasts in enumerate((HOUR, 2 * HOUR), 1):
        told.add(*by_rule(told, asks(RULE, duration=lasts), f"req_{nth}", nth=nth))
    third = asks(RULE, duration=MINUTE * 30)
    for nth in (1, 3):
        at = told.add(*by_rule(told, third, f"req_{nth}9", nth=nth))
        found = [(at + 1, "it is once more than the rule lets it be, or counted otherwise")]
        assert told.said()[-1:] == found


def test_a_rule_approves_in_the_moment_in_which_it_is_asked() -> None:
    told = offering(RULE)
    asked, said, _ = by_rule(told, asks(RULE))
    assert isinstance(said, RequestPreapproved)
    told.add(asked)
    later = told.add(replace(said, effective_at=told.at()))
    assert told.said() == [(later, "nobody asked for it in that moment")]
    told = offering(RULE)
    at = told.add(*by_rule(told, asks(RULE), effective_at=Instant(told.at() + 1)))
    assert told.said() == [(at + 1, "it took effect at another time than it was asked for")]


SHORT = "its window is shorter than it, or further ahead than it may be asked for"
NOT_OFFERED = "the role does not offer it from its first use on"
WINDOW = Asking(ahead=7 * DAY, first_use=True)


def windowed(told: Story, **other: Any) -> Substance:
    """For an hour from the first use on, within ten."""
    asking = other.pop("asking", WINDOW)
    until = other.pop("until", Instant(told.at() + 10 * HOUR))
    return asks(asking, schedule=Schedule(other.pop("begins", None), until=until), **other)


def test_it_lasts_from_its_first_use_on_and_ends_with_its_window() -> None:
    for wait in (2 * HOUR, 10 * HOUR - 10 * MINUTE):
        told = offering(WINDOW)
        asked = windowed(told)
        until = asked.schedule.until if asked.schedule else None
        assert until is not None
        told.add(request(told, asked))
        told.add(*approved(told, asked, ends=until))
        told.wait(wait)
        session, used = first(told, asked)
        told.add(session, used)
        told.add(replace(session, session="ses_2"))
        told.wait(2 * HOUR)
        told.add(GrantExpired("grt_1", "req_1", used.ends))
        assert told.said() == []


def first(told: Story, asked: Substance, **other: Any) -> tuple[Any, GrantFirstUsed]:
    """The first session by it, and that it is the first."""
    told.sign_in("eve")
    until = asked.schedule.until if asked.schedule and asked.schedule.until else Instant(0)
    ends = Instant(min(told.at() + asked.duration, until))
    because = replace(PROD_BECAUSE, role_version=asked.role_version)
    sign_in = told.rows[-1].position
    session = opened(told, resource="web-1", because=because, privileged=True, ends=ends)
    session = replace(session, mfa=replace(session.mfa, session=f"sgn_eve_{sign_in - 1}"))
    return session, GrantFirstUsed("grt_1", "req_1", "ses_1", other.get("ends", ends))


def granted(**other: Any) -> tuple[Story, Substance]:
    """It waits for its first use."""
    told = offering(WINDOW)
    asked = windowed(told, **other)
    told.add(request(told, asked))
    told.add(*approved(told, asked, ends=asked.schedule.until if asked.schedule else None))
    told.wait(HOUR)
    return told, asked


def test_its_first_use_is_said_with_its_session_and_its_end() -> None:
    told, asked = granted()
    session, used = first(told, asked)
    at = told.add(session)
    assert told.said() == [(at, "the first use of the access is not said")]
    told, asked = granted()
    session, used = first(told, asked)
    at = told.add(replace(session, ends=Instant(session.ends + 1)), used)
    assert told.said() == [(at, "it lasts longer than the access from its first use on")]
    for ends in (used.ends + 1, used.ends - 1):
        told, asked = granted()
        session, used = first(told, asked)
        at = told.add(replace(session, ends=Instant(used.ends - 1)), replace(used, ends=Instant(ends)))
        assert told.said() == [(at + 1, "it does not end as long after its first use as was asked")]
    told, asked = granted()
    _, used = first(told, asked)
    at = told.add(used)
    assert told.said() == [(at, "no session opened by it")]


def test_only_what_waits_for_its_first_use_has_one() -> None:
    nothing = "no such access waited for its first use"
    told, asked = granted()
    session, used = first(told, asked)
    told.add(session, used)
    at = told.add(replace(used, grant="grt_2"), used, replace(used, request="req_2"))
    assert told.said() == [(each, nothing) for each in (at, at + 1, at + 2)]
    told = offering(WINDOW)
    told.add(request(told, asks(WINDOW)))
    told.add(*approved(told, asks(WINDOW)))
    at = told.add(GrantFirstUsed("grt_1", "req_1", "ses_1", Instant(told.at() + HOUR)))
    assert told.said() == [(at, nothing)]


@pytest.mark.parametrize(
    ("asking", "begins", "until", "more", "why"),
    [
        (replace(WINDOW, first_use=False), None, 10 * HOUR, {}, NOT_OFFERED),
        (replace(WINDOW, weekly=DAY), None, 10 * HOUR, {"weekly": READ}, NOT_OFFERED),
        (WINDOW, None, HOUR - 1, {}, SHORT),
        (WINDOW, 2 * HOUR, 3 * HOUR - 1, {}, SHORT),
        (WINDOW, None, 7 * DAY + 1, {}, SHORT),
    ],
)  # fmt: skip
def test_a_window_is_asked_for_as_the_role_offers_it(
    asking: Asking, begins: int | None, until: int, more: dict[str, Any], why: str
) -> None:
    told = offering(asking)
    begun = None if begins is None else Instant(told.at() + begins)
    asked = asks(asking, schedule=Schedule(begun, more.get("weekly"), until=Instant(told.at() + until)))
    at = told.add(request(told, asked, lasts=MINUTE))
    assert told.said() == [(at, why)]


def test_it_does_not_outlast_its_window() -> None:
    told = offering(WINDOW)
    asked = windowed(told)
    assert asked.schedule is not None
    assert asked.schedule.until is not None
    told.add(request(told, asked))
    at = told.add(*approved(told, asked, ends=Instant(asked.schedule.until + 1)))
    assert told.said() == [(at + 1, "it lasts longer than was asked")]
