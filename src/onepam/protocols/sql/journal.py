"""What is recorded of a session's statements: events to frames, and long texts in pieces."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Protocol

from onepam.protocols.sql.events import Allowance, Cut, Done, Event, Hidden, Kept, Run, Step, Text
from onepam.protocols.sql.masking import PASSWORDS, Shown
from onepam.protocols.sql.passwords import NEAR_BYTES, near
from onepam.recording.frames import Frame, Marker
from onepam.recording.statements import MAX_TEXT_BYTES, Executed, Finished, StatementText


class Journal(Protocol):
    """Where events go now, and how much is kept of them."""

    step: Step

    @property
    def allowance(self) -> Allowance: ...


def frames(events: Iterable[Event], at: int) -> Iterator[Frame]:
    """The frames of these events, at this time of the recording."""
    for each in events:
        if type(each) is Run:
            yield Executed(at, each.execution, each.statement, each.form, each.parameters)
        elif type(each) is Done:
            yield Finished(at, each.execution, each.outcome, each.status, each.rows, each.size, each.words)
        elif type(each) is Text:
            yield StatementText(at, each.statement, each.text, each.more)
        elif type(each) is Hidden:
            yield Marker(at, f"{each.what} {each.number}: {each.words}")
        elif type(each) is Kept:
            yield Marker(at, f"execution {each.execution}: row {each.row}: {json.dumps(each.cells)}")
        else:
            assert type(each) is Cut
            yield Marker(
                at,
                f"statement {each.statement}: {each.kept} of {each.size} bytes are kept, SHA-256 of all {each.sha256}",
            )


def begun(journal: Journal, run: Run, shown: Shown | None, *, masked: bool) -> bool:
    """Records an execution; whether something of it is masked. `shown`: what of its parameters is not, None for all;
    `masked`: something of its text is."""
    events, masking = journal.step.events, journal.allowance.masking
    if masking is None and not masked:
        events.append(run)
        return False
    kept, hidden = (masking or PASSWORDS).parameters(run.parameters, shown)
    events.append(run._replace(parameters=kept))
    if hidden:
        events.append(Hidden("execution", run.execution, f"masked parameters {', '.join(map(str, hidden))}"))
    return masked or bool(hidden)


def told(journal: Journal, words: str, *, masked: bool) -> str:
    """What a target said of an error, as it is recorded; `masked` as `begun` says it."""
    masking = journal.allowance.masking
    return words if masking is None and not masked else (masking or PASSWORDS).words(words, bound=masked)


class LongText:
    """The recording of one text: what policy keeps, in frames' sizes, and of the rest the size and the digest; of one
    that is masked the size alone, and of one in which a password may stand what is before it."""

    def __init__(self, journal: Journal, number: int, *, masked: bool = False, looked: bool = False) -> None:
        """`looked`: it was looked for passwords already."""
        self.number = number
        self.masked = masked
        self._journal = journal
        self._size = self._kept = 0
        self._looks, self._stops, self._tail = not (looked or masked), False, b""
        self._digest = hashlib.sha256()

    @property
    def stops(self) -> bool:
        """Whether a password may stand in it, so that one may be bound, too."""
        return self._stops

    def take(self, piece: bytes) -> None:
        """The next bytes, recorded now: the target has them next."""
        kept = b"" if self.masked else piece[: max(self._journal.allowance.text - self._size, 0)]
        if self._looks:
            kept = self._harmless(kept)
        self._kept += len(kept)
        self._size += len(piece)
        self._digest.update(piece)
        for offset in range(0, len(kept), MAX_TEXT_BYTES):
            self._journal.step.events.append(Text(self.number, kept[offset : offset + MAX_TEXT_BYTES], True))

    def _harmless(self, piece: bytes) -> bytes:
        """So much of a piece as comes before what may be a password."""
        if self._stops:
            return b""
        seen = self._tail + piece
        begins = near(seen)
        self._stops = begins >= 0
        harmless = piece[: max(0, begins - len(self._tail))] if self._stops else piece
        self._tail = seen[-NEAR_BYTES:]
        return harmless

    def end(self) -> None:
        """The text has ended."""
        events, kept = self._journal.step.events, self._journal.allowance.text
        events.append(Text(self.number, b""))
        if self.masked:
            events.append(Hidden("statement", self.number, f"masked: the text, of {self._size} bytes"))
        elif self._stops:
            words = f"masked: {self._size - self._kept} of {self._size} bytes, for a password may stand there"
            events.append(Hidden("statement", self.number, words))
        elif kept < self._size:
            events.append(Cut(self.number, kept, self._size, self._digest.hexdigest()))
