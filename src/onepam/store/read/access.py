"""Access facts of people and resources, outside a command."""

from collections.abc import Sequence

from onepam.app.ports import Snapshot
from onepam.domain.access.decision import AccessFacts
from onepam.kernel.clock import Instant
from onepam.store.facts.holdings import access_facts


def access(db: Snapshot, at: Instant, asked: Sequence[tuple[str, str]]) -> list[AccessFacts]:
    """What the decision would look at, as of `at`, for each person and resource."""
    return [access_facts(db, person, resource, at) for person, resource in asked]
