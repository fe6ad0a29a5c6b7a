"""Pipes, links and files without end in the data folder: who reads one waits for nobody, and says what it is."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from onepam.blobs.tile_folder import TileFolder
from onepam.boot.config import Config
from onepam.files.data_file import content
from onepam.kernel.errors import Corrupt
from onepam.ledger.tiles import Tile
from tests.boot.installation import ORIGIN, live, verify
from tests.gateway_process import started
from tests.targets import free_port


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    data = tmp_path_factory.mktemp("installed") / "data"
    return data, asyncio.run(live(Config(data, origin=ORIGIN, console_port=free_port(), ssh_port=free_port()), 3))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def endless(path: Path) -> None:
    os.truncate(path, 1 << 36)


KINDS = {"pipe": pipe, "folder": folder, "link": link, "endless": endless}


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_file_is_a_file_and_small(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert content(path, 5) == b"12345"
    with pytest.raises(Corrupt, match="larger than 4 bytes"):
        content(path, 4)
    KINDS[kind](path)
    with pytest.raises(Corrupt, match=r"^file: it is "):
        content(path, 5)


def test_what_is_no_tile_and_no_checkpoint_is_not_waited_for(tmp_path: Path) -> None:
    tiles, tile = TileFolder(tmp_path), Tile(0, 0, 2)
    for each in KINDS.values():
        tiles.write(tile, bytes(64))
        tiles.write_checkpoint(b"note")
        each(tmp_path / tile.path())
        each(tmp_path / "checkpoint")
        with pytest.raises(Corrupt):
            tiles.read(tile)
        with pytest.raises(Corrupt):
            tiles.checkpoint()
        if each is not folder:
            tiles.write(tile, bytes(64))
            tiles.write_checkpoint(b"note")
            assert (tiles.read(tile), tiles.checkpoint()) == (bytes(64), b"note")
        shutil.rmtree(tmp_path / "tile")
        (tmp_path / "checkpoint").rmdir() if each is folder else None


def test_a_pipe_where_the_new_file_is_written_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".checkpoint.new")
    TileFolder(tmp_path).write_checkpoint(b"note")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "said"), [("log/checkpoint", "checkpoint: it cannot be read"), ("signer/state", "signer: ")]
)
def test_what_is_no_file_is_a_finding(
    installed: tuple[Path, str], tmp_path: Path, name: str, kind: str, said: str
) -> None:
    data = Path(shutil.copytree(installed[0], tmp_path / "data", ignore=shutil.ignore_patterns("socket")))
    KINDS[kind](data / name)
    code, told = verify(data, "--log-key", installed[1])
    assert (code, f"FOUND  {said}" in told) == (1, True), told
    assert "Traceback" not in told


def _tiles(data: Path, each: Callable[[Path], None]) -> None:
    for path in [path for path in (data / "log" / "tile").rglob("*") if path.is_file()]:
        each(path)


def test_pipes_where_tiles_were_are_a_finding(installed: tuple[Path, str], tmp_path: Path) -> None:
    data = Path(shutil.copytree(installed[0], tmp_path / "data", ignore=shutil.ignore_patterns("socket")))
    _tiles(data, pipe)
    code, told = verify(data, "--log-key", installed[1])
    assert (code, "tile: " in told) == (1, True), told


def test_a_gateway_among_pipes_is_asked_and_is_stopped(tmp_path: Path) -> None:
    process, log = started(tmp_path), tmp_path / "data" / "log"
    end = time.monotonic() + 120
    while not (log / "checkpoint").exists() or not list((log / "tile").rglob("*")):
        assert time.monotonic() < end
        time.sleep(0.05)
    _tiles(tmp_path / "data", pipe)
    pipe(log / "checkpoint")
    try:
        with urlopen(f"{process.console}/readyz", timeout=120) as answer:
            told = json.load(answer)
    except HTTPError as error:
        told = json.load(error)
    assert told["checks"]
    process.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_is_no_file_is_said_in_a_line(installed: tuple[Path, str], tmp_path: Path, kind: str) -> None:
    data = Path(shutil.copytree(installed[0], tmp_path / "data", ignore=shutil.ignore_patterns("socket")))
    KINDS[kind](data / "log-key")
    code, told = verify(data)
    assert (code, "log-key: it is" in told, "Traceback" in told) == (2, True, False), told
