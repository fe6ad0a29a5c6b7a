"""Facts of statements that wait for somebody's yes."""

import json
from dataclasses import replace

from onepam.app.ports import Snapshot
from onepam.app.sessions.ask_statement import AskingQuery, DecidingQuery, EndingQuery
from onepam.domain.access.model import permission_of
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.sessions.waiting_statements import AskingFacts, DecidingFacts, EndingFacts, OpenSession
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.deciding import Deciding
from onepam.store.facts.holdings import actor_facts, permissions
from onepam.store.facts.proposals import proposal_of


@loads(AskingQuery)
def asking(db: Snapshot, query: AskingQuery, at: Instant) -> AskingFacts:
    found = _session(db, query.session, at)
    if found is None or found["status"] != "open":
        return AskingFacts(None)
    waits = row(
        db,
        f"SELECT 1 FROM waiting_statement WHERE session = :session AND {AT}",
        {"session": query.session, "at": at},
    )
    approvers = _approvers(db, found, at)
    return AskingFacts(
        OpenSession(
            person=found["person"],
            resource=found["resource"],
            login=found["login"],
            ends=found["ends"],
            approvers=approvers,
            waits=waits is not None,
            anybody=Deciding(db, at).anybody(approvers, found["person"]),
        )
    )


@loads(DecidingQuery)
def deciding(db: Snapshot, query: DecidingQuery, at: Instant) -> DecidingFacts:
    actor, proposal = actor_facts(db, query.actor, at), proposal_of(db, ProposalKind.STATEMENT, query.statement, at)
    if proposal is None:
        return DecidingFacts(actor, None)
    of = row(
        db,
        f"SELECT session FROM waiting_statement WHERE statement = :statement AND {AT}",
        {"statement": query.statement, "at": at},
    )
    session = _session(db, of["session"], at) if of is not None else None
    goes_on = session is not None and session["status"] == "open"
    privileged = session is None or bool(session["privileged"])
    return DecidingFacts(actor, replace(proposal, entitled=goes_on), privileged)


@loads(EndingQuery)
def ending(db: Snapshot, query: EndingQuery, at: Instant) -> EndingFacts:
    return EndingFacts(proposal_of(db, ProposalKind.STATEMENT, query.statement, at) is not None)


def _session(db: Snapshot, session: str, at: Instant) -> Row | None:
    return row(db, f"SELECT * FROM session WHERE session = :session AND {AT}", {"session": session, "at": at})


def _approvers(db: Snapshot, session: Row, at: Instant) -> tuple[str, ...]:
    """The roles that may decide, as the permission stands by which the session was opened; empty when it is gone."""
    because = json.loads(session["because"])
    found = row(db, f"SELECT permissions FROM role WHERE role = :role AND {AT}", {"role": because["role"], "at": at})
    permission = permission_of(permissions(found["permissions"]), because["permission"]) if found else None
    return permission.approvers if permission else ()
