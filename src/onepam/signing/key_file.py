"""The keys of signer and witness on disk: private to their owner, and durable before anybody is told."""

import secrets
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from onepam.files.private_file import create_private, read_private
from onepam.kernel.errors import Corrupt

MAX_KEY_BYTES = 4096


def create_new(path: Path, data: bytes) -> None:
    """A private file that must not exist yet. Raises `FileExistsError`."""
    if not create_private(path, data, secrets.token_bytes):
        raise FileExistsError(f"{path} exists already")


def create_key(path: Path) -> None:
    """A new Ed25519 key as unencrypted PKCS #8 PEM, mode 0600. Raises `FileExistsError`."""
    key = Ed25519PrivateKey.generate()
    create_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def load_key(path: Path) -> Ed25519PrivateKey:
    """The key of `create_key`. Raises `FileNotFoundError`, and `Corrupt` for another kind of file or key."""
    try:
        key = load_pem_private_key(read_private(path, MAX_KEY_BYTES), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Corrupt(f"{path} is not an unencrypted private key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Corrupt(f"{path} is not an Ed25519 key")
    return key
