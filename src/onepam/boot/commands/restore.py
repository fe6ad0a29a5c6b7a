"""`onepam restore`: a backup becomes the data folder when it is whole and verifies against what was kept elsewhere.

A loss may be accepted: that it is older than an anchor, or that nothing anchors it. An alteration of its history may
not. Recordings that were lost before, and rights that were used unlawfully, are said, and bar nothing.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from onepam.boot.commands.backup import BLOCK, DATABASE, HEAD_BYTES, LIST, Contents, holds_key, sync
from onepam.boot.commands.ledger import Judged, Outside, verify_ledger
from onepam.boot.private_folder import UNFINISHED, held, private_folder
from onepam.kernel.errors import Fault
from onepam.store.engine.database import SHM, WAL

PLACED = ".placed"
"""Within what is unfinished: what is moved into place, so that no more than that is removed after a stop half-way."""

SIGNER_STATE = Path("signer", "state")


def restore(
    data: Path, source: Path, keys: Path, log_key: list[str], witness_key: list[str], outside: Outside, *, loss: bool
) -> None:
    """Puts the backup into the data folder, and says what it is; ends with exit code 1 where it must not."""
    contents, found = put_back(data, source, keys, log_key, witness_key, outside, loss=loss)
    typer.echo(f"{contents.backup} of {contents.made_at} is restored to {data}")
    if not found.anchored:
        typer.echo("without the signer's memory: nothing starts before onepam ledger continue-after-loss --signer-lost")
        typer.echo("(a signer of its own remembers for itself: nothing starts that lacks what it has signed)")
    elif found.exit_code:
        typer.echo("its history is anchored and intact; what else was found above was so before, and stays to be told")


def put_back(
    data: Path, source: Path, keys: Path, log_key: list[str], witness_key: list[str], outside: Outside, *, loss: bool
) -> tuple[Contents, Judged]:
    """Puts the backup into the data folder, which is empty or not there: its list, and what was found of it. Ends with
    exit code 1 where it must not."""
    _refuse_anchors_within(source, keys, outside)
    with held(data, fcntl.LOCK_EX, f"another restore to {data} is at work, or something is founded there"):
        unfinished = _emptied(data) / UNFINISHED
        unfinished.mkdir(mode=0o700)
        try:
            with Progress(console=Console(stderr=True), transient=True) as bars:
                parts = [_unpack(each, unfinished, bars) for each in (source, keys)]
            _refuse_strangers(unfinished, *parts)
            found = _judged(unfinished, log_key, witness_key, outside)
            _refuse(found, loss)
            if not found.anchored:
                (unfinished / SIGNER_STATE).unlink(missing_ok=True)
            _move(unfinished, data)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return parts[0], found


def list_of(source: Path) -> Contents:
    """The list of a copy, by which nothing is verified yet. Raises `Fault` where there is none."""
    for name, file in _files(source):
        if name == LIST:
            return Contents.decode(file.read())
    raise Fault(f"{source} is not a whole backup: it has no {LIST}")


def _refuse_anchors_within(source: Path, keys: Path, outside: Outside) -> None:
    """Raises `BadParameter` for an anchor that lies in the backup: a copy that is too old fits its own checkpoint."""
    witnesses, checkpoints, _, _ = outside
    files = [("--checkpoint", each) for each in checkpoints]
    files += [("--witness", Path(each)) for each in witnesses if not each.startswith(("http://", "https://"))]
    for name, file in files:
        if any(file.resolve().is_relative_to(part.resolve()) for part in (source, keys)):
            raise typer.BadParameter(
                f"{file} lies in the backup, which it is to vouch for: give one that was kept elsewhere",
                param_hint=name,
            )


def _refuse(found: Judged, loss: bool) -> None:
    """Ends with exit code 1 unless the copy is as it should be, or what it lacks is a loss and that is accepted."""
    if found.altered:
        more = f", and {len(found.altered) - 1} more" if len(found.altered) > 1 else ""
        words = f"nothing was restored: the copy is altered, which is no loss: {found.altered[0]}{more}"
    elif found.anchored or loss:
        return
    elif found.too_old:
        words = "nothing was restored: find a newer copy; if there is none, --accept-loss"
    else:
        words = (
            "nothing was restored: an anchor is missing that was kept elsewhere and is of the copy's last day "
            "(--checkpoint FILE, --at-least SIZE ROOT or --witness); if there is none, --accept-loss"
        )
    typer.echo(f"\n{words}", err=True)
    raise typer.Exit(1)


def _emptied(data: Path) -> Path:
    """The empty folder: what a restore has left that did not come to its end is removed, and nothing else. Raises
    `BadParameter` for anything else that lies there."""
    unfinished, left = data / UNFINISHED, sorted(data.iterdir())
    placed = _placed(unfinished) if unfinished.is_dir() and not unfinished.is_symlink() else None
    ours = () if placed is None else (UNFINISHED, *placed)
    if any(each.is_symlink() or each.name not in ours for each in left) or (data / DATABASE).exists():
        raise typer.BadParameter(f"{data} is not empty: nothing is written over", param_hint="--data")
    private_folder(data)
    for each in sorted(left, key=lambda path: path.name == UNFINISHED):
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    return data


def _placed(unfinished: Path) -> list[str]:
    try:
        return (unfinished / PLACED).read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []


def _refuse_strangers(unpacked: Path, data: Contents, keys: Contents) -> None:
    """Raises `Fault` unless both are parts of one backup, and the data is what the keys' list knows."""
    if (data.part, keys.part) != ("data", "keys"):
        raise Fault(f"these are the parts {data.part} and {keys.part}: give the copy first, and its keys by --keys")
    if data.backup != keys.backup:
        raise Fault(f"the copy is {data.backup} and the keys are of {keys.backup}: give those of the same backup")
    if data.digest != keys.other:
        raise Fault(f"the copy is not as it was made: its {LIST} is altered, by what the list beside the keys says")
    for name in keys.files:
        with (unpacked / name).open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not holds_key(name, head):
            raise Fault(f"the keys are not as they were made: {name} is no key")


