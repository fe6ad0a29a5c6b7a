"""What a review comes to in numbers, and which reviewers decided faster than anybody reads (REV-05)."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from onepam.domain.reviews.events import Verdict
from onepam.kernel.clock import SECOND, Instant

FEWEST = 50
"""Items of one reviewer below which nothing is said of how they decided."""

MOST_KEPT = 95
"""Of a hundred: whoever keeps more, and that quickly, is said to have stamped."""

QUICK = 2 * SECOND
"""Between two decisions of a reviewer, at the median (microseconds)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The last decision on an item."""

    person: str
    role: str
    verdict: Verdict
    by: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Pace:
    """How one reviewer decided: on how many, how many of them kept, and the median of the times from one decision to
    the next (microseconds; None of fewer than two)."""

    reviewer: str
    items: int
    kept: int
    median: int | None

    @property
    def rubber_stamp(self) -> bool:
        """Whether more than 95 of 100 were kept, of 50 or more, at a median of less than two seconds."""
        quick = self.median is not None and self.median < QUICK
        return quick and self.items >= FEWEST and 100 * self.kept > MOST_KEPT * self.items


@dataclass(frozen=True, slots=True)
class Figures:
    """What somebody who signs a review off has seen. `not_remediated`: removed, and a binding gives it
    still, or another system has it. Of those that were kept `reduced` are kept until a day."""

    kept: int
    removed: int
    unanswered: int
    not_remediated: int
    rubber_stamps: tuple[str, ...]
    reduced: int = 0

    def seen(self) -> str:
        """Them as a form carries them back."""
        numbers = (self.kept, self.reduced, self.removed, self.unanswered, self.not_remediated)
        return ".".join((*map(str, numbers), *self.rubber_stamps))


def paces(decisions: Iterable[Decision]) -> tuple[Pace, ...]:
    """Each reviewer's, in order of their ids."""
    of: dict[str, list[Decision]] = {}
    for each in decisions:
        of.setdefault(each.by, []).append(each)
    return tuple(_pace(reviewer, those) for reviewer, those in sorted(of.items()))


def _pace(reviewer: str, those: list[Decision]) -> Pace:
    times = sorted(each.at for each in those)
    gaps = sorted(later - earlier for earlier, later in pairwise(times))
    kept = sum(each.verdict is Verdict.KEEP for each in those)
    return Pace(reviewer, len(those), kept, gaps[len(gaps) // 2] if gaps else None)


def figures(
    items: int, decisions: tuple[Decision, ...], withheld: Iterable[tuple[str, str]], reduced: int = 0
) -> Figures:
    """Of a review of so many items. `withheld` are people and the roles that give them nothing."""
    kept = sum(each.verdict is Verdict.KEEP for each in decisions)
    removed = {(each.person, each.role) for each in decisions if each.verdict is Verdict.REMOVE}
    return Figures(
        kept=kept,
        removed=len(removed),
        unanswered=items - len(decisions),
        not_remediated=len(removed.intersection(withheld)),
        rubber_stamps=tuple(each.reviewer for each in paces(decisions) if each.rubber_stamp),
        reduced=reduced,
    )
