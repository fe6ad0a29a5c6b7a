"""Facts of requests, approvals and grants, and of their expiry."""

from collections import Counter
from typing import Any

from onepam.app.ports import Snapshot
from onepam.app.requests.approve_request import ApprovalQuery
from onepam.app.requests.end_grant import GrantQuery
from onepam.app.requests.expire_access import MOST_GRANTS, MOST_REQUESTS, OverdueQuery
from onepam.app.requests.make_request import AskQuery
from onepam.app.requests.withdraw_request import WithdrawQuery
from onepam.domain.access.decision import HeldGrant
from onepam.domain.access.hours import Schedule
from onepam.domain.access.model import Permission, Substance, permission_of
from onepam.domain.people.events import PersonKind
from onepam.domain.requests.approval import ApprovalFacts, GrantFacts, RequestFacts, Yes
from onepam.domain.requests.asking import AskFacts, OpenRequest, WithdrawFacts
from onepam.domain.requests.events import RING, RequestStatus
from onepam.domain.requests.expiry import OverdueFacts
from onepam.domain.requests.unasked import WITHIN
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.deciding import claims_of, deciders, stand_ins
from onepam.store.facts.delegated import delegated_by
from onepam.store.facts.holdings import (
    access_facts,
    actor_facts,
    grant_of,
    permissions,
    resource_facts,
    separations,
    substance,
)

_CURRENT = f"valid_until = {FOREVER}"

_WITHOUT_BINDING = f"""
SELECT * FROM access_grant g WHERE g.valid_until = {FOREVER} AND g.ends > :at AND NOT EXISTS (
    SELECT 1 FROM binding b WHERE b.binding = g.binding AND b.valid_until = {FOREVER}
      AND (b.ends IS NULL OR b.ends > :at)
      AND (b.subject_kind = 'person' OR EXISTS (
        SELECT 1 FROM group_member m WHERE m.grp = b.subject AND m.person = g.person AND m.valid_until = {FOREVER})))
ORDER BY g.access_grant LIMIT {MOST_GRANTS}
"""


@loads(AskQuery)
def asking(db: Snapshot, query: AskQuery, at: Instant) -> AskFacts:
    waiting = rows(
        db,
        "SELECT request, substance, digest, expires, made FROM request "
        f"WHERE person = :person AND status = 'open' AND {AT}",
        {"person": query.actor.person, "at": at},
    )
    given = rows(
        db,
        f"SELECT * FROM access_grant WHERE person = :person AND resource = :resource AND {AT} AND ends > :at",
        {"person": query.actor.person, "resource": query.resource, "at": at},
    )
    return AskFacts(
        actor=actor_facts(db, query.actor, at),
        resource=resource_facts(db, query.resource, at),
        open=tuple(open_request(each) for each in waiting),
        separations=separations(db, at),
        grants=tuple(grant_of(each) for each in given),
        lately=_by_rule_lately(db, query.actor.person, at),
    )


def _by_rule_lately(db: Snapshot, person: str, at: Instant) -> Counter[tuple[str, str]]:
    """How often rules approved for somebody in the last days, by role and permission."""
    found = rows(
        db,
        f"SELECT substance FROM request WHERE person = :person AND rule IS NOT NULL AND decided > :since AND {AT}",
        {"person": person, "since": at - WITHIN, "at": at},
    )
    asked = [substance(each["substance"]) for each in found]
    return Counter((each.role, each.permission) for each in asked)


@loads(WithdrawQuery)
def withdrawing(db: Snapshot, query: WithdrawQuery, at: Instant) -> WithdrawFacts:
    found = _request(db, query.request, at)
    return WithdrawFacts(
        actor=actor_facts(db, query.actor, at),
        request=open_request(found) if found else None,
        status=RequestStatus(found["status"]) if found else None,
    )


