"""Carrying a change of a text over to a newer text: what somebody wrote is not lost because others were faster."""

from collections.abc import Sequence
from difflib import SequenceMatcher

MOST_LINES = 6_000
"""Of all three texts together; comparing more takes too long."""

_Edit = tuple[int, int, tuple[str, ...]]
"""Lines [begin, end) of the base become these."""


def carried(base: str, mine: str, theirs: str) -> str | None:
    """`theirs` with what `mine` changed of `base`; None where both changed the same lines, or the texts are too long.

    Where both put something in at one place, theirs stands first. Whether the result is what was meant, its plan shows.
    """
    old, one, two = (each.splitlines(keepends=True) for each in map(_ended, (base, mine, theirs)))
    if len(old) + len(one) + len(two) > MOST_LINES:
        return None
    lines, at = [], 0
    mine_next, theirs_next = _edits(old, one), _edits(old, two)
    while mine_next or theirs_next:
        if not mine_next or (theirs_next and theirs_next[0][:2] <= mine_next[0][:2]):
            edit, other = theirs_next.pop(0), mine_next
        else:
            edit, other = mine_next.pop(0), theirs_next
        if other and other[0] == edit and edit[0] < edit[1]:
            other.pop(0)
        elif other and other[0][0] < edit[1]:
            return None
        lines += [*old[at : edit[0]], *edit[2]]
        at = edit[1]
    return "".join([*lines, *old[at:]])


def _ended(text: str) -> str:
    """The last line ends as the others do, so that another can follow it."""
    return text if text.endswith("\n") or not text else f"{text}\n"


def _edits(old: Sequence[str], new: Sequence[str]) -> list[_Edit]:
    found = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(first, last, tuple(new[begin:end])) for tag, first, last, begin, end in found if tag != "equal"]
