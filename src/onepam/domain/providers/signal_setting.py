"""Setting signal streams: one administrator proposes, another approves; any administrator removes.

A stream can end everybody's sign-ins, so none begins on one person's word.
"""

from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import DENIED, RULES, WITHDRAWN, Proposal, ProposalKind, judge, may_propose
from onepam.domain.history.commit import Decided
from onepam.domain.providers.signals import (
    Delivery,
    SignalStreamProposed,
    SignalStreamRejected,
    SignalStreamRemoved,
    SignalStreamSet,
    Stream,
)
from onepam.domain.signing_in.rules import fresh
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

MOST_STREAMS = 20
MOST_PROPOSALS = 20
MAX_NAME_CHARACTERS = 60
MAX_ADDRESS_CHARACTERS = 500

_RULES = RULES[ProposalKind.SIGNAL_STREAM]

REMOVED = "signal.removed"


@dataclass(frozen=True, slots=True)
class StreamProposal:
    """A stream as it shall be, and its proposal while it waits."""

    stream: Stream
    waiting: Proposal


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """The actor, the streams with their begin, the proposal in question, (change, stream) of all that wait, the
    providers in force, and whether the id of the change served before."""

    actor: ActorFacts
    streams: tuple[tuple[Stream, Instant], ...]
    proposal: StreamProposal | None = None
    waiting: tuple[tuple[str, str], ...] = ()
    providers: frozenset[str] = frozenset()
    taken: bool = False

    def in_force(self, stream: str) -> tuple[Stream, Instant] | None:
        """The stream as it is, and since when."""
        return next((each for each in self.streams if each[0].stream == stream), None)


def propose(facts: StreamFacts, wanted: Stream, now: Instant) -> Decided[None] | Refused:
    """Lays a stream before another administrator."""
    if (refused := may_propose(facts.actor, _RULES, now)) is not None:
        return refused
    if facts.taken:
        return Refused("signal.change_taken", "There is such a change already.", "Propose it again.")
    if (refused := unfit(wanted) or _collides(facts, wanted)) is not None:
        return refused
    if len(facts.waiting) >= MOST_PROPOSALS:
        return Refused("signal.many_proposals", "Too many proposals wait.", "Reject those that are not needed.")
    proposed = SignalStreamProposed(
        change=wanted.change,
        stream=wanted.stream,
        name=wanted.name,
        issuer=wanted.issuer,
        audience=wanted.audience,
        delivery=wanted.delivery,
        provider=wanted.provider,
        endpoint=wanted.endpoint,
        remote=wanted.remote,
        by=facts.actor.person,
        digest=wanted.digest,
        secret=wanted.secret,
    )
    return Decided((proposed,), None)


def approve(facts: StreamFacts, change: str, now: Instant) -> Decided[Refused | None] | Refused:
    """Another administrator's yes: the stream is so from now on, unless something came between."""
    if facts.proposal is None:
        return _no_proposal(change)
    by, wanted, waiting = facts.actor.person, facts.proposal.stream, facts.proposal.waiting
    current = facts.in_force(wanted.stream)
    if (no := judge(waiting, facts.actor, _RULES, now, current[1] if current else None)) is not None:
        return no.answer(SignalStreamRejected(change, wanted.stream, by, no.refused.code))
    if (refused := _collides(facts, wanted)) is not None:
        return refused
    agreed = SignalStreamSet(
        change=change,
        stream=wanted.stream,
        name=wanted.name,
        issuer=wanted.issuer,
        audience=wanted.audience,
        delivery=wanted.delivery,
        provider=wanted.provider,
        endpoint=wanted.endpoint,
        remote=wanted.remote,
        proposed_by=waiting.by,
        by=by,
        digest=wanted.digest,
        secret=wanted.secret,
    )
    return Decided((agreed,), None)


def reject(facts: StreamFacts, change: str, now: Instant) -> Decided[None] | Refused:
    """An administrator's no; the proposer's is a withdrawal."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if facts.proposal is None:
        return _no_proposal(change)
    by = facts.actor.person
    because = WITHDRAWN if facts.proposal.waiting.by == by else DENIED
    return Decided((SignalStreamRejected(change, facts.proposal.stream.stream, by, because),), None)


def remove(facts: StreamFacts, stream: str, because: str, now: Instant) -> Decided[None] | Refused:
    """Ends the stream, and what waits for it."""
    if (refused := _may(facts, now)) is not None:
        return refused
    if facts.in_force(stream) is None:
        return Refused("signal.unknown", "There is no such stream.", "/signals")
    why = plain_text(because, limits.MAX_NAME_CHARACTERS, what="reason")
    if isinstance(why, Refused):
        return why
    by = facts.actor.person
    rejected = (SignalStreamRejected(*each, by, REMOVED) for each in facts.waiting if each[1] == stream)
    return Decided((SignalStreamRemoved(stream, by, why), *rejected), None)


def unfit(wanted: Stream) -> Refused | None:
    """Why a stream cannot be as it is wanted. Whether its transmitter answers is judged at the edge."""
    name = plain_text(wanted.name, MAX_NAME_CHARACTERS, what="stream's name")
    if isinstance(name, Refused):
        return name
    if name != wanted.name:
        return Refused("signal.name", "The stream's name has white space where it does not belong.", "Type it again.")
    for each in (wanted.issuer, wanted.audience):
        if not 0 < len(each) <= MAX_ADDRESS_CHARACTERS or not each.isprintable() or " " in each:
            return Refused("signal.address", "The issuer and the audience are one word each.", "Copy them from there.")
    for each in (wanted.endpoint, wanted.remote):
        if len(each) > MAX_ADDRESS_CHARACTERS or not each.isprintable() or " " in each:
            return Refused(
                "signal.address", "An address and the stream's id are one word each.", "Copy them from there."
            )
    if wanted.delivery is Delivery.PUSH and (wanted.digest is None or wanted.endpoint):
        return Refused("signal.delivery", "A stream that is pushed has a token, and nothing to fetch.")
    if wanted.delivery is Delivery.POLL and (wanted.secret is None or not wanted.endpoint):
        return Refused("signal.delivery", "A stream that is fetched needs an address and the transmitter's token.")
    return None


def _collides(facts: StreamFacts, wanted: Stream) -> Refused | None:
    if wanted.provider not in facts.providers:
        return Refused("signal.provider", "There is no such identity provider.", "Choose whose people it names.")
    others = [each for each, _ in facts.streams if each.stream != wanted.stream]
    if any(each.name.casefold() == wanted.name.casefold() for each in others):
        return Refused("signal.name_taken", f"There is a stream {wanted.name} already.", "Choose another name.")
    if len(others) >= MOST_STREAMS:
        return Refused("signal.many", f"No more than {MOST_STREAMS} streams; remove one first.", "/signals")
    return None


def _may(facts: StreamFacts, now: Instant) -> Refused | None:
    return authorised(facts.actor, ConsoleRight.ADMINISTER, now) or fresh(facts.actor, now)


def _no_proposal(change: str) -> Refused:
    return Refused("signal.no_proposal", f"No proposal {change[:40]} waits.", "/signals")
