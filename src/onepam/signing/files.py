"""Keys and last-signed states on disk: private to their owner, and durable before anybody is told."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from onepam.kernel.errors import Corrupt, Unavailable

MAX_KEY_BYTES = 4096
_OPEN = os.O_NOFOLLOW | os.O_CLOEXEC


def read_private(path: Path, max_bytes: int) -> bytes:
    """The content of a file that only we can touch.

    Raises `FileNotFoundError`; `Corrupt` for a link, a foreign owner, a mode looser than 0600 or too many bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _OPEN)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Corrupt(f"{path} cannot be opened: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise Corrupt(f"{path} must be a file of ours that nobody else may open (chmod 600)")
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise Corrupt(f"{path} is larger than {max_bytes} bytes")
    return data


def replace_private(path: Path, data: bytes) -> None:
    """Puts `data` (mode 0600) in the place of `path`, durable when it returns. One writer at a time (`locked`)."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)  # left over; or a pipe, on which opening would wait
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def create_private(path: Path, data: bytes) -> None:
    """The same for a file that must not exist yet. Raises `FileExistsError`."""
    if path.exists() or path.is_symlink():
        raise FileExistsError(f"{path} exists already")
    replace_private(path, data)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds `path` as a lock for one process. Raises `Unavailable` when another one has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _OPEN, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"another process holds {path}") from None
        yield
    finally:
        os.close(descriptor)


def create_key(path: Path) -> None:
    """A new Ed25519 key as unencrypted PKCS #8 PEM, mode 0600. Raises `FileExistsError`."""
    key = Ed25519PrivateKey.generate()
    create_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def load_key(path: Path) -> Ed25519PrivateKey:
    """The key of `create_key`. Raises `FileNotFoundError`, and `Corrupt` for another kind of file or key."""
    try:
        key = load_pem_private_key(read_private(path, MAX_KEY_BYTES), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Corrupt(f"{path} is not an unencrypted private key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Corrupt(f"{path} is not an Ed25519 key")
    return key
