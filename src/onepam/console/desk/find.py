"""The palette: people, resources, sessions and pages, within what the reader may see."""

from collections.abc import Iterator, Mapping, Sequence

from starlette.responses import JSONResponse, Response

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.places import MEMBER, Place
from onepam.console.frame.view import View
from onepam.console.frame.visit import Visit
from onepam.kernel.clock import Instant
from onepam.kernel.text import natural
from onepam.store.read.catalogue import catalogue
from onepam.store.read.everybody import find_people
from onepam.store.read.incidents import find_incidents
from onepam.store.read.resources import find_resources
from onepam.store.read.sessions import SessionFilter, session_row, sessions

MOST_OF_EACH = 5
MOST_CHARACTERS = 100

_ALSO = {"/": "My access"}
"""What a page is looked for as, beside its word in the navigation."""


async def find(visit: Visit) -> Response:
    """`{"results": [{kind, title, detail, href, icon}]}`."""
    query = visit.request.query_params.get("q", "").strip()[:MOST_CHARACTERS].casefold()
    view = View.of(visit)
    pages = [each for each in _pages(view) if query in f"{each['title']} {_ALSO.get(each['href'], '')}".casefold()]
    found = await visit.services.reader(_found, None, view, query) if query else []
    return JSONResponse({"results": [*found, *pages]})


def _pages(view: View) -> Iterator[Context]:
    return (_result("Page", each.shown.word, "", each.path, each.shown.icon) for each in view.shown if each.shown)


def _found(db: Snapshot, at: Instant, view: View, query: str) -> list[Context]:
    people = find_people(db, at, query, MOST_OF_EACH) if "/people" in view.sections else ()
    named = _resources(db, at, view, query)
    return [
        *(_result("Person", name or who, ", ".join(roles), f"/people/{who}", "user") for who, name, roles in people),
        *(_result("Resource", name, _words(labels), f"/resources/{name}", "server") for name, labels in named),
        *_incidents(db, at, view, query),
        *_sessions(db, at, view, query, [who for who, _, _ in people], [name for name, _ in named]),
    ]


def _resources(db: Snapshot, at: Instant, view: View, query: str) -> Sequence[tuple[str, Mapping[str, str]]]:
    if "/resources" in view.sections:
        return find_resources(db, at, query, MOST_OF_EACH)
    mine = catalogue(db, at, view.person, query)
    named = {each.site.resource: each.site.labels for each in mine.open}
    named.update((each.site.resource, each.site.labels) for each in mine.requestable)
    return sorted(named.items(), key=lambda each: natural(each[0]))[:MOST_OF_EACH]


def _incidents(db: Snapshot, at: Instant, view: View, query: str) -> Sequence[Context]:
    if "/incidents" not in view.sections:
        return ()
    return [
        _result("Incident", each.title or each.incident, f"{each.severity.value}, {each.state.value}",
                f"/incidents/{each.incident}", "alert-triangle")
        for each in find_incidents(db, at, query, MOST_OF_EACH)
    ]  # fmt: skip


def _words(labels: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _sessions(
    db: Snapshot, at: Instant, view: View, query: str, people: Sequence[str], resources: Sequence[str]
) -> list[Context]:
    """The newest of those people and on those resources; and that of the id which was typed."""
    mine = None if view.everybody else view.person
    asked = [SessionFilter(person=each, most=MOST_OF_EACH) for each in people]
    asked += [SessionFilter(person=mine, resource=each, most=MOST_OF_EACH) for each in resources]
    found = {each.session: each for which in asked for each in sessions(db, at, which)}
    if (typed := session_row(db, at, query)) is not None and view.sees(typed.person):
        found[typed.session] = typed
    return [
        _result(
            "Session",
            f"{each.person_name} on {each.resource}",
            f"as {each.login}, {each.state_words.lower()}",
            f"/sessions/{each.session}",
            "terminal-2",
        )
        for each in sorted(found.values(), key=lambda each: each.opened, reverse=True)[:MOST_OF_EACH]
    ]


def _result(kind: str, title: str, detail: str, href: str, icon: str) -> Context:
    return {"kind": kind, "title": title, "detail": detail, "href": href, "icon": icon}


PLACES = (Place("GET", "/find", MEMBER, find),)
