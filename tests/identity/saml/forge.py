"""A provider whose every word a test chooses, and which signs whatever it is told to."""

import copy
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from onepam.identity.saml.assertion import Received
from onepam.identity.saml.keys import new_key
from onepam.identity.saml.metadata import Endpoint, IdpMetadata
from onepam.identity.saml.response import check
from onepam.identity.saml.settings import PERSISTENT, Attributes, SamlSettings, acs_url, metadata_url, slo_url
from onepam.identity.saml.signature import PrivateKey
from onepam.identity.saml.xml import DS, SAML, SAMLP, Element, tag, write_time
from onepam.kernel.clock import MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused

NOW = Instant(1_800_000_000 * SECOND)
CONSOLE = "https://pam.example.com"
IDP = "https://idp.example.com/metadata"
MINUTE_AGO, IN_FIVE_MINUTES = Instant(NOW - MINUTE), Instant(NOW + 5 * MINUTE)
REQUEST = "_request1"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


@dataclass(frozen=True, slots=True)
class Pair:
    key: PrivateKey
    certificate: x509.Certificate


def pair(key: PrivateKey, *, days: int = 3650) -> Pair:
    return Pair(key, certified(key.public_key(), key, days))


def certified(public: CertificatePublicKeyTypes, by: PrivateKey, days: int = 3650) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .sign(by, hashes.SHA256())
    )


IDP_KEY = pair(rsa.generate_private_key(public_exponent=65537, key_size=2048))
IDP_ENCRYPTION_KEY = pair(rsa.generate_private_key(public_exponent=65537, key_size=2048))
IDP_EC_KEY = pair(ec.generate_private_key(ec.SECP384R1()))
EXPIRED_KEY = pair(rsa.generate_private_key(public_exponent=65537, key_size=2048), days=30)
ATTACKER_KEY = pair(rsa.generate_private_key(public_exponent=65537, key_size=2048))
OUR_KEY = new_key("pam.example.com", NOW, secrets.token_bytes)

SETTINGS = SamlSettings(
    provider="idp_1",
    entity_id=metadata_url(CONSOLE, "idp_1"),
    acs_url=acs_url(CONSOLE, "idp_1"),
    slo_url=slo_url(CONSOLE, "idp_1"),
    idp=IdpMetadata(
        IDP,
        (Endpoint("redirect", "https://idp.example.com/sso"), Endpoint("post", "https://idp.example.com/sso")),
        (Endpoint("redirect", "https://idp.example.com/slo", "https://idp.example.com/slo-answer"),),
        (EXPIRED_KEY.certificate, IDP_KEY.certificate, IDP_EC_KEY.certificate),
        (IDP_ENCRYPTION_KEY.certificate,),
    ),
    keys=(OUR_KEY,),
    attributes=Attributes(email="email", name="name", groups="groups", methods="methods"),
)


def assertion(
    *,
    identifier: str = "_assertion1",
    issuer: str = IDP,
    name_id: str = "alice",
    name_id_format: str = PERSISTENT,
    audience: str = SETTINGS.entity_id,
    recipient: str = SETTINGS.acs_url,
    in_response_to: str | None = REQUEST,
    not_before: Instant = MINUTE_AGO,
    not_after: Instant = IN_FIVE_MINUTES,
    method: str = BEARER,
    context: str = "https://refeds.org/profile/mfa",
    attributes: Mapping[str, tuple[str, ...]] = {"email": ("alice@example.com",), "groups": ("Engineering", "Sales")},
) -> Element:
    root = etree.Element(tag(SAML, "Assertion"), nsmap={"saml": SAML})
    root.attrib.update({"ID": identifier, "Version": "2.0", "IssueInstant": write_time(NOW)})
    _add(root, "Issuer", issuer)
    subject = _add(root, "Subject")
    _add(subject, "NameID", name_id, {"Format": name_id_format} if name_id_format else {})
    confirmation = _add(subject, "SubjectConfirmation", attributes={"Method": method})
    data = {"Recipient": recipient, "NotOnOrAfter": write_time(not_after)}
    if in_response_to is not None:
        data["InResponseTo"] = in_response_to
    _add(confirmation, "SubjectConfirmationData", attributes=data)
    times = {"NotBefore": write_time(not_before), "NotOnOrAfter": write_time(not_after)}
    conditions = _add(root, "Conditions", attributes=times)
    _add(_add(conditions, "AudienceRestriction"), "Audience", audience)
    seen = {"AuthnInstant": write_time(NOW), "SessionIndex": "_session1"}
    statement = _add(root, "AuthnStatement", attributes=seen)
    _add(_add(statement, "AuthnContext"), "AuthnContextClassRef", context)
    if attributes:
        listed = _add(root, "AttributeStatement")
        for name, values in attributes.items():
            attribute = _add(listed, "Attribute", attributes={"Name": name})
            for value in values:
                _add(attribute, "AttributeValue", value)
    return root


