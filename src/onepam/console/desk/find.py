"""The palette: people, resources, sessions and pages, within what the reader may see."""

from collections.abc import Iterator

from starlette.responses import JSONResponse, Response

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.places import MEMBER, Place
from onepam.console.frame.view import View
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import session_state
from onepam.kernel.clock import Instant
from onepam.store.read.catalogue import catalogue
from onepam.store.read.people import people
from onepam.store.read.resources import resources
from onepam.store.read.sessions import SessionFilter, sessions

MOST_OF_EACH = 5
MOST_CHARACTERS = 100


async def find(visit: Visit) -> Response:
    """`{"results": [{kind, title, detail, href, icon}]}`."""
    query = visit.request.query_params.get("q", "").strip()[:MOST_CHARACTERS].casefold()
    view = View.of(visit)
    pages = [each for each in _pages(view) if query in each["title"].casefold()]
    found = await visit.services.reader(_found, None, view, query) if query else []
    return JSONResponse({"results": [*found, *pages]})


def _pages(view: View) -> Iterator[Context]:
    return (_result("Page", each.shown.word, "", each.path, each.shown.icon) for each in view.shown if each.shown)


def _found(db: Snapshot, at: Instant, view: View, query: str) -> list[Context]:
    return [*_people(db, at, view, query), *_resources(db, at, view, query), *_sessions(db, at, view, query)]


def _people(db: Snapshot, at: Instant, view: View, query: str) -> list[Context]:
    found = people(db, at) if "/people" in view.sections else ()
    return [
        _result("Person", each.name, ", ".join(each.roles), f"/people/{each.person}", "user")
        for each in found
        if query in f"{each.name} {each.email or ''}".casefold()
    ][:MOST_OF_EACH]


def _resources(db: Snapshot, at: Instant, view: View, query: str) -> list[Context]:
    if "/resources" in view.sections:
        named = {each.resource: each.labels for each in resources(db, at)}
    else:
        mine = catalogue(db, at, view.person, query)
        named = {each.site.resource: each.site.labels for each in mine.open}
        named.update((each.site.resource, each.site.labels) for each in mine.requestable)
    found = []
    for name, labels in sorted(named.items()):
        words = " ".join(f"{key}={value}" for key, value in sorted(labels.items()))
        if query in f"{name} {words}".casefold():
            found.append(_result("Resource", name, words, f"/resources/{name}", "server"))
    return found[:MOST_OF_EACH]


def _sessions(db: Snapshot, at: Instant, view: View, query: str) -> list[Context]:
    person = None if view.everybody else view.person
    found = sessions(db, at, SessionFilter(person=person, search=query, most=MOST_OF_EACH))
    return [
        _result(
            "Session",
            f"{each.person_name} on {each.resource}",
            f"as {each.login}, {session_state(each)}",
            f"/sessions/{each.session}",
            "terminal-2",
        )
        for each in found
    ]


def _result(kind: str, title: str, detail: str, href: str, icon: str) -> Context:
    return {"kind": kind, "title": title, "detail": detail, "href": href, "icon": icon}


PLACES = (Place("GET", "/find", MEMBER, find),)
