"""Facts of controls: when each was tested last, and who may answer for one."""

from onepam.app.controls.assign_control import AssigningQuery
from onepam.app.controls.record_runs import TestingQuery
from onepam.app.controls.tell_owners import FailingQuery
from onepam.app.ports import Snapshot
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.testing import AssigningFacts, Failing, TestingFacts
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts, is_here, person_kind

_OWNED = f"SELECT control, owner FROM control_owner WHERE control = :control AND {AT}"
_OWNS = f"SELECT control, owner FROM control_owner WHERE owner = :owner AND {AT}"
_FAILED = f"SELECT failed FROM control_run WHERE control = :control AND verdict = 'fail' AND {AT}"
_SINCE = """
SELECT min(valid_from) AS since FROM control_run WHERE control = :control AND valid_from <= :at
AND valid_from > coalesce((SELECT max(valid_from) FROM control_run WHERE control = :control
    AND verdict <> 'fail' AND valid_from <= :at), 0)"""
"""The first run that failed after the last that did not."""


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


def of_owners(db: Snapshot, at: Instant, owner: str = "") -> tuple[Failing, ...]:
    """The controls that fail and that somebody who is here answers for; or of one who does."""
    if owner:
        owned = rows(db, _OWNS, {"owner": owner, "at": at})
    else:
        owned = [each for control in TESTS for each in rows(db, _OWNED, {"control": control, "at": at})]
    return tuple(
        found
        for each in owned
        if is_here(db, each["owner"], at) and (found := _failing(db, at, each["control"], each["owner"])) is not None
    )


def _failing(db: Snapshot, at: Instant, control: str, owner: str) -> Failing | None:
    of = {"control": control, "at": at}
    failed, since = row(db, _FAILED, of), row(db, _SINCE, of)
    if failed is None or since is None:
        return None
    told = row(db, f"SELECT person, since FROM control_told WHERE control = :control AND {AT}", of)
    whom, of_which = (told["person"], told["since"]) if told is not None else (None, None)
    return Failing(control, owner, since["since"], failed["failed"], whom, of_which)


def last_runs(db: Snapshot, at: Instant) -> dict[str, Instant]:
    """When each control was tested last."""
    found = rows(db, f"SELECT control, valid_from FROM control_run WHERE {AT}", {"at": at})
    return {each["control"]: each["valid_from"] for each in found}


def founded(db: Snapshot, at: Instant) -> Instant:
    """When the installation began."""
    first = row(db, "SELECT time FROM entry WHERE idx = 0")
    time: Instant = first["time"] if first else at
    return time
