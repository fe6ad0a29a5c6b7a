"""Incidents: who opens one, who adds to it, who says who answers, and who closes it.

Whoever administers, audits or monitors opens one, links what belongs to it, and sees all. Whoever answers for one sees
it and adds words: a link shows what it leads to (an entry of the ledger, too), and says who brought it about. One is
closed by an administrator or an auditor who did not bring it about: nobody is judge of what they did. One that was ever
of high severity takes two: whoever closes it never answered for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from onepam.domain.access.authority import ActorFacts, authorised, present
from onepam.domain.access.model import ConsoleRight
from onepam.domain.controls.control import Severity
from onepam.domain.history.commit import Decided
from onepam.domain.incidents.events import (
    IncidentAssigned,
    IncidentClosed,
    IncidentNoted,
    IncidentOpened,
    IncidentReminded,
    IncidentReopened,
    Link,
)
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.limits import MAX_NAME_CHARACTERS, MAX_TEXT_CHARACTERS
from onepam.kernel.text import plain_text

KEEPERS = (ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)
"""Whoever has one of these opens incidents and sees all."""

CLOSERS = (ConsoleRight.ADMINISTER, ConsoleRight.AUDIT)

WITHIN: Final[Mapping[Severity, int]] = MappingProxyType(
    {Severity.HIGH: 3 * DAY, Severity.MEDIUM: 14 * DAY, Severity.LOW: 30 * DAY}
)
"""For how long an incident may stay open, unless somebody says another day (microseconds)."""

LATEST_DUE = 366 * DAY
"""How far ahead that day may be (microseconds)."""

REMINDED_EACH = 7 * DAY
MOST_TIMES = 5
"""Whoever answers for one is told at once; when it is due; and then each week (microseconds), so often in all."""

MOST_LINKS = 20
"""By one entry."""


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    CLOSED = "closed"


UNKNOWN = Refused("incident.unknown", "There is no such incident.", "/incidents")
NO_LINKS = Refused(
    "incident.links_kept", "What belongs to it is linked by whoever administers, audits or monitors.", "Write it down."
)
_CLOSED = Refused("incident.closed", "This incident is closed.", "Open it again first.")


@dataclass(frozen=True, slots=True)
class Standing:
    """An incident as of the decision. `highest` is the most that it ever weighed, `owners` all who ever answered for
    it; `culprits` are those who brought it about as far as that is known: whoever is linked as such, whoever's session
    is linked, and who owns the service whose it was."""

    state: State
    severity: Severity
    highest: Severity
    owner: str
    owners: frozenset[str]
    culprits: frozenset[str]
    due: Instant


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """Who acts; the incident as it stands (None: there is none); whether whoever is to answer for it is a person with
    an account; and of the links that are to be made those that lead nowhere."""

    actor: ActorFacts
    incident: Standing | None
    owner_here: bool = True
    nowhere: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An incident to be opened, by its new id. `began` is None where nobody knows, `found` None for now."""

    incident: str
    title: str
    what: str
    severity: Severity
    began: Instant | None
    found: Instant | None
    owner: str
    links: tuple[Link, ...] = ()


def keeps(actor: ActorFacts, now: Instant) -> Refused | None:
    """None for whoever opens incidents and sees all."""
    return _one_of(actor, KEEPERS, now)


def open_incident(facts: IncidentFacts, draft: Draft, now: Instant) -> Decided[str] | Refused:
    """The result is its id."""
    found = now if draft.found is None else draft.found
    if (refused := keeps(facts.actor, now) or _wrong(facts, draft.links)) is not None:
        return refused
    if found > now or (draft.began is not None and draft.began > found):
        return Refused(
            "incident.time", "It began before it was found, and was found by now.", "Give times that passed."
        )
    if facts.incident is not None:
        return Refused("incident.taken", "There is such an incident already.", "/incidents")
    title = plain_text(draft.title, MAX_NAME_CHARACTERS, what="title")
    what = plain_text(draft.what, MAX_TEXT_CHARACTERS, what="description", required=False)
    if isinstance(title, Refused):
        return title
    if isinstance(what, Refused):
        return what
    due = Instant(now + WITHIN[draft.severity])
    entry = IncidentOpened(
        draft.incident, draft.severity, draft.began, found, draft.owner, due, _once(draft.links),
        facts.actor.person, title, what or None,
    )  # fmt: skip
    return Decided((entry,), draft.incident)


def note(
    facts: IncidentFacts, incident: str, at: Instant, words: str, links: tuple[Link, ...], now: Instant
) -> Decided[None] | Refused:
    """Something was learned or done at `at`; with words, links or both. Whoever has no right but answers for it links
    nothing."""
    standing = facts.incident
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if standing is None:
        return UNKNOWN
    unseen = keeps(facts.actor, now)
    if unseen is not None and standing.owner != facts.actor.person:
        return UNKNOWN
    if unseen is not None and links:
        return NO_LINKS
    if standing.state is State.CLOSED:
        return _CLOSED
    if at > now:
        return Refused("incident.time", "What is noted was so by now.", "Give a time that has passed.")
    said = plain_text(words, MAX_TEXT_CHARACTERS, what="note", required=not links)
    if isinstance(said, Refused):
        return said
    if (refused := _wrong(facts, links)) is not None:
        return refused
    return Decided((IncidentNoted(incident, at, _once(links), facts.actor.person, said or None),), None)