@loads(ApprovalQuery)
def approval(db: Snapshot, query: ApprovalQuery, at: Instant) -> ApprovalFacts:
    found = _request(db, query.request, at)
    request = _request_facts(db, found, query.actor.person, at) if found else None
    asked = request.open.substance if request is not None else None
    said = {who for each in request.agreed for who in (each.person, each.instead_of)} if request is not None else set()
    return ApprovalFacts(
        actor=actor_facts(db, query.actor, at),
        request=request,
        claims=claims_of(db, at, query.actor.person, request.approvers, asked.person, asked.resource)
        if request is not None and asked is not None
        else frozenset(),
        stand_ins=stand_ins(db, query.actor.person, request.approvers, asked, said, at)
        if request is not None and asked is not None
        else (),
        separations=separations(db, at),
    )


@loads(GrantQuery)
def granted(db: Snapshot, query: GrantQuery, at: Instant) -> GrantFacts:
    found = row(
        db, f"SELECT * FROM access_grant WHERE access_grant = :grant AND {AT}", {"grant": query.grant, "at": at}
    )
    grant = grant_of(found) if found else None
    if grant is None:
        return GrantFacts(actor_facts(db, query.actor, at), None, ())
    roles, asked = approvers(db, grant.substance, at, BEGINNING), grant.substance
    return GrantFacts(
        actor=actor_facts(db, query.actor, at),
        grant=grant,
        approvers=roles,
        extensions=_extensions(db, grant, at),
        claims=claims_of(db, at, query.actor.person, roles, asked.person, asked.resource),
    )


@loads(OverdueQuery)
def overdue(db: Snapshot, query: OverdueQuery, at: Instant) -> OverdueFacts:
    """Only current rows are looked at: what runs now, not the history."""
    grants = rows(
        db,
        f"SELECT * FROM access_grant WHERE {_CURRENT} AND ends <= :at ORDER BY access_grant LIMIT {MOST_GRANTS}",
        {"at": at},
    )
    waiting = rows(
        db,
        "SELECT request, person, substance, digest, expires, made, escalated FROM request "
        f"WHERE status = 'open' AND {_CURRENT} AND request > :after ORDER BY request LIMIT {MOST_REQUESTS}",
        {"after": query.after},
    )
    return OverdueFacts(
        grants=tuple(grant_of(each) for each in grants),
        without=tuple(grant_of(each) for each in rows(db, _WITHOUT_BINDING, {"at": at})),
        waiting=tuple((each, requester(db, each.substance, at)) for each in map(open_request, waiting)),
        next=waiting[-1]["request"] if len(waiting) == MOST_REQUESTS else "",
        escalated=frozenset(each["request"] for each in waiting if each["escalated"] is not None),
    )


def open_request(found: Any) -> OpenRequest:
    """The facts in a row of the table `request`."""
    return OpenRequest(
        found["request"], substance(found["substance"]), found["digest"], found["expires"], found["made"]
    )


def requester(db: Snapshot, asked: Substance, at: Instant) -> Any:
    """What the requester holds, as the decision sees it."""
    return access_facts(db, asked.person, asked.resource, at)


BEGINNING = Instant(0)
"""Since when a request would wait that escalates at once."""


def approvers(db: Snapshot, asked: Substance, at: Instant, made: Instant) -> tuple[str, ...]:
    """The roles that may approve this kind of access, as its role stands at `at`, where it was asked for at `made`;
    empty when it is gone."""
    permission = permission_asked(db, asked, at)
    return permission.deciders(made, at) if permission else ()


def permission_asked(db: Snapshot, asked: Substance, at: Instant) -> Permission | None:
    """The permission under which it is asked for, as its role stands at `at`; None when it is gone."""
    found = row(db, f"SELECT permissions FROM role WHERE role = :role AND {AT}", {"role": asked.role, "at": at})
    return permission_of(permissions(found["permissions"]), asked.permission) if found else None


def _request(db: Snapshot, request: str, at: Instant) -> Any:
    return row(db, f"SELECT * FROM request WHERE request = :request AND {AT}", {"request": request, "at": at})


