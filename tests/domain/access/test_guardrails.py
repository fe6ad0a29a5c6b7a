"""Guardrails: which are wider, and what the door makes of several."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.decision import AccessFacts, Permitted, decide
from onepam.domain.access.guardrails import ASKABLE, WAITS, Guardrails, StatementClass, as_wide, asking, narrower, width
from onepam.domain.access.guardrails import PLAIN as EVERY
from onepam.domain.access.model import Action, Mode, Permission, ResourceKind
from onepam.domain.access.proposal import RULES, ProposalKind
from onepam.kernel.clock import HOUR, MINUTE, SECOND
from onepam.kernel.errors import Refused
from tests.domain.given import ENGINEER, GRANT, NOW, PROD, WEB, access

READ, WRITE, DDL = StatementClass.READ, StatementClass.WRITE, StatementClass.DDL
READING = Guardrails((READ,), 100, 30 * SECOND, 1_000, MINUTE)
BOUNDS = st.none() | st.integers(1, 3)
ASK_WRITE, ASK_DDL = StatementClass.ASK_WRITE, StatementClass.ASK_DDL


def passing(found: dict[StatementClass, bool]) -> tuple[StatementClass, ...]:
    """The classes that run, and of each whether it asks first."""
    return (*sorted(each for each in found if not found[each]), *sorted(asking(each) for each in found if found[each]))


SETS = st.dictionaries(st.sampled_from((READ, WRITE, DDL)), st.booleans(), min_size=1).map(passing)
GUARDRAILS = st.none() | st.builds(Guardrails, SETS, BOUNDS, BOUNDS, BOUNDS, BOUNDS)

PLAIN = (Action.QUERY, Action.UNMASKED)
QUERY = replace(PROD, name="query", actions=(Action.QUERY,), mode=Mode.STANDING, guardrails=READING)
DATABASE = replace(WEB, kind=ResourceKind.POSTGRES)


@pytest.mark.parametrize(
    "other",
    [
        None,
        replace(READING, statements=(READ, WRITE)),
        replace(READING, rows=101),
        replace(READING, rows=None),
        replace(READING, timeout=31 * SECOND),
        replace(READING, timeout=None),
        replace(READING, bytes=1_001),
        replace(READING, bytes=None),
        replace(READING, wait=MINUTE + 1),
        replace(READING, wait=None),
    ],
)
def test_each_bound_alone_makes_it_wider(other: Guardrails | None) -> None:
    assert as_wide(other, READING)
    assert not as_wide(READING, other)
    assert width(other) > width(READING)
    assert narrower(other, READING) == narrower(READING, other) == READING


def test_of_two_that_each_allow_something_neither_is_as_wide() -> None:
    one, other = Guardrails((READ,), None, 5), Guardrails((READ, WRITE), 7, None)
    assert not as_wide(one, other)
    assert not as_wide(other, one)
    assert narrower(one, other) == Guardrails((READ,), 7, 5)


@given(GUARDRAILS, GUARDRAILS, GUARDRAILS)
def test_wider_is_an_order_and_what_both_let_through_is_below_both(
    one: Guardrails | None, two: Guardrails | None, three: Guardrails | None
) -> None:
    assert as_wide(one, one)
    if as_wide(one, two):
        assert width(one) >= width(two)
        if as_wide(two, three):
            assert as_wide(one, three)
        if as_wide(two, one):
            assert one == two
    both = narrower(one, two)
    assert as_wide(one, both)
    assert as_wide(two, both)
    if as_wide(one, three) and as_wide(two, three):
        assert as_wide(both, three)


def facts(*permissions: Permission) -> AccessFacts:
    """What eve holds for a database."""
    held = replace(ENGINEER, permissions=permissions)
    return replace(access(held), resource=DATABASE)


def permitted(known: AccessFacts, needed: tuple[Action, ...] = (), guarded: Guardrails | None = None) -> Permitted:
    found = decide(known, "root", NOW, needed, guarded)
    assert isinstance(found, Permitted), found
    return found


def test_a_session_has_the_guardrails_of_its_permission() -> None:
    assert permitted(facts(QUERY)).guardrails == READING
    assert permitted(facts(replace(QUERY, guardrails=None))).guardrails is None


def test_what_is_no_database_has_none() -> None:
    both = replace(QUERY, actions=(Action.SHELL, Action.QUERY))
    assert permitted(replace(facts(both), resource=WEB)).guardrails is None
    assert permitted(facts(both)).guardrails == READING


def test_of_several_the_widest_holds_however_long_it_lasts() -> None:
    wide = replace(QUERY, name="wide", guardrails=Guardrails((READ, WRITE)), longest=HOUR)
    free = replace(QUERY, name="free", guardrails=None, longest=MINUTE)
    for ways, said in (((QUERY, wide), wide), ((wide, QUERY), wide), ((wide, free), free), ((free, QUERY), free)):
        found = permitted(facts(*ways))
        assert (found.because.permission, found.guardrails) == (said.name, said.guardrails)
        assert found.ends == NOW + said.longest
        assert found.also == ()


def test_a_session_that_runs_goes_on_only_under_what_lets_through_as_much() -> None:
    wide = replace(QUERY, name="wide", guardrails=Guardrails((READ, WRITE)), longest=HOUR)
    needed = (Action.QUERY,)
    assert permitted(facts(QUERY, wide), needed, READING).because.permission == "query"  # it lasts longer
    assert permitted(facts(QUERY, wide), needed, wide.guardrails).because.permission == "wide"
    for guarded in (wide.guardrails, None):
        refused = decide(facts(QUERY), "root", NOW, needed, guarded)
        assert isinstance(refused, Refused)
        assert refused.code == "access.narrowed"


@pytest.mark.parametrize(
    ("asked", "now", "holds"),
    [
        (READING, None, READING),
        (None, READING, READING),
        (READING, Guardrails((WRITE, READ), 50), replace(READING, rows=50)),
    ],
)
def test_what_was_approved_is_not_widened_by_the_role(
    asked: Guardrails | None, now: Guardrails | None, holds: Guardrails
) -> None:
    substance = replace(GRANT.substance, actions=(Action.QUERY,), guardrails=asked)
    held = replace(PROD, actions=(Action.QUERY,), guardrails=now)
    known = replace(facts(held), grants=(replace(GRANT, substance=substance),))
    assert permitted(known).guardrails == holds


def test_who_sees_masked_columns_as_they_are_has_the_guardrails_of_that_permission() -> None:
    wide, plain = replace(QUERY, name="a", guardrails=None), replace(QUERY, name="b", actions=PLAIN)
    for permissions in ((wide, plain), (plain, wide)):
        found = permitted(facts(*permissions))
        assert (found.actions, found.guardrails, found.because.permission) == (PLAIN, READING, "b")


def test_a_session_that_sees_unmasked_ends_where_that_is_taken() -> None:
    assert permitted(facts(QUERY), (Action.QUERY,), READING).actions == (Action.QUERY,)
    ended = decide(facts(QUERY), "root", NOW, PLAIN, READING)
    assert isinstance(ended, Refused)
    assert ended.code == "access.narrowed"


def test_a_class_that_asks_first_is_between_one_that_runs_and_one_that_does_not() -> None:
    runs, asks, neither = Guardrails((READ, WRITE)), Guardrails((READ, ASK_WRITE)), Guardrails((READ,))
    for wide, narrow in ((runs, asks), (asks, neither), (runs, neither)):
        assert as_wide(wide, narrow)
        assert not as_wide(narrow, wide)
        assert width(wide) > width(narrow)
        assert narrower(wide, narrow) == narrower(narrow, wide) == narrow
    assert (*asks.runs(), *asks.asks(), *runs.asks()) == (READ, WRITE)
    assert asking(WRITE) is ASK_WRITE
    assert StatementClass.OTHER not in ASKABLE
    assert {*EVERY} - {*ASKABLE} == {StatementClass.OTHER}


def test_a_class_that_runs_asks_nobody_whatever_else_is_said() -> None:
    assert Guardrails((WRITE, ASK_WRITE)).asks() == frozenset()


def test_of_two_that_ask_for_different_classes_both_ask_in_what_both_let_through() -> None:
    one, other = Guardrails((READ, WRITE, ASK_DDL)), Guardrails((READ, ASK_WRITE, DDL))
    assert not as_wide(one, other)
    assert not as_wide(other, one)
    assert narrower(one, other) == narrower(other, one) == Guardrails((READ, ASK_WRITE, ASK_DDL))


def test_guardrails_in_words() -> None:
    assert Guardrails((StatementClass.READ,)).words() == "read"
    every = Guardrails((StatementClass.READ, StatementClass.OTHER, StatementClass.ASK_WRITE), 1_000, 30 * SECOND)
    assert every.words() == "read and other; write once somebody has said yes; at most 1,000 rows; at most 30 s"
    more = replace(every, bytes=10 << 20, wait=HOUR).words()
    assert "; for which a statement waits at most 60 min; at most 1,000 rows; at most 10 MiB; " in more
    assert "waits at most 90 s;" in replace(every, wait=90 * SECOND).words()
    assert "waits" not in Guardrails((READ,), wait=HOUR).words()


@pytest.mark.parametrize(
    ("size", "said"),
    [(1, "1 bytes"), (1_500, "1,500 bytes"), (1 << 10, "1 KiB"), (3 << 20, "3 MiB"), (2_000 << 30, "2,000 GiB")],
)
def test_a_bound_of_bytes_in_words(size: int, said: str) -> None:
    assert Guardrails((READ,), bytes=size).words() == f"read; at most {said}"


def test_what_says_nothing_of_its_wait_waits_as_long_as_the_product_has_it() -> None:
    plain, same = Guardrails((READ, ASK_WRITE)), Guardrails((READ, ASK_WRITE), wait=10 * MINUTE)
    assert plain.waits() == same.waits() == WAITS == RULES[ProposalKind.STATEMENT].lapse
    assert as_wide(plain, same)
    assert as_wide(same, plain)
    longer = replace(plain, wait=HOUR)
    assert narrower(plain, longer) == narrower(longer, plain) == plain
