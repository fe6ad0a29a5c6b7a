"""The access facts of one person and one resource, outside a command."""

from onepam.domain.decision import AccessFacts
from onepam.kernel.clock import Instant
from onepam.store.database import Db
from onepam.store.facts.holdings import access_facts


def access(db: Db, at: Instant, person: str, resource: str) -> AccessFacts:
    """What the decision would look at, as of `at`."""
    return access_facts(db, person, resource, at)