def response(
    *children: Element,
    identifier: str = "_response1",
    issuer: str | None = IDP,
    destination: str | None = SETTINGS.acs_url,
    in_response_to: str | None = REQUEST,
    status: str = SUCCESS,
    detail: str = "",
) -> Element:
    root = etree.Element(tag(SAMLP, "Response"), nsmap={"samlp": SAMLP, "saml": SAML})
    root.attrib.update({"ID": identifier, "Version": "2.0", "IssueInstant": write_time(NOW)})
    if destination is not None:
        root.set("Destination", destination)
    if in_response_to is not None:
        root.set("InResponseTo", in_response_to)
    if issuer is not None:
        _add(root, "Issuer", issuer)
    code = etree.SubElement(etree.SubElement(root, tag(SAMLP, "Status")), tag(SAMLP, "StatusCode"), {"Value": status})
    if detail:
        etree.SubElement(code, tag(SAMLP, "StatusCode"), {"Value": detail})
    root.extend(children)
    return root


def _add(parent: Element, name: str, text: str | None = None, attributes: Mapping[str, str] = {}) -> Element:
    element = etree.SubElement(parent, tag(SAML, name), dict(attributes))
    element.text = text
    return element


class WeakSigner(XMLSigner):
    """Signs with what nobody should."""

    def check_deprecated_methods(self) -> None:
        pass


def signed(
    element: Element,
    by: Pair = IDP_KEY,
    *,
    method: SignatureMethod | None = None,
    digest: DigestAlgorithm = DigestAlgorithm.SHA256,
    c14n: CanonicalizationMethod = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    hmac: bytes | None = None,
) -> Element:
    """A copy with its signature after the Issuer."""
    element = copy.deepcopy(element)
    element.insert(1, etree.Element(tag(DS, "Signature"), Id="placeholder", nsmap={"ds": DS}))
    default = SignatureMethod.RSA_SHA256 if isinstance(by.key, rsa.RSAPrivateKey) else SignatureMethod.ECDSA_SHA384
    signer = WeakSigner(signature_algorithm=method or default, digest_algorithm=digest, c14n_algorithm=c14n)
    uri = "#" + str(element.get("ID"))
    if hmac is not None:
        return signer.sign(element, key=hmac, reference_uri=uri)
    return signer.sign(element, key=by.key, cert=[by.certificate], reference_uri=uri)


def encoded(document: Element | bytes) -> str:
    data = document if isinstance(document, bytes) else etree.tostring(document)
    return b64encode(data).decode("ascii")


def received(document: Element | bytes, settings: SamlSettings = SETTINGS, at: Instant = NOW) -> Received | Refused:
    return check(settings, encoded(document), REQUEST, at)


def believed(document: Element | bytes, settings: SamlSettings = SETTINGS, at: Instant = NOW) -> Received:
    answer = received(document, settings, at)
    assert isinstance(answer, Received), answer
    return answer


def refused(document: Element | bytes, settings: SamlSettings = SETTINGS, at: Instant = NOW) -> str:
    """The code of the refusal; its words are for people and say what to do."""
    answer = received(document, settings, at)
    assert isinstance(answer, Refused), answer
    assert answer.message.endswith(".")
    assert answer.hint
    return answer.code


def signature_of(element: Element) -> Element:
    found = element.find(tag(DS, "Signature"))
    assert found is not None
    return found


def changed(element: Element, change: Callable[[Element], object]) -> Element:
    """A copy, changed."""
    element = copy.deepcopy(element)
    change(element)
    return element


def with_attributes(**names: str) -> SamlSettings:
    return replace(SETTINGS, attributes=replace(SETTINGS.attributes, **names))
