"""What happened since it was reviewed, of that for which a review of just that opens: people moved, roles give more."""

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from onepam.app.ports import Snapshot
from onepam.domain.access.review_schedule import Trigger
from onepam.domain.matrix.widening import wider
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import role_definition, schedules

APART = DAY
"""Between two reviews by one trigger, so that those who move in one day are in one review (microseconds)."""

Happened = Iterator[tuple[str, Instant]]


def triggered(db: Snapshot, at: Instant) -> dict[Trigger, frozenset[str]]:
    """Of each trigger that the schedule names: the people or roles of which it happened while it was named, and that
    no review by it has had since; nothing where one opened lately."""
    found = {}
    for trigger, happened in _HAPPENED.items():
        since = _since(db, at, trigger)
        if since is not None:
            had = list(_had(db, at, trigger))
            lately = any(opened > at - APART for opened, _ in had)
            found[trigger] = frozenset[str]() if lately else frozenset(
                name for name, when in happened(db, since, at)
                if not any(opened >= when and name in named for opened, named in had)
            )  # fmt: skip
    return found


def _since(db: Snapshot, at: Instant, trigger: Trigger) -> Instant | None:
    """Since when the schedule has named the trigger without a break; None where it does not."""
    since = None
    for version in schedules(db, at):
        if trigger not in version.schedule.on:
            since = None
        elif since is None:
            since = version.since
    return since


def _had(db: Snapshot, at: Instant, trigger: Trigger) -> Iterator[tuple[Instant, list[str]]]:
    """When reviews by the trigger were opened, and what each is of."""
    found = rows(db, f"SELECT opened, scope FROM review WHERE period = '' AND opened_by IS NULL AND {AT}", {"at": at})
    for opened, scope in found:
        if named := json.loads(scope)["people" if trigger is Trigger.MOVER else "roles"]:
            yield opened, named


def _moved(db: Snapshot, since: Instant, at: Instant) -> Happened:
    """Who came to another manager."""
    found = rows(
        db,
        "SELECT p.person, p.valid_from FROM person p JOIN person was ON was.person = p.person "
        "AND was.valid_until = p.valid_from WHERE p.valid_from > :since AND p.valid_from <= :at "
        "AND was.manager IS NOT NULL AND was.manager <> coalesce(p.manager, '')",
        {"since": since, "at": at},
    )
    return ((each["person"], each["valid_from"]) for each in found)


def _widened(db: Snapshot, since: Instant, at: Instant) -> Happened:
    """Which roles began to give more."""
    found = rows(db, "SELECT * FROM role WHERE valid_from > :since AND valid_from <= :at", {"since": since, "at": at})
    for each in found:
        ended = rows(
            db, "SELECT * FROM role WHERE role = :role AND valid_until = :at",
            {"role": each["role"], "at": each["valid_from"]},
        )  # fmt: skip
        if any(any(wider(role_definition(was), role_definition(each))) for was in ended):
            yield each["role"], each["valid_from"]


_HAPPENED: Mapping[Trigger, Callable[[Snapshot, Instant, Instant], Happened]] = MappingProxyType(
    {Trigger.MOVER: _moved, Trigger.WIDENED: _widened}
)
