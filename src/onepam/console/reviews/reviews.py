"""The pages of reviews, and a reviewer's word on an item."""

from urllib.parse import quote

from starlette.responses import Response

from onepam.app.reviews.decide_item import decide_item, keep_usual, pass_on
from onepam.app.reviews.open_review import open_review
from onepam.app.reviews.sign_off import sign_off
from onepam.console.frame.page import Context
from onepam.console.frame.period import day_begins
from onepam.console.frame.places import ADMINISTERS, MEMBER, SEES_ALL, Needs, Place, Shown
from onepam.console.frame.rendering import Flash, day, plural
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import probe_words
from onepam.console.reviews.reviews_page import ReviewPage, ReviewsPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.review_schedule import WEEKDAYS, Suspends, Trigger
from onepam.domain.reviews.advice import Odd
from onepam.domain.reviews.deciding import NOBODY
from onepam.domain.reviews.events import Answers, Scope, Verdict, Withheld
from onepam.domain.reviews.opening import Opening
from onepam.domain.reviews.population import is_beyond
from onepam.kernel.clock import DAY, SECOND, Instant, moment, parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read import review_calendar as calendar
from onepam.store.read import reviews as rows
from onepam.store.read.concerned import meant
from onepam.store.read.review_figures import ReviewFigures, review_figures
from onepam.store.read.review_items import ItemRow

HERE = "/reviews"
SIGNS_OFF = Needs(rights=(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT))
SHOW_A_FACTOR = frozenset({"factor.stale", "mfa.not_shown"})

ANSWERS = {
    Answers.NAMED: "it was passed on to them",
    Answers.MANAGER: "as the manager",
    Answers.SPONSOR: "as the sponsor or owner of the account",
    Answers.ROLE_OWNER: "as the owner of the role",
    Answers.SYSTEM_OWNER: "because they answer for the system",
    Answers.FALLBACK: "because nobody else can",
}
SUSPENDS = {
    Suspends.NOTHING: "Without an answer nothing is withheld.",
    Suspends.PRIVILEGED: "What is privileged is withheld without an answer.",
    Suspends.EVERYTHING: "Everything is withheld without an answer.",
}
TOOK_PART = "You decided in it, so somebody else signs it off."
LOST = "It took something from you, so somebody else signs it off."
USUAL_DAYS = 90
"""How far ahead the day is that is proposed for what is kept until one."""

COMMON = frozenset({Odd.DIRECT, Odd.PRIVILEGED})
"""What is so of too much to be marked in a list."""

TRIGGERS = {
    Trigger.MOVER: "somebody comes to another manager",
    Trigger.WIDENED: "a role begins to give more",
}
WAYS = (
    ("mine", "Mine"),
    ("waiting", "Waiting"),
    ("nobody", "Nobody left to decide"),
    ("removed", "Removed"),
    ("suspended", "Withheld: no answer"),
    ("all", "All"),
)
_KNOWN = frozenset(each for each, _ in WAYS)


async def reviews_page(visit: Visit) -> Response:
    """How far each review is, and what fell due."""
    everybody = _oversees(visit)
    found = await visit.services.reader(rows.reviews, visit.at, visit.me.actor.person, everybody)
    due = await visit.services.reader(calendar.calendar, visit.at) if everybody else ()
    return visit.page(
        ReviewsPage(
            reviews=[_review(each) for each in found],
            due=[
                {
                    "period": each.period,
                    "begins": each.begins,
                    "review": each.review,
                    "opened": each.opened,
                    "closed": each.closed,
                    "signed": each.signed,
                }
                for each in due
            ],
            schedule=_schedule(await visit.services.reader(calendar.schedule, visit.at)),
            may_open=visit.me.has(ConsoleRight.ADMINISTER),
        )
    )


async def review_page(visit: Visit) -> Response:
    """One review: what waits for the reader, or whatever whoever oversees asks for."""
    everybody, review = _oversees(visit), visit.path("review")
    query = visit.request.query_params
    asked, after = query.get("which", ""), query.get("after", "")[:200]
    reader = visit.me.actor.person
    which = asked if everybody and asked in _KNOWN else "mine"
    found = await visit.services.reader(rows.review_page, visit.at, review, reader, everybody, which, after)
    if found is None:
        return visit.refusal(Refused("review.unknown", "There is no such review.", HERE), 404)
    it = found.review
    counts = {"mine": it.mine, "waiting": it.waiting, "nobody": it.nobody, "removed": it.removed,
              "suspended": it.suspended, "all": it.items}  # fmt: skip
    assigns = visit.me.has(ConsoleRight.ADMINISTER)
    numbers = await visit.services.reader(review_figures, visit.at, review, reader) if everybody else None
    waits = it.closed is not None and it.signed is None
    items = [_item(each, it, visit.moment, reader, assigns) for each in found.items]
    return visit.page(
        ReviewPage(
            review={**_review(it), "digest": it.digest, "suspends": SUSPENDS[it.suspends]},
            which=which,
            ways=[{"id": each, "word": word, "count": counts[each]} for each, word in WAYS] if everybody else [],
            items=items,
            usual=[
                f"{each['person']['id']}/{each['role']}" for each in items if each["passes"] and not each["unusual"]
            ],
            figures=_figures(numbers) if numbers is not None else None,
            may_sign=waits and visit.me.has(*SIGNS_OFF.rights),
            until=moment(Instant(visit.moment + USUAL_DAYS * DAY)).date().isoformat(),
            more=found.more,
        )
    )


