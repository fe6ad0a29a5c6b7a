"""Facts of controls: when each was tested last, and who may answer for one."""

from onepam.app.controls.assign_control import AssigningQuery
from onepam.app.controls.record_runs import TestingQuery
from onepam.app.controls.tell_owners import FailingQuery
from onepam.app.ports import Snapshot
from onepam.domain.controls.testing import AssigningFacts, Failing, TestingFacts
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts, is_here, person_kind

_FAILING = """
SELECT r.control, o.owner, r.failed, t.person AS told, t.since AS told_since,
    (SELECT min(f.valid_from) FROM control_run f WHERE f.control = r.control AND f.valid_from <= :at
     AND f.valid_from > coalesce((SELECT max(g.valid_from) FROM control_run g WHERE g.control = r.control
     AND g.verdict <> 'fail' AND g.valid_from <= :at), 0)) AS since
FROM control_owner o JOIN control_run r ON r.control = o.control AND r.verdict = 'fail'
    AND r.valid_from <= :at AND :at < r.valid_until
LEFT JOIN control_told t ON t.control = o.control AND t.valid_from <= :at AND :at < t.valid_until
WHERE o.valid_from <= :at AND :at < o.valid_until ORDER BY r.control"""


@loads(TestingQuery)
def testing(db: Snapshot, query: TestingQuery, at: Instant) -> TestingFacts:
    return TestingFacts(actor_facts(db, query.actor, at) if query.actor else None, last_runs(db, at), founded(db, at))


@loads(AssigningQuery)
def assigning(db: Snapshot, query: AssigningQuery, at: Instant) -> AssigningFacts:
    here = is_here(db, query.owner, at) and person_kind(db, query.owner, at) is not PersonKind.SERVICE
    return AssigningFacts(actor_facts(db, query.actor, at), here)


@loads(FailingQuery)
def failing(db: Snapshot, query: FailingQuery, at: Instant) -> tuple[Failing, ...]:
    return of_owners(db, at)


def of_owners(db: Snapshot, at: Instant) -> tuple[Failing, ...]:
    """The controls that fail and that somebody who is here answers for."""
    found = rows(db, _FAILING, {"at": at})
    return tuple(
        Failing(each["control"], each["owner"], each["since"], each["failed"], each["told"], each["told_since"])
        for each in found
        if is_here(db, each["owner"], at)
    )


def last_runs(db: Snapshot, at: Instant) -> dict[str, Instant]:
    """When each control was tested last."""
    found = rows(db, f"SELECT control, valid_from FROM control_run WHERE {AT}", {"at": at})
    return {each["control"]: each["valid_from"] for each in found}


def founded(db: Snapshot, at: Instant) -> Instant:
    """When the installation began."""
    first = row(db, "SELECT time FROM entry WHERE idx = 0")
    time: Instant = first["time"] if first else at
    return time
