"""Sessions, and one of them in full; the ledger."""

from base64 import b64encode
from dataclasses import replace
from typing import Any

from onepam.console.frame.wording import happened
from onepam.console.history.ledger_page import CheckpointPage, LedgerPage
from onepam.console.history.one_entry import linked
from onepam.console.sessions.sessions_page import SessionPage, SessionsPage
from onepam.domain.history.event import kind_of
from onepam.domain.requests.events import RequestDenied
from onepam.domain.sessions.events import KillOrdered, RecordingWatched
from onepam.identity.totp import qr_svg
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from tests.console.samples.company import (
    CHAIN,
    DB1,
    FRESH_PROOF,
    JONAS,
    LENA,
    MIRA,
    PRIYA,
    PROOF,
    TOMAS,
    Context,
    ago,
    ahead,
)
from tests.console.samples.inspections import TO_INSPECT


def session_row(
    ident: str, state: str, person: Context | None, target: str, login: str, began: int, length: int | None, **more: Any
) -> Context:
    started = ago(began)
    return {
        "id": ident,
        "state": state,
        "person": person,
        "resource": target,
        "login": login,
        "database": "",
        "entry": "ssh",
        "source": "10.4.1.17",
        "started": started,
        "ended": None if length is None else Instant(started + length),
        "recording": "intact",
        "checked": ago(HOUR),
        "partial": False,
        "counts": "",
        "client": "",
        "because": "",
        **more,
    }


SESSIONS = SessionsPage(
    counted="41 sessions, 2 refusals",
    filter={"q": "", "state": "", "days": 7},
    sessions=[
        session_row(
            "ses_1",
            "live",
            JONAS,
            "db-orders-1",
            "postgres",
            18 * MINUTE,
            None,
            recording="live",
            counts="9 shells or commands",
        ),
        session_row(
            "ses_9",
            "live",
            PRIYA,
            "web-1",
            "deploy",
            3 * MINUTE,
            None,
            recording="live",
            counts="1 shell or command, 3 file records",
            source="10.4.2.88",
        ),
        session_row(
            "ses_3",
            "closed",
            LENA,
            "stage-1",
            "deploy",
            5 * HOUR,
            41 * MINUTE,
            counts="52 shells or commands, 6 file records",
            because="client left",
        ),
        session_row(
            "ses_4",
            "killed",
            TOMAS,
            "build-1",
            "root",
            26 * HOUR,
            7 * MINUTE,
            counts="12 shells or commands",
            partial=True,
            because="ended by Mira Okafor",
        ),
        session_row(
            "ses_5",
            "closed",
            JONAS,
            "db-orders-2",
            "postgres",
            30 * HOUR,
            2 * HOUR,
            recording="gap",
            counts="88 shells or commands",
            because="gateway restarted; 0.8 s not sealed",
        ),
        session_row(
            "ses_6",
            "refused",
            None,
            "db-orders-1",
            "root",
            3 * DAY,
            None,
            recording="none",
            because="unknown person",
            source="203.0.113.9",
        ),
        session_row(
            "ses_7",
            "failed",
            PRIYA,
            "web-2",
            "deploy",
            4 * DAY,
            2 * SECOND,
            recording="none",
            because="target did not answer",
        ),
    ],
    pager={"total": 7, "first": True, "next": "", "filters": {"q": "", "state": "", "days": "7"}},
)

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

SESSION = SessionPage(
    session={
        "id": "ses_3",
        "state": "closed",
        "person": JONAS,
        "resource": DB1,
        "login": "postgres",
        "entry": "ssh",
        "source": "10.4.1.17",
        "client": "OpenSSH_9.2p1",
        "began_in": "",
        "made_user": ("", ""),
        "started": ago(2 * HOUR),
        "ended": ago(2 * HOUR - 28 * SECOND),
        "last_byte": ago(2 * HOUR - 27 * SECOND),
        "probe": {"state": "untested", "word": "not probed", "at": None},
        "ends": ahead(HOUR),
        "because": "client left",
        "factor": "attested by Okta",
        "resistant": True,
        "factor_age": 12 * MINUTE,
        "recording": "intact",
        "checked": ago(HOUR),
        "found": "",
        "read_now": True,
        "omitted": 0,
        "gap": "",
        "bytes": 41_300,
        "approval": {
            "by": "Mira Okafor",
            "by_id": "per_mira",
            "at": ago(2 * HOUR + 10 * MINUTE),
            "request": "req_7f2k",
        },
        "database": False,
        "host_key": "SHA256:c2ln",
    },
    counts=[[5, "shells or commands"], [1, "file operation"], [0, "gaps"]],
    events=[{"at": at, "kind": kind, "title": title, "detail": detail} for at, kind, title, detail in EVENTS],
    statements=None,
    recording="/sessions/ses_3/recording.cast",
    frame="/player",
    watching=[],
    unplayable="",
    may_kill=True,
    may_export=True,
    inspection=TO_INSPECT,
    chain=CHAIN,
    proof=PROOF,
)

