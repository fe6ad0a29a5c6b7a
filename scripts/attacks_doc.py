"""Writes docs/attacks.md, what was tried and what finds it: `python scripts/attacks_doc.py`.

The rows are those that the tests try: an attack that is not tried cannot stand there, nor one be left out.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "attacks.md"
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from onepam.domain.sessions.recordings import Checked, Condition  # noqa: E402
from onepam.jobs.recordings_standing import counted  # noqa: E402
from tests.evidence import (  # noqa: E402
    test_attacks_archive,
    test_attacks_checkpoint,
    test_attacks_exporter,
    test_attacks_history,
    test_attacks_reports,
)
from tests.gateway import test_recheck as recordings  # noqa: E402
from tests.tampering import every  # noqa: E402
from tests.tampering.cases import AT_DATABASES, CASES, Case  # noqa: E402
from tests.tampering.table import Answer, Found, Unfindable  # noqa: E402

_TOP = """# Attacks that were tried

Each row is a test: `tests/tampering`, `tests/gateway/test_recheck.py`, `tests/evidence`, and those that are named. Made
by `scripts/attacks_doc.py`.

## On the history
Somebody writes to the data folder and does this; then `onepam ledger verify` runs with the log's key, and with a
checkpoint that was kept elsewhere. With the *key in the folder* the attacker has the signer's key, too; with a
[signer as its own user](administrator.md#the-signer-as-its-own-user) not, and signs with a key of their own. Behind
each finding stands the exit code. *By the anchor*: without the checkpoint it is `consistent but not anchored`, exit 3;
all others are found without it. What is found is never called intact.

"""
_RECORDINGS = """
## On recordings
They are read again against the entries that sealed and closed them. Every row ends in exit 5; where rows of the ledger
were altered too (the last two), its own verification finds that as well, and the exit is 1. Those that are sealed or
wrapped anew take the master keys, which lie in the data folder.

"""
_PACKS = """
## On evidence packs
Each is refused by `verify.py` and by `onepam verify`, exit 1, in these words. What begins with *signing key* is done by
somebody who signs as the log; the witness's key reveals it. Beside these, each file of a pack is altered, emptied, left
out and exchanged with that of another pack, whichever files it has.

"""
_CASES = """
## What attackers got, and what came of it
OnePAM was attacked as it runs, and this is what was found by that. Each is a test now.

"""
_DATABASES = """
## On databases
Tried at [guardrails](guardrails.md), statements that ask first, masks and the query page, by whoever may use them. The
boundary is what the login may do at the server; what is a net and no boundary stands
[there](guardrails.md#in-results).

"""
_OF_PACKS = (
    test_attacks_archive,
    test_attacks_history,
    test_attacks_checkpoint,
    test_attacks_reports,
    test_attacks_exporter,
)


def page() -> str:
    """The page."""
    of_files = [_TOP, *_history(), _RECORDINGS, *_recordings(), _PACKS, *_packs()]
    return "".join([*of_files, _CASES, *_cases(CASES), _DATABASES, *_cases(AT_DATABASES)])


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n|{' --- |' * len(head)}\n"
    for each in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in each)} |\n"


def _history() -> Iterator[str]:
    rows = ((each.place, what, _cell(each.inside), "the same" if each.outside == each.inside else _cell(each.outside))
            for what, each in every.ATTACKS.items())  # fmt: skip
    yield from _table(("where", "what", "key in the folder", "signer elsewhere"), rows)


def _cell(answer: Answer) -> str:
    match answer:
        case Found():
            by = " by the anchor" if answer.anchored else ""
            return f"{_words(answer.words)}{by}, {int(answer.code)}"
        case Unfindable():
            return f"not found: {answer.because}"
        case _:
            return "out of reach"


def _recordings() -> Iterator[str]:
    rows = ((attack, f"`{condition.value}`: {_words(found)}", f"`{_line(condition)}`")
            for attack, (_, condition, found) in recordings.ATTACKS.items())  # fmt: skip
    yield from _table(("with one recording", "finding", "line *recordings*"), rows)


def _line(condition: Condition) -> str:
    """What the line says of one such recording."""
    return counted([Checked("", condition, "")], 1, 1, None).line().partition("; ")[2]


def _packs() -> Iterator[str]:
    rows = ((what, _words(says)) for each in _OF_PACKS for what, (_, says) in each.ATTACKS.table.items())
    yield from _table(("what", "words"), rows)


def _cases(cases: tuple[Case, ...]) -> Iterator[str]:
    rows = ((each.done, each.right, ", ".join(f"`{function}`" for _, function in each.tests)) for each in cases)
    yield from _table(("what was done", "what is right", "tests"), rows)


def _words(pattern: str) -> str:
    """The pattern that a test looks for, for people."""
    found = pattern.replace(chr(92), "").replace(".*", "…").replace("d+", "N")
    return " or ".join(f"`{each.strip()}`" for each in found.split("|"))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
