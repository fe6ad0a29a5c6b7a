"""Recordings to inspect: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class InspectionsPage(PageContext):
    """The sessions that were drawn: what waits, what is overdue, what was said.

    `filter`: {state ("" | "waiting" | "overdue" | "done")}; `choices`: {state: {value: word}}
    `figures`: {ended, drawn, share (percent of the ended), inspected, late, waiting, overdue, concerns, done (percent)}
    `sessions`: list of {id, state ("due" | "finding" | "proven"), word, person {id, name}, resource, login, entry,
        opened, ended, risks (list of words), due, own (bool: the reader's), said: list of {by, verdict (word),
        concern (bool), note, at}}
    `pager`: of parts/ui.html
    POST /sessions/ID/inspect (csrf, verdict, note, back).
    """

    template: ClassVar = "inspections.html"

    filter: Context
    choices: Context
    figures: Context
    sessions: list[Context]
    pager: Context
