"""While somebody is away: who decides on requests for them."""

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.app.requests.delegate import delegate, end_delegation
from onepam.console.frame.page import Context
from onepam.console.frame.period import typed_instant
from onepam.console.frame.places import DECIDES, Place
from onepam.console.frame.visit import Visit
from onepam.domain.requests.delegating import NOBODY
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read.concerned import meant
from onepam.store.read.delegations import delegations

HERE = "/approvals"


def away(db: Snapshot, at: Instant, person: str) -> list[Context]:
    """Delegations of theirs, given and taken, that are not over."""
    return [
        {
            "id": each.delegation,
            "given": each.person == person,
            "name": each.to_name if each.person == person else each.person_name,
            "begins": each.begins,
            "ends": each.ends,
            "reason": each.reason or "",
        }
        for each in delegations(db, at, person)
    ]


async def give(visit: Visit) -> Response:
    """Names who decides for the reader."""
    form, services = visit.form, visit.services
    begins, ends = (
        typed_instant(form[each].strip()) if form.get(each, "").strip() else None for each in ("begins", "ends")
    )
    if ends is None or (begins is None and form.get("begins", "").strip()):
        refused = Refused("input.ends", "From and until are times in UTC.", "Such as 2026-12-31 18:00")
        return visit.outcome(refused, HERE, "")
    people = await services.reader(meant, None, form.get("to", "").strip()[:200])
    if len(people) != 1:
        return visit.outcome(NOBODY, HERE, "")
    made = await delegate(
        services.ledger,
        visit.me.actor,
        new_id("dlg", services.random),
        people[0],
        begins or Instant(0),
        ends,
        form.get("reason", ""),
    )
    return visit.outcome(made if isinstance(made, Refused) else None, HERE, "They decide for you then.")


async def take_back(visit: Visit) -> Response:
    """Ends a delegation."""
    outcome = await end_delegation(visit.services.ledger, visit.me.actor, visit.path("delegation"))
    return visit.outcome(outcome, HERE, "It is over.")


PLACES = (
    Place("POST", "/delegations", DECIDES, give),
    Place("POST", "/delegations/{delegation}/end", DECIDES, take_back),
)
