"""Policy documents: who publishes one, who looks it through, who confirms having read it, and who is reminded."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, authorised, present
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.policies.events import (
    PolicyConfirmed,
    PolicyLookedThrough,
    PolicyPublished,
    PolicyReminded,
    PolicyRetired,
)
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.limits import MAX_NAME_CHARACTERS, MAX_TEXT_CHARACTERS
from onepam.kernel.text import plain_text

MEDIA = {
    "md": "text/markdown",
    "txt": "text/plain",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "odt": "application/vnd.oasis.opendocument.text",
}
"""What a document may be, by the end of its file's name."""

READABLE = frozenset({MEDIA["md"], MEDIA["txt"]})
"""What a page can show as text."""

MOST_BYTES = 5 * 1024 * 1024
LONGEST_REVIEW = 3 * 366 * DAY
"""How far ahead a policy may be looked through the next time (microseconds)."""

MOST_READERS = 20
REMINDED_EACH = 14 * DAY
MOST_TIMES = 4
"""With the publication, and then every two weeks (microseconds) three times more: whoever does not read is a matter for
their manager, not for more mail."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)
UNKNOWN = Refused("policy.unknown", "There is no such policy.", "/policies")


@dataclass(frozen=True, slots=True)
class Standing:
    """The version in force."""

    version: int
    digest: str
    owner: str
    review_by: Instant


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """Who acts; the policy as it stands (None: there is none), and `last`, the number of its newest version ever, 0 for
    none. `owner_here`: whoever is to answer for it is a person with an account. `roles` are those of the roles asked
    about that there are; `confirmed` the version that the actor confirmed last, 0 for none."""

    actor: ActorFacts
    standing: Standing | None
    last: int
    owner_here: bool
    roles: frozenset[str]
    confirmed: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A version to be published. `ending` is that of its file's name, `digest` and `size` are of its bytes."""

    policy: str
    title: str
    ending: str
    digest: str
    size: int
    owner: str
    review_by: Instant
    readers: tuple[str, ...]
    note: str = ""


def publish(facts: PolicyFacts, draft: Draft, now: Instant) -> Decided[int] | Refused:
    """An administrator publishes a version. The result is its number."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now) or _wrong(facts, draft, now)) is not None:
        return refused
    title = plain_text(draft.title, MAX_NAME_CHARACTERS, what="title")
    note = plain_text(draft.note, MAX_TEXT_CHARACTERS, what="note", required=False)
    if isinstance(title, Refused):
        return title
    if isinstance(note, Refused):
        return note
    version = facts.last + 1
    entry = PolicyPublished(
        draft.policy, version, title, draft.digest, draft.size, MEDIA[draft.ending], draft.owner, draft.review_by,
        draft.readers, facts.actor.person, note or None,
    )  # fmt: skip
    return Decided((entry,), version)


def _wrong(facts: PolicyFacts, draft: Draft, now: Instant) -> Refused | None:
    """What keeps the version from being published."""
    if not _NAME.fullmatch(draft.policy):
        return Refused(
            "policy.name", "A policy's name is lower-case letters, digits and hyphens.", "As access-control."
        )
    if draft.ending not in MEDIA:
        return Refused("policy.media", "A document of this kind is not kept.", f"Take one of {', '.join(MEDIA)}.")
    if not 0 < draft.size <= MOST_BYTES:
        return Refused("policy.size", f"A document has at most {MOST_BYTES >> 20} MiB, and is not empty.")
    if facts.standing is not None and facts.standing.digest == draft.digest:
        return Refused("policy.same", "This is the very document that is in force.", "Look it through instead.")
    if not facts.owner_here:
        return Refused("policy.owner", "Whoever answers for a policy is a person with an account.", "Name another one.")
    if len(draft.readers) > MOST_READERS or not set(draft.readers) <= facts.roles:
        return Refused("policy.readers", "One of the roles whose holders are to read it does not exist.")
    return _day_is_wrong(draft.review_by, now)


def _day_is_wrong(review_by: Instant, now: Instant) -> Refused | None:
    if now < review_by <= now + LONGEST_REVIEW:
        return None
    return Refused(
        "policy.day", "It is looked through on a day to come, within three years.", "Write it as 2027-03-31."
    )


def look_through(
    facts: PolicyFacts, policy: str, review_by: Instant, note: str, now: Instant
) -> Decided[None] | Refused:
    """Its owner or an administrator says that it is right as it is, and when it is looked at again."""
    standing = facts.standing
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if standing is None:
        return UNKNOWN
    if standing.owner != facts.actor.person:
        refused = authorised(facts.actor, ConsoleRight.ADMINISTER, now)
        if refused is not None:
            return Refused("policy.not_owner", "Whoever answers for it looks it through, or an administrator.")
    words = plain_text(note, MAX_TEXT_CHARACTERS, what="note", required=False)
    if isinstance(words, Refused):
        return words
    if (refused := _day_is_wrong(review_by, now)) is not None:
        return refused
    entry = PolicyLookedThrough(policy, standing.version, review_by, facts.actor.person, words or None)
    return Decided((entry,), None)


def confirm(facts: PolicyFacts, policy: str, digest: str, now: Instant) -> Decided[None] | Refused:
    """Somebody read the document with this digest."""
    standing = facts.standing
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if standing is None:
        return UNKNOWN
    if standing.digest != digest:
        return Refused("policy.changed", "Another version is in force by now.", "Read that one.")
    if facts.confirmed == standing.version:
        return Refused("policy.confirmed", "You have confirmed this version already.")
    return Decided((PolicyConfirmed(policy, standing.version, digest, facts.actor.person),), None)


def retire(facts: PolicyFacts, policy: str, because: str, now: Instant) -> Decided[None] | Refused:
    """An administrator takes it out of force."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if facts.standing is None:
        return UNKNOWN
    words = plain_text(because, MAX_TEXT_CHARACTERS, what="reason")
    if isinstance(words, Refused):
        return words
    return Decided((PolicyRetired(policy, facts.actor.person, words),), None)


@dataclass(frozen=True, slots=True)
class Unread:
    """Somebody who is to read the version in force and has not confirmed it: how often and when they were told."""

    policy: str
    version: int
    person: str
    times: int
    told: Instant | None


def is_due(unread: Unread, now: Instant) -> bool:
    """Whether they are to be told now."""
    return unread.times < MOST_TIMES and (unread.told is None or unread.told + REMINDED_EACH <= now)


def remind(unread: Iterable[Unread], now: Instant) -> Decided[int]:
    """Whoever is due is told. The result is how many."""
    told = tuple(
        PolicyReminded(each.policy, each.version, each.person, each.times + 1) for each in unread if is_due(each, now)
    )
    return Decided(told, len(told))
