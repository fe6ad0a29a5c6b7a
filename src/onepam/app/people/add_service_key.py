"""Registering the key by which a service account comes in."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.signing_in.service_keys import ServiceKey, ServiceKeyFacts, register
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ServiceKeyQuery:
    """The administrator, the account, and a key's fingerprint if one is to be registered."""

    facts: ClassVar[type[ServiceKeyFacts]] = ServiceKeyFacts
    actor: Actor
    person: str
    fingerprint: str | None = None


async def add_service_key(ledger: Ledger, actor: Actor, key: ServiceKey) -> bool | Refused:
    """The key is registered: from now on its holder opens sessions as `key.person`, from its networks. The answer is
    whether nothing privileged, until another administrator registers it, too."""
    outcome = await ledger.commit(
        ServiceKeyQuery(actor, key.person, key.fingerprint), lambda facts, now: register(facts, actor, key, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
