"""What strangers may send to a sign-in page: what misleads parsers, burns time, or is signed as nothing should be."""

import time
import zlib
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod

from onepam.identity.saml.logout import inflate
from onepam.identity.saml.response import check
from onepam.identity.saml.xml import DS, MAX_MESSAGE_BYTES, SAML, SAMLP, Element, parse_message, parse_metadata, tag
from onepam.kernel.errors import Refused
from tests.identity.saml.forge import (
    ATTACKER_KEY,
    IDP_KEY,
    NOW,
    REQUEST,
    SETTINGS,
    assertion,
    believed,
    changed,
    encoded,
    refused,
    response,
    signature_of,
    signed,
)
from tests.identity.saml.test_signature import inclusive, signed_with_prefixes

GOOD = etree.tostring(response(signed(assertion())))
BILLION_LAUGHS = b"""<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>"""


def in_name(text: bytes) -> bytes:
    """The genuine document with the name written otherwise."""
    assert b">alice<" in GOOD
    return GOOD.replace(b">alice<", b">" + text + b"<")


DOCUMENTS: dict[str, bytes] = {
    "a comment in the name": in_name(b"alice<!---->.evil"),
    "a comment in the name that canonicalisation removes": in_name(b"al<!-- -->ice"),
    "a comment in an attribute": GOOD.replace(b">alice@example.com<", b">alice@example.com<!---->.evil<"),
    "a comment anywhere": GOOD.replace(b"<saml:Issuer", b"<!-- x --><saml:Issuer", 1),
    "a comment after the document": GOOD + b"<!-- x -->",
    "a processing instruction in the name": in_name(b"al<?x?>ice"),
    "a processing instruction before the document": b"<?xml-stylesheet href='x'?>" + GOOD,
    "CDATA in the name": in_name(b"al<![CDATA[ice]]>"),
    "CDATA around the name": in_name(b"<![CDATA[alice]]>"),
    "a document type": b"<!DOCTYPE r>" + GOOD,
    "an external document type": b'<!DOCTYPE r SYSTEM "http://127.0.0.1:1/evil.dtd">' + GOOD,
    "an external entity": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + in_name(b"&x;"),
    "a parameter entity": b'<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:1/"> %x;]>' + GOOD,
    "a billion laughs": BILLION_LAUGHS + in_name(b"&d;"),
    "default attributes": b'<!DOCTYPE r [<!ATTLIST r ID CDATA "x">]>' + GOOD,
    "an entity of nobody's": in_name(b"&x;"),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 by its declaration": b'<?xml version="1.0" encoding="UTF-16"?>' + GOOD,
    "UTF-7 by its declaration": b'<?xml version="1.0" encoding="UTF-7"?>' + GOOD,
    "XML 1.1": b'<?xml version="1.1"?>' + GOOD,
    "two declarations": b'<?xml version="1.0"?><?xml version="1.0"?>' + GOOD,
    "a control character": in_name(b"al\x01ice"),
    "a control character by its number": in_name(b"al&#1;ice"),
    "a null": in_name(b"al\x00ice"),
    "bytes that are no UTF-8": in_name(b"al\xffice"),
    "a lone surrogate": in_name(b"al&#xD800;ice"),
    "two documents": GOOD + GOOD,
    "text behind the document": GOOD + b"x",
    "half a document": GOOD[:-20],
    "nothing": b"",
    "no XML": b"SAMLResponse",
    "an identifier twice": GOOD.replace(b'ID="_response1"', b'ID="_assertion1"'),
    "an identifier twice, once as Id": GOOD.replace(b"<saml:Subject>", b'<saml:Subject Id="_assertion1">'),
    "an identifier twice, once as id": GOOD.replace(b"<saml:Subject>", b'<saml:Subject id="_assertion1">'),
    "an identifier twice, once as xml:id": GOOD.replace(b"<saml:Subject>", b'<saml:Subject xml:id="_assertion1">'),
    "an identifier twice, once in a namespace": GOOD.replace(
        b"<saml:Subject>", b'<saml:Subject xmlns:e="urn:e" e:ID="_assertion1">'
    ),
    "41 levels": b"<a>" * 41 + b"</a>" * 41,
    "300 levels": b"<a>" * 300 + b"</a>" * 300,
    "10001 elements": b"<a>" + b"<b/>" * 10_001 + b"</a>",
    "33 attributes": b"<a " + b" ".join(b'a%d=""' % n for n in range(33)) + b"/>",
    "33 namespaces": b"<a><b " + b" ".join(b'xmlns:a%d="x"' % n for n in range(33)) + b"/></a>",
    "17000 attributes": GOOD.replace(
        b"<saml:Subject>", b"<saml:Subject " + b" ".join(b'a%d=""' % n for n in range(17_000)) + b">"
    ),
    "12000 namespaces": GOOD.replace(
        b"<samlp:Response ", b"<samlp:Response " + b" ".join(b'xmlns:a%d="x"' % n for n in range(12_000)) + b" "
    ),
    "more than 256 KiB": GOOD.replace(b"<saml:Subject>", b"<saml:Subject>" + b" " * MAX_MESSAGE_BYTES),
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_that_misleads(document: bytes) -> None:
    start = time.process_time()
    assert refused(document) == "saml.malformed"
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    "document",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + GOOD + b"\n",
        b"<?xml version='1.0' encoding='utf-8' standalone='yes' ?>" + GOOD,
        in_name(b"&#97;lice"),
    ],
    ids=["plain", "byte order mark", "declaration", "another declaration", "a letter by its number"],
)
def test_other_spellings_of_the_same(document: bytes) -> None:
    assert believed(document).assertion.subject == "alice"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "%%%",
        b64encode(GOOD).decode()[:-3],
        b64encode(GOOD).decode() + "=",
        b64encode(GOOD + b" ").decode().rstrip("="),
        "A" * (MAX_MESSAGE_BYTES * 3),
        "ä" * 8,
        b64encode(GOOD).decode().replace("P", "-", 1),
    ],
    ids=["nothing", "no base64", "cut", "padded too much", "padded too little", "too long", "no ASCII", "URL alphabet"],
)
def test_form_values_that_are_no_message(value: str) -> None:
    answer = check(SETTINGS, value, REQUEST, NOW)
    assert isinstance(answer, Refused)
    assert answer.code == "saml.malformed"


