"""Writes the tables in docs/security.md of what was tried, and what finds it: `python scripts/attacks_doc.py`.

The rows are those that the tests try: an attack that is not tried cannot stand there, nor one be left out.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "security.md"
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from onepam.domain.sessions.recordings import Checked, Condition  # noqa: E402
from onepam.jobs.recordings_standing import counted  # noqa: E402
from onepam.ledger.verdict import ExitCode  # noqa: E402
from tests.boot import test_anchor_attacks as history  # noqa: E402
from tests.gateway import test_recheck as recordings  # noqa: E402

_HEADS = {
    "history": "| with the history | finding | line and exit |",
    "unfindable": "| not found | because |",
    "recordings": "| with one recording | finding | line |",
}


def page() -> str:
    """The page with the tables of the tests."""
    text = PAGE.read_text("utf-8")
    for name, head in _HEADS.items():
        lines = "\n".join([head, "|" + " --- |" * (head.count("|") - 1), *_ROWS[name]()]) + "\n"
        text, count = re.subn(rf"(?m)^{re.escape(head)}\n(\|.*\n)*", lines.replace("\\", r"\\"), text)
        if count != 1:
            raise ValueError(f"{PAGE.name} has {count} tables headed {head}")
    return text


def _history() -> list[str]:
    return [
        f"| {attack} | {_words(found)} | *history* `{'broken' if code == ExitCode.BROKEN else code}`, {int(code)} |"
        for attack, (_, code, found) in history.ATTACKS.items()
    ]


def _unfindable() -> list[str]:
    return [f"| {attack} | {why} |" for attack, (_, why) in history.UNFINDABLE.items()]


def _recordings() -> list[str]:
    return [
        f"| {attack} | `{condition.value}`: {_words(found)} | *recordings* `{_line(condition)}` |"
        for attack, (_, condition, found) in recordings.ATTACKS.items()
    ]


def _line(condition: Condition) -> str:
    """What the line says of one such recording."""
    told = counted([Checked("", condition, "")], 1, 1, None)
    return told.line().partition("; ")[2]


def _words(pattern: str) -> str:
    """The pattern that a test looks for, for people."""
    return " or ".join(f"`{each.strip().replace('.*', '…')}`" for each in pattern.split("|"))


_ROWS = {"history": _history, "unfindable": _unfindable, "recordings": _recordings}


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
