"""Holds of directories to read: who waits for a word, what is due, who decided on themselves."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.leaving.brake import UNDECIDED, HoldReason
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT

MOST_DUE = 50


@dataclass(frozen=True, slots=True)
class HeldPerson:
    """Somebody whom a directory ended and whose account waits; `decide_by` None: only for an administrator's word."""

    person: str
    name: str
    hold: str
    origin: str
    reason: HoldReason
    because: str
    began: Instant
    decide_by: Instant | None


@dataclass(frozen=True, slots=True)
class ReportedLeaver:
    """Somebody who has left, by a directory that does not lead the account: it was made by hand, and goes on."""

    person: str
    name: str
    origin: str
    because: str
    began: Instant


@dataclass(frozen=True, slots=True)
class OwnWord:
    """The last administrator decided on their own account."""

    person: str
    name: str
    decided: Instant


def held_people(db: Snapshot, at: Instant) -> tuple[HeldPerson, ...]:
    """Everybody whose account waits, the last administrators first."""
    found = rows(
        db,
        "SELECT h.*, p.name FROM person_hold h JOIN person p ON p.person = h.person "
        "AND p.valid_from <= :at AND :at < p.valid_until WHERE h.valid_from <= :at AND :at < h.valid_until "
        "ORDER BY h.reason, h.began, h.person",
        {"at": at},
    )
    return tuple(
        HeldPerson(
            person=each["person"],
            name=each["name"] or each["person"],
            hold=each["hold"],
            origin=each["origin"],
            reason=HoldReason(each["reason"]),
            because=each["because"],
            began=each["began"],
            decide_by=each["decide_by"],
        )
        for each in found
    )


def holds(db: Snapshot, at: Instant) -> dict[str, HoldReason]:
    """Everybody under a hold, and why: what they are bound to gives them nothing, or to administer and no more."""
    found = rows(db, f"SELECT person, reason FROM person_hold WHERE {AT}", {"at": at})
    return {each["person"]: HoldReason(each["reason"]) for each in found}


def reported_leavers(db: Snapshot, at: Instant) -> tuple[ReportedLeaver, ...]:
    """Everybody whom a directory that does not lead them reported to have left, the oldest first."""
    found = rows(
        db,
        "SELECT r.*, p.name FROM reported_leaver r JOIN person p ON p.person = r.person "
        "AND p.valid_from <= :at AND :at < p.valid_until WHERE r.valid_from <= :at AND :at < r.valid_until "
        "ORDER BY r.began, r.person, r.origin",
        {"at": at},
    )
    return tuple(
        ReportedLeaver(each["person"], each["name"] or each["person"], each["origin"], each["because"], each["began"])
        for each in found
    )


def own_words(db: Snapshot, at: Instant) -> tuple[OwnWord, ...]:
    """Who decided on themselves, the newest first."""
    found = rows(
        db,
        "SELECT o.person, o.decided, p.name FROM own_word o LEFT JOIN person p ON p.person = o.person "
        "AND p.valid_from <= :at AND :at < p.valid_until WHERE o.valid_from <= :at AND :at < o.valid_until "
        "ORDER BY o.decided DESC LIMIT 100",
        {"at": at},
    )
    return tuple(OwnWord(each["person"], each["name"] or each["person"], each["decided"]) for each in found)


def lapsed_holds(db: Snapshot, at: Instant) -> tuple[str, ...]:
    """People whose hold nobody decided in time, as it is now."""
    found = rows(
        db,
        f"SELECT person FROM person_hold WHERE valid_until = {FOREVER} AND decide_by <= :at "
        f"ORDER BY 1 LIMIT {MOST_DUE}",
        {"at": at},
    )
    return tuple(each["person"] for each in found)


def reminders_due(db: Snapshot, at: Instant) -> tuple[str, ...]:
    """Holds of many at half time that somebody still waits under, as it is now."""
    found = rows(
        db,
        f"SELECT hold FROM directory_hold d WHERE {AT} AND reminded = 0 AND decide_by <= :half "
        "AND EXISTS (SELECT 1 FROM person_hold h WHERE h.hold = d.hold "
        f"AND h.valid_until = {FOREVER}) LIMIT {MOST_DUE}",
        {"at": at, "half": at + UNDECIDED // 2},
    )
    return tuple(each["hold"] for each in found)
