"""Envelope encryption: every secret under its own data key, every data key wrapped by a master key.

Both layers are AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces. A data key encrypts one secret (or one
recording), a master key only data keys, so re-wrapping under a new master key never touches the plaintext.

What is sealed is bound to what it is *about* (`b"authority/person"`, `b"recording/ses_..."`): opening it as anything
else fails. The envelope carries SHA-256(about), so `rewrap` needs no context; `about` must not be a secret.

    wrapped := 0x01 purpose(1) len(1) key_id about_digest(32) | nonce(12) AES-GCM(master key, data key)
    sealed  := wrapped | nonce(12) AES-GCM(data key, plaintext)

The part before the first bar is the associated data of the wrap; purpose and digest are that of the plaintext.
"""

import hashlib
from dataclasses import dataclass
from typing import Protocol, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onepam.kernel.errors import Corrupt, Fault
from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret

MAX_PLAINTEXT_BYTES = 1024 * 1024
"""A vaulted secret is a key or a password, not a file; recordings encrypt their own chunks under a data key."""

MAX_KEY_ID_CHARACTERS = 64

_VERSION = 1
_SECRET, _DATA_KEY = 1, 2
_KEY, _NONCE, _TAG, _DIGEST = 32, 12, 16, 32
_WRAP = _NONCE + _KEY + _TAG


class KeyMissing(Fault):
    """The master key that wrapped this is not among the provider's keys; named in the message by its id."""


class KeyProvider(Protocol):
    """Where master keys live. They never leave it: it wraps and unwraps data keys of 32 bytes."""

    @property
    def current(self) -> str:
        """The id of the master key that new data keys are wrapped under: ASCII, 1 to 64 characters."""

    def wrap(self, key_id: str, data_key: bytes, associated: bytes) -> bytes:
        """60 bytes: nonce, ciphertext, tag. Raises `KeyMissing`."""

    def unwrap(self, key_id: str, wrapped: bytes, associated: bytes) -> bytes:
        """The data key. Raises `KeyMissing`, and `Corrupt` when it was altered."""


@dataclass(frozen=True, slots=True)
class _Header:
    purpose: int
    key_id: str
    about: bytes

    def encode(self) -> bytes:
        name = self.key_id.encode("ascii")
        return bytes((_VERSION, self.purpose, len(name))) + name + self.about

    def plaintext_binding(self) -> bytes:
        return bytes((_VERSION, self.purpose)) + self.about


@final
class Envelope:
    """Seals and opens with the master keys of one provider. Safe to share between threads."""

    def __init__(self, keys: KeyProvider, random: RandomBytes) -> None:
        self._keys = keys
        self._random = random

    def seal(self, plaintext: Secret, about: bytes) -> bytes:
        """The envelope of `plaintext`, openable only with the same `about`. Raises `ValueError` above 1 MiB."""
        clear = plaintext.reveal()
        if len(clear) > MAX_PLAINTEXT_BYTES:
            raise ValueError(f"a secret of more than {MAX_PLAINTEXT_BYTES} bytes")
        header, data_key, wrapped = self._new(_SECRET, about)
        nonce = self._random(_NONCE)
        return wrapped + nonce + AESGCM(data_key).encrypt(nonce, clear, header.plaintext_binding())

    def open(self, sealed: bytes, about: bytes) -> Secret:
        """The plaintext. Raises `Corrupt` when altered or about something else, `KeyMissing` for a lost master key."""
        header, wrap, rest = _parse(sealed, _SECRET)
        _demand(header, about)
        if not _NONCE + _TAG <= len(rest) <= _NONCE + MAX_PLAINTEXT_BYTES + _TAG:
            raise Corrupt("a sealed secret is cut short or too long")
        data_key = self._keys.unwrap(header.key_id, wrap, header.encode())
        try:
            clear = AESGCM(data_key).decrypt(rest[:_NONCE], rest[_NONCE:], header.plaintext_binding())
        except InvalidTag:
            raise Corrupt("a sealed secret was altered") from None
        return Secret(clear)

    def new_data_key(self, about: bytes) -> tuple[Secret, bytes]:
        """A fresh 32-byte key for one recording, and its wrapped form to store beside it."""
        _, data_key, wrapped = self._new(_DATA_KEY, about)
        return Secret(data_key), wrapped

    def unwrap(self, wrapped: bytes, about: bytes) -> Secret:
        """The data key of `new_data_key`. Raises like `open`."""
        header, wrap, rest = _parse(wrapped, _DATA_KEY)
        _demand(header, about)
        if rest:
            raise Corrupt("a wrapped key has trailing bytes")
        return Secret(self._keys.unwrap(header.key_id, wrap, header.encode()))

    def rewrap(self, sealed: bytes) -> bytes:
        """The same secret or data key under the current master key; the same bytes if it is. Raises like `open`."""
        header, wrap, rest = _parse(sealed, None)
        if header.key_id == self._keys.current:
            return sealed
        data_key = self._keys.unwrap(header.key_id, wrap, header.encode())
        return self._wrap(_Header(header.purpose, self._keys.current, header.about), data_key) + rest

    def _new(self, purpose: int, about: bytes) -> tuple[_Header, bytes, bytes]:
        header = _Header(purpose, self._keys.current, hashlib.sha256(about).digest())
        data_key = self._random(_KEY)
        return header, data_key, self._wrap(header, data_key)

    def _wrap(self, header: _Header, data_key: bytes) -> bytes:
        associated = header.encode()
        return associated + self._keys.wrap(header.key_id, data_key, associated)


def _demand(header: _Header, about: bytes) -> None:
    if header.about != hashlib.sha256(about).digest():
        raise Corrupt("this was sealed for something else")


def _parse(data: bytes, purpose: int | None) -> tuple[_Header, bytes, bytes]:
    """Header, wrap of the data key, and the rest."""
    if len(data) < 3 or data[0] != _VERSION:
        raise Corrupt("not an envelope of a known version")
    length = data[2]
    about_at = 3 + length
    wrap_at = about_at + _DIGEST
    end = wrap_at + _WRAP
    name = data[3:about_at]
    if not 0 < length <= MAX_KEY_ID_CHARACTERS or len(data) < end or not name.isascii():
        raise Corrupt("a malformed envelope")
    if data[1] not in (_SECRET, _DATA_KEY) or purpose not in (None, data[1]):
        raise Corrupt("an envelope of another purpose")
    return _Header(data[1], name.decode("ascii"), data[about_at:wrap_at]), data[wrap_at:end], data[end:]
