"""What becomes of notices that wait, at the moment in which they would be sent: told, held, or over."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onepam.app.ports import Snapshot
from onepam.domain.incidents.handling import State
from onepam.domain.requests.events import RequestStatus
from onepam.domain.reviews.events import Stage
from onepam.domain.telling.choosing import Choice, Plan, planned
from onepam.domain.telling.outbox import SECURITY, Occurrence, person_of, subject_of
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.controls import of_owners
from onepam.store.facts.directory_brake import administrators
from onepam.store.read.policies import waits as policy_waits
from onepam.store.read.reviews import waiting_for, waits_behind, waits_for_nobody


def plan(db: Snapshot, at: Instant, receiver: str, waiting: Sequence[Occurrence]) -> Plan:
    """What becomes of what waits for a receiver, as of `at`. Whoever reads it is spared what is over; a system is not:
    it counts what happened."""
    person = person_of(receiver)
    read = person or receiver == SECURITY or subject_of(receiver)
    over = frozenset(each.index for each in waiting if read and each.about and _over(db, at, each, person))
    since = min((each.at for each in waiting), default=at)
    return planned(waiting, over, _chosen(db, at, person, since) if person else (), at)


def choice(db: Snapshot, at: Instant, person: str) -> Choice | None:
    """How somebody is told; None for whoever never chose."""
    found = row(db, f"SELECT * FROM notice_choice WHERE person = :person AND {AT}", {"person": person, "at": at})
    return _choice(found) if found is not None else None


@cache
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _chosen(db: Snapshot, at: Instant, person: str, since: Instant) -> tuple[Choice, ...]:
    """What they chose at any time from `since` to `at`, the newest last."""
    found = rows(
        db,
        "SELECT * FROM notice_choice WHERE person = :person AND valid_until > :since AND valid_from <= :at "
        "ORDER BY valid_from",
        {"person": person, "since": since, "at": at},
    )
    return tuple(_choice(each) for each in found)


def _choice(found: Row) -> Choice:
    return Choice(
        zone_of(found["zone"]),
        tuple(json.loads(found["days"])),
        found["digest_at"],
        found["quiet_from"],
        found["quiet_until"],
        frozenset(json.loads(found["in_digest"])),
        frozenset(json.loads(found["untold"])),
        Instant(found["valid_until"]),
    )


def _over(db: Snapshot, at: Instant, each: Occurrence, person: str) -> bool:
    return OVER[each.kind](db, at, each.about, person)


def _decided(db: Snapshot, at: Instant, request: str, person: str) -> bool:
    """Somebody decided, it was taken back, or nobody did in time."""
    found = row(
        db, f"SELECT status, expires FROM request WHERE request = :request AND {AT}", _of("request", request, at)
    )
    return found is None or found["status"] != RequestStatus.OPEN or found["expires"] <= at


def _ended(db: Snapshot, at: Instant, grant: str, person: str) -> bool:
    """It was undone, or has ended; that is told by itself."""
    found = row(db, f"SELECT ends FROM access_grant WHERE access_grant = :grant AND {AT}", _of("grant", grant, at))
    return found is None or found["ends"] <= at


def _given_back(db: Snapshot, at: Instant, request: str, person: str) -> bool:
    """What a rule gave has ended."""
    found = row(db, f"SELECT ends FROM access_grant WHERE request = :request AND {AT}", _of("request", request, at))
    return found is None or found["ends"] <= at


def _answered(db: Snapshot, at: Instant, statement: str, person: str) -> bool:
    """Somebody said yes or no, or it waits no longer."""
    found = row(
        db, f"SELECT expires FROM waiting_statement WHERE statement = :statement AND {AT}",
        _of("statement", statement, at),
    )  # fmt: skip
    return found is None or found["expires"] <= at


def _reviewed(db: Snapshot, at: Instant, about: str, person: str) -> bool:
    """The review has ended, or nothing waits any more of what they were told of: for them in any, for nobody where they
    administer; or behind somebody, where they are next."""
    review, _, stage = about.partition(" ")
    found = row(db, f"SELECT * FROM review WHERE review = :review AND {AT}", _of("review", review, at))
    if found is None or found["closed"] is not None or found["closes"] <= at:
        return True
    if not person:
        return False
    if stage == Stage.ESCALATED:
        return not waits_behind(db, at, found, person)
    names = person in administrators(db, at)
    return not (waiting_for(db, at, person) or (names and waits_for_nobody(db, at, found)))


def _word_given(db: Snapshot, at: Instant, hold: str, person: str) -> bool:
    """Nobody waits under that hold any more."""
    return row(db, f"SELECT 1 FROM person_hold WHERE hold = :hold AND {AT} LIMIT 1", _of("hold", hold, at)) is None


def _read(db: Snapshot, at: Instant, policy: str, person: str) -> bool:
    """They have confirmed it, or need not any more."""
    return not policy_waits(db, at, policy, person)


def _mended(db: Snapshot, at: Instant, control: str, person: str) -> bool:
    """It does not fail any more, or somebody else answers for it."""
    return all(each.control != control or (person and each.owner != person) for each in of_owners(db, at))


def _closed(db: Snapshot, at: Instant, incident: str, person: str) -> bool:
    """It was closed, or somebody else answers for it."""
    found = row(db, f"SELECT state, owner FROM incident WHERE incident = :incident AND {AT}",
                _of("incident", incident, at))  # fmt: skip
    return found is None or found["state"] != State.OPEN or (bool(person) and found["owner"] != person)


def _of(name: str, ident: str, at: Instant) -> dict[str, object]:
    return {name: ident, "at": at}


OVER: Mapping[str, Callable[[Snapshot, Instant, str, str], bool]] = {
    "request.made": _decided,
    "request.escalated": _decided,
    "request.preapproved": _given_back,
    "grant.started": _ended,
    "statement.asked": _answered,
    "review.reminded": _reviewed,
    "directory.hold_reminded": _word_given,
    "policy.reminded": _read,
    "incident.reminded": _closed,
    "control.reminded": _mended,
}
"""Whether what a notice is about is over for somebody, by the kind that tells of it."""
