"""Requests and the inbox: what its templates are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.store.read.leavers import Stranded


@dataclass(frozen=True, slots=True)
class ApprovalsPage(PageContext):
    """The inbox: what waits for the reader's decision.

    `waiting`: list of {id, digest, person {id, name, detail}, resource {id, name, kind, labels}, login, role,
        duration, reason, ticket, ticket_href (or none), at, expires, before (str: asked and used how often), unusual
        (list of str), chain, privileged (bool)}
    `stranded`: list of {request, person_name, resource, login, roles}: for administrators, what nobody left may
        decide
    `decided`: list of {id, person, resource, login, decision ("approved" | "denied"), by, at, undo_left}: the newest.
        `undo_left` is for how many milliseconds the approval can still be undone (0: not any more); POST
        /approvals/<id>/undo (csrf) does
    POST /approvals/<id> (csrf, digest, decision, comment): back to the inbox when accepted; a refusal is a 4xx page.
    """

    template: ClassVar = "approvals.html"

    waiting: list[Context]
    stranded: Sequence[Stranded]
    decided: list[Context]


@dataclass(frozen=True, slots=True)
class RequestPage(PageContext):
    """One request, its chain and its history.

    `request`: {id, status, person {id, name}, resource {id, name, kind, labels}, login, role, permission, duration,
        reason, ticket, ticket_href (or none), at, expires, digest, ends (Instant or none: the grant's end), starting
        (bool: approved, and not in effect before effective_at), void_why (str), probe {state, word, at (or none)} or
        none: after the grant's end}
    `command`: or "": the command, for the requester while the grant runs
    `approvers`: list of {id, name}: who may decide (status open)
    `history`: list of {at, words, proof}
    `grant`: its id, "" while there is none
    `live`: sessions that withdrawing ends
    """

    template: ClassVar = "request.html"

    request: Context
    command: str
    approvers: list[Context]
    history: list[Context]
    chain: list[Context]
    may_withdraw: bool
    may_decide: bool
    may_end: bool
    grant: str
    live: int
