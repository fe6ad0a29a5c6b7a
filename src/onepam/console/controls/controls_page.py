"""Controls: what their templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class ControlsPage(PageContext):
    """The board: a tile for each control.

    `figures`: list of {word, value (str), state}: how many fail, are not tested, pass
    `controls`: list of {id, title, state, word, numbers (str), tested (Instant or none), owner (name or ""),
        due (Instant or none), late (bool), failing (Instant or none), picture (list of {x, y, height, state}),
        picture_words (str)}: what fails first
    `may_test`: the reader may have them tested now. POST /controls/run (csrf).
    """

    template: ClassVar = "controls.html"

    figures: list[Context]
    controls: list[Context]
    may_test: bool


@dataclass(frozen=True, slots=True)
class ControlPage(PageContext):
    """One control.

    `control`: as in `ControlsPage`, with {criteria (str), severity, rule, version, blind, cause, digest}
    `same`: the rows are those that the last run's digest is of; `ran`: there was a run
    `rows`: list of {kind, name, href (or ""), state, word, reason}: those that do not pass; `left`: how many more
    `runs`: list of {at, state, word, numbers, version, by (name or ""), digest}: the newest first
    `failures`: list of {since, until (Instant or none: it fails still)}: the newest first
    `may_assign`: the reader says who answers. POST /controls/<id>/owner (csrf, owner, due).
    `may_test`: POST /controls/run (csrf, control).
    """

    template: ClassVar = "control.html"

    control: Context
    same: bool
    ran: bool
    rows: list[Context]
    left: int
    runs: list[Context]
    failures: list[Context]
    may_assign: bool
    may_test: bool