def test_base64_has_one_spelling() -> None:
    """The bits that padding leaves over say nothing, and must not make two texts of one message."""
    document = next(GOOD + b" " * n for n in range(3) if len(GOOD + b" " * n) % 3 == 1)
    plain = b64encode(document).decode()
    assert plain.endswith("==")
    last = plain[-3]
    other = plain[:-3] + chr(ord(last) + 1) + "=="
    answer = check(SETTINGS, other, REQUEST, NOW)
    assert isinstance(answer, Refused)
    assert not isinstance(check(SETTINGS, plain, REQUEST, NOW), Refused)


def test_base64_may_come_in_lines() -> None:
    value = encoded(GOOD)
    lines = "\r\n".join(value[at : at + 76] for at in range(0, len(value), 76))
    assert not isinstance(check(SETTINGS, lines, REQUEST, NOW), Refused)


def transform(algorithm: str, *content: Element) -> Callable[[Element], None]:
    def change(document: Element) -> None:
        transforms = next(document.iter(tag(DS, "Transforms")))
        element = etree.SubElement(transforms, tag(DS, "Transform"), {"Algorithm": algorithm})
        element.extend(content)

    return change


def xslt(levels: int) -> Element:
    """A stylesheet whose running time doubles with each level."""
    space = "http://www.w3.org/1999/XSL/Transform"
    sheet = etree.Element(f"{{{space}}}stylesheet", {"version": "1.0"}, nsmap={"xsl": space})
    for level in range(levels):
        template = etree.SubElement(sheet, f"{{{space}}}template", {"name": f"t{level}"})
        for _ in range(2 if level else 0):
            etree.SubElement(template, f"{{{space}}}call-template", {"name": f"t{level - 1}"})
    root = etree.SubElement(sheet, f"{{{space}}}template", {"match": "/"})
    etree.SubElement(root, f"{{{space}}}call-template", {"name": f"t{levels - 1}"})
    return sheet


def set_algorithm(name: str, algorithm: str) -> Callable[[Element], None]:
    def change(document: Element) -> None:
        next(document.iter(tag(DS, name))).set("Algorithm", algorithm)

    return change


def many_prefixes(document: Element) -> None:
    """Each is looked up for each element, before the signature is known to be the provider's."""
    inclusive(next(document.iter(tag(DS, "CanonicalizationMethod"))), "p " * 10_000)
    last = list(document.iter(tag(DS, "Transform")))[-1]
    inclusive(last, "p " * 10_000)
    for _ in range(6_000):
        etree.SubElement(last, "{urn:e}a")


