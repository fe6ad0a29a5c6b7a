"""What a permission asks nobody for, and what lasts from its first use on: every branch."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.authority import HeldRole
from onepam.domain.access.hours import Hours, Schedule, Weekly, read_hours, schedule_words, weekly
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.requests.approval import ApprovalFacts, Approve, Granted, approve
from onepam.domain.requests.asking import Ask, Asked, AskFacts, ask
from onepam.domain.requests.events import UNDO, GrantStarted, RequestMade, RequestPreapproved
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant, parse
from onepam.kernel.errors import Refused
from tests.domain.given import ENGINEER, GRANT, MAX, NOW, PROD, WEB, access, present, waiting

MONDAY = parse("2026-03-02T08:00:00Z")
APPROVER = HeldRole("bnd_2", "", "manager", "v1", (), (ConsoleRight.APPROVE,), None)
COMMAND = Ask("req_9", "web-1", "root", HOUR, "why", grant="grt_9", zones=ZoneInfo)


def hours(text: str = "Mon-Fri 09:00-17:00 Europe/Berlin") -> Hours:
    found = read_hours(text)
    assert isinstance(found, Hours)
    return found


def holding(asking: Asking, **other: Any) -> AskFacts:
    """Eve, to whom production is offered so."""
    held = replace(ENGINEER, permissions=(replace(PROD, asking=asking),), ends=other.pop("held_until", None))
    actor = replace(present("eve", held), signed_in_until=Instant(MONDAY + DAY), ends=other.pop("ends", None))
    return AskFacts(actor, WEB, (), **other)


def answered(facts: AskFacts, command: Ask = COMMAND, now: Instant = MONDAY) -> tuple[object, ...]:
    decided = ask(facts, command, now)
    assert isinstance(decided, Decided), decided
    assert isinstance(decided.result, Asked)
    given = [each for each in decided.events if isinstance(each, GrantStarted)]
    assert decided.result.given == (given[0] if given else None)
    return decided.events


def test_a_rule_approves_at_once_and_says_by_which_role_and_how_often() -> None:
    rule = Asking(unasked=Unasked(HOUR, 3, hours()))
    made, approved, given = answered(holding(rule, lately={("engineer", "prod"): 2, ("engineer", "dev"): 9}))
    assert isinstance(made, RequestMade)
    read = weekly(hours(), ZoneInfo("Europe/Berlin"), MONDAY, Instant(MONDAY + HOUR))
    assert isinstance(read, Weekly)
    assert approved == RequestPreapproved("req_9", "eve", made.digest, "engineer", "v1", 3, MONDAY, read)
    ends = Instant(MONDAY + HOUR)
    assert given == GrantStarted("grt_9", "req_9", made.substance, "bnd_1", "", MONDAY, ends)


def test_it_ends_with_the_account_and_with_the_role() -> None:
    soon, rule = Instant(MONDAY + MINUTE), Asking(unasked=Unasked(HOUR, 1))
    for facts in (holding(rule, ends=soon), holding(rule, held_until=soon)):
        _, approved, given = answered(facts)
        assert isinstance(approved, RequestPreapproved)
        assert isinstance(given, GrantStarted)
        assert (given.ends, approved.hours) == (soon, None)


@pytest.mark.parametrize(
    ("rule", "command", "lately", "now"),
    [
        (None, {}, 0, MONDAY),
        (Unasked(HOUR, 3), {"grant": ""}, 0, MONDAY),
        (Unasked(HOUR, 3), {"begins": Instant(MONDAY + HOUR)}, 0, MONDAY),
        (Unasked(HOUR - 1, 3), {}, 0, MONDAY),
        (Unasked(HOUR, 3), {}, 3, MONDAY),
        (Unasked(HOUR, 3, hours()), {"zones": lambda name: None}, 0, MONDAY),
        (Unasked(HOUR, 3, hours()), {}, 0, Instant(MONDAY - 2 * HOUR)),
        (Unasked(HOUR, 3, hours()), {}, 0, Instant(MONDAY + 7 * HOUR + 1)),
    ],
)
def test_what_a_rule_does_not_cover_waits_for_somebody(
    rule: Unasked | None, command: dict[str, Any], lately: int, now: Instant
) -> None:
    facts = holding(Asking(ahead=DAY, unasked=rule), lately={("engineer", "prod"): lately})
    assert len(answered(facts, replace(COMMAND, **command), now)) == 1


def test_without_a_table_of_zones_no_rule_with_hours_approves() -> None:
    plain = Ask("req_9", "web-1", "root", HOUR, "why", grant="grt_9")
    assert len(answered(holding(Asking(unasked=Unasked(HOUR, 3, hours()))), plain)) == 1


WINDOW = Asking(ahead=7 * DAY, weekly=DAY, first_use=True)


def test_a_window_is_asked_for_and_given_to_its_end() -> None:
    until = Instant(MONDAY + DAY)
    (made,) = answered(holding(WINDOW), replace(COMMAND, until=until))
    assert isinstance(made, RequestMade)
    assert made.substance.schedule == Schedule(until=until)
    assert made.expires == until - UNDO
    later = Instant(MONDAY + 2 * DAY)
    begins = replace(COMMAND, begins=Instant(MONDAY + DAY + HOUR), until=later)
    (made,) = answered(holding(WINDOW), begins)
    assert isinstance(made, RequestMade)
    assert made.substance.schedule == Schedule(begins.begins, until=later)


@pytest.mark.parametrize(
    ("asking", "command", "code"),
    [
        (replace(WINDOW, first_use=False), {}, "request.no_first_use"),
        (WINDOW, {"extend": True}, "request.no_first_use"),
        (WINDOW, {"hours": hours()}, "request.no_first_use"),
        (WINDOW, {"begins": MONDAY}, "request.past"),
        (WINDOW, {"until": Instant(MONDAY + 7 * DAY + 1)}, "request.too_far"),
        (WINDOW, {"until": Instant(MONDAY + HOUR - 1)}, "request.short_window"),
        (WINDOW, {"begins": Instant(MONDAY + HOUR), "until": Instant(MONDAY + 2 * HOUR - 1)}, "request.short_window"),
    ],
)  # fmt: skip
def test_a_window_that_is_not_offered_is_refused(asking: Asking, command: dict[str, Any], code: str) -> None:
    wanted = replace(COMMAND, **{"until": Instant(MONDAY + DAY), **command})
    outcome = ask(holding(asking), wanted, MONDAY)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_a_yes_gives_the_whole_window_and_its_first_use_a_part() -> None:
    until = Instant(NOW + 5 * HOUR)
    asked = replace(GRANT.substance, schedule=Schedule(until=until))
    facts = waiting()
    windowed = replace(facts.open, substance=asked, digest=asked.digest())
    holder = access(replace(ENGINEER, permissions=(replace(PROD, asking=WINDOW),)))
    request = replace(facts, open=windowed, requester=holder)
    outcome = approve(
        ApprovalFacts(present("max", APPROVER), request), MAX, Approve("req_1", windowed.digest, "grt_2"), NOW
    )
    assert isinstance(outcome, Decided)
    assert isinstance(outcome.result, Granted)
    assert outcome.result.ends == until
    grant = replace(GRANT, substance=asked, ends=until)
    assert grant.awaits_use
    assert grant.until(NOW) == NOW + HOUR
    assert grant.until(Instant(until - MINUTE)) == until
    used = replace(grant, used=True, ends=Instant(NOW + 2 * HOUR))
    assert not used.awaits_use
    assert used.until(NOW) == NOW + 2 * HOUR
    assert not GRANT.awaits_use
    assert not replace(GRANT, substance=replace(asked, schedule=Schedule(NOW))).awaits_use


def test_what_was_not_used_yet_is_not_extended_and_what_overlaps_it_is_given_already() -> None:
    until = Instant(MONDAY + 5 * HOUR)
    asked = replace(GRANT.substance, schedule=Schedule(until=until))
    runs = replace(GRANT, substance=asked, starts=MONDAY, ends=until)
    facts = holding(WINDOW, grants=(runs,))
    outcome = ask(facts, replace(COMMAND, extend=True), MONDAY)
    assert isinstance(outcome, Refused)
    assert outcome.code == "request.nothing_to_extend"
    window = replace(COMMAND, begins=Instant(MONDAY + HOUR), until=Instant(MONDAY + 8 * HOUR))
    outcome = ask(facts, window, MONDAY)
    assert isinstance(outcome, Refused)
    assert outcome.code == "request.given"
    starts_later = replace(runs, starts=Instant(MONDAY + 3 * HOUR))
    outcome = ask(replace(facts, grants=(starts_later,)), replace(COMMAND, until=Instant(MONDAY + 4 * HOUR)), MONDAY)
    assert isinstance(outcome, Refused)


def test_when_it_may_be_used_is_said_in_words() -> None:
    until = parse("2026-10-03T18:00:00Z")
    assert schedule_words(Schedule(until=until)) == "from its first use until 3 October 2026 18:00 UTC"
    both = Schedule(parse("2026-10-01T10:00:00Z"), until=until)
    words = "from its first use between 1 October 2026 10:00 UTC and 3 October 2026 18:00 UTC"
    assert schedule_words(both) == words
