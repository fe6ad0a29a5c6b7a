"""Everybody's requests."""

from onepam.console.requests.asked_for import PERIODS
from onepam.console.requests.asked_for_page import RequestsPage
from onepam.console.requests.catalogue_page import CataloguePage
from onepam.kernel.clock import DAY, HOUR, MINUTE
from onepam.store.read.requests import STATES
from tests.console.samples.company import DB1, JONAS, PRIYA, TOMAS, WEB1, Context, ago


def _request(
    ident: str, state: str, person: Context, target: str, made: int, by: str = "", because: str = ""
) -> Context:
    return {
        "id": ident,
        "state": state,
        "person": person,
        "resource": target,
        "login": "deploy",
        "role": "database-operator",
        "duration": HOUR,
        "at": ago(made),
        "decided": ago(made - MINUTE) if state != "open" else None,
        "by": by,
        "because": because,
        "reason": "Rebuild the bloated index on orders; agreed with the shop team for this afternoon.",
        "ticket": "OPS-2291" if by else "",
    }


REQUESTS = RequestsPage(
    filter={"q": "", "state": "", "days": ""},
    choices={"state": {"": "All states", **STATES}, "days": PERIODS},
    requests=[
        _request("req_7f2m", "open", JONAS, "web-2", 4 * MINUTE),
        _request("req_7f2k", "approved", JONAS, "db-orders-1", 52 * MINUTE, "Mira Okafor", "go ahead"),
        _request("req_7e11", "over", PRIYA, "build-1", 2 * DAY, "Lena Vogel"),
        _request("req_7d02", "denied", TOMAS, "cache-1", 3 * DAY, "Lena Vogel", "not in the evening"),
        _request("req_7c77", "void", TOMAS, "metrics-1", 9 * DAY, "", "nobody decided in time"),
    ],
    pager={"total": 2000, "first": True, "next": "req_7c77", "filters": {"q": "", "state": "", "days": ""}},
)


def _offer(target: Context, login: str, *asking: str, **other: object) -> Context:
    return {
        "resource": target,
        "login": login,
        "role": "database-operator",
        "opens": "shell, exec and sftp",
        "longest": 4 * HOUR,
        "deciders": "your manager or dba-lead",
        "asking": list(asking),
        "at_once": False,
        "privileged": False,
        "pending": "",
        **other,
    }


CATALOGUE = CataloguePage(
    filter={"q": ""},
    offers=[
        _offer(DB1, "postgres", "2 people say yes", "A ticket is needed that matches ^OPS-[0-9]+$", privileged=True),
        _offer(DB1, "root", "Up to 30 days ahead", "From its first use on, within a window", pending="req_7f2m"),
        _offer(WEB1, "deploy", "Nobody is asked for 1 h at a time, 3 times in seven days", at_once=True),
        _offer(WEB1, "logs"),
    ],
    beyond=12,
)
