"""What a dead gateway left behind: closed once, with what can be read of it, and with the words for what cannot."""

import os
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.domain.sessions.events import SessionClosed
from onepam.gateway.recorder import Recorder, recording_path
from onepam.gateway.recover import recover
from onepam.jobs.recording_check import key_beside
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.recording import frames
from onepam.recording.open import Reader
from onepam.recording.seal import Head
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.store.read.live import open_sessions
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.company import Company
from tests.gateway.disks import plenty
from tests.gateway.pipes import released_pipes

pytestmark = pytest.mark.anyio

KEY = bytes(range(32))


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


async def opened(company: Company) -> str:
    permit = await company.open("eve", "dev-1", "app")
    assert isinstance(permit, Opened)
    return permit.session


async def recorded(folder: Path, session: str, key: bytes = KEY) -> Recorder:
    """A recording of two sealed chunks and a frame that was handed over and not sealed, as a kill leaves it."""
    with ThreadPoolExecutor(1) as pool:
        recorder = await Recorder.start(
            folder, session, key, frames.Opened(0, session, "eve", "dev-1", "app", "ssh", Instant(1)),
            strict=True, share=plenty(folder), pool=pool, on_head=lambda head: None, on_failure=lambda failure: None,
        )  # fmt: skip
        recorder.record(frames.Output(recorder.at, 1, frames.Stream.STDOUT, b"sealed"))
        recorder._seal()
        recorder.record(frames.Output(recorder.at, 1, frames.Stream.STDOUT, b"handed over"))
        recorder._stop_timer()
        if recorder._sync is not None:
            await recorder._sync
        if recorder._sync_timer is not None:
            recorder._sync_timer.cancel()
    recorder._file.close()
    return recorder


def closed(company: Company) -> list[SessionClosed]:
    with connect(company.path, read_only=True) as db:
        return [each.event for each in entries(db, 0, 1 << 30) if isinstance(each.event, SessionClosed)]


async def nothing(session: str) -> Head | None:
    """No head was sealed in the ledger."""
    return None


async def test_every_open_session_of_the_node_is_closed_once(company: Company, tmp_path: Path) -> None:
    sessions = [await opened(company) for _ in range(3)]
    left = await company.reader(open_sessions, None, "node-1")
    assert sorted(left) == sorted(sessions)
    assert await recover(company.ledger, left, tmp_path, lambda session: KEY, nothing) == 3
    assert await recover(company.ledger, left, tmp_path, lambda session: KEY, nothing) == 0
    assert await company.reader(open_sessions, None, "node-1") == []
    assert {(each.because, each.chunks, each.gap, each.last_byte) for each in closed(company)} == {
        ("gateway.died", 0, "the recording had not begun", None)
    }


async def test_sealed_chunks_and_what_was_handed_over_are_kept(company: Company, tmp_path: Path) -> None:
    session = await opened(company)
    recorder = await recorded(tmp_path, session)
    await recover(company.ledger, [session], tmp_path, lambda _: KEY, nothing)
    (end,) = closed(company)
    assert (end.because, end.verified) == ("gateway.died", False)
    assert (end.chunks, end.head) == (2, recorder._sealer.head.digest.hex())
    assert end.counts["outputs"] == 2
    assert end.gap


async def test_a_torn_tail_is_a_gap_and_an_altered_chunk_is_said(company: Company, tmp_path: Path) -> None:
    torn, altered = await opened(company), await opened(company)
    for session in (torn, altered):
        await recorded(tmp_path, session)
    with recording_path(tmp_path, torn).open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) - 3)
    with recording_path(tmp_path, altered).open("r+b") as file:
        file.seek(120)
        byte = file.read(1)
        file.seek(120)
        file.write(bytes([byte[0] ^ 1]))
    await recover(company.ledger, [torn, altered], tmp_path, lambda _: KEY, nothing)
    ends = {each.session: each for each in closed(company)}
    assert ends[torn].chunks == 2
    assert ends[torn].gap
    assert "cannot be read" in (ends[altered].gap or "")


async def test_a_key_that_is_gone_is_said_and_stops_nothing(company: Company, tmp_path: Path) -> None:
    first, second = await opened(company), await opened(company)
    for session in (first, second):
        await recorded(tmp_path, session)

    def key(session: str) -> bytes:
        if session == first:
            raise Corrupt("the key is not ours")
        return KEY

    assert await recover(company.ledger, [first, second], tmp_path, key, nothing) == 2
    ends = {each.session: each for each in closed(company)}
    assert ends[first].gap == "the recording cannot be read: the key is not ours"
    assert ends[second].chunks == 2


async def test_chunks_that_the_ledger_had_sealed_and_are_gone_are_named(company: Company, tmp_path: Path) -> None:
    """A file cut after the crash, below a head that stands in the ledger, is no gap of a crash."""
    cut, kept, gone, keyless = [await opened(company) for _ in range(4)]
    heads: dict[str, Head] = {}
    for session in (cut, kept, gone, keyless):
        heads[session] = (await recorded(tmp_path, session))._sealer.head
    head, reader = heads[cut], Reader([recording_path(tmp_path, cut).read_bytes()], KEY)
    ends = [reader._bytes.offset for _ in reader if reader.head.seq == 1]
    recording_path(tmp_path, cut).write_bytes(recording_path(tmp_path, cut).read_bytes()[: ends[0]])
    recording_path(tmp_path, gone).unlink()

    async def sealed(session: str) -> Head | None:
        return heads[session]

    def key(session: str) -> bytes:
        if session == keyless:
            raise FileNotFoundError(2, "gone", f"{session}.key")
        return KEY

    assert await recover(company.ledger, [cut, kept, gone, keyless], tmp_path, key, sealed) == 4
    told = {each.session: each for each in closed(company)}
    assert (told[cut].chunks, head.seq) == (1, 2)
    assert "chunks that the ledger had sealed are lost" in (told[cut].gap or "")
    assert "it ends after chunk 1, but chunk 2 was sealed" in (told[cut].gap or "")
    assert told[kept].chunks == 2
    assert "lost" not in (told[kept].gap or "")
    assert told[gone].gap == "chunks that the ledger had sealed are lost: chunk 2 was sealed, and the file is gone"
    assert told[keyless].gap == "chunks that the ledger had sealed are lost: chunk 2 was sealed, and the key is gone"


async def test_pipes_in_the_place_of_files_stop_nothing(company: Company, tmp_path: Path) -> None:
    """A gateway begins by recovering: what waits on a pipe for ever would never begin."""
    piped, keyless, sound = [await opened(company) for _ in range(3)]
    envelope = Envelope(FileKeys.create(tmp_path / "master-keys.json", secrets.token_bytes), secrets.token_bytes)
    folder = tmp_path / "recordings"
    folder.mkdir()
    for session in (piped, keyless, sound):
        key, wrapped = envelope.new_data_key(f"recording/{session}".encode("ascii"))
        (folder / f"{session}.key").write_bytes(wrapped)
        await recorded(folder, session, key.reveal())
    for path in (recording_path(folder, piped), folder / f"{keyless}.key"):
        path.unlink()
        os.mkfifo(path)
    with released_pipes(folder):
        left = [piped, keyless, sound]
        assert await recover(company.ledger, left, folder, key_beside(folder, envelope), nothing) == 3
    ends = {each.session: each for each in closed(company)}
    assert ends[piped].gap == "the recording cannot be read: it is no file"
    assert ends[keyless].gap == f"the recording cannot be read: {keyless}.key: it is no file"
    assert ends[sound].chunks == 2
