"""Rights held against their use: what is flagged, by when something is done, and what is proposed."""

from dataclasses import replace

import pytest

from onepam.domain.access.model import Mode, Permission
from onepam.domain.matrix.matrix import RoleDefinition
from onepam.domain.matrix.use import (
    DISPOSED_WITHIN,
    UNUSED_AFTER,
    HeldUse,
    Proposal,
    RoleUse,
    Standing,
    Used,
    by_role,
    proposals,
)
from onepam.kernel.clock import DAY, HOUR, Instant

NOW = Instant(1_000 * DAY)
OLD = HeldUse("eve", "dev", Instant(NOW - 200 * DAY), True, (), 4, 0, Used())
YOUNG = replace(OLD, person="joe", since=Instant(NOW - UNUSED_AFTER + 1))
BUSY = replace(OLD, person="max", touched=2, used=Used(3, Instant(NOW - DAY), 7))
SHELL = Permission("shell", (), {"env": "dev"}, ("app",), Mode.STANDING, HOUR)
ROLE = RoleDefinition("dev", "develops", "ada", (), (SHELL, replace(SHELL, name="root", mode=Mode.REQUEST)))


def test_what_is_held_for_ninety_days_and_not_used_is_unused() -> None:
    assert OLD.standing(NOW) is Standing.UNUSED
    assert YOUNG.standing(NOW) is Standing.NEW
    assert YOUNG.standing(Instant(NOW + 1)) is Standing.UNUSED
    assert BUSY.standing(NOW) is Standing.USED
    lapsed = replace(BUSY, used=Used(0, Instant(NOW - UNUSED_AFTER)))
    assert (lapsed.standing(NOW), lapsed.flagged()) == (Standing.UNUSED, NOW)
    assert replace(lapsed, since=Instant(NOW - DAY)).standing(NOW) is Standing.NEW


def test_it_is_late_thirty_days_after_that_unless_a_review_kept_it() -> None:
    due = Instant(OLD.since + UNUSED_AFTER + DISPOSED_WITHIN)
    assert OLD.due() == due
    assert OLD.is_late(due)
    assert not OLD.is_late(Instant(due - 1))
    assert not BUSY.is_late(NOW)
    assert not replace(OLD, kept=OLD.flagged()).is_late(NOW)
    assert replace(OLD, kept=Instant(OLD.flagged() - 1)).is_late(NOW)


def test_uses_add_up() -> None:
    one, other = Used(1, Instant(5), 2), Used(2, Instant(3), 1)
    assert one.plus(other) == other.plus(one) == Used(3, Instant(5), 3)
    assert one.plus(Used()) == Used().plus(one) == one
    assert Used().plus(Used()) == Used()


def test_a_role_is_summed_over_its_holders() -> None:
    kept = replace(OLD, person="pat", kept=NOW)
    assert by_role((OLD, YOUNG, BUSY, kept, replace(OLD, role="ops")), NOW) == (
        RoleUse("dev", 4, 1, 1, 1, 16, 2),
        RoleUse("ops", 1, 0, 1, 1, 4, 0),
    )
    assert RoleUse("dev", 4, 1, 1, 1, 16, 2).share == 0.125
    assert RoleUse("dev", 0, 0, 0, 0, 0, 0).share == 0


@pytest.mark.parametrize(
    ("held", "used", "proposed"),
    [
        ((OLD, BUSY), {("dev", "shell")}, [Proposal("dev", "eve")]),
        ((OLD, BUSY), set(), [Proposal("dev", permission="shell"), Proposal("dev", "eve")]),
        ((OLD, YOUNG), set(), [Proposal("dev", "eve")]),
        ((replace(OLD, by_name=False, groups=("devs",)), BUSY), {("dev", "shell")}, []),
        ((replace(OLD, kept=NOW), BUSY), {("dev", "shell")}, []),
        ((replace(OLD, role="gone"),), set(), [Proposal("gone", "eve")]),
    ],
)
def test_what_is_proposed(held: tuple[HeldUse, ...], used: set[tuple[str, str]], proposed: list[Proposal]) -> None:
    assert list(proposals(held, {"dev": ROLE}, frozenset(used), NOW)) == proposed
