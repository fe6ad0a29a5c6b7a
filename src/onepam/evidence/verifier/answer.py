"""What the verification has found so far: the lists and lines that are printed at the end."""

from __future__ import annotations

from typing import List, Set


class Answer:
    """`lacks` is what the pack must hold and does not, what it leaves out, and what was not judged; `whole` that it is
    no more of that than an honest pack says. `proved` and `not_proved` are sentences; `about` says what the pack
    is, and `entries` which of the log it proves; `anchors` what holds it from outside; `doubts` why its author is
    not checked; `unanchored` what to give where there is no anchor. `recordings` is that line, `bad` counts
    recordings that are not as they were sealed, `told` are the sessions of those that have a row; `signatures` says
    of how many batches they were checked, and `unchecked` of how many they were not, though their node is known, by
    the draw of `seed`.
    `lawful` is that line, `found` counts what was not, and `unlawful` says it, as far as it is told."""

    def __init__(self) -> None:
        self.lacks: List[str] = []
        self.whole = True
        self.about: List[str] = []
        self.entries = ""
        self.proved: List[str] = []
        self.not_proved: List[str] = []
        self.anchors: List[str] = []
        self.doubts: List[str] = []
        self.unanchored = ""
        self.signatures, self.unchecked, self.seed = "", 0, ""
        self.lawful, self.found = "not judged", 0
        self.unlawful: List[str] = []
        self.recordings, self.bad = "not told: the pack has no report of sessions", 0
        self.told: Set[str] = set()

    def lack(self, said: str) -> None:
        """Something is missing, or was not judged, so that not all is well."""
        self.lacks.append(said)
        self.whole = False