def second_reference(document: Element) -> None:
    info = next(document.iter(tag(DS, "SignedInfo")))
    info.append(etree.fromstring(etree.tostring(next(document.iter(tag(DS, "Reference"))), with_tail=False)))


def reference_uri(uri: str | None) -> Callable[[Element], None]:
    def change(document: Element) -> None:
        reference = next(document.iter(tag(DS, "Reference")))
        reference.attrib.pop("URI")
        if uri is not None:
            reference.set("URI", uri)

    return change


def empty(name: str) -> Callable[[Element], None]:
    def change(document: Element) -> None:
        next(document.iter(tag(DS, name))).text = None

    return change


def attackers_key_value(document: Element) -> None:
    """Signed by the attacker, and the KeyInfo says so: by certificate and by key."""
    info = next(document.iter(tag(DS, "KeyInfo")))
    public = ATTACKER_KEY.certificate.public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    etree.SubElement(info, "{http://www.w3.org/2009/xmldsig11#}DEREncodedKeyValue").text = b64encode(der).decode()


BASE = signed(assertion())
SIGNATURES: dict[str, Callable[[], Element]] = {
    "an XSLT transform": lambda: changed(BASE, transform("http://www.w3.org/TR/1999/REC-xslt-19991116", xslt(40))),
    "an XPath transform": lambda: changed(BASE, transform("http://www.w3.org/TR/1999/REC-xpath-19991116")),
    "an XPath filter": lambda: changed(BASE, transform("http://www.w3.org/2002/06/xmldsig-filter2")),
    "a base64 transform": lambda: changed(BASE, transform("http://www.w3.org/2000/09/xmldsig#base64")),
    "a transform without a name": lambda: changed(BASE, transform("")),
    "canonicalised twice": lambda: changed(BASE, transform("http://www.w3.org/2001/10/xml-exc-c14n#")),
    "an XSLT where only its name is accepted": lambda: changed(
        BASE, lambda root: next(root.iter(tag(DS, "Transform"))).append(xslt(40))
    ),
    "inclusive canonicalisation": lambda: signed(assertion(), c14n=CanonicalizationMethod.CANONICAL_XML_1_0),
    "canonicalisation that keeps comments": lambda: signed(
        assertion(), c14n=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0_WITH_COMMENTS
    ),
    "RSA with SHA-1": lambda: signed(assertion(), method=SignatureMethod.RSA_SHA1),
    "RSA with SHA-224": lambda: signed(assertion(), method=SignatureMethod.RSA_SHA224),
    "a digest of SHA-1": lambda: signed(assertion(), digest=DigestAlgorithm.SHA1),
    "HMAC with the public certificate as its key": lambda: signed(
        assertion(),
        method=SignatureMethod.HMAC_SHA256,
        hmac=IDP_KEY.certificate.public_bytes(serialization.Encoding.PEM),
    ),
    "HMAC by name, RSA by value": lambda: changed(
        BASE, set_algorithm("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
    ),
    "a method nobody knows": lambda: changed(BASE, set_algorithm("SignatureMethod", "urn:none")),
    "a method of EC, a key of RSA": lambda: changed(
        BASE, set_algorithm("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256")
    ),
    "a digest nobody knows": lambda: changed(BASE, set_algorithm("DigestMethod", "urn:none")),
    "20000 prefixes, and 6000 elements that they are looked up for": lambda: changed(BASE, many_prefixes),
    "65 prefixes": lambda: signed_with_prefixes(assertion(), ["saml"] * 65),
    "a second reference": lambda: changed(BASE, second_reference),
    "a reference to the whole document": lambda: changed(BASE, reference_uri("")),
    "a reference to nothing": lambda: changed(BASE, reference_uri(None)),
    "a reference to another element": lambda: changed(BASE, reference_uri("#_other")),
    "a reference by XPointer": lambda: changed(BASE, reference_uri("#xpointer(/)")),
    "a reference to an address": lambda: changed(BASE, reference_uri("http://127.0.0.1:1/x")),
    "a reference to a file": lambda: changed(BASE, reference_uri("file:///etc/passwd")),
    "an empty signature": lambda: changed(BASE, empty("SignatureValue")),
    "an empty digest": lambda: changed(BASE, empty("DigestValue")),
    "no SignedInfo": lambda: changed(
        BASE, lambda root: signature_of(root).remove(next(root.iter(tag(DS, "SignedInfo"))))
    ),
    "an Object in it": lambda: changed(BASE, lambda root: etree.SubElement(signature_of(root), tag(DS, "Object"))),
    "the attacker's certificate in its KeyInfo": lambda: signed(assertion(), ATTACKER_KEY),
    "the attacker's key in its KeyInfo": lambda: changed(signed(assertion(), ATTACKER_KEY), attackers_key_value),
    "no identifier": lambda: changed(BASE, lambda root: root.attrib.pop("ID")),
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_that_nobody_should_believe(signature: Callable[[], Element]) -> None:
    document = response(signature())
    start = time.process_time()
    assert refused(document) == "saml.signature"
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("relative", ["1", "../x", "a b", "%zz", ":"])
def test_what_cannot_be_canonicalised_is_not_an_empty_text(relative: str) -> None:
    """A namespace by a relative address breaks canonicalisation; whoever takes the failure for an empty text believes
    a signature over nothing ("The Fragile Lock", PortSwigger 2025). Here the provider did sign nothing."""
    nothing = b64encode(sha256(b"").digest()).decode()
    private = IDP_KEY.key
    assert isinstance(private, rsa.RSAPrivateKey)
    void = b64encode(private.sign(b"", padding.PKCS1v15(), hashes.SHA256())).decode()
    document = response(signed(assertion(name_id="admin")))
    next(document.iter(tag(DS, "DigestValue"))).text = nothing
    next(document.iter(tag(DS, "SignatureValue"))).text = void
    data = etree.tostring(document)
    inside = data.replace(b"<ds:SignedInfo>", f'<ds:SignedInfo xmlns:v="{relative}" v:x="y">'.encode())
    outside = data.replace(b"<saml:Assertion ", f'<saml:Assertion xmlns:v="{relative}" v:x="y" '.encode())
    both = inside.replace(b"<saml:Subject>", f'<saml:Subject xmlns:w="{relative}" w:x="y">'.encode())
    assert len({data, inside, outside, both}) == 4
    for attack in (data, inside, outside, both):
        assert refused(attack) in {"saml.signature", "saml.malformed"}


@pytest.mark.parametrize("name", ["ID", "Destination", "InResponseTo"])
def test_attributes_in_a_namespace_are_not_ours(name: str) -> None:
    """Readers that look for local names take one, those that look for whole names the other."""
    genuine = response(signed(assertion())).get(name, "")
    data = GOOD.replace(f' {name}="{genuine}"'.encode(), f' samlp:{name}="{genuine}"'.encode(), 1)
    assert data != GOOD
    assert refused(data).startswith("saml.")


def test_key_info_is_not_looked_at() -> None:
    """It is not signed, so whoever carries the message can change it: to no effect, either way."""
    believed(response(changed(BASE, attackers_key_value)))
    believed(response(changed(BASE, lambda root: signature_of(root).remove(next(root.iter(tag(DS, "KeyInfo")))))))


def test_a_bomb_does_not_unpack() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(300)) + packer.flush()
    assert len(bomb) < 400_000
    start = time.process_time()
    assert inflate(bomb) is None
    assert time.process_time() - start < 0.5


def test_packed_data_is_whole_and_alone() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b"<a/>") + packer.flush()
    assert inflate(packed) == b"<a/>"
    assert inflate(packed + b"x") is None
    assert inflate(packed[:-1]) is None
    assert inflate(b"") is None
    assert inflate(zlib.compress(b"<a/>")) is None


def test_only_metadata_may_have_comments_and_they_say_nothing() -> None:
    document = b"<!-- by hand --><a>b<!-- x -->c</a>"
    assert isinstance(parse_message(document), Refused)
    root = parse_metadata(document)
    assert not isinstance(root, Refused)
    assert root.text == "bc"


@pytest.mark.parametrize("document", [b"<!DOCTYPE a><a/>", b"<a><?x?></a>", b"<a><!-- x</a>", b"<a><![CDATA[x]]></a>"])
def test_metadata_may_have_nothing_else(document: bytes) -> None:
    assert isinstance(parse_metadata(document), Refused)


def test_a_response_in_another_namespace() -> None:
    document = GOOD.replace(SAMLP.encode(), b"urn:oasis:names:tc:SAML:1.0:protocol")
    assert refused(document) == "saml.malformed"
    document = GOOD.replace(b'xmlns:saml="' + SAML.encode(), b'xmlns:saml="urn:evil')
    assert refused(document) == "saml.malformed"
