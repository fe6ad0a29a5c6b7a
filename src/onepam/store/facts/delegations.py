"""Facts of delegations: who names whom, and who ends one."""

from typing import Any

from onepam.app.ports import Snapshot
from onepam.app.requests.delegate import DelegatingQuery, DelegationQuery
from onepam.domain.requests.delegating import DelegatingFacts, Delegation, DelegationFacts
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.deciding import approves, is_present
from onepam.store.facts.holdings import actor_facts


@loads(DelegatingQuery)
def delegating(db: Snapshot, query: DelegatingQuery, at: Instant) -> DelegatingFacts:
    of = {"person": query.actor.person, "at": at}
    theirs = rows(db, f"SELECT * FROM delegation WHERE person = :person AND {AT} AND ends > :at", of)
    return DelegatingFacts(
        actor=actor_facts(db, query.actor, at),
        to_approves=is_present(db, at, query.to) and approves(db, at, query.to),
        theirs=tuple(delegation_of(each) for each in theirs),
    )


@loads(DelegationQuery)
def ending(db: Snapshot, query: DelegationQuery, at: Instant) -> DelegationFacts:
    of = {"delegation": query.delegation, "at": at}
    found = row(db, f"SELECT * FROM delegation WHERE delegation = :delegation AND {AT}", of)
    return DelegationFacts(actor_facts(db, query.actor, at), delegation_of(found) if found else None)


def delegation_of(found: Any) -> Delegation:
    """The facts in a row of the table `delegation`."""
    return Delegation(found["delegation"], found["person"], found["delegate"], found["begins"], found["ends"])
