"""A provider as the ledger keeps it, made ready for use: its settings read, its secret opened, once for each change."""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence

from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.setting import Provider
from onepam.identity.oidc import settings as oidc
from onepam.identity.oidc.settings import OidcSettings
from onepam.identity.saml import settings as saml
from onepam.identity.saml.keys import SpKey
from onepam.identity.saml.metadata import certificate_of
from onepam.identity.saml.settings import SamlSettings
from onepam.identity.stored import Seal
from onepam.kernel.clock import Instant, instant
from onepam.kernel.errors import Corrupt, Refused
from onepam.kernel.secret import Secret

Settings = OidcSettings | SamlSettings

MOST_KEPT = 60


class Providers:
    """Settings by change: a change never changes, so what was read once stays right."""

    def __init__(self, console: str, seal: Seal) -> None:
        self._console = console
        self._seal = seal
        self._kept: dict[str, Settings] = {}

    def settings(self, stored: Provider) -> Settings | Refused:
        """Ready for use. Codes: `oidc.settings`, `saml.settings`. Raises `Corrupt` when the secret was altered."""
        known = self._kept.get(stored.change)
        if known is None:
            read = self._read(stored)
            if isinstance(read, Refused):
                return read
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            known = self._kept[stored.change] = read
        return known

    def _read(self, stored: Provider) -> Settings | Refused:
        fields = json.loads(stored.settings)
        secret = open_secret(stored.secret, stored.provider, self._seal) if stored.secret is not None else None
        if stored.kind is ProviderKind.OIDC:
            return oidc.parse(stored.provider, self._console, fields, secret)
        return saml.parse(stored.provider, self._console, fields, read_keys(secret) if secret is not None else ())


def runs_out(stored: Provider) -> tuple[tuple[str, Instant], ...]:
    """What of a provider ends when, by what is not secret of it: (`certificate` or `metadata`, when).

    Of several signing certificates the last to end counts: the others are of keys that were changed. OpenID providers
    publish their keys without an end.
    """
    idp = json.loads(stored.settings).get("idp", {}) if stored.kind is ProviderKind.SAML else {}
    read = [certificate_of("".join(each.split())) for each in idp.get("signing", ())]
    ends = [instant(each.not_valid_after_utc) for each in read if not isinstance(each, Refused)]
    found = [("certificate", max(ends))] if ends else []
    if valid_until := idp.get("valid_until"):
        found.append(("metadata", Instant(valid_until)))
    return tuple(found)


def own_certificate_ends(settings: SamlSettings) -> Instant:
    """When the certificate of the key that signs for us ends."""
    return instant(settings.keys[0].x509().not_valid_after_utc)


def sealed_secret(secret: Secret, provider: str, seal: Seal) -> str:
    """A provider's secret under the vault's key, bound to the provider."""
    return b64encode(seal.seal(secret, _about(provider))).decode("ascii")


def open_secret(text: str, provider: str, seal: Seal) -> Secret:
    """The secret. Raises `Corrupt` when it was altered, or is another provider's."""
    try:
        sealed = b64decode(text, validate=True)
    except ValueError:
        raise Corrupt("a provider's sealed secret cannot be read") from None
    return seal.open(sealed, _about(provider))


def keys_secret(keys: Sequence[SpKey]) -> Secret:
    """Our own keys towards a SAML provider as its secret: the first one signs."""
    pairs = [
        {
            "certificate": b64encode(each.certificate).decode("ascii"),
            "key": b64encode(each.private.reveal()).decode("ascii"),
        }
        for each in keys
    ]
    return Secret(json.dumps(pairs).encode("ascii"))


def read_keys(secret: Secret) -> tuple[SpKey, ...]:
    """The keys of `keys_secret`. Raises `Corrupt`."""
    try:
        pairs = json.loads(secret.reveal())
        return tuple(SpKey(Secret(b64decode(each["key"])), b64decode(each["certificate"])) for each in pairs)
    except (ValueError, KeyError, TypeError):
        raise Corrupt("a provider's keys cannot be read") from None


def _about(provider: str) -> bytes:
    return f"provider/{provider}".encode("ascii")
