"""Identity providers as state: how each is reached, what its word is worth, and whom it may bring in.

A provider can speak for anybody in its domains, so a new one, or one that is changed, is proposed by one administrator
and takes effect when another one approves it. Which identity at a provider is which person is a link of its own.
"""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.history.event import event, private
from onepam.domain.providers.assertion import ProviderKind
from onepam.kernel.clock import Instant


class FirstFactor(StrEnum):
    """How somebody without a factor of ours gets the first one for a step-up.

    `self`: at the sign-in through the provider, except for somebody with administrative rights; `link`: by an
    administrator's enrolment link only.
    """

    SELF = "self"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class ProviderRule:
    """What a provider's word is worth here.

    `attests` are the values of `amr`, `acr` or AuthnContextClassRef that prove a second factor, `phishing_resistant`
    those that prove one which cannot be phished. `domains` are the mail domains (lower case) of the people it speaks
    for: by an address elsewhere nobody is found or added. `joins`: whether somebody unknown is added at the first
    sign-in.
    `groups`: whether the groups in its messages feed `directory:` groups (not where SCIM feeds them).
    """

    attests: tuple[str, ...] = ()
    phishing_resistant: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    joins: bool = False
    groups: bool = False
    first_factor: FirstFactor = FirstFactor.SELF


@event(
    "provider.proposed", klass="identity", control="MFA-02 CHG-01", words="{by} proposed the identity provider {name}"
)
@dataclass(frozen=True, slots=True)
class ProviderProposed:
    """A provider as it shall be, waiting for a second administrator.

    `settings` is the canonical JSON of what is not secret (issuer, client id, endpoints, certificates, names of
    claims), `secret` what is, sealed by the vault, as text.
    """

    change: str
    provider: str
    kind: ProviderKind
    name: str
    settings: str
    rule: ProviderRule
    by: str
    secret: str | None = private()


@event(
    "provider.set",
    klass="identity",
    control="MFA-02 CHG-01",
    words="{by} set the identity provider {name}, as {proposed_by} proposed",
)
@dataclass(frozen=True, slots=True)
class ProviderSet:
    """The provider as it is from now on: what `change` proposed. `proposed_by` and `by` are two administrators."""

    change: str
    provider: str
    kind: ProviderKind
    name: str
    settings: str
    rule: ProviderRule
    proposed_by: str
    by: str
    secret: str | None = private()


@event(
    "provider.rejected", klass="identity", control="CHG-01", words="{by} rejected the proposal of {provider}: {because}"
)
@dataclass(frozen=True, slots=True)
class ProviderRejected:
    """The proposal is void. `because` is the code of what made it so, as denied; `by` is None for time."""

    change: str
    provider: str
    by: str | None
    because: str


@event(
    "provider.removed",
    klass="identity",
    control="MFA-02 CHG-01",
    words="{by} removed the identity provider {provider}: {because}",
)
@dataclass(frozen=True, slots=True)
class ProviderRemoved:
    """Nobody signs in through this provider any more; the sign-ins it opened end."""

    provider: str
    by: str
    because: str


@event(
    "provider.declared",
    klass="identity",
    control="MFA-02",
    words="{by} declared that {provider} demands a second factor, until {ends}",
)
@dataclass(frozen=True, slots=True)
class MfaDeclared:
    """A statement that the provider demands a second factor of everybody, until `ends`. Never for administrative roles.

    `mfa_at` is the signer's own factor. `policy_digest` is the hex SHA-256 of `policy`: the provider's policy as it was
    exported and laid before the signer.
    """

    declaration: str
    provider: str
    statement: str
    policy_digest: str
    ends: Instant
    by: str
    mfa_at: Instant
    policy: str | None = private()


@event(
    "provider.declaration_ended",
    klass="identity",
    control="MFA-02",
    words="{by} withdrew the declaration on {provider}: {because}",
)
@dataclass(frozen=True, slots=True)
class MfaDeclarationEnded:
    """The statement is withdrawn before its end."""

    declaration: str
    provider: str
    because: str
    by: str


@event(
    "identity.linked",
    klass="identity",
    control="IDN-01 PRV-03",
    words="{by} linked {person} to an identity at {provider}: {because}",
)
@dataclass(frozen=True, slots=True)
class IdentityLinked:
    """This subject at this provider is this person from now on (`because`: scim, address, joined, administrator).

    `subject_digest` is the hex SHA-256 of provider, a line feed and the subject; a subject once linked to somebody is
    never linked to somebody else. A subject can be an address, so that its digest is erased with the rest: the subject
    is then unknown again.
    """

    identity: str
    provider: str
    person: str
    because: str
    by: str | None
    subject_digest: str | None = private()
    subject: str | None = private()
    user_name: str | None = private()


@event(
    "identity.unlinked",
    klass="identity",
    control="IDN-01 OFF-01",
    words="{by} unlinked an identity of {person}: {because}",
)
@dataclass(frozen=True, slots=True)
class IdentityUnlinked:
    """The subject is nobody's from now on."""

    identity: str
    person: str
    because: str
    by: str | None


@event(
    "provider.logged_out",
    klass="identity",
    control="OFF-04",
    words="{provider} told of a logout: {ended} sign-ins ended",
)
@dataclass(frozen=True, slots=True)
class ProviderLoggedOut:
    """The provider told us of a logout (back-channel logout, SAML single logout); `ended` sign-ins end by it.

    `digest` is the hex SHA-256 of the provider's random id of the message, by which it serves once, at every node.
    """

    provider: str
    digest: str
    ended: int
