"""Accepting the risk that one person signs in without a proven second factor: proposed, signed, bounded, never silent.

One person proposes, a senior approver signs under a fresh factor, and neither is whom it is for. It is never for
somebody administrative, and ends by itself within 90 days. Whatever is privileged stays shut
(domain/access/mfa_rule.py).
"""

from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import RULES, Proposal, ProposalKind, judge, may_propose
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.exception_events import MfaExceptionAccepted, MfaExceptionEnded, MfaExceptionProposed
from onepam.domain.signing_in.rules import AccountFacts
from onepam.kernel import limits
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

LONGEST = 90 * DAY
_RULES = RULES[ProposalKind.MFA_EXCEPTION]

MOST_OPEN = 5
"""Exceptions and proposals for one person at a time."""


@dataclass(frozen=True, slots=True)
class ExceptionFacts:
    """One exception as of the decision."""

    exception: str
    person: str
    ends: Instant


@dataclass(frozen=True, slots=True)
class ExceptingFacts:
    """The actor, the person whom it is about (None where there is none), the exception in question, how many others of
    the person's wait or are in force, and the proposal of the exception while it waits."""

    actor: ActorFacts
    account: AccountFacts | None
    exception: ExceptionFacts | None
    others: int
    proposal: Proposal | None


@dataclass(frozen=True, slots=True)
class Proposed:
    """An exception as it is asked for."""

    exception: str
    person: str
    reason: str
    control: str
    ends: Instant


def propose(facts: ExceptingFacts, wanted: Proposed, now: Instant) -> Decided[None] | Refused:
    """An administrator asks a senior approver to accept the risk."""
    if (refused := may_propose(facts.actor, _RULES, now)) is not None:
        return refused
    if facts.exception is not None:
        return Refused("mfa_exception.taken", "There is such an exception already.", "/exceptions")
    if (refused := _unfit(facts.account, wanted.person, facts.actor.person)) is not None:
        return refused
    if facts.others >= MOST_OPEN:
        return Refused("mfa_exception.many", f"{MOST_OPEN} exceptions of this person are open.", "End one first.")
    reason = plain_text(wanted.reason, limits.MAX_TEXT_CHARACTERS, what="reason")
    if isinstance(reason, Refused):
        return reason
    control = plain_text(wanted.control, limits.MAX_TEXT_CHARACTERS, what="compensating control")
    if isinstance(control, Refused):
        return control
    if not now < wanted.ends <= now + LONGEST:
        return Refused("mfa_exception.end", "An exception ends within 90 days.", "Choose a day from tomorrow on.")
    by = facts.actor.person
    return Decided((MfaExceptionProposed(wanted.exception, wanted.person, wanted.ends, by, reason, control),), None)


def accept(facts: ExceptingFacts, now: Instant) -> Decided[Refused | None] | Refused:
    """A senior approver signs, under a fresh factor."""
    found, actor = facts.exception, facts.actor
    if found is None or facts.proposal is None:
        return _gone()
    if (no := judge(facts.proposal, actor, _RULES, now)) is not None:
        return no.answer(MfaExceptionEnded(found.exception, found.person, no.refused.code, actor.person))
    if (refused := _unfit(facts.account, found.person, actor.person)) is not None:
        return refused
    assert actor.mfa_at is not None  # a fresh factor was demanded
    return Decided((MfaExceptionAccepted(found.exception, found.person, found.ends, actor.person, actor.mfa_at),), None)


def end(facts: ExceptingFacts, because: str, now: Instant) -> Decided[None] | Refused:
    """Ends an exception or a proposal before its time: an administrator or a senior approver does."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None and authorised(
        facts.actor, ConsoleRight.ACCEPT_RISK, now
    ) is not None:
        return refused
    if facts.exception is None:
        return _gone()
    why = plain_text(because, limits.MAX_NAME_CHARACTERS, what="reason")
    if isinstance(why, Refused):
        return why
    found = facts.exception
    return Decided((MfaExceptionEnded(found.exception, found.person, why, facts.actor.person),), None)


def _unfit(account: AccountFacts | None, person: str, actor: str) -> Refused | None:
    if account is None or account.kind in (None, PersonKind.SERVICE) or not account.enabled:
        return Refused("person.unknown", f"There is no person {person} who could sign in.", "/people")
    if actor == person:
        return Refused("mfa_exception.self", "Nobody does this for themselves.", "Ask somebody else.")
    if account.administrative():
        words = "This person holds an administrative role: a second factor is always asked of them."
        return Refused("mfa_exception.administrative", words)
    return None


def _gone() -> Refused:
    return Refused("mfa_exception.unknown", "There is no such exception.", "/exceptions")
