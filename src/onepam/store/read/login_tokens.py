"""Who is behind a login token, and what it opened."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.tables import AT


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whose token it is, under which sign-in, and from where alone it is good."""

    token: str
    person: str
    sign_in: str
    source: str | None


def token_holder(db: Snapshot, at: Instant, digest: str) -> TokenHolder | None:
    """The holder of the token whose secret has this hex SHA-256; None where there is none, or its time is over."""
    found = row(
        db,
        f"SELECT token, person, sign_in, source FROM login_token "
        f"WHERE digest = :digest AND coalesce(ends, expires) > :at AND {AT}",
        {"digest": digest, "at": at},
    )
    return TokenHolder(*found) if found is not None else None


def opened_by(db: Snapshot, at: Instant, token: str) -> str:
    """The session that is open by this token, the newest of several; empty where none is."""
    found = row(
        db,
        f"SELECT session FROM login_token_session WHERE token = :token AND {AT} ORDER BY valid_from DESC LIMIT 1",
        {"token": token, "at": at},
    )
    return str(found[0]) if found is not None else ""
