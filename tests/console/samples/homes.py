"""The homes of those who run, watch or audit."""

from dataclasses import replace

from onepam.kernel.clock import DAY, HOUR, MINUTE
from tests.console.samples.company import Context, ago
from tests.console.samples.everyday import EMPTY_HOME

LIGHTS: list[Context] = [
    {"word": "Ledger", "state": "proven", "says": "5,203 entries, verified", "at": ago(MINUTE), "href": "/ledger"},
    {"word": "Checkpoint", "state": "proven", "says": "signed", "at": ago(MINUTE), "href": "/ledger"},
    {"word": "Witness", "state": "untested", "says": "no independent witness", "at": None, "href": "/ledger"},
    {"word": "Disk of the recordings", "state": "finding", "says": "look", "at": None, "href": "/sessions"},
    {"word": "Notices", "state": "proven", "says": "everybody is told", "at": None, "href": None},
]
RUNNING = replace(
    EMPTY_HOME,
    waits={
        "total": 2,
        "first": [{"id": "req_7f2k", "title": "root on db-orders-1, 1 h", "by": "Jonas Lindqvist", "at": ago(MINUTE)}],
    },
    runs=True,
    lights=LIGHTS,
    launcher=False,
)
WATCHING = replace(
    EMPTY_HOME,
    setup=None,
    lights=LIGHTS,
    launcher=False,
    wall={
        "live": [
            {
                "id": "ses_1",
                "person": "Jonas Lindqvist",
                "resource": "db-orders-1",
                "login": "postgres",
                "started": ago(18 * MINUTE),
                "privileged": True,
                "state": "live",
            }
        ],
        "live_total": 14,
        "refused": [
            {
                "who": "somebody unknown",
                "asked": "root on db-orders-1",
                "because": "person: unknown",
                "at": ago(HOUR),
                "href": "/ledger?entry=41",
            }
        ],
        "refused_total": "1 refusal",
        "alarms": [{"text": "One recording is not what was sealed.", "what": "See which.", "href": "/sessions"}],
    },
)
READING = replace(
    EMPTY_HOME,
    setup=None,
    launcher=False,
    reading={
        "from": "2026-09-01",
        "to": "2026-11-29",
        "seed": "5f3a09c1d2e4b687",
        "drawn": "sessions",
        "pack": "/ledger?from=2026-09-01&to=2026-11-29#pack",
        "questions": [
            {
                "id": "reach",
                "word": "Who could reach what, at the end of the period?",
                "what": "412 people with an account",
                "total": 412,
                "list": "/people",
                "draw": "/?draw=reach#sample",
            },
            {
                "id": "sessions",
                "word": "Who was in, and what was done there?",
                "what": "5,120 sessions",
                "total": 5120,
                "list": "/sessions",
                "draw": "/?draw=sessions#sample",
            },
            {
                "id": "asked",
                "word": "Who asked for access, and who agreed?",
                "what": "0 requests",
                "total": 0,
                "list": "",
                "draw": "/?draw=asked#sample",
            },
        ],
        "sample": [
            {
                "words": "Jonas Lindqvist opened a session to db-orders-1 as postgres",
                "at": ago(2 * DAY),
                "href": "/sessions/ses_3",
                "entry": 4711,
            },
            {"words": "Mira Okafor", "at": None, "href": "/people/per_mira", "entry": None},
        ],
    },
)