async def sign(visit: Visit) -> Response:
    """Somebody signs a review off, having seen these figures of it."""
    form, review = visit.form, visit.path("review")
    here = f"{HERE}/{review}"
    outcome = await sign_off(
        visit.services.ledger, visit.me.actor, review, form.get("comment", ""), form.get("seen", "")
    )
    if outcome is not None and outcome.code in SHOW_A_FACTOR:
        return visit.go(f"/step-up?next={quote(here)}")
    return visit.outcome(outcome, here, "Signed off.")


async def open_one(visit: Visit) -> Response:
    """An administrator opens a review of what everybody holds now."""
    form, services = visit.form, visit.services
    days, role, named = form.get("days", ""), form.get("role", "").strip(), form.get("fallback", "").strip()
    people = await services.reader(meant, None, named) if named else ()
    if named and len(people) != 1:
        return visit.outcome(Refused("review.fallback", "Nobody here, or several, are called that."), HERE, "")
    suspends = form.get("suspends", "")
    wanted = Opening(
        scope=Scope(roles=(role,) if role else (), privileged=bool(form.get("privileged"))),
        lasts=int(days) * DAY if days.isascii() and days.isdigit() and len(days) < 4 else 0,
        suspends=Suspends(suspends) if suspends in set(Suspends) else Suspends.PRIVILEGED,
        fallback=people[0] if people else None,
    )
    outcome = await open_review(services.ledger, visit.me.actor, wanted, new_id("rev", services.random))
    if isinstance(outcome, Refused):
        return visit.outcome(outcome, HERE, "")
    return visit.go(f"{HERE}/{outcome.review}", Flash("done", f"Opened: {plural(outcome.items, 'item', 'items')}."))


async def keep_all(visit: Visit) -> Response:
    """Keeps those of the page about which nothing is unusual."""
    review, back = visit.path("review"), visit.back(f"{HERE}/{visit.path('review')}")
    those = (each.partition("/") for each in visit.form.get("those", "").split())
    named = tuple((person, role) for person, _, role in those)
    outcome = await keep_usual(visit.services.ledger, visit.me.actor, review, named)
    if isinstance(outcome, Refused):
        return (
            visit.go(f"/step-up?next={quote(back)}")
            if outcome.code in SHOW_A_FACTOR
            else visit.outcome(outcome, back, "")
        )
    return visit.outcome(None, back, f"Kept: {plural(outcome, 'item', 'items')}.")


async def decide(visit: Visit) -> Response:
    """Keep, remove, or somebody else's; then the next item."""
    form, services, actor = visit.form, visit.services, visit.me.actor
    review, back = visit.path("review"), visit.back(f"{HERE}/{visit.path('review')}")
    person, role, note = form.get("person", ""), form.get("role", ""), form.get("comment", "")
    said, to = form.get("decision"), form.get("to", "").strip()
    outcome: object
    match said:
        case "approve" | "deny" | "reduce":
            verdict = Verdict.REMOVE if said == "deny" else Verdict.KEEP
            until = (day_begins(form.get("until", ""), 1) or Instant(0)) if said == "reduce" else None
            outcome = await decide_item(services.ledger, actor, review, person, role, verdict, note, until)
        case "pass":
            people = await services.reader(meant, None, to) if to else ()
            if to and len(people) != 1:
                return visit.outcome(NOBODY, back, "")
            named = people[0] if people else None
            outcome = await pass_on(services.ledger, actor, review, person, role, named, note)
        case _:
            return visit.refusal(
                Refused("form.malformed", "A decision is to keep, to remove or to pass on.", HERE), 409
            )
    if isinstance(outcome, Refused) and outcome.code in SHOW_A_FACTOR:
        return visit.go(f"/step-up?next={quote(back)}")
    done = {"approve": "Kept.", "reduce": "Kept until then.", "deny": _removed(role)}.get(said, "Passed on.")
    return visit.outcome(outcome if isinstance(outcome, Refused) else None, back, done)


def _removed(role: str) -> str:
    return "Removed: it is to be ended there." if is_beyond(role) else "Removed: it gives nothing any more."


def _oversees(visit: Visit) -> bool:
    return visit.me.has(*SEES_ALL.rights)


def _review(each: rows.ReviewRow) -> Context:
    return {
        "id": each.review,
        "name": _named(each),
        "opened": each.opened,
        "closes": each.closes,
        "closed": each.closed,
        "items": each.items,
        "kept": each.kept,
        "removed": each.removed,
        "waiting": each.waiting,
        "mine": each.mine,
        "nobody": each.nobody,
        "suspended": each.suspended,
        "open_removals": each.open_removals,
        "signed": each.signed,
        "signer": each.signer_name,
        "sign_note": each.sign_note,
        "not_remediated": each.not_remediated,
        "done": 100 * (each.kept + each.removed) // each.items if each.items else 100,
    }


