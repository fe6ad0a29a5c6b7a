"""Users of databases that were made for sessions and are not known to be gone: who sweeps them, and who looks."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.sessions.session_users import LeftBecause
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT


@dataclass(frozen=True, slots=True)
class OverUser:
    """A user whose session is over since `over`; it ran in the process `node`."""

    user: str
    resource: str
    node: str
    over: Instant


@dataclass(frozen=True, slots=True)
class LeftUser:
    """A user that was left behind, since when and why."""

    user: str
    session: str
    resource: str
    because: LeftBecause
    since: Instant


def over_users(db: Snapshot, at: Instant) -> tuple[OverUser, ...]:
    """Those whose session is over, by resource, the eldest first."""
    found = rows(
        db,
        "SELECT m.name, m.resource, s.node, s.closed FROM made_user m JOIN session s ON s.session = m.session "
        "AND s.valid_from <= :at AND :at < s.valid_until AND s.status <> 'open' "
        "WHERE m.valid_from <= :at AND :at < m.valid_until ORDER BY m.resource, m.made, m.name",
        {"at": at},
    )
    return tuple(OverUser(*each) for each in found)


def left_users(db: Snapshot, at: Instant, resource: str = "", most: int = 1000) -> tuple[LeftUser, ...]:
    """Those that were left behind, at one resource or at any, the eldest first."""
    found = rows(
        db,
        f"SELECT name, session, resource, because, left_at FROM made_user WHERE because IS NOT NULL AND {AT} "
        "AND (:resource = '' OR resource = :resource) ORDER BY made, name LIMIT :most",
        {"at": at, "resource": resource, "most": most},
    )
    return tuple(LeftUser(each[0], each[1], each[2], LeftBecause(each[3]), each[4]) for each in found)


def made_at(db: Snapshot, at: Instant, user: str) -> Instant | None:
    """When a user was made that is not known to be gone."""
    found = row(db, f"SELECT made FROM made_user WHERE name = :name AND {AT}", {"name": user, "at": at})
    return found["made"] if found is not None else None


def user_of(db: Snapshot, at: Instant, session: str) -> tuple[str, str]:
    """The user that was made for a session, whether it is gone or not, and the role of which it is a member; empty
    where none was."""
    found = row(
        db,
        "SELECT name, member_of FROM made_user WHERE session = :session AND valid_from <= :at LIMIT 1",
        {"session": session, "at": at},
    )
    return (found[0], found[1]) if found is not None else ("", "")


def counted(db: Snapshot, at: Instant) -> tuple[int, int]:
    """How many users are there, as far as is known, and how many of them were left behind."""
    found = row(db, f"SELECT count(*), count(because) FROM made_user WHERE {AT}", {"at": at})
    return (found[0], found[1]) if found is not None else (0, 0)
