"""Whoever may ask for the same with less gains by it: a plan says so, and neither of the two who decide may be one."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.model import Mode, SubjectKind
from onepam.domain.matrix.matrix import SOURCE, Matrix, RoleDefinition
from onepam.kernel.clock import DAY, HOUR
from tests.domain.matrices import BASE, PROD, bind, gained, plan, with_permission

STRICT: dict[str, Any] = {
    "ticket": "^OPS", "ticketed": True, "ahead": DAY, "weekly": DAY, "approvals": 2, "escalates": HOUR,
    "then": ("lead",), "unasked": Unasked(HOUR, 1),
}  # fmt: skip
EASIER: tuple[dict[str, Any], ...] = (
    {"approvals": 1}, {"ahead": DAY + 1}, {"weekly": DAY + 1}, {"ticketed": False}, {"ticket": "^O"},
    {"escalates": HOUR - 1}, {"then": ("dev",)}, {"first_use": True}, {"unasked": Unasked(HOUR + 1, 1)},
    {"unasked": Unasked(HOUR, 2)},
)  # fmt: skip


def held(asking: Asking, team: Asking, *members: str) -> Matrix:
    """Eve may ask for production as a developer, and the crew for the same in another way."""
    crew = RoleDefinition("crew", "is on call", "ada", (), (replace(PROD, asking=team),))
    own = with_permission(asking=asking)
    bound = bind("crew", "team", SubjectKind.GROUP)
    return replace(
        own,
        groups={"team": dict.fromkeys(members, SOURCE)},
        roles={**own.roles, "crew": crew},
        bindings={**own.bindings, bound.binding: bound},
    )


@pytest.mark.parametrize("change", EASIER)
def test_who_may_ask_with_less_gains(change: dict[str, Any]) -> None:
    strict, easier = Asking(**STRICT), Asking(**{**STRICT, **change})
    joins = plan(held(strict, easier), held(strict, easier, "eve"))
    assert joins.widenings == ()
    assert joins.widens
    (found,) = gained(joins)["eve"].gained
    assert (found.role, found.resources, found.mode) == ("crew", ("web",), Mode.REQUEST)
    eased = plan(with_permission(asking=strict), with_permission(asking=easier))
    assert eased.gained_by("eve") is not None
    assert not plan(held(strict, strict), held(strict, strict, "eve")).widens


def test_who_has_a_rule_that_asks_nobody_is_given_no_less_by_what_asks() -> None:
    rule = Asking(unasked=Unasked(HOUR, 1))
    assert not plan(held(rule, Asking()), held(rule, Asking(), "eve")).widens
    (found,) = gained(plan(BASE, with_permission(asking=rule)))["eve"].gained
    assert found.asks == "nobody is asked for 1 h at a time, once in seven days"
    standing = with_permission(mode=Mode.STANDING, approvers=())
    assert not gained(plan(standing, with_permission(asking=rule)))["eve"].gains
