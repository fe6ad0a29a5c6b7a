"""Adding a person or a service account."""

from dataclasses import dataclass, replace
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.people.adding import AddingFacts, Attributes, add, normalised_email
from onepam.domain.people.events import PersonKind
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class AddingQuery:
    """The actor (None: the system), a person, and those whom the attributes name."""

    facts: ClassVar[type[AddingFacts]] = AddingFacts
    actor: Actor | None
    person: str
    attributes: Attributes


async def add_person(
    ledger: Ledger, actor: Actor | None, person: str, kind: PersonKind, attributes: Attributes, because: str
) -> Refused | None:
    """None when the new id `person` is added. Without an `actor` only until somebody has signed in (the bootstrap)."""
    known = with_normal_email(attributes)
    if isinstance(known, Refused):
        return known
    outcome = await ledger.commit(
        AddingQuery(actor, person, known),
        lambda facts, now: add(facts, actor, person, kind, known, because, now),
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


def with_normal_email(attributes: Attributes) -> Attributes | Refused:
    """The attributes with the address as it is compared and kept."""
    if attributes.email is None:
        return attributes
    email = normalised_email(attributes.email)
    return email if isinstance(email, Refused) else replace(attributes, email=email)
