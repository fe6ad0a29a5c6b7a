"""Changing the role matrix: at once where nobody gains; else another administrator approves exactly this plan.

The one who applies never gains by it, nor does the one who approves. Only before anybody ever signed in does a file
take effect on nobody's word: somebody must be the first administrator, and that it was so is in the ledger.
"""

from dataclasses import dataclass
from typing import Any

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.decision import HeldGrant
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import RULES, Proposal, ProposalKind, judge, may_propose
from onepam.domain.history.commit import Decided
from onepam.domain.matrix.ending import endings
from onepam.domain.matrix.events import ChangeApplied, ChangeApproved, ChangeProposed, ChangeRefused, ChangeRejected
from onepam.domain.matrix.file import AccessFile, InvalidFile, resolve
from onepam.domain.matrix.gains import Difference
from onepam.domain.matrix.matrix import Matrix, Someone
from onepam.domain.matrix.motive import UNSAID, Motive
from onepam.domain.matrix.plan import Plan, make_plan, plan_events
from onepam.domain.requests.asking import OpenRequest
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

_RULES = RULES[ProposalKind.CHANGE]

MOST_WAITING = 50
"""Changes that wait for a second administrator at a time."""

AGAIN = "Plan it again, and look at the difference."


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """A change as of the decision; `proposal` is None once it waits no more."""

    change: str
    document: str
    digest: str
    status: str
    proposal: Proposal | None


@dataclass(frozen=True, slots=True)
class MatrixFacts:
    """The actor (None: nobody signed in), the matrix with all that rests on it, the change if there is one, and how
    many wait. `proposer_linked_by` made the links by which its proposer enrolled lately."""

    actor: ActorFacts | None
    matrix: Matrix
    people: tuple[Someone, ...]
    grants: tuple[HeldGrant, ...]
    requests: tuple[OpenRequest, ...]
    signed_in_ever: bool
    change: ChangeFacts | None
    waiting: int = 0
    proposer_linked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposed:
    """The plan waits for another administrator."""

    change: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Applied:
    """The plan is in force."""

    change: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The file says what is; nothing was recorded."""

    plan: Plan


Outcome = Proposed | Applied | Unchanged | InvalidFile | Refused


def look(facts: MatrixFacts, read: AccessFile, now: Instant) -> Decided[Plan | InvalidFile] | Refused:
    """What the file would do; for administrators and auditors. Appends nothing."""
    if facts.actor is not None:
        refused = authorised(facts.actor, ConsoleRight.ADMINISTER, now)
        if refused is not None and authorised(facts.actor, ConsoleRight.AUDIT, now) is not None:
            return refused
    elif facts.signed_in_ever:
        return _bootstrap_over()
    plan = _plan(facts, read, now)
    return Decided((), plan)


def apply(
    facts: MatrixFacts,
    read: AccessFile,
    change: str,
    expected_digest: str | None,
    now: Instant,
    motive: Motive = UNSAID,
) -> Decided[Outcome] | Refused:
    """Applies a plan that widens nothing, proposes one that does. `expected_digest` is of the plan that was looked at.
    Whoever is signed in says why.

    Without an actor it is the bootstrap: everything is applied at once, and refused as soon as anybody ever signed in.
    """
    if (refused := _may_apply(facts, change, now)) is not None:
        return refused
    plan = _plan(facts, read, now)
    if isinstance(plan, InvalidFile):
        return Decided((), plan)
    if not plan.objects:
        return Decided((), Unchanged(plan))
    if expected_digest != plan.digest and (facts.actor is not None or expected_digest is not None):
        return Refused("change.overtaken", "The roles have changed since this was planned.", AGAIN)
    if isinstance(said := motive.plain(required=facts.actor is not None), Refused):
        return said
    if not _administered(plan, facts.people, now):
        hint = "Bind a role with console: [administer] to somebody who is enabled."
        return Refused("change.lock_out", "After this change nobody could change the roles any more.", hint)
    if (parts := _separated(plan, facts.people)) is not None:
        return parts
    by = facts.actor.person if facts.actor else None
    if by is not None and plan.widens and (gain := plan.gained_by(by)) is not None:
        return _gains(change, by, "you would gain by it yourself", gain)
    if by is not None and plan.widens and facts.waiting >= MOST_WAITING:
        return Refused("change.many", f"{MOST_WAITING} changes wait already.", "Decide on them first: /approvals")
    proposal = ChangeProposed(
        change, plan.document, plan.digest, plan.widens, by, plan.summary(), read.text,
        said.title or None, said.reason or None, said.ticket or None,
    )  # fmt: skip
    if by is not None and plan.widens:
        return Decided((proposal,), Proposed(change, plan))
    return _in_force(facts, plan, change, by, (proposal,), now)


def approve(facts: MatrixFacts, read: AccessFile, change: str, digest: str, now: Instant) -> Decided[Outcome] | Refused:
    """Another administrator's yes to exactly `digest`. A plan whose base has changed since is rejected as overtaken."""
    assert facts.actor is not None  # the use case always names one
    by, waiting, proposal = facts.actor.person, facts.change, _waiting(facts, change)
    if isinstance(proposal, Refused):
        return proposal
    assert waiting is not None  # _waiting refuses without one
    if (no := judge(proposal, facts.actor, _RULES, now)) is not None:
        return no.answer(ChangeRejected(change, by, no.refused.code))
    if digest != waiting.digest or read.document != waiting.document:
        return _refuse(change, by, "change.digest", "What you approved is not what is proposed.", "Look again.")
    plan = _plan(facts, read, now)
    if isinstance(plan, InvalidFile) or plan.digest != digest:
        return _reject(change, by, "change.overtaken", "The roles or people have changed since this was proposed.")
    if (gains := _gained_in_hand(facts, plan, facts.actor, proposal.by)) is not None:
        return _gains(change, by, *gains)
    if not _administered(plan, facts.people, now):
        return _reject(change, by, "change.lock_out", "After this change nobody could change the roles any more.")
    if (parts := _separated(plan, facts.people)) is not None:
        return _reject(change, by, parts.code, parts.message)
    return _in_force(facts, plan, change, by, (ChangeApproved(change, digest, by),), now)


