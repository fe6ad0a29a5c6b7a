"""Pages of long lists, in the address: `?after=` the last row seen."""

from collections.abc import Mapping
from typing import TypeVar

from onepam.console.frame.page import Context
from onepam.console.frame.visit import Visit
from onepam.store.read.paging import SIZE, Page, Window

MOST_CHARACTERS = 100

T = TypeVar("T")


def paged(visit: Visit, size: int = SIZE, word: str = "after") -> Window:
    """The page that the address asks for, by that word."""
    return Window(visit.request.query_params.get(word, "")[:MOST_CHARACTERS], size)


def pager(page: Page[T], window: Window, filters: Mapping[str, str]) -> Context:
    """What stands below a list (parts/ui.html): how many rows there are, whether this is the first page, the cursor of
    the next, and the filters that its links keep."""
    return {"total": page.total, "first": not window.after, "next": page.next, "filters": dict(filters)}
