"""Files that hold secrets: owned by us, closed to others, never a link, replaced atomically or not at all."""

import errno
import os
import stat
from pathlib import Path

from onepam.kernel.errors import Corrupt
from onepam.kernel.ids import RandomBytes

OWN = 0o077
"""Mode bits that must be clear on a file of ours: nobody but the owner."""

CREDENTIAL = 0o037
"""... on a systemd credential: root may own it and lend it by an ACL, whose mask shows as the group's read bit."""


def read_private(path: Path, max_bytes: int, *, forbidden: int = OWN) -> bytes:
    """The content of a private file.

    Raises `FileNotFoundError`, and `Corrupt` for a symbolic link, a non-file, a foreign owner, a mode with `forbidden`
    bits or more than `max_bytes`. All is checked on the opened descriptor, so a swap in between changes nothing.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Corrupt(f"{path} is a symbolic link; put the file itself there") from None
        raise
    try:
        _demand_private(path, os.fstat(descriptor), forbidden)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(max_bytes + 1)
    finally:
        os.close(descriptor)
    if len(data) > max_bytes:
        raise Corrupt(f"{path} is larger than {max_bytes} bytes")
    return data


def create_private(path: Path, data: bytes, random: RandomBytes) -> bool:
    """Create `path` (mode 0600) with all of `data`, durable; False if it existed already, which is left as it is."""
    temporary = _write_beside(path, data, random)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)
    _sync_folder(path.parent)
    return True


def replace_private(path: Path, data: bytes, random: RandomBytes) -> None:
    """Put `data` in the place of `path`: a reader or a power failure meets the old content or the new, never a mix."""
    temporary = _write_beside(path, data, random)
    try:
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def _demand_private(path: Path, status: os.stat_result, forbidden: int) -> None:
    us = os.geteuid()
    owners = (us,) if forbidden == OWN else (us, 0)
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        raise Corrupt(f"{path} is not a regular file")
    if status.st_uid not in owners:
        advice = f"run: chown {us} {path}" if us else "run this as that user"
        raise Corrupt(f"{path} belongs to user {status.st_uid}, not to {us}; {advice}")
    if mode & forbidden:
        raise Corrupt(f"{path} is open to others (mode {mode:04o}); run: chmod 600 {path}")


def _write_beside(path: Path, data: bytes, random: RandomBytes) -> Path:
    temporary = path.with_name(f".{path.name}.{random(8).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
