"""Accepting the risk of a sign-in without a second factor: who proposes, who signs, for whom never, until when."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import HeldRole
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proof import MfaBasis
from onepam.domain.access.proposal import Proposal, ProposalKind, ProposalRefused
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in import exceptions as rules
from onepam.domain.signing_in.exception_events import MfaExceptionAccepted, MfaExceptionEnded, MfaExceptionProposed
from onepam.domain.signing_in.exceptions import ExceptingFacts, ExceptionFacts, Proposed
from onepam.domain.signing_in.gate import Tries
from onepam.domain.signing_in.rules import AccountFacts
from onepam.kernel.clock import DAY, MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, MONITOR, NOW, present, proposal

SENIOR = HeldRole("bnd_5", "", "senior", "v1", (), (ConsoleRight.ACCEPT_RISK,), None)
EVE = AccountFacts("eve", PersonKind.EMPLOYEE, True, None, Tries(), (), (), ())
ENDS = Instant(NOW + 30 * DAY)
WANTED = Proposed("exc_1", "eve", "No phone on the shop floor", "Only from the office network", ENDS)
PROPOSED = ExceptionFacts("exc_1", "eve", ENDS)
LAID = proposal(ProposalKind.MFA_EXCEPTION, "exc_1", "ada", person="eve")
ASKED = ExceptingFacts(present("ada", ADMINISTRATOR), EVE, None, 0, None)
WAITING = ExceptingFacts(present("sue", SENIOR), EVE, PROPOSED, 0, LAID)


def code(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def test_an_administrator_proposes() -> None:
    answer = rules.propose(ASKED, WANTED, NOW)
    assert answer == Decided((MfaExceptionProposed("exc_1", "eve", ENDS, "ada", WANTED.reason, WANTED.control),), None)


@pytest.mark.parametrize(
    ("facts", "wanted", "expected"),
    [
        (replace(ASKED, actor=present("max", MONITOR)), WANTED, "right.missing"),
        (replace(ASKED, exception=PROPOSED), WANTED, "mfa_exception.taken"),
        (replace(ASKED, account=None), WANTED, "person.unknown"),
        (replace(ASKED, account=replace(EVE, kind=None)), WANTED, "person.unknown"),
        (replace(ASKED, account=replace(EVE, kind=PersonKind.SERVICE)), WANTED, "person.unknown"),
        (replace(ASKED, account=replace(EVE, enabled=False)), WANTED, "person.unknown"),
        (ASKED, replace(WANTED, person="ada"), "mfa_exception.self"),
        (replace(ASKED, account=replace(EVE, roles=(ADMINISTRATOR,))), WANTED, "mfa_exception.administrative"),
        (replace(ASKED, others=rules.MOST_OPEN), WANTED, "mfa_exception.many"),
        (ASKED, replace(WANTED, reason=" "), "text.missing"),
        (ASKED, replace(WANTED, control=""), "text.missing"),
        (ASKED, replace(WANTED, ends=NOW), "mfa_exception.end"),
        (ASKED, replace(WANTED, ends=Instant(NOW + 90 * DAY + 1)), "mfa_exception.end"),
    ],
)
def test_what_is_not_proposed(facts: ExceptingFacts, wanted: Proposed, expected: str) -> None:
    assert code(rules.propose(facts, wanted, NOW)) == expected


def test_a_senior_approver_signs() -> None:
    assert rules.accept(WAITING, NOW) == Decided((MfaExceptionAccepted("exc_1", "eve", ENDS, "sue", NOW),), None)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(WAITING, actor=present("max", ADMINISTRATOR)), "right.missing"),
        (replace(WAITING, actor=replace(present("sue", SENIOR), basis=MfaBasis.DECLARED)), "mfa.not_shown"),
        (replace(WAITING, actor=replace(present("sue", SENIOR), mfa_at=Instant(NOW - 5 * MINUTE))), "factor.stale"),
        (replace(WAITING, exception=None), "mfa_exception.unknown"),
        (replace(WAITING, proposal=None), "mfa_exception.unknown"),
        (replace(WAITING, exception=replace(PROPOSED, person="sue")), "mfa_exception.self"),
        (replace(WAITING, account=replace(EVE, roles=(ADMINISTRATOR,))), "mfa_exception.administrative"),
    ],
)
def test_what_is_not_accepted(facts: ExceptingFacts, expected: str) -> None:
    assert code(rules.accept(facts, NOW)) == expected


@pytest.mark.parametrize(
    ("laid", "event"),
    [
        (
            replace(LAID, by="sue"),
            ProposalRefused(ProposalKind.MFA_EXCEPTION, "exc_1", "sue", "mfa_exception.self_approval"),
        ),
        (
            replace(LAID, person="sue"),
            ProposalRefused(ProposalKind.MFA_EXCEPTION, "exc_1", "sue", "mfa_exception.self_approval"),
        ),
        (replace(LAID, until=NOW), MfaExceptionEnded("exc_1", "eve", "mfa_exception.lapsed", "sue")),
    ],
)
def test_what_is_not_accepted_is_recorded(laid: Proposal, event: object) -> None:
    outcome = rules.accept(replace(WAITING, proposal=laid), NOW)
    assert isinstance(outcome, Decided)
    assert outcome.events == (event,)
    assert isinstance(outcome.result, Refused)


@pytest.mark.parametrize("role", [ADMINISTRATOR, SENIOR])
def test_either_ends_it_early(role: HeldRole) -> None:
    facts = replace(WAITING, actor=present("tom", role))
    assert rules.end(facts, "has a key now", NOW) == Decided(
        (MfaExceptionEnded("exc_1", "eve", "has a key now", "tom"),), None
    )


@pytest.mark.parametrize(
    ("facts", "because", "expected"),
    [
        (replace(WAITING, actor=present("max", MONITOR)), "why", "right.missing"),
        (replace(WAITING, actor=replace(present("sue", SENIOR), signed_in_until=NOW)), "why", "sign_in.ended"),
        (replace(WAITING, exception=None), "why", "mfa_exception.unknown"),
        (WAITING, "", "text.missing"),
    ],
)
def test_who_ends_it_not(facts: ExceptingFacts, because: str, expected: str) -> None:
    assert code(rules.end(facts, because, NOW)) == expected
