"""What an administrator says of other systems: who stands behind an account, and who answers for a system."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.systems import linking
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class LinkQuery:
    """Who acts, the account (its name on the list, or its id), and who is said to stand behind it."""

    facts: ClassVar[type[linking.LinkFacts]] = linking.LinkFacts
    actor: Actor
    system: str
    account: str
    person: str | None


@dataclass(frozen=True, slots=True)
class SystemQuery:
    """Who acts, the system, and who is to answer for it."""

    facts: ClassVar[type[linking.SystemFacts]] = linking.SystemFacts
    actor: Actor
    system: str
    owner: str


async def link_account(
    ledger: Ledger, actor: Actor, system: str, account: str, person: str | None, service: bool = False
) -> Refused | None:
    """`person` stands behind the account (as who owns it, if it is a `service`); None: nobody does."""
    outcome = await ledger.commit(
        LinkQuery(actor, system, account, person),
        lambda facts, now: linking.link(facts, system, person, service, now),
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def set_system(ledger: Ledger, actor: Actor, system: str, owner: str, days: int) -> Refused | None:
    """Who answers for what is found of the system's accounts, and within how many days."""
    outcome = await ledger.commit(
        SystemQuery(actor, system, owner), lambda facts, now: linking.set_system(facts, system, owner, days, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
