"""A small company, as the console's pages see it: one context per page, also used to look at the pages as pictures."""

from typing import Any

from onepam.console.rendering import PAGES, Flash, Reader, Shell
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE, SECOND, Instant, later, parse

Context = dict[str, Any]

NOW = parse("2026-11-20T14:05:00Z")


def ago(length: int) -> Instant:
    return Instant(NOW - length)


def ahead(length: int) -> Instant:
    return later(NOW, length)


ALL = frozenset(page.path for page in PAGES)
MINE = frozenset({"/", "/approvals", "/factors", "/sessions"})


def shell(path: str = "/", may: frozenset[str] = ALL, as_of: Instant | None = None, **more: Any) -> Shell:
    reader = Reader("per_mira", "Mira Okafor", "Platform lead", may)
    return Shell(now=as_of or NOW, path=path, here=path, csrf="c5rf", reader=reader, as_of=as_of, waiting=3, live=2, **more)


def outside(path: str, **more: Any) -> Shell:
    return Shell(now=NOW, path=path, here=path, csrf="c5rf", **more)


def link(kind: str, title: str, detail: str = "", href: str | None = None, at: Instant | None = None) -> Context:
    return {"kind": kind, "title": title, "detail": detail, "href": href, "at": at}


CHAIN = [
    link("role", "Database operator", "Runs and repairs the databases", "/roles#rol_dbop"),
    link("permission", "db-prod", "shell on env=prod, tier=db as postgres, on request"),
    link("binding", "group dba", "from access.yaml, 3 people", "/changes/chg_2", ago(90 * DAY)),
    link("request", "req_7f2k", "Rebuild the bloated index on orders", "/requests/req_7f2k", ago(52 * MINUTE)),
    link("approval", "Mira Okafor", "as owner of db-prod", "/people/per_mira", ago(47 * MINUTE)),
    link("ticket", "OPS-2291"),
]
STANDING = [*CHAIN[:2], link("binding", "group platform", "from access.yaml", "/changes/chg_2", ago(90 * DAY))]
PROOF = {
    "entry": 48_211, "entry_hash": "9f2c4a77d01be35581fa", "checkpoint_size": 48_230, "checkpoint_at": ago(20 * SECOND),
    "witness": "witness.example.org", "witness_at": ago(14 * SECOND), "download": "/ledger/proof/48211",
}  # fmt: skip
FRESH_PROOF = {**PROOF, "checkpoint_size": None, "checkpoint_at": None, "witness": None, "witness_at": None}


def resource(name: str, env: str, **labels: str) -> Context:
    return {"id": name, "name": name, "kind": "ssh", "labels": {"env": env, **labels}}


DB1, DB2 = resource("db-orders-1", "prod", tier="db"), resource("db-orders-2", "prod", tier="db")
WEB1, WEB2 = resource("web-1", "prod", tier="web"), resource("web-2", "prod", tier="web")
STAGE, BUILD = resource("stage-1", "stage"), resource("build-1", "tools")


def someone(ident: str, name: str, detail: str = "") -> Context:
    return {"id": f"per_{ident}", "name": name, "detail": detail}


MIRA, JONAS, PRIYA = someone("mira", "Mira Okafor"), someone("jonas", "Jonas Lindqvist"), someone("priya", "Priya Raman")
TOMAS, LENA = someone("tomas", "Tomás Herrera"), someone("lena", "Lena Vogel")


def ssh(login: str, name: str) -> str:
    return f"ssh -p 2222 {login}@{name}@gate.example.org"


