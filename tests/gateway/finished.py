"""Finished recordings in a data folder, for those who attack or lose them."""

import secrets
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from onepam.app.open_session import Opened
from onepam.app.sessions.close_session import close_session, seal_chunks
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SealedHead, SessionClosed
from onepam.gateway.recorder import recording_path
from onepam.gateway.sealing import root_of_heads
from onepam.jobs.recording_check import RecordingChecks, key_beside
from onepam.kernel.clock import Instant
from onepam.recording import frames
from onepam.recording.open import Reader
from onepam.recording.seal import Sealer
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.company import Company
from tests.gateway.pipes import released_pipes

CHUNKS = 4


@dataclass
class Folder:
    """A data folder with two finished recordings, `mine` (which is attacked) and `other`, and one of a dead process."""

    company: Company
    path: Path
    envelope: Envelope
    mine: str = ""
    other: str = ""
    dead: str = ""

    @property
    def recordings(self) -> Path:
        return self.path / "recordings"

    def file(self, session: str = "") -> Path:
        return recording_path(self.recordings, session or self.mine)

    def key_file(self, session: str = "") -> Path:
        return self.recordings / f"{session or self.mine}.key"

    def key(self, session: str) -> bytes:
        return key_beside(self.recordings, self.envelope)(session)

    def chunks(self, session: str = "") -> list[int]:
        """Where chunks begin in the file, and where the last one ends."""
        session = session or self.mine
        reader = Reader([self.file(session).read_bytes()], self.key(session))
        ends: dict[int, int] = {}
        for _ in reader:
            ends[reader.head.seq] = reader._bytes.offset
        return [len(Sealer(session, bytes(32)).header), *(ends[seq] for seq in sorted(ends))]

    def write(self, session: str, key: bytes, said: str = "hello", *, close: bool = True) -> Sealer:
        """A recording of `CHUNKS` chunks in the session's file."""
        sealer = Sealer(session, key)
        data = bytearray(sealer.header)
        sealer.append(frames.Opened(0, session, "eve", "dev-1", "app", "ssh", Instant(1)))
        for number in range(CHUNKS):
            sealer.append(frames.Output(number, 1, frames.Stream.STDOUT, f"{said} {number}\n".encode() * 40))
            if close and number == CHUNKS - 1:
                sealer.append(frames.Closed(number, "client.closed", sealer.counts))
            data += sealer.seal()[0]
        if not close:
            sealer.append(frames.Output(CHUNKS, 1, frames.Stream.STDOUT, b"handed over, not sealed\n"))
            data += sealer.flush()
        self.file(session).write_bytes(data)
        return sealer

    def new_key(self, session: str) -> bytes:
        """A key made and wrapped for the session, as only the master keys can."""
        key, wrapped = self.envelope.new_data_key(f"recording/{session}".encode("ascii"))
        self.key_file(session).write_bytes(wrapped)
        return key.reveal()

    async def session(self, *, died: bool = False) -> str:
        permit = await self.company.open("eve", "dev-1", "app")
        assert isinstance(permit, Opened)
        session = permit.session
        sealer = self.write(session, self.new_key(session), close=not died)
        heads = (SealedHead(session, sealer.head.seq, sealer.head.digest.hex()),)
        await seal_chunks(self.company.ledger, "node-1", root_of_heads(heads), heads)
        because, gap = (SessionEnd.GATEWAY_DIED, "the gateway died") if died else (SessionEnd.CLIENT_LEFT, None)
        head, counts = sealer.head.digest.hex(), dict(sealer.counts)
        end = SessionClosed(session, because, head, sealer.head.seq, counts, verified=not died, gap=gap)
        assert await close_session(self.company.ledger, end) is None
        return session

    def job(self) -> RecordingChecks:
        return RecordingChecks(
            self.company.ledger, self.company.reader, self.recordings, self.key, "node-1", threading.Event()
        )

    def events(self, kind: type) -> list[object]:
        with connect(self.company.path, read_only=True) as db:
            return [each.event for each in entries(db, 0, 1 << 30) if isinstance(each.event, kind)]


@asynccontextmanager
async def finished_recordings(tmp_path: Path) -> AsyncIterator[Folder]:
    company = await Company.create(tmp_path)
    (tmp_path / "recordings").mkdir()
    envelope = Envelope(FileKeys.create(tmp_path / "master-keys.json", secrets.token_bytes), secrets.token_bytes)
    folder = Folder(company, tmp_path, envelope)
    folder.mine, folder.other = await folder.session(), await folder.session()
    folder.dead = await folder.session(died=True)
    with released_pipes(folder.recordings):
        yield folder
    company.close()