DATABASE_SESSION = replace(
    SESSION,
    session={
        **SESSION.session,
        "database": True,
        "entry": "Login token for PostgreSQL",
        "client": "psql",
        "began_in": "orders",
        "made_user": ("onepam_k3vq2mzt5a7xw4ne", "app_readers"),
    },
    counts=[[2, "statements run"], [1_204, "rows"], [0, "gaps"]],
    events=[],
    recording="",
    statements={
        "lines": [
            {
                "at": 2_100_000 * number,
                "time": ago(2 * HOUR),
                "statement": number,
                "has_text": True,
                "text": "SELECT id, total\n  FROM orders\n WHERE created > $1",
                "cut": "",
                "values": ["2026-11-01", "masked, 16 bytes"],
                "result": [
                    {"head": True, "cells": [{"kind": "text", "text": "id"}, {"kind": "text", "text": "card"}]},
                    {
                        "head": False,
                        "cells": [{"kind": "text", "text": "7"}, {"kind": "masked", "text": "masked, 16 bytes"}],
                    },
                    {"head": False, "cells": [{"kind": "text", "text": "8"}, {"kind": "null", "text": "NULL"}]},
                ]
                if number == 1
                else [],
                "unshown": 98 if number == 1 else 0,
                "state": state,
                "outcome": word,
                "words": words,
                "transaction": "in a transaction",
                "rows": rows,
                "size": 41_300,
                "lasted": "12.3 ms",
                "waited": {"words": "approved by Mira Okafor, waited 59 s", "href": "/ledger?entry=3"}
                if number == 1
                else None,
            }
            for number, state, word, words, rows in (
                (1, "proven", "OK", "SELECT 1204", 1_204),
                (2, "finding", "Refused", "OnePAM: this role only reads", 0),
            )
        ],
        "outcomes": [("ok", "OK"), ("error", "Error"), ("refused", "Refused")],
        "filter": {"q": "", "outcome": ""},
        "pager": {"total": 2, "first": True, "next": "", "filters": {}},
    },
)

LIVE_SESSION = replace(
    SESSION,
    session={
        **SESSION.session,
        "state": "live",
        "ended": None,
        "because": "",
        "recording": "live",
        "checked": None,
    },
    proof=FRESH_PROOF,
)

_DENIED = RequestDenied("req_7f2k", MIRA["id"], "", "Ask again with a ticket.")
NAMES = {each["id"]: each["name"] for each in (JONAS, LENA, MIRA, PRIYA, TOMAS)}

