"""Reviews: the list, and one with items of every kind."""

from dataclasses import replace
from typing import Any

from onepam.console.reviews.reviews import ANSWERS, SUSPENDS, TRIGGERS, WAYS, holiday
from onepam.console.reviews.reviews_page import ReviewPage, ReviewsPage
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.reviews.events import Answers
from onepam.kernel.clock import DAY
from tests.console.samples.company import JONAS, TOMAS, Context, ago, ahead


def review(name: str, **more: Any) -> Context:
    return {
        "id": "rev_4qz", "name": name, "opened": ago(6 * DAY), "closes": ahead(8 * DAY), "closed": None, "items": 48,
        "kept": 20, "removed": 3, "waiting": 25, "mine": 2, "nobody": 1, "suspended": 0, "open_removals": 2, "done": 47,
        "signed": None, "signer": "", "sign_note": "",
        "not_remediated": 1,
        **more,
    }  # fmt: skip


OVER = review(
    "Review of 2026-Q3", id="rev_3k7", closed=ago(40 * DAY), kept=40, removed=6, waiting=2, mine=0, nobody=0,
    suspended=2, open_removals=0, done=95,
)  # fmt: skip
REVIEWS = ReviewsPage(
    reviews=[review("Review of 2026-Q4"), OVER],
    due=[
        {"period": "2026-Q4", "begins": ago(50 * DAY), "review": "rev_4qz", "opened": ago(6 * DAY), "closed": None,
         "signed": None},
        {"period": "2026-Q3", "begins": ago(141 * DAY), "review": "rev_3k7", "opened": ago(61 * DAY),
         "closed": ago(40 * DAY), "signed": None},
        {"period": "2026-Q2", "begins": ago(233 * DAY), "review": "", "opened": None, "closed": None, "signed": None},
    ],
    schedule={
        "every": "quarter", "days": 21, "suspends": SUSPENDS[Suspends.PRIVILEGED], "fallback": "Mira Okafor",
        "holidays": ["Saturdays", "Sundays", holiday("2027-01-01")], "on": list(TRIGGERS.values()), "next": "2027-Q1",
        "opens": ahead(33 * DAY),
    },
    may_open=True,
)  # fmt: skip
_PLAIN: Context = {**REVIEWS.schedule, "fallback": "", "holidays": [], "on": []}
NO_REVIEWS = replace(REVIEWS, reviews=[], due=[], schedule=_PLAIN, may_open=False)


def item(who: Context, role: str, **more: Any) -> Context:
    return {
        "id": f"{who['id']}-{role}", "key": f"{who['id']}/{role}", "role": role,
        "person": {"id": who["id"], "name": who["name"]},
        "purpose": "Runs and repairs the databases", "privileged": True,
        "by": ["Their product (through directory:Platform)", "Cover for the night shift"], "last_used": ago(3 * DAY),
        "opens": True, "beyond": False, "peers": 4, "unusual": [], "look": False, "against": [],
        "decides": "Mira Okafor", "answers": ANSWERS[Answers.MANAGER], "verdict": "",
        "decider": "", "note": "", "probe": None, "until": None, "reduces": True,
        "state": "due", "word": "Waits", "mine": True, "passes": True, "may_assign": False,
        **more,
    }  # fmt: skip


_DONE: dict[str, Any] = {"mine": False, "passes": False, "decider": "Mira Okafor"}
REVIEW = ReviewPage(
    review={**review("Review of 2026-Q4"), "digest": "9f2c4a77d01be35581fa" + "0" * 44,
            "suspends": SUSPENDS[Suspends.PRIVILEGED]},
    which="waiting",
    ways=[{"id": each, "word": word, "count": 12} for each, word in WAYS],
    items=[
        item(TOMAS, "dba", last_used=None, unusual=["Never used to open a session", "Privileged"], look=True,
             against=["Never used to open a session"], peers=0),
        item(JONAS, "dba"),
        item(JONAS, "system:payroll", purpose="accounts in payroll, another system", privileged=False, beyond=True,
             by=["j.weber: approve, read"], opens=False, verdict="remove", state="finding", word="Not remediated",
             **_DONE),
        item(TOMAS, "operator", verdict="keep", note="on call in winter", state="proven", word="Kept until a day",
             until=ahead(50 * DAY), **_DONE),
        item(JONAS, "operator", verdict="remove", word="Removed; a binding gives it still", **_DONE,
             probe={"state": "proven", "word": "refused", "at": ago(5 * DAY), "where": "db-1"}),
        item(JONAS, "auditor", decides="", answers="", state="finding", word="Nobody left to decide", mine=False,
             passes=False, may_assign=True),
    ],
    usual=["per_jonas/dba", "per_tomas/dba"],
    figures={
        "not_remediated": 2, "unanswered": 25, "reduced": 1, "seen": "20.1.3.25.2", "why_not": "",
        "reviewers": [
            {"name": "Mira Okafor", "items": 61, "kept": 60, "median": "1.2 s", "rubber_stamp": True},
            {"name": "Sara Lindqvist", "items": 1, "kept": 0, "median": "", "rubber_stamp": False},
        ],
    },
    may_sign=False,
    until="2027-02-28",
    more="per_tomas/operator",
)  # fmt: skip
NO_ITEMS = replace(REVIEW, which="mine", ways=[], items=[], usual=[], figures=None, more="")
TO_SIGN = replace(
    REVIEW, review={**REVIEW.review, **OVER}, which="all", items=REVIEW.items[2:4], may_sign=True, more=""
)
