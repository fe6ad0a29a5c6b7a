"""My access, a request, the approvals inbox, a refusal."""

from dataclasses import replace
from typing import Any

from onepam.console.desk.home_page import HomePage
from onepam.console.desk.inbox_page import ApprovalsPage
from onepam.console.frame.refusal_page import RefusalPage
from onepam.console.frame.rendering import Flash
from onepam.console.frame.week import week_picture
from onepam.console.frame.wording import agreed_words
from onepam.console.requests.requests_page import RequestPage
from onepam.console.sessions.database_token_page import DatabaseTokenPage
from onepam.domain.access.hours import Offset, Schedule, Weekday, Weekly, schedule_words
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE, SECOND, Instant
from onepam.store.read.leavers import Stranded
from tests.console.samples.company import (
    CHAIN,
    DB1,
    DB2,
    FRESH_PROOF,
    JONAS,
    PRIYA,
    PROOF,
    STAGE,
    STANDING,
    TOMAS,
    WEB1,
    WEB2,
    Context,
    ago,
    ahead,
    decision,
    ssh,
)

_ROOT = "curl -o onepam-databases.pem https://pam.example.org/databases/root.pem"
_PSQL = [("Once: the root certificate", _ROOT), ("psql", "psql 'host=gate.example.org user=app@db-orders-1'")]
DATABASE_TOKEN = DatabaseTokenPage("app@db-orders-1", "db-orders-1", "opl_7JqM2nVx0sTt", ahead(10 * MINUTE), _PSQL)
HOME = HomePage(
    query="",
    terminals=[],
    alerts=[],
    open=[
        {
            "resource": DB1,
            "login": "postgres",
            "ends": ahead(3 * HOUR + 8 * MINUTE),
            "ready": True,
            "pin": "host key",
            "token": False,
            "command": ssh("postgres", "db-orders-1"),
            "more": [
                ["scp", "scp -P 2222 dump.sql postgres@db-orders-1@gate.example.org:/tmp/"],
                ["sftp", "sftp -P 2222 postgres@db-orders-1@gate.example.org"],
            ],
            "chain": CHAIN,
        },
        {
            "resource": WEB1,
            "login": "deploy",
            "ends": ahead(26 * MINUTE),
            "ready": True,
            "pin": "host key",
            "token": False,
            "command": ssh("deploy", "web-1"),
            "more": [],
            "chain": CHAIN,
        },
        {
            "resource": STAGE,
            "login": "deploy",
            "ends": FOREVER,
            "ready": False,
            "pin": "host key",
            "token": False,
            "command": ssh("deploy", "stage-1"),
            "more": [],
            "chain": STANDING,
        },
    ],
    requestable=[
        {
            "resource": DB2,
            "approvers": "Mira Okafor or Lena Vogel",
            "ticket_required": True,
            "ticket": "^OPS-[0-9]+$",
            "approvals": 2,
            "ahead": 30 * DAY,
            "weekly": 90 * DAY,
            "first_use": True,
            "unasked": "1 h at a time, 3 times in seven days",
            "pending": None,
            "options": [
                {
                    "value": "db-prod:postgres",
                    "login": "postgres",
                    "role": "Database operator",
                    "longest": 8 * HOUR,
                    "opens": "shell, exec",
                },
                {
                    "value": "db-prod:root",
                    "login": "root",
                    "role": "Database operator",
                    "longest": HOUR,
                    "opens": "shell, exec",
                },
            ],
        },
        {
            "resource": WEB2,
            "approvers": "Mira Okafor",
            "ticket_required": False,
            "ticket": "",
            "approvals": 1,
            "ahead": 0,
            "weekly": 0,
            "first_use": False,
            "unasked": "",
            "pending": "req_7f2m",
            "options": [
                {
                    "value": "web:deploy",
                    "login": "deploy",
                    "role": "Engineer",
                    "longest": 4 * HOUR,
                    "opens": "shell, exec",
                }
            ],
        },
    ],
    beyond=12,
    open_beyond=0,
    requests=[
        {
            "id": "req_7f2m",
            "resource": "web-2",
            "login": "deploy",
            "status": "open",
            "at": ago(4 * MINUTE),
            "ends": None,
            "waiting_for": "Lena Vogel",
            "when": "from 5 December 2026 18:00 UTC",
            "withheld": False,
        },
        {
            "id": "req_7f2k",
            "resource": "db-orders-1",
            "login": "postgres",
            "status": "approved",
            "at": ago(52 * MINUTE),
            "ends": ahead(3 * HOUR),
            "waiting_for": "",
            "when": "",
            "withheld": False,
        },
        {
            "id": "req_7e11",
            "resource": "build-1",
            "login": "root",
            "status": "denied",
            "at": ago(2 * DAY),
            "ends": None,
            "waiting_for": "",
            "when": "",
            "withheld": False,
        },
    ],
    sessions=[
        {
            "id": "ses_1",
            "resource": "db-orders-1",
            "login": "postgres",
            "started": ago(18 * MINUTE),
            "ended": None,
            "state": "live",
        },
        {
            "id": "ses_2",
            "resource": "stage-1",
            "login": "deploy",
            "started": ago(27 * HOUR),
            "ended": ago(26 * HOUR),
            "state": "closed",
        },
    ],
    setup=None,
    waits=None,
    runs=False,
    lights=[],
    wall=None,
    reading=None,
    launcher=True,
)