LEDGER = LedgerPage(
    state="proven",
    headline="Every entry was there, in order, signed, and witnessed elsewhere.",
    advice="",
    head={"size": 48_230, "at": ago(4 * SECOND)},
    signed={"size": 48_230, "at": ago(3 * SECOND), "signer": "onepam signer", "root": "9f2c4a77d01be355"},
    witnessed=[{"name": "witness.example.org", "size": 48_221, "at": ago(14 * SECOND)}],
    checks=[
        {
            "name": "Newest entries",
            "at": ago(20 * MINUTE),
            "state": "proven",
            "words": "1,904 entries",
            "every": "each hour",
        },
        {
            "name": "Everything, and every table",
            "at": ago(3 * DAY),
            "state": "proven",
            "words": "tables equal the history",
            "every": "each week",
        },
    ],
    stored={"entries": 48_230, "recordings": 1_310_000_000, "oldest": ago(320 * DAY)},
    key="onepam.example.org/log+4be1d00c+AZx3bWjN0qS8vK2LQ9f1",
    entry=None,
    entries=[
        {
            "index": 48_229 - n,
            "at": ago(n * 40 * SECOND + 4 * SECOND),
            "kind": kind_of(event).name,
            "words": happened(event, NAMES),
        }
        for n, event in enumerate(
            [
                RecordingWatched("ses_1", LENA["id"], "play"),
                _DENIED,
                KillOrdered("ses_3", LENA["id"], "The wrong server"),
            ]
        )
    ],
    subject="",
    who="",
    where="",
    reached=None,
    lacks=22,
    looks=99,
    goes_on=False,
    unknown=None,
    first_day="",
    last_day="",
    may_draw=True,
    pack=None,
    subjects={"": "All but machine entries", "requests": "Requests and grants", "all": "All entries"},
    pager={"total": None, "first": True, "next": "48225", "filters": {"of": ""}},
    may_change=True,
    announced=[
        {
            "id": "ann_2345abcdefghijkl",
            "words": "Another recovery key, made without the old one",
            "due": ago(-20 * HOUR),
            "origin": "",
        }
    ],
    commands=[
        ["The whole history against the tables", "onepam ledger verify"],
        ["A pack, offline, without us", "python3 verify.py pack.zip --log-key KEY --witness-key KEY"],
    ],
    verifiers=[["verify.html", "5f" * 32], ["verify.py", "c4" * 32]],
)
_PACK = {"first": "2026-01-01", "last": "2026-03-31", "size": 0, "refused": ["", ""], "step": "", "percent": 0}
LEDGER_DRAWING = replace(LEDGER, pack={**_PACK, "state": "drawing", "step": "Entries", "percent": 62})
LEDGER_PACK = replace(LEDGER, pack={**_PACK, "state": "ready", "size": 3_211_040})
LEDGER_ALONE = replace(
    LEDGER,
    announced=[],
    state="due",
    headline="The history is whole, but no independent witness confirms it.",
    advice="Who controls this machine and its key could rewrite it unnoticed. Run “onepam witness” on another host.",
    witnessed=[],
    entry={
        "index": 48_211,
        "at": ago(47 * MINUTE),
        "kind": "request.denied",
        "klass": "request",
        "klass_seq": 913,
        "words": linked(happened(_DENIED, NAMES)),
        "leaf": "9f2c4a77d01be35581fa9f2c4a77d01be35581fa",
        "fields": [
            ["Request", "req_7f2k", "/requests/req_7f2k"],
            ["By", "Mira Okafor", "/people/per_mira"],
            ["Payload", "c4" * 32, ""],
        ],
        "proof": {**PROOF, "witness": None, "witness_at": None},
    },
)
LEDGER_SEARCHED = replace(LEDGER, entries=LEDGER.entries[:1], who="Lena Vogt", reached=ago(4 * DAY), lacks=24)
LEDGER_NOBODY = replace(
    LEDGER, entries=[], who="lena", unknown={"what": "who", "typed": "lena", "alike": [["Lena Vogt", LENA["id"]]]}
)

_SIGNATURE = "vY0qS8vK2LQ9f1AZx3bWjN0q" * 3
NOTE = f"""onepam.example.org/log
48221
vN3o7ToC5wjSrqDDHkhGg4s9nXlu6s0pKXfDTyv6vGo=

\u2014 onepam.example.org/log S+HQDIvHoIUrMJMKzfJ+Zr3{_SIGNATURE}S8s=
\u2014 witness.example.org 0iY3pgAAAABpC3wAIvHoIUrMJMKzfJ+Zr3{_SIGNATURE}S8s=
"""
CHECKPOINT = CheckpointPage(
    text=NOTE,
    svg="data:image/svg+xml;base64," + b64encode(qr_svg(NOTE).encode()).decode("ascii"),
    size=48_221,
    root="bcdde8ed3a02e708d2aea0c31e4846838b3d9d796eeacd292977c34f2bfabc6a",
    origin="onepam.example.org/log",
    at=ago(14 * SECOND),
    printed=ago(0),
    key=LEDGER.key,
)
