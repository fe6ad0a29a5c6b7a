"""Changing what is known of a person."""

from onepam.app.people.add_person import AddingQuery, with_normal_email
from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.people.adding import Attributes, change
from onepam.kernel.errors import Refused


async def change_person(ledger: Ledger, actor: Actor, person: str, attributes: Attributes) -> Refused | None:
    """None when all attributes are replaced by these."""
    known = with_normal_email(attributes)
    if isinstance(known, Refused):
        return known
    outcome = await ledger.commit(
        AddingQuery(actor, person, known), lambda facts, now: change(facts, actor, person, known, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