SETUP: Context = {
    "done": 4,
    "steps": [
        {"title": "A second administrator", "text": "", "done": True, "href": "/people"},
        {"title": "Connect your identity provider", "text": "", "done": True, "href": "/providers"},
        {"title": "Resources and roles in access.yaml", "text": "", "done": True, "href": "/changes"},
        {"title": "Host keys pinned", "text": "", "done": True, "href": "/resources"},
        {
            "title": "Everybody has a second factor",
            "text": "2 people without",
            "done": False,
            "href": "/people",
        },
        {
            "title": "A witness on another host",
            "text": "So that nobody here can rewrite history",
            "done": False,
            "href": "/ledger",
        },
        {"title": "A first backup", "text": "Key folder and database", "done": False, "href": "/ledger"},
    ],
}

EMPTY_HOME = replace(
    HOME,
    open=[],
    requestable=[],
    beyond=0,
    requests=[],
    sessions=[],
    setup=SETUP,
)

REQUEST = RequestPage(
    request={
        "id": "req_7f2k",
        "status": "approved",
        "person": JONAS,
        "resource": DB1,
        "login": "postgres",
        "role": "Database operator",
        "permission": "db-prod",
        "passes": "read and other; write once somebody has said yes; at most 500 rows",
        "duration": 4 * HOUR,
        "when": "",
        "week": None,
        "agreed": "",
        "rule": "",
        "reason": "Rebuild the bloated index on orders; agreed with the shop team for this afternoon.",
        "ticket": "OPS-2291",
        "ticket_href": "https://tickets.example.org/OPS-2291",
        "at": ago(52 * MINUTE),
        "expires": ahead(23 * HOUR),
        "digest": "b1946ac92492d2347c6235b4d2611184",
        "ends": ahead(3 * HOUR + 8 * MINUTE),
        "starting": False,
        "effective_at": ago(47 * MINUTE),
        "void_why": "",
        "withheld": False,
        "probe": {"state": "proven", "word": "refused", "at": ago(MINUTE)},
    },
    command=ssh("postgres", "db-orders-1"),
    extends={"option": "db:postgres", "minutes": 240, "ticket": "OPS-2291"},
    waits_for="Mira Okafor and Lena Vogel",
    known_state="approved-running",
    chain=CHAIN,
    may_withdraw=True,
    may_end=False,
    grant="grt_1",
    may_decide=False,
    live=1,
    history=[
        {"at": ago(52 * MINUTE), "words": "Jonas Lindqvist asked to reach db-orders-1 as postgres", "proof": PROOF},
        {"at": ago(47 * MINUTE), "words": "Mira Okafor approved the request req_7f2k: go ahead", "proof": PROOF},
        {"at": ago(18 * MINUTE), "words": "Jonas Lindqvist opened a session as postgres", "proof": FRESH_PROOF},
    ],
)


