"""Metadata: a provider's, read and bounded; ours, as a provider reads it."""

from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from lxml import etree

from onepam.identity.saml.keys import SpKey
from onepam.identity.saml.metadata import Endpoint, IdpMetadata, read, unfit_url
from onepam.identity.saml.settings import PERSISTENT
from onepam.identity.saml.sp_metadata import sp_metadata
from onepam.identity.saml.xml import DS, MAX_METADATA_BYTES, MD, POST, REDIRECT, tag
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from tests.identity.saml.forge import (
    ATTACKER_KEY,
    IDP,
    IDP_EC_KEY,
    IDP_ENCRYPTION_KEY,
    IDP_KEY,
    NOW,
    OUR_KEY,
    SETTINGS,
    Pair,
    certified,
    pair,
    signed,
)

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"


def pem_body(key: Pair) -> str:
    return b64encode(key.certificate.public_bytes(serialization.Encoding.DER)).decode()


def descriptor(key: Pair, use: str = "signing", *more: Pair) -> str:
    certificates = "".join(f"<ds:X509Certificate>\n{pem_body(each)}\n</ds:X509Certificate>" for each in (key, *more))
    attribute = f' use="{use}"' if use else ""
    return (
        f"<md:KeyDescriptor{attribute}><ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"
        "</md:KeyDescriptor>"
    )


def sso(binding: str = REDIRECT, location: str = "https://idp.example.com/sso", more: str = "") -> str:
    return f'<md:SingleSignOnService Binding="{binding}" Location="{location}"{more}/>'


def entity(*parts: str, entity_id: str = IDP, attributes: str = "", role: str = "", protocol: str = PROTOCOL) -> str:
    inside = "".join(parts or (descriptor(IDP_KEY), sso()))
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" xmlns:ds="{DS}" entityID="{entity_id}" {attributes}>'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{protocol}" {role}>{inside}</md:IDPSSODescriptor>'
        "</md:EntityDescriptor>"
    )


def entities(*parts: str, attributes: str = "") -> str:
    return f'<md:EntitiesDescriptor xmlns:md="{MD}" {attributes}>{"".join(parts)}</md:EntitiesDescriptor>'


def good(document: str, entity_id: str | None = None) -> IdpMetadata:
    found = read(document.encode(), NOW, entity_id)
    assert isinstance(found, IdpMetadata), found
    return found


def code(found: object) -> str:
    assert isinstance(found, Refused), found
    return found.code


def test_all_of_it() -> None:
    found = good(
        "<?xml version='1.0' encoding='UTF-8'?>\n<!-- by the provider -->"
        + entity(
            descriptor(IDP_KEY),
            descriptor(IDP_EC_KEY),
            descriptor(IDP_ENCRYPTION_KEY, "encryption"),
            '<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://x"/>',
            f'<md:SingleLogoutService Binding="{POST}" Location="https://idp.example.com/slo" '
            'ResponseLocation="https://idp.example.com/slo-answer"/>',
            sso(POST, "https://idp.example.com/sso-post"),
            sso(),
            sso(REDIRECT, "https://idp.example.com/second"),
        )
    )
    assert found == IdpMetadata(
        IDP,
        (Endpoint("post", "https://idp.example.com/sso-post"), Endpoint("redirect", "https://idp.example.com/sso")),
        (Endpoint("post", "https://idp.example.com/slo", "https://idp.example.com/slo-answer"),),
        (IDP_KEY.certificate, IDP_EC_KEY.certificate),
        (IDP_ENCRYPTION_KEY.certificate,),
    )


def test_a_certificate_without_use_serves_both() -> None:
    found = good(entity(descriptor(IDP_KEY, ""), descriptor(IDP_KEY, ""), sso()))
    assert found.signing == found.encryption == (IDP_KEY.certificate,)


def test_an_empty_certificate_is_none() -> None:
    empty = descriptor(IDP_KEY).replace(pem_body(IDP_KEY), "")
    assert good(entity(empty, descriptor(IDP_KEY), sso())).signing == (IDP_KEY.certificate,)


def test_the_issuers_of_a_certificate_do_not_sign() -> None:
    assert good(entity(descriptor(IDP_KEY, "signing", ATTACKER_KEY), sso())).signing == (IDP_KEY.certificate,)


