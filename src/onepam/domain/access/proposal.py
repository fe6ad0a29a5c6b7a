"""Two people: what one proposes, somebody else decides. Every kind of it by one table and one judgement.

A proposal is bound to its id: what it says never changes under it. It falls with its proposer and lapses by itself.
Neither who made it nor whom it is for decides on it, nor does whoever may be one hand with them, because one made the
link by which the other enrolled; and that one of them tried is an entry. What a kind asks beyond that (whether the
settings collide, whether anybody gains) its own file says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from onepam.domain.access.authority import ActorFacts, HeldRole, authorised, present, shown_within
from onepam.domain.access.guardrails import WAITS
from onepam.domain.access.mfa_rule import FRESH_FACTOR
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE, Instant, iso
from onepam.kernel.errors import Refused

WITHDRAWN, DENIED = "withdrawn", "denied"
"""Why a proposal ended before it was agreed to: its proposer took it back, or somebody else said no."""

ONE_HAND = 30 * DAY
"""For so long after somebody enrolled by another's link the two are not two people (microseconds)."""


class ProposalKind(StrEnum):
    """What takes two people. The value begins the codes of its refusals (`scim_token.lapsed`)."""

    SCIM_TOKEN = "scim_token"  # noqa: S105 - the name of a kind, not a secret
    PROVIDER = "provider"
    SIGNAL_STREAM = "signal"
    MFA_EXCEPTION = "mfa_exception"
    ENROLMENT = "enrolment"
    CHANGE = "change"
    ERASURE = "erasure"
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class Rules:
    """Who proposes (None: everybody) and who decides, by their right; how long ago each may have shown their second
    factor (microseconds; None: in this sign-in); and after how long nobody decides any more (microseconds).

    `alone`: where nobody else could decide, its proposer carries it out after so long, unless somebody cancels it
    (microseconds); None: it waits all the same. `benefits`: whom it is for gains by it; where they do not, they may say
    no to it.
    """

    proposes: ConsoleRight | None
    decides: ConsoleRight
    factor_to_propose: int | None
    factor_to_decide: int
    lapse: int
    alone: int | None = None
    benefits: bool = True


_SETTING = Rules(
    proposes=ConsoleRight.ADMINISTER,
    decides=ConsoleRight.ADMINISTER,
    factor_to_propose=FRESH_FACTOR,
    factor_to_decide=FRESH_FACTOR,
    lapse=7 * DAY,
)
RULES: Mapping[ProposalKind, Rules] = MappingProxyType(
    {
        ProposalKind.SCIM_TOKEN: _SETTING,
        ProposalKind.PROVIDER: _SETTING,
        ProposalKind.SIGNAL_STREAM: _SETTING,
        ProposalKind.MFA_EXCEPTION: replace(_SETTING, decides=ConsoleRight.ACCEPT_RISK, factor_to_propose=None),
        ProposalKind.CHANGE: replace(_SETTING, factor_to_propose=None),
        ProposalKind.ENROLMENT: replace(_SETTING, factor_to_propose=None, lapse=DAY, alone=2 * DAY, benefits=False),
        ProposalKind.ERASURE: _SETTING,
        ProposalKind.STATEMENT: Rules(
            proposes=None,
            decides=ConsoleRight.APPROVE,
            factor_to_propose=None,
            factor_to_decide=15 * MINUTE,
            lapse=WAITS,
        ),
    }
)


REQUEST = Rules(
    proposes=None,
    decides=ConsoleRight.APPROVE,
    factor_to_propose=None,
    factor_to_decide=HOUR,
    lapse=DAY,
)
"""A request for access. Which of those who approve may decide on it, its permission says; an approval can be undone."""

PRIVILEGED_REQUEST = replace(REQUEST, factor_to_decide=15 * MINUTE)
"""A request for what is privileged."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What waits, as of the decision: `proposal` is its id, `by` whose it is, `until` when it lapses.

    `present` is whether its proposer may still sign in, `entitled` whether they still have the right to propose it;
    `person` is whom it is for ("": nobody in particular). `alone` is when its proposer may carry it out, because nobody
    else could decide when it was made; None: never. `roles` are those of which somebody decides; empty: everybody
    with the right does.
    """

    kind: ProposalKind
    proposal: str
    by: str
    since: Instant
    until: Instant
    present: bool
    person: str = ""
    alone: Instant | None = None
    entitled: bool = True
    roles: tuple[str, ...] = ()

    def decided_under(self, held: HeldRole, rules: Rules) -> bool:
        """Whether a held role lets somebody decide on it."""
        return rules.decides in held.console and (not self.roles or held.role in self.roles)


@event(
    "proposal.refused",
    klass="access",
    control="CHG-01 PRV-02",
    words="{by} was refused to decide on the proposal {proposal} ({kind}): {code}",
)
@dataclass(frozen=True, slots=True)
class ProposalRefused:
    """Somebody tried to decide on a proposal of their own or for themselves, or of somebody who may be one hand with
    them. `proposal` is its id in its kind."""

    kind: ProposalKind
    proposal: str
    by: str
    code: str


