"""Requests: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class RequestPage(PageContext):
    """One request, its chain and its history.

    `request`: {id, status, person {id, name}, resource {id, name, kind, labels}, login, role, permission, passes
        (str: what of a database's statements passes), duration, when (str: its schedule, or ""), week (of
        `week_picture`), agreed (str, or ""), rule (str, or "": by which it was approved), reason, ticket, ticket_href
        (or none), at, expires, digest, ends (Instant or none: the grant's end), starting (bool: approved, and not in
        effect before effective_at), void_why (str), withheld (bool: a review withholds the role, so it opens nothing),
        probe {state, word, at (or none)} or none: after the grant's end}
    `command`: or "": the command, for the requester while the grant runs and the door would open
    `extends`: none, or {option, minutes, ticket}: the requester may ask for as long again, from its end on
    `waits_for`: who may decide, by name: the first few
    `known_state`: what the page shows of what may change, "" where it waits for nothing or is not the requester's
    `history`: list of {at, words, proof}
    `grant`: its id, "" while there is none
    `live`: sessions that withdrawing ends
    """

    template: ClassVar = "request.html"

    request: Context
    command: str
    extends: Context | None
    waits_for: str
    known_state: str
    history: list[Context]
    chain: list[Context]
    may_withdraw: bool
    may_decide: bool
    may_end: bool
    grant: str
    live: int