def reject(facts: MatrixFacts, change: str, reason: str, now: Instant) -> Decided[None] | Refused:
    """An administrator's no; the proposer's is a withdrawal."""
    assert facts.actor is not None  # the use case always names one
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if isinstance(waiting := _waiting(facts, change), Refused):
        return waiting
    mine = waiting.by == facts.actor.person
    words = plain_text(reason, limits.MAX_TEXT_CHARACTERS, what="reason", required=not mine)
    if isinstance(words, Refused):
        return words
    because = "change.withdrawn" if mine else "change.denied"
    return Decided((ChangeRejected(change, facts.actor.person, because, words),), None)


def _may_apply(facts: MatrixFacts, change: str, now: Instant) -> Refused | None:
    if facts.actor is None:
        if facts.signed_in_ever:
            return _bootstrap_over()
    elif (refused := may_propose(facts.actor, _RULES, now)) is not None:
        return refused
    if facts.change is not None:
        return Refused("change.exists", f"There is a change {change} already.", "Choose another identifier.")
    return None


def _plan(facts: MatrixFacts, read: AccessFile, now: Instant) -> Plan | InvalidFile:
    wanted = resolve(read, facts.people)
    return wanted if isinstance(wanted, InvalidFile) else make_plan(facts.matrix, wanted, read.document, now)


