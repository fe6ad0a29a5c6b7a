"""Rights that nobody uses, by real sessions: flagged, and a change that takes them prepared."""

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import Place
from onepam.console.frame.rendering import field_time
from onepam.console.frame.sheet import sheet
from onepam.console.frame.visit import Visit
from onepam.console.matrix.difference import READS, SIZE, views
from onepam.console.matrix.unused_page import UnusedPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.matrix.use import HeldUse, RoleUse, Standing, by_role
from onepam.kernel.clock import Instant, iso
from onepam.store.read.difference import suggested
from onepam.store.read.names import Called
from onepam.store.read.paging import Page, Window
from onepam.store.read.unused import RightUse, Use

FEW_LINES = 2_000
"""Lines of the sheet that are made at once: a large company has a million."""
MOST_SUGGESTED = 10

_HEAD = ("as of (UTC)", "person", "role", "resource", "login", "held since (UTC)", "sessions in 90 days",
         "commands, files and statements in them", "last used (UTC)")  # fmt: skip


async def unused_page(visit: Visit) -> Response:
    """By role with its share of use, and by person what is unused; or every right as a line of a sheet."""
    role = visit.request.query_params.get("role", "")[:63]
    if visit.wants_sheet():
        return await _sheet(visit, role)
    may_plan = visit.me.has(ConsoleRight.ADMINISTER)
    return visit.page(await visit.services.reader(_page, visit.at, role, paged(visit, SIZE), may_plan))


def _page(db: Snapshot, at: Instant, role: str, window: Window, may_plan: bool) -> UnusedPage:
    use, called = Use(db, at), Called(db, at)
    held = use.held()
    idle = [each for each in held if role in ("", each.role) and each.standing(at) is Standing.UNUSED]
    idle.sort(key=lambda each: (each.flagged(), each.role, each.person))
    begins = int(window.after) if window.after.isdecimal() and len(window.after) < 7 else 0
    shown = idle[begins : begins + window.most]
    after = str(begins + len(shown)) if len(idle) > begins + len(shown) else ""
    return UnusedPage(
        views=views("/unused"),
        filter={"role": role},
        roles=[_role(each) for each in by_role(held, at)],
        rows=[_row(each, called, at) for each in shown],
        suggested=[
            {
                "people": [called.get(one, one) for one in each.people],
                "manager": called.get(each.manager, each.manager),
                "lines": each.lines(f"suggested-{number}", address or "TODO"),
            }
            for number, (each, address) in enumerate(suggested(db, at, use)[:MOST_SUGGESTED], 1)
        ],
        may_plan=may_plan,
        pager=pager(Page(tuple(shown), len(idle), after), window, {"role": role}),
    )


def _role(use: RoleUse) -> Context:
    return {
        "role": use.role,
        "people": use.people,
        "using": use.using,
        "unused": use.unused,
        "late": use.late,
        "rights": use.rights,
        "touched": use.touched,
        "percent": round(100 * use.share),
    }


def _row(held: HeldUse, called: Called, at: Instant) -> Context:
    state, word = ("plain", "Kept by a review") if held.is_kept() else ("due", "Unused")
    if held.is_late(at):
        state, word = "finding", "Overdue"
    return {
        "person": {"id": held.person, "name": called.get(held.person, held.person)},
        "role": held.role,
        "last": held.used.last,
        "sessions": held.used.sessions,
        "rights": held.rights,
        "touched": held.touched,
        "flagged": held.flagged(),
        "due": held.due(),
        "state": state,
        "word": word,
        "proposal": "remove" if held.by_name else f"leave {', '.join(held.groups)}",
    }


async def _sheet(visit: Visit, role: str) -> Response:
    at = visit.moment
    use = await visit.services.reader(Use, at)
    rights = (each for each in use.rights() if role in ("", each.role))
    return sheet(f"rights-{field_time(at).replace(':', '')}.csv", _HEAD, _parts(at, rights))


async def _parts(at: Instant, rights: Iterator[RightUse]) -> AsyncIterator[Iterable[tuple[object, ...]]]:
    while some := list(islice(rights, FEW_LINES)):
        yield [
            (iso(at), each.person, each.role, each.resource, each.login, iso(each.since), each.used.sessions,
             each.used.work, iso(each.used.last) if each.used.last is not None else "")
            for each in some
        ]  # fmt: skip


PLACES = (Place("GET", "/unused", READS, unused_page),)
