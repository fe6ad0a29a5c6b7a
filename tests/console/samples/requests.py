"""Everybody's requests."""

from onepam.console.requests.asked_for import PERIODS
from onepam.console.requests.asked_for_page import RequestsPage
from onepam.kernel.clock import DAY, HOUR, MINUTE
from onepam.store.read.requests import STATES
from tests.console.samples.company import JONAS, PRIYA, TOMAS, Context, ago


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
