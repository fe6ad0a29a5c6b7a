"""`onepam backup`: a copy of an installation at one instant, while it runs; its keys go to a place of their own.

Nothing is whole before its end: both parts are written beside their names, durably and each with its list of files.
Then they are renamed, the keys first: once the copy has its name, the set is whole.
"""

import contextlib
import hashlib
import io
import json
import os
import secrets
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from onepam import __version__
from onepam.boot.clock import wall_clock
from onepam.boot.on_ledger import unaltered
from onepam.boot.private_folder import private_folder
from onepam.domain.host.backups import Backup
from onepam.files.data_file import content
from onepam.jobs.backups import UNTOLD, leave_word
from onepam.jobs.eras import log_key_of, origin_of
from onepam.kernel.clock import iso, parse
from onepam.kernel.errors import Fault
from onepam.kernel.ids import new_id
from onepam.signing.stream import MAX_STATE_BYTES
from onepam.store.engine.database import copy
from onepam.store.engine.standstill import standstill

DATABASE = "ledger.db"
LIST = "backup.json"
MASTER_KEYS, SIGNER = "master-keys.json", "signer"
HEAD_BYTES = 64 * 1024
"""So much of a file says whether it is a key: no file of keys is longer."""

LEFT_OUT = ("packs", UNTOLD)
"""What is made anew, as evidence packs are drawn again from the ledger; and words of earlier backups."""

SAME_INSTANT = ("log/checkpoint", "signer/state")
"""What follows the entries: read while nobody writes one, so that it never knows of entries that the copy lacks."""

