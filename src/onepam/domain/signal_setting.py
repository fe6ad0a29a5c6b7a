"""Setting signal streams: one administrator proposes, another approves; any administrator removes.

A stream can end everybody's sign-ins, so none begins on one person's word.
"""

from dataclasses import dataclass

from onepam.domain.access import ConsoleRight
from onepam.domain.authority import ActorFacts, authorised
from onepam.domain.changes import ChangeRefused
from onepam.domain.commit import Decided
from onepam.domain.signals import (
    Delivery,
    SignalStreamProposed,
    SignalStreamRejected,
    SignalStreamRemoved,
    SignalStreamSet,
    Stream,
)
from onepam.domain.signing_in import fresh
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

MOST_STREAMS = 20
MOST_PROPOSALS = 20
MAX_NAME_CHARACTERS = 60
MAX_ADDRESS_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class StreamProposal:
    """A proposal that waits: by whom, since when, and whether its proposer is still here."""

    stream: Stream
    by: str
    since: Instant
    proposer_present: bool


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
    if (refused := _may(facts, now)) is not None:
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
    if (refused := _may(facts, now)) is not None:
        return refused
    if facts.proposal is None:
        return _no_proposal(change)
    by, wanted = facts.actor.person, facts.proposal.stream
    if facts.proposal.by == by:
        refused = Refused("signal.self_approval", "Nobody approves their own proposal.", "Another administrator must.")
        return Decided((ChangeRefused(change, by, refused.code),), refused)
    if not facts.proposal.proposer_present:
        return _void(facts.proposal, by, "signal.proposer_left", "Who proposed it is no longer here.")
    current = facts.in_force(wanted.stream)
    if current is not None and current[1] >= facts.proposal.since:
        return _void(facts.proposal, by, "signal.overtaken", "The stream has changed since this was proposed.")
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
        proposed_by=facts.proposal.by,
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
    return Decided((SignalStreamRejected(change, facts.proposal.stream.stream, facts.actor.person),), None)


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
    rejected = (SignalStreamRejected(change, stream, by) for change, of in facts.waiting if of == stream)
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


def _void(proposal: StreamProposal, by: str, code: str, message: str) -> Decided[Refused | None]:
    """The proposal ends with the refusal: nothing could make it approvable again."""
    wanted = proposal.stream
    return Decided(
        (SignalStreamRejected(wanted.change, wanted.stream, by),), Refused(code, message, "Propose it again.")
    )
