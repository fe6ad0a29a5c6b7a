"""XML signatures, made and believed. What is believed is what was signed, never the document around it.

A signature counts where it stands as a direct child of the one element that it signs, by a single reference to that
element's ID, with RSA or ECDSA over SHA-256 or better, exclusive canonicalisation and the enveloped-signature transform
and nothing else. Its KeyInfo is not looked at: only the given certificates count, as keys. Their dates do not count
(SAML V2.0 Metadata Interoperability Profile 1.0, section 2.6.1): a provider is trusted by its metadata, not by a
certificate that makes a claim about itself.
"""

from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from onepam.identity.saml.xml import DS, Element, alone, children, is_identifier, only, parser, tag, word
from onepam.kernel.errors import Refused

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = DS + "enveloped-signature"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_SHA256 = _MORE + "rsa-sha256"
ECDSA_SHA256 = _MORE + "ecdsa-sha256"

MAX_PREFIXES = 64

_HASHES: dict[str, hashes.HashAlgorithm] = {
    RSA_SHA256: hashes.SHA256(),
    _MORE + "rsa-sha384": hashes.SHA384(),
    _MORE + "rsa-sha512": hashes.SHA512(),
    ECDSA_SHA256: hashes.SHA256(),
    _MORE + "ecdsa-sha384": hashes.SHA384(),
    _MORE + "ecdsa-sha512": hashes.SHA512(),
}
_METHODS = frozenset(SignatureMethod(uri) for uri in _HASHES)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_DIGEST_URIS = frozenset(digest.value for digest in _DIGESTS)


def verified(element: Element, certificates: Iterable[x509.Certificate]) -> Element | Refused:
    """The element as it was signed, read from the signed bytes, without its signature. Code: `saml.signature`."""
    identifier = element.get("ID", "")
    fault = _fault(element, identifier)
    if fault:
        return unbelievable(fault)
    data = alone(element)
    for certificate in certificates:
        signed = _verify(data, certificate)
        if signed is not None and signed.tag == element.tag and signed.get("ID") == identifier:
            return signed
    return unbelievable(
        "none of its certificates made it",
        "Either the message was changed on its way, or the provider signs with a new certificate. "
        "An administrator can read the provider's metadata again.",
    )


def signed(element: Element, key: PrivateKey, certificate: x509.Certificate) -> Element:
    """The element with its signature after the Issuer, where the schema wants it (or first, where there is none)."""
    placeholder = etree.Element(tag(DS, "Signature"), Id="placeholder", nsmap={"ds": DS})
    first = element[0] if len(element) else None
    element.insert(1 if first is not None and str(first.tag).endswith("}Issuer") else 0, placeholder)
    rsa_key = isinstance(key, rsa.RSAPrivateKey)
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256 if rsa_key else SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    return signer.sign(element, key=key, cert=[certificate], reference_uri="#" + str(element.get("ID")))


def algorithm_of(key: PrivateKey) -> str:
    """What `sign_octets` signs with: an algorithm's URI."""
    return RSA_SHA256 if isinstance(key, rsa.RSAPrivateKey) else ECDSA_SHA256


def sign_octets(octets: bytes, key: PrivateKey) -> bytes:
    """A detached signature, as the redirect binding has it (bindings, section 3.4.4.1); ECDSA as r and s in a row."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    r, s = utils.decode_dss_signature(key.sign(octets, ec.ECDSA(hashes.SHA256())))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def octets_verified(
    octets: bytes, signature: bytes, algorithm: str, certificates: Iterable[x509.Certificate]
) -> Refused | None:
    """None where one of the certificates made that detached signature. Code: `saml.signature`."""
    digest = _HASHES.get(algorithm)
    if digest is None:
        return unbelievable("it is made with a method that is not accepted", _STRONGER)
    if any(_made(octets, signature, algorithm, digest, certificate.public_key()) for certificate in certificates):
        return None
    return unbelievable("none of its certificates made it")


def unbelievable(why: str, hint: str = "Try again. If it happens again, tell an administrator.") -> Refused:
    return Refused("saml.signature", f"The signature of the provider's message does not hold: {why}.", hint)


_STRONGER = "Set the provider to sign with RSA or ECDSA and SHA-256 or better."


def _fault(element: Element, identifier: str) -> str:
    """What is wrong with the form of the element's signature, or ""."""
    signature = only(element, DS, "Signature")
    if signature is None:
        return "it is missing, or there are several"
    names = [str(child.tag) for child in signature]
    expected = [tag(DS, "SignedInfo"), tag(DS, "SignatureValue")]
    if names not in (expected, [*expected, tag(DS, "KeyInfo")]):
        return "it holds more than a signature"
    info = signature[0]
    references = children(info, DS, "Reference")
    if len(references) != 1:
        return "it does not sign exactly one thing"
    if not is_identifier(identifier) or references[0].get("URI") != "#" + identifier:
        return "it signs something else"
    if not _leaves_alone(info, references[0]):
        return "it changes what it signs in ways that are not accepted"
    method, digest = only(info, DS, "SignatureMethod"), only(references[0], DS, "DigestMethod")
    if method is None or method.get("Algorithm") not in _HASHES:
        return "it is made with a method that is not accepted; RSA or ECDSA with SHA-256 or better are"
    if digest is None or digest.get("Algorithm") not in _DIGEST_URIS:
        return "it is made with a digest that is not accepted; SHA-256 or better is"
    if not word(signature[1]) or not word(only(references[0], DS, "DigestValue")):
        return "it is empty"
    return ""


def _leaves_alone(info: Element, reference: Element) -> bool:
    """Nothing but canonicalisation happens to what is signed. Only the last transform may name prefixes, and few."""
    canonical = only(info, DS, "CanonicalizationMethod")
    transforms = list(reference.iterfind(f"{tag(DS, 'Transforms')}/*"))
    if [each.get("Algorithm") for each in transforms] != [ENVELOPED, EXCLUSIVE]:
        return False
    if canonical is None or canonical.get("Algorithm") != EXCLUSIVE or len(canonical) or len(transforms[0]):
        return False
    prefixes = children(transforms[1], EXCLUSIVE, "InclusiveNamespaces")
    return len(transforms[1]) == len(prefixes) <= 1 and all(
        len(each) == 0 and len(each.get("PrefixList", "").split()) <= MAX_PREFIXES for each in prefixes
    )


def _verify(data: bytes, certificate: x509.Certificate) -> Element | None:
    configuration = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        ignore_ambiguous_key_info=True,
        verification_time=certificate.not_valid_before_utc,
    )
    try:
        result = XMLVerifier().verify(
            data, x509_cert=certificate, parser=parser(), id_attribute="ID", expect_config=configuration
        )
    except (SignXMLException, InvalidSignature, UnsupportedAlgorithm, etree.LxmlError, ValueError, TypeError):
        return None
    return result.signed_xml if isinstance(result, VerifyResult) else None


def _made(octets: bytes, signature: bytes, algorithm: str, digest: hashes.HashAlgorithm, key: object) -> bool:
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm.startswith(_MORE + "rsa-"):
            key.verify(signature, octets, padding.PKCS1v15(), digest)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm.startswith(_MORE + "ecdsa-"):
            size = (key.curve.key_size + 7) // 8
            if len(signature) != 2 * size:
                return False
            r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
            key.verify(utils.encode_dss_signature(r, s), octets, ec.ECDSA(digest))
            return True
    except InvalidSignature:
        return False
    return False
