"""Further states of pages: lists that are narrowed, statements that wait or were decided on, what nobody reaches."""

from dataclasses import replace

from onepam.console.sessions.query_words import notice_of
from onepam.kernel.clock import HOUR
from onepam.protocols.postgres.said import Notice
from tests.console.samples.access import RESOURCE
from tests.console.samples.activity import DATABASE_SESSION
from tests.console.samples.company import FRESH_PROOF, ago
from tests.console.samples.everyday import APPROVALS, NO_APPROVALS
from tests.console.samples.querying import QUERY_RAN
from tests.console.samples.requests import REQUESTS

APPROVALS_NARROWED = replace(APPROVALS, filter={"q": "jonas"}, waiting=APPROVALS.waiting[:1], stranded=[])
APPROVALS_NOTHING = replace(NO_APPROVALS, filter={"q": "nobody"})

_DENIED = {"q": "", "state": "denied", "days": "30"}
REQUESTS_NARROWED = replace(
    REQUESTS,
    filter=_DENIED,
    requests=REQUESTS.requests[3:4],
    pager={"total": 1, "first": True, "next": "", "filters": {"state": "denied", "days": "30"}},
)
REQUESTS_NOTHING = replace(REQUESTS, filter={**_DENIED, "q": "nobody"}, requests=[])

RESOURCE_ASKED = replace(
    RESOURCE,
    open=[{**RESOURCE.open[0], "command": "", "token": False}],
    requestable=[{**RESOURCE.requestable[0], "pending": "req_7f2m", "ticket_required": False}],
)
"""Where the gateway does not listen for its clients, and one login was asked for."""
RESOURCE_LEFT = replace(
    RESOURCE,
    resource={
        **RESOURCE.resource,
        "kind": "postgres",
        "mask": "columns card_number, customers.email; patterns \\b\\d{16}\\b",
        "session_users": {"made_by": "pam_owner", "member_of": [["app_read", "app_readers"], ["app", "app_writers"]]},
        "left": [
            {
                "user": "onepam_k3vq2mzt5a7xw4ne",
                "session": "ses_k3vq2mzt5a7xw4ne",
                "why": "what it owns could not be given to its role",
                "since": ago(HOUR),
            }
        ],
    },
)
RESOURCE_NOBODYS = replace(
    RESOURCE,
    resource={**RESOURCE.resource, "pins": []},
    open=[{**RESOURCE.open[0], "ready": False}],
    requestable=[],
    reach=[],
    sessions=[],
)

_WAITS = Notice(
    "NOTICE",
    "OnePAM: this statement waits for a yes of the roles platform-lead or database-owner, until 2026-11-30T09:10:00Z "
    "at the latest; others wait for what this transaction has locked: https://pam.example.org/approvals#stm_7f2k",
)
QUERY_WAITS = replace(QUERY_RAN, notices=[notice_of(_WAITS, "https://pam.example.org")], results=QUERY_RAN.results[:1])

_LINES = (DATABASE_SESSION.statements or {})["lines"]
STATEMENTS_DECIDED = replace(
    DATABASE_SESSION,
    session={**DATABASE_SESSION.session, "state": "live", "ended": None, "because": "", "recording": "live"},
    statements={
        **(DATABASE_SESSION.statements or {}),
        "lines": [
            {**_LINES[1], "waited": {"words": words, "href": "/ledger?entry=3"}, "state": state, "outcome": outcome}
            for words, state, outcome in (
                ("denied by Mira Okafor, waited 4 min", "finding", "Refused"),
                ("nobody decided in time, waited 10 min", "finding", "Error"),
                ("approved by Mira Okafor, waited 12 s", "due", "Unfinished"),
            )
        ],
    },
    proof=FRESH_PROOF,
)
"""Of a session that is open, three that waited for somebody's yes."""
STATEMENTS_NOTHING = replace(
    DATABASE_SESSION,
    statements={**(DATABASE_SESSION.statements or {}), "lines": [], "filter": {"q": "customers", "outcome": "refused"}},
)
