"""Requests: what waits for whom, and each request with its history."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.access.authority import HeldRole
from onepam.domain.access.decision import AccessFacts
from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.hours import Schedule, schedule_words
from onepam.domain.access.model import Action, ConsoleRight, Permission, Substance, permission_of
from onepam.domain.requests.approval import authority, standing
from onepam.domain.requests.events import RequestStatus
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.deciding import claims_of, deciders, not_deciding
from onepam.store.facts.holdings import access_facts, held_roles, substance
from onepam.store.facts.requests import permission_asked
from onepam.store.read.decided_for import for_another, said_yes
from onepam.store.read.moments import Moment, moments, moments_of
from onepam.store.read.names import name

BEGINNING = Instant(0)
MOST = 500
"""Rows that a list gives at most."""
STATES = {
    "open": "Waiting",
    "approved": "Approved",
    "over": "Over",
    "denied": "Denied",
    "withdrawn": "Withdrawn",
    "void": "Void",
}
"""What becomes of a request, as it is called wherever it is shown; what was approved is over with its access."""
SOUGHT = f"""(:search = '' OR instr(lower(resource), :search) > 0 OR instr(role, :search) > 0
    OR instr(lower(json_extract(substance, '$.login')), :search) > 0
    OR person IN (SELECT person FROM person WHERE instr(sought, :search) > 0 AND {AT}))"""
"""Requests that a word narrows to, `search` casefolded: part of a resource, role or login, or of a person's name or
address."""


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request as of an instant. An open one past its `expires` is void.

    `grant_state` is starting (until `effective_at`, when the approval can be undone), running, ended or expired; None
    without a grant. Texts are None once erased. `rule`: the version of the role of which a rule approved it, "" where
    somebody did or nobody has.
    """

    request: str
    person: str
    person_name: str
    resource: str
    login: str
    role: str
    permission: str
    actions: tuple[Action, ...]
    guardrails: Guardrails | None
    duration: int
    digest: str
    status: RequestStatus
    made: Instant
    expires: Instant
    reason: str | None
    ticket: str | None
    decided: Instant | None
    decider: str | None
    decider_name: str
    decided_under: str | None
    effective_at: Instant | None
    comment: str | None
    because: str | None
    grant: str | None
    grant_ends: Instant | None
    grant_state: str | None
    schedule: Schedule | None = None
    rule: str = ""

    @property
    def schedule_words(self) -> str:
        """When, in words: empty where it is from the approval on at every hour."""
        return schedule_words(self.schedule)

    @property
    def state(self) -> str:
        """A key of `STATES`."""
        return "over" if self.grant_state in ("ended", "expired") else self.status.value

    @property
    def state_words(self) -> str:
        """The state as it is called."""
        return STATES[self.state]


