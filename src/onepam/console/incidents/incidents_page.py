"""Incidents: what their templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class IncidentsPage(PageContext):
    """The register: what is open, what is overdue, and who answers for it?

    `filter`: {state, severity}; `choices`: {state, severity: {value: word}}
    `figures`: {open, overdue, high, closed}
    `incidents`: list of {id, title, state, word (as `status` takes them), severity, found, owner (name), due,
        late (bool), closed (Instant or none)}
    `pager`: of parts/ui.html
    """

    template: ClassVar = "incidents.html"

    filter: Context
    choices: Context
    figures: Context
    incidents: list[Context]
    pager: Context


@dataclass(frozen=True, slots=True)
class NewIncidentPage(PageContext):
    """Opening one: what went wrong, who answers for it, and what belongs to it?

    `links`: list of {kind (word), words, value ("kind:ref")}; `value`: all of them, with spaces between
    `severities`: {value: word}; `me`: the reader's name
    POST /incidents (csrf, title, severity, owner, began, found, what, links).
    """

    template: ClassVar = "incident_new.html"

    links: list[Context]
    value: str
    severities: Context
    me: str


@dataclass(frozen=True, slots=True)
class IncidentPage(PageContext):
    """An incident: what happened when, what belongs to it, and what is still to be done?

    `incident`: as in `IncidentsPage`, with {began (Instant or none), opened, opened_by, closed_by}
    `start`, `end`, `ticks`, `lanes`: of parts/lanes.html
    `links`: list of {kind (word), words, href ("" without one), since (Instant or none), until}
    `history`: list of {at, words, entry}: what was written of it, the oldest first
    `keeps` (bool): assigns and opens again; `may_note` (bool); `may_close` (bool); `why_not`: why the reader does not
        close it, "" where they may or nobody asks
    `severities`: {value: word}; `kinds`: {value: word} of links
    """

    template: ClassVar = "incident.html"

    incident: Context
    start: Instant
    end: Instant
    ticks: list[Context]
    lanes: list[Context]
    links: list[Context]
    history: list[Context]
    keeps: bool
    may_note: bool
    may_close: bool
    why_not: str
    severities: Context
    kinds: Context
