"""A page of a list: the rows after one row, so many at most, and how many there are in all.

Its cursor is the id of a row: the next page begins after it, in the list's own order, however far that is. No row is
skipped by counting, and none is shown twice because something was added meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

SIZE = 25
"""Rows of a page, where nobody says otherwise."""
MOST = 500
"""Rows that a page has at most."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which page: at most `size` rows after the one whose id is `after`; from the first one on where that is "", or is
    not in the list any more."""

    after: str = ""
    size: int = SIZE

    @property
    def most(self) -> int:
        """`size`, bounded."""
        return max(1, min(self.size, MOST))


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`total` is how many rows all pages have; `next` the cursor of the page after this, "" where this is the last."""

    rows: tuple[T, ...]
    total: int
    next: str

    @classmethod
    def of(cls, found: Sequence[T], window: Window, total: int, ident: Callable[[T], str]) -> "Page[T]":
        """Of the rows found, of which there is one more than the window shows where the list goes on."""
        shown = tuple(found[: window.most])
        return cls(shown, total, ident(shown[-1]) if len(found) > len(shown) else "")

    def map(self, told: Callable[[tuple[T, ...]], Iterable[U]]) -> "Page[U]":
        """The same page, with what is told of its rows in their place."""
        return Page(tuple(told(self.rows)), self.total, self.next)
