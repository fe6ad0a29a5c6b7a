"""How a permission may be asked for, in `access.yaml`."""

import pytest

from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.hours import Hours, Weekday
from onepam.domain.matrix.widening import widenings
from onepam.kernel.clock import DAY, HOUR, MINUTE
from tests.domain.matrix.test_file import FILE, matrix, problems
from tests.domain.matrix.test_file_databases import DATABASE


def asking(said: str) -> str:
    return FILE.replace("approvers: [boss]", f"approvers: [boss], {said}")


def read(said: str) -> Asking | None:
    (permission,) = matrix(asking(said)).roles["web"].permissions
    return permission.asking


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("ticket: '^OPS-[0-9]+$'", Asking(ticket="^OPS-[0-9]+$", ticketed=True)),
        ("ticket: {pattern: '^OPS-[0-9]+$', required: false}", Asking(ticket="^OPS-[0-9]+$")),
        ("ticket: {pattern: '^OPS-'}", Asking(ticket="^OPS-", ticketed=True)),
        ("ahead: 30d, weekly: 92d", Asking(ahead=30 * DAY, weekly=92 * DAY)),
        ("approvals: 2", Asking(approvals=2)),
        ("escalate: {after: 1h30m, to: [boss]}", Asking(escalates=90 * MINUTE, then=("boss",))),
        ("approvals: 1", None),
        ("ahead: 7d, first_use: true", Asking(ahead=7 * DAY, first_use=True)),
        ("unasked: {longest: 1h, times: 3}", Asking(unasked=Unasked(HOUR, 3))),
        (
            "unasked: {longest: 1h, times: 100, hours: Mon 09:00-17:00 Europe/Berlin}",
            Asking(unasked=Unasked(HOUR, 100, Hours((Weekday.MON,), 9 * 60, 17 * 60, "Europe/Berlin"))),
        ),
    ],
)
def test_how_a_permission_is_asked_for(said: str, found: Asking | None) -> None:
    assert read(said) == found


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("ticket: '['", "is no pattern"),
        ("ticket: {pattern: [x]}", "is no pattern"),
        ("ticket: '.*'", "This pattern is in every text."),
        ("ticket: {required: true}", "has no `pattern`"),
        ("ticket: {pattern: '^O', required: perhaps}", "required"),
        ("ahead: 93d", "`93d` is out of range here. From 5m to 92d."),
        ("weekly: 1m", "`1m` is out of range here."),
        ("approvals: 0", "How many say yes is a number. From 1 to 5"),
        ("approvals: 6", "How many say yes is a number."),
        ("approvals: '2'", "How many say yes is a number."),
        ("approvals: [2]", "How many say yes is a number."),
        ("first_use: true", "It is asked for within a window, which lies ahead. Add: ahead: 7d"),
        ("ahead: 7d, first_use: perhaps", "first_use"),
        ("unasked: {longest: 13h, times: 1}", "`13h` is out of range here. From 5m to 12h."),
        ("unasked: {longest: 1h, times: 101}", "How often it is given is a number. From 1 to 100"),
        ("unasked: {longest: 1h, times: often}", "How often it is given is a number."),
        ("unasked: {longest: 1h}", "has no `times`"),
        ("unasked: {times: 2}", "has no `longest`"),
        ("unasked: {longest: 1h, times: 2, hours: at night}", "These are no weekly hours."),
        ("unasked: {longest: 1h, times: 2, hours: [Mon]}", "These are no weekly hours."),
        ("escalate: {after: 24h, to: [boss]}", "`24h` is out of range here. From 5m to 23h."),
        ("escalate: {after: 4h, to: [bos]}", "There is no role bos. Did you mean `boss`?"),
        ("escalate: {after: 4h, to: [web]}", "The role web has no right to approve."),
        ("escalate: {after: 4h, to: []}", "It escalates to nobody."),
        ("escalate: {after: 4h}", "has no `to`"),
        ("escalate: {to: [boss]}", "has no `after`"),
    ],
)
def test_mistakes_in_it_are_named(said: str, problem: str) -> None:
    found = problems(asking(said))
    assert any(problem in each for each in found), found


