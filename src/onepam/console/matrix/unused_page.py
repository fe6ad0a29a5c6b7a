"""Rights that nobody uses: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class UnusedPage(PageContext):
    """What people hold against what they used within 90 days, by role and by person.

    `views`: as DifferencePage's
    `filter`: {role ("" for all)}
    `roles`: list of {role, people, using, unused, late, rights, touched, percent (of the rights used)}
    `rows`: list of {person {id, name}, role, last (Instant or none), sessions, rights, touched, flagged, due
        (Instants), state, word (of parts/ui.html status), proposal (str)}: what is unused, the longest first
    `suggested`: list of {people (list of str), manager, lines}: roles that fit what people use
    `may_plan`: the reader may prepare a change from it
    `pager`: of parts/ui.html
    """

    template: ClassVar = "unused.html"

    views: list[Context]
    filter: Context
    roles: list[Context]
    rows: list[Context]
    suggested: list[Context]
    may_plan: bool
    pager: Context
