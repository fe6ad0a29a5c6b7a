"""Access facts of people and resources, outside a command."""

from collections.abc import Sequence

from onepam.app.ports import Snapshot
from onepam.domain.access.decision import AccessFacts
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import access_facts


def access(db: Snapshot, at: Instant, asked: Sequence[tuple[str, str]]) -> list[AccessFacts]:
    """What the decision would look at, as of `at`, for each person and resource."""
    return [access_facts(db, person, resource, at) for person, resource in asked]


def at_port(db: Snapshot, at: Instant, port: int) -> list[str]:
    """The addresses of the resources that have this port, as of `at`."""
    found = rows(db, f"SELECT DISTINCT address FROM resource WHERE port = :port AND {AT}", {"port": port, "at": at})
    return [str(each["address"]) for each in found if each["address"] is not None]
