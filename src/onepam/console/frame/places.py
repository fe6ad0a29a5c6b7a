"""The rows of the console's one table: an address, who may, what answers, and whether it is shown.

The gate, the side bar, the search and the links of every page read the same row, so that what is shown opens, and what
does not open is neither shown nor found.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from starlette.responses import Response

from onepam.domain.access.model import ConsoleRight

if TYPE_CHECKING:
    from onepam.console.frame.visit import Visit

MAX_BODY_BYTES = 1_100_000

Handler = Callable[["Visit"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Needs:
    """Who may: nobody in particular (`signed_in=False`), anybody signed in, or holders of one of `rights`."""

    signed_in: bool = True
    rights: tuple[ConsoleRight, ...] = ()


ANYBODY = Needs(signed_in=False)
MEMBER = Needs()
SEES_ALL = Needs(rights=(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR))
ADMINISTERS = Needs(rights=(ConsoleRight.ADMINISTER,))
DECIDES = Needs(rights=(ConsoleRight.APPROVE, ConsoleRight.ADMINISTER, ConsoleRight.ACCEPT_RISK))


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry of the side bar, found by its word: the word, its icon, and the heading that it stands under.
    `answering`: it stands there only for whoever answers for what somebody else holds, or oversees."""

    word: str
    icon: str
    group: str
    answering: bool = False


FOLDED = frozenset({"Identity"})
"""Headings that stand closed until a page under them is read: what is set up once, and looked at now and then."""


@dataclass(frozen=True, slots=True)
class Place:
    """One row of the console's table. `shown`: it stands in the side bar of whoever may; in the table's order.

    `outside`: an identity provider posts there, itself or by the browser, so that no token and no Origin of ours can be
    asked for; it is believed by the provider's signature alone. `most_bytes` bounds the form; only a place that lets
    through more than usual takes a file (`visit.file`).
    """

    method: str
    path: str
    needs: Needs
    handler: Handler
    shown: Shown | None = None
    outside: bool = False
    most_bytes: int = MAX_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the side bar; each entry is a path and how it is shown. `folded` is None where it never is."""

    word: str
    entries: tuple[tuple[str, Shown], ...]
    folded: bool | None


def headings(places: Iterable[Place], marked: str) -> list[Heading]:
    """The side bar of these places, where the page that is read stands under the entry `marked`."""
    entries = [(place.path, place.shown) for place in places if place.shown]
    return [_heading(word, tuple(under), marked) for word, under in groupby(entries, lambda each: each[1].group)]


def _heading(word: str, entries: tuple[tuple[str, Shown], ...], marked: str) -> Heading:
    folded = all(path != marked for path, _ in entries) if word in FOLDED else None
    return Heading(word, entries, folded)