HOME: Context = {
    "query": "",
    "open": [
        {
            "resource": DB1, "login": "postgres", "ends": ahead(3 * HOUR + 8 * MINUTE), "command": ssh("postgres", "db-orders-1"),
            "more": [["scp", "scp -P 2222 dump.sql postgres@db-orders-1@gate.example.org:/tmp/"],
                     ["sftp", "sftp -P 2222 postgres@db-orders-1@gate.example.org"]], "chain": CHAIN,
        },
        {"resource": WEB1, "login": "deploy", "ends": ahead(26 * MINUTE), "command": ssh("deploy", "web-1"), "more": [], "chain": CHAIN},
        {"resource": STAGE, "login": "deploy", "ends": FOREVER, "command": ssh("deploy", "stage-1"), "more": [], "chain": STANDING},
    ],
    "requestable": [
        {
            "resource": DB2, "approvers": "Mira Okafor or Lena Vogel", "ticket_required": True, "pending": None,
            "options": [{"value": "db-prod:postgres", "login": "postgres", "role": "Database operator", "longest": 8 * HOUR},
                        {"value": "db-prod:root", "login": "root", "role": "Database operator", "longest": HOUR}],
        },
        {
            "resource": WEB2, "approvers": "Mira Okafor", "ticket_required": False, "pending": "req_7f2m",
            "options": [{"value": "web:deploy", "login": "deploy", "role": "Engineer", "longest": 4 * HOUR}],
        },
    ],
    "beyond": 12,
    "requests": [
        {"id": "req_7f2m", "resource": "web-2", "login": "deploy", "status": "open", "at": ago(4 * MINUTE), "ends": None,
         "waiting_for": "Lena Vogel"},
        {"id": "req_7f2k", "resource": "db-orders-1", "login": "postgres", "status": "approved", "at": ago(52 * MINUTE),
         "ends": ahead(3 * HOUR), "waiting_for": ""},
        {"id": "req_7e11", "resource": "build-1", "login": "root", "status": "denied", "at": ago(2 * DAY), "ends": None, "waiting_for": ""},
    ],
    "sessions": [
        {"id": "ses_1", "resource": "db-orders-1", "login": "postgres", "started": ago(18 * MINUTE), "ended": None, "state": "live"},
        {"id": "ses_2", "resource": "stage-1", "login": "deploy", "started": ago(27 * HOUR), "ended": ago(26 * HOUR), "state": "closed"},
    ],
    "setup": None,
}  # fmt: skip

SETUP: Context = {
    "done": 3,
    "steps": [
        {"title": "A second administrator", "text": "", "done": True, "href": "/people"},
        {"title": "Resources and roles in access.yaml", "text": "", "done": True, "href": "/changes"},
        {"title": "Host keys pinned", "text": "", "done": True, "href": "/resources"},
        {"title": "Everybody has a second factor", "text": "2 people have not used their link", "done": False, "href": "/people"},
        {"title": "A witness on another host", "text": "So that nobody here can rewrite history", "done": False, "href": "/ledger"},
        {"title": "A first backup", "text": "Key folder and database", "done": False, "href": "/ledger"},
    ],
}

EMPTY_HOME: Context = {**HOME, "open": [], "requestable": [], "beyond": 0, "requests": [], "sessions": [], "setup": SETUP}

REQUEST: Context = {
    "request": {
        "id": "req_7f2k", "status": "approved", "person": JONAS, "resource": DB1, "login": "postgres", "role": "Database operator",
        "permission": "db-prod", "duration": 4 * HOUR, "reason": "Rebuild the bloated index on orders; agreed with the shop team for this afternoon.",
        "ticket": "OPS-2291", "ticket_href": "https://tickets.example.org/OPS-2291", "at": ago(52 * MINUTE), "expires": ahead(23 * HOUR),
        "digest": "b1946ac92492d2347c6235b4d2611184", "ends": ahead(3 * HOUR + 8 * MINUTE), "void_why": "",
    },
    "command": ssh("postgres", "db-orders-1"), "approvers": [MIRA, LENA], "chain": CHAIN, "may_withdraw": True, "may_decide": False, "live": 1,
    "history": [
        {"at": ago(52 * MINUTE), "title": "Asked", "detail": "by Jonas Lindqvist", "proof": PROOF},
        {"at": ago(47 * MINUTE), "title": "Approved", "detail": "by Mira Okafor: fine, keep an eye on replication", "proof": PROOF},
        {"at": ago(18 * MINUTE), "title": "Session opened", "detail": "from 10.4.1.17", "proof": FRESH_PROOF},
    ],
}  # fmt: skip


def letter(ident: str, person: Context, target: Context, login: str, reason: str, age: int, **more: Any) -> Context:
    return {
        "id": ident, "digest": "b1946ac92492", "person": person, "resource": target, "login": login, "role": "Database operator",
        "duration": 4 * HOUR, "reason": reason, "ticket": "OPS-2291", "ticket_href": None, "at": ago(age), "expires": ahead(23 * HOUR),
        "before": {"asked": 3, "used": 3}, "unusual": [], "chain": CHAIN[:3], "privileged": True, **more,
    }  # fmt: skip


APPROVALS: Context = {
    "waiting": [
        letter("req_a", {**JONAS, "detail": "Database engineer, Platform"}, DB1, "postgres",
               "Rebuild the bloated index on orders; agreed with the shop team for this afternoon.", 6 * MINUTE),
        letter("req_b", {**TOMAS, "detail": "Vendor, Northwind Support"}, DB2, "root", "Kernel update and reboot after the storage incident",
               31 * MINUTE, before={"asked": 0, "used": 0}, unusual=["First request for root on this server", "Asked outside their usual hours"]),
        letter("req_c", {**PRIYA, "detail": "Engineer, Shop"}, WEB2, "deploy", "Hotfix 4.18.2", 2 * HOUR, duration=HOUR, ticket="",
               before={"asked": 11, "used": 9}, privileged=False),
    ],
    "decided": [
        {"id": "req_d", "person": "Lena Vogel", "resource": "web-1", "login": "deploy", "decision": "approved", "by": "you", "at": ago(DAY)},
        {"id": "req_e", "person": "Tomás Herrera", "resource": "build-1", "login": "root", "decision": "denied", "by": "Lena Vogel", "at": ago(3 * DAY)},
    ],
}  # fmt: skip


