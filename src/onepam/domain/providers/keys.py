"""The certificates of a provider that were read again by themselves."""

from dataclasses import dataclass

from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.kernel.errors import Refused


@event(
    "provider.keys_read",
    klass="identity",
    alarm=True,
    control="MFA-02 CHG-01",
    words="{provider} has other certificates",
)
@dataclass(frozen=True, slots=True)
class ProviderKeysRead:
    """The provider has other certificates, as its metadata at the address that was approved says. `settings` are all of
    its settings from now on; nothing but certificates and dates differs from those of the change `replaces`."""

    provider: str
    change: str
    replaces: str
    settings: str


@dataclass(frozen=True, slots=True)
class KeysFacts:
    """The change that made the provider what it is, None where there is no such provider."""

    change: str | None


def take_keys(facts: KeysFacts, read: ProviderKeysRead) -> Decided[None] | Refused:
    """Puts them in force, unless the provider has changed since they were read."""
    if facts.change != read.replaces:
        return Refused("provider.overtaken", "The provider has changed since its metadata was read.")
    return Decided((read,), None)
