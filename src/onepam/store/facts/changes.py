"""Facts of a change of the matrix: the matrix itself, who there is, and what rests on it."""

import json

from onepam.app.matrix.plan_access import MatrixQuery
from onepam.app.ports import Snapshot
from onepam.domain.access.model import ResourceKind, SubjectKind
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.access.review_schedule import BUILT_IN, Every, ReviewSchedule, Suspends, Trigger
from onepam.domain.matrix.changing import ChangeFacts, MatrixFacts
from onepam.domain.matrix.matrix import BindingDefinition, Matrix, ResourceDefinition, RoleDefinition, Someone
from onepam.domain.reviews.calendar import Version
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import (
    actor_facts,
    console_rights,
    grant_of,
    hands,
    mask,
    mfa_rule,
    permissions,
    results,
    separations,
    session_users,
)
from onepam.store.facts.proposals import proposal_of
from onepam.store.facts.requests import open_request


@loads(MatrixQuery)
def matrix_facts(db: Snapshot, query: MatrixQuery, at: Instant) -> MatrixFacts:
    waiting = row(db, f"SELECT count(*) FROM change WHERE status = 'proposed' AND {AT}", {"at": at})
    change = _change(db, query.change, at)
    proposer = change.proposal.by if change is not None and change.proposal is not None else None
    return MatrixFacts(
        actor=actor_facts(db, query.actor, at) if query.actor else None,
        matrix=matrix(db, at),
        people=people(db, at),
        grants=tuple(
            grant_of(each) for each in rows(db, f"SELECT * FROM access_grant WHERE {AT} AND ends > :at", {"at": at})
        ),
        requests=tuple(
            open_request(each) for each in rows(db, f"SELECT * FROM request WHERE status = 'open' AND {AT}", {"at": at})
        ),
        signed_in_ever=row(db, "SELECT 1 FROM entry WHERE kind = 'sign_in.opened' LIMIT 1") is not None,
        change=change,
        proposer_linked_by=hands(db, proposer, at)[0] if proposer is not None else (),
        waiting=waiting[0] if waiting else 0,
    )


def matrix(db: Snapshot, at: Instant) -> Matrix:
    """The whole matrix as of `at`."""
    groups: dict[str, dict[str, str]] = {}
    for each in rows(db, f"SELECT grp, person, source FROM group_member WHERE {AT} ORDER BY grp, person", {"at": at}):
        groups.setdefault(each["grp"], {})[each["person"]] = each["source"]
    return Matrix(
        groups=groups,
        resources={each["resource"]: resource_definition(each) for each in _all(db, "resource", at)},
        roles={each["role"]: role_definition(each) for each in _all(db, "role", at)},
        bindings={each["binding"]: _binding(each) for each in _all(db, "binding", at)},
        withheld=frozenset(
            (each["person"], each["role"])
            for each in rows(db, f"SELECT person, role FROM role_withheld WHERE {AT}", {"at": at})
        ),
        separations={each.separation: each for each in separations(db, at)},
        reviews=set_last[-1].schedule if (set_last := schedules(db, at)) else BUILT_IN,
    )


def schedules(db: Snapshot, at: Instant) -> tuple[Version, ...]:
    """The schedules of reviews that were set until `at`, the oldest first: one row for each change of it."""
    found = rows(db, "SELECT * FROM review_schedule WHERE valid_from <= :at ORDER BY valid_from", {"at": at})
    return tuple(
        Version(
            each["valid_from"],
            ReviewSchedule(
                every=Every(each["every"]),
                lasts=each["lasts"],
                suspends=Suspends(each["suspends"]),
                fallback=each["fallback"],
                holidays=tuple(json.loads(each["holidays"])),
                on=tuple(Trigger(one) for one in json.loads(each["triggers"])),
            ),
        )
        for each in found
    )


def people(db: Snapshot, at: Instant) -> tuple[Someone, ...]:
    """Everybody on the roster, leavers too."""
    return tuple(
        Someone(each["person"], (each["email"] or "").lower(), bool(each["enabled"]), each["ends"])
        for each in _all(db, "person", at)
    )


def _all(db: Snapshot, table: str, at: Instant) -> list[Row]:
    return rows(db, f"SELECT * FROM {table} WHERE {AT} ORDER BY {table}", {"at": at})


def resource_definition(found: Row) -> ResourceDefinition:
    """A row of the table `resource`."""
    return ResourceDefinition(
        resource=found["resource"],
        kind=ResourceKind(found["kind"]),
        address=found["address"],
        port=found["port"],
        labels=json.loads(found["labels"]),
        owner=found["owner"],
        logins=tuple(json.loads(found["logins"])),
        pins=tuple(json.loads(found["pins"])),
        mfa=mfa_rule(found["mfa"]),
        environment=tuple(json.loads(found["environment"])),
        mask=mask(found["mask"]),
        results=results(found["results"]),
        session_users=session_users(found["session_users"]),
    )


def role_definition(found: Row) -> RoleDefinition:
    """A row of the table `role`."""
    return RoleDefinition(
        role=found["role"],
        purpose=found["purpose"],
        owner=found["owner"],
        console=console_rights(found["console"]),
        permissions=permissions(found["permissions"]),
    )


def _binding(found: Row) -> BindingDefinition:
    return BindingDefinition(
        binding=found["binding"],
        role=found["role"],
        subject_kind=SubjectKind(found["subject_kind"]),
        subject=found["subject"],
        ends=found["ends"],
        because=found["because"],
        source=found["source"],
    )


def _change(db: Snapshot, change: str | None, at: Instant) -> ChangeFacts | None:
    found = row(db, f"SELECT * FROM change WHERE change = :change AND {AT}", {"change": change, "at": at})
    if found is None:
        return None
    proposal = proposal_of(db, ProposalKind.CHANGE, found["change"], at)
    return ChangeFacts(found["change"], found["document"], found["digest"], found["status"], proposal)
