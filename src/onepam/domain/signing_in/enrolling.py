"""Enrolment links: who makes one for whom, when that takes two people, and what using one replaces.

Whoever holds a link can be its person. So replacing the factors of somebody who decides, administers or reaches what is
privileged is a proposal (`domain/access/proposal.py`), and whoever made any link is for a while one hand with who
enrolled by it: two accounts in one hand are not two people. The person's own recovery code, and a first factor that
the person enrols on the word of their own provider, are nobody else's hand.

What a link replaces is judged when it serves, not when it was made: between the two, its person may become trusted.
"""

from dataclasses import dataclass, replace

from onepam.domain.access.authority import ActorFacts, authorised, present
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import DENIED, RULES, WITHDRAWN, Proposal, ProposalKind, fallen, judge, may_propose
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.events import (
    EnrolmentAnnounced,
    EnrolmentEnded,
    EnrolmentOpened,
    EnrolmentProposed,
    EnrolmentUndecided,
    EnrolmentUsed,
    FactorEnrolled,
    FactorKind,
    FactorRemoved,
    SignedOut,
)
from onepam.domain.signing_in.rules import ANSWERED, ENROLMENT_LINK, REPLACED, SESSIONS_OVER, AccountFacts
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused

QUARANTINE = HOUR
"""For so long after a replacement nothing privileged opens (microseconds)."""

OWN_REMOVALS = 30 * DAY
"""For so long whoever took the right to decide from others is not the only one who could (microseconds)."""

_RULES = RULES[ProposalKind.ENROLMENT]


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """The account a link is for, who makes it, everybody who administers and could sign in to decide, and the latest
    proposal of a link for the account that has not ended. `removed` could decide, too, until the actor's own hand took
    that from them, within `OWN_REMOVALS`; looked for where there is nobody else. `in_hand` may be one hand with the
    account's person."""

    account: AccountFacts
    actor: ActorFacts
    administrators: frozenset[str]
    waiting: Proposal | None = None
    removed: frozenset[str] = frozenset()
    in_hand: frozenset[str] = frozenset()

    def others(self) -> bool:
        """Whether somebody else could decide, or could before the actor saw to it that nobody can."""
        of = {self.actor.person, self.account.person, *self.in_hand}
        return any(not self.actor.in_hand((each,)) for each in (self.administrators | self.removed) - of)


@dataclass(frozen=True, slots=True)
class EnrolmentFacts:
    """An enrolment as of the decision, its person's account, the acting administrator where there is one, and the
    proposal while it waits. `opened_by` made the open link, `proposed_by` proposed it where it took two; None: nobody's
    hand, or a link that did not. `here`: whoever they are, their accounts work. `others`: somebody else could decide on
    the proposal that the actor may carry out alone."""

    account: AccountFacts | None
    actor: ActorFacts | None
    enrolment: str | None
    expires: Instant | None
    proposal: Proposal | None
    opened_by: str | None = None
    proposed_by: str | None = None
    here: bool = True
    others: bool = False

    def makers(self) -> tuple[str, ...]:
        """By whose hands but the person's own the link came into being."""
        own = self.account.person if self.account is not None else None
        return tuple(dict.fromkeys(each for each in (self.opened_by, self.proposed_by) if each and each != own))

    def agreed(self) -> bool:
        """Whether the link may replace what somebody trusted proves with: it was proposed first, or is their own."""
        return self.proposed_by is not None or not self.makers()


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of a wish for a link: it is made and ends at `expires`; or it waits, for another administrator or
    (`alone`) until its proposer may make it."""

    expires: Instant | None = None
    alone: Instant | None = None


def takes_two(facts: AccountFacts) -> bool:
    """Whether a link for the account replaces what somebody trusted proves with."""
    return (bool(facts.factors) or facts.had_factors) and facts.trusted()


def open_link(
    facts: LinkFacts, enrolment: str, token_digest: str, because: str, now: Instant
) -> Decided[Opened] | Refused:
    """An administrator's link for somebody, or the proposal of one."""
    account, actor = facts.account, facts.actor
    if (refused := _unfit(account)) is not None:
        return refused
    two = takes_two(account)
    may = may_propose(actor, _RULES, now) if two else authorised(actor, ConsoleRight.ADMINISTER, now)
    if may is not None:
        return may
    if not two:
        return _opened(account.person, enrolment, token_digest, because, actor.person, now)
    if facts.waiting is not None and fallen(facts.waiting, now) is None:
        words = "A link for them waits for a decision already."
        return Refused("enrolment.waiting", words, "Decide on that one, or take it back: /approvals")
    if facts.others():
        return Decided((EnrolmentProposed(enrolment, account.person, because, actor.person),), Opened())
    if actor.person == account.person:
        words = "Nobody else could decide on new factors of yours."
        return Refused("enrolment.own", words, "Add a factor under the one that you have: /factors")
    assert _RULES.alone is not None  # the table gives enrolments this way
    due = Instant(now + _RULES.alone)
    return Decided((EnrolmentAnnounced(enrolment, account.person, because, actor.person, due),), Opened(alone=due))