def test_one_of_several() -> None:
    document = entities(entity(), entities(entity(entity_id="https://other")))
    assert good(document, "https://other").entity_id == "https://other"
    refused = read(document.encode(), NOW)
    assert isinstance(refused, Refused)
    assert refused.code == "saml.entity"
    assert f"{IDP}, https://other" in refused.hint
    assert code(read(document.encode(), NOW, "https://third")) == "saml.entity"
    assert code(read(entities(entity(), entity()).encode(), NOW, IDP)) == "saml.entity"


LATER = "2027-01-15T09:00:00Z"


@pytest.mark.parametrize(
    ("document", "until", "again"),
    [
        (entity(attributes=f'validUntil="{LATER}"'), HOUR, None),
        (entity(role=f'validUntil="{LATER}"'), HOUR, None),
        (
            entities(entity(attributes='validUntil="2028-01-15T09:00:00Z"'), attributes=f'validUntil="{LATER}"'),
            HOUR,
            None,
        ),
        (entity(attributes='cacheDuration="PT6H"'), None, 6 * HOUR),
        (
            entity(attributes='cacheDuration="P1DT30M1.5S"', role='cacheDuration="P3D"'),
            None,
            DAY + 30 * MINUTE + SECOND,
        ),
    ],
)
def test_how_long_it_counts(document: str, until: int | None, again: int | None) -> None:
    found = good(document)
    assert found.valid_until == (None if until is None else NOW + until)
    assert found.refresh_after == (None if again is None else NOW + again)


WEAK = pair(rsa.generate_private_key(public_exponent=65537, key_size=1024))
SMALL_CURVE = pair(ec.generate_private_key(ec.SECP192R1()))

REFUSALS: dict[str, tuple[str, str]] = {
    "expired": (entity(attributes='validUntil="2027-01-15T08:00:00Z"'), "saml.metadata_expired"),
    "the collection expired": (
        entities(entity(), attributes='validUntil="2027-01-15T08:00:00Z"'),
        "saml.metadata_expired",
    ),
    "an end that is no time": (entity(attributes='validUntil="soon"'), "saml.malformed"),
    "a duration that is none": (entity(attributes='cacheDuration="P"'), "saml.malformed"),
    "a negative duration": (entity(attributes='cacheDuration="-PT1H"'), "saml.malformed"),
    "no certificate": (entity(sso()), "saml.metadata"),
    "only one for encryption": (entity(descriptor(IDP_KEY, "encryption"), sso()), "saml.metadata"),
    "no address": (entity(descriptor(IDP_KEY)), "saml.metadata"),
    "only an address by SOAP": (
        entity(descriptor(IDP_KEY), sso("urn:oasis:names:tc:SAML:2.0:bindings:SOAP")),
        "saml.metadata",
    ),
    "no name": (entity(entity_id=""), "saml.metadata"),
    "a long name": (entity(entity_id="x" * 1_025), "saml.metadata"),
    "a name with white space around it": (entity(entity_id=" x"), "saml.metadata"),
    "an address without TLS": (entity(descriptor(IDP_KEY), sso(location="http://idp.example.com/")), "saml.url"),
    "an address that is script": (entity(descriptor(IDP_KEY), sso(location="javascript:alert(1)")), "saml.url"),
    "an answer's address that is script": (
        entity(
            descriptor(IDP_KEY),
            sso(),
            f'<md:SingleLogoutService Binding="{POST}" Location="https://x" ResponseLocation="javascript:alert(1)"/>',
        ),
        "saml.url",
    ),
    "a broken certificate": (entity(descriptor(IDP_KEY).replace("MII", "AAA"), sso()), "saml.certificate"),
    "a certificate that is no base64": (entity(descriptor(IDP_KEY).replace("MII", "%%%"), sso()), "saml.certificate"),
    "a broken one for encryption": (
        entity(descriptor(IDP_KEY), descriptor(IDP_KEY, "encryption").replace("MII", "AAA"), sso()),
        "saml.certificate",
    ),
    "a weak certificate": (entity(descriptor(WEAK), sso()), "saml.certificate"),
    "a small curve": (entity(descriptor(SMALL_CURVE), sso()), "saml.certificate"),
    "the service provider's own": (sp_metadata(SETTINGS).decode(), "saml.entity"),
    "another protocol": (entity(protocol="urn:oasis:names:tc:SAML:1.1:protocol"), "saml.entity"),
    "a page": ("<html><body>Sign in</body></html>", "saml.malformed"),
    "a page that is no XML": ("<!doctype html><p>Sign in", "saml.malformed"),
    "nothing": ("", "saml.malformed"),
    "large": (entity() + " " * MAX_METADATA_BYTES, "saml.malformed"),
    "eleven certificates": (
        entity(*(descriptor(pair(ec.generate_private_key(ec.SECP256R1()))) for _ in range(11)), sso()),
        "saml.metadata",
    ),
}


