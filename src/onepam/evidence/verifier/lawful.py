"""Whether the history was lawful: every entry by its rule, which is the platform's own (the parts named `lawful.`).

That nothing had ended before, only the whole history tells: the rules are asked where the range begins with the log's
first entry, and the body of every entry is disclosed that a rule reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.disclosed import _value_of
from onepam.evidence.verifier.progress import Progress
from onepam.evidence.verifier.refusal import counted
from onepam.ledger.lawful.judging import Judging, asks, cannot

CHAIN_ONLY = "chain shown, endings not checked"
NO_BATCH = -1


def _body_of(body: bytes) -> Any:
    return _value_of(body.decode("utf-8"))


def judge_lawful(pack: Contents, answer: Answer, begins: Iterator[int]) -> None:
    """Makes the line *lawful*; or says what the pack lacks for it. `begins` are the entries that begin a batch, in
    order: no command goes beyond one."""
    log, disclosed = pack.log, pack.disclosed
    asked = {kind: asks(kind, 1) for kind in set(log.kinds)}
    lacking = 0
    for index, kind in enumerate(log.kinds, log.first):
        needed = asks(kind, log.version(index)) if index in log.versions else asked[kind]
        lacking += needed and index not in disclosed
    if log.first or lacking:
        bodies = counted(lacking, "body that a rule reads", "bodies that the rules read")
        why = f"the entries before {log.first}" if log.first else bodies
        answer.lawful = f"{CHAIN_ONLY}: the pack lacks {why}"
        answer.lack(f"The pack lacks {why}, so what was lawful is not judged: {CHAIN_ONLY}")
        return
    judging, progress = Judging(_body_of), Progress("lawful", log.end, 200_000)
    first = next(begins, NO_BATCH)
    for index, (time, kind) in enumerate(zip(log.times, log.kinds)):
        judging.take(index, time, kind, log.version(index), disclosed.stored(index), index == first)
        first = next(begins, NO_BATCH) if index == first else first
        progress.at(index + 1)
    found = judging.end()
    answer.lawful, answer.found = found.line(), found.found
    answer.unlawful = [each.words() for each in found.findings]
    answer.not_proved.append(f"of what is lawful: {'; '.join(cannot())}")