@dataclass(frozen=True, slots=True)
class RequestDetail:
    """A request with the people who may decide it now (id and name), its sessions, and every entry about it. It takes
    so many `approvals`, of which those whom `agreed` names (id and name) gave theirs."""

    row: RequestRow
    approvers: tuple[tuple[str, str], ...]
    sessions: tuple[str, ...]
    history: tuple[Moment, ...]
    approvals: int = 1
    agreed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that this person may decide, under the role `under`, with what is worth knowing first.

    `asked` counts the requester's earlier requests for the same login, `granted` those approved, `used` those under
    which a session was opened; `unusual` says in words what is out of the ordinary. It takes so many `approvals`, of
    which those called `agreed` gave theirs.
    """

    row: RequestRow
    under: str
    privileged: bool
    asked: int
    granted: int
    used: int
    unusual: tuple[str, ...]
    approvals: int = 1
    agreed: tuple[str, ...] = ()


def requests(
    db: Snapshot,
    at: Instant,
    person: str | None = None,
    status: RequestStatus | None = None,
    decider: str | None = None,
    most: int = MOST,
) -> tuple[RequestRow, ...]:
    """Requests of one person or of everybody, decided by anybody or by one, the newest first, at most `MOST`."""
    where = [AT]
    if person is not None:
        where.append("person = :person")
    if decider is not None:
        where.append("decider = :decider")
    if status is RequestStatus.OPEN:
        where.append("status = 'open' AND expires > :at")
    elif status is RequestStatus.VOID:
        where.append("(status = 'void' OR (status = 'open' AND expires <= :at))")
    elif status is not None:
        where.append("status = :status")
    found = rows(
        db,
        f"SELECT * FROM request WHERE {' AND '.join(where)} ORDER BY made DESC LIMIT :most",
        {
            "at": at,
            "person": person,
            "status": status.value if status else None,
            "decider": decider,
            "most": min(most, MOST),
        },
    )
    return tuple(as_listed(db, at, each) for each in found)


def request(db: Snapshot, at: Instant, request: str) -> RequestDetail | None:
    """One request; None where there was none at `at`."""
    found = row(db, f"SELECT * FROM request WHERE request = :request AND {AT}", {"request": request, "at": at})
    if found is None:
        return None
    asked = substance(found["substance"])
    sessions = _sessions(db, at, asked.person, request)
    permission = permission_asked(db, asked, at)
    roles = permission.deciders(found["made"], at) if permission is not None else ()
    said = _agreed(db, at, request)
    return RequestDetail(
        row=as_listed(db, at, found),
        approvers=tuple(each for each in deciders(db, at, roles, asked.person, asked.resource) if each not in said),
        sessions=tuple(each["session"] for each in sessions),
        history=_history(db, at, request, found["made"], found["decided"], [each["opened"] for each in sessions]),
        approvals=permission.asks.approvals if permission is not None else 1,
        agreed=said,
    )


def _agreed(db: Snapshot, at: Instant, request: str) -> tuple[tuple[str, str], ...]:
    found = rows(
        db,
        f"SELECT person FROM request_agreed WHERE request = :request AND {AT} ORDER BY 1",
        {"request": request, "at": at},
    )
    return tuple((each["person"], name(db, at, each["person"])) for each in found)


def state_of(db: Snapshot, at: Instant, request: str, person: str) -> str | None:
    """What has become of a request of this person's by `at`, and of its grant, in one word: another one where anything
    about it changed. None where they made none of that id."""
    of = {"request": request, "person": person, "at": at}
    found = row(db, f"SELECT * FROM request WHERE request = :request AND person = :person AND {AT}", of)
    if found is None:
        return None
    told = as_listed(db, at, found)
    return f"{told.status}-{told.grant_state or 'none'}"


def request_of_grant(db: Snapshot, at: Instant, grant: str) -> str | None:
    """The request that a grant comes from."""
    found = row(
        db,
        "SELECT request FROM access_grant WHERE access_grant = :grant AND valid_from <= :at LIMIT 1",
        {"grant": grant, "at": at},
    )
    return found["request"] if found else None


def inbox(
    db: Snapshot,
    at: Instant,
    person: str,
    today: Collection[str],
    after: Instant = BEGINNING,
    most: int = MOST,
    search: str = "",
) -> tuple[Waiting, ...]:
    """The open requests that `person` may decide, the oldest first, at most `MOST` that were made later than `after`.
    `search` is part of the requester's name or address, or of a resource, login or role. `today` are the roles by which
    they approve now: whoever lost one does not see by it what waited then."""
    held = tuple(each for each in held_roles(db, person, at) if each.role in today)
    found = islice(_decidable(db, at, person, held, after, search), min(most, MOST))
    return tuple(_waiting(db, at, *each) for each in found)


def count_waiting(db: Snapshot, at: Instant, person: str) -> int:
    """How many open requests `person` may decide."""
    held = held_roles(db, person, at)
    if not any(ConsoleRight.APPROVE in each.console for each in held):
        return 0
    return sum(1 for _ in _decidable(db, at, person, held, BEGINNING))


def _decidable(
    db: Snapshot, at: Instant, person: str, held: tuple[HeldRole, ...], after: Instant, search: str = ""
) -> Iterator[tuple[Row, Substance, str]]:
    """Each with the role under which `person` decides."""
    offered, barred = dict[tuple[str, str], Permission | None](), dict[str, frozenset[str]]()
    for each in rows(
        db,
        f"SELECT * FROM request WHERE status = 'open' AND {AT} AND expires > :at AND made > :after AND {SOUGHT} "
        "ORDER BY made",
        {"at": at, "after": after, "search": search.strip().casefold()},
    ):
        asked = substance(each["substance"])
        key = (asked.role, asked.permission)
        if key not in offered:
            offered[key] = permission_asked(db, asked, at)
        permission = offered[key]
        roles = permission.deciders(each["made"], at) if permission is not None else ()
        claims = claims_of(db, at, person, roles, asked.person, asked.resource)
        if permission is None:
            continue
        said = said_yes(db, at, each["request"]) if permission.asks.approvals > 1 else frozenset()
        under = authority(held, roles, at, claims) or for_another(db, at, person, roles, asked, said)
        if under is None or person in said:
            continue
        if asked.person not in barred:
            barred[asked.person] = not_deciding(db, at, asked.person)
        if person not in barred[asked.person]:
            yield each, asked, under


def _waiting(db: Snapshot, at: Instant, found: Row, asked: Substance, under: str) -> Waiting:
    before = rows(
        db,
        "SELECT request, status, substance FROM request "
        f"WHERE person = :person AND resource = :resource AND made < :made AND {AT}",
        {"person": asked.person, "resource": asked.resource, "made": found["made"], "at": at},
    )
    alike = [each for each in before if substance(each["substance"]).login == asked.login]
    granted = [each for each in alike if each["status"] == RequestStatus.APPROVED]
    used = [each for each in granted if _sessions(db, at, asked.person, each["request"])]
    access = access_facts(db, asked.person, asked.resource, at)
    stands = standing(asked, access, at)
    permission = permission_asked(db, asked, at)
    return Waiting(
        row=as_listed(db, at, found),
        under=under,
        privileged=_privileged(asked, stands, access),
        asked=len(alike),
        granted=len(granted),
        used=len(used),
        unusual=_unusual(asked, [substance(each["substance"]) for each in alike], granted, used, stands),
        approvals=permission.asks.approvals if permission is not None else 1,
        agreed=tuple(called for _, called in _agreed(db, at, found["request"])),
    )


def _privileged(asked: Substance, stands: HeldRole | Refused, access: AccessFacts) -> bool:
    if isinstance(stands, Refused) or access.resource is None:
        return False
    permission = permission_of(stands.permissions, asked.permission)
    return permission is not None and permission.privileged(access.resource.labels)


def _unusual(
    asked: Substance, before: list[Substance], granted: list[Any], used: list[Any], stands: HeldRole | Refused
) -> tuple[str, ...]:
    found = []
    if isinstance(stands, Refused):
        found.append(stands.message)
    if before and asked.duration > max(each.duration for each in before):
        found.append("longer than ever before")
    if granted and not used:
        found.append("granted before and never used")
    return tuple(found)


def _history(
    db: Snapshot, at: Instant, request: str, made: Instant, decided: Instant | None, opened: list[Instant]
) -> tuple[Moment, ...]:
    borders = rows(
        db,
        "SELECT valid_from, valid_until FROM request WHERE request = :request AND valid_from <= :at UNION "
        "SELECT valid_from, valid_until FROM access_grant WHERE request = :request AND valid_from <= :at UNION "
        "SELECT valid_from, valid_until FROM request_agreed WHERE request = :request AND valid_from <= :at",
        {"request": request, "at": at},
    )
    times = {time for each in borders for time in each} | set(opened)
    until = at if decided is None else decided
    attempts = moments_of(db, until, ("request.approval_refused",), made)
    told = [*moments(db, at, times), *(each for each in attempts if each.event.request == request)]
    return tuple(sorted(told, key=lambda each: each.index))


def _sessions(db: Snapshot, at: Instant, person: str, request: str) -> list[Any]:
    return rows(
        db,
        "SELECT session, opened FROM session "
        f"WHERE person = :person AND {AT} AND json_extract(because, '$.request') = :request ORDER BY opened",
        {"person": person, "at": at, "request": request},
    )


def as_listed(db: Snapshot, at: Instant, found: Row) -> RequestRow:
    """A row of the table of requests as lists show it."""
    asked = substance(found["substance"])
    status = RequestStatus(found["status"])
    lapsed = status is RequestStatus.OPEN and found["expires"] <= at
    grant = row(
        db,
        "SELECT access_grant, starts, ends, valid_until FROM access_grant WHERE request = :request "
        "AND valid_from <= :at AND :status = 'approved' ORDER BY valid_from DESC LIMIT 1",
        {"request": found["request"], "at": at, "status": found["status"]},
    )
    return RequestRow(
        request=found["request"],
        person=asked.person,
        person_name=name(db, at, asked.person),
        resource=asked.resource,
        login=asked.login,
        role=asked.role,
        permission=asked.permission,
        actions=asked.actions,
        guardrails=asked.guardrails,
        duration=asked.duration,
        digest=found["digest"],
        status=RequestStatus.VOID if lapsed else status,
        made=found["made"],
        expires=found["expires"],
        reason=found["reason"],
        ticket=found["ticket"],
        decided=found["expires"] if lapsed else found["decided"],
        decider=found["decider"],
        decider_name=name(db, at, found["decider"]) if found["rule"] is None else f"a rule of {asked.role}",
        decided_under=found["decided_under"],
        effective_at=found["effective_at"],
        comment=found["comment"],
        because="expired" if lapsed else found["because"],
        grant=grant["access_grant"] if grant else None,
        grant_ends=_grant_ends(grant, at) if grant else None,
        grant_state=_grant_state(grant, at) if grant else None,
        schedule=asked.schedule,
        rule=found["rule"] or "",
    )


def _grant_ends(grant: Any, at: Instant) -> Instant:
    planned: Instant = grant["ends"]
    return min(planned, grant["valid_until"]) if grant["valid_until"] <= at else planned


def _grant_state(grant: Any, at: Instant) -> str:
    if grant["ends"] <= at and grant["ends"] <= grant["valid_until"]:
        return "expired"
    if grant["valid_until"] <= at:
        return "ended"
    return "starting" if grant["starts"] > at else "running"
