"""The inbox: what its template is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.kernel.clock import Instant
from onepam.store.read.leavers import Stranded


@dataclass(frozen=True, slots=True)
class ApprovalsPage(PageContext):
    """The inbox: what waits for the reader's decision.

    `waiting`: list of {id, decision, person {id, name, detail}, resource {id, name, kind, labels}, login, passes
        (str: what of a database's statements passes), role,
        duration, when (str: its schedule, or ""), week (of parts/week.html, or none), agreed (str: who said yes of
        those whom it takes, or ""), reason, ticket, ticket_href (or none), at, expires, before (str: asked and
        used how often), unusual (list of str), chain, privileged (bool)}
    `stranded`: list of {request, person_name, resource, login, roles}: for administrators, what nobody left may
        decide
    `away`: list of {id, given (bool: the reader is away), name (of the other), begins, ends, reason}: who decides for
        whom; `delegates`: the reader may name somebody
    `decided`: list of {id, person, resource, login, decision ("approved" | "denied"), by, at, undo_left}: the newest.
        `undo_left` is for how many milliseconds the approval can still be undone (0: not any more); POST
        /approvals/<id>/undo (csrf) does
    `proposals`: list of {id, kind, icon, title, facts (list of {word, value}), text (of a statement, or ""), values
        (its parameters), by {id, name}, at, until, alone (Instant
        or none), href (or none), decision}
    `decision`: the form on it (parts/decision.html)
    `filter`: {q}: the words that the list is narrowed by
    `first`: it is the page of the oldest; `later`: after which instant the next page begins, or none
    `link`: none, or {url, ends}: the one-use link that a yes has just made, shown this once
    `held`, `reported`: accounts that a directory ended or reported, for administrators; decided on another page
    POST /approvals/<id> (csrf, digest, decision, comment, back): to `back` when it is done; a refusal on a request
    is a 4xx page.
    """

    template: ClassVar = "approvals.html"

    waiting: list[Context]
    stranded: Sequence[Stranded]
    away: list[Context]
    delegates: bool
    decided: list[Context]
    proposals: list[Context]
    filter: Context
    first: bool
    later: Instant | None
    link: Context | None
    held: int
    reported: int
