"""What signing in by a company's identity provider needs from outside."""

from dataclasses import dataclass

from onepam.boot.config import Config
from onepam.egress.egress import Egress
from onepam.egress.fetch import Fetch
from onepam.identity.oidc.relying_party import RelyingParty
from onepam.identity.providers import Providers
from onepam.identity.saml.reading import MetadataReader
from onepam.vault.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Identity:
    """One HTTP client for all providers, what it remembers of them, and their settings."""

    fetch: Fetch
    openid: RelyingParty
    providers: Providers
    metadata: MetadataReader

    @classmethod
    def of(cls, config: Config, ssh_port: int, envelope: Envelope) -> "Identity":
        """Calls leave by the operator's rule for outgoing connections, never to our own listeners."""
        fetch = Fetch(Egress(config.admitted, frozenset({ssh_port, config.console_port})))
        return cls(fetch, RelyingParty(fetch), Providers(config.url, envelope), MetadataReader(fetch))
