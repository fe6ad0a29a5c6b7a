"""Text signed by one or more keys: C2SP signed-note (https://c2sp.org/signed-note), parsed strictly.

The algorithm is a byte of the key: Ed25519 over the text, or the timestamped cosignature of C2SP tlog-cosignature.
Signatures of unknown keys are kept and never judged; what is not exactly a note is refused.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
MAX_NOTE_BYTES = 128 * 1024
MAX_SIGNATURES = 32
"""The specification asks for at least 16, and says that one may take 5 kB."""
MAX_NAME_CHARACTERS = 255

Sign = Callable[[bytes], bytes]
"""The private half of a key: message -> the 64-byte Ed25519 signature (RFC 8032)."""

_SIGNATURE_BYTES = 64
_SEPARATOR = "\n\n"
_DASH = "\N{EM DASH} "


class BadNote(ValueError):
    """The bytes are not a note, a key is not a key, or no signature of a known key holds; the message says which."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under its name. `public` is the 32-byte Ed25519 key for both algorithms."""

    name: str
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        """Raises `BadNote` for a name, an algorithm or a key that no signature could carry."""
        _check_name(self.name)
        if self.algorithm not in (ED25519, COSIGNATURE_V1):
            raise BadNote(f"unknown signature algorithm {self.algorithm:#04x}")
        if len(self.public) != 32:
            raise BadNote("an Ed25519 public key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || algorithm || public), the first four bytes."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:4]

    def encode(self) -> str:
        """The vkey, as operators configure it: `name+hex(key id)+base64(algorithm || public)`."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.algorithm]) + self.public).decode('ascii')}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """The key of a vkey. Raises `BadNote` when it is malformed or its id is not that of its key."""
        if len(vkey) > 2 * MAX_NAME_CHARACTERS or vkey.count("+") < 2:
            raise BadNote("not a verifier key (name+id+key)")
        name, key_id, material = vkey.split("+", 2)
        raw = base64_bytes(material)
        key = cls(name, raw[0] if raw else 0, raw[1:])
        if key_id != key.key_id.hex():
            raise BadNote("the id of the verifier key is not that of its name and key")
        return key

    def verify(self, text: str, value: bytes) -> "Verified | None":
        """What a signature's bytes (without the key id) say over `text`; None when they are not this key's."""
        at = None
        if self.algorithm == COSIGNATURE_V1:
            at, value = int.from_bytes(value[:8], "big"), value[8:]
        if len(value) != _SIGNATURE_BYTES or (at is not None and at >= 1 << 63):
            return None
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, _message(text, at))
        except InvalidSignature:
            return None
        return Verified(self, at)


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that holds. `at` is the cosigner's own time in seconds since 1970, None for a plain signature."""

    key: VerifierKey
    at: int | None


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. `value` is what follows the 4-byte key id."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """The line with its newline."""
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.value).decode('ascii')}\n"

    @classmethod
    def parse(cls, line: str) -> Self:
        """The signature of a line without its newline. Raises `BadNote`."""
        dash, name, material = line[: len(_DASH)], *line[len(_DASH) :].partition(" ")[::2]
        _check_name(name)
        raw = base64_bytes(material)
        if dash != _DASH or len(raw) < 5:
            raise BadNote("not a signature line")
        return cls(name, raw[:4], raw[4:])


@dataclass(frozen=True, slots=True)
class Note:
    """`text` ends with a newline and contains no control character but newlines."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note as it is stored and sent."""
        return (self.text + "\n" + "".join(signature.line() for signature in self.signatures)).encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The note of UTF-8 bytes. Raises `BadNote` for anything else, and for two signatures of one key."""
        if len(data) > MAX_NOTE_BYTES:
            raise BadNote(f"a note has at most {MAX_NOTE_BYTES} bytes")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise BadNote("a note is UTF-8 text") from None
        if any(character < " " and character != "\n" for character in text):
            raise BadNote("a note has no control characters")
        head, separator, tail = text.rpartition(_SEPARATOR)
        if not separator or not tail.endswith("\n"):
            raise BadNote("a note is a text, an empty line and signature lines")
        return cls(head + "\n", parse_signatures(tail))

    def verify(self, keys: Iterable[VerifierKey]) -> tuple[Verified, ...]:
        """The signatures by `keys`, at least one. Raises `BadNote` when there is none, or one does not hold."""
        known = {(key.name, key.key_id): key for key in keys}
        verified = []
        for signature in self.signatures:
            key = known.get((signature.name, signature.key_id))
            if key is not None:
                result = key.verify(self.text, signature.value)
                if result is None:
                    raise BadNote(f"the signature of {key.name} does not hold")
                verified.append(result)
        if not verified:
            raise BadNote("no signature by a known key")
        return tuple(verified)

    def signed(self, signature: Signature) -> "Note":
        """The note with one more signature, in place of an earlier one of the same key."""
        others = (s for s in self.signatures if (s.name, s.key_id) != (signature.name, signature.key_id))
        return Note(self.text, (*others, signature))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """The signatures of lines that each end with a newline. Raises `BadNote`; two of one key are refused."""
    *parts, rest = lines.split("\n", MAX_SIGNATURES)
    signatures = tuple(Signature.parse(line) for line in parts)
    if rest or len({(signature.name, signature.key_id) for signature in signatures}) != len(signatures):
        raise BadNote(f"more than {MAX_SIGNATURES} signatures, or two of one key")
    return signatures


def sign(text: str, key: VerifierKey, private: Sign, at: int | None = None) -> Signature:
    """The signature of `key` over `text`; `at`, in seconds since 1970, is for a cosignature and for nothing else."""
    if (key.algorithm == COSIGNATURE_V1) != (at is not None):
        raise ValueError("a time belongs to a cosignature, and a cosignature has a time")
    stamp = b"" if at is None else at.to_bytes(8, "big")
    return Signature(key.name, key.key_id, stamp + private(_message(text, at)))


def base64_bytes(text: str) -> bytes:
    """The bytes of standard base64 (RFC 4648, section 4). Raises `BadNote` unless it is their one encoding."""
    try:
        data = b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise BadNote("not base64") from None
    if b64encode(data).decode("ascii") != text:
        raise BadNote("not the one base64 of its bytes")
    return data


def _message(text: str, at: int | None) -> bytes:
    return (text if at is None else f"cosignature/v1\ntime {at}\n{text}").encode()


def _check_name(name: str) -> None:
    if not 0 < len(name) <= MAX_NAME_CHARACTERS or any(c == "+" or c < " " or c.isspace() for c in name):
        raise BadNote("the name of a key is 1 to 255 characters without spaces and plus signs")