def _request_facts(db: Snapshot, found: Any, actor: str, at: Instant) -> RequestFacts:
    opened = open_request(found)
    person = row(
        db,
        f"SELECT kind, owner FROM person WHERE person = :person AND {AT}",
        {"person": opened.substance.person, "at": at},
    )
    assert person is not None  # a request is made by a person, and people are never removed
    grant = row(
        db, f"SELECT * FROM access_grant WHERE request = :request AND {AT}", {"request": opened.request, "at": at}
    )
    roles = approvers(db, opened.substance, at, opened.made)
    return RequestFacts(
        open=opened,
        status=RequestStatus(found["status"]),
        requester=requester(db, opened.substance, at),
        requester_kind=PersonKind(person["kind"]),
        owner=person["owner"],
        approvers=roles,
        grant=grant_of(grant) if grant else None,
        agreed=agreed(db, at, opened, roles),
        extended=_goes_on(db, opened.substance.schedule, at),
        ring=_is_ring(db, opened, roles, actor, at),
        own_delegate=any(
            each["delegate"] == actor
            for who in (opened.substance.person, *((person["owner"],) if person["kind"] == PersonKind.SERVICE else ()))
            for each in delegated_by(db, who, at)
        ),
    )


_YES = """
SELECT person FROM request WHERE decider = :requester AND status = 'approved' AND decided > :since
  AND valid_until = :forever
UNION SELECT r.person FROM request_agreed a JOIN request r ON r.request = a.request AND r.valid_until = :forever
WHERE a.person = :requester AND a.valid_from > :since"""
"""To whom somebody said yes lately."""


def _is_ring(db: Snapshot, asked: OpenRequest, roles: tuple[str, ...], actor: str, at: Instant) -> bool:
    """Whether the requester said yes to something of the actor's lately, and somebody could decide on this to whom they
    said none: where all would give one back, each may."""
    requester = asked.substance.person
    of = {"requester": requester, "since": at - RING, "forever": FOREVER}
    in_turn = {each["person"] for each in rows(db, _YES, of)}
    if actor not in in_turn:
        return False
    said = rows(
        db, f"SELECT person FROM request_agreed WHERE request = :request AND {AT}", {"request": asked.request, "at": at}
    )
    out = {actor, *in_turn, *(each["person"] for each in said)}
    return any(who not in out for who, _ in deciders(db, at, roles, requester, asked.substance.resource))


def agreed(db: Snapshot, at: Instant, asked: OpenRequest, roles: tuple[str, ...]) -> tuple[Yes, ...]:
    """Who said yes to a request that takes several, and whether they could still decide on it, under one of `roles`."""
    of = {"request": asked.request, "at": at}
    found = rows(db, f"SELECT * FROM request_agreed WHERE request = :request AND {AT} ORDER BY person", of)
    if not found:
        return ()
    could = {who for who, _ in deciders(db, at, roles, asked.substance.person, asked.substance.resource)}
    return tuple(Yes(each["person"], each["person"] in could, each["instead_of"] or "") for each in found)


def _goes_on(db: Snapshot, schedule: Schedule | None, at: Instant) -> bool:
    """Whether the grant that it extends was not ended before its time; so where it extends none."""
    if schedule is None or not schedule.extends:
        return True
    found = row(
        db,
        "SELECT ends, valid_until FROM access_grant WHERE access_grant = :grant AND valid_from <= :at "
        "ORDER BY valid_from DESC LIMIT 1",
        {"grant": schedule.extends, "at": at},
    )
    return found is not None and (found["valid_until"] > at or found["valid_until"] >= found["ends"])


def _extensions(db: Snapshot, grant: HeldGrant, at: Instant) -> tuple[HeldGrant, ...]:
    """The grants that go on from this one."""
    found = rows(
        db,
        f"SELECT * FROM access_grant WHERE person = :person AND resource = :resource AND {AT} AND starts >= :ends",
        {"person": grant.substance.person, "resource": grant.substance.resource, "at": at, "ends": grant.ends},
    )
    given = (grant_of(each) for each in found)
    return tuple(
        each for each in given if each.substance.schedule is not None and each.substance.schedule.extends == grant.grant
    )