def _figures(it: ReviewFigures) -> Context:
    """What it came to; of each reviewer the median in seconds."""
    return {
        "not_remediated": it.figures.not_remediated,
        "unanswered": it.figures.unanswered,
        "reduced": it.figures.reduced,
        "seen": it.seen,
        "why_not": TOOK_PART if it.took_part else LOST if it.lost else "",
        "reviewers": [
            {
                "name": each.name,
                "items": each.items,
                "kept": each.kept,
                "median": f"{each.median / SECOND:,.1f} s" if each.median is not None else "",
                "rubber_stamp": each.rubber_stamp,
            }
            for each in it.reviewers
        ],
    }


def _schedule(it: calendar.ScheduleRow) -> Context:
    return {
        "every": it.every.value,
        "days": it.lasts // DAY,
        "suspends": SUSPENDS[it.suspends],
        "fallback": it.fallback_name,
        "holidays": [holiday(each) for each in it.holidays],
        "on": [TRIGGERS[each] for each in it.on],
        "next": it.next_period,
        "opens": it.next_opens,
    }


def holiday(said: str) -> str:
    """A day on which none opens, as people say it: `Saturdays`, `1 January 2027`."""
    return f"{said.capitalize()}s" if said in WEEKDAYS else day(parse(f"{said}T00:00:00Z"))


def _named(each: rows.ReviewRow) -> str:
    """What a review is called: by its period, or by what it is of."""
    if each.period:
        return f"Review of {each.period}"
    scope = each.scope
    if each.opened_by is None:
        moved = plural(len(scope.people), "person who moved", "people who moved")
        return f"Review of {moved}" if scope.people else f"Review of {', '.join(scope.roles[:3])}, which give more"
    words = [*scope.roles, *scope.resources, *scope.systems]
    if scope.privileged:
        words.append("what is privileged")
    if scope.people:
        words.append(plural(len(scope.people), "person", "people"))
    return f"Review of {', '.join(words[:3]) or 'every access'}" + (" and more" if len(words) > 3 else "")


def _item(each: ItemRow, review: rows.ReviewRow, at: Instant, reader: str, assigns: bool) -> Context:
    runs = review.closed is None and at < review.closes
    silent = each.withheld is Withheld.SILENCE
    waits = (each.verdict is None and runs) or silent
    state, word = _state(each, runs)
    if state == "due" and waits and each.decides not in ("", reader):
        word = f"Waits for {each.decides_name}"
    return {
        "id": f"{each.person}-{each.role}",
        "key": f"{each.person}/{each.role}",
        "person": {"id": each.person, "name": each.name},
        "role": each.role,
        "purpose": each.purpose,
        "privileged": each.privileged,
        "by": each.by,
        "opens": each.opens,
        "beyond": each.beyond,
        "last_used": each.last_used,
        "peers": each.peers,
        "unusual": [odd.words for odd in each.unusual],
        "look": not {*each.unusual} <= COMMON,
        "against": [odd.words for odd in each.against],
        "decides": each.decides_name,
        "answers": ANSWERS[each.answers] if each.answers is not None else "",
        "verdict": each.verdict.value if each.verdict is not None else "",
        "decider": each.decider_name,
        "note": each.note,
        "probe": {**probe_words(each.probed[1]), "where": each.probed[0]} if each.probed is not None else None,
        "until": each.until,
        "reduces": each.held and not each.beyond,
        "state": state,
        "word": word,
        "mine": each.decides == reader and (waits or (runs and each.verdict is not None)),
        "passes": each.decides == reader and waits and each.verdict is None,
        "may_assign": assigns and waits and each.verdict is None and reader not in (each.decides, each.person),
    }


def _state(each: ItemRow, runs: bool) -> tuple[str, str]:
    if each.withheld is Withheld.SILENCE:
        return "finding", "Withheld: nobody answered"
    if each.verdict is Verdict.REMOVE and each.beyond:
        return ("finding", "Not remediated") if each.held else ("proven", "Removed, and gone there")
    if each.verdict is Verdict.REMOVE:
        return ("due", "Removed; a binding gives it still") if each.held and each.withheld else ("proven", "Removed")
    if each.verdict is Verdict.KEEP and each.withheld is not None:
        return "due", "Its day is over; a binding gives it still"
    if each.verdict is Verdict.KEEP:
        return "proven", "Kept until a day" if each.until is not None else "Kept"
    if not each.held:
        return "plain", "Gone meanwhile"
    if not runs:
        return "finding", "No answer"
    return ("due", "Waits") if each.decides else ("finding", "Nobody left to decide")


PLACES = (
    Place("GET", HERE, MEMBER, reviews_page, Shown("Reviews", "list-check", "Me", answering=True)),
    Place("POST", HERE, ADMINISTERS, open_one),
    Place("GET", "/reviews/{review}", MEMBER, review_page),
    Place("POST", "/reviews/{review}/decide", MEMBER, decide),
    Place("POST", "/reviews/{review}/keep", MEMBER, keep_all),
    Place("POST", "/reviews/{review}/sign-off", SIGNS_OFF, sign),
)
