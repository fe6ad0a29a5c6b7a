"""The catalogue: what the reader may ask for, of whom, and what that takes."""

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.places import MEMBER, Place, Shown
from onepam.console.frame.view import resource
from onepam.console.frame.visit import Visit
from onepam.console.requests.catalogue_page import CataloguePage
from onepam.domain.access.asked import MANAGER, OWNER
from onepam.domain.access.asked_words import asking_words
from onepam.kernel.clock import Instant
from onepam.store.read.catalogue import Requestable, catalogue

HERE = "/catalogue"
_CALLED = {MANAGER: "your manager", OWNER: "the resource's owner"}


async def catalogue_page(visit: Visit) -> Response:
    """All that the reader's roles offer on request and that is not open already, narrowed by words."""
    query = visit.request.query_params.get("q", "").strip()[:100]
    return visit.page(await visit.services.reader(_listed, visit.at, visit.me.actor.person, query))


def _listed(db: Snapshot, at: Instant, person: str, query: str) -> CataloguePage:
    found = catalogue(db, at, person, query)
    return CataloguePage(filter={"q": query}, offers=[_offer(each) for each in found.requestable], beyond=found.beyond)


def _offer(each: Requestable) -> Context:
    return {
        "resource": resource(each.site),
        "login": each.login,
        "role": each.role,
        "opens": ", ".join(each.actions),
        "longest": each.longest,
        "deciders": " or ".join(_CALLED.get(role, role) for role in each.approvers),
        "asking": [f"{said[:1].upper()}{said[1:]}" for said in asking_words(each.asks)],
        "at_once": each.asks.unasked is not None,
        "privileged": each.privileged,
        "pending": each.pending or "",
    }


PLACES = (Place("GET", HERE, MEMBER, catalogue_page, Shown("Catalogue", "key", "Me")),)
