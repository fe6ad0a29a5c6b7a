"""What a review came to, as whoever signs it off sees it: its numbers, and how each reviewer decided."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.reviews.events import Verdict
from onepam.domain.reviews.figures import Figures, figures, paces
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.tables import AT
from onepam.store.facts.reduced import reduced_of
from onepam.store.facts.reviews import decisions_of, withheld_of
from onepam.store.facts.sign_off import lost_in_silence, took_part
from onepam.store.read.names import Called


@dataclass(frozen=True, slots=True)
class PaceRow:
    """How one reviewer decided; `median` is the time from one decision to the next (microseconds; None of one)."""

    reviewer: str
    name: str
    items: int
    kept: int
    median: int | None
    rubber_stamp: bool


@dataclass(frozen=True, slots=True)
class ReviewFigures:
    """`seen` is what a sign-off carries back of the figures; `took_part` whether the reader decided something in it,
    `lost` whether it took something from them."""

    figures: Figures
    seen: str
    reviewers: tuple[PaceRow, ...]
    took_part: bool
    lost: bool


def review_figures(db: Snapshot, at: Instant, review: str, reader: str) -> ReviewFigures | None:
    """The figures as of now; None where there is no such review."""
    found = row(db, f"SELECT items FROM review WHERE review = :review AND {AT}", {"review": review, "at": at})
    if found is None:
        return None
    decided, called = decisions_of(db, review, at), Called(db, at)
    numbers = figures(found["items"], decided, withheld_of(db, review, at), reduced_of(db, at, review))
    return ReviewFigures(
        figures=numbers,
        seen=numbers.seen(),
        reviewers=tuple(
            PaceRow(each.reviewer, called[each.reviewer], each.items, each.kept, each.median, each.rubber_stamp)
            for each in paces(decided)
        ),
        took_part=reader in took_part(db, review, at),
        lost=lost_in_silence(db, review, reader, at)
        or any(each.person == reader and each.verdict is Verdict.REMOVE for each in decided),
    )
