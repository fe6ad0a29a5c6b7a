"""The recorder against real files: what it promises for a kill, a full disk, a slow disk and its end."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onepam.gateway import recorder as module
from onepam.gateway.recorder import Recorded, Recorder, RecorderEnded, RecorderFailed, recording_path
from onepam.kernel.clock import Instant
from onepam.recording.frames import Frame, Opened, Output, Stream
from onepam.recording.open import Reader
from onepam.recording.seal import Head
from tests.gateway.disks import bounded
from tests.gateway.pipes import released_pipes

KEY = bytes(range(32))
OPENED = Opened(0, "ses_1", "per_1", "res_1", "root", "ssh", Instant(1_700_000_000_000_000))
pytestmark = pytest.mark.anyio


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


class Session:
    """What the owner of a recorder is told."""

    def __init__(self) -> None:
        self.heads: list[Head] = []
        self.failures: list[RecorderFailed] = []
        self.failed = asyncio.Event()

    async def start(
        self, folder: Path, pool: ThreadPoolExecutor, *, strict: bool = True, size: int = 1 << 30
    ) -> Recorder:
        return await Recorder.start(
            folder, "rec_1", KEY, OPENED,
            strict=strict, share=bounded(folder, size), pool=pool, on_head=self.heads.append, on_failure=self._failed,
        )  # fmt: skip

    def _failed(self, failure: RecorderFailed) -> None:
        self.failures.append(failure)
        self.failed.set()


def output(recorder: Recorder, data: bytes) -> Output:
    return Output(recorder.at, 1, Stream.STDOUT, data)


def fill(recorder: Recorder) -> None:
    for _ in range(30):
        recorder.record(output(recorder, os.urandom(10_000)))


def frames(folder: Path, head: Head | None = None) -> list[Frame]:
    reader = Reader([recording_path(folder, "rec_1").read_bytes()], KEY, head)
    return list(reader)


@pytest.mark.parametrize("strict", [True, False])
async def test_a_recording_is_written_sealed_and_read_back(
    tmp_path: Path, pool: ThreadPoolExecutor, strict: bool
) -> None:
    session = Session()
    recorder = await session.start(tmp_path, pool, strict=strict)
    for _ in range(40):
        recorder.record(output(recorder, os.urandom(5000)))
    recorded = await recorder.close("the person left")
    assert recorded.verified
    assert recorded.counts == {"opened": 1, "outputs": 40, "frames": 41, "bytes": 200_000}
    assert recorded.size == recording_path(tmp_path, "rec_1").stat().st_size == recorder.size
    assert session.heads[-1] == recorded.head
    assert [head.seq for head in session.heads] == sorted({head.seq for head in session.heads})
    assert len(frames(tmp_path, recorded.head)) == 42
    assert recording_path(tmp_path, "rec_1").stat().st_mode & 0o777 == 0o600
    assert session.failures == []


async def test_strict_frames_are_with_the_kernel_at_once_and_others_when_their_chunk_is(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    for name, strict, seen in (("strict", True, 2), ("relaxed", False, 1)):
        folder = tmp_path / name
        folder.mkdir()
        recorder = await Session().start(folder, pool, strict=strict)
        recorder.record(output(recorder, b"typed"))
        assert len(frames(folder)) == seen
        await asyncio.sleep(1.2)
        assert len(frames(folder)) == 2
        assert (await recorder.close("end")).verified


async def test_what_is_noted_is_with_the_kernel_by_the_next_record_or_in_a_second(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    recorder = await Session().start(tmp_path, pool)
    recorder.note(output(recorder, b"noted"))
    assert len(frames(tmp_path)) == 1
    recorder.record(output(recorder, b"recorded"))
    assert [each.data for each in frames(tmp_path) if isinstance(each, Output)] == [b"noted", b"recorded"]
    recorder.note(output(recorder, b"last"))
    while len(frames(tmp_path)) < 4:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    assert (await recorder.close("end")).verified


async def test_time_never_goes_back_and_counts_microseconds(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    recorder = await Session().start(tmp_path, pool)
    times = [recorder.at for _ in range(1000)]
    assert times == sorted(times)
    assert 0 <= times[-1] < 60_000_000
    await recorder.close("end")


async def test_a_disk_without_space_ends_the_session_once(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    session = Session()
    recorder = await session.start(tmp_path, pool, size=100_000)
    with pytest.raises(RecorderFailed, match="the disk that holds the recordings is full"):
        fill(recorder)
    with pytest.raises(RecorderFailed):
        recorder.record(output(recorder, b"more"))
    await asyncio.sleep(0)
    assert len(session.failures) == 1
    recorded = await recorder.close("end")
    assert not recorded.verified
    assert "disk" in recorded.problem
    assert recording_path(tmp_path, "rec_1").stat().st_size <= 100_000
    assert len(frames(tmp_path)) > 5


async def test_a_full_disk_ends_the_session_and_keeps_what_was_sealed(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    """The file-size limit stands for the disk: write(2) then fails in the same place, after a short write."""
    session = Session()
    recorder = await session.start(tmp_path, pool)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, before[1]))
    try:
        with pytest.raises(RecorderFailed, match="cannot be written"):
            fill(recorder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    recorded = await recorder.close("end")
    assert not recorded.verified
    assert len(session.failures) == 1
    assert len(frames(tmp_path)) > 5


async def test_a_missing_folder_or_an_existing_file_is_refused_before_the_session(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    with pytest.raises(RecorderFailed, match="cannot be written"):
        await Session().start(tmp_path / "missing", pool)
    (tmp_path / "other").mkdir()
    recorder = await Session().start(tmp_path, pool)
    with pytest.raises(RecorderFailed, match="File exists"):
        await Session().start(tmp_path, pool)
    with pytest.raises(RecorderFailed, match="disk"):
        await Session().start(tmp_path / "other", pool, size=10)
    assert (await recorder.close("end")).verified


async def test_a_lagging_disk_is_told_and_drains(
    tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_UNSYNCED_BYTES", 300_000)
    recorder = await Session().start(tmp_path, pool)
    drained = asyncio.Event()
    lagging = False
    while not lagging:
        recorder.record(output(recorder, os.urandom(70_000)))
        lagging = recorder.full
    recorder.when_drained(drained.set)
    async with asyncio.timeout(20):
        await drained.wait()
    assert not recorder.full
    assert (await recorder.close("end")).verified


async def test_a_bulk_stream_is_not_synced_chunk_by_chunk_and_its_last_chunk_is(
    tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SYNC_SECONDS", 1000.0)
    monkeypatch.setattr(module, "SYNC_BYTES", 1_000_000)
    session = Session()
    recorder = await session.start(tmp_path, pool)
    for _ in range(40):  # 2,800,000 bytes
        recorder.record(output(recorder, os.urandom(70_000)))
        await asyncio.sleep(0.01)
    assert 1 <= len(session.heads) <= 4
    recorded = await recorder.close("end")
    assert recorded.verified
    assert session.heads[-1] == recorded.head
    assert len(session.heads) <= 5


async def test_a_chunk_that_had_to_wait_is_synced_when_it_is_time(
    tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SYNC_SECONDS", 0.2)
    session = Session()
    recorder = await session.start(tmp_path, pool)
    for _ in range(3):
        recorder.record(output(recorder, os.urandom(70_000)))
    async with asyncio.timeout(20):
        while not session.heads or session.heads[-1].seq < 4:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    assert len(session.heads) <= 3
    assert (await recorder.close("end")).verified


async def test_a_failing_sync_ends_the_session(
    tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session()
    recorder = await session.start(tmp_path, pool)

    def broken(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fdatasync", broken)
    recorder.record(output(recorder, os.urandom(70_000)))
    async with asyncio.timeout(20):
        await session.failed.wait()
    recorded = await recorder.close("end")
    assert "Input/output error" in recorded.problem


@pytest.mark.parametrize(("make", "why"), [(os.mkfifo, "it is no file"), (lambda path: path.symlink_to("x"), "a link")])
async def test_what_stands_in_the_place_of_the_file_keeps_no_thread(
    tmp_path: Path, pool: ThreadPoolExecutor, make: Callable[[Path], None], why: str
) -> None:
    """A pipe would keep the thread that reads back, and after a few of them no session could begin."""
    recorder = await Session().start(tmp_path, pool)
    fill(recorder)
    recorder.path.unlink()
    make(recorder.path)
    with released_pipes(tmp_path):
        recorded = await recorder.close("client.closed")
    assert not recorded.verified
    assert why in recorded.problem


async def test_a_file_altered_behind_our_back_is_found_at_the_end(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    recorder = await Session().start(tmp_path, pool)
    recorder.record(output(recorder, os.urandom(70_000)))
    path = recording_path(tmp_path, "rec_1")
    with path.open("r+b") as file:
        file.seek(5_000)
        file.write(b"altered")
    recorded: Recorded = await recorder.close("end")
    assert not recorded.verified
    assert "altered at byte" in recorded.problem


_VICTIM = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from onepam.gateway.recorder import Recorder
from tests.gateway.disks import plenty
from tests.gateway.test_recorder import KEY, OPENED, output

SHARE = plenty(Path(sys.argv[1]))

async def main():
    recorder = await Recorder.start(Path(sys.argv[1]), "rec_1", KEY, OPENED, strict=True, share=SHARE,
                                    pool=ThreadPoolExecutor(1), on_head=lambda head: None, on_failure=print)
    number = 0
    while True:
        recorder.record(output(recorder, b"line %d" % number))
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
        number += 1
        await asyncio.sleep(0)

asyncio.run(main())
"""


