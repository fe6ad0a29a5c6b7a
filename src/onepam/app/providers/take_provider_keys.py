"""Putting certificates in force that a provider's metadata says by now."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.providers.keys import KeysFacts, ProviderKeysRead, take_keys
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class KeysQuery:
    """A provider."""

    facts: ClassVar[type[KeysFacts]] = KeysFacts
    provider: str


async def take_provider_keys(ledger: Ledger, read: ProviderKeysRead) -> Refused | None:
    """None once they are in force."""
    outcome = await ledger.commit(KeysQuery(read.provider), lambda facts, _: take_keys(facts, read))
    return outcome if isinstance(outcome, Refused) else None