def _in_force(
    facts: MatrixFacts, plan: Plan, change: str, by: str | None, first: tuple[object, ...], now: Instant
) -> Decided[Outcome] | Refused:
    events = (
        *first,
        ChangeApplied(change, plan.document, plan.digest, by, bootstrap=facts.actor is None),
        *plan_events(plan, change, by),
        *endings(plan.before, plan.after, facts.grants, facts.requests, by, now),
    )
    if len(events) > limits.MAX_EVENTS_PER_COMMAND:
        message = f"This change is {len(events):,} events; one command takes {limits.MAX_EVENTS_PER_COMMAND:,}."
        return Refused("change.too_large", message, "Apply it in parts.")
    return Decided(events, Applied(change, plan))


def _administered(plan: Plan, people: tuple[Someone, ...], now: Instant) -> bool:
    present = {each.person for each in people if each.present(now)}
    return any(
        not present.isdisjoint(plan.after.members(binding))
        for binding in plan.after.bindings.values()
        if binding.in_force(now) and ConsoleRight.ADMINISTER in plan.after.roles[binding.role].console
    )


def _separated(plan: Plan, people: tuple[Someone, ...]) -> Refused | None:
    """That it gives somebody what a separation keeps apart; what is broken already it may leave."""
    given = [each for each in plan.broken if each.given]
    if not given:
        return None
    called = {each.person: each.email for each in people}
    who = "; ".join(
        f"{called.get(each.person) or each.person} would hold {' and '.join(each.roles)} ({each.separation}: "
        f"{each.because})"
        for each in given[:3]
    )
    more = f"; and {len(given) - 3} more" if len(given) > 3 else ""
    hint = "Take one of the roles in the same file, or excuse them: excused, with what is done instead, and an end."
    return Refused("change.separated", f"Roles that are kept apart would come together: {who}{more}.", hint)


def _gained_in_hand(facts: MatrixFacts, plan: Plan, actor: ActorFacts, proposer: str) -> tuple[str, Difference] | None:
    """Why one of two could be both who decides or proposes and who gains by it, and what they gain. Whom the proposer
    invited may gain: somebody else's yes is what that takes, and it may as well come before the invitation."""
    gainers = [(actor.person, "you would gain by it yourself"), (proposer, "its proposer would gain by it")]
    gainers += [(each, "whoever made the link by which you enrolled would gain by it") for each in actor.linked_by]
    gainers += [(each, "who enrolled by your link would gain by it") for each in actor.linked_for]
    made_its = "whoever made the link by which its proposer enrolled would gain by it"
    gainers += [(each, made_its) for each in facts.proposer_linked_by]
    found = ((why, plan.gained_by(person)) for person, why in gainers)
    return next(((why, gain) for why, gain in found if gain is not None), None)


def _waiting(facts: MatrixFacts, change: str) -> Proposal | Refused:
    if facts.change is None:
        return Refused("change.unknown", f"There is no change {change}.", "/changes")
    if facts.change.proposal is None:
        return Refused("change.closed", f"The change {change} is {facts.change.status} already.")
    return facts.change.proposal


def _gains(change: str, by: str, why: str, gain: Difference) -> Decided[Any]:
    found = [
        f"{', '.join(each.actions)} as {', '.join(each.logins)} on {_few(each.resources)}" for each in gain.gained[:3]
    ]
    found += [f"the console right {each.value}" for each in gain.console_gained]
    found += [f"approving requests for {each}" for each in gain.approves_gained[:3]]
    found += [f"being excused from the separation {each}" for each in gain.excused]
    message = f"This cannot be: {why}: {'; '.join(found)}."
    return _refuse(change, by, "change.own_gain", message, "Somebody who gains nothing by it can do this.")


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _refuse(change: str, by: str, code: str, message: str, hint: str) -> Decided[Any]:
    return Decided((ChangeRefused(change, by, code),), Refused(code, message, hint))


def _reject(change: str, by: str, code: str, message: str) -> Decided[Any]:
    return Decided((ChangeRejected(change, by, code),), Refused(code, message, AGAIN))


def _bootstrap_over() -> Refused:
    return Refused("bootstrap.over", "Somebody has signed in here: a change needs an administrator.", "Sign in first.")
