"""A finished recording held against what the ledger says of it. Blocking, in bounded pieces, at the caller's pace."""

import errno
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from onepam.domain.sessions.recordings import Checked, Condition
from onepam.files.data_file import opened_file
from onepam.gateway.recorder import recording_path
from onepam.kernel.errors import Corrupt, Fault
from onepam.recording.open import Cut, Foreign, Reader
from onepam.recording.seal import KEY_BYTES, Head

PIECE_BYTES = 256 * 1024

Key = Callable[[str], bytes]
"""The key of a session's recording. Raises `FileNotFoundError` without one, `Fault` for another's."""


_OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Not the file's fault."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the ledger claims of a recording. `head` is None where its closing entry says that nothing was recorded.

    `exact`: the closing entry was made from the file itself. Else its recorder had failed, and what it had not handed
    over before is in no file: only what was `sealed` must be there. Nothing may come after `head` in any case.
    """

    session: str
    head: Head | None
    counts: Mapping[str, int]
    exact: bool
    sealed: Head | None


def recheck(folder: Path, key: Key, claim: Claim, pace: Callable[[], None] = lambda: None) -> Checked:
    """What became of one recording. `pace` is called before each piece, and may wait or raise. A fault of the disk is
    the recording's; `OSError` is raised where the process itself lacks something."""
    session = claim.session
    try:
        with opened_file(recording_path(folder, session)) as file:
            return _read(file, key, claim, pace)
    except FileNotFoundError:
        if claim.head is None and claim.sealed is None:
            return Checked(session, Condition.NONE)
        return Checked(session, Condition.MISSING, "the file is gone")
    except Corrupt as error:
        return Checked(session, Condition.ALTERED, str(error))
    except OSError as error:
        if error.errno in _OURS:
            raise
        return Checked(session, Condition.UNREADABLE, f"the disk does not give it: {error.strerror}")


def _read(file: BinaryIO, key: Key, claim: Claim, pace: Callable[[], None]) -> Checked:
    session = claim.session
    try:
        opener = key(session)
    except FileNotFoundError:
        return Checked(session, Condition.KEY_MISSING, "the key beside it is gone")
    except (Fault, ValueError) as error:
        return Checked(session, Condition.KEY_ALTERED, f"the key beside it does not open: {error}")

    def pieces() -> Iterator[bytes]:
        pace()
        while piece := file.read(PIECE_BYTES):
            yield piece
            pace()

    if len(opener) != KEY_BYTES:
        return Checked(session, Condition.KEY_ALTERED, "the key beside it is none")
    reader = Reader(pieces(), opener, claim.head, final=True, sealed=claim.sealed, named=session)
    try:
        for _ in reader:
            pass
    except Foreign as error:
        return Checked(session, Condition.FOREIGN, str(error))
    except Cut as error:
        if claim.exact or reader.head.seq < (claim.sealed.seq if claim.sealed else 0):
            return Checked(session, Condition.CUT, str(error))
    return _counted(reader, claim)


def claimed(
    session: str, head: str, chunks: int, counts: Mapping[str, int], exact: bool, sealed: tuple[int, str] | None
) -> Claim:
    """The claim of a closing entry and of the newest sealed (chunk, head). Raises `ValueError` for what is none."""
    if not isinstance(counts, dict) or not all(type(count) is int for count in counts.values()):
        raise ValueError("its counts are none")
    return Claim(
        session=session,
        head=Head(chunks, bytes.fromhex(head)) if chunks else None,
        counts=counts,
        exact=exact and chunks > 0,
        sealed=Head(sealed[0], bytes.fromhex(sealed[1])) if sealed else None,
    )


def _counted(reader: Reader, claim: Claim) -> Checked:
    """The chain is right: do the frames after its last link agree, too? Nobody holds more than its recorder counted."""
    session, more = claim.session, Counter(reader.counts) - Counter(claim.counts)
    less = claim.exact and Counter(claim.counts) - Counter(reader.counts)
    if claim.head is not None and (more or less):
        words = f"its closing entry counts {dict(claim.counts)}, and it holds {dict(reader.counts)}"
        return Checked(session, Condition.CUT if reader.gap and not more else Condition.ALTERED, words)
    if not reader.gap and reader.head == claim.head:
        return Checked(session, Condition.WHOLE)
    return Checked(session, Condition.GAP, "" if claim.exact else _vouched(reader, claim))


def _vouched(reader: Reader, claim: Claim) -> str:
    """How far the ledger vouches for a recording whose closing entry was not made from the file."""
    heads = [each.seq for each in (claim.head, claim.sealed) if each and each.seq <= reader.head.seq]
    chunk = max(heads, default=0)
    return f"the ledger vouches for it up to chunk {chunk}" if chunk else "the ledger vouches for none of it"
