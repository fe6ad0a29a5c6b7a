"""Facts of targets' secrets."""

from onepam.app.ports import Snapshot
from onepam.app.sessions.target_secrets import LeaseQuery, SecretQuery, VersionQuery
from onepam.domain.sessions.target_secrets import LeaseFacts, SecretFacts, SecretStatus, Version, VersionFacts
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts, resource_facts


@loads(SecretQuery)
def secret(db: Snapshot, query: SecretQuery, at: Instant) -> SecretFacts:
    newest = row(
        db,
        f"SELECT secret, version FROM target_secret WHERE resource = :resource AND login = :login AND {AT} "
        "ORDER BY version DESC LIMIT 1",
        {"resource": query.resource, "login": query.login, "at": at},
    )
    return SecretFacts(
        actor=actor_facts(db, query.actor, at),
        resource=resource_facts(db, query.resource, at),
        newest=newest["version"] if newest else 0,
        secret=newest["secret"] if newest else None,
        versions=versions_of(db, query.resource, query.login, at),
    )


@loads(VersionQuery)
def versions(db: Snapshot, query: VersionQuery, at: Instant) -> VersionFacts:
    found = rows(
        db,
        f"SELECT secret, version, status, sealed FROM target_secret WHERE secret = :secret AND status != 'retired' "
        f"AND {AT} ORDER BY version",
        {"secret": query.secret, "at": at},
    )
    return VersionFacts(tuple(Version(each[0], each[1], SecretStatus(each[2]), each[3]) for each in found))


@loads(LeaseQuery)
def lease(db: Snapshot, query: LeaseQuery, at: Instant) -> LeaseFacts:
    session = row(
        db,
        f"SELECT resource, login FROM session WHERE session = :session AND status = 'open' AND ends > :at AND {AT}",
        {"session": query.session, "at": at},
    )
    runs = session is not None and tuple(session) == (query.resource, query.login)
    return LeaseFacts(runs, versions_of(db, query.resource, query.login, at))


def versions_of(db: Snapshot, resource: str, login: str, at: Instant) -> tuple[Version, ...]:
    """The versions of a login's secret that are not retired."""
    found = rows(
        db,
        f"SELECT secret, version, status, sealed FROM target_secret WHERE resource = :resource AND login = :login "
        f"AND status != 'retired' AND {AT} ORDER BY version",
        {"resource": resource, "login": login, "at": at},
    )
    return tuple(Version(each[0], each[1], SecretStatus(each[2]), each[3]) for each in found)
