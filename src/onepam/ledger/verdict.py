"""What a verification answers: three lines, each with words of its own, and the exit code of whoever ran it.

*history* says whether the entries are what they were, *lawful* whether the history gave every right that was used, and
*recordings* whether what was recorded is still there. Nothing is called intact without an anchor from outside: whoever
can write to the database could otherwise have written all of it. docs/evidence.md has the table of exit codes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from onepam.kernel.clock import DAY, Instant, iso
from onepam.ledger.check import Anchor

MAX_ANCHOR_AGE = DAY
"""How much ledger time may have passed since the last anchored entry; checkpoints are handed out each day."""


class Word(StrEnum):
    """The first words of the line *history*."""

    INTACT = "anchored and intact"
    UNANCHORED = "consistent but not anchored"
    BROKEN = "broken"


class ExitCode(IntEnum):
    """Of `onepam ledger verify`, `onepam verify` and `verify.py` alike. Where several apply: broken, unlawful,
    recordings, unanchored, incomplete, in this order."""

    INTACT = 0
    BROKEN = 1
    USAGE = 2
    """Nothing was judged: wrong arguments, files that are not there, or that do not fit each other."""
    UNANCHORED = 3
    FAULT = 4
    """It could not be carried through: the running signer, a disk or something else failed."""
    RECORDINGS = 5
    """The history is not broken; a recording is missing, cut or altered."""
    UNLAWFUL = 6
    """The history is not broken; a right was used that it did not give."""
    INCOMPLETE = 7
    """Of a pack only: anchored and nothing wrong, but something is lacking, left out or was not judged."""


@dataclass(frozen=True, slots=True)
class Held:
    """An anchor that the entries give. `at` is the ledger time of the last entry that it covers."""

    anchor: Anchor
    at: Instant


@dataclass(frozen=True, slots=True)
class History:
    """The line *history*: `reason` says what anchors it, what an anchor lacks, or how many findings break it."""

    word: Word
    reason: str

    def line(self) -> str:
        """The line, without its name."""
        return f"{self.word.value}: {self.reason}"


def history(size: int, head_at: Instant, broken: int, held: Sequence[Held], lost: Sequence[str] = ()) -> History:
    """The answer over `size` entries, the newest of ledger time `head_at`; `broken` is the number of findings, and
    `lost` says of each seam what is gone: a history that was continued after a loss is never told without it."""
    found = _history(size, head_at, broken, held)
    return History(found.word, "; ".join((found.reason, *lost)))


def _history(size: int, head_at: Instant, broken: int, held: Sequence[Held]) -> History:
    if broken:
        return History(Word.BROKEN, f"{broken} {'finding' if broken == 1 else 'findings'} in {size} entries")
    outside = max((each for each in held if each.anchor.outside), key=lambda each: each.anchor.size, default=None)
    if outside is None:
        return History(Word.UNANCHORED, f"{size} entries, and nothing outside this machine says that they are the same")
    covered, holder = outside.anchor.size, outside.anchor.holder
    if head_at - outside.at > MAX_ANCHOR_AGE:
        reason = f"{holder} covers {covered} of {size} entries and is older than a day: get a newer one"
        return History(Word.UNANCHORED, reason)
    words = f"{size} entries" if covered == size else f"the first {covered} of {size} entries"
    return History(Word.INTACT, f"{words}, by {holder}; the last of them is of {iso(outside.at)}")


@dataclass(frozen=True, slots=True)
class Recordings:
    """What is known of recordings: `checked` of `total` were read again and held against the ledger, the newest check
    at `as_of`. The others are counted apart: `disposed` by retention, `missing`, `cut`, `altered`, `foreign` (another
    recording, or one sealed anew), `unopened` (the key beside it is gone or another's, or the disk does not give it),
    `unasked` (a statement ran in it without the yes that it waited for).
    """

    total: int
    checked: int = 0
    as_of: Instant | None = None
    disposed: int = 0
    missing: int = 0
    cut: int = 0
    altered: int = 0
    foreign: int = 0
    unopened: int = 0
    unasked: int = 0

    @property
    def bad(self) -> int:
        """How many are not what the ledger says."""
        return self.missing + self.cut + self.altered + self.foreign + self.unopened + self.unasked

    def line(self) -> str:
        """The line, without its name."""
        words = f"{self.checked} of {self.total} checked"
        if self.as_of is not None:
            words += f", as of {iso(self.as_of)}"
        names = ("disposed", "missing", "cut", "altered", "foreign", "unopened", "unasked")
        return words + "".join(f"; {count} {name}" for name in names if (count := getattr(self, name)))


def exit_code(found: History, unlawful: int, recordings: Recordings | None) -> ExitCode:
    """The code of the gravest answer. `unlawful` is the number of findings; `recordings` are None where they were not
    asked for."""
    if found.word is Word.BROKEN:
        return ExitCode.BROKEN
    if unlawful:
        return ExitCode.UNLAWFUL
    if recordings is not None and recordings.bad:
        return ExitCode.RECORDINGS
    return ExitCode.INTACT if found.word is Word.INTACT else ExitCode.UNANCHORED
