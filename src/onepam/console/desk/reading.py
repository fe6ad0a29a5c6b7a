"""An auditor's home: the period, six questions, how many answers each has, and a sample that a seed draws."""

from urllib.parse import urlencode

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.period import day_begins, day_text
from onepam.console.frame.rendering import plural
from onepam.console.frame.view import View
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import happened
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.text import plain_text
from onepam.store.read.names import Called
from onepam.store.read.populations import Drawn, Question, Span, draw, population

QUARTER = 90
"""Days of the period, where nobody says otherwise."""
SAMPLE = 25
SEED_BYTES = 8
MAX_SEED = 64

_ASKS = {
    Question.REACH: (
        "Who could reach what, at the end of the period?",
        "person with an account",
        "people with an account",
        "/people",
    ),
    Question.ASKED: ("Who asked for access, and who agreed?", "request", "requests", "/requests"),
    Question.SESSIONS: ("Who was in, and what was done there?", "session", "sessions", "/sessions"),
    Question.REFUSED: ("Who was refused?", "refusal", "refusals", "/sessions?state=refused"),
    Question.CHANGED: ("Who changed what roles may do?", "change", "changes", "/changes"),
    Question.LEFT: ("Who left, and when did their access end?", "leaver", "leavers", "/leavers"),
}
"""Each question in words, what one of its answers is, what several are, and the page that lists them."""


def read_room(db: Snapshot, at: Instant, view: View, asked: Context) -> Context:
    """{from, to (days), seed, drawn (question or ""), questions (list of {id, word, what, total, list (path or ""),
    draw (path)}), sample (list of {words, at (Instant or none), href, entry (int or none)}), pack (path)}."""
    span, days = _period(at, asked)
    seed, which = asked["seed"], asked["draw"]
    again = {**days, "seed": asked["next_seed"]}
    sample = draw(db, at, Question(which), span, seed, SAMPLE) if which in set(Question) and seed else ()
    called = Called(db, at)
    return {
        **days,
        "seed": seed,
        "drawn": which if seed else "",
        "questions": [
            {
                "id": each.value,
                "word": word,
                "what": plural(total := population(db, at, each, span), one, many),
                "total": total,
                "list": (view.link(path) or "") if path else "",
                "draw": "/?" + urlencode({**again, "draw": each.value}) + "#sample",
            }
            for each, (word, one, many, path) in _ASKS.items()
        ],
        "sample": [_item(each, view, called) for each in sample],
        "pack": view.link("/ledger?" + urlencode(days) + "#pack") or "",
    }


def wanted(visit: Visit) -> Context:
    """What the address says of the period and the sample; `next_seed` is one that nobody knew."""
    query = visit.request.query_params
    seed = plain_text(query.get("seed", "")[:MAX_SEED], MAX_SEED, what="seed", required=False)
    return {
        "from": query.get("from", "")[:20],
        "to": query.get("to", "")[:20],
        "draw": query.get("draw", "")[:20],
        "seed": seed if isinstance(seed, str) else "",
        "next_seed": visit.services.random(SEED_BYTES).hex(),
    }


def _period(at: Instant, asked: Context) -> tuple[Span, Context]:
    """From the beginning of the first day to the end of the last, in UTC; the newest quarter where that is none."""
    begin, until = day_begins(asked["from"]), day_begins(asked["to"], 1)
    if begin is None or until is None or begin >= until:
        until = Instant((at // DAY + 1) * DAY)
        begin = Instant(until - QUARTER * DAY)
    days = (day_text(begin), day_text(Instant(until - DAY)))
    return (begin, until), {"from": days[0], "to": days[1]}


def _item(drawn: Drawn, view: View, called: Called) -> Context:
    if drawn.entry is None:
        who = drawn.person
        return {"words": called.get(who, who), "at": None, "href": view.link(f"/people/{who}"), "entry": None}
    index, event = drawn.entry.header.index, drawn.entry.event
    ways = (("session", "/sessions/"), ("request", "/requests/"), ("change", "/changes/"))
    path = next((f"{way}{getattr(event, name)}" for name, way in ways if hasattr(event, name)), "")
    if drawn.entry.header.kind == "session.refused":
        path = f"/ledger?entry={index}"
    href = view.link(path) if path else None
    return {"words": happened(event, called), "at": drawn.entry.header.time, "href": href, "entry": index}
