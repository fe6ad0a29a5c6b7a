"""What guardrails let through: which of two is wider, and what both do, None being none at all. And what of a
database's data is masked and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepam.kernel.instant import FOREVER, MINUTE

Guards = Mapping[str, Any]

WAITS_AT_MOST = 10 * MINUTE
"""How long a statement waits for a yes where they say nothing of it."""

BOUNDED = ("rows", "bytes", "timeout")
"""What is without a bound where they say none; before version 3 of a role they said none of bytes."""

ASK, RUNS = "ask_", 2
"""How the name of a class begins that asks first, and the level of one that does not."""


def as_wide(these: Guards | None, those: Guards | None) -> bool:
    """Whether `these` let through all that `those` do."""
    if these is None or those is None:
        return these is None
    bounds = all(_bound(these.get(each)) >= _bound(those.get(each)) for each in BOUNDED)
    levels = _levels(these)
    return (
        bounds
        and waits(these) >= waits(those)
        and all(levels.get(each, 0) >= level for each, level in _levels(those).items())
    )


def narrower(these: Guards | None, those: Guards | None) -> Guards | None:
    """What lets through only what both do."""
    if these is None or those is None:
        return those if these is None else these
    mine, theirs = _levels(these), _levels(those)
    levels = {each: min(level, theirs.get(each, 0)) for each, level in mine.items()}
    return {
        "statements": [each if level == RUNS else f"{ASK}{each}" for each, level in levels.items() if level],
        **{each: min(_bound(these.get(each)), _bound(those.get(each))) for each in BOUNDED},
        "wait": min(waits(these), waits(those)),
    }


def hides(these: Guards | None, those: Guards | None) -> bool:
    """Whether `these` mask every column and pattern that `those` do; `email` is `customers.email`, too."""
    here = these or {"columns": (), "patterns": ()}
    return those is None or (
        set(those["patterns"]) <= set(here["patterns"])
        and all(any(f".{column}".endswith(f".{each}") for each in here["columns"]) for column in those["columns"])
    )


def keeps(these: Guards | None, those: Guards | None) -> bool:
    """Whether of results `these` record as much as `those`."""
    if these is None or those is None:
        return those is None
    return bool(these["rows"] >= those["rows"] and these["bytes"] >= those["bytes"])


def waits(these: Guards | None) -> int:
    """How long a statement may wait for a yes."""
    said: int | None = (these or {}).get("wait")
    return WAITS_AT_MOST if said is None else said


def asks_first(these: Guards | None) -> frozenset[str]:
    """The classes of which statements run once somebody else has said yes."""
    if these is None:
        return frozenset()
    return frozenset(each for each, level in _levels(these).items() if level < RUNS)


def _levels(these: Guards) -> dict[str, int]:
    """How freely each class runs; those that do not are missing."""
    said = these["statements"]
    first = {each.removeprefix(ASK): RUNS - 1 for each in said if each.startswith(ASK)}
    return first | {each: RUNS for each in said if not each.startswith(ASK)}


def _bound(most: int | None) -> int:
    return FOREVER if most is None else most
