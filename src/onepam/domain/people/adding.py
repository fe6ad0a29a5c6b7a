"""Who exists: adding people and service accounts, and changing what is known of them."""

import re
import unicodedata
from dataclasses import dataclass

from onepam.domain.access.authority import Actor, ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonAdded, PersonChanged, PersonKind
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

MAX_EMAIL_CHARACTERS = 254
"""RFC 5321, section 4.5.3.1.3, less the angle brackets."""

_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"]+\.[^\s@<>()\[\],;:\\\".]+")


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person as of the decision. The address is None once `erased`: then the account never comes back."""

    person: str
    kind: PersonKind
    enabled: bool
    ends: Instant | None
    owner: str | None
    email: str | None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class AddingFacts:
    """What adding or changing a person looks at.

    `actor` is None for the system itself, which may act only until somebody has `signed_in`. `person` is None where
    there is none of that id, `owner` and `manager` where none of those ids; `same_email` is another enabled person
    with the address.
    """

    actor: ActorFacts | None
    signed_in: bool
    person: PersonFacts | None
    owner: PersonFacts | None
    manager: PersonFacts | None
    same_email: str | None


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is known of a person. `email` is normalised, and None only for a service account.

    `owner` is the sponsor of a vendor, the owner of a service; None for an employee.
    """

    name: str
    email: str | None
    manager: str | None = None
    owner: str | None = None
    ends: Instant | None = None


def add(
    facts: AddingFacts,
    actor: Actor | None,
    person: str,
    kind: PersonKind,
    attributes: Attributes,
    because: str,
    now: Instant,
) -> Decided[None] | Refused:
    """Adds somebody. A vendor needs a sponsor and an end, a service account an owner and an end."""
    if (refused := _may(facts, now)) is not None:
        return refused
    if facts.person is not None:
        return Refused("person.exists", f"There is a person {person} already.")
    known = _attributes(facts, person, kind, attributes, now)
    why = plain_text(because, limits.MAX_NAME_CHARACTERS, what="reason")
    for text in (known, why):
        if isinstance(text, Refused):
            return text
    added = PersonAdded(
        person=person,
        kind=kind,
        because=str(why),
        by=actor.person if actor else None,
        owner=attributes.owner,
        ends=attributes.ends,
        manager=attributes.manager,
        name=str(known),
        email=attributes.email,
    )
    return Decided((added,), None)


def change(
    facts: AddingFacts, actor: Actor, person: str, attributes: Attributes, now: Instant
) -> Decided[None] | Refused:
    """Replaces what is known of somebody. Nobody changes their own end, manager or sponsor."""
    if (refused := _may(facts, now)) is not None:
        return refused
    if facts.person is None:
        return unknown_person(person)
    if facts.person.erased:
        return erased_person(person)
    known = _attributes(facts, person, facts.person.kind, attributes, now)
    if isinstance(known, Refused):
        return known
    if actor.person == person:
        return Refused(
            "person.self_change",
            "Nobody changes their own end, manager, name or address here.",
            "Ask another administrator.",
        )
    changed = PersonChanged(
        person=person,
        by=actor.person,
        manager=attributes.manager,
        owner=attributes.owner,
        ends=attributes.ends,
        name=known,
        email=attributes.email,
        readdressed=attributes.email != facts.person.email,
    )
    return Decided((changed,), None)


def normalised_email(text: str) -> str | Refused:
    """The address as it is compared and kept: NFKC, lower case, no white space around."""
    address = unicodedata.normalize("NFKC", text).strip().casefold()
    if len(address) > MAX_EMAIL_CHARACTERS or not _EMAIL.fullmatch(address) or not address.isprintable():
        return Refused("person.email", f"{text[:60]!r} is not an e-mail address.", "Such as ada@example.com.")
    return address


def unknown_person(person: str) -> Refused:
    """The answer for a person that does not exist."""
    return Refused("person.unknown", f"There is no person {person}.", "/people")


def erased_person(person: str) -> Refused:
    """The answer to whoever would change or bring back an account whose data were erased."""
    return Refused("person.erased", f"What was known of {person} was erased.", "Add them as somebody new.")


def _may(facts: AddingFacts, now: Instant) -> Refused | None:
    if facts.actor is not None:
        return authorised(facts.actor, ConsoleRight.ADMINISTER, now)
    if facts.signed_in:
        return Refused("bootstrap.over", "Somebody has signed in already; the system adds nobody by itself any more.")
    return None


def _attributes(
    facts: AddingFacts, person: str, kind: PersonKind, attributes: Attributes, now: Instant
) -> str | Refused:
    """The name as it is kept."""
    if attributes.email is None and kind is not PersonKind.SERVICE:
        return Refused("person.email", "A person needs an e-mail address.", "Such as ada@example.com.")
    if facts.same_email is not None:
        return Refused("person.email_taken", "Somebody else has this address.", f"/people/{facts.same_email}")
    if attributes.ends is not None and attributes.ends <= now:
        return Refused("person.end_past", "The end lies in the past.", "Disable the person instead.")
    if attributes.manager is not None and (facts.manager is None or attributes.manager == person):
        return Refused("person.manager", f"{attributes.manager} cannot be the manager.")
    if kind is not PersonKind.EMPLOYEE and (refused := _answerable(facts, kind, attributes, now)) is not None:
        return refused
    return plain_text(attributes.name, limits.MAX_NAME_CHARACTERS, what="name")


def _answerable(facts: AddingFacts, kind: PersonKind, attributes: Attributes, now: Instant) -> Refused | None:
    who = "sponsor" if kind is PersonKind.VENDOR else "owner"
    if attributes.ends is None:
        return Refused("person.no_end", f"A {kind.value} account needs an end date.", "Such as the contract's end.")
    owner = facts.owner
    if owner is None or owner.kind is not PersonKind.EMPLOYEE or not owner.enabled or _over(owner.ends, now):
        return Refused("person.no_owner", f"A {kind.value} account needs an employee as its {who}.", f"Name a {who}.")
    return None


def _over(ends: Instant | None, now: Instant) -> bool:
    return ends is not None and ends <= now
