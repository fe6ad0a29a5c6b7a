"""Signatures of the kinds that providers really make."""

from base64 import b64encode
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from onepam.identity.saml.xml import DS, Element, tag
from tests.identity.saml.forge import (
    IDP_KEY,
    assertion,
    believed,
    changed,
    refused,
    response,
    signature_of,
    signed,
)

GOOD = etree.tostring(response(signed(assertion())))
XS = b' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def inclusive(parent: Element, prefixes: str) -> Element:
    name = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"
    return etree.SubElement(parent, name, {"PrefixList": prefixes})


def signed_with_prefixes(element: Element, prefixes: list[str]) -> Element:
    """Signed anew by the provider, with these prefixes named."""
    document = signed(element)
    info = next(document.iter(tag(DS, "SignedInfo")))
    inclusive(list(info.iter(tag(DS, "Transform")))[-1], " ".join(prefixes))
    plain = changed(document, lambda root: root.remove(signature_of(root)))
    content = etree.tostring(plain, method="c14n", exclusive=True, inclusive_ns_prefixes=prefixes)
    next(info.iter(tag(DS, "DigestValue"))).text = b64encode(sha256(content).digest()).decode()
    private = IDP_KEY.key
    assert isinstance(private, rsa.RSAPrivateKey)
    octets = etree.tostring(info, method="c14n", exclusive=True)
    value = private.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    next(document.iter(tag(DS, "SignatureValue"))).text = b64encode(value).decode()
    return document


def test_prefixes_may_be_named() -> None:
    """Providers whose values have a type (`xs:string`) name the prefix, since nothing else shows that it is used."""
    believed(response(signed_with_prefixes(assertion(), ["xs", "saml"])))
    believed(response(signed_with_prefixes(assertion(), ["saml"] * 64)))


def test_stronger_methods_are_believed() -> None:
    for method in (SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512):
        believed(response(signed(assertion(), method=method, digest=DigestAlgorithm.SHA512)))


def test_namespaces_of_the_response_serve_the_assertion() -> None:
    """Many providers declare what the assertion uses on the response; canonicalisation is exclusive, so it holds."""
    data = GOOD.replace(b"<samlp:Response ", b'<samlp:Response xmlns:xs="http://www.w3.org/2001/XMLSchema" ')
    assert believed(data).assertion.subject == "alice"


def test_a_type_whose_prefix_the_response_declares() -> None:
    """Okta and Shibboleth write `xsi:type="xs:string"` and name `xs`, which may be declared further out."""
    typed = etree.tostring(assertion()).replace(b"<saml:AttributeValue>", b'<saml:AttributeValue xsi:type="xs:string">')
    root = etree.fromstring(typed.replace(b"<saml:Assertion ", b"<saml:Assertion" + XS + b" ", 1))
    data = etree.tostring(response(signed_with_prefixes(root, ["xs"])))
    assert believed(data).assertion.groups == ("Engineering", "Sales")
    start = data.index(b"<saml:Assertion")
    end = data.index(b">", start)
    inner = data[start:end]
    for declaration in XS.split():
        inner = inner.replace(b" " + declaration, b"")
    outside = data[:start].replace(b"<samlp:Response", b"<samlp:Response" + XS, 1) + inner + data[end:]
    assert outside.index(b"xmlns:xs=") < outside.index(b"<saml:Assertion")
    assert outside.count(b"xmlns:xs=") == 1
    assert believed(outside) == believed(data)
    assert refused(outside.replace(b'XMLSchema"', b'Evil"', 1)) == "saml.signature"
