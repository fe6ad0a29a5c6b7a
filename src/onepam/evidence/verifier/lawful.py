"""Whether the history was lawful: every entry by its rule, which is the platform's own (the parts named `lawful.`).

That nothing had ended before, only the whole history tells: the rules are asked where the range begins with the log's
first entry, and the body of every entry is disclosed that a rule reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, List

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.batches import beginnings
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.proving import prove_entries
from onepam.evidence.verifier.refusal import Refused, counted
from onepam.ledger.lawful.form import of_form
from onepam.ledger.lawful.judging import Judging, Lawful, asks, cannot

CHAIN_ONLY = "chain shown, endings not checked"
NO_BATCH = -1


class _Fold:
    """The history up to now, of which the bodies come in order."""

    def __init__(self, pack: Contents) -> None:
        self._log, self._judging, self._next = pack.log, Judging(of_form), 0
        self._begins = _beginnings(pack)
        self._first = next(self._begins, NO_BATCH)

    def take(self, index: int, body: Any) -> None:
        """The next entry with a body. Of those before it no rule reads one, or it lacks, and then nothing is judged."""
        log, judge = self._log, self._judging.take
        for at in range(self._next, index + 1):
            begins = at == self._first
            judge(at, log.times[at], log.kinds[at], log.versions.get(at, 1), body if at == index else None, begins)
            if begins:
                self._first = next(self._begins, NO_BATCH)
        self._next = index + 1

    def end(self) -> Lawful:
        """After the last one."""
        self.take(self._log.end - 1, None)
        return self._judging.end()


def judge_entries(pack: Contents) -> List[Any]:
    """Proves the body of every disclosed entry, and judges the history by them: how many bodies it lacks that a rule
    reads; where it lacks none, the line, the number of findings, and as many in words as are told."""
    log = pack.log
    asked = {kind: asks(kind, 1) for kind in set(log.kinds)}
    lacking = sum(map(asked.__getitem__, log.kinds))
    for index, version in log.versions.items():
        lacking += asks(log.kind(index), version) - asked[log.kind(index)]
    fold = None if log.first else _Fold(pack)
    for index, body in prove_entries(pack):
        kind = log.kind(index)
        lacking -= asks(kind, log.version(index)) if index in log.versions else asked[kind]
        if fold is not None:
            fold.take(index, body)
    if fold is None or lacking:
        return [lacking, "", 0, []]
    found = fold.end()
    return [lacking, found.line(), found.found, [each.words() for each in found.findings]]


def _beginnings(pack: Contents) -> Iterator[int]:
    """The first entry of each batch; none where they cannot be read, for which `check_batches` refuses the pack."""
    try:
        return beginnings(pack)
    except Refused:
        return iter(())


def say_lawful(pack: Contents, judged: List[Any], answer: Answer) -> None:
    """Makes the line *lawful* of what `judge_entries` found; or says what the pack lacks for it."""
    lacking, line, found, words = judged
    first = pack.log.first
    if first or lacking:
        bodies = counted(lacking, "body that a rule reads", "bodies that the rules read")
        why = f"the entries before {first}" if first else bodies
        answer.lawful = f"{CHAIN_ONLY}: the pack lacks {why}"
        answer.lack(f"The pack lacks {why}, so what was lawful is not judged: {CHAIN_ONLY}")
        return
    answer.lawful, answer.found, answer.unlawful = line, found, words
    answer.not_proved.append(f"of what is lawful: {'; '.join(cannot())}")
