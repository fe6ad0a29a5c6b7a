"""Watching a session while its real recorder writes: order, ends, and what somebody misses who reads too slowly."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

from onepam.gateway import watching
from onepam.gateway.playback import NoRecording, Playback
from onepam.gateway.recorder import READ_BYTES, Recorder, recording_path
from onepam.gateway.watching import MOST_OF_SESSION, MOST_WATCHERS, Growing, LiveCast, LiveStatements, Watchers, watched
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt, Refused
from onepam.recording.frames import (
    ChannelClosed,
    ChannelOpened,
    FileOperation,
    Frame,
    Marker,
    Opened,
    Output,
    Resize,
    Stream,
)
from onepam.recording.statements import Executed, Finished, Form, Outcome, StatementText
from tests.gateway.disks import bounded

pytestmark = pytest.mark.anyio

SESSION = "ses_abcdefghijklmnop"
KEY = bytes(range(32))
OPENED = Opened(0, SESSION, "per_a", "web-1", "deploy", "ssh", Instant(1_800_000_000_000_000))
SHELL = ChannelOpened(1, 0, "pty", "", "xterm", 100, 30)


def output(at: int, text: str, channel: int = 0) -> Output:
    return Output(at, channel, Stream.STDOUT, text.encode())


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(watching, "ASK_SECONDS", 0.0)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
async def recorder(tmp_path: Path, pool: ThreadPoolExecutor) -> Recorder:
    return await Recorder.start(
        tmp_path, SESSION, KEY, OPENED,
        strict=True, share=bounded(tmp_path, 1 << 30), pool=pool, on_head=lambda _: None, on_failure=lambda _: None,
    )  # fmt: skip


@pytest.fixture
async def playback(tmp_path: Path) -> AsyncIterator[Playback]:
    made = Playback(tmp_path, lambda session: KEY)
    yield made
    made.close()


async def yes() -> Refused | None:
    return None


class Watcher:
    """Reads one line at a time, and no more than it is asked to."""

    def __init__(self, playback: Playback, lines: LiveCast | LiveStatements, allowed: watching.Allowed = yes) -> None:
        self._pieces = watched(Growing(playback, SESSION), lines, allowed)
        self._lines: list[Any] = []

    async def line(self) -> Any:
        while not self._lines:
            self._lines = [json.loads(line) for line in (await anext(self._pieces)).splitlines() if line]
        return self._lines.pop(0)

    async def until(self, code: str) -> Any:
        while True:
            line = await self.line()
            if isinstance(line, list) and line[1] == code:
                return line[2]

    async def rest(self) -> list[Any]:
        found, self._lines = self._lines, []
        async for piece in self._pieces:
            found += [json.loads(line) for line in piece.splitlines() if line]
        return found


async def test_ten_watch_what_comes_in_its_order_until_the_end(playback: Playback, recorder: Recorder) -> None:
    watchers = [Watcher(playback, LiveCast()) for _ in range(10)]
    heads = [await each.line() for each in watchers]
    assert {head["title"] for head in heads} == {"deploy@web-1"}
    recorder.record(SHELL)
    assert [await each.until("r") for each in watchers] == ["100x30"] * 10
    recorder.record(output(2, "one"))
    assert [await each.until("o") for each in watchers] == ["one"] * 10
    recorder.record(output(3, "two"))
    late = Watcher(playback, LiveCast())
    assert [await late.until("o") for _ in range(1)] == ["one"]
    assert [await each.until("o") for each in watchers] == ["two"] * 10
    recorder.record(ChannelClosed(4, 0, 7))
    assert not (await recorder.close("client.closed")).problem
    for each in watchers:
        assert [line[1:] for line in await each.rest()] == [["x", "7"], ["m", "the session ended: client.closed"]]
    assert [line[2] for line in await late.rest() if line[1] == "o"] == ["two"]


async def test_one_terminal_is_shown_and_the_rest_is_said(playback: Playback, recorder: Recorder) -> None:
    recorder.record(
        Marker(1, "before all"),
        ChannelOpened(1, 7, "sftp"),
        FileOperation(2, 7, 1, "write", "/tmp/x", "asked"),
        FileOperation(3, 7, 1, "write", "/tmp/x", "ok", size=5),
        ChannelClosed(4, 7, 0),
        ChannelOpened(5, 8, "exec", "ls"),
        output(6, "a\n", 8),
        ChannelOpened(7, 9, "exec", "id"),
        output(8, "not shown any more\n", 8),
        output(9, "root\n", 9),
        Marker(10, "5 minutes left"),
    )
    await recorder.close("killed")
    newest = [line[1:] for line in (await Watcher(playback, LiveCast()).rest())[1:]]
    assert newest == [
        ["m", "before all"],
        ["m", "channel 7: sftp"],
        ["m", "file: write /tmp/x ok"],
        ["m", "channel 7 ended"],
        ["m", "channel 8: exec ls"],
        ["o", "a\r\n"],
        ["m", "channel 9: exec id"],
        ["o", "root\r\n"],
        ["m", "5 minutes left"],
        ["m", "the session ended: killed"],
    ]
    named = [line[2] for line in (await Watcher(playback, LiveCast(8)).rest())[1:] if line[1] == "o"]
    assert named == ["a\r\n", "not shown any more\r\n"]


def test_a_command_beside_a_shell_leads_no_watcher_away() -> None:
    """When it has ended the shell is shown again, as large as it is by now; one that ended meanwhile is not."""
    lines = LiveCast()
    frames: list[Frame] = [
        OPENED, SHELL, output(2, "one", 0),
        ChannelOpened(3, 1, "exec", "true"), ChannelOpened(4, 2, "exec", "sleep 1"),
        Resize(5, 0, 120, 40), output(6, "unseen", 0), ChannelClosed(7, 1), ChannelClosed(8, 2, status=0),
        output(9, "two", 0), ChannelClosed(10, 0), Marker(11, "over"),
    ]  # fmt: skip
    text = "".join(lines.add(frame, skip=False) for frame in frames)
    told = [json.loads(line) for line in text.splitlines()][1:]
    assert [each[1:] for each in told] == [
        ["m", "channel 0: pty"], ["r", "100x30"], ["o", "one"],
        ["m", "channel 1: exec true"], ["m", "channel 2: exec sleep 1"], ["m", "channel 1 ended"], ["x", "0"],
        ["m", "channel 0 again: pty"], ["r", "120x40"], ["o", "two"], ["m", "over"],
    ]  # fmt: skip


async def test_a_slow_watcher_slows_nobody_and_is_told_what_it_missed(
    playback: Playback, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_BEHIND_BYTES", 1)
    slow = Watcher(playback, LiveCast())
    await slow.line()
    recorder.record(SHELL)
    assert await slow.until("r") == "100x30"
    noise = Random(7)
    for at in range(2, 42):  # nobody reads meanwhile, and every frame is taken
        recorder.record(Output(at, 0, Stream.STDOUT, noise.randbytes(16_000)))
    recorder.record(output(3000, "the newest"))
    assert recorder.size > READ_BYTES
    said = await slow.until("m")
    assert said.endswith("bytes of output are not shown: they came faster than they were read")
    count = int(said.split()[0].replace(",", ""))
    assert 0 < count < 40 * 16_000
    while not (await slow.until("o")).endswith("the newest"):
        pass
    await recorder.close("client.closed")


async def test_statements_come_as_they_end(
    playback: Playback, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Watcher(playback, LiveStatements())
    recorder.record(StatementText(1, 1, b"SELECT 1"), Executed(2, 1, 1, Form.SIMPLE))
    recorder.record(Finished(3, 1, Outcome.OK, b"I", 1, 10, "SELECT 1"))
    assert (await watcher.line())["text"] == "SELECT 1"
    recorder.record(Executed(4, 2, 1, Form.SIMPLE))
    await recorder.close("client.closed")
    running, end = await watcher.rest()
    assert (running["execution"], running["outcome"]) == (2, "unanswered")
    assert end == {"note": "the session ended: client.closed"}


def test_statements_that_came_too_fast_are_counted() -> None:
    lines = LiveStatements()
    done: list[Frame] = [Executed(2, 1, 1, Form.SIMPLE), Finished(3, 1, Outcome.OK, b"I", 1, 10, "SELECT 1")]
    assert [lines.add(frame, skip=True) for frame in done] == ["", ""]
    note = json.loads(lines.add(Marker(4, "x"), skip=False))
    assert note == {"note": "1 statements are not shown: they came faster than they were read"}


async def test_who_may_watch_no_more_sees_no_more(playback: Playback, recorder: Recorder) -> None:
    answers = iter([None, None, Refused("sign_in.ended", "Your sign-in has ended.")])

    async def allowed() -> Refused | None:
        return next(answers)

    watcher = Watcher(playback, LiveCast(), allowed)
    assert [line[2] for line in (await watcher.rest())[1:]] == ["Your sign-in has ended."]
    await recorder.close("client.closed")


async def test_a_line_without_words_says_that_it_goes_on(
    playback: Playback, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BEAT_SECONDS", 0.0)
    pieces = watched(Growing(playback, SESSION), LiveCast(), yes)
    await anext(pieces)
    assert await anext(pieces) == b"\n"
    await recorder.close("client.closed")


async def test_what_is_altered_is_named_and_what_is_gone_is_no_recording(
    playback: Playback, recorder: Recorder, tmp_path: Path
) -> None:
    watcher = Watcher(playback, LiveCast())
    await watcher.line()
    path = recording_path(tmp_path, SESSION)
    await recorder.close("client.closed")
    path.write_bytes(path.read_bytes()[: recorder.size // 2] + bytes(200))
    fresh = Growing(playback, SESSION)
    with pytest.raises(Corrupt):
        await fresh.more()
    last = (await Watcher(playback, LiveCast()).rest())[-1]
    assert last[1] == "m"
    assert "altered" in last[2]
    path.unlink()
    with pytest.raises(NoRecording):
        await Growing(playback, SESSION).more()
    with pytest.raises(NoRecording):
        Growing(playback, "../etc/passwd")


def test_watchers_are_bounded_and_known_by_name() -> None:
    watchers = Watchers()
    with watchers.place("ses_1", "per_a") as first, watchers.place("ses_1", "per_b"), watchers.place("ses_1", "per_a"):
        assert first is None
        assert watchers.of("ses_1") == ("per_a", "per_b")
        places = [watchers.place("ses_1", "per_c") for _ in range(MOST_OF_SESSION - 3)]
        assert all(place.__enter__() is None for place in places)
        with watchers.place("ses_1", "per_d") as full:
            assert full == Refused(
                "watch.full", "Too many people watch sessions already.", "Try again when one has left."
            )
            assert "per_d" not in watchers.of("ses_1")
        others = [watchers.place(f"ses_o{number}", "per_c") for number in range(MOST_WATCHERS - MOST_OF_SESSION)]
        assert all(place.__enter__() is None for place in others)
        with watchers.place("ses_2", "per_d") as full:
            assert full is not None
        for place in (*places, *others):
            place.__exit__(None, None, None)
    assert watchers.of("ses_1") == ()


async def test_a_watcher_who_goes_away_gives_the_place_back(playback: Playback, recorder: Recorder) -> None:
    watchers = Watchers()

    async def watch() -> AsyncIterator[bytes]:
        with watchers.place(SESSION, "per_a"):
            async for piece in watched(Growing(playback, SESSION), LiveCast(), yes):
                yield piece

    pieces = watch()
    await anext(pieces)
    task = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    assert watchers.of(SESSION) == ("per_a",)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert watchers.of(SESSION) == ()
    await recorder.close("client.closed")
