"""Facts of the deeds of the host: the entries themselves, since an announcement is no state."""

import json

from onepam.app.host.announced import HostQuery, RecoveryQuery
from onepam.app.ports import Snapshot
from onepam.domain.access.model import ConsoleRight
from onepam.domain.host.announcing import HostFacts
from onepam.domain.recovery.recovering import RecoveryFacts
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.directory_brake import person_hold
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.people import held, is_erased
from onepam.store.facts.sign_in import account_facts
from onepam.store.read.announced import host


@loads(HostQuery)
def host_facts(db: Snapshot, query: HostQuery, at: Instant) -> HostFacts:
    digest, announced = host(db, at)
    return HostFacts(actor_facts(db, query.actor, at) if query.actor else None, digest, announced)


@loads(RecoveryQuery)
def recovery(db: Snapshot, query: RecoveryQuery, at: Instant) -> RecoveryFacts:
    identities = f"SELECT identity FROM identity WHERE person = :person AND {AT} ORDER BY 1"
    return RecoveryFacts(
        host=HostFacts(None, *host(db, at)),
        account=account_facts(db, query.person, at),
        hold=person_hold(db, query.person, at),
        held=held(db, query.person, at),
        identities=tuple(each[0] for each in rows(db, identities, {"person": query.person, "at": at})),
        roles=_administering(db, at),
        erased=is_erased(db, query.person, at),
    )


def _administering(db: Snapshot, at: Instant) -> tuple[str, ...]:
    """The roles that administer, first the one with the fewest permissions and rights."""
    found = rows(db, f"SELECT role, permissions, console FROM role WHERE {AT}", {"at": at})
    sized = [
        (len(json.loads(each["permissions"])), len(json.loads(each["console"])), each["role"])
        for each in found
        if ConsoleRight.ADMINISTER in json.loads(each["console"])
    ]
    return tuple(role for _, _, role in sorted(sized))
