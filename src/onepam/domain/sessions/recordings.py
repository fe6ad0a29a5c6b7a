"""Recordings held against the ledger, again and again: what each check found, and which recordings are bad now."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event


class Condition(StrEnum):
    """What became of a finished recording since its session was closed."""

    WHOLE = "whole"
    """It ends with the head of its closing entry, contains the head sealed before, and its counts agree."""
    GAP = "gap"
    """As it was closed: everything sealed is there, up to the gap that its closing entry names."""
    NONE = "none"
    """Its closing entry says that nothing was recorded, and nothing was ever sealed."""
    MISSING = "missing"
    CUT = "cut"
    """It ends before what was sealed."""
    ALTERED = "altered"
    FOREIGN = "foreign"
    """Every tag holds, and it is another recording than the one that was sealed."""
    KEY_MISSING = "key_missing"
    KEY_ALTERED = "key_altered"
    """The key beside it is not the one that was made for it."""
    UNREADABLE = "unreadable"
    """The disk does not give it, or the key beside it."""
    UNASKED = "unasked"
    """A statement ran in it that waited for somebody's yes, and the ledger has no yes to it."""

    @property
    def good(self) -> bool:
        """Whether it is what it was when its session was closed."""
        return self in (Condition.WHOLE, Condition.GAP, Condition.NONE)


@event("recordings.checked", klass="recording", control="LOG-02 LOG-03", words="{node} checked {number} recordings")
@dataclass(frozen=True, slots=True)
class RecordingsChecked:
    """Every recording whose closing entry has an index in [begin, until) was opened and held against the ledger.

    `number` of them, by condition in `conditions`; `root` is the hex RFC 6962 root over the canonical JSON of each
    result, in the order of the closing entries. `turn` is 0 for those that were new, else the number of the rotation.
    """

    node: str
    turn: int
    begin: int
    until: int
    number: int
    conditions: Mapping[str, int]
    root: str


@event(
    "recording.found_bad",
    klass="recording",
    alarm=True,
    control="LOG-02 LOG-03",
    words="The recording of the session {session} was found {condition}: {found}",
)
@dataclass(frozen=True, slots=True)
class RecordingFoundBad:
    """A finished recording is not what the ledger says of it: its condition, and what exactly was found."""

    session: str
    condition: Condition
    found: str


@event(
    "recording.found_good",
    klass="recording",
    control="LOG-02 LOG-03",
    words="The recording of the session {session} was found whole again",
)
@dataclass(frozen=True, slots=True)
class RecordingFoundGood:
    """A recording that was found bad is what it should be again: somebody has restored it."""

    session: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of one recording found; `found` is empty for a good one, but for one that the
    ledger does not vouch for to its end: there it says how far it does."""

    session: str
    condition: Condition
    found: str = ""


@dataclass(frozen=True, slots=True)
class KnownBad:
    """Which of the recordings that were checked are known to be bad, and how."""

    conditions: Mapping[str, Condition]


def told(
    known: KnownBad, results: tuple[Checked, ...], node: str, turn: int, begin: int, until: int, root: str
) -> Decided[int]:
    """One entry for each recording whose condition turned bad, good, or bad in another way, then that of the check: no
    part of the history holds a check without what it found. The result is the number of the bad ones."""
    changed: list[object] = []
    for each in results:
        before = known.conditions.get(each.session)
        if each.condition.good:
            changed += [RecordingFoundGood(each.session, each.condition)] * (before is not None)
        elif each.condition is not before:
            changed.append(RecordingFoundBad(each.session, each.condition, each.found))
    counts = Counter(each.condition.value for each in results)
    checked = RecordingsChecked(node, turn, begin, until, len(results), dict(sorted(counts.items())), root)
    return Decided((*changed, checked), sum(not each.condition.good for each in results))
