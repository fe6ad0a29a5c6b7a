"""What guardrails let through: which of two is wider, and what both do. None is no guardrails at all."""

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


def _bound(most: int | None) -> int:
    return FOREVER if most is None else most