class Ruling(StrEnum):
    """What comes of a decision that cannot be: nothing is recorded, the attempt is, or the proposal ends with it."""

    REFUSED = "refused"
    RECORDED = "recorded"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class No:
    """Why somebody does not decide on a proposal."""

    ruling: Ruling
    refused: Refused
    proposal: Proposal
    by: str

    def answer(self, *ended: object) -> Decided[Any] | Refused:
        """The command's answer. `ended` are the events by which the kind's proposal is void."""
        if self.ruling is Ruling.REFUSED:
            return self.refused
        tried = ProposalRefused(self.proposal.kind, self.proposal.proposal, self.by, self.refused.code)
        return Decided((tried,) if self.ruling is Ruling.RECORDED else ended, self.refused)


def lapses(rules: Rules, since: Instant, ends: Instant = FOREVER) -> Instant:
    """When what was proposed at `since` (or may be carried out alone since then) is void by itself: with the end of
    what it proposes, if that is earlier."""
    return Instant(min(since + rules.lapse, ends))


def may_propose(actor: ActorFacts, rules: Rules, now: Instant) -> Refused | None:
    """None where the actor has the right, under a factor as fresh as the kind asks."""
    refused = present(actor, now) if rules.proposes is None else authorised(actor, rules.proposes, now)
    if refused is not None or rules.factor_to_propose is None:
        return refused
    return shown_within(actor, rules.factor_to_propose, now)


def judge(
    proposal: Proposal, actor: ActorFacts, rules: Rules, now: Instant, changed: Instant | None = None
) -> No | None:
    """None where the actor may decide on the proposal now. `changed` is since when what it would change is as it is;
    None where there is none, or its kind looks for itself."""
    refused = authorised(actor, rules.decides, now) or shown_within(actor, rules.factor_to_decide, now)
    if refused is not None:
        return No(Ruling.REFUSED, refused, proposal, actor.person)
    refused = _one_hand(proposal, actor, now) or _no_authority(proposal, actor, rules)
    if refused is not None:
        return No(Ruling.RECORDED, refused, proposal, actor.person)
    if (refused := fallen(proposal, now, changed)) is not None:
        return No(Ruling.VOID, refused, proposal, actor.person)
    return None


def may_deny(proposal: Proposal, actor: ActorFacts, rules: Rules) -> bool:
    """Whether the actor may say no, or take it back: whoever may propose or decide on the kind, and whoever loses by
    it. How fresh their factor is does not matter."""
    loses = proposal.person == actor.person and not rules.benefits
    takes_back = proposal.by == actor.person and rules.proposes is None
    return loses or takes_back or not actor.rights().isdisjoint((rules.proposes, rules.decides))


def _one_hand(proposal: Proposal, actor: ActorFacts, now: Instant) -> Refused | None:
    """Why the actor is no second person: it is theirs, or of somebody who may be one hand with them."""
    kind = proposal.kind.value
    if actor.person == proposal.by and proposal.alone is not None:
        if proposal.alone <= now:
            return None
        message = f"Nobody else could decide on it; you may carry it out from {iso(proposal.alone)} on."
        return Refused(f"{kind}.not_due", message, "Until then everybody who administers may cancel it.")
    if actor.person in (proposal.by, proposal.person):
        own = "their own proposal" if actor.person == proposal.by else "what is for themselves"
        return Refused(f"{kind}.self_approval", f"Nobody approves {own}.", "Somebody else must.")
    return same_hand(kind) if actor.in_hand((proposal.by, proposal.person)) else None


def _no_authority(proposal: Proposal, actor: ActorFacts, rules: Rules) -> Refused | None:
    """Why none of the actor's roles decides on it."""
    if any(proposal.decided_under(held, rules) for held in actor.roles):
        return None
    message = "None of your roles may decide on it."
    return Refused(f"{proposal.kind.value}.no_authority", message, f"These may: {', '.join(proposal.roles)}.")


def acts_as_manager(who: str, said_by: str | None, since: Instant, now: Instant, other: str = "") -> bool:
    """Whether somebody decides as a manager who is one since then: not for `ONE_HAND` after it was themselves who said
    so, or the `other` for whom or by whom they decide. `said_by` is None where a directory, a provider or the staff
    roster said it."""
    return said_by is None or said_by not in (who, other) or since + ONE_HAND <= now


def same_hand(kind: str) -> Refused:
    """The answer to whoever would decide for somebody by whose link they enrolled, or who enrolled by theirs."""
    message = f"One of you made the link by which the other enrolled: for {ONE_HAND // DAY} days that is one hand."
    return Refused(f"{kind}.one_hand", message, "Somebody else must.")


def fallen(proposal: Proposal, now: Instant, changed: Instant | None = None) -> Refused | None:
    """Why the proposal is void, whoever looks; None while it can be decided on."""
    if proposal.until <= now:
        code, message = "lapsed", "Nobody decided on it in time."
    elif not proposal.present:
        code, message = "proposer_left", "Who proposed it is no longer here."
    elif not proposal.entitled:
        code, message = "proposer_right", "Who proposed it may not propose this any more."
    elif changed is not None and changed >= proposal.since:
        code, message = "overtaken", "What it would change has changed since it was proposed."
    else:
        return None
    return Refused(f"{proposal.kind.value}.{code}", message, "Propose it again.")
