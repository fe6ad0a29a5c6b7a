"""What guardrails let through: which of two is wider, and what both do, None being none at all. And what of a
database's data is masked and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepam.kernel.instant import FOREVER

Guards = Mapping[str, Any]


def as_wide(these: Guards | None, those: Guards | None) -> bool:
    """Whether `these` let through all that `those` do."""
    if these is None or those is None:
        return these is None
    bounds = all(_bound(these[each]) >= _bound(those[each]) for each in ("rows", "timeout"))
    return bounds and set(those["statements"]) <= set(these["statements"])


def narrower(these: Guards | None, those: Guards | None) -> Guards | None:
    """What lets through only what both do."""
    if these is None or those is None:
        return those if these is None else these
    return {
        "statements": [each for each in these["statements"] if each in those["statements"]],
        "rows": min(_bound(these["rows"]), _bound(those["rows"])),
        "timeout": min(_bound(these["timeout"]), _bound(those["timeout"])),
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


def _bound(most: int | None) -> int:
    return FOREVER if most is None else most
