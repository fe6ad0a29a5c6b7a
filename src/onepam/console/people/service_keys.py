"""The keys of a service account, on its page: registered and removed by administrators."""

import re

from starlette.responses import Response

from onepam.app.people.add_service_key import add_service_key
from onepam.app.people.remove_service_key import remove_service_key
from onepam.console.frame.places import ADMINISTERS, Place
from onepam.console.frame.visit import Visit
from onepam.domain.signing_in.service_keys import ServiceKey
from onepam.identity.ssh_keys import parse_public_key
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id


async def add(visit: Visit) -> Response:
    """Registers a public key with the networks that it may come from."""
    here = f"/people/{visit.path('person')}"
    key = parse_public_key(visit.form.get("key", ""))
    if isinstance(key, Refused):
        return visit.outcome(key, here, "")
    factor, label = new_id("fac", visit.services.random), key.comment or key.algorithm
    networks = re.split(r"[\s,]+", visit.form.get("networks", "").strip(" ,\t\r\n"))
    new = ServiceKey(factor, visit.path("person"), label, key.fingerprint, key.line, networks)
    waits = await add_service_key(visit.services.ledger, visit.me.actor, new)
    if isinstance(waits, Refused):
        if waits.code == "factor.stale":
            return visit.go(f"/step-up?next={here}")
        return _answered(visit, waits, here, "")
    until = "; it opens nothing privileged until another administrator registers it, too" if waits else ""
    return _answered(visit, None, here, f"The key {label} is registered{until}.")


async def remove(visit: Visit) -> Response:
    """Removes a key; the sessions that it opened end."""
    here = f"/people/{visit.path('person')}"
    person, factor = visit.path("person"), visit.path("factor")
    refused = await remove_service_key(visit.services.ledger, visit.me.actor, person, factor)
    return _answered(visit, refused, here, "The key is removed.")


def _answered(visit: Visit, refused: Refused | None, here: str, done: str) -> Response:
    if refused is not None and refused.code == "person.unknown":
        return visit.refusal(refused, 404)
    return visit.outcome(refused, here, done)


PLACES = (
    Place("POST", "/people/{person}/keys", ADMINISTERS, add),
    Place("POST", "/people/{person}/keys/{factor}/remove", ADMINISTERS, remove),
)
