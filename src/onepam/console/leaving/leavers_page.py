"""Leavers: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class LeaversPage(PageContext):
    """Leavers: how long their end took.

    `begin`, `until`: the period
    `total`: leavers in it
    `figures`: list of {word, value (str), state}: percentiles, findings
    `ticks`: list of {x (percent of the scale), word}
    `people`: list of {id, name, kind, because, origin, took (str), width (percent), state ("proven" | "finding"),
        findings (list of str), removed, stamps (list of {word, at}), points (list of {word, at, x}), systems (list of
        {name, held, removed, ended (or none), known (bool: else before `ended`), sealed (or none), probed (or none),
        state, word})}
    """

    template: ClassVar = "leavers.html"

    begin: Instant
    until: Instant
    total: int
    figures: list[Context]
    ticks: list[Context]
    people: list[Context]
    may_probe: bool
