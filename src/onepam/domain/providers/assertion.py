"""What a company's identity provider says of somebody, and what that is worth as a proof of the second factor.

The edge (OpenID Connect, SAML) verifies a message and reduces it to one `Assertion`; from there on both are the same.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from onepam.kernel.clock import Instant


class ProviderKind(StrEnum):
    """What a provider speaks."""

    OIDC = "oidc"
    SAML = "saml"


@dataclass(frozen=True, slots=True)
class Assertion:
    """A verified message of a provider about one person.

    `provider` is our id of it. `subject` is what the provider never gives to somebody else: OpenID Connect's `sub`,
    SAML's NameID or the attribute that the administrator chose. `user_name` is what people know the account by, `email`
    None unless the provider vouches for the address. `groups` is None where the message says nothing about groups, and
    empty where it says that there are none. `methods` are the `amr` values, `context` the `acr` or the
    AuthnContextClassRef ("" where not sent). `authenticated_at` is when the provider saw the factors (now, where it
    does not say). `unique` names this very message (nonce, assertion id): it serves once. `provider_session` is the
    `sid` or the SessionIndex, "" where there is none; `name_id` is what a SAML logout request must repeat. `left_out`
    are the values of groups that are no usable name.
    """

    provider: str
    subject: str
    user_name: str
    email: str | None
    name: str | None
    groups: tuple[str, ...] | None
    methods: tuple[str, ...]
    context: str
    authenticated_at: Instant
    unique: str
    provider_session: str = ""
    name_id: str = ""
    left_out: int = 0

    def shifted(self, by: int) -> "Assertion":
        """The same message in another reckoning of time, `by` microseconds later: from our clock's to the ledger's."""
        return replace(self, authenticated_at=Instant(self.authenticated_at + by))
