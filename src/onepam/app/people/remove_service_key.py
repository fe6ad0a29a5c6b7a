"""Removing the key of a service account."""

from onepam.app.people.add_service_key import ServiceKeyQuery
from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.signing_in.service_keys import remove
from onepam.kernel.errors import Refused


async def remove_service_key(ledger: Ledger, actor: Actor, person: str, factor: str) -> Refused | None:
    """None when the key opens nothing any more; the sessions that it opened end."""
    outcome = await ledger.commit(ServiceKeyQuery(actor, person), lambda facts, now: remove(facts, actor, factor, now))
    return outcome if isinstance(outcome, Refused) else None
