"""Writes the table in docs/notices.md, who is told of what: `python scripts/notices_doc.py`."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "notices.md"
sys.path.insert(0, str(ROOT / "src"))

from onepam.domain.telling.audience import Audience  # noqa: E402
from onepam.domain.telling.notices import TABLE  # noqa: E402
from onepam.domain.telling.row import Row  # noqa: E402

_WHO = {
    Audience.PERSON: "the person",
    Audience.REQUESTER: "whoever asked",
    Audience.DECIDERS: "whoever may decide",
    Audience.ADMINISTRATORS: "administrators",
    Audience.SECURITY: "security address",
    Audience.SYSTEMS: "webhooks, syslog",
}


def page() -> str:
    """The page with the table of `domain/telling/notices.py`."""
    lines = ["| what happened | who is told | page | entry |", "| --- | --- | --- | --- |", *map(_line, TABLE)]
    return re.sub(r"(?m)^\| what happened.*\n(\|.*\n)*", "\n".join(lines) + "\n", PAGE.read_text("utf-8"))


def _line(row: Row) -> str:
    who = ", ".join(words for audience, words in _WHO.items() if audience in row.audience)
    return f"| {row.says} | {who} | `{row.where}` | `{row.kind}` |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
