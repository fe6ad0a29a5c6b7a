"""Recordings read back from real files: timelines, asciicast v3, verification, and what is damaged or still running."""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from onepam.gateway.playback import MAX_ITEMS, MAX_READERS, NoRecording, Playback, Timeline
from onepam.gateway.recorder import recording_path
from onepam.jobs.recording_check import key_beside
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.recording.frames import (
    ChannelClosed,
    ChannelOpened,
    Closed,
    FileOperation,
    Frame,
    Marker,
    Opened,
    Output,
    Resize,
    Signal,
    Stream,
    TypedInput,
)
from onepam.recording.seal import Head, Sealer
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.gateway.pipes import released_pipes

SESSION = "ses_abcdefghijklmnop"
KEY = bytes(range(32))
STARTED = Instant(1_800_000_000_000_000)

SHELL: tuple[Frame, ...] = (
    ChannelOpened(100_000, 0, "pty", "", "xterm", 100, 30),
    Output(200_000, 0, Stream.STDOUT, b"$ "),
    TypedInput(300_000, 0, 3),
    Output(400_000, 0, Stream.STDOUT, "caf\u00e9".encode()[:-1]),
    Output(1_400_000, 0, Stream.STDOUT, "caf\u00e9".encode()[-1:] + b"\x1b]0;t\x07\n"),
    Resize(1_500_000, 0, 120, 40),
    Marker(1_600_000, "5 minutes left"),
    Signal(1_600_000, 0, "INT"),
    ChannelClosed(2_600_000, 0, 7),
)
EXEC: tuple[Frame, ...] = (
    ChannelOpened(3_000_000, 1, "exec", "ls /"),
    Output(3_100_000, 1, Stream.STDERR, b"one\ntwo\r\n\xff"),
    ChannelClosed(3_200_000, 1, None, "TERM", 12, "0" * 64),
)
FILES: tuple[Frame, ...] = (
    ChannelOpened(4_000_000, 2, "sftp"),
    FileOperation(4_100_000, 2, 1, "write", "/tmp/x", "asked"),
    FileOperation(4_300_000, 2, 1, "write", "/tmp/x", "ok", size=5, sha256="a" * 64),
    FileOperation(4_400_000, 2, 2, "remove", "/tmp/y", "asked"),
)


def sealed(*frames: Frame, close: bool = True) -> tuple[bytes, Head]:
    sealer = Sealer(SESSION, KEY)
    data = sealer.header
    sealer.append(Opened(0, SESSION, "per_a", "web-1", "deploy", "ssh", STARTED))
    for frame in frames:
        sealer.append(frame)
        if sealer.due(frame.at):
            data += sealer.seal()[0]
    if close:
        sealer.append(Closed(9_000_000, "client.closed", sealer.counts))
    if sealer.unsealed:
        data += sealer.seal()[0]
    return data, sealer.head


@pytest.fixture
async def playback(tmp_path: Path) -> AsyncIterator[Playback]:
    reading = Playback(tmp_path, lambda session: KEY)
    yield reading
    reading.close()


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[bytes], None]:
    def write(data: bytes) -> None:
        recording_path(tmp_path, SESSION).write_bytes(data)

    return write


async def cast(playback: Playback, channel: int | None = None) -> list[object]:
    data = b"".join([piece async for piece in playback.asciicast(SESSION, channel)])
    return [json.loads(line) for line in data.decode().splitlines()]


@pytest.mark.anyio
async def test_timeline(playback: Playback, keep: Callable[[bytes], None]) -> None:
    data, head = sealed(*SHELL, *EXEC, *FILES)
    keep(data)
    found = await playback.timeline(SESSION)
    assert (found.started, found.reason, found.gap, found.head) == (STARTED, "client.closed", None, head)
    shell, command, transfer = found.channels
    assert (shell.kind, shell.opened, shell.closed, shell.status, shell.input_bytes) == (
        "pty",
        100_000,
        2_600_000,
        7,
        3,
    )
    assert shell.output_bytes == 2 + 4 + 8
    assert (command.command, command.signal, command.input_bytes) == ("ls /", "TERM", 12)
    assert transfer.closed is None
    written, removed = found.files
    assert (written.at, written.outcome, written.size) == (4_100_000, "ok", 5)
    assert (removed.operation, removed.outcome) == ("remove", "asked")


@pytest.mark.anyio
async def test_timeline_is_bounded(playback: Playback, keep: Callable[[bytes], None]) -> None:
    many = [ChannelOpened(number, number, "exec", "true") for number in range(MAX_ITEMS + 5)]
    many_files = [FileOperation(20_000, 1, number, "stat", "/x", "asked") for number in range(MAX_ITEMS + 7)]
    keep(sealed(*many, *many_files)[0])
    found = await playback.timeline(SESSION)
    assert (len(found.channels), len(found.files), found.unlisted) == (MAX_ITEMS, MAX_ITEMS, 12)


@pytest.mark.anyio
async def test_terminal_as_asciicast(playback: Playback, keep: Callable[[bytes], None]) -> None:
    keep(sealed(*SHELL, *EXEC)[0])
    header, *events = await cast(playback)
    assert header == {
        "version": 3,
        "term": {"cols": 100, "rows": 30, "type": "xterm"},
        "timestamp": 1_800_000_000,
        "title": "deploy@web-1",
    }
    assert events == [
        [0.1, "o", "$ "],
        [0.2, "o", "caf"],
        [1.0, "o", "\u00e9\x1b]0;t\x07\n"],
        [0.1, "r", "120x40"],
        [0.1, "m", "5 minutes left"],
        [0.0, "m", "signal INT"],
        [1.0, "x", "7"],
    ]


