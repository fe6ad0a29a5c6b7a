"""Access reviews: how far each is, what waits for me, and my word on it."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from onepam.api.errors import ApiError
from onepam.api.guard import SIGNED_IN, AsOf, Caller, Services, Who, done, right
from onepam.api.models import Answer, Body, Done, Id, MaybeMoment, Moment, Text
from onepam.api.routes.route import Route
from onepam.app.reviews.decide_item import MOST_AT_ONCE, decide_item, keep_usual, pass_on
from onepam.app.reviews.open_review import open_review
from onepam.app.reviews.sign_off import sign_off
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.review_schedule import Every, Suspends, Trigger
from onepam.domain.reviews.advice import Odd
from onepam.domain.reviews.deciding import NOBODY
from onepam.domain.reviews.events import Answers, Scope, Verdict, Withheld
from onepam.domain.reviews.opening import Opening
from onepam.kernel.clock import DAY, parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read import review_calendar as calendar
from onepam.store.read import reviews as rows
from onepam.store.read.concerned import meant
from onepam.store.read.console import OVERSEERS
from onepam.store.read.names import name
from onepam.store.read.review_figures import review_figures

UNKNOWN = Refused("review.unknown", "There is no such review.", "/reviews")


class ReviewOut(Answer):
    """A review. `mine` items wait for me, `nobody` for nobody who is left; `suspended` are withheld because nobody
    answered, `open_removals` are removed and withheld while a binding gives them still, `not_remediated` removed and in
    another system still."""

    review: str
    period: str
    opened: Moment
    closes: Moment
    closed: MaybeMoment
    suspends: Suspends
    opened_by: str | None
    fallback: str | None
    digest: str
    items: int
    kept: int
    removed: int
    waiting: int
    mine: int
    nobody: int
    suspended: int
    open_removals: int
    signed: MaybeMoment
    signer_name: str
    sign_note: str
    not_remediated: int


class DueOut(Answer):
    """A period for which a review fell due; where it had none (`review` is empty) it was missed."""

    period: str
    begins: Moment
    review: str
    opened: MaybeMoment
    closed: MaybeMoment
    signed: MaybeMoment


class ScheduleOut(Answer):
    """By what reviews fall due: how often, for how long (microseconds), what silence takes, who decides where nobody
    else can, days on which none opens or ends, and what opens one between; and which one is next."""

    every: Every
    lasts: int
    suspends: Suspends
    fallback: str | None
    fallback_name: str
    holidays: list[str]
    on: list[Trigger]
    next_period: str
    next_opens: Moment


class ReviewsOut(Answer):
    """The reviews, the newest first, by what they fall due, and, for whoever oversees, the calendar of what did."""

    reviews: list[ReviewOut]
    schedule: ScheduleOut
    due: list[DueOut]


class FiguresOut(Answer):
    """What a review came to; `not_remediated` were removed, and a binding gives them still. `rubber_stamps` are those
    who kept more than 95 of 100, of 50 or more, at a median of less than 2 s."""

    kept: int
    reduced: int
    removed: int
    unanswered: int
    not_remediated: int
    rubber_stamps: list[str]


class PaceOut(Answer):
    """How one reviewer decided; `median` is the time from one decision to the next (microseconds; none of one)."""

    reviewer: str
    name: str
    items: int
    kept: int
    median: int | None
    rubber_stamp: bool


class ReviewFiguresOut(Answer):
    """The figures, and `seen`, by which a sign-off says that it is of these."""

    figures: FiguresOut
    seen: str
    reviewers: list[PaceOut]


class ItemOut(Answer):
    """A role that a person holds. `by` is why it was given, `peers` how many under the same manager hold it, too,
    `unusual` what makes it one to look at, `against` why it is recommended to remove it (then a keep takes a note);
    `decides` whose it is (empty: nobody is left) and `answers` as what. With `beyond` it is what they hold in another
    system (`role`), and removing it is for whoever answers there; `held`: it is there still. `until` is when a keep
    ends."""

    person: str
    name: str
    role: str
    purpose: str
    privileged: bool
    by: list[str]
    last_used: MaybeMoment
    peers: int
    unusual: list[Odd]
    against: list[Odd]
    decides: str
    decides_name: str
    answers: Answers | None
    verdict: Verdict | None
    decider_name: str
    note: str
    withheld: Withheld | None
    held: bool
    beyond: bool
    until: MaybeMoment


class ReviewItemsOut(Answer):
    """A review with 100 items at most; `more` is the next page's `after`, empty on the last."""

    review: ReviewOut
    items: list[ItemOut]
    more: str


class ReviewIn(Body):
    """A review of what everybody holds now, narrowed by what is not empty; `fallback` decides where nobody else can."""

    days: int
    roles: list[Id] = Field(default_factory=list)
    people: list[Id] = Field(default_factory=list)
    resources: list[Id] = Field(default_factory=list)
    privileged: bool = False
    systems: list[Id] = Field(default_factory=list)
    suspends: str = Suspends.PRIVILEGED
    fallback: Id | None = None


class OpenedOut(Answer):
    """The review that began."""

    review: str
    items: int


class ItemIn(Body):
    """An item of a review."""

    person: Id
    role: Id


class VerdictIn(Body):
    """My word on one item; with `until` (RFC 3339) a keep ends then."""

    person: Id
    role: Id
    verdict: str
    note: Text = ""
    until: Text | None = None