async def test_a_sigkill_loses_nothing_that_was_forwarded(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    forwarded = -1
    for line in process.stdout:
        forwarded = int(line)
        if forwarded == 3000:
            process.kill()
    process.wait()
    assert forwarded >= 3000
    reader = Reader([recording_path(tmp_path, "rec_1").read_bytes()], KEY)
    written = [frame.data for frame in reader if isinstance(frame, Output)]
    assert written[: forwarded + 1] == [b"line %d" % number for number in range(forwarded + 1)]
    assert reader.gap is not None


async def test_nothing_is_used_after_the_end(
    tmp_path: Path, pool: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    """A frame after the close is refused aloud, and whoever owns the descriptor's number next gets no byte of ours."""
    session = Session()
    recorder = await session.start(tmp_path, pool, strict=False)
    recorder.record(output(recorder, b"unsealed when the end comes"))
    recorded = await recorder.close("end")
    size = recording_path(tmp_path, "rec_1").stat().st_size
    strangers = [os.open(tmp_path / f"stranger-{number}", os.O_RDWR | os.O_CREAT) for number in range(20)]
    try:
        with pytest.raises(RecorderEnded, match="has ended"):
            recorder.record(output(recorder, b"late"))
        with pytest.raises(RecorderEnded, match="closed before"):
            await recorder.close("again")
        await asyncio.sleep(1.3)  # longer than the timer of a chunk
        assert [os.fstat(stranger).st_size for stranger in strangers] == [0] * 20
    finally:
        for stranger in strangers:
            os.close(stranger)
    assert "Output came too late" in caplog.text
    assert recorded.verified
    assert recording_path(tmp_path, "rec_1").stat().st_size == size
    assert session.failures == []


async def test_a_close_waits_for_the_thread_that_syncs(
    tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, begun, go_on = Session(), threading.Event(), threading.Event()
    recorder = await session.start(tmp_path, pool)
    while not session.heads:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    sync, synced = os.fdatasync, list[int]()

    def slow(descriptor: int) -> None:
        begun.set()
        assert go_on.wait(20)
        sync(descriptor)  # EBADF, or somebody else's file, if it was closed meanwhile
        synced.append(descriptor)

    monkeypatch.setattr("os.fdatasync", slow)
    recorder.record(output(recorder, os.urandom(70_000)))
    closing = asyncio.ensure_future(recorder.close("end"))
    await asyncio.to_thread(begun.wait, 20)
    await asyncio.sleep(0.1)
    assert not closing.done()
    go_on.set()
    assert (await closing).verified
    assert synced
