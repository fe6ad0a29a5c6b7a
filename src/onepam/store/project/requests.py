"""Requests, approvals and grants."""

from onepam.domain.requests import events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, nothing, projects, state
from onepam.store.engine.tables import StateTable

REQUEST = state(
    StateTable(
        "request",
        ("request",),
        {
            "request": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "resource": "TEXT NOT NULL",
            "role": "TEXT NOT NULL",
            "substance": "TEXT NOT NULL",
            "digest": "TEXT NOT NULL",
            "status": "TEXT NOT NULL",
            "made": "INTEGER NOT NULL",
            "expires": "INTEGER NOT NULL",
            "reason": "TEXT",
            "ticket": "TEXT",
            "decided": "INTEGER",
            "effective_at": "INTEGER",
            "decider": "TEXT",
            "decided_under": "TEXT",
            "comment": "TEXT",
            "because": "TEXT",
            "escalated": "INTEGER",
            "rule": "TEXT",
        },
        (("person",), ("status",)),
        personal=("reason", "ticket", "comment"),
    )
)
AGREED = state(
    StateTable(
        "request_agreed",
        ("request", "person"),
        {
            "request": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "under": "TEXT NOT NULL",
            "comment": "TEXT",
            "instead_of": "TEXT",
        },
        (("person",),),
        personal=("comment",),
    )
)
GRANT = state(
    StateTable(
        "access_grant",
        ("access_grant",),
        {
            "access_grant": "TEXT NOT NULL",
            "request": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "resource": "TEXT NOT NULL",
            "substance": "TEXT NOT NULL",
            "binding": "TEXT NOT NULL",
            "approved_by": "TEXT NOT NULL",
            "starts": "INTEGER NOT NULL",
            "ends": "INTEGER NOT NULL",
            "used": "INTEGER",
        },
        # the last: those that run, among all that ever did
        (("person", "resource"), ("request",), ("approved_by",), ("valid_until",)),
    )
)

DELEGATION = state(
    StateTable(
        "delegation",
        ("delegation",),
        {
            "delegation": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "delegate": "TEXT NOT NULL",
            "begins": "INTEGER NOT NULL",
            "ends": "INTEGER NOT NULL",
            "reason": "TEXT",
        },
        (("person",), ("delegate",)),
        personal=("reason",),
    )
)

nothing(events.ApprovalRefused, events.RequestRerouted)


@projects(events.RequestMade)
def request_made(db: Db, place: Place, event: events.RequestMade) -> None:
    REQUEST.put(
        db,
        place.time,
        request=event.request,
        person=event.substance.person,
        resource=event.substance.resource,
        role=event.substance.role,
        substance=event.substance,
        digest=event.digest,
        status=events.RequestStatus.OPEN,
        made=place.time,
        expires=event.expires,
        reason=event.reason,
        ticket=event.ticket,
    )


@projects(events.RequestAgreed)
def request_agreed(db: Db, place: Place, event: events.RequestAgreed) -> None:
    AGREED.put(
        db,
        place.time,
        request=event.request,
        person=event.by,
        under=event.under,
        comment=event.comment,
        instead_of=None,
    )


@projects(events.RequestApproved)
def request_approved(db: Db, place: Place, event: events.RequestApproved) -> None:
    REQUEST.change(
        db,
        place.time,
        {"request": event.request},
        status=events.RequestStatus.APPROVED,
        decided=place.time,
        decider=event.by,
        decided_under=event.under,
        effective_at=event.effective_at,
        comment=event.comment,
    )


@projects(events.RequestPreapproved)
def request_preapproved(db: Db, place: Place, event: events.RequestPreapproved) -> None:
    """Nobody decided; `rule` is the version of the role that did."""
    REQUEST.change(
        db,
        place.time,
        {"request": event.request},
        status=events.RequestStatus.APPROVED,
        decided=event.effective_at,
        decided_under=event.role,
        effective_at=event.effective_at,
        rule=event.role_version,
    )


@projects(events.RequestEscalated)
def request_escalated(db: Db, place: Place, event: events.RequestEscalated) -> None:
    REQUEST.change(db, place.time, {"request": event.request}, escalated=place.time)


@projects(events.ApprovalUndone)
def approval_undone(db: Db, place: Place, event: events.ApprovalUndone) -> None:
    """The grant's own end is an event of its own."""
    REQUEST.change(
        db,
        place.time,
        {"request": event.request},
        status=events.RequestStatus.OPEN,
        decided=None,
        decider=None,
        decided_under=None,
        effective_at=None,
        comment=None,
    )


@projects(events.RequestDenied)
def request_denied(db: Db, place: Place, event: events.RequestDenied) -> None:
    REQUEST.change(
        db,
        place.time,
        {"request": event.request},
        status=events.RequestStatus.DENIED,
        decided=place.time,
        decider=event.by,
        decided_under=event.under,
        comment=event.comment,
    )


@projects(events.RequestWithdrawn)
def request_withdrawn(db: Db, place: Place, event: events.RequestWithdrawn) -> None:
    REQUEST.change(
        db,
        place.time,
        {"request": event.request},
        status=event.status,
        decided=place.time,
        decider=event.by,
        because=event.because,
    )


@projects(events.GrantStarted)
def grant_started(db: Db, place: Place, event: events.GrantStarted) -> None:
    GRANT.put(
        db,
        place.time,
        access_grant=event.grant,
        request=event.request,
        person=event.substance.person,
        resource=event.substance.resource,
        substance=event.substance,
        binding=event.binding,
        approved_by=event.approved_by,
        starts=event.starts,
        ends=event.ends,
    )


@projects(events.GrantFirstUsed)
def grant_first_used(db: Db, place: Place, event: events.GrantFirstUsed) -> None:
    GRANT.change(db, place.time, {"access_grant": event.grant}, ends=event.ends, used=place.time)


@projects(events.GrantEnded)
def grant_ended(db: Db, place: Place, event: events.GrantEnded) -> None:
    GRANT.end(db, place.time, access_grant=event.grant)


@projects(events.GrantExpired)
def grant_expired(db: Db, place: Place, event: events.GrantExpired) -> None:
    """Only takes the row out of those that run: what it gave ended at `ends`, by predicate."""
    GRANT.end(db, place.time, access_grant=event.grant)


@projects(events.DelegationSet)
def delegation_set(db: Db, place: Place, event: events.DelegationSet) -> None:
    DELEGATION.put(
        db,
        place.time,
        delegation=event.delegation,
        person=event.person,
        delegate=event.to,
        begins=event.begins,
        ends=event.ends,
        reason=event.reason,
    )


@projects(events.DelegationEnded)
def delegation_ended(db: Db, place: Place, event: events.DelegationEnded) -> None:
    DELEGATION.end(db, place.time, delegation=event.delegation)


@projects(events.DelegationUsed)
def delegation_used(db: Db, place: Place, event: events.DelegationUsed) -> None:
    """Of a yes that is one of several it is remembered for whom it was given."""
    AGREED.change(db, place.time, {"request": event.request, "person": event.by}, instead_of=event.person)
