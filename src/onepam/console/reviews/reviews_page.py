"""Reviews: what their templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class ReviewsPage(PageContext):
    """The reviews: how far each is, and what fell due.

    `reviews`: list of {id, name, opened, closes, closed (or none), items, kept, removed, waiting, mine, nobody,
        suspended, open_removals, not_remediated, signed (when, or none), signer, sign_note, done (percent)}
    `due`: list of {period, begins, review (or ""), opened, closed, signed}: for whoever oversees; the
        newest first
    `schedule`: {every, days, suspends (str), fallback (name or ""), holidays (list of str), on (list of str),
        next (period), opens}: by what they fall due
    `may_open`: the reader may open one
    POST /reviews (csrf, days, suspends, privileged, role, fallback): opens one.
    """

    template: ClassVar = "reviews.html"

    reviews: list[Context]
    due: list[Context]
    schedule: Context
    may_open: bool


@dataclass(frozen=True, slots=True)
class ReviewPage(PageContext):
    """One review with a page of its items, by person and role.

    `review`: as in `ReviewsPage`, with {digest, suspends (str)}
    `which`: which of them are shown; `ways`: list of {id, word, count}: the others, for whoever oversees
    `items`: list of {id, key, person {id, name}, role, purpose, privileged, by (list of str), opens (sessions),
        beyond (of another system), last_used (or none), peers, unusual (list of str), look (mark it in the list),
        against (list of str: why it is recommended to remove it), decides (name or ""), answers (str), verdict (str),
        decider, note, probe ({state, word, at, where}, or none: after it was taken), state, word,
        until (when a keep ends, or none), reduces (bool: it may be kept until a day),
        mine (bool: the reader decides on it now), passes (bool: it waits for the reader),
        may_assign (bool: the reader names who decides)}
    `usual`: those of the items that wait for the reader and about which nothing is unusual, as <person>/<role>
    `figures`: {not_remediated, unanswered, reduced (kept until a day), seen (str), why_not (why the reader may not sign
        it off, or ""), reviewers (list of {name, items, kept, median (str), rubber_stamp})}, or none: for whoever
        oversees
    `may_sign`: the reader could sign it off now
    `until`: the day that is proposed for what is kept until one
    `more`: after which the next page begins, or ""
    POST /reviews/<id>/keep (csrf, those (as `usual`, with blanks between)): keeps them together.
    POST /reviews/<id>/sign-off (csrf, seen, comment): signs it off.
    POST /reviews/<id>/decide (csrf, person, role, decision ("approve" keeps, "reduce" keeps until
        the end of the day `until`, "deny" removes, "pass"), until, to, comment).
    """

    template: ClassVar = "review.html"

    review: Context
    which: str
    ways: list[Context]
    items: list[Context]
    usual: list[str]
    figures: Context | None
    may_sign: bool
    until: str
    more: str