def open_without(
    facts: AccountFacts, enrolment: str, token_digest: str, because: str, now: Instant
) -> Decided[Opened] | Refused:
    """A link by nobody else's hand: before the first sign-in (bootstrap), or for a recovery code just spent."""
    if (refused := _unfit(facts)) is not None:
        return refused
    return _opened(facts.person, enrolment, token_digest, because, None, now)


def agree(facts: EnrolmentFacts, token_digest: str, now: Instant) -> Decided[Instant | Refused] | Refused:
    """The second administrator's word; neither the proposer's nor that of the person whose factor it is. Where nobody
    else could decide, neither when it was announced nor now, it is the proposer's, once that is long enough ago."""
    account, actor, proposal = facts.account, facts.actor, facts.proposal
    if account is None or actor is None or proposal is None:
        return Refused("enrolment.gone", "No such enrolment waits for a second administrator.")
    enrolment, person = proposal.proposal, account.person
    if (no := judge(proposal, actor, _RULES, now)) is not None:
        return no.answer(EnrolmentEnded(enrolment, person, no.refused.code, actor.person))
    if proposal.by == actor.person and facts.others:
        return Refused("enrolment.others", "By now somebody else could decide on it.", "Ask them: /approvals")
    opened = EnrolmentOpened(
        enrolment=enrolment,
        person=person,
        expires=Instant(now + ENROLMENT_LINK),
        because="replacement",
        by=actor.person,
        token_digest=token_digest,
        proposed_by=proposal.by,
    )
    if proposal.by == actor.person:
        return Decided((opened, EnrolmentUndecided(enrolment, person, actor.person)), opened.expires)
    return Decided((opened,), opened.expires)


def end(facts: EnrolmentFacts, now: Instant) -> Decided[None] | Refused:
    """An administrator's no, to a proposal or to a link that nobody has used yet, or that of the person whom it is for;
    the proposer's is a withdrawal."""
    assert facts.actor is not None, "somebody ends it"
    account, actor = facts.account, facts.actor
    if (refused := present(actor, now)) is not None:
        return refused
    mine = account is not None and account.person == actor.person
    if not mine and (refused := authorised(actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if account is None or facts.enrolment is None:
        return Refused("enrolment.unknown", "There is no such enrolment.", "It has ended, or was used.")
    withdrawn = facts.proposal is not None and facts.proposal.by == actor.person
    because = f"{ProposalKind.ENROLMENT.value}.{WITHDRAWN if withdrawn else DENIED}"
    return Decided((EnrolmentEnded(facts.enrolment, account.person, because, actor.person),), None)


def enrol(link: EnrolmentFacts, new: tuple[FactorEnrolled, ...], now: Instant) -> Decided[None] | Refused:
    """Uses the link: new factors replace the old ones, other links end, and so do all sign-in sessions of before, with
    whatever was opened under them. A password needs a second factor beside it."""
    facts, enrolment = link.account, link.enrolment
    if facts is None or enrolment is None or link.expires is None or link.expires <= now or not facts.enabled:
        return Refused("enrolment.gone", "This link has lapsed or was used.", "Ask an administrator for a new one.")
    if not link.here:
        return Refused("enrolment.maker_left", "Who made this link has left.", "Ask an administrator for a new one.")
    if takes_two(facts) and not link.agreed():
        words = "One administrator made this link, and by now replacing these factors takes two."
        return Refused("enrolment.takes_two", words, "Ask an administrator for a new one.")
    if any(each.challenge in facts.answered for each in new):
        return ANSWERED
    kinds = {each.kind for each in new}
    if facts.provider and FactorKind.PASSWORD in kinds:
        return Refused("enrolment.password", f"You sign in through {facts.provider}: no password is needed here.")
    if not kinds & {FactorKind.TOTP, FactorKind.PASSKEY}:
        return Refused("enrolment.factors", "A second factor is needed: a passkey or an authenticator app.")
    replaced = [each for each in facts.factors if each.kind is not FactorKind.SSH_KEY]
    sessions = facts.sessions if replaced else ()
    anew = bool(replaced) or facts.had_factors
    privileged_from = Instant(now + QUARANTINE) if anew and facts.trusted() else None
    removed = tuple(FactorRemoved(each.factor, facts.person, REPLACED, facts.person) for each in replaced)
    added = tuple(replace(each, privileged_from=privileged_from) for each in new)
    ended = tuple(
        EnrolmentEnded(each, facts.person, "another link served", facts.person)
        for each in facts.links
        if each != enrolment
    )
    over = tuple(SignedOut(each, facts.person, SESSIONS_OVER, facts.person) for each in sessions)
    used = EnrolmentUsed(enrolment, facts.person, link.makers())
    return Decided((used, *ended, *removed, *added, *over), None)


def _unfit(facts: AccountFacts) -> Refused | None:
    if facts.kind in (None, PersonKind.SERVICE) or not facts.enabled:
        return Refused("person.unknown", "There is no such person who could enrol.")
    return None


def _opened(
    person: str, enrolment: str, token_digest: str, because: str, by: str | None, now: Instant
) -> Decided[Opened]:
    opened = EnrolmentOpened(enrolment, person, Instant(now + ENROLMENT_LINK), because, by, token_digest=token_digest)
    return Decided((opened,), Opened(opened.expires))
