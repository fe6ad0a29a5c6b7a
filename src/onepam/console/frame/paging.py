"""Pages of long lists, in the address: `?after=` the last row seen."""

from collections.abc import Mapping
from typing import TypeVar

from onepam.console.frame.page import Context
from onepam.console.frame.visit import Visit
from onepam.store.read.paging import Page, Window

MOST_CHARACTERS = 100

T = TypeVar("T")


def paged(visit: Visit) -> Window:
    """The page that the address asks for."""
    return Window(visit.request.query_params.get("after", "")[:MOST_CHARACTERS])


def pager(page: Page[T], window: Window, filters: Mapping[str, str]) -> Context:
    """What stands below a list (parts/ui.html): how many rows there are, whether this is the first page, the cursor of
    the next, and the filters that its links keep."""
    return {"total": page.total, "first": not window.after, "next": page.next, "filters": dict(filters)}
