"""What a database said, as a page shows it: bounded, with every invisible character written out."""

import re

from onepam.console.frame.page import Context
from onepam.console.frame.wording import visible
from onepam.protocols.postgres.runner import Result
from onepam.protocols.postgres.said import Notice, Value, Wrong
from onepam.protocols.postgres.splitting import Part

FOLDED_CHARACTERS = 100
"""What is longer is folded."""

_CONFIRM = re.compile(r"(https?://[^\s/]{1,300})(/confirm/cnf_[a-z0-9]+)", re.ASCII)

MOST_WORDS = 4_000
"""Characters of what a server says beside its values; of a value all is shown that was kept."""

BESIDE = 60
"""Characters of the statement on either side of where it is wrong."""


def notice_of(said: Notice, origin: str) -> Context:
    """A notice; where it asks for a confirmation at this `origin`, "" for nowhere, with the way there. A link elsewhere
    is for somebody else."""
    found = _CONFIRM.search(said.words)
    link = found[2] if found is not None and found[1] == origin else ""
    return {
        "severity": visible(said.severity[:20]) or "NOTICE",
        "words": _lines(said.words),
        "detail": _lines(said.detail),
        "hint": _lines(said.hint),
        "link": link,
    }


def result_of(result: Result, text: str) -> Context:
    """A result; `text` is the whole of which its statement is a part."""
    return {
        "number": result.number,
        "of": result.of,
        "statement": _short(" ".join(result.part.text.split())),
        "columns": [{"name": visible(each.name), "number": each.number} for each in result.columns],
        "rows": [[_cell(value) for value in row] for row in result.rows],
        "more": result.more,
        "copied": result.copied,
        "tag": visible(result.tag),
        "took": took(result.took),
        "wrong": _wrong(result.wrong, result.part, text) if result.wrong is not None else None,
    }


def took(seconds: float) -> str:
    """`12 ms`, `3.4 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{max(1, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _cell(value: Value | None) -> Context:
    if value is None:
        return {"null": True, "short": "", "text": "", "left": 0}
    text = _lines(value.text, len(value.text))
    folds = value.left or len(text) > FOLDED_CHARACTERS or "\n" in text
    short = f"{text.split(chr(10), 1)[0][:FOLDED_CHARACTERS]}…" if folds else ""
    return {"null": False, "short": short, "text": text, "left": value.left}


def _wrong(wrong: Wrong, part: Part, text: str) -> Context:
    line = column = 0
    before = at = after = ""
    if 0 < wrong.position <= len(part.text) + 1:
        place = part.start + wrong.position - 1
        begins = text.rfind("\n", 0, place) + 1
        ends = text.find("\n", place)
        line, column = text.count("\n", 0, place) + 1, place - begins + 1
        whole = text[begins : len(text) if ends < 0 else ends]
        before = visible(whole[max(0, column - 1 - BESIDE) : column - 1])
        at = visible(whole[column - 1 : column]) or " "
        after = visible(whole[column : column + BESIDE])
    return {
        "sqlstate": visible(wrong.sqlstate[:5]),
        "words": _lines(wrong.words),
        "detail": _lines(wrong.detail),
        "hint": _lines(wrong.hint),
        "line": line,
        "column": column,
        "before": before,
        "at": at,
        "after": after,
    }


def _short(text: str) -> str:
    return visible(text[:FOLDED_CHARACTERS]) + "…" * (len(text) > FOLDED_CHARACTERS)


def _lines(text: str, most: int = MOST_WORDS) -> str:
    return "\n".join(visible(line) for line in text[:most].split("\n"))
