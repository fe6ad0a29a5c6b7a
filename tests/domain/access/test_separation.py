"""Roles that are kept apart: who holds several of them, and who is excused."""

from onepam.domain.access.separation import Excuse, Separation, kept_apart
from onepam.kernel.clock import HOUR, Instant

NOW = Instant(1_000 * HOUR)
APART = Separation("payments", ("clerk", "payer"), "nobody pays what they entered", (Excuse("eve", "read", NOW),))


def test_two_of_the_roles_break_it_and_others_beside_one_do_not() -> None:
    assert APART.together("max", ("payer", "dev", "clerk"), NOW) == ("clerk", "payer")
    assert APART.together("max", ("payer", "dev"), NOW) == ()


def test_who_is_excused_may_hold_both_until_then() -> None:
    before = Instant(NOW - 1)
    assert APART.excuses("eve", before)
    assert not APART.excuses("max", before)
    assert APART.together("eve", ("payer", "clerk"), before) == ()
    assert APART.together("eve", ("payer", "clerk"), NOW) == ("clerk", "payer")


def test_nothing_is_asked_for_under_a_role_that_is_kept_apart_from_another_of_theirs() -> None:
    refused = kept_apart((APART,), "max", "payer", ("clerk", "payer"), NOW)
    assert refused is not None
    assert refused.code == "request.separated"
    assert refused.message == "Nobody holds clerk and payer together (payments): nobody pays what they entered"
    assert kept_apart((APART,), "max", "dev", ("clerk", "payer", "dev"), NOW) is None
    assert kept_apart((APART,), "max", "payer", ("payer", "dev"), NOW) is None
