"""Whether nodes of ours wrote the stored entries: their batches judged one after another, as rows and batches are read.

`ledger/check.py` says whether the entries are what they were; this says whether they were ever ours. An entry that
lies in no batch, and one whose batch no node in force signed, is a finding that names it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from onepam.ledger.authors import KINDS, MAX_BATCH_ENTRIES, SEAM, Batch, Standing, Told, judge, pass_over
from onepam.ledger.findings import Finding, Findings, Row, What
from onepam.ledger.merkle import HASH_BYTES, MAX_SIZE
from onepam.ledger.note import VerifierKey

AFTER_A_LOSS = frozenset({SEAM, "ledger.continuation_announced"})
"""What the host writes when the signer is lost, so that nobody certifies its key. The seam rests on the recovery key or
on a day in which nobody cancelled its announcement: a batch of nothing else needs no node in force, once the ledger has
another name by it."""


_NOBODY = "no node of this ledger wrote it"


class Authorship:
    """One run over rows and batches, both in order of their indexes, from a standing on.

    `log_keys` are the keys of signers by origin; of an era without one nothing is judged, and `unjudged` counts its
    entries. Rows and batches are taken as they are stored: whatever has not its type is a finding, or one of
    `check`'s.
    """

    def __init__(self, standing: Standing, batches: Iterable[Batch], log_keys: Mapping[str, VerifierKey]) -> None:
        self.standing = standing
        self.unjudged = 0
        self._batches = iter(batches)
        self._log_keys = log_keys
        self._findings = Findings()
        self._batch = self._next()
        self._leaves: list[bytes] = []
        self._told: list[Told] = []
        self._kinds: set[str] = set()
        self._announced = Findings()

    def take(self, row: Row) -> None:
        """The next row."""
        index, _, kind, _, _, _, body, leaf = row
        if type(index) is not int or type(kind) is not str or type(body) is not bytes or type(leaf) is not bytes:
            return
        while self._batch is not None and index > self._batch.last:
            self._judge(self._batch)
            self._batch = self._next()
        if self._batch is None or index < self._batch.first:
            self._find(index, index + 1, "it is of no batch that a node signed")
            self.unjudged += self.standing.era not in self._log_keys
            return
        self._leaves.append(leaf)
        self._kinds.add(kind)
        if kind in KINDS:
            self._told.append(Told(index, kind, body))

    def begins(self, index: int) -> bool:
        """Whether the row that was taken last, of that index, is the first of a batch."""
        return self._batch is not None and index == self._batch.first

    def end(self) -> tuple[Finding, ...]:
        """What was found, once all rows were taken."""
        while self._batch is not None:
            self._judge(self._batch)
            self._batch = self._next()
        self._findings.extend(self._announced.all())
        return self._findings.all()

    def _next(self) -> Batch | None:
        """The next batch that can be one."""
        for batch in self._batches:
            first, last = batch.first, batch.last
            if type(first) is not int or type(last) is not int or not 0 <= first <= last <= MAX_SIZE:
                place = first if type(first) is int else self.standing.size
                self._find(place, place + 1, "what says who wrote it is no batch")
            elif type(batch.node) is not str or type(batch.signature) is not bytes or len(batch.signature) != 64:
                self._find(first, last + 1, "its batch has no node and no signature")
            elif last - first >= MAX_BATCH_ENTRIES:
                self._find(first, last + 1, "no batch is so large")
            elif first < self.standing.size:
                self._find(first, last + 1, "its batch lies over the one before")
            else:
                return batch
        return None

    def _judge(self, batch: Batch) -> None:
        before = self.standing
        gapless = replace(before, size=max(before.size, batch.first))  # rows before it are findings of their own
        leaves = [leaf if len(leaf) == HASH_BYTES else bytes(HASH_BYTES) for leaf in self._leaves]
        after = judge(gapless, batch, leaves, self._told, self._log_keys)
        if isinstance(after, str):
            after = self._unwritten(gapless, batch, after)
        if after.era != before.era:
            self._announced = Findings()
        if before.era not in self._log_keys:
            self.unjudged += len(leaves)
        self.standing = after
        self._leaves, self._told, self._kinds = [], [], set()

    def _unwritten(self, before: Standing, batch: Batch, why: str) -> Standing:
        """Names the batch, unless it only continues the ledger; how the chain stands after it."""
        after = pass_over(before, batch, self._told, self._log_keys)
        continued = SEAM in self._kinds and after.era != before.era
        if not self._kinds or not self._kinds <= AFTER_A_LOSS or (SEAM in self._kinds and not continued):
            self._find(batch.first, batch.last + 1, why)
            return pass_over(before, batch, [each for each in self._told if each.kind != SEAM], self._log_keys)
        if not continued:
            self._announced.add(What.AUTHOR, batch.first, batch.last + 1, f"{_NOBODY}: {why}")
        return after

    def _find(self, begin: int, end: int, message: str) -> None:
        if self.standing.era in self._log_keys:
            self._findings.add(What.AUTHOR, begin, end, f"{_NOBODY}: {message}")
