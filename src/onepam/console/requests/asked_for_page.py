"""Everybody's requests: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class RequestsPage(PageContext):
    """Everybody's requests, the newest first.

    `filter`: {q, state (of `requests.STATES`, or ""), days (str, or "")}
    `choices`: of each filter that is chosen, value -> word
    `requests`: list of {id, state, person {id, name}, resource (name), login, role, duration, at, decided (Instant or
        none), by (name, or ""), because (str), reason, ticket (or "")}
    `pager`: of parts/ui.html
    """

    template: ClassVar = "requests.html"

    filter: Context
    choices: Context
    requests: list[Context]
    pager: Context
