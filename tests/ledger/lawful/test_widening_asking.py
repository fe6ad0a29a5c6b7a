"""What makes it easier to ask widens a role: beside `test_widening.py`, how what is on request is asked for."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.asked import OWNER, Asking, Unasked
from onepam.domain.access.events import ResourceRemoved
from onepam.domain.access.hours import Hours, Weekday
from onepam.domain.access.model import Permission
from onepam.domain.people.events import GroupMemberAdded
from onepam.kernel.clock import DAY, HOUR
from tests.ledger.lawful.story import DEV, PROD, Story, binding, resource_set, role_set
from tests.ledger.lawful.test_widening import ALONE, gains

STRICT: dict[str, Any] = {
    "ticket": "^OPS", "ticketed": True, "ahead": DAY, "weekly": DAY, "approvals": 2, "escalates": HOUR,
    "then": ("manager",),
}  # fmt: skip


def of(asking: Asking | None) -> Permission:
    """What is asked for so; nobody holds it."""
    return replace(PROD, where={"x": "z"}, asking=asking)


def company() -> Story:
    told = Story().found()
    told.change("chg_1", None, role_set("asked", [of(Asking(**STRICT))]))
    for who in ("ada", "bob"):
        told.enrol(who)
    for who in ("ada", "bob"):
        told.sign_in(who)
    return told


@pytest.mark.parametrize(
    "change",
    [
        {"approvals": 1}, {"ahead": DAY + 1}, {"weekly": DAY + 1}, {"ticketed": False}, {"ticket": "^O"},
        {"ticket": ""}, {"escalates": HOUR - 1}, {"then": ("senior",)}, {"first_use": True},
        {"unasked": Unasked(HOUR, 1)}, None,
    ],
)  # fmt: skip
def test_to_ask_more_easily_takes_two(change: dict[str, Any] | None) -> None:
    eased = role_set("asked", [of(None if change is None else Asking(**{**STRICT, **change}))])
    told = company()
    at = told.change("chg_2", "ada", eased, alone=True)
    assert told.said() == [(at + 2, f"it gives more by the permission prod, {ALONE}")]
    told = company()
    told.change("chg_2", "ada", eased)
    assert told.said() == []


def crews(joins: str, mine: Asking, easier: Asking) -> Story:
    """Somebody asks for production by a role of theirs, and a crew for the same in another way."""
    told = Story().found()
    told.change(
        "chg_1",
        None,
        role_set("asked", [replace(PROD, asking=mine)]),
        role_set("crew", [replace(PROD, asking=easier)]),
        binding(f"bnd_{joins}", "asked", joins),
        binding("bnd_crew", "crew", "crew", group=True),
    )
    for who in ("ada", "bob"):
        told.enrol(who)
    for who in ("ada", "bob"):
        told.sign_in(who)
    return told


@pytest.mark.parametrize(
    "change",
    [{"approvals": 1}, {"weekly": DAY + 1}, {"ticketed": False}, {"first_use": True}, {"unasked": Unasked(HOUR, 1)}],
)
def test_who_comes_to_ask_with_less_gains(change: dict[str, Any]) -> None:
    strict, easier = Asking(**STRICT), Asking(**{**STRICT, **change})
    joins = GroupMemberAdded("crew", "joe", "access.yaml", None)
    told = crews("joe", strict, easier)
    at = told.change("chg_2", "ada", joins, alone=True)
    assert told.said() == [(at + 2, f"it gives somebody more, {ALONE}")]
    told = crews("joe", strict, strict)
    told.change("chg_2", "ada", joins, alone=True)
    assert told.said() == []
    told = crews("ada", strict, easier)
    at = told.change("chg_2", "ada", role_set("asked", [replace(PROD, asking=easier)]))
    assert told.said() == [(at + 1, gains("ada"))]


MONDAY = Hours((Weekday.MON,), 9 * 60, 17 * 60, "UTC")
RULE = Unasked(HOUR, 2, MONDAY)


@pytest.mark.parametrize(
    ("was", "now", "gives"),
    [
        (RULE, replace(RULE, longest=HOUR + 1), True),
        (RULE, replace(RULE, most=3), True),
        (RULE, replace(RULE, hours=None), True),
        (RULE, replace(RULE, hours=replace(MONDAY, closes=18 * 60)), True),
        (RULE, replace(RULE, longest=HOUR - 1, most=1), False),
        (replace(RULE, hours=None), RULE, False),
        (RULE, None, False),
    ],
)
def test_a_rule_that_asks_nobody_for_more_takes_two(was: Unasked, now: Unasked | None, gives: bool) -> None:
    told = Story().found()
    told.change("chg_1", None, role_set("asked", [of(Asking(approvals=2, unasked=was))]))
    for who in ("ada", "bob"):
        told.enrol(who)
    for who in ("ada", "bob"):
        told.sign_in(who)
    at = told.change("chg_2", "ada", role_set("asked", [of(Asking(approvals=2, unasked=now))]), alone=True)
    assert told.said() == ([(at + 2, f"it gives more by the permission prod, {ALONE}")] if gives else [])


def test_to_ask_less_easily_takes_one() -> None:
    told = company()
    harder = Asking("^OPS", ticketed=True, approvals=3)
    told.change("chg_2", "ada", role_set("asked", [of(harder)]), alone=True)
    assert told.said() == []


@pytest.mark.parametrize(
    ("owner", "labels", "approvers", "gains"),
    [
        ("max", {"env": "prod"}, (OWNER,), True),
        ("max", {"env": "prod"}, ("manager",), False),  # nobody asks the owner
        ("max", {"env": "dev"}, (OWNER,), False),  # not of that
        ("eve", {"env": "prod"}, (OWNER,), False),  # who approves nothing
        ("ada", {"env": "prod"}, (OWNER,), False),  # who owned it
    ],
)
def test_to_make_somebody_the_owner_who_decides_takes_two(
    owner: str, labels: dict[str, str], approvers: tuple[str, ...], gains: bool
) -> None:
    name = "web-1" if labels["env"] == "prod" else "dev-1"
    for alone in (True, False):
        told = Story().found()
        told.change("chg_1", None, role_set("engineer", [DEV, replace(PROD, approvers=approvers)]))
        for who in ("ada", "bob"):
            told.enrol(who)
        for who in ("ada", "bob"):
            told.sign_in(who)
        at = told.change("chg_2", "ada", replace(resource_set(name, labels), owner=owner), alone=alone)
        assert told.said() == ([(at + 2, f"its owner decides on requests for it, {ALONE}")] if gains and alone else [])


def test_what_is_gone_again_has_no_owner_who_decides() -> None:
    told = Story().found()
    told.change("chg_1", None, role_set("engineer", [DEV, replace(PROD, approvers=(OWNER,))]))
    told.enrol("ada")
    told.sign_in("ada")
    gone = ResourceRemoved("web-1", "", None)
    told.change("chg_2", "ada", replace(resource_set("web-1", {"env": "prod"}), owner="max"), gone, alone=True)
    assert told.said() == []