@pytest.mark.parametrize(("document", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_refused(document: str, expected: str) -> None:
    assert code(read(document.encode(), NOW)) == expected


def test_a_key_of_another_kind() -> None:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    strange = Pair(IDP_KEY.key, certified(public, IDP_KEY.key))
    assert code(read(entity(descriptor(strange), sso()).encode(), NOW)) == "saml.certificate"


def test_signed_by_the_pinned_certificate() -> None:
    document = entity(attributes='ID="_m1"')
    data = etree.tostring(signed(etree.fromstring(document)))
    pinned = [IDP_EC_KEY.certificate, IDP_KEY.certificate]
    assert isinstance(read(data, NOW, pinned=pinned), IdpMetadata)
    assert code(read(data, NOW, pinned=[ATTACKER_KEY.certificate])) == "saml.signature"
    assert code(read(document.encode(), NOW, pinned=pinned)) == "saml.signature"
    assert code(read(data.replace(b"https://idp", b"https://evil"), NOW, pinned=pinned)) == "saml.signature"
    around = entities(data.decode())
    assert code(read(around.encode(), NOW, pinned=pinned)) == "saml.signature"


@pytest.mark.parametrize(
    "url", ["https://idp.example.com/x?y=z", "http://localhost:8/", "http://127.0.0.1/", "http://[::1]:8/"]
)
def test_addresses_that_fit(url: str) -> None:
    assert unfit_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "//idp.example.com", "http://idp.example.com", "ftp://idp.example.com", "data:text/html,x",
        "https://", "https://user@idp.example.com", "https://idp.example.com/#x", "https://idp.example.com/ x",
        'https://idp.example.com/"', "https://idp.example.com:99999/", "https://[::1", "https://idp.example.com\\@evil",
        "https://ïdp.example.com", "https://idp.example.com/\n", "http://localhost.evil.com/",
        "https://x/" + "y" * 2_000,
    ],
)  # fmt: skip
def test_addresses_that_do_not(url: str) -> None:
    assert unfit_url(url) is not None


def test_ours() -> None:
    root = etree.fromstring(sp_metadata(replace(SETTINGS, name_id_format=PERSISTENT)))
    assert root.get("entityID") == "https://pam.example.com/sign-in/metadata/idp_1"
    role = root[0]
    assert (role.get("AuthnRequestsSigned"), role.get("WantAssertionsSigned")) == ("true", "true")
    places = {(str(each.tag).rpartition("}")[2], each.get("Binding"), each.get("Location")) for each in role}
    assert ("AssertionConsumerService", POST, "https://pam.example.com/sign-in/return/idp_1") in places
    assert ("SingleLogoutService", REDIRECT, "https://pam.example.com/sign-in/logout/idp_1") in places
    assert ("SingleLogoutService", POST, "https://pam.example.com/sign-in/logout/idp_1") in places
    assert root.findtext(f".//{tag(MD, 'NameIDFormat')}") == PERSISTENT
    assert "PRIVATE" not in sp_metadata(SETTINGS).decode()


def test_both_our_certificates_while_the_key_changes(other_key: SpKey) -> None:
    root = etree.fromstring(sp_metadata(replace(SETTINGS, keys=(other_key, OUR_KEY))))
    found = [
        (each.get("use"), "".join((each.findtext(f".//{tag(DS, 'X509Certificate')}") or "").split()))
        for each in root.iter(tag(MD, "KeyDescriptor"))
    ]
    one, two = (b64encode(each.certificate).decode() for each in (other_key, OUR_KEY))
    assert found == [("signing", one), ("signing", two), ("encryption", one), ("encryption", two)]


def test_a_short_while_is_not_yet_the_end() -> None:
    document = entity(attributes='validUntil="2027-01-15T08:00:01Z"').encode()
    assert isinstance(read(document, NOW), IdpMetadata)
    assert code(read(document, Instant(NOW + SECOND))) == "saml.metadata_expired"
