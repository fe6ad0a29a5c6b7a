"""Statements that ask first: one waits in a live session until somebody else has said yes to exactly it.

It is a proposal (`domain/access/proposal.py`) of the session's person, for the roles that the session's permission
names as approvers. The ledger says who asked for what class of statement, and who decided; its text and its parameters
stand in the session's recording, under the number of the execution, and nowhere else for longer than it waits.
"""

from dataclasses import dataclass, replace

from onepam.domain.access.authority import ActorFacts, present, vouched
from onepam.domain.access.guardrails import StatementClass
from onepam.domain.access.proposal import DENIED, RULES, WITHDRAWN, Proposal, ProposalKind, judge
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event, private
from onepam.kernel import limits
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

_RULES = RULES[ProposalKind.STATEMENT]

APPROVED = "approved"

LONGEST = _RULES.lapse
"""How long a statement waits at most (microseconds), where its session's guardrails do not say it."""

LONGEST_IN_TRANSACTION = 2 * MINUTE
"""The same in the midst of a transaction, whose locks others wait for, whatever they say (microseconds)."""


@event(
    "statement.asked",
    klass="request",
    control="PRV-01 PRV-02",
    words="{by} waits for a yes to a statement ({classes}) as {login} on {resource}",
)
@dataclass(frozen=True, slots=True)
class StatementAsked:
    """A statement of a live session waits until `expires` for somebody of the roles `approvers`. `execution` is its
    number in the session's recording, which has its text; `classes` are those for which it asks; `in_transaction`: the
    target holds locks meanwhile."""

    statement: str
    session: str
    by: str
    resource: str
    login: str
    execution: int
    classes: tuple[StatementClass, ...]
    in_transaction: bool
    approvers: tuple[str, ...]
    expires: Instant


@event(
    "statement.approved",
    klass="request",
    control="PRV-01 PRV-02",
    words="{by} said yes to the statement {statement}",
)
@dataclass(frozen=True, slots=True)
class StatementApproved:
    """Somebody else with authority let exactly that statement run, once. `under` is the approver's own role."""

    statement: str
    by: str
    under: str


@event(
    "statement.ended",
    klass="request",
    control="PRV-01 PRV-02",
    words="The statement {statement} does not run: {because}[; {comment}]",
)
@dataclass(frozen=True, slots=True)
class StatementEnded:
    """It waits no longer, and does not run. `because` is a code; `by` said no or took it back, or decided when it
    was void; None where its time was over, its client went away or cancelled it, or its session ended."""

    statement: str
    because: str
    by: str | None
    comment: str | None = private()


@dataclass(frozen=True, slots=True)
class Waited:
    """What came of a wait that is over. `decision` is `APPROVED`, or the code of `StatementEnded`; `by` what whoever
    decided is called, "" where nobody did; `length` in microseconds; `entry` the index of the entry that ended it."""

    decision: str
    by: str
    length: int
    entry: int


@dataclass(frozen=True, slots=True)
class Asking:
    """A statement that would wait, as long as its session's guardrails let it (microseconds)."""

    statement: str
    session: str
    execution: int
    classes: tuple[StatementClass, ...]
    in_transaction: bool
    longest: int = LONGEST


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A live session whose permission names `approvers`. `waits`: a statement of it does already; `anybody`: somebody
    who could decide is here."""

    person: str
    resource: str
    login: str
    ends: Instant
    approvers: tuple[str, ...]
    waits: bool
    anybody: bool


@dataclass(frozen=True, slots=True)
class AskingFacts:
    """The session; None where it is not open."""

    session: OpenSession | None


@dataclass(frozen=True, slots=True)
class DecidingFacts:
    """Who decides, and the proposal; None where no such statement waits. `privileged` is what its session is."""

    actor: ActorFacts
    proposal: Proposal | None
    privileged: bool = True


@dataclass(frozen=True, slots=True)
class EndingFacts:
    """Whether the statement waits."""

    waits: bool


def ask(facts: AskingFacts, command: Asking, now: Instant) -> Decided[StatementAsked] | Refused:
    """It waits from now on."""
    session = facts.session
    if session is None or session.ends <= now:
        return Refused("statement.session_over", "the session is over.")
    if session.waits:
        return Refused("statement.one_waits", "another statement of this session waits already.")
    if not session.anybody:
        roles = ", ".join(session.approvers) or "no role"
        return Refused(
            "statement.nobody", f"a statement of this class takes somebody's yes, and nobody of {roles} is here."
        )
    most = min(command.longest, LONGEST_IN_TRANSACTION) if command.in_transaction else command.longest
    asked = StatementAsked(
        statement=command.statement,
        session=command.session,
        by=session.person,
        resource=session.resource,
        login=session.login,
        execution=command.execution,
        classes=command.classes,
        in_transaction=command.in_transaction,
        approvers=session.approvers,
        expires=min(Instant(now + most), session.ends),
    )
    return Decided((asked,), asked)


def approve(facts: DecidingFacts, now: Instant) -> Decided[Refused | None] | Refused:
    """It runs, once."""
    proposal, actor = facts.proposal, facts.actor
    if proposal is None:
        return unknown_statement()
    if (no := judge(proposal, actor, _RULES, now)) is not None:
        return no.answer(StatementEnded(proposal.proposal, no.refused.code, actor.person))
    if facts.privileged and (refused := vouched(actor)) is not None:
        return refused
    under = next(held.role for held in actor.roles if proposal.decided_under(held, _RULES))
    return Decided((StatementApproved(proposal.proposal, actor.person, under),), None)


def deny(facts: DecidingFacts, reason: str, now: Instant) -> Decided[Refused | None] | Refused:
    """Somebody says no who could say yes, however old their factor is; or its person takes it back."""
    proposal, actor = facts.proposal, facts.actor
    if (refused := present(actor, now)) is not None:
        return refused
    if proposal is None:
        return unknown_statement()
    words = plain_text(reason, limits.MAX_TEXT_CHARACTERS, what="reason", required=False)
    if isinstance(words, Refused):
        return words
    if proposal.by == actor.person:
        return Decided((StatementEnded(proposal.proposal, WITHDRAWN, actor.person, words),), None)
    if (no := judge(proposal, replace(actor, mfa_at=now), _RULES, now)) is not None:
        return no.answer(StatementEnded(proposal.proposal, no.refused.code, actor.person))
    return Decided((StatementEnded(proposal.proposal, DENIED, actor.person, words),), None)


def end(facts: EndingFacts, statement: str, because: str) -> Decided[bool]:
    """The gateway says that it runs no more; whether it waited still."""
    return Decided((StatementEnded(statement, because, None),) if facts.waits else (), facts.waits)


def unknown_statement() -> Refused:
    """The answer where no such statement waits."""
    return Refused("statement.unknown", "No such statement waits for a decision.", "/approvals")
