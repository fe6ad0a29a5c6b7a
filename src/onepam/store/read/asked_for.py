"""Everybody's requests, a page at a time: narrowed by words, by what became of them, and by when they were made."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from operator import itemgetter

from onepam.app.ports import Snapshot
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.read.paging import Page, Window
from onepam.store.read.requests import BEGINNING, MOST, SOUGHT, RequestRow, as_listed

_GIVEN = "SELECT 1 FROM access_grant g WHERE g.request = r.request AND g.valid_from <= :at"
_STATE = f"""CASE WHEN r.status = 'open' AND r.expires <= :at THEN 'void'
    WHEN r.status = 'approved' AND EXISTS ({_GIVEN})
        AND NOT EXISTS ({_GIVEN} AND :at < g.valid_until AND :at < g.ends) THEN 'over'
    ELSE r.status END"""
_WHICH = f"""
FROM request r WHERE {AT} AND r.made >= :since
AND (:state = '' OR {_STATE} = :state)
AND ({SOUGHT} OR instr(lower(ticket), :search) > 0)
"""


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests; what is "" narrows nothing. `search` is part of a person's name or address, or of a resource,
    login, role or ticket; `state` one of `requests.STATES`; `since` the first instant at which they were made."""

    search: str = ""
    state: str = ""
    since: Instant = BEGINNING


def asked_for(
    db: Snapshot, at: Instant, which: RequestFilter | None = None, window: Window | None = None
) -> Page[RequestRow]:
    """A page of everybody's requests, the newest first."""
    which, window = which or RequestFilter(), window or Window()
    values: Mapping[str, object] = {**asdict(which), "search": which.search.strip().casefold(), "at": at}
    of = {"request": window.after, "at": at}
    after = row(db, f"SELECT made FROM request WHERE request = :request AND {AT}", of)
    found = rows(
        db,
        f"SELECT r.* {_WHICH} AND r.made <= :before AND (r.made < :before OR r.request > :after) "
        "ORDER BY r.made DESC, r.request LIMIT :most",
        {
            **values,
            "before": after["made"] if after else FOREVER,
            "after": window.after if after else "",
            "most": window.most + 1,
        },
    )
    counted = row(db, f"SELECT count(*) {_WHICH}", values)
    page = Page.of(found, window, counted[0] if counted else 0, itemgetter("request"))
    return page.map(lambda shown: (as_listed(db, at, each) for each in shown))


def agreed_and_waiting(db: Snapshot, at: Instant, person: str, most: int = MOST) -> tuple[RequestRow, ...]:
    """Requests that this person said yes to and that wait for others, the newest first."""
    found = rows(
        db,
        f"SELECT * FROM request WHERE status = 'open' AND expires > :at AND {AT} AND request IN "
        f"(SELECT request FROM request_agreed WHERE person = :person AND {AT}) ORDER BY made DESC LIMIT :most",
        {"at": at, "person": person, "most": min(most, MOST)},
    )
    return tuple(as_listed(db, at, each) for each in found)
