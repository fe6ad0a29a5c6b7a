"""Resources: what can be reached through the gateway, and who reaches one."""

from collections.abc import Mapping

from starlette.responses import Response

from onepam.app.ports import LedgerHealth, Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import MEMBER, SEES_ALL, Place, Shown
from onepam.console.frame.rendering import field_time
from onepam.console.frame.services import ConsoleServices
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.view import View
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import longest, recording_state, rule_words
from onepam.console.matrix.launching import offers, opened
from onepam.console.matrix.pins import pin_name, pin_shown, pin_state
from onepam.console.matrix.resources_page import ResourcePage, ResourcesPage
from onepam.domain.access.events import ResourceSet
from onepam.domain.access.mfa_rule import MAX_AGE
from onepam.domain.access.model import ResourceKind
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.matrix.words import data_words
from onepam.kernel.clock import Instant, iso
from onepam.kernel.errors import Refused
from onepam.store.read import resources as rows
from onepam.store.read.catalogue import catalogue
from onepam.store.read.explain import explain
from onepam.store.read.matrix import How
from onepam.store.read.moments import Moment, history_of
from onepam.store.read.names import Called
from onepam.store.read.paging import Window
from onepam.store.read.session_users import left_users
from onepam.store.read.sessions import SessionFilter, sessions

MOST_SESSIONS = 10
MOST_LEFT = 50
_HOW = {How.STANDING: "standing", How.GRANTED: "granted", How.REQUEST: "on request"}


async def resources_page(visit: Visit) -> Response:
    """All of them, narrowed by words, a page at a time; or as a sheet."""
    query, window = visit.request.query_params.get("q", "").strip()[:100], paged(visit)
    if visit.wants_sheet():
        return _sheet(visit, query)
    return visit.page(await visit.services.reader(_listed, visit.at, query, window))


async def resource_page(visit: Visit) -> Response:
    """One resource: everybody who reaches it; to those without a right to see all, only how they do themselves."""
    ident, window, health = visit.path("resource"), paged(visit), await visit.services.health()
    found = await visit.services.reader(_resource, visit.at, visit.services, View.of(visit), ident, window, health)
    if found is None:
        asked = f"You asked for {ident[:60]}."
        return visit.refusal(Refused("resource.unknown", "There is no such resource that you may see.", asked), 404)
    return visit.page(found)


def _listed(db: Snapshot, at: Instant, query: str, window: Window) -> ResourcesPage:
    found = rows.resources(db, at, query, window)
    return ResourcesPage(
        filter={"q": query},
        resources=[
            {
                "id": each.resource,
                "name": each.resource,
                "kind": each.kind,
                "labels": dict(each.labels),
                "address": f"{each.address}:{each.port}",
                "owner": each.owner_name,
                "logins": list(each.logins),
                "state": "proven" if each.pinned else "due",
                "state_word": pin_state(each.kind, each.pinned),
                "people": each.people,
                "live": each.live,
                "last_session": each.last,
            }
            for each in found.rows
        ],
        pager=pager(found, window, {"q": query}),
    )


def _sheet(visit: Visit, query: str) -> Response:
    at, reader = visit.moment, visit.services.reader
    head = ("resource", "kind", "address", "port", "labels", "owner", "logins", "identity", "people", "last session")
    parts = every(lambda window: reader(rows.resources, at, query, window), lambda row: [_line(row)])
    return sheet(f"resources-{field_time(at).replace(':', '')}.csv", head, parts)


def _line(row: rows.ResourceRow) -> tuple[object, ...]:
    return (
        row.resource, row.kind, row.address, row.port,
        " ".join(f"{key}={value}" for key, value in sorted(row.labels.items())), row.owner_name, " ".join(row.logins),
        "pinned" if row.pinned else "none", row.people, iso(row.last) if row.last else "",
    )  # fmt: skip


def _resource(
    db: Snapshot,
    at: Instant,
    services: ConsoleServices,
    view: View,
    ident: str,
    window: Window,
    health: LedgerHealth,
) -> ResourcePage | None:
    found = rows.resource(db, at, ident, window, None if view.everybody else view.person)
    if found is None or not (found.reach.rows or view.everybody):
        return None
    told, known = history_of(db, at, "resource", ident), Called(db, at)
    mine = catalogue(db, at, view.person, only=ident)
    return ResourcePage(
        resource={**_facts(found, told, known), "left": _left(db, at, ident) if view.everybody else []},
        open=[opened(db, at, services, view, each) for each in mine.open],
        requestable=offers(db, at, view.person, mine, 1),
        reach=[
            {
                "person": {"id": each.person, "name": each.name},
                "ways": [
                    {
                        "login": way.login,
                        "role": way.because.role,
                        "how": _HOW[way.how],
                        "ends": way.until,
                        "chain": view.chain(explain(db, at, way.because)),
                    }
                    for way in each.ways
                ],
            }
            for each in found.reach.rows
        ],
        pager=pager(found.reach, window, {}),
        sessions=[
            {
                "id": each.session,
                "person": each.person_name,
                "login": each.login,
                "started": each.opened,
                "ended": each.closed,
                "state": each.state,
                "recording": recording_state(each, at),
            }
            for each in sessions(
                db,
                at,
                SessionFilter(resource=ident, person=None if view.everybody else view.person, most=MOST_SESSIONS),
            )
        ],
        history=view.history(told[::-1], known, health) if view.everybody else [],
        proof=view.proof_of(told, health),
    )


def _facts(found: rows.ResourcePage, told: tuple[Moment, ...], known: Mapping[str, str]) -> Context:
    """What it is, and its pins."""
    definition = found.resource
    return {
        "id": definition.resource,
        "name": definition.resource,
        "kind": definition.kind.value,
        "labels": dict(definition.labels),
        "address": definition.address or "erased",
        "port": definition.port,
        "owner": found.owner_name,
        "logins": list(definition.logins),
        "mask": data_words(definition.mask) if definition.mask is not None else "",
        "session_users": _session_users(definition.session_users),
        "mfa": rule_words(definition.mfa) if definition.mfa else f"at most {longest(MAX_AGE)} old",
        "pin": pin_name(definition.kind),
        "pins": [_pin(definition.kind, each, told, known) for each in found.pins],
        "since": found.since,
    }


def _session_users(users: SessionUsers | None) -> Context | None:
    """For which logins users are made for sessions."""
    if users is None:
        return None
    return {"made_by": users.made_by, "member_of": [list(each) for each in users.member_of.items()]}


def _left(db: Snapshot, at: Instant, resource: str) -> list[Context]:
    """Users that were made for sessions here and could not be dropped."""
    found = left_users(db, at, resource, MOST_LEFT)
    return [
        {"user": each.user, "session": each.session, "why": each.because.words, "since": each.since} for each in found
    ]


def _pin(kind: ResourceKind, pin: rows.Pin, told: tuple[Moment, ...], called: Mapping[str, str]) -> Context:
    """A pin, with who was behind the entry that pinned it."""
    events = [each.event for each in told if each.time == pin.since and isinstance(each.event, ResourceSet)]
    by = events[0].by if events else None
    return {
        **pin_shown(kind, pin.key),
        "pinned_at": pin.since,
        "by": called.get(by, by) if by else "the first access.yaml",
    }


PLACES = (
    Place("GET", "/resources", SEES_ALL, resources_page, Shown("Resources", "server", "Access")),
    Place("GET", "/resources/{resource}", MEMBER, resource_page),
)
