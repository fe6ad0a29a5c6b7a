"""Facts of controls: when each was tested last, and who may answer for one."""

from onepam.app.controls.assign_control import AssigningQuery
from onepam.app.controls.record_runs import TestingQuery
from onepam.app.ports import Snapshot
from onepam.domain.controls.testing import AssigningFacts, TestingFacts
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts, is_here, person_kind


@loads(TestingQuery)
def testing(db: Snapshot, query: TestingQuery, at: Instant) -> TestingFacts:
    return TestingFacts(actor_facts(db, query.actor, at) if query.actor else None, last_runs(db, at), founded(db, at))


@loads(AssigningQuery)
def assigning(db: Snapshot, query: AssigningQuery, at: Instant) -> AssigningFacts:
    here = is_here(db, query.owner, at) and person_kind(db, query.owner, at) is not PersonKind.SERVICE
    return AssigningFacts(actor_facts(db, query.actor, at), here)


def last_runs(db: Snapshot, at: Instant) -> dict[str, Instant]:
    """When each control was tested last."""
    found = rows(db, f"SELECT control, valid_from FROM control_run WHERE {AT}", {"at": at})
    return {each["control"]: each["valid_from"] for each in found}


def founded(db: Snapshot, at: Instant) -> Instant:
    """When the installation began."""
    first = row(db, "SELECT time FROM entry WHERE idx = 0")
    time: Instant = first["time"] if first else at
    return time
