"""Recordings and published logs, by the reader that was written from docs/format.md alone."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from onepam.kernel.instant import Instant
from onepam.recording.frames import ChannelClosed, ChannelOpened, Frame, Output, Stream
from tests.evidence import live
from tests.format.forged import flip
from tests.golden import recorded

Node = Callable[..., subprocess.CompletedProcess[str]]
VECTORS = Path(__file__).parents[1] / "golden" / "vectors"
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def recording() -> dict[str, Any]:
    vector: dict[str, Any] = json.loads((VECTORS / "recording.json").read_text())
    return vector


def _judge_recording(node: Node, path: Path, data: bytes, vector: dict[str, Any], *more: str) -> str:
    path.write_bytes(data)
    heads = vector["heads"]
    result = node("main.mjs", "--recording", path, "--sealed", f"1,{heads[1]}", "--closed", f"2,{heads[2]}", *more)
    assert result.stderr == ""
    return result.stdout.replace(f"{path}: ", "").strip()


def test_a_recording_is_whole_with_and_without_its_key(node: Node, tmp_path: Path, recording: dict[str, Any]) -> None:
    file = bytes.fromhex(recording["file"])
    said = _judge_recording(node, tmp_path / "ses.rec", file, recording)
    assert said == "accepted 2 chunks of ses_vectorvectorvect; its end is whole"
    said = _judge_recording(node, tmp_path / "ses.rec", file, recording, "--secret", recording["key"])
    assert said.endswith("; 25 frames")


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("a bit of the first chunk", "chunk 1: foreign"),
        ("a bit of the last chunk", "chunk 2: foreign"),
        ("the last chunk gone", "chunk 2: cut"),
        ("cut within the last chunk", "chunk 2: cut"),
        ("the last chunk twice", "chunk 3: altered"),
        ("zeros behind the end", "chunk 3: altered"),
        ("the header of another session", "chunk 1: foreign"),
        ("another codec", "codec 2, cipher 1 and hash 1 are not all known"),
    ],
)
def test_an_altered_recording_is_refused_and_the_chunk_named(
    what: str, named: str, node: Node, tmp_path: Path, recording: dict[str, Any]
) -> None:
    file = bytes.fromhex(recording["file"])
    header = len(bytes.fromhex(recording["header"]))
    last = header + sum(len(bytes.fromhex(each["record"])) for each in recording["records"] if each["chunk"] == 1)
    data = {
        "a bit of the first chunk": flip(file, header + 20),
        "a bit of the last chunk": flip(file, last + 20),
        "the last chunk gone": file[:last],
        "cut within the last chunk": file[:-1],
        "the last chunk twice": file + file[last:],
        "zeros behind the end": file + bytes(512),
        "the header of another session": flip(file, header - 1),
        "another codec": file.replace(b"\n\x01\x01\x01", b"\n\x02\x01\x01", 1),
    }[what]
    said = _judge_recording(node, tmp_path / "ses.rec", data, recording)
    assert said.startswith("refused ")
    assert named in said


def test_a_published_log_is_accepted_and_altered_refused(node: Node, tmp_path: Path) -> None:
    entry = json.loads((VECTORS / "entry.json").read_text())["entries"]
    [signed, *_] = json.loads((VECTORS / "note.json").read_text())["notes"]
    (tmp_path / "checkpoint").write_text(signed["note"], encoding="utf-8")
    for file in json.loads((VECTORS / "tiles.json").read_text())["files"]:
        path = tmp_path / file["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes.fromhex(file["bytes"]))
    key = signed["signed_by"]
    result = node("main.mjs", "--log", tmp_path, "--key", key)
    assert (result.returncode, f"{len(entry)} entries of vectors.example/log/2" in result.stdout) == (0, True)
    for name in ("tile/0/000.p/10", "tile/entries/000.p/10", "checkpoint"):
        file = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(flip(file, 40))
        result = node("main.mjs", "--log", tmp_path, "--key", key)
        (tmp_path / name).write_bytes(file)
        assert (result.returncode, f": {name}" in result.stdout) == (1, True)


def _frames(dice: Random) -> list[Frame]:
    """Text that compresses, bytes that do not, and records within a chunk."""
    text = b"".join(b"%d. caf\xc3\xa9 %d\r\n" % (i, dice.randrange(9999)) for i in range(4000))
    frames: list[Frame] = [ChannelOpened(10, 0, "pty", terminal="xterm", columns=80, rows=24)]
    frames += [Output(1_000_000 + i, 0, Stream.STDOUT, text[i : i + 9000]) for i in range(0, len(text), 9000)]
    frames.append(Output(90_000_000, 0, Stream.STDERR, dice.randbytes(100_000)))
    return [*frames, ChannelClosed(99_000_000, 0, status=0)]


def _read(node: Node, path: Path, data: bytes, *more: str) -> str:
    path.write_bytes(data)
    result = node("main.mjs", "--recording", path, *more)
    assert result.stderr == ""
    return result.stdout.replace(f"{path}: ", "").strip()


@pytest.mark.parametrize("whole", [True, False])
def test_recordings_of_the_program_are_opened(whole: bool, node: Node, tmp_path: Path) -> None:
    opened = recorded.opened_as("ses_real", "per_eve", "web-1", "root", Instant(1_767_225_600_000_000))
    frames = _frames(Random(46))
    secret = ("--secret", KEY.hex())
    if whole:
        data, sealer = recorded.sealed(KEY, opened, frames)
        head, count, end = sealer.head, len(frames) + 2, "whole"
        said = _read(node, tmp_path / "a", data, "--closed", f"{head.seq},{head.digest.hex()}", *secret)
        assert said.endswith(f"; its end is {end}; {count} frames")
    else:
        data, head = recorded.broken_off(KEY, opened, frames)
        said = _read(node, tmp_path / "a", data, *secret)
        assert "its end is torn" in said
    assert f"{head.seq} chunks of ses_real" in said
    assert _read(node, tmp_path / "a", data, "--sealed", f"{head.seq},{head.digest.hex()}").startswith("accepted ")
    assert _read(node, tmp_path / "a", data, "--secret", "00" * 32).startswith("refused chunk 1 record 0: it cannot")


@pytest.mark.anyio
async def test_a_log_that_the_program_published_is_accepted(node: Node, tmp_path: Path) -> None:
    await live.story(tmp_path)
    checkpoint = (tmp_path / "log" / "checkpoint").read_text(encoding="utf-8")
    origin, size = checkpoint.split("\n")[:2]
    result = node("main.mjs", "--log", tmp_path / "log")
    assert (result.returncode, f"{size} entries of {origin}" in result.stdout) == (0, True)
