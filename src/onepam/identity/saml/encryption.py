"""Encrypted assertions (XML Encryption 1.1): opened with our key, or refused in one way whatever was wrong.

The key comes by RSA-OAEP, with SHA-1 or SHA-2 in it; never by PKCS #1 v1.5. The assertion is in AES-GCM, which is
authentic by itself. AES-CBC is not: whoever may send us changed ciphertexts could read from our answers what is in
them. So it is opened only in a response whose own signature held, where nobody can change anything.
"""

import binascii
from base64 import b64decode
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onepam.identity.saml.signature import PrivateKey
from onepam.identity.saml.xml import DS, XENC, XENC11, Element, only, parse_message, tag, within, word
from onepam.kernel.errors import Refused

MAX_ENCRYPTED_KEYS = 4
GCM = {XENC11 + "aes128-gcm": 16, XENC11 + "aes192-gcm": 24, XENC11 + "aes256-gcm": 32}
CBC = {XENC + "aes128-cbc": 16, XENC + "aes192-cbc": 24, XENC + "aes256-cbc": 32}
_OAEP_SHA1, _OAEP = XENC + "rsa-oaep-mgf1p", XENC11 + "rsa-oaep"

_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    DS + "sha1": hashes.SHA1(),  # noqa: S303 (OAEP needs no collision resistance)
    XENC + "sha256": hashes.SHA256(),
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384(),
    XENC + "sha512": hashes.SHA512(),
}
_MASKS: dict[str, hashes.HashAlgorithm] = {
    XENC11 + "mgf1sha1": hashes.SHA1(),  # noqa: S303
    XENC11 + "mgf1sha256": hashes.SHA256(),
    XENC11 + "mgf1sha384": hashes.SHA384(),
    XENC11 + "mgf1sha512": hashes.SHA512(),
}


def decrypted(holder: Element, keys: Sequence[PrivateKey], *, authentic: bool) -> Element | Refused:
    """The root of what an EncryptedAssertion holds. Code: `saml.encryption`, and always the same words."""
    data = only(holder, XENC, "EncryptedData")
    method = None if data is None else only(data, XENC, "EncryptionMethod")
    algorithm = "" if method is None else method.get("Algorithm", "")
    size = GCM.get(algorithm) or (CBC.get(algorithm) if authentic else None)
    if data is None or size is None:
        return _unopened()
    ciphertext = _cipher_value(data)
    encrypted_keys = within(holder, XENC, "EncryptedKey")
    if ciphertext is None or not 1 <= len(encrypted_keys) <= MAX_ENCRYPTED_KEYS:
        return _unopened()
    for encrypted_key in encrypted_keys:
        for key in keys:
            unwrapped = _unwrapped(encrypted_key, key)
            plain = _opened(ciphertext, unwrapped, algorithm) if unwrapped and len(unwrapped) == size else None
            root = _unopened() if plain is None else parse_message(plain)
            if not isinstance(root, Refused):
                return root
    return _unopened()


def _unopened() -> Refused:
    return Refused(
        "saml.encryption",
        "The provider's encrypted message cannot be opened.",
        "An administrator should give the provider our certificate for encryption again, and let it encrypt with "
        "AES-GCM and RSA-OAEP. AES-CBC is opened only where the provider signs the response as well.",
    )


def _cipher_value(element: Element) -> bytes | None:
    value = element.find(f"{tag(XENC, 'CipherData')}/{tag(XENC, 'CipherValue')}")
    try:
        return b64decode("".join(word(value).split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _unwrapped(element: Element, key: PrivateKey) -> bytes | None:
    method, wrapped = only(element, XENC, "EncryptionMethod"), _cipher_value(element)
    if method is None or wrapped is None or not isinstance(key, rsa.RSAPrivateKey):
        return None
    digest = _named(method, tag(DS, "DigestMethod"), _DIGESTS, DS + "sha1")
    algorithm = method.get("Algorithm")
    if algorithm == _OAEP_SHA1:
        mask: hashes.HashAlgorithm | None = _MASKS[XENC11 + "mgf1sha1"]
    elif algorithm == _OAEP:
        mask = _named(method, tag(XENC11, "MGF"), _MASKS, XENC11 + "mgf1sha1")
    else:
        return None
    if digest is None or mask is None or word(method.find(tag(XENC, "OAEPparams"))):
        return None
    try:
        return key.decrypt(wrapped, padding.OAEP(padding.MGF1(mask), digest, None))
    except (ValueError, UnsupportedAlgorithm):
        return None


def _named(
    method: Element, name: str, known: dict[str, hashes.HashAlgorithm], default: str
) -> hashes.HashAlgorithm | None:
    element = method.find(name)
    return known.get(default if element is None else element.get("Algorithm", ""))


def _opened(ciphertext: bytes, key: bytes, algorithm: str) -> bytes | None:
    """The plaintext. GCM: 96-bit nonce first, 128-bit tag last; CBC: 128-bit first block, padded (section 5.2)."""
    if algorithm in GCM:
        try:
            return AESGCM(key).decrypt(ciphertext[:12], ciphertext[12:], None)
        except (InvalidTag, ValueError):
            return None
    if len(ciphertext) < 32 or len(ciphertext) % 16:
        return None
    decryptor = Cipher(algorithms.AES(key), modes.CBC(ciphertext[:16])).decryptor()
    padded = decryptor.update(ciphertext[16:]) + decryptor.finalize()
    return padded[: -padded[-1]] if 1 <= padded[-1] <= 16 else None