def session_row(ident: str, state: str, person: Context | None, target: str, login: str, began: int, length: int | None, **more: Any) -> Context:
    started = ago(began)
    return {
        "id": ident, "state": state, "person": person, "resource": target, "login": login, "entry": "ssh", "source": "10.4.1.17", "started": started,
        "ended": None if length is None else Instant(started + length), "recording": "intact", "counts": "", "because": "", **more,
    }  # fmt: skip


SESSIONS: Context = {
    "filter": {"q": "", "state": "", "days": 7},
    "sessions": [
        session_row("ses_1", "live", JONAS, "db-orders-1", "postgres", 18 * MINUTE, None, recording="live", counts="9 commands"),
        session_row("ses_9", "live", PRIYA, "web-1", "deploy", 3 * MINUTE, None, recording="live", counts="1 file", source="10.4.2.88"),
        session_row("ses_3", "closed", LENA, "stage-1", "deploy", 5 * HOUR, 41 * MINUTE, counts="52 commands, 3 files", because="client left"),
        session_row("ses_4", "killed", TOMAS, "build-1", "root", 26 * HOUR, 7 * MINUTE, counts="12 commands", because="ended by Mira Okafor"),
        session_row("ses_5", "closed", JONAS, "db-orders-2", "postgres", 30 * HOUR, 2 * HOUR, recording="gap", counts="88 commands",
                    because="gateway restarted; 0.8 s not sealed"),
        session_row("ses_6", "refused", None, "db-orders-1", "root", 3 * DAY, None, recording="none", because="unknown person", source="203.0.113.9"),
        session_row("ses_7", "failed", PRIYA, "web-2", "deploy", 4 * DAY, 2 * SECOND, recording="none", because="target did not answer"),
    ],
    "total": 7,
    "older": "",
}  # fmt: skip

EVENTS = [
    (0, "channel", "Shell opened", "pty 100 × 28, xterm-256color"),
    (2_100_000, "command", "psql orders", ""),
    (6_400_000, "command", "\\di+ orders_created_idx", ""),
    (11_000_000, "command", "reindex index concurrently orders_created_idx;", "took 6.2 s"),
    (19_300_000, "command", "\\q", ""),
    (21_000_000, "file", "/tmp/reindex.log", "download, 4.2 kB, sha256 9f2c4a77…"),
    (24_500_000, "command", "df -h /var/lib/postgresql", ""),
    (28_000_000, "end", "Shell closed", "exit status 0"),
]

SESSION: Context = {
    "session": {
        "id": "ses_3", "state": "closed", "person": JONAS, "resource": DB1, "login": "postgres", "entry": "ssh", "source": "10.4.1.17",
        "client": "OpenSSH_9.2p1", "started": ago(2 * HOUR), "ended": ago(2 * HOUR - 28 * SECOND), "ends": ahead(HOUR), "because": "client left",
        "factors": ["passkey"], "factor_at": ago(2 * HOUR + 3 * MINUTE), "recording": "intact", "gap": "", "bytes": 41_300,
        "approval": {"by": "Mira Okafor", "by_id": "per_mira", "at": ago(2 * HOUR + 10 * MINUTE), "request": "req_7f2k"}, "host_key": "SHA256:c2ln",
    },
    "counts": [[5, "commands"], [1, "file"], [0, "gaps"]],
    "events": [{"at": at, "kind": kind, "title": title, "detail": detail} for at, kind, title, detail in EVENTS],
    "recording": "/sessions/ses_3/recording.cast", "frame": "/player", "may_kill": True, "may_export": True, "chain": CHAIN, "proof": PROOF,
}  # fmt: skip

LIVE_SESSION: Context = {
    **SESSION,
    "session": {**SESSION["session"], "state": "live", "ended": None, "because": "", "recording": "live"},
    "proof": FRESH_PROOF,
}

REFUSAL: Context = {
    "heading": "You may not open root on db-orders-1", "why": "Your role Database operator allows postgres there, not root.",
    "next": {"href": "/?q=db-orders-1", "word": "Ask for access"}, "code": "access.login_not_allowed", "chain": CHAIN[:2],
}  # fmt: skip

FLASHES = (Flash("done", "Approved: Jonas Lindqvist, db-orders-1 as postgres", "They were told; it ends by itself in 4 h."),)
