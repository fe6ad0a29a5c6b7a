"""Seams: where the log was continued under a new name after a loss, as its own entries declare it."""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional

from onepam.evidence.verifier.canonical import MAX_INTEGER
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import need

CONTINUED = "ledger.continued"


class Seam(NamedTuple):
    """Entry `entry` goes on with the log `before` as `origin`; of the `size` entries of that log, under `root` (hex),
    the first `kept` are here."""

    entry: int
    origin: str
    before: str
    size: int
    root: str
    kept: int

    def words(self) -> str:
        """What is lost."""
        lost = f"entries {self.kept} to {self.size - 1} of {self.before} are lost"
        if self.kept == self.size:
            lost = f"the signer of {self.before} is lost, and none of its {self.size} entries"
        return f"{lost}: entry {self.entry} continues it as {self.origin}"


def find_seams(pack: Contents) -> List[Seam]:
    """The seams of the range, in order; each must be disclosed, and the last leads to the checkpoint's origin."""
    found: List[Seam] = []
    for index in pack.log.all_of((CONTINUED,), 0, MAX_INTEGER + 1):
        need(index in pack.disclosed, f"entry {index} ({CONTINUED}) is not disclosed")
        body = pack.disclosed.body(index)
        values: List[Any] = [body.get(name) for name in Seam._fields[1:]]
        seam = Seam(index, *values)
        fits = [type(value) for value in seam] == [int, str, str, int, str, int] and 0 <= seam.kept <= index
        need(fits and seam.kept <= seam.size, f"entry {index}: names no loss that can be")
        before = found[-1].origin if found else seam.before
        need(seam.before == before, f"entry {index} continues {seam.before}, and the log was {before}")
        found.append(seam)
    origin = found[-1].origin if found else pack.checkpoint.origin
    need(origin == pack.checkpoint.origin, "the log was continued under another name than the checkpoint's")
    roots = pack.log.roots_of({seam.size for seam in found})
    for seam in found:
        _check_root(seam, roots.get(seam.size))
    return found


def _check_root(seam: Seam, root: Optional[bytes]) -> None:
    """Whether a seam names the root of what it keeps, and not that of what is here as one of what is lost. `root` is
    that of as many entries, where they are here."""
    if root is not None:
        same, whole = seam.root == root.hex(), seam.kept == seam.size
        need(same or not whole, f"entry {seam.entry} names another root of the {seam.size} entries that it keeps")
        need(whole or not same, f"entry {seam.entry} declares as lost what is here")
