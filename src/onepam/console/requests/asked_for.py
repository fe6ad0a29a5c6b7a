"""Requests: who asked for what, and what became of it."""

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import SEES_ALL, Place, Shown
from onepam.console.frame.rendering import field_time
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import visible, words_of
from onepam.console.requests.asked_for_page import RequestsPage
from onepam.kernel.clock import DAY, MINUTE, Instant, iso
from onepam.store.read.asked_for import RequestFilter, asked_for
from onepam.store.read.paging import Window
from onepam.store.read.requests import BEGINNING, STATES, RequestRow

PERIODS = {"": "At any time", "1": "Last day", "7": "Last 7 days", "90": "Last 90 days", "366": "Last 12 months"}
_HEAD = (
    "asked (UTC)", "person", "resource", "login", "role", "minutes", "state", "decided (UTC)", "decided by", "reason",
    "ticket", "comment", "id",
)  # fmt: skip


async def requests_page(visit: Visit) -> Response:
    """Everybody's, narrowed by words, state and time, a page at a time; or as a sheet."""
    query = visit.request.query_params
    wanted = {"q": query.get("q", "").strip()[:100], "state": query.get("state", ""), "days": query.get("days", "")}
    wanted["state"] = wanted["state"] if wanted["state"] in STATES else ""
    wanted["days"] = wanted["days"] if wanted["days"] in PERIODS else ""
    which = RequestFilter(
        search=wanted["q"],
        state=wanted["state"],
        since=Instant(max(0, visit.moment - int(wanted["days"]) * DAY)) if wanted["days"] else BEGINNING,
    )
    if visit.wants_sheet():
        return _sheet(visit, which)
    return visit.page(await visit.services.reader(_listed, visit.at, wanted, which, paged(visit)))


def _listed(db: Snapshot, at: Instant, wanted: dict[str, str], which: RequestFilter, window: Window) -> RequestsPage:
    found = asked_for(db, at, which, window)
    return RequestsPage(
        filter=wanted,
        choices={"state": {"": "All states", **STATES}, "days": PERIODS},
        requests=[_row(each) for each in found.rows],
        pager=pager(found, window, wanted),
    )


def _row(each: RequestRow) -> Context:
    return {
        "id": each.request,
        "state": each.state,
        "person": {"id": each.person, "name": each.person_name},
        "resource": each.resource,
        "login": each.login,
        "role": each.role,
        "duration": each.duration,
        "at": each.made,
        "decided": each.decided,
        "by": each.decider_name if each.decider or each.rule else "",
        "because": _because(each),
        "reason": each.reason if each.reason is not None else "erased",
        "ticket": each.ticket or "",
    }


def _because(each: RequestRow) -> str:
    """The decider's words, or why there was no decision."""
    return each.comment or (words_of(each.because) if each.because and not each.decider else "")


def _sheet(visit: Visit, which: RequestFilter) -> Response:
    at, reader = visit.moment, visit.services.reader
    parts = every(lambda window: reader(asked_for, at, which, window), lambda row: [_line(row)])
    return sheet(f"requests-{field_time(at).replace(':', '')}.csv", _HEAD, parts)


def _line(row: RequestRow) -> tuple[object, ...]:
    return (
        iso(row.made), row.person_name, row.resource, row.login, row.role, row.duration // MINUTE, row.state_words,
        iso(row.decided) if row.decided is not None else "", row.decider_name if row.decider or row.rule else "",
        visible(row.reason if row.reason is not None else "erased"), visible(row.ticket or ""),
        visible(_because(row)), row.request,
    )  # fmt: skip


PLACES = (Place("GET", "/requests", SEES_ALL, requests_page, Shown("Requests", "ticket", "Activity")),)
