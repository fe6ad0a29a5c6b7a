"""What an administrator says of other systems: who stands behind an account, and who answers for what is found."""

from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.systems.events import AccountSystemSet, ListedAccountLinked, Match
from onepam.domain.systems.importing import ListedAccount
from onepam.domain.systems.matching import Behind
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

DAYS = 30
"""Within how many days what is found of a system's accounts is to be mended, until somebody says otherwise."""

LEAST_DAYS, MOST_DAYS = 1, 365


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """The actor, the account (None: there is no such one, or several), and whether the person who is named is known,
    not erased, no service account, and is here."""

    actor: ActorFacts
    account: ListedAccount | None
    known: bool
    here: bool


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """The actor, whether the system has a list, and whether whoever is to answer for it is here."""

    actor: ActorFacts
    known: bool
    here: bool


def link(facts: LinkFacts, system: str, person: str | None, service: bool, now: Instant) -> Decided[None] | Refused:
    """Says who stands behind an account, here or gone, or (None) that nobody does; of a service account who owns it,
    who is here. Lists change it no more."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if facts.account is None:
        return Refused("listed_account.unknown", f"{system} has no such account on its list.", "/systems")
    if person is not None and not facts.known:
        return Refused("person.unknown", "There is nobody like that.", "/people")
    if service and not facts.here:
        return Refused("listed_account.owner", "Who owns a service account must be here.", "Name somebody else.")
    if facts.account.behind == Behind(person, service, Match.SAID):
        return Refused("listed_account.linked", "That is said already.")
    linked = ListedAccountLinked(facts.account.account, system, person, service, facts.actor.person)
    return Decided((linked,), None)


def set_system(facts: SystemFacts, system: str, owner: str, days: int, now: Instant) -> Decided[None] | Refused:
    """Who answers for what is found of a system's accounts, and within how many days."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if not facts.known:
        return Refused("account_list.unknown", f"There is no list of {system[:60]}.", "/systems")
    if not facts.here:
        return Refused("account_list.owner", "Who is to answer for it is not here.", "Name somebody else.")
    if not LEAST_DAYS <= days <= MOST_DAYS:
        return Refused("account_list.days", f"What is found is mended within {LEAST_DAYS} to {MOST_DAYS} days.")
    return Decided((AccountSystemSet(system, owner, days, facts.actor.person),), None)