PARTIAL = ".partial"
BLOCK = 1 << 20
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Contents:
    """The list of one copy: `part` is data or keys, two parts of one backup have one `backup`. `files` are digests
    (SHA-256, hex) by name. The keys' list has the digest of the data's, `other`, for they lie apart: whoever alters the
    data and its list does not reach it."""

    backup: str
    part: str
    made_at: str
    release: str
    origin: str
    log_key: str
    entries: int
    files: dict[str, str]
    other: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of the list, hex."""
        return hashlib.sha256(self.encode()).hexdigest()

    def said(self) -> Backup:
        """What the ledger is told of it."""
        return Backup(self.backup, self.entries, parse(self.made_at), self.digest)

    def encode(self) -> bytes:
        return json.dumps({"format": 1, **asdict(self)}, indent=1).encode("utf-8") + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> "Contents":
        """Raises `Fault` for what is no list of a backup that this release knows."""
        try:
            found = json.loads(data)
            if found.pop("format") != 1:
                raise ValueError
            listed = cls(**found)
            parse(listed.made_at)
            texts = (listed.backup, listed.part, listed.made_at, listed.release, listed.origin, listed.log_key)
            if type(listed.files) is not dict or type(listed.entries) is not int:
                raise ValueError
            if not all(type(each) is str for each in (*texts, listed.other, *listed.files.values())):
                raise ValueError
            return listed
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Fault(f"{LIST} is not the list of a backup that this release knows") from None


class Copy:
    """One copy that is being written: a folder, or a tar file where its name ends so."""

    def __init__(self, to: Path) -> None:
        self._to = to
        self._partial = to.with_name(to.name + PARTIAL)
        self.beside = to.with_name(f"{to.name}{PARTIAL}.{DATABASE}")
        self.files: dict[str, str] = {}
        for each in (self._to, self._partial, self.beside):
            if os.path.lexists(each):
                left = "" if each == self._to else ", left by a backup that did not finish: delete it, and its keys"
                raise Fault(f"{each} is there already{left}")
        self._named = False
        self._tar: tarfile.TarFile | None = None
        if to.suffix == ".tar":
            self._tar = tarfile.open(self._partial, "x", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by `seal`
        else:
            self._partial.mkdir(mode=0o700)

    def put(self, name: str, source: BinaryIO, size: int, told: Callable[[int], None]) -> None:
        """The first `size` bytes of `source` as the file `name`. Raises `Fault` where there are fewer."""
        taken = _Taken(source, size, told)
        if self._tar is not None:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = size, 0o600
            self._tar.addfile(entry, taken)
        else:
            path = self._partial / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("xb") as file:
                shutil.copyfileobj(taken, file, BLOCK)
                file.flush()
                os.fsync(file.fileno())
        if taken.left:
            raise Fault(f"{name} became shorter while it was read")
        self.files[name] = taken.digest.hexdigest()

    def seal(self, contents: Contents) -> None:
        """Writes the list: the copy is whole, and durable, under the name beside its own."""
        data = contents.encode()
        self.put(LIST, io.BytesIO(data), len(data), lambda count: None)
        if self._tar is not None:
            self._tar.close()
            with self._partial.open("rb") as file:
                os.fsync(file.fileno())
        else:
            for folder, _, _ in os.walk(self._partial):
                sync(Path(folder))

    def name(self) -> None:
        """Gives the copy its name."""
        self._partial.rename(self._to)
        self._named = True
        sync(self._to.parent)

    def drop(self) -> None:
        """Nothing is left of a copy whose set did not become whole."""
        if self._named:
            self._to.rename(self._partial)
        self.beside.unlink(missing_ok=True)
        if self._tar is not None:
            self._partial.unlink(missing_ok=True)
        else:
            shutil.rmtree(self._partial, ignore_errors=True)


class _Taken(io.RawIOBase):
    """The first `size` bytes of a file, with their digest."""

    def __init__(self, source: BinaryIO, size: int, told: Callable[[int], None]) -> None:
        self.left = size
        self.digest = hashlib.sha256()
        self._source = source
        self._told = told

    def read(self, count: int = -1, /) -> bytes:
        data = self._source.read(min(BLOCK if count < 0 else count, self.left))
        self.left -= len(data)
        self.digest.update(data)
        self._told(len(data))
        return data


def back_up(data: Path, to: Path, keys: Path) -> None:
    """Copies the installation, its keys apart, and says what is in the copies and what is not."""
    database = unaltered(data) / DATABASE
    private_folder(data)
    _apart(data, to, keys)
    _refuse_links(data)
    backup, made_at = new_id("bak", secrets.token_bytes), iso(wall_clock())
    with contextlib.ExitStack() as undone:
        copies = []
        for place in (to, keys):
            copies.append(Copy(place))
            undone.callback(copies[-1].drop)
        with Progress(console=Console(stderr=True), transient=True) as bars:
            with standstill(database, lambda: _same_instant(data)) as (db, entries, same):
                origin, log_key = origin_of(db) or "", log_key_of(db) or ""
                _copy_database(copies[0], lambda path, told: copy(db, path, told), bars)
            _copy_files(data, list(_names(data)), copies, same, bars)
        common = (made_at, __version__, origin, log_key, entries)
        listed = Contents(backup, "data", *common, copies[0].files)
        word = listed.said()  # before its own name is among the files
        copies[1].seal(Contents(backup, "keys", *common, copies[1].files, listed.digest))
        copies[0].seal(listed)
        copies[1].name()
        copies[0].name()
        undone.pop_all()
    _leave_word(data, word)
    typer.echo(f"{backup}: {entries} entries as of {made_at}, in {to}; master keys and signer in {keys}")
    if not (data / "signer" / "key").exists():
        typer.echo("the signer has a folder of its own: back that up by itself, to a third place")
    typer.echo("not in it: the configuration with the secrets it names, the recovery key's digest, evidence packs")


def _leave_word(data: Path, word: Backup) -> None:
    """The copy is made: what keeps the word from being left is said, and bars nothing."""
    try:
        leave_word(data, word, secrets.token_bytes)
    except OSError as error:
        typer.echo(f"the ledger will not hear of it: {data / UNTOLD}: {error.strerror}", err=True)


def sync(folder: Path) -> None:
    """Makes a new name in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _apart(data: Path, to: Path, keys: Path) -> None:
    """Raises `BadParameter` where one place lies in another, or in a folder that is not there."""
    places = {"--keys": keys.resolve(), "TO": to.resolve()}
    for name, each in places.items():
        others = [data.resolve(), *(other for other in places.values() if other != each)]
        if len(set(places.values())) < len(places) or any(each.is_relative_to(other) for other in others):
            raise typer.BadParameter(
                "data folder, copy and keys are three places, none within another", param_hint=name
            )
    for name, each in places.items():
        if not each.parent.is_dir():
            raise typer.BadParameter(f"there is no folder {each.parent}", param_hint=name)


