"""After a crash: what the last life of this node left open is read back, and closed with its gap named."""

import logging
from collections.abc import Callable
from pathlib import Path

from onepam.app.close_session import close_session
from onepam.app.ports import Ledger
from onepam.domain.sessions import SessionClosed
from onepam.gateway.recorder import recording_path
from onepam.kernel.errors import Corrupt, Fault
from onepam.recording.open import Reader

log = logging.getLogger(__name__)

_NO_HEAD = "0" * 64


async def recover(ledger: Ledger, sessions: list[str], recordings: Path, key: Callable[[str], bytes]) -> int:
    """Closes the given sessions of a dead process; how many were still open. Every sealed chunk is kept."""
    closed = 0
    for session in sessions:
        end = _read_back(session, recordings, key)
        if await close_session(ledger, end) is None:
            closed += 1
            log.warning("session %s was open when the gateway died: %s", session, end.gap or "nothing is missing")
    return closed


def _read_back(session: str, recordings: Path, key: Callable[[str], bytes]) -> SessionClosed:
    path = recording_path(recordings, session)
    try:
        with path.open("rb") as file:
            reader = Reader(iter(lambda: file.read(1 << 20), b""), key(session))
            for _ in reader:
                pass
    except FileNotFoundError:
        return _closed(session, _NO_HEAD, 0, {}, "the recording had not begun")
    except (Corrupt, Fault, OSError) as error:
        return _closed(session, _NO_HEAD, 0, {}, f"the recording cannot be read: {error}")
    gap = reader.gap.what if reader.gap else "the gateway died; the recording ends without its last word"
    return _closed(session, reader.head.digest.hex(), reader.head.seq, dict(reader.counts), gap)


def _closed(session: str, head: str, chunks: int, counts: dict[str, int], gap: str) -> SessionClosed:
    return SessionClosed(session, "gateway.died", head, chunks, counts, verified=False, gap=gap)
