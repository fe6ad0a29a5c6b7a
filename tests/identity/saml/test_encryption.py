"""Encrypted assertions: what opens, and that whatever does not open is refused in one way."""

import secrets
import shutil
import subprocess
from base64 import b64encode
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from onepam.identity.saml.keys import SpKey, new_key
from onepam.identity.saml.xml import DS, SAML, XENC, XENC11, Element, tag
from onepam.kernel.errors import Refused
from tests.identity.saml.forge import (
    ATTACKER_KEY,
    NOW,
    OUR_KEY,
    SETTINGS,
    assertion,
    believed,
    changed,
    received,
    refused,
    response,
    signed,
)

OLD_KEY = new_key("pam.example.com", NOW, secrets.token_bytes)
OAEP = XENC + "rsa-oaep-mgf1p"
HASHES: dict[str, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}


@dataclass(frozen=True)
class Recipe:
    algorithm: str = XENC11 + "aes256-gcm"
    key_bytes: int = 32
    transport: str = OAEP
    digest: str = "sha1"
    mask: str = "sha1"
    beside: bool = False
    """The key stands beside the data instead of within."""
    label: bytes = b""
    """Announced OAEP parameters."""
    extra: int = 0
    """Bytes behind the ciphertext."""
    key_claimed: str = ""
    """Says that the key came by this algorithm."""


GCM = Recipe()
CBC = Recipe(XENC + "aes128-cbc", 16)


def encrypted(content: Element | bytes, recipe: Recipe = GCM, to: SpKey = OUR_KEY) -> Element:
    plain = content if isinstance(content, bytes) else etree.tostring(content)
    key, nonce = secrets.token_bytes(recipe.key_bytes), secrets.token_bytes(12)
    if recipe.algorithm.endswith("gcm"):
        ciphertext = nonce + AESGCM(key).encrypt(nonce, plain, None)
    else:
        first, pad = secrets.token_bytes(16), 16 - len(plain) % 16
        encryptor = Cipher(algorithms.AES(key), modes.CBC(first)).encryptor()
        ciphertext = first + encryptor.update(plain + bytes(pad - 1) + bytes([pad])) + encryptor.finalize()
    public = to.x509().public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    if recipe.transport.endswith("rsa-1_5"):
        wrapped = public.encrypt(key, padding.PKCS1v15())
    else:
        wrapped = public.encrypt(key, padding.OAEP(padding.MGF1(HASHES[recipe.mask]), HASHES[recipe.digest], None))
    holder = etree.Element(tag(SAML, "EncryptedAssertion"), nsmap={"saml": SAML, "xenc": XENC, "ds": DS})
    data = etree.SubElement(holder, tag(XENC, "EncryptedData"), {"Type": XENC + "Element"})
    etree.SubElement(data, tag(XENC, "EncryptionMethod"), {"Algorithm": recipe.algorithm})
    place = holder if recipe.beside else etree.SubElement(data, tag(DS, "KeyInfo"))
    encrypted_key = etree.SubElement(place, tag(XENC, "EncryptedKey"))
    claimed = recipe.key_claimed or recipe.transport
    method = etree.SubElement(encrypted_key, tag(XENC, "EncryptionMethod"), {"Algorithm": claimed})
    names = {"sha1": DS + "sha1", "sha256": XENC + "sha256"}
    etree.SubElement(method, tag(DS, "DigestMethod"), {"Algorithm": names[recipe.digest]})
    if recipe.transport == XENC11 + "rsa-oaep":
        etree.SubElement(method, tag(XENC11, "MGF"), {"Algorithm": XENC11 + "mgf1" + recipe.mask})
    if recipe.label:
        etree.SubElement(method, tag(XENC, "OAEPparams")).text = b64encode(recipe.label).decode()
    _value(encrypted_key, wrapped)
    _value(data, ciphertext + bytes(recipe.extra))
    return holder


def _value(parent: Element, value: bytes) -> None:
    data = etree.SubElement(parent, tag(XENC, "CipherData"))
    etree.SubElement(data, tag(XENC, "CipherValue")).text = b64encode(value).decode()