def test_a_standing_permission_is_not_asked_for() -> None:
    standing = FILE.replace("mode: request", "mode: standing").replace(", approvers: [boss]", ", approvals: 2")
    assert any("A standing permission is not asked for." in each for each in problems(standing))


STRICT = "ticket: '^OPS', ahead: 1d, weekly: 2d, approvals: 2, escalate: {after: 4h, to: [boss]}"


NOBODY = "asks nobody for "
TICKET = "asks otherwise for a ticket: a ticket is needed that matches ^OPS → "


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("approvals: 2", "approvals: 1", "takes 1 yes instead of 2"),
        ("ahead: 1d", "ahead: 2d", "may be asked for up to 2 days ahead"),
        ("weekly: 2d", "weekly: 3d", "may be asked for within weekly hours for up to 3 days"),
        ("ticket: '^OPS'", "ticket: '^O'", f"{TICKET}a ticket is needed that matches ^O"),
        (
            "ticket: '^OPS'",
            "ticket: {pattern: '^OPS', required: false}",
            f"{TICKET}a ticket, if any, that matches ^OPS",
        ),
        ("ticket: '^OPS', ", "", f"{TICKET}any ticket or none"),
        ("after: 4h", "after: 5h", "may be decided by boss, too, after 5 h"),
        ("approvals: 2", "approvals: 3", ""),
        ("approvals: 2", "approvals: 2, first_use: true", "may be asked for from its first use on"),
        (
            "approvals: 2",
            "approvals: 2, unasked: {longest: 1h, times: 3}",
            f"{NOBODY}1 h at a time, 3 times in seven days",
        ),
        ("ahead: 1d, weekly: 2d, ", "", ""),
        (", escalate: {after: 4h, to: [boss]}", "", ""),
    ],
)
def test_what_eases_asking_is_a_widening_change(was: str, now: str, words: str) -> None:
    before, after = matrix(asking(STRICT)), matrix(asking(STRICT.replace(was, now)))
    assert widenings(before, after) == ((f"role web: prod {words}",) if words else ())
    easier = matrix(asking("approvals: 1"))
    assert len(widenings(before, easier)) == 2


RULE = "unasked: {longest: 1h, times: 3, hours: Mon 09:00-17:00 UTC}"


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("longest: 1h", "longest: 2h", "2 h at a time, 3 times in seven days, within Mon 09:00-17:00 UTC"),
        ("times: 3", "times: 4", "1 h at a time, 4 times in seven days, within Mon 09:00-17:00 UTC"),
        (", hours: Mon 09:00-17:00 UTC", "", "1 h at a time, 3 times in seven days"),
        ("Mon 09", "Tue 09", "1 h at a time, 3 times in seven days, within Tue 09:00-17:00 UTC"),
        ("times: 3", "times: 1", ""),
        (RULE, "approvals: 2", ""),
    ],
)
def test_a_rule_that_asks_nobody_widens_where_it_approves_more(was: str, now: str, words: str) -> None:
    before, after = matrix(asking(RULE)), matrix(asking(RULE.replace(was, now)))
    assert widenings(before, after) == ((f"role web: prod {NOBODY}{words}",) if words else ())
    always = matrix(asking("unasked: {longest: 1h, times: 3}"))
    assert widenings(always, before) == (), "hours where there were none are less"


def test_a_manager_or_an_owner_stands_for_a_role() -> None:
    text = FILE.replace("approvers: [boss]", "approvers: [boss, 'requester:manager', 'resource:owner']")
    (permission,) = matrix(text).roles["web"].permissions
    assert permission.approvers == ("boss", "requester:manager", "resource:owner")
    for other in ("requester:owner", "resource:", "Boss"):
        assert problems(FILE.replace("[boss]", f"['{other}']"))
    asking_first = DATABASE.replace("statements: [read]", "statements: [read], ask_first: [write]")
    named = asking_first.replace("approvers: [boss]", "approvers: ['resource:owner']")
    assert any("What asks first is decided by roles." in each for each in problems(named)), problems(named)