def letter(ident: str, person: Context, target: Context, login: str, reason: str, age: int, **more: Any) -> Context:
    return {
        "id": ident,
        "decision": decision(ident, digest="b1946ac92492"),
        "person": person,
        "resource": target,
        "login": login,
        "role": "Database operator",
        "passes": "read and other; write once somebody has said yes; at most 500 rows",
        "duration": 4 * HOUR,
        "when": "",
        "week": None,
        "agreed": "",
        "reason": reason,
        "ticket": "OPS-2291",
        "ticket_href": None,
        "at": ago(age),
        "expires": ahead(23 * HOUR),
        "before": "Asked 3 times before, and used it each time",
        "unusual": [],
        "chain": CHAIN[:3],
        "privileged": True,
        **more,
    }


WORKING_HOURS = Schedule(
    None, Weekly(tuple(Weekday)[:5], 9 * 60, 17 * 60, "Europe/Berlin", (Offset(Instant(0), 3600),))
)
APPROVALS = ApprovalsPage(
    filter={"q": ""},
    first=True,
    later=None,
    link=None,
    proposals=[],
    held=0,
    reported=0,
    stranded=[
        Stranded("req_x", "Jonas Lindqvist", "db-orders-1", "root", ("Platform lead",)),
    ],
    delegates=True,
    away=[{"id": "dlg_1", "given": True, "name": "Lena", "begins": ago(HOUR), "ends": ahead(DAY), "reason": "Leave"}],
    waiting=[
        letter(
            "req_a",
            {**JONAS, "detail": "Database engineer, Platform"},
            DB1,
            "postgres",
            "Rebuild the bloated index on orders; agreed with the shop team for this afternoon.",
            6 * MINUTE,
        ),
        letter(
            "req_b",
            {**TOMAS, "detail": "Vendor, Northwind Support"},
            DB2,
            "root",
            "Kernel update and reboot after the storage incident",
            31 * MINUTE,
            before={"asked": 0, "used": 0},
            unusual=["First request for root on this server", "Asked outside their usual hours"],
            when=schedule_words(WORKING_HOURS),
            week=week_picture(WORKING_HOURS),
            agreed=agreed_words(2, ["Lena Vogel"]),
        ),
        letter(
            "req_c",
            {**PRIYA, "detail": "Engineer, Shop"},
            WEB2,
            "deploy",
            "Hotfix 4.18.2",
            2 * HOUR,
            duration=HOUR,
            ticket="",
            before={"asked": 11, "used": 9},
            privileged=False,
        ),
    ],
    decided=[
        {
            "id": "req_u",
            "person": "Mara Stein",
            "resource": "web-1",
            "login": "deploy",
            "decision": "approved",
            "by": "you",
            "at": ago(3 * SECOND),
            "undo_left": 7_000,
        },
        {
            "id": "req_d",
            "person": "Lena Vogel",
            "resource": "web-1",
            "login": "deploy",
            "decision": "approved",
            "by": "you",
            "at": ago(DAY),
            "undo_left": 0,
        },
        {
            "id": "req_e",
            "person": "Tomás Herrera",
            "resource": "build-1",
            "login": "root",
            "decision": "denied",
            "by": "Lena Vogel",
            "at": ago(3 * DAY),
            "undo_left": 0,
        },
    ],
)

NO_APPROVALS = replace(APPROVALS, waiting=[], decided=[], stranded=[])


REFUSAL = RefusalPage(
    heading="You may not open root on db-orders-1",
    why="Your role Database operator allows postgres there, not root.",
    next={"href": "/?q=db-orders-1", "word": "Ask for access"},
    code="access.login_not_allowed",
    chain=CHAIN[:2],
)

FLASHES = (
    Flash("done", "Approved: Jonas Lindqvist, db-orders-1 as postgres", "They were told; it ends by itself in 4 h."),
)