@pytest.mark.parametrize(
    "recipe",
    [
        GCM,
        Recipe(XENC11 + "aes128-gcm", 16),
        Recipe(XENC11 + "aes192-gcm", 24),
        Recipe(digest="sha256"),
        Recipe(transport=XENC11 + "rsa-oaep", digest="sha256", mask="sha256"),
        Recipe(transport=XENC11 + "rsa-oaep", digest="sha256", mask="sha1"),
        Recipe(beside=True),
    ],
    ids=["AES-256", "AES-128", "AES-192", "SHA-256", "mask of SHA-256", "mask of SHA-1", "key beside"],
)
def test_opens(recipe: Recipe) -> None:
    document = response(encrypted(signed(assertion()), recipe))
    assert believed(document).assertion == believed(response(signed(assertion()))).assertion


def test_the_responses_signature_covers_what_is_encrypted() -> None:
    assert believed(signed(response(encrypted(assertion())))).assertion.subject == "alice"
    assert believed(signed(response(encrypted(signed(assertion()))))).assertion.subject == "alice"


def test_opens_with_either_of_our_keys() -> None:
    both = replace(SETTINGS, keys=(OUR_KEY, OLD_KEY))
    for key in (OUR_KEY, OLD_KEY):
        believed(response(encrypted(signed(assertion()), to=key)), both)


@pytest.mark.parametrize("size", [16, 24, 32])
def test_cbc_opens_where_nobody_can_have_changed_it(size: int) -> None:
    recipe = Recipe(XENC + f"aes{size * 8}-cbc", size)
    assert believed(signed(response(encrypted(assertion(), recipe)))).assertion.subject == "alice"
    assert refused(response(encrypted(signed(assertion()), recipe))) == "saml.encryption"


def test_encrypted_is_not_signed() -> None:
    """Our certificate is public: anybody can encrypt."""
    assert refused(response(encrypted(assertion(name_id="admin")))) == "saml.signature"
    assert refused(response(encrypted(signed(assertion(name_id="admin"), ATTACKER_KEY)))) == "saml.signature"
    assert refused(signed(response(encrypted(signed(assertion(), ATTACKER_KEY))))) == "saml.signature"


def _flip(document: Element, which: int, at: int) -> Element:
    def change(root: Element) -> None:
        value = list(root.iter(tag(XENC, "CipherValue")))[which]
        text = value.text or ""
        value.text = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]

    return changed(document, change)


def _without(document: Element, name: str) -> Element:
    def change(root: Element) -> None:
        element = next(root.iter(name))
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return changed(document, change)


def _drop_first(element: Element) -> None:
    element.remove(element[0])


def _many_keys(count: int) -> Element:
    def change(root: Element) -> None:
        key = next(root.iter(tag(XENC, "EncryptedKey")))
        for _ in range(count - 1):
            key.addnext(etree.fromstring(etree.tostring(key, with_tail=False)))

    return changed(response(encrypted(signed(assertion()))), change)


SOUND = response(encrypted(signed(assertion())))
UNOPENED: dict[str, Element] = {
    "encrypted for somebody else": response(encrypted(signed(assertion()), to=OLD_KEY)),
    "key changed": _flip(SOUND, 0, 10),
    "nonce changed": _flip(SOUND, 1, 3),
    "text changed": _flip(SOUND, 1, 100),
    "cut": changed(SOUND, lambda root: setattr(list(root.iter(tag(XENC, "CipherValue")))[1], "text", "AAAA")),
    "no base64": changed(SOUND, lambda root: setattr(list(root.iter(tag(XENC, "CipherValue")))[1], "text", "%")),
    "empty": changed(SOUND, lambda root: setattr(list(root.iter(tag(XENC, "CipherValue")))[1], "text", None)),
    "no data": _without(SOUND, tag(XENC, "EncryptedData")),
    "no key": _without(SOUND, tag(XENC, "EncryptedKey")),
    "no method": _without(SOUND, tag(XENC, "EncryptionMethod")),
    "no value": _without(SOUND, tag(XENC, "CipherData")),
    "no method for the key": changed(SOUND, lambda root: _drop_first(next(root.iter(tag(XENC, "EncryptedKey"))))),
    "five keys": _many_keys(5),
    "key of another length": response(encrypted(signed(assertion()), Recipe(XENC11 + "aes256-gcm", 16))),
    "key by PKCS #1 v1.5": response(encrypted(signed(assertion()), Recipe(transport=XENC + "rsa-1_5"))),
    "key by PKCS #1 v1.5 that claims OAEP": response(
        encrypted(signed(assertion()), Recipe(transport=XENC + "rsa-1_5", key_claimed=OAEP))
    ),
    "key by a way nobody knows": response(encrypted(signed(assertion()), Recipe(key_claimed="urn:none"))),
    "OAEP with parameters": response(encrypted(signed(assertion()), Recipe(label=b"x"))),
    "triple DES": changed(
        SOUND, lambda root: next(root.iter(tag(XENC, "EncryptionMethod"))).set("Algorithm", XENC + "tripledes-cbc")
    ),
    "CBC that nobody signed": response(encrypted(signed(assertion()), CBC)),
    "CBC that nobody signed, changed": _flip(response(encrypted(signed(assertion()), CBC)), 1, 30),
    "CBC that was signed, its padding wrong": signed(_flip(response(encrypted(assertion(), CBC)), 1, -4)),
    "CBC that was signed, half a block too long": signed(response(encrypted(assertion(), replace(CBC, extra=8)))),
    "no XML in it": response(encrypted(b"alice")),
    "a document type in it": response(encrypted(b"<!DOCTYPE a>" + etree.tostring(signed(assertion())))),
    "a comment in it": response(encrypted(etree.tostring(signed(assertion())).replace(b">alice<", b">al<!---->ice<"))),
}