class UsualIn(Body):
    """Items that I keep together."""

    items: list[ItemIn] = Field(max_length=MOST_AT_ONCE)


class KeptOut(Answer):
    """How many were kept."""

    kept: int


class PassIn(Body):
    """It is not mine: somebody named, by id, address or whole name, or whoever is next, decides."""

    person: Id
    role: Id
    to: Text = ""
    note: Text = ""


class SignOffIn(Body):
    """I sign a review off: `seen` as the figures that I was shown give it."""

    note: Text
    seen: Text


class PassedOut(Answer):
    """Who decides now."""

    to: str
    to_name: str


async def list_reviews(caller: Who, services: Services, at: AsOf) -> ReviewsOut:
    """All reviews for whoever oversees; for others those in which something is or was theirs to decide."""
    everybody = _oversees(caller)
    found = await services.reader(rows.reviews, at, caller.actor.person, everybody)
    due = await services.reader(calendar.calendar, at) if everybody else ()
    return ReviewsOut(
        reviews=[ReviewOut.model_validate(each) for each in found],
        schedule=ScheduleOut.model_validate(await services.reader(calendar.schedule, at)),
        due=[DueOut.model_validate(each) for each in due],
    )


async def read_review(
    review: Id,
    caller: Who,
    services: Services,
    at: AsOf,
    which: Literal["mine", "waiting", "nobody", "removed", "suspended", "all"] = "mine",
    after: Annotated[str, Query(max_length=200)] = "",
) -> ReviewItemsOut:
    """A review with its items: mine, or, for whoever oversees, those asked for."""
    reader = caller.actor.person
    found = await services.reader(rows.review_page, at, review, reader, _oversees(caller), which, after)
    if found is None:
        raise ApiError(UNKNOWN)
    return ReviewItemsOut.model_validate(found)


async def begin_review(body: ReviewIn, caller: Who, services: Services) -> OpenedOut:
    """Open a review. What is removed in it gives nothing from then on."""
    if body.suspends not in set(Suspends):
        raise ApiError(Refused("review.suspends", f"One of: {', '.join(Suspends)}."))
    wanted = Opening(
        scope=Scope(tuple(body.roles), tuple(body.people), tuple(body.resources), body.privileged, tuple(body.systems)),
        lasts=body.days * DAY,
        suspends=Suspends(body.suspends),
        fallback=body.fallback,
    )
    found = done(await open_review(services.ledger, caller.actor, wanted, new_id("rev", services.random)))
    return OpenedOut.model_validate(found)


async def decide(review: Id, body: VerdictIn, caller: Who, services: Services) -> Done:
    """Keep or remove. A keep takes a second factor of the last hour."""
    if body.verdict not in set(Verdict):
        raise ApiError(Refused("review.verdict", f"One of: {', '.join(Verdict)}."))
    verdict = Verdict(body.verdict)
    try:
        until = parse(body.until) if body.until is not None else None
    except ValueError:
        raise ApiError(Refused("review.until", "Until when is no time.", "Such as 2027-01-31T00:00:00Z")) from None
    item = (review, body.person, body.role)
    refused = await decide_item(services.ledger, caller.actor, *item, verdict, body.note, until)
    done(refused)
    return Done()


async def keep_together(review: Id, body: UsualIn, caller: Who, services: Services) -> KeptOut:
    """Keep those about which nothing is unusual, one decision each; the others wait on."""
    named = tuple((each.person, each.role) for each in body.items)
    return KeptOut(kept=done(await keep_usual(services.ledger, caller.actor, review, named)))


async def hand_on(review: Id, body: PassIn, caller: Who, services: Services) -> PassedOut:
    """Pass an item on. Whoever administers names somebody for any that waits."""
    people = await services.reader(meant, None, body.to.strip()) if body.to.strip() else ()
    if body.to.strip() and len(people) != 1:
        raise ApiError(NOBODY)
    named = people[0] if people else None
    to = done(await pass_on(services.ledger, caller.actor, review, body.person, body.role, named, body.note))
    return PassedOut(to=to, to_name=await services.reader(name, None, to))


async def read_figures(review: Id, caller: Who, services: Services, at: AsOf) -> ReviewFiguresOut:
    """What a review came to, and how each reviewer decided."""
    found = await services.reader(review_figures, at, review, caller.actor.person)
    if found is None:
        raise ApiError(UNKNOWN)
    return ReviewFiguresOut.model_validate(found)


async def sign(review: Id, body: SignOffIn, caller: Who, services: Services) -> Done:
    """Sign a review off, once it is over: whoever administers or audits, and had no part in it, under a fresh second
    factor."""
    done(await sign_off(services.ledger, caller.actor, review, body.note, body.seen))
    return Done()


def _oversees(caller: Caller) -> bool:
    return caller.may(*OVERSEERS)


ROUTES = (
    Route("GET", "/reviews", SIGNED_IN, list_reviews),
    Route("POST", "/reviews", right(ConsoleRight.ADMINISTER), begin_review),
    Route("GET", "/reviews/{review}", SIGNED_IN, read_review),
    Route("POST", "/reviews/{review}/decide", SIGNED_IN, decide),
    Route("POST", "/reviews/{review}/keep", SIGNED_IN, keep_together),
    Route("POST", "/reviews/{review}/pass", SIGNED_IN, hand_on),
    Route("GET", "/reviews/{review}/figures", right(*OVERSEERS), read_figures),
    Route("POST", "/reviews/{review}/sign-off", right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT), sign),
)