@pytest.mark.anyio
async def test_command_as_asciicast(playback: Playback, keep: Callable[[bytes], None]) -> None:
    keep(sealed(*SHELL, *EXEC)[0])
    header, *events = await cast(playback, 1)
    assert isinstance(header, dict)
    assert (header["command"], header["term"]) == ("ls /", {"cols": 80, "rows": 24})
    assert events == [[0.1, "o", "one\r\ntwo\r\n\ufffd"]]


@pytest.mark.anyio
async def test_running_recording_is_readable_so_far(playback: Playback, keep: Callable[[bytes], None]) -> None:
    data, _ = sealed(*SHELL[:3], close=False)
    keep(data + b"\x00\x00")
    _, *events = await cast(playback)
    assert events == [[0.1, "o", "$ "], [0.0, "m", "the recording ends here: it ends within a chunk"]]
    found = await playback.timeline(SESSION)
    assert (found.gap, found.channels[0].closed) == ("it ends within a chunk", None)


@pytest.mark.anyio
async def test_what_is_played_is_held_against_the_ledgers_head(
    playback: Playback, keep: Callable[[bytes], None]
) -> None:
    data, head = sealed(*SHELL)
    keep(data)
    right = head.seq, head.digest.hex()
    assert (await playback.timeline(SESSION, right)).head == head
    with pytest.raises(Corrupt, match="vouched"):
        await playback.timeline(SESSION, (head.seq, "00" * 32))
    with pytest.raises(Corrupt, match="it ends after chunk"):
        await playback.timeline(SESSION, (head.seq + 1, "00" * 32))
    shown = [piece async for piece in playback.asciicast(SESSION, head=(head.seq + 1, "00" * 32))]
    assert b"it ends after chunk" in shown[-1]
    assert b"it ends after chunk" not in b"".join([piece async for piece in playback.asciicast(SESSION, head=right)])


@pytest.mark.anyio
async def test_altered_recording(playback: Playback, keep: Callable[[bytes], None]) -> None:
    many = [Output(2_000_000 * number, 0, Stream.STDOUT, b"x" * 1000) for number in range(1, 20)]
    data, _ = sealed(ChannelOpened(1, 0, "pty", "", "xterm", 80, 24), *many)
    keep(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    _, *events = await cast(playback)
    last = events[-1]
    assert isinstance(last, list)
    assert last[1] == "m"
    assert "recording altered" in last[2]
    with pytest.raises(Corrupt):
        await playback.timeline(SESSION)
    keep(b"not a recording at all, but long enough to have a header")
    with pytest.raises(Corrupt):
        await cast(playback)


@pytest.mark.anyio
@pytest.mark.parametrize("session", [SESSION, "../../etc/passwd", "ses_abcdefghijklmnop\n", ""])
async def test_no_such_recording(playback: Playback, session: str) -> None:
    with pytest.raises(NoRecording):
        await playback.timeline(session)
    with pytest.raises(NoRecording):
        _ = [piece async for piece in playback.asciicast(session)]


@pytest.mark.anyio
async def test_no_such_channel(playback: Playback, keep: Callable[[bytes], None]) -> None:
    keep(sealed(*FILES)[0])
    for channel in (None, 9):
        with pytest.raises(NoRecording):
            await cast(playback, channel)
    header, *events = await cast(playback, 2)
    assert isinstance(header, dict)
    assert events == []


@pytest.mark.anyio
async def test_large_recordings_come_in_pieces(playback: Playback, keep: Callable[[bytes], None]) -> None:
    many = [Output(1000 * number, 0, Stream.STDOUT, b"x" * 50_000) for number in range(1, 20)]
    keep(sealed(ChannelOpened(1, 0, "pty", "", "xterm", 80, 24), *many)[0])
    sizes = [len(piece) async for piece in playback.asciicast(SESSION)]
    assert len(sizes) == 10
    assert max(sizes) < 160_000


@pytest.mark.anyio
async def test_what_the_disk_does_not_give_is_said(tmp_path: Path) -> None:
    (tmp_path / "a file").write_bytes(b"")
    playback = Playback(tmp_path / "a file", lambda session: KEY)
    with pytest.raises(Corrupt, match="the disk does not give it: Not a directory"):
        await playback.timeline(SESSION)
    playback.close()


@pytest.mark.anyio
async def test_keys_that_are_pipes_keep_no_reader(tmp_path: Path) -> None:
    """As many looks as there are readers, at a recording whose key is a pipe; another one plays all the same."""
    other = "ses_ponmlkjihgfedcba"
    envelope = Envelope(FileKeys.create(tmp_path / "master-keys.json", secrets.token_bytes), secrets.token_bytes)
    folder = tmp_path / "recordings"
    folder.mkdir()
    data_key, wrapped = envelope.new_data_key(f"recording/{other}".encode("ascii"))
    sealer = Sealer(other, data_key.reveal())
    sealer.append(Opened(0, other, "per_a", "web-1", "deploy", "ssh", STARTED))
    recording_path(folder, other).write_bytes(sealer.header + sealer.seal()[0])
    (folder / f"{other}.key").write_bytes(wrapped)
    recording_path(folder, SESSION).write_bytes(b"")
    os.mkfifo(folder / f"{SESSION}.key")
    playback = Playback(folder, key_beside(folder, envelope))
    with released_pipes(folder):
        looks = [playback.timeline(SESSION) for _ in range(MAX_READERS)]
        *found, timeline = await asyncio.gather(*looks, playback.timeline(other), return_exceptions=True)
        playback.close()
    assert {str(each) for each in found} == {f"{SESSION}.key: it is no file"}
    assert isinstance(timeline, Timeline)
    assert timeline.session == other