@pytest.mark.parametrize("document", UNOPENED.values(), ids=UNOPENED)
def test_one_refusal_for_all(document: Element) -> None:
    """Whoever tries ciphertexts on us learns nothing from the words."""
    answer = received(document)
    assert isinstance(answer, Refused)
    expected = received(UNOPENED["encrypted for somebody else"])
    assert isinstance(expected, Refused)
    assert expected.code == "saml.encryption"
    assert answer == expected


def test_four_keys_are_tried() -> None:
    believed(_many_keys(4))


@pytest.mark.parametrize(
    "content",
    [
        response(signed(assertion())),
        etree.fromstring(f'<x xmlns="{SAML}">{etree.tostring(signed(assertion()), encoding="unicode")}</x>'),
        changed(assertion(), lambda root: root.append(signed(assertion(identifier="_other")))),
        changed(assertion(), lambda root: root.append(encrypted(signed(assertion())))),
        changed(signed(assertion()), lambda root: root[2].append(etree.Element(tag(DS, "Signature")))),
    ],
    ids=["a response", "a stranger around it", "an assertion within", "an encrypted one within", "signature elsewhere"],
)
def test_what_is_opened_is_one_assertion(content: Element) -> None:
    assert refused(response(encrypted(content))) == "saml.malformed"
    assert refused(signed(response(encrypted(content)))) == "saml.malformed"


def test_two_encrypted_assertions() -> None:
    document = response(encrypted(signed(assertion())), encrypted(signed(assertion(identifier="_b"))))
    assert refused(document) == "saml.malformed"
    document = response(signed(assertion()), encrypted(signed(assertion(identifier="_b"))))
    assert refused(document) == "saml.malformed"


@pytest.mark.parametrize("algorithm", ["aes256-gcm", "aes128-gcm"])
def test_what_another_program_encrypted(tmp_path: Path, algorithm: str) -> None:
    """xmlsec1 encrypts by a template, for our certificate."""
    assert shutil.which("xmlsec1"), "the Debian package xmlsec1 is missing"
    (tmp_path / "our.pem").write_bytes(OUR_KEY.x509().public_bytes(serialization.Encoding.PEM))
    (tmp_path / "plain.xml").write_bytes(etree.tostring(signed(assertion())))
    template = encrypted(b"x", Recipe(XENC11 + algorithm, int(algorithm[3:6]) // 8))
    for value in template.iter(tag(XENC, "CipherValue")):
        value.text = None
    (tmp_path / "template.xml").write_bytes(etree.tostring(template[0]))
    command = ["xmlsec1", "--encrypt", "--pubkey-cert-pem", "our.pem", "--session-key", f"aes-{algorithm[3:6]}"]
    command += ["--xml-data", "plain.xml", "--output", "out.xml", "template.xml"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=30)
    assert ran.returncode == 0, ran.stderr
    data = next(etree.parse(tmp_path / "out.xml").iter(tag(XENC, "EncryptedData")))
    holder = etree.Element(tag(SAML, "EncryptedAssertion"))
    holder.append(data)
    assert believed(response(holder)).assertion.subject == "alice"


def test_our_certificate_is_for_people_to_recognise() -> None:
    certificate = OUR_KEY.x509()
    assert isinstance(certificate, x509.Certificate)
    assert certificate.subject.rfc4514_string() == "CN=pam.example.com"
