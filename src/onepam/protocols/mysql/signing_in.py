"""How a MySQL or a MariaDB asks for our secret, and what it gets, inside TLS alone."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql.ed25519 import signature
from onepam.protocols.mysql.startup import CACHING_SHA2, CLEAR

NATIVE, ED25519, SHA256 = "mysql_native_password", "client_ed25519", "sha256_password"
_FAST, _FULL = b"\x03", b"\x04"


class SigningIn:
    """One sign-in at a server that is known already. `switched` may take some milliseconds."""

    def __init__(self, login: str, secret: Secret) -> None:
        self._login, self._secret = login, secret
        self._plugin = ""
        self.in_clear = False
        """Whether the server was given the password itself."""

    def begin(self, plugin: str, nonce: bytes) -> tuple[str, bytes]:
        """Which way we take first, and the first answer: the one that the server named, where its greeting's nonce is
        all that it needs."""
        if plugin not in _AT_ONCE:
            plugin = NATIVE
        self._plugin = plugin
        return plugin, self._answer(nonce)

    def switched(self, plugin: str, nonce: bytes) -> bytes | Refused:
        """The answer to an AuthSwitchRequest."""
        if self._secret.reveal().lstrip().startswith(b"-----BEGIN "):
            return Refused("target.refusing", f"the target wants a password for {self._login}, not a certificate")
        if plugin not in _WAYS:
            return Refused("target.refusing", "the target asks for a way to sign in that OnePAM does not have")
        self._plugin = plugin
        return self._answer(nonce)

    def more(self, data: bytes) -> bytes | Refused:
        """The answer to an AuthMoreData; empty for nothing to say."""
        if self._plugin != CACHING_SHA2 or data not in (_FAST, _FULL):
            return Refused("target.refusing", "the target asks for a way to sign in that OnePAM does not have")
        if data == _FAST:
            return b""
        self.in_clear = True
        return self._secret.reveal() + b"\0"

    def _answer(self, nonce: bytes) -> bytes:
        self.in_clear = self.in_clear or self._plugin in _IN_CLEAR
        return _WAYS[self._plugin](self._secret.reveal(), nonce)


def _native(password: bytes, nonce: bytes) -> bytes:
    """MySQL, "Native Authentication"."""
    once = hashlib.sha1(password, usedforsecurity=False).digest()
    twice = hashlib.sha1(once, usedforsecurity=False).digest()
    return _mixed(once, hashlib.sha1(nonce + twice, usedforsecurity=False).digest())


def _caching(password: bytes, nonce: bytes) -> bytes:
    """MySQL, "Caching_sha2_password information"."""
    once = hashlib.sha256(password).digest()
    return _mixed(once, hashlib.sha256(hashlib.sha256(once).digest() + nonce).digest())


def _ed25519(password: bytes, nonce: bytes) -> bytes:
    """MariaDB, "Authentication Plugin - ed25519": of the 32 bytes that it sent."""
    return signature(password, nonce)


def _clear(password: bytes, nonce: bytes) -> bytes:
    return password + b"\0"


def _mixed(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


_WAYS: Final[Mapping[str, Callable[[bytes, bytes], bytes]]] = {
    NATIVE: _native, CACHING_SHA2: _caching, ED25519: _ed25519, CLEAR: _clear, SHA256: _clear,
}  # fmt: skip
_AT_ONCE: Final = frozenset((NATIVE, CACHING_SHA2))
_IN_CLEAR: Final = frozenset((CLEAR, SHA256))
