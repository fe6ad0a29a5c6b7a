"""Where the role matrix and the world differ, and how many people administer."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import Needs, Place
from onepam.console.frame.rendering import field_time, plural
from onepam.console.frame.sheet import sheet
from onepam.console.frame.visit import Visit
from onepam.console.matrix.difference_page import DifferencePage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.matrix.difference import GIVES_MORE, Differs
from onepam.kernel.clock import Instant, iso
from onepam.store.read.difference import FoundRow, Share, administering, differences
from onepam.store.read.paging import Page, Window

READS = Needs(rights=(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT))
SIZE = 50
WIDE, HIGH = 240, 40
"""The picture of the trend (pixels)."""

_HEAD = ("as of (UTC)", "access.yaml (SHA-256)", "difference", "role", "person", "name", "resource", "detail")


async def difference_page(visit: Visit) -> Response:
    """The differences, by kind, a page at a time; or as a sheet."""
    kind = visit.request.query_params.get("kind", "")[:20]
    if visit.wants_sheet():
        return await _sheet(visit, kind)
    return visit.page(await visit.services.reader(_page, visit.at, kind, paged(visit, SIZE)))


def views(here: str) -> list[Context]:
    """The pages that look at the matrix, of which one is `here`."""
    pages = (
        ("/roles", "Designed"),
        ("/roles?view=actual", "Actual"),
        ("/difference", "Difference"),
        ("/unused", "Unused"),
    )
    return [{"href": href, "word": word, "here": href == here} for href, word in pages]


def _page(db: Snapshot, at: Instant, kind: str, window: Window) -> DifferencePage:
    found, shares = differences(db, at), administering(db, at)
    wanted = [each for each in found.rows if kind in ("", each.differs.value)]
    begins = int(window.after) if window.after.isdecimal() and len(window.after) < 7 else 0
    shown = wanted[begins : begins + window.most]
    after = str(begins + len(shown)) if len(wanted) > begins + len(shown) else ""
    return DifferencePage(
        views=views("/difference"),
        kinds=[
            {"id": each.value, "words": each.words, "count": found.counts[each], "more": each in GIVES_MORE}
            for each in Differs
            if each in found.counts
        ],
        kind=kind,
        rows=[_row(each) for each in shown],
        designed=found.designed or not found.document,
        administering=_trend(shares),
        pager=pager(Page(tuple(shown), len(wanted), after), window, {"kind": kind}),
    )


def _row(found: FoundRow) -> Context:
    return {
        "words": found.words,
        "role": found.role,
        "person": {"id": found.person, "name": found.name} if found.person else None,
        "resource": found.resource,
        "detail": found.detail,
    }


def _trend(shares: tuple[Share, ...]) -> Context | None:
    """The picture is of the shares alone, from nothing to twice the largest or all; the words say the numbers."""
    if not shares:
        return None
    first, last = shares[0], shares[-1]
    most = min(1.0, 2 * max(each.part for each in shares)) or 1.0
    step = WIDE / max(len(shares) - 1, 1)
    points = [
        f"{number * step:.1f},{HIGH - 2 - each.part / most * (HIGH - 4):.1f}" for number, each in enumerate(shares)
    ]
    if len(points) == 1:
        points.append(f"{WIDE},{points[0].split(',')[1]}")
    then = f"{first.administer} of {plural(first.people, 'person', 'people')} at the beginning of this picture"
    return {
        "now": last.administer,
        "people": last.people,
        "percent": round(100 * last.part),
        "points": " ".join(points),
        "said": f"{last.administer} of {last.people} people administer something; {then}.",
    }


async def _sheet(visit: Visit, kind: str) -> Response:
    at = visit.moment
    found = await visit.services.reader(differences, at)
    lines: Iterator[tuple[Any, ...]] = (
        (iso(at), found.document, each.words, each.role, each.person, each.name, each.resource, each.detail)
        for each in found.rows
        if kind in ("", each.differs.value)
    )

    async def parts() -> AsyncIterator[Iterator[tuple[Any, ...]]]:
        yield lines

    return sheet(f"matrix-difference-{field_time(at).replace(':', '')}.csv", _HEAD, parts())


PLACES = (Place("GET", "/difference", READS, difference_page),)
