"""Erasing what is known of somebody who has left: a proposal (`domain/access/proposal.py`), then payloads in portions.

What law and auditors want kept is kept first: nothing goes before `keep_days` have passed since the person left. An
entry stays, with its place and its proof; its payload goes, and a later entry says so. The account never comes back:
whoever comes again is somebody new.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import DENIED, RULES, WITHDRAWN, Proposal, ProposalKind, judge, may_propose
from onepam.domain.history.commit import Decided
from onepam.domain.history.system import PayloadsErased
from onepam.domain.leaving.erasure_events import ErasureApproved, ErasureEnded, ErasureFinished, ErasureProposed
from onepam.domain.people.adding import PersonFacts, unknown_person
from onepam.kernel import limits
from onepam.kernel.clock import DAY, Instant, iso
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

KEEP_DAYS = 400
"""For how long after somebody left their data are kept, where the configuration says nothing else: the twelve months
that an auditor may ask about (PCI DSS 4.0.1, 10.5.1), and a reserve."""

LONGEST_KEPT = 36_500
"""Days that a configuration may keep them at most."""

MOST_ERASED = 2_000
"""Payloads that one command erases: their numbers are one body, and nobody else waits for long."""

MOST_DOCUMENTS = 5_000
"""Lists and files about many that an erasure takes at most: their numbers are one body."""

_RULES = RULES[ProposalKind.ERASURE]


class ErasureStatus(StrEnum):
    """How far an erasure has come."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure as of the decision. `payloads` have gone by it, of entries that came before it was `approved`."""

    erasure: str
    person: str
    status: ErasureStatus
    because: str
    keep_days: int
    payloads: int
    documents: tuple[int, ...] = ()
    """Entries of lists and files about many that go whole, as it was proposed: a word in them may mean another."""
    approved: Instant | None = None


@dataclass(frozen=True, slots=True)
class ErasingFacts:
    """The actor, the person (None where there is none), when they left (None: not at all), and their erasure.

    `listed` says who still has them: the roster, whatever end it says, or a directory, as active. `named`: the file of
    the role matrix that is in force, or one that waits, has their address. `proposal` is that of the erasure while it
    waits. `documents`: the entries of lists and files about many that name them, and still have a payload;
    while one waits, of those only what was not looked through before.
    """

    actor: ActorFacts
    person: PersonFacts | None
    left: Instant | None
    listed: str
    named: bool
    erasure: Erasure | None
    proposal: Proposal | None = None
    documents: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PortionFacts:
    """The erasure that goes on, and which of the entries of the portion still have a payload."""

    erasure: Erasure | None
    left: tuple[int, ...]


def propose(
    facts: ErasingFacts,
    erasure: str,
    person: str,
    because: str,
    keep_days: int,
    counts: Mapping[str, int],
    now: Instant,
) -> Decided[None] | Refused:
    """It waits for another administrator. `counts`: how many payloads of each kind speak of them."""
    if (refused := may_propose(facts.actor, _RULES, now)) is not None:
        return refused
    if facts.erasure is not None:
        waits = facts.erasure.status is ErasureStatus.PROPOSED
        message = "That waits for another administrator already." if waits else f"{person} is erased already."
        return Refused("erasure.waits" if waits else "erasure.done", message, "/approvals" if waits else "")
    if (refused := _kept(facts, person, keep_days, now)) is not None:
        return refused
    why = plain_text(because, limits.MAX_NAME_CHARACTERS, what="reason")
    if isinstance(why, Refused):
        return why
    if len(facts.documents) > MOST_DOCUMENTS:
        message = f"{len(facts.documents):,} lists and files name {person}, and at most {MOST_DOCUMENTS:,} go by one."
        return Refused("erasure.documents", message, "A name that is a common word is found in many.")
    proposed = ErasureProposed(erasure, person, facts.actor.person, why, keep_days, facts.documents, counts)
    return Decided((proposed,), None)


def approve(facts: ErasingFacts, now: Instant) -> Decided[Refused | None] | Refused:
    """Another administrator agrees, and it begins."""
    found, proposal, by = facts.erasure, facts.proposal, facts.actor.person
    if found is None or proposal is None:
        return unknown_erasure()
    if (no := judge(proposal, facts.actor, _RULES, now)) is not None:
        return no.answer(ErasureEnded(found.erasure, found.person, no.refused.code, by))
    if (refused := _kept(facts, found.person, found.keep_days, now)) is not None:
        return refused
    if more := sorted(set(facts.documents) - set(found.documents)):
        message = f"Entry {more[0]} names {found.person}, too, and was not proposed to go."
        return Refused("erasure.changed", message, "Say no to it, and propose it anew.")
    return Decided((ErasureApproved(found.erasure, found.person, found.because, proposal.by, by),), None)


def end(facts: ErasingFacts, now: Instant) -> Decided[None] | Refused:
    """The proposal is void: an administrator says no, or its proposer takes it back."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    found, proposal, by = facts.erasure, facts.proposal, facts.actor.person
    if found is None or proposal is None:
        return unknown_erasure()
    because = WITHDRAWN if proposal.by == by else DENIED
    return Decided((ErasureEnded(found.erasure, found.person, because, by),), None)


def erase(facts: PortionFacts, *, naming: bool) -> Decided[int] | Refused:
    """The next portion goes, of an erasure that was agreed to; the result is how many payloads."""
    found = facts.erasure
    if found is None or found.status is not ErasureStatus.APPROVED:
        return unknown_erasure()
    agreed = set(found.documents)
    left = tuple(each for each in facts.left if each in agreed) if naming else facts.left
    if not left:
        return Decided((), 0)
    portion = left[:MOST_ERASED]
    return Decided((PayloadsErased(found.erasure, found.person, portion, naming),), len(portion))


def finish(facts: PortionFacts) -> Decided[int] | Refused:
    """Nothing is left; the result is how many payloads went in all."""
    found = facts.erasure
    if found is None or found.status is not ErasureStatus.APPROVED:
        return unknown_erasure()
    return Decided((ErasureFinished(found.erasure, found.person, found.payloads),), found.payloads)


def unknown_erasure() -> Refused:
    """The answer where no such erasure waits, or goes on."""
    return Refused("erasure.unknown", "No such erasure waits for a decision.", "/approvals")


def mentions(text: str, called: Iterable[str]) -> bool:
    """Whether the text has one of the names or addresses as words of its own, in whichever case."""
    words = text.casefold()
    return any(
        re.search(rf"(?<![\w.+-]){re.escape(each.casefold())}(?![\w-]|\.\w)", words) for each in called if each.strip()
    )


def _kept(facts: ErasingFacts, person: str, keep_days: int, now: Instant) -> Refused | None:
    """Why the data stay: whoever is here, or has left lately, is not erased."""
    if facts.person is None:
        return unknown_person(person)
    if facts.person.enabled or facts.left is None:
        return Refused("erasure.active", f"{person} has not left.", "Disable the person first.")
    if (until := Instant(facts.left + keep_days * DAY)) > now:
        message = f"What is known of a leaver is kept for {keep_days} days: of {person} until {iso(until)}."
        return Refused("erasure.kept", message, "Law may want it kept; erase_after_days in the configuration says so.")
    if facts.listed:
        message = f"{facts.listed} still has {person}."
        return Refused("erasure.listed", message, "Take them off there first; else their data come back.")
    if facts.named:
        message = f"access.yaml, or a change of it that waits, still has the address of {person}."
        return Refused("erasure.named", message, "Take them out of it first: /changes")
    return None