def _same_instant(data: Path) -> dict[str, bytes]:
    found = {}
    for name in SAME_INSTANT:
        with contextlib.suppress(FileNotFoundError):
            found[name] = content(data / name, MAX_STATE_BYTES)
    return found


def _copy_database(to: Copy, write: Callable[[Path, Told], None], bars: Progress) -> None:
    task = bars.add_task("database", total=None)
    write(to.beside, lambda done, of: bars.update(task, completed=done, total=of))
    with to.beside.open("rb") as file:
        to.put(DATABASE, file, to.beside.stat().st_size, lambda count: None)
    to.beside.unlink()


def holds_key(name: str, head: bytes) -> bool:
    """Whether the file `name` of a data folder, which begins with `head`, opens or signs something, or is a signer's:
    by what it is, for what was set aside lies deeper."""
    *folders, last = name.split("/")
    return SIGNER in folders or last == MASTER_KEYS or b"PRIVATE KEY-----" in head or _master_keys(head)


def _master_keys(head: bytes) -> bool:
    if not head.lstrip().startswith(b"{"):
        return False
    try:
        found = json.loads(head)
    except (ValueError, RecursionError):
        return False
    return "current" in found and "keys" in found


def _copy_files(data: Path, names: list[str], copies: list[Copy], same: dict[str, bytes], bars: Progress) -> None:
    """The master keys last: they only become more, so whatever was put under a newer one meanwhile is opened."""
    names.sort(key=lambda name: name == MASTER_KEYS)
    task = bars.add_task("files", total=sum((data / name).stat().st_size for name in names if (data / name).exists()))
    for name in names:
        if name in same:
            to = copies[holds_key(name, b"")]
            to.put(name, io.BytesIO(same[name]), len(same[name]), lambda count: bars.advance(task, count))
            continue
        with contextlib.suppress(FileNotFoundError):  # replaced while we read: a partial tile by the whole one
            with (data / name).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                to = copies[holds_key(name, file.read(HEAD_BYTES))]
                file.seek(0)
                to.put(name, file, size, lambda count: bars.advance(task, count))


def _names(data: Path) -> Iterator[str]:
    """Every file that is kept, the database apart. A folder that is linked into the data folder is part of it."""
    for top in sorted(data.iterdir()):
        if top.name in LEFT_OUT or top.name.startswith((DATABASE, ".")):
            continue
        if top.is_dir():
            for folder, below, names in os.walk(top):
                below.sort()
                paths = (Path(folder) / each for each in sorted(names) if not each.startswith("."))
                yield from (path.relative_to(data).as_posix() for path in paths if _regular(path))
        elif _regular(top):
            yield top.name


def _refuse_links(data: Path) -> None:
    """Raises `Fault` for a link that a backup would leave out: only a folder directly in the data folder may be one."""
    for top in sorted(data.iterdir()):
        if top.name in LEFT_OUT or top.name.startswith("."):
            continue
        linked = [top] if top.is_symlink() and not top.is_dir() else []
        for folder, below, names in os.walk(top):
            linked += [path for each in (*below, *names) if (path := Path(folder) / each).is_symlink()]
        if linked:
            raise Fault(
                f"{linked[0]} is a link, and what it stands for would not be in the backup: put that in its place "
                f"(only a folder directly in {data} may be a link)"
            )


def _regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False
