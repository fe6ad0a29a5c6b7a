"""Statements of live sessions that wait for somebody's yes."""

from onepam.domain.sessions.waiting_statements import StatementApproved, StatementAsked, StatementEnded
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

WAITING_STATEMENT = state(
    StateTable(
        "waiting_statement",
        ("statement",),
        {
            "statement": "TEXT NOT NULL",
            "session": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "resource": "TEXT NOT NULL",
            "login": "TEXT NOT NULL",
            "execution": "INTEGER NOT NULL",
            "classes": "TEXT NOT NULL",
            "in_transaction": "INTEGER NOT NULL",
            "approvers": "TEXT NOT NULL",
            "asked": "INTEGER NOT NULL",
            "expires": "INTEGER NOT NULL",
        },
        (("session",), ("valid_until",)),
    )
)


@projects(StatementAsked)
def asked(db: Db, place: Place, event: StatementAsked) -> None:
    WAITING_STATEMENT.put(
        db,
        place.time,
        statement=event.statement,
        session=event.session,
        person=event.by,
        resource=event.resource,
        login=event.login,
        execution=event.execution,
        classes=event.classes,
        in_transaction=event.in_transaction,
        approvers=event.approvers,
        asked=place.time,
        expires=event.expires,
    )


@projects(StatementApproved)
def approved(db: Db, place: Place, event: StatementApproved) -> None:
    WAITING_STATEMENT.end(db, place.time, statement=event.statement)


@projects(StatementEnded)
def ended(db: Db, place: Place, event: StatementEnded) -> None:
    WAITING_STATEMENT.end(db, place.time, statement=event.statement)
