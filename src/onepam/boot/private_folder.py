"""The data folder is its owner's alone: enforced at each start, whoever made it and with whatever umask."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from onepam.files.lock import locked
from onepam.kernel.errors import Fault, Unavailable

UNFINISHED = ".restoring"
"""Within the data folder, where the gateway's user may write: what a restore has not verified yet. It is no
installation, and none is founded beside it."""

OTHERS = 0o077
"""The mode bits that nothing of ours has: group and others."""


@contextmanager
def held(data: Path, how: int, otherwise: str) -> Iterator[None]:
    """Holds the folder, which is made if there is none: `how` is `LOCK_EX` or `LOCK_SH` of fcntl. Raises `Unavailable`
    with the words `otherwise` while somebody else has it in another way."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(data, otherwise, how):
        yield


@contextmanager
def founding(data: Path) -> Iterator[None]:
    """Holds a data folder without a ledger while one is made in it; beside others that do, and never beside a restore.
    Raises `Unavailable` while a restore has it, or where one did not finish."""
    if (data / "ledger.db").exists():
        yield
        return
    with held(data, fcntl.LOCK_SH, f"a restore to {data} is at work: nothing starts before its end"):
        if (data / UNFINISHED).exists() and not (data / "ledger.db").exists():
            raise Unavailable(f"a restore to {data} did not finish: run it again, or delete {data / UNFINISHED}")
        yield


def private_folder(folder: Path) -> Path:
    """The folder, made if there is none, closed to group and others with all that lies in it; new files are, too.

    This sets the umask of the process. A link is not followed, except one to a folder directly in `folder` (recordings
    on another volume). Raises `Fault` for what belongs to another user: that one could open it again.
    """
    os.umask(OTHERS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _close(folder.resolve())
    for path in folder.iterdir():
        if path.is_symlink() and path.is_dir():
            _close(path.resolve())
            _close_all(path.resolve())
    _close_all(folder.resolve())
    return folder


def _close_all(folder: Path) -> None:
    for path in _within(folder):
        with suppress(FileNotFoundError):  # a process beside us has replaced it
            _close(path)


def _within(folder: Path) -> Iterator[str]:
    """Every file and folder below, a folder before what is in it."""
    waiting = [str(folder)]
    while waiting:
        with suppress(FileNotFoundError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry.path
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _advice(path: Path | str, owner: int, us: int) -> str:
    """Root never takes files over: the gateway's user would be shut out of its own."""
    return f"run: chown -R {us} {path}" if us else f"run it as that user: setpriv --reuid {owner} --clear-groups …"


def _close(path: Path | str) -> None:
    status, us = os.lstat(path), os.geteuid()
    if status.st_uid != us:
        raise Fault(
            f"{path} belongs to user {status.st_uid}, and this runs as {us}; {_advice(path, status.st_uid, us)}"
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & OTHERS and not stat.S_ISLNK(status.st_mode):
        os.chmod(path, mode & ~OTHERS)
