"""A finished recording held against what the ledger says of it. Blocking, in bounded pieces, at the caller's pace."""

import errno
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from onepam.domain.sessions.recordings import Checked, Condition
from onepam.files.data_file import opened_file
from onepam.gateway.recorder import recording_path
from onepam.kernel.errors import Corrupt, Fault
from onepam.recording.frames import Frame, Marker
from onepam.recording.open import Cut, Foreign, Reader
from onepam.recording.seal import KEY_BYTES, Head
from onepam.recording.statements import Finished, Outcome

PIECE_BYTES = 256 * 1024

Key = Callable[[str], bytes]
"""The key of a session's recording. Raises `FileNotFoundError` without one, `Fault` for another's."""


MOST_NAMED = 10
"""Executions that a finding names."""

_WAITED = re.compile(r"execution (\d{1,20})(?: waits: |: somebody has said yes)", re.ASCII)
"""How a marker of a recording begins that says of an execution that it waited, or need not wait any more."""

_RAN = (Outcome.OK, Outcome.ERROR, Outcome.SUSPENDED)

_OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Not the file's fault."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the ledger claims of a recording. `head` is None where its closing entry says that nothing was recorded.

    `exact`: the closing entry was made from the file itself. Else its recorder had failed, and what it had not handed
    over before is in no file: only what was `sealed` must be there. Nothing may come after `head` in any case.
    `waits`: executions that waited for somebody's yes, and whether they had it.
    """

    session: str
    head: Head | None
    counts: Mapping[str, int]
    exact: bool
    sealed: Head | None
    waits: Mapping[int, bool] = field(default_factory=dict)


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
    asked = _Asked(claim.waits)
    try:
        for frame in reader:
            asked.take(frame)
    except Foreign as error:
        return Checked(session, Condition.FOREIGN, str(error))
    except Cut as error:
        if claim.exact or reader.head.seq < (claim.sealed.seq if claim.sealed else 0):
            return Checked(session, Condition.CUT, str(error))
    found = _counted(reader, claim)
    return Checked(session, Condition.UNASKED, asked.words) if found.condition.good and asked.unasked else found


class _Asked:
    """Which executions ran without the yes for which they waited, as the ledger says, or the recording itself."""

    def __init__(self, waits: Mapping[int, bool]) -> None:
        self._waits = waits
        self._without = {execution for execution, yes in waits.items() if not yes}
        self.unasked: list[int] = []

    def take(self, frame: Frame) -> None:
        """The next frame."""
        if type(frame) is Marker and (said := _WAITED.match(frame.text)) is not None:
            if not self._waits.get(execution := int(said[1])):
                self._without.add(execution)
        elif type(frame) is Finished and frame.outcome in _RAN and frame.execution in self._without:
            self.unasked.append(frame.execution)

    @property
    def words(self) -> str:
        """What of it is found."""
        which = ", ".join(map(str, self.unasked[:MOST_NAMED])) + (", …" if len(self.unasked) > MOST_NAMED else "")
        return f"ran without the yes that they waited for: executions {which}"


def claimed(
    session: str,
    head: str,
    chunks: int,
    counts: Mapping[str, int],
    exact: bool,
    sealed: tuple[int, str] | None,
    waits: Mapping[int, bool],
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
        waits=waits,
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
