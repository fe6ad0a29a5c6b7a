"""After a crash: what the last life of this node left open is read back, and closed with its gap named.

What was sealed in the ledger before the crash must be in the file. A file that ends earlier was cut after the crash or
has lost what was on disk; that is no gap of a crash, and the closing entry says so.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from onepam.app.ports import Ledger
from onepam.app.sessions.close_session import close_session
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed
from onepam.files.data_file import opened_file
from onepam.gateway.recheck import PIECE_BYTES, Key
from onepam.gateway.recorder import recording_path
from onepam.kernel.errors import Corrupt, Fault
from onepam.recording.open import Cut, Reader
from onepam.recording.seal import Head

log = logging.getLogger(__name__)

_NO_HEAD = "0" * 64

Sealed = Callable[[str], Awaitable[Head | None]]
"""The newest head of a session's recording that the ledger has sealed; None where it has sealed none."""


async def recover(ledger: Ledger, sessions: list[str], recordings: Path, key: Key, sealed: Sealed) -> int:
    """Closes the given sessions of a dead process; how many were still open. Every sealed chunk is kept."""
    closed = 0
    for session in sessions:
        end = await asyncio.to_thread(_read_back, session, recordings, key, await sealed(session))
        if await close_session(ledger, end) is None:
            closed += 1
            log.warning("session %s was open when the gateway died: %s", session, end.gap or "nothing is missing")
    return closed


def _read_back(session: str, recordings: Path, key: Key, sealed: Head | None) -> SessionClosed:
    reader = None
    try:
        with opened_file(recording_path(recordings, session)) as file:
            pieces = iter(lambda: file.read(PIECE_BYTES), b"")
            reader = Reader(pieces, key(session), sealed=sealed, named=session)
            for _ in reader:
                pass
    except FileNotFoundError as error:
        return _closed(session, _NO_HEAD, 0, {}, _gone(error, sealed))
    except Cut as error:
        assert reader is not None  # it raised this
        gap = f"chunks that the ledger had sealed are lost: {error}"
        return _closed(session, reader.head.digest.hex(), reader.head.seq, dict(reader.counts), gap)
    except (Corrupt, Fault, OSError) as error:
        return _closed(session, _NO_HEAD, 0, {}, f"the recording cannot be read: {error}")
    gap = reader.gap.what if reader.gap else "the gateway died; the recording ends without its last word"
    return _closed(session, reader.head.digest.hex(), reader.head.seq, dict(reader.counts), gap)


def _gone(error: FileNotFoundError, sealed: Head | None) -> str:
    if sealed is None:
        return "the recording had not begun"
    what = "key" if str(error.filename).endswith(".key") else "file"
    return f"chunks that the ledger had sealed are lost: chunk {sealed.seq} was sealed, and the {what} is gone"


def _closed(session: str, head: str, chunks: int, counts: dict[str, int], gap: str) -> SessionClosed:
    return SessionClosed(session, SessionEnd.GATEWAY_DIED, head, chunks, counts, verified=False, gap=gap)
