"""Facts of users that are made for sessions."""

from onepam.app.ports import Snapshot
from onepam.app.sessions.session_users import MadeQuery, MakingQuery
from onepam.domain.access.session_users import making
from onepam.domain.sessions.session_users import LeftBecause, MadeFacts, MadeUser, MakingFacts
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import resource_facts
from onepam.store.facts.target_secrets import versions_of

_USERS = (
    "SELECT m.name, m.session, m.resource, m.member_of, m.made_by, m.because, "
    "CASE WHEN s.status = 'open' THEN NULL ELSE s.closed END AS over "
    "FROM made_user m LEFT JOIN session s ON s.session = m.session AND s.valid_from <= :at AND :at < s.valid_until "
    "WHERE m.valid_from <= :at AND :at < m.valid_until"
)


@loads(MakingQuery)
def wanted(db: Snapshot, query: MakingQuery, at: Instant) -> MakingFacts:
    session = row(
        db,
        "SELECT resource, login, ends FROM session WHERE session = :session AND status = 'open' AND ends > :at "
        f"AND {AT}",
        {"session": query.session, "at": at},
    )
    runs = session is not None and (session["resource"], session["login"]) == (query.resource, query.login)
    resource = resource_facts(db, query.resource, at)
    how = making(resource.session_users, query.login) if resource is not None else None
    return MakingFacts(
        ends=session["ends"] if session is not None and runs else None,
        making=how,
        versions=versions_of(db, query.resource, how.made_by, at) if how is not None else (),
        users=standing(db, at, query.resource),
        used=row(db, "SELECT 1 FROM made_user WHERE name = :name LIMIT 1", {"name": query.user}) is not None,
        has=row(db, "SELECT 1 FROM made_user WHERE session = :session LIMIT 1", {"session": query.session}) is not None,
    )


@loads(MadeQuery)
def made(db: Snapshot, query: MadeQuery, at: Instant) -> MadeFacts:
    found = row(db, f"{_USERS} AND m.name = :name", {"name": query.user, "at": at})
    if found is None:
        return MadeFacts(None)
    user = _user(found)
    return MadeFacts(user, versions_of(db, user.resource, user.made_by, at))


def standing(db: Snapshot, at: Instant, resource: str) -> tuple[MadeUser, ...]:
    """The users of a resource that are not known to be gone, the eldest first."""
    found = rows(db, f"{_USERS} AND m.resource = :resource ORDER BY m.made, m.name", {"resource": resource, "at": at})
    return tuple(_user(each) for each in found)


def _user(found: Row) -> MadeUser:
    because = found["because"]
    return MadeUser(
        user=found["name"],
        session=found["session"],
        resource=found["resource"],
        role=found["member_of"],
        made_by=found["made_by"],
        over=found["over"],
        left=None if because is None else LeftBecause(because),
    )
