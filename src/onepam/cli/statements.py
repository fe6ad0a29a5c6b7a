"""A database's recorded statements as lines of a terminal, with nothing let through that could act on it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from onepam.cli.show import clean

MOST_CHARACTERS = 2_000
"""Of a text, and of the values together; the files of `--save` have all."""


def statement_lines(lines: Iterable[str]) -> Iterator[str]:
    """Each execution: when, what came of it, rows, how long it took, then its text, and its values if there are any."""
    for line in lines:
        told = json.loads(line)
        yield _words(told) if "outcome" in told else clean(f"-- {told.get('note', '')}")


def _words(told: dict[str, Any]) -> str:
    took = "" if told["microseconds"] is None else f"{told['microseconds'] / 1000:,.1f} ms"
    text = "(text further up)" if told["text"] is None else _short(told["text"])
    values = _short(", ".join(map(_value, told["parameters"])))
    said = (values, _short(told["words"]), _waited(told), _short(told["note"]))
    rest = "".join(f"  -- {each}" for each in said if each)
    begun, outcome = clean(told["started"][:23]), clean(told["outcome"])
    return f"{begun:23}  {outcome:10} {told['rows']:>9,} rows {took:>12}  {text}{rest}"


def _waited(told: dict[str, Any]) -> str:
    """`approved by Mia Manager, waited 59.0 s`; of what did not wait nothing."""
    if told.get("waited_microseconds") is None:
        return ""
    by = f" by {told['decided_by']}" if told["decided_by"] else ""
    return clean(f"{told['decision']}{by}, waited {told['waited_microseconds'] / 1_000_000:,.1f} s")


def _value(value: dict[str, Any]) -> str:
    match value["kind"]:
        case "null":
            return "NULL"
        case "omitted":
            return f"{value['size']:,} bytes"
        case "binary":
            return f"\\x{value['value']}"
        case _:
            return json.dumps(value["value"], ensure_ascii=False)


def _short(text: str) -> str:
    """On one line, and not longer than a person reads."""
    shown = clean(" ".join(text[: MOST_CHARACTERS + 1].split()))
    return shown if len(text) <= MOST_CHARACTERS else f"{shown[:MOST_CHARACTERS]} …"
