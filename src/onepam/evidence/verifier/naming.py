"""Who somebody was called at a time, by the entries: all that name somebody are disclosed, so the last one is known."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import Dict, List, Optional, Tuple

from onepam.evidence.verifier.canonical import MAX_INTEGER
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import need
from onepam.evidence.verifier.rules import NAMED


class Names:
    """The entries of the range that say how a person is called."""

    def __init__(self, pack: Contents) -> None:
        self._disclosed = pack.disclosed
        self._entries: Dict[str, List[int]] = {}
        for index in pack.log.all_of(NAMED, 0, MAX_INTEGER + 1):
            need(index in pack.disclosed, f"entry {index} ({pack.log.kind(index)}) is not disclosed")
            self._entries.setdefault(str(pack.disclosed.body(index).get("person")), []).append(index)

    def by(self, person: str, at: int) -> List[int]:
        """The entry that said last, before or at entry `at`, how the person is called: one, or none in the range."""
        entries = self._entries.get(person, [])
        place = bisect.bisect_right(entries, at)
        return entries[max(0, place - 1) : place]

    def kind_of(self, person: str, at: int) -> Optional[str]:
        """What kind of person it was at entry `at`, as the entries of the range say; None where none does."""
        found = (self._disclosed.body(index).get("kind") for index in self._entries.get(person, ()) if index <= at)
        said = [str(each) for each in found if each is not None]
        return said[-1] if said else None

    def of_row(self, ledger: Iterable[int], people: Tuple[Tuple[str, str], ...]) -> List[int]:
        """Of everybody whom an entry of the row names at one of the paths, by the first that does."""
        paths: Dict[str, List[str]] = {}
        for kind, path in people:
            paths.setdefault(kind, []).append(path)
        found: Dict[str, List[int]] = {}
        for index in ledger:
            for path in paths.get(self._disclosed.log.kind(index), ()):
                person = self._disclosed.value(index, path)
                if person and person not in found:
                    found[person] = self.by(person, index)
        return [index for entries in found.values() for index in entries]
