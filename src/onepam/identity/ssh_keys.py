"""A person's SSH public key, as pasted: one line of authorized_keys, or refused with the reason."""

import binascii
import hashlib
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass

import asyncssh
from asyncssh.public_key import decode_ssh_public_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from onepam.kernel.errors import Refused

MAX_LINE_CHARACTERS = 8 * 1024
MAX_COMMENT_CHARACTERS = 100
RSA_BITS = range(3072, 8192 + 1)
"""3072: NIST SP 800-57 part 1, 128-bit strength. 8192: verifying larger ones costs us more than them."""

ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
_FRESH = "Make one with: ssh-keygen -t ed25519"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that is good enough to sign in with."""

    algorithm: str
    blob: bytes
    """Wire form (RFC 4253 section 6.6), in the one canonical encoding; what a listener compares."""
    fingerprint: str
    """`SHA256:...`, as `ssh-keygen -l` shows it."""
    comment: str
    """For display only: printable, at most 100 characters, possibly empty."""

    @property
    def line(self) -> str:
        """The key as authorized_keys has it, without the comment."""
        return f"{self.algorithm} {b64encode(self.blob).decode('ascii')}"

    @property
    def hardware(self) -> bool:
        """Kept in a security key (`sk-`): it cannot be copied, and signs after a touch."""
        return self.algorithm.startswith("sk-")


def parse_public_key(text: str) -> PublicKey | Refused:
    """The key in one pasted line. Codes: `ssh_key.` + `private`, `malformed`, `certificate`, `type`, `weak`."""
    if len(text) > MAX_LINE_CHARACTERS:
        return Refused("ssh_key.malformed", "This is longer than any public key.", "Paste one line of a .pub file.")
    line = text.strip()
    if "PRIVATE KEY" in line:
        return Refused(
            "ssh_key.private",
            "This is a private key. It was not stored, but do not use it any more.",
            f"Never paste a private key anywhere. {_FRESH} and paste the .pub file.",
        )
    algorithm, _, rest = line.partition(" ")
    encoded, _, comment = rest.strip().partition(" ")
    if len(line.splitlines()) != 1 or not encoded:
        return _malformed()
    if algorithm.endswith("-cert-v01@openssh.com"):
        return Refused(
            "ssh_key.certificate", "This is a certificate, not a key.", "Paste the .pub file of the key itself."
        )
    if algorithm not in ALGORITHMS:
        return _unfit_type(algorithm)
    try:
        blob = b64decode(encoded, validate=True)
        key = decode_ssh_public_key(blob)
    except (binascii.Error, asyncssh.KeyImportError, ValueError):
        return _malformed()
    # One key has one encoding and one fingerprint; a second form would slip past "already registered".
    if key.get_algorithm() != algorithm or key.public_data != blob:
        return _malformed()
    modulus = key.pyca_key
    if isinstance(modulus, RSAPublicKey) and modulus.key_size not in RSA_BITS:
        return Refused("ssh_key.weak", f"RSA keys need 3072 to 8192 bits; this one has {modulus.key_size}.", _FRESH)
    return PublicKey(algorithm, blob, fingerprint(blob), _sanitised(comment))


def fingerprint(blob: bytes) -> str:
    """`SHA256:` and unpadded base64 of the wire form's digest, as OpenSSH shows it."""
    return "SHA256:" + b64encode(hashlib.sha256(blob).digest()).rstrip(b"=").decode("ascii")


def _unfit_type(algorithm: str) -> Refused:
    if algorithm == "ssh-dss":
        return Refused("ssh_key.weak", "DSA keys are broken and not accepted.", _FRESH)
    return Refused(
        "ssh_key.type",
        "The line must begin with the type of an accepted key, without options before it.",
        f"Accepted: {', '.join(ALGORITHMS)}. {_FRESH}",
    )


def _malformed() -> Refused:
    return Refused("ssh_key.malformed", "This is not a whole public key.", "Paste the single line of a .pub file.")


def _sanitised(comment: str) -> str:
    """Letters, marks, numbers, punctuation, symbols and plain spaces; no controls, no text direction, no invisibles."""
    kept = "".join(c for c in comment if c == " " or unicodedata.category(c)[0] in "LMNPS")
    return " ".join(kept.split())[:MAX_COMMENT_CHARACTERS]
