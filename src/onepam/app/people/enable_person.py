"""Letting a disabled person sign in again."""

from onepam.app.people.disable_person import LeavingQuery
from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.leaving.leaving import enable
from onepam.kernel.errors import Refused


async def enable_person(ledger: Ledger, actor: Actor, person: str, because: str) -> Refused | None:
    """None when the person may sign in again. Grants, sessions and links stay ended; roles by bindings to groups of
    access.yaml hold again, and groups of a directory come back where its user is active."""
    outcome = await ledger.commit(
        LeavingQuery(actor, person), lambda facts, now: enable(facts, actor, person, because, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
