"""The node's half: a key that lives in memory only, and what the signer gave it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.domain.host.nodes import NodeCertified
from onepam.kernel.errors import Refused, Unavailable
from onepam.ledger.note import ED25519, VerifierKey


@dataclass(frozen=True, slots=True)
class Certificate:
    """The signer's note over a node's key, and its number among all that the signer gave."""

    number: int
    note: str


class NodeAuthor:
    """Signs the batches of one process. Its key comes into force with the first batch that it writes."""

    def __init__(self, node: str, private: Ed25519PrivateKey, certificate: Certificate | None) -> None:
        """Without a certificate nobody takes what it signs for history: for what is written when the signer is lost."""
        self.node = node
        self.key = VerifierKey(node, ED25519, private.public_key().public_bytes_raw())
        self._vkey = self.key.encode()
        self._certificate = certificate
        self.sign = private.sign

    @classmethod
    def certified(cls, node: str, certify: Callable[[VerifierKey], Certificate | Refused]) -> Self:
        """With a new key. Raises `Unavailable` when the signer cannot be reached or does not certify it."""
        private = Ed25519PrivateKey.generate()
        key = VerifierKey(node, ED25519, private.public_key().public_bytes_raw())
        certificate = certify(key)
        if isinstance(certificate, Refused):
            raise Unavailable(f"the signer does not certify {node}: {certificate.message} {certificate.hint}".strip())
        return cls(node, private, certificate)

    @classmethod
    def uncertified(cls, node: str) -> Self:
        """With a new key that nobody has certified."""
        return cls(node, Ed25519PrivateKey.generate(), None)

    def join(self, newest: tuple[str, int, bool] | None) -> NodeCertified | None:
        """See the port `Author`."""
        if self._certificate is None or (newest is not None and newest[2] and newest[0] == self._vkey):
            return None
        if newest is not None and newest[1] >= self._certificate.number:
            raise Unavailable(f"the key of {self.node} was revoked, or another process has its name: start it anew")
        return NodeCertified(self.node, self._vkey, self._certificate.number, self._certificate.note)