def assign(
    facts: IncidentFacts, incident: str, severity: Severity, owner: str, due: Instant | None, because: str, now: Instant
) -> Decided[None] | Refused:
    """How much it weighs, who answers for it and until when; `due` is None for the days that its severity gives."""
    if (refused := keeps(facts.actor, now)) is not None:
        return refused
    if facts.incident is None:
        return UNKNOWN
    if facts.incident.state is State.CLOSED:
        return _CLOSED
    until = Instant(now + WITHIN[severity]) if due is None else due
    if not now < until <= now + LATEST_DUE:
        return Refused("incident.due", "It is due on a day to come, within a year.", "Write it as 2027-03-31.")
    if not facts.owner_here:
        return _NO_OWNER
    words = plain_text(because, MAX_TEXT_CHARACTERS, what="reason")
    if isinstance(words, Refused):
        return words
    return Decided((IncidentAssigned(incident, severity, owner, until, facts.actor.person, words),), None)


def close(
    facts: IncidentFacts, incident: str, cause: str, done: str, lessons: str, now: Instant
) -> Decided[None] | Refused:
    """It is over: somebody with authority who did not bring it about says why it was, and what was done."""
    actor, standing = facts.actor, facts.incident
    if (refused := _one_of(actor, CLOSERS, now)) is not None:
        return refused
    if standing is None:
        return UNKNOWN
    if standing.state is State.CLOSED:
        return _CLOSED
    if actor.person in standing.culprits or actor.in_hand(standing.culprits):
        words = "Nobody closes what they brought about, or what their session is part of."
        return Refused("incident.own", words, "Somebody else must.")
    if standing.highest is Severity.HIGH and (actor.person in standing.owners or actor.in_hand(standing.owners)):
        words = "One of high severity takes two: whoever closes it never answered for it."
        return Refused("incident.two_hands", words, "Ask another administrator or auditor.")
    said = [
        plain_text(cause, MAX_TEXT_CHARACTERS, what="cause"),
        plain_text(done, MAX_TEXT_CHARACTERS, what="account of what was done"),
        plain_text(lessons, MAX_TEXT_CHARACTERS, what="lesson", required=False),
    ]
    for each in said:
        if isinstance(each, Refused):
            return each
    why, what, learned = (str(each) for each in said)
    return Decided((IncidentClosed(incident, actor.person, why, what, learned or None),), None)


def reopen(facts: IncidentFacts, incident: str, because: str, now: Instant) -> Decided[None] | Refused:
    """It was not over."""
    if (refused := keeps(facts.actor, now)) is not None:
        return refused
    standing = facts.incident
    if standing is None:
        return UNKNOWN
    if standing.state is State.OPEN:
        return Refused("incident.open", "This incident is open.", "Note what you know.")
    words = plain_text(because, MAX_TEXT_CHARACTERS, what="reason")
    if isinstance(words, Refused):
        return words
    due = Instant(now + WITHIN[standing.severity])
    return Decided((IncidentReopened(incident, due, facts.actor.person, words),), None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open incident as its owner may be told of it: how often and when they were, since they answer for it."""

    incident: str
    owner: str
    due: Instant
    times: int
    told: Instant | None


def is_due(waiting: Waiting, now: Instant) -> bool:
    """Whether its owner is to be told now."""
    if waiting.told is None:
        return True
    if waiting.times >= MOST_TIMES or now < waiting.due:
        return False
    return waiting.told < waiting.due or waiting.told + REMINDED_EACH <= now


def remind(waiting: Iterable[Waiting], now: Instant) -> Decided[int]:
    """Whoever is due is told. The result is how many."""
    told = tuple(
        IncidentReminded(each.incident, each.owner, each.due, each.times + 1) for each in waiting if is_due(each, now)
    )
    return Decided(told, len(told))


_NO_OWNER = Refused("incident.owner", "Whoever answers for it is a person with an account.", "Name another one.")


def _one_of(actor: ActorFacts, rights: Iterable[ConsoleRight], now: Instant) -> Refused | None:
    refusals = [authorised(actor, right, now) for right in rights]
    return None if None in refusals else refusals[0]


def _wrong(facts: IncidentFacts, links: tuple[Link, ...]) -> Refused | None:
    """What keeps the links, or whoever is to answer, from being taken."""
    if not facts.owner_here:
        return _NO_OWNER
    if len(links) > MOST_LINKS:
        return Refused("incident.links", f"At most {MOST_LINKS} links are made at once.", "Note the others after it.")
    for each in facts.nowhere:
        kind = each.kind.value.replace("_", " ")
        return Refused("incident.nowhere", f"There is nothing to link: {kind} {each.ref[:100]}.", "Give its id.")
    return None


def _once(links: tuple[Link, ...]) -> tuple[Link, ...]:
    return tuple(dict.fromkeys(links))