def _unpack(source: Path, to: Path, bars: Progress) -> Contents:
    """Writes every file of a copy, and gives its list. Raises `Fault` unless it is whole and as the list says."""
    task = bars.add_task(source.name, total=None)
    digests: dict[str, str] = {}
    contents: Contents | None = None
    for name, file in _files(source):
        if _left_by_a_reader(name, file):
            continue
        if name == LIST:
            contents = Contents.decode(file.read())
            continue
        try:
            digests[name] = _write(to, name, file)
        except FileExistsError:
            raise Fault(f"{source} is not as it was made: {name} is in it twice, or in both parts") from None
        bars.advance(task)
    if contents is None:
        raise Fault(f"{source} is not a whole backup: it has no {LIST}")
    for name in sorted(digests.keys() | contents.files.keys()):
        if digests.get(name) != contents.files.get(name):
            what = "missing" if name not in digests else "not in its list" if name not in contents.files else "altered"
            raise Fault(f"{source} is not as it was made: {name} is {what}")
    return contents


def _left_by_a_reader(name: str, file: BinaryIO) -> bool:
    """Whether somebody who looked at the database left the file: it holds nothing, and is not taken."""
    if name == DATABASE + WAL:
        empty = not file.read(1)
        file.seek(0)
        return empty
    return name == DATABASE + SHM


def _files(source: Path) -> Iterator[tuple[str, BinaryIO]]:
    """The files of a copy with their names. Raises `Fault` for what no backup holds."""
    try:
        if source.is_dir():
            for folder, _, names in os.walk(source):
                for path in (Path(folder) / each for each in names):
                    if path.is_symlink() or not path.is_file():
                        raise Fault(f"{path} is no file")
                    with path.open("rb") as file:
                        yield path.relative_to(source).as_posix(), file
            return
        with tarfile.open(source, "r:") as tar:
            for entry in tar:
                taken = tar.extractfile(entry) if entry.isreg() else None
                if taken is None:
                    raise Fault(f"{source}: {entry.name} is no file")
                with contextlib.closing(taken):
                    yield entry.name, taken  # type: ignore[misc]
    except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:  # odd headers raise what they like
        raise Fault(f"{source} is not a whole backup: {error}") from None


def _write(to: Path, name: str, source: BinaryIO) -> str:
    """Writes one file, durably; its digest."""
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts or "\0" in name or parts.parts[:1] == (PLACED,):
        raise Fault(f"{name} is no name within a data folder")
    path, digest = to / parts, hashlib.sha256()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("xb") as file:
        while block := source.read(BLOCK):
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _judged(data: Path, log_key: list[str], witness_key: list[str], outside: Outside) -> Judged:
    """What `onepam ledger verify` says of the copy, all of it."""
    try:
        verify_ledger(data, log_key, witness_key, outside, state=True, recordings=True, as_json=False)
    except Judged as found:
        return found


def _move(unfinished: Path, data: Path) -> None:
    """Into place, the database last: without it there is no installation."""
    moved = [each.name for each in sorted(unfinished.iterdir()) if not each.name.startswith(DATABASE)]
    with (unfinished / PLACED).open("x", encoding="utf-8") as file:
        file.write("".join(f"{name}\n" for name in moved))
        file.flush()
        os.fsync(file.fileno())
    sync(unfinished)
    for name in moved:
        (unfinished / name).rename(data / name)
    sync(data)
    (unfinished / DATABASE).rename(data / DATABASE)
    sync(data)
