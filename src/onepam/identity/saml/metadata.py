"""Metadata (SAML 2.0 Metadata): what a provider says of itself, reduced to what a sign-in needs."""

import binascii
import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509

from onepam.identity.saml.keys import provider_certificate
from onepam.identity.saml.signature import verified
from onepam.identity.saml.xml import (
    DS,
    MD,
    POST,
    REDIRECT,
    SAMLP,
    Element,
    children,
    malformed,
    parse_metadata,
    read_time,
    tag,
    within,
    word,
)  # fmt: skip
from onepam.kernel.clock import SECOND, Instant, later
from onepam.kernel.errors import Refused

MAX_CERTIFICATES = 10
MAX_URL_CHARACTERS = 2_000
MAX_ENTITY_ID_CHARACTERS = 1_024
"""Metadata, section 2.2.1 (entityIDType)."""

BINDINGS = {REDIRECT: "redirect", POST: "post"}

_DURATION = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,10})(?:\.\d+)?S)?)?"
)
_DURATION_SECONDS = (365 * 86_400, 30 * 86_400, 86_400, 3_600, 60, 1)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the provider takes messages, by "redirect" or "post"; replies go to `answer`, if that is elsewhere."""

    binding: str
    location: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class IdpMetadata:
    """What we hold of a provider. Any of the signing certificates counts, so it can change its key without a gap.

    `valid_until` is when its word expires by its own saying, `refresh_after` when it asks to be read again.
    """

    entity_id: str
    sso: tuple[Endpoint, ...]
    slo: tuple[Endpoint, ...]
    signing: tuple[x509.Certificate, ...]
    encryption: tuple[x509.Certificate, ...] = ()
    valid_until: Instant | None = None
    refresh_after: Instant | None = None


def read(
    data: bytes, now: Instant, entity_id: str | None = None, pinned: Sequence[x509.Certificate] = ()
) -> IdpMetadata | Refused:
    """The identity provider of a metadata document; of several the one with that entity id.

    With `pinned` the document as a whole must be signed by one of those. Codes: `saml.malformed`, `saml.signature`,
    `saml.entity`, `saml.metadata_expired`, `saml.metadata`, `saml.certificate`, `saml.url`.
    """
    root = parse_metadata(data)
    if isinstance(root, Refused):
        return root
    if pinned:
        root = verified(root, pinned)
        if isinstance(root, Refused):
            return root
    entity = _entity(root, entity_id)
    if isinstance(entity, Refused):
        return entity
    role = next(each for each in children(entity, MD, "IDPSSODescriptor") if _speaks_saml2(each))
    lifetime = _lifetime([role, entity, *entity.iterancestors()], now)
    if isinstance(lifetime, Refused):
        return lifetime
    signing, encryption = _certificates(role, "signing"), _certificates(role, "encryption")
    if isinstance(signing, Refused):
        return signing
    if isinstance(encryption, Refused):
        return encryption
    identifier = entity.get("entityID", "")
    return complete(
        IdpMetadata(
            identifier,
            _endpoints(role, "SingleSignOnService"),
            _endpoints(role, "SingleLogoutService"),
            signing,
            encryption,
            *lifetime,
        )
    )


def complete(idp: IdpMetadata) -> IdpMetadata | Refused:
    """The metadata, if a sign-in can rest on it."""
    if not idp.entity_id or len(idp.entity_id) > MAX_ENTITY_ID_CHARACTERS or idp.entity_id != idp.entity_id.strip():
        return Refused("saml.metadata", "The provider has no usable entity id.", _READ_AGAIN)
    if not idp.sso:
        return Refused("saml.metadata", "The provider names no address for sign-in that we can use.", _READ_AGAIN)
    if not idp.signing:
        return Refused("saml.metadata", "The provider names no certificate that it signs with.", _READ_AGAIN)
    if len(idp.signing) > MAX_CERTIFICATES or len(idp.encryption) > MAX_CERTIFICATES:
        return Refused("saml.metadata", f"The provider names more than {MAX_CERTIFICATES} certificates.", _READ_AGAIN)
    for endpoint in (*idp.sso, *idp.slo):
        for url in (endpoint.location, endpoint.answer or endpoint.location):
            refused = unfit_url(url)
            if refused:
                return refused
    return idp


def unfit_url(url: str) -> Refused | None:
    """None for an address that browsers may be sent to: https, or http on this very machine."""
    try:
        parts = urlsplit(url)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        _ = parts.port
    except ValueError:
        parts, local = urlsplit(""), False
    plain = url.isascii() and url.isprintable() and not any(c in url for c in " \"'<>\\`")
    scheme = parts.scheme == "https" or (parts.scheme == "http" and local)
    if (
        plain
        and scheme
        and parts.hostname
        and "@" not in parts.netloc
        and "#" not in url
        and len(url) <= MAX_URL_CHARACTERS
    ):
        return None
    return Refused(
        "saml.url",
        "An address of the provider is not one that a browser may be sent to.",
        "Addresses begin with https:// and hold no user name and no fragment.",
    )


_READ_AGAIN = "Take the metadata of this application from the provider again."


def _entity(root: Element, entity_id: str | None) -> Element | Refused:
    if root.tag not in {tag(MD, "EntityDescriptor"), tag(MD, "EntitiesDescriptor")}:
        return malformed("is not SAML metadata")
    providers = [
        entity
        for entity in within(root, MD, "EntityDescriptor")
        if any(_speaks_saml2(role) for role in children(entity, MD, "IDPSSODescriptor"))
    ]
    chosen = [entity for entity in providers if entity_id is None or entity.get("entityID") == entity_id]
    if len(chosen) == 1:
        return chosen[0]
    known = ", ".join(sorted({entity.get("entityID", "") for entity in providers})[:20])
    if not providers:
        return Refused(
            "saml.entity",
            "The metadata describes no SAML 2.0 identity provider.",
            "It may be the metadata of a service provider, such as our own. Take the identity provider's.",
        )
    return Refused(
        "saml.entity",
        "The metadata describes several identity providers."
        if entity_id is None
        else "The metadata does not describe that identity provider, or describes it twice.",
        f"Choose one of: {known}.",
    )


def _speaks_saml2(role: Element) -> bool:
    return SAMLP in role.get("protocolSupportEnumeration", "").split()


def _lifetime(elements: Sequence[Element], now: Instant) -> tuple[Instant | None, Instant | None] | Refused:
    """The soonest end and the soonest time to read again, of the descriptors around and of the role."""
    ends: list[Instant] = []
    durations: list[int] = []
    for element in elements:
        until, duration = element.get("validUntil"), element.get("cacheDuration")
        if until is not None:
            end = read_time(until.strip())
            if end is None:
                return malformed("has an end (validUntil) that is not a time in UTC")
            ends.append(end)
        if duration is not None:
            seconds = _seconds(duration.strip())
            if seconds is None:
                return malformed("has a cacheDuration that is not one")
            durations.append(seconds)
    end = min(ends, default=None)
    if end is not None and end <= now:
        return expired()
    return end, later(now, min(durations) * SECOND) if durations else None


def expired() -> Refused:
    return Refused(
        "saml.metadata_expired",
        "The provider's metadata has expired, by its own date.",
        "An administrator should read the provider's metadata again.",
    )


def _seconds(duration: str) -> int | None:
    match = _DURATION.fullmatch(duration)
    if match is None or not any(match.groups()):
        return None
    return sum(int(count or 0) * unit for count, unit in zip(match.groups(), _DURATION_SECONDS, strict=True))


def _certificates(role: Element, use: str) -> tuple[x509.Certificate, ...] | Refused:
    """Of each key the first certificate: those after it are its issuers, and do not sign for the provider."""
    found: list[x509.Certificate] = []
    for descriptor in children(role, MD, "KeyDescriptor"):
        if descriptor.get("use", use) != use:
            continue
        for x509_data in descriptor.iterfind(f"{tag(DS, 'KeyInfo')}/{tag(DS, 'X509Data')}"):
            encoded = "".join(word(x509_data.find(tag(DS, "X509Certificate"))).split())
            if not encoded:
                continue
            certificate = certificate_of(encoded)
            if isinstance(certificate, Refused):
                return certificate
            if certificate not in found:
                found.append(certificate)
    return tuple(found)


def certificate_of(encoded: str) -> x509.Certificate | Refused:
    """The certificate of base64 text. Code: `saml.certificate`."""
    try:
        return provider_certificate(b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        return provider_certificate(b"")


def _endpoints(role: Element, name: str) -> tuple[Endpoint, ...]:
    """Those with a binding that we speak, each binding once: the first, as the provider lists them."""
    found: dict[str, Endpoint] = {}
    for element in children(role, MD, name):
        binding = BINDINGS.get(element.get("Binding", ""))
        if binding is not None and binding not in found:
            found[binding] = Endpoint(binding, element.get("Location", ""), element.get("ResponseLocation", ""))
    return tuple(found.values())
