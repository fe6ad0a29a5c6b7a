"""Statements that ask first: who may wait, who decides, and what ends the wait, branch by branch."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import ActorFacts, HeldRole
from onepam.domain.access.guardrails import StatementClass
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proof import MfaBasis
from onepam.domain.access.proposal import ProposalKind, ProposalRefused
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.waiting_statements import (
    LONGEST,
    LONGEST_IN_TRANSACTION,
    Asking,
    AskingFacts,
    DecidingFacts,
    EndingFacts,
    OpenSession,
    StatementApproved,
    StatementAsked,
    StatementEnded,
    approve,
    ask,
    deny,
    end,
)
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ENGINEER, LATER, MANAGER, NOW, present, proposal

ASKING = Asking("stm_1", "ses_1", 7, (StatementClass.WRITE,), in_transaction=False)
SESSION = OpenSession("eve", "db-1", "app", LATER, ("manager",), waits=False, anybody=True)
WAITS = replace(proposal(ProposalKind.STATEMENT, "stm_1", "eve"), roles=("manager",))
MAX = present("max", MANAGER)


def test_it_waits_for_the_roles_of_the_permission() -> None:
    asked = StatementAsked(
        "stm_1", "ses_1", "eve", "db-1", "app", 7, (StatementClass.WRITE,), False, ("manager",), Instant(NOW + LONGEST)
    )
    assert ask(AskingFacts(SESSION), ASKING, NOW) == Decided((asked,), asked)


@pytest.mark.parametrize(
    ("in_transaction", "left", "longest", "waits"),
    [
        (False, HOUR, LONGEST, LONGEST),
        (True, HOUR, LONGEST, LONGEST_IN_TRANSACTION),
        (False, MINUTE, LONGEST, MINUTE),
        (True, MINUTE, LONGEST, MINUTE),
        (False, 12 * HOUR, 11 * HOUR, 11 * HOUR),
        (True, 12 * HOUR, 11 * HOUR, LONGEST_IN_TRANSACTION),
        (False, HOUR, MINUTE, MINUTE),
        (True, HOUR, MINUTE, MINUTE),
        (False, HOUR, 11 * HOUR, HOUR),
    ],
)
def test_how_long_it_waits(in_transaction: bool, left: int, longest: int, waits: int) -> None:
    facts = AskingFacts(replace(SESSION, ends=Instant(NOW + left)))
    found = ask(facts, replace(ASKING, in_transaction=in_transaction, longest=longest), NOW)
    assert isinstance(found, Decided)
    assert found.result.expires == NOW + waits
    assert (LONGEST, LONGEST_IN_TRANSACTION) == (10 * MINUTE, 2 * MINUTE)


@pytest.mark.parametrize(
    ("session", "code"),
    [
        (None, "session_over"),
        (replace(SESSION, ends=NOW), "session_over"),
        (replace(SESSION, waits=True), "one_waits"),
        (replace(SESSION, anybody=False), "nobody"),
    ],
)
def test_what_does_not_wait(session: OpenSession | None, code: str) -> None:
    refused = ask(AskingFacts(session), ASKING, NOW)
    assert isinstance(refused, Refused)
    assert refused.code == f"statement.{code}"


def test_somebody_of_the_roles_lets_it_run() -> None:
    found = approve(DecidingFacts(MAX, WAITS), NOW)
    assert found == Decided((StatementApproved("stm_1", "max", "manager"),), None)


def said(actor: ActorFacts, *, privileged: bool = True) -> tuple[str, tuple[object, ...]]:
    """Of a yes and of a no alike: the code, and what is recorded."""
    found = approve(DecidingFacts(actor, WAITS, privileged), NOW)
    if isinstance(found, Refused):
        return found.code, ()
    return (found.result.code if found.result else ""), found.events


OTHER = HeldRole("bnd_9", "", "lead", "v1", (), (ConsoleRight.APPROVE,), None)


@pytest.mark.parametrize(
    ("actor", "code", "recorded"),
    [
        (present("eve", MANAGER), "statement.self_approval", True),
        (present("max", OTHER), "statement.no_authority", True),
        (present("max", ENGINEER, replace(OTHER, role="manager", console=(ConsoleRight.AUDIT,)), OTHER), "", True),
        (replace(MAX, linked_by=("eve",)), "statement.one_hand", True),
        (present("max", ENGINEER), "right.missing", False),
        (replace(MAX, mfa_at=Instant(NOW - 15 * MINUTE)), "factor.stale", False),
        (replace(MAX, basis=MfaBasis.DECLARED), "mfa.not_shown", False),
    ],
)
def test_who_does_not_let_it_run(actor: ActorFacts, code: str, recorded: bool) -> None:
    code = code or "statement.no_authority"
    tried = (ProposalRefused(ProposalKind.STATEMENT, "stm_1", actor.person, code),) if recorded else ()
    assert said(actor) == (code, tried)


def test_what_is_not_privileged_takes_a_factor_that_nobody_saw() -> None:
    assert said(replace(MAX, basis=MfaBasis.DECLARED), privileged=False)[0] == ""


@pytest.mark.parametrize(
    ("waits", "code"),
    [
        (replace(WAITS, until=NOW), "lapsed"),
        (replace(WAITS, present=False), "proposer_left"),
        (replace(WAITS, entitled=False), "proposer_right"),
    ],
)
def test_what_is_void_runs_no_more_whoever_looks(waits: object, code: str) -> None:
    code = f"statement.{code}"
    for found in (approve(DecidingFacts(MAX, waits), NOW), deny(DecidingFacts(MAX, waits), "", NOW)):  # type: ignore[arg-type]
        assert isinstance(found, Decided)
        assert found.events == (StatementEnded("stm_1", code, "max"),)


def test_a_no_takes_the_same_authority_and_no_fresh_factor() -> None:
    old = replace(MAX, mfa_at=Instant(NOW - HOUR))
    denied = StatementEnded("stm_1", "denied", "max", "too many rows")
    assert deny(DecidingFacts(old, WAITS), " too many  rows ", NOW) == Decided((denied,), None)
    stranger = deny(DecidingFacts(present("max", OTHER), WAITS), "", NOW)
    assert isinstance(stranger, Decided)
    assert stranger.result is not None
    assert stranger.result.code == "statement.no_authority"


def test_its_own_person_takes_it_back() -> None:
    taken = StatementEnded("stm_1", "withdrawn", "eve", "")
    assert deny(DecidingFacts(present("eve", ENGINEER), WAITS), "", NOW) == Decided((taken,), None)


@pytest.mark.parametrize(
    ("facts", "reason", "code"),
    [
        (DecidingFacts(replace(MAX, enabled=False), WAITS), "", "person.disabled"),
        (DecidingFacts(MAX, None), "", "statement.unknown"),
        (DecidingFacts(MAX, WAITS), "a\0b", "text.not_plain"),
    ],
)
def test_no_such_no(facts: DecidingFacts, reason: str, code: str) -> None:
    refused = deny(facts, reason, NOW)
    assert isinstance(refused, Refused)
    assert refused.code == code


def test_nothing_that_does_not_wait_runs() -> None:
    refused = approve(DecidingFacts(MAX, None), NOW)
    assert isinstance(refused, Refused)
    assert refused.code == "statement.unknown"


def test_the_gateway_ends_what_waits_and_nothing_else() -> None:
    gone = StatementEnded("stm_1", "client.left", None)
    assert end(EndingFacts(waits=True), "stm_1", "client.left") == Decided((gone,), True)
    assert end(EndingFacts(waits=False), "stm_1", "client.left") == Decided((), False)
