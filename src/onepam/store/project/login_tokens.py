"""Login tokens, and the connections of each that are open."""

from onepam.domain.sessions.login_tokens import LoginTokenIssued, LoginTokenUsed
from onepam.kernel.clock import FOREVER
from onepam.store.db import Db, row
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

LOGIN_TOKEN = state(
    StateTable(
        "login_token",
        ("token",),
        {
            "token": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "resource": "TEXT NOT NULL",
            "login": "TEXT NOT NULL",
            "sign_in": "TEXT NOT NULL",
            "expires": "INTEGER NOT NULL",
            "ends": "INTEGER",
            "digest": "TEXT",
            "source": "TEXT",
        },
        (("digest",), ("person", "expires")),
        personal=("digest", "source"),
    )
)
TOKEN_SESSION = state(
    StateTable(
        "login_token_session",
        ("session",),
        {"session": "TEXT NOT NULL", "token": "TEXT NOT NULL"},
        (("token",),),
    )
)


@projects(LoginTokenIssued)
def issued(db: Db, place: Place, event: LoginTokenIssued) -> None:
    LOGIN_TOKEN.put(
        db,
        place.time,
        token=event.token,
        person=event.person,
        resource=event.resource,
        login=event.login,
        sign_in=event.sign_in,
        expires=event.expires,
        ends=None,
        digest=event.digest,
        source=event.source,
    )


@projects(LoginTokenUsed)
def used(db: Db, place: Place, event: LoginTokenUsed) -> None:
    """Only its first use changes it."""
    waits = row(
        db,
        f"SELECT 1 FROM login_token WHERE token = :token AND ends IS NULL AND valid_until = {FOREVER}",
        {"token": event.token},
    )
    if waits is not None:
        LOGIN_TOKEN.change(db, place.time, {"token": event.token}, ends=event.ends)
    TOKEN_SESSION.put(db, place.time, session=event.session, token=event.token)
