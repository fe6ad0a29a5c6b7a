"""Who locks a person, a resource or everything, and who lifts it."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import Actor, ActorFacts
from onepam.domain.access.locking import LiftFacts, LockFacts, LockLifted, LockScope, LockSet, lift, lock
from onepam.domain.history.commit import Decided
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADA, ADMINISTRATOR, MANAGER, MAX, MONITOR, NOW, present

BY_ADA = LockFacts(present("ada", ADMINISTRATOR), known=True)
LIFTING = LiftFacts(
    present("ada", ADMINISTRATOR), True, setting=frozenset({"mon"}), administrators=frozenset({"ada", "bob"})
)


def lifting(locked: str, setting: str, administrators: str) -> LiftFacts:
    """What ada looks at: names with a space between."""
    names = (frozenset(each.split()) for each in (locked, setting, administrators))
    return LiftFacts(LIFTING.actor, True, *names)


@pytest.mark.parametrize(
    ("scope", "about", "on"),
    [
        (LockScope.PERSON, "eve", ("eve", None)),
        (LockScope.RESOURCE, "web-1", (None, "web-1")),
        (LockScope.EVERYTHING, "", (None, None)),
    ],
)
def test_whoever_administers_or_monitors_locks_with_a_reason(
    scope: LockScope, about: str, on: tuple[str | None, str | None]
) -> None:
    for facts, actor in ((BY_ADA, ADA), (replace(BY_ADA, actor=present("max", MONITOR)), MAX)):
        made = lock(facts, actor, "lck_1", scope, about, "odd commands", NOW)
        assert made == Decided((LockSet("lck_1", scope, *on, actor.person, "odd commands"),), "lck_1")


@pytest.mark.parametrize(
    ("facts", "actor", "reason", "code"),
    [
        (replace(BY_ADA, actor=replace(BY_ADA.actor, enabled=False)), ADA, "odd", "person.disabled"),
        (replace(BY_ADA, actor=present("max", MANAGER)), MAX, "odd", "right.missing"),
        (replace(BY_ADA, known=False), ADA, "odd", "lock.target.unknown"),
        (replace(BY_ADA, stands=True), ADA, "odd", "lock.stands"),
        (BY_ADA, ADA, " ", "text.missing"),
    ],
)
def test_what_cannot_be_locked(facts: LockFacts, actor: Actor, reason: str, code: str) -> None:
    outcome = lock(facts, actor, "lck_1", LockScope.PERSON, "eve", reason, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


@pytest.mark.parametrize(
    "facts",
    [
        LIFTING,
        lifting("eve", "mon", "ada bob"),
        lifting("", "ada", "ada"),
        lifting("bob", "ada", "ada bob"),  # only whom it is on is left: whoever set it
        lifting("ada", "mon", "ada"),
        lifting("ada", "ada", "ada"),
    ],
)
def test_another_administrator_lifts_it_and_who_set_it_where_there_is_no_other(facts: LiftFacts) -> None:
    assert lift(facts, ADA, "lck_1", NOW) == Decided((LockLifted("lck_1", "ada"),), None)


def stale(actor: ActorFacts) -> ActorFacts:
    return replace(actor, mfa_at=Instant(NOW - HOUR))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(LIFTING, actor=present("ada", MONITOR)), "right.missing"),
        (replace(LIFTING, actor=stale(LIFTING.actor)), "factor.stale"),
        (replace(LIFTING, stands=False), "lock.unknown"),
        (lifting("", "ada", "ada bob"), "lock.self_approval"),
        (lifting("eve", "mon ada", "ada bob"), "lock.self_approval"),
        (lifting("ada", "mon", "ada bob"), "lock.self_approval"),
        (lifting("ada", "bob", "ada bob"), "lock.self_approval"),
        (lifting("eve ada", "bob", "ada bob"), "lock.self_approval"),
    ],
)
def test_what_is_not_lifted(facts: LiftFacts, code: str) -> None:
    outcome = lift(facts, ADA, "lck_1", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code
