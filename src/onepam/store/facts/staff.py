"""Facts of the staff roster: its entries and versions, and what is still to follow from it."""

import json
from typing import Any

from onepam.app.ports import Snapshot
from onepam.app.roster.follow_roster import FollowQuery
from onepam.app.roster.take_roster import RosterQuery
from onepam.domain.leaving.brake import NO_BRAKE, HoldReason
from onepam.domain.people.events import PersonKind
from onepam.domain.roster.difference import Account, Entry
from onepam.domain.roster.events import ROSTER, RosterRules, Standing
from onepam.domain.roster.following import MOST_CHANGES, MOST_LEAVERS, Followed, FollowFacts, Joiner, Says
from onepam.domain.roster.taking import RosterFacts, VersionFacts
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.directory_brake import brake_facts, person_hold
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.people import held

_NOTHING_SAID = {"number": None, "name": None, "email": None}
GROUP = HoldReason.LAST_ADMINISTRATORS_GROUP


def _at(*tables: str) -> str:
    return " AND ".join(f"{each}.valid_from <= :at AND :at < {each}.valid_until" for each in tables)


_IN_FORCE = "e.removed IS NULL AND (e.ends IS NULL OR e.ends > :at)"
_TAKEN = f"JOIN staff_version v ON v.version = e.version AND v.standing = 'taken' AND {_at('v')}"

_FOLLOWED = f"""
SELECT p.person, p.kind, p.manager, p.owner, p.ends, p.name, p.email, v.received,
       e.type, e.ends AS said_ends, e.removed, m.person AS said_manager, s.person AS said_sponsor
FROM staff_entry e {_TAKEN}
JOIN person p ON p.person = e.person AND p.enabled = 1 AND {_at("p")}
LEFT JOIN staff_entry m ON m.entry = e.manager AND {_at("m")}
LEFT JOIN staff_entry s ON s.entry = e.sponsor AND {_at("s")}
WHERE {_at("e")} AND """

_LEFT = f"""
coalesce(e.removed, e.ends) <= :at
AND NOT EXISTS (SELECT 1 FROM staff_entry o WHERE o.entry <> e.entry AND o.removed IS NULL AND {_at("o")}
                AND (o.person = p.person OR (o.person IS NULL AND o.email = p.email)))
AND NOT EXISTS (SELECT 1 FROM person x WHERE x.person = p.person AND x.enabled = 0 AND x.valid_until <= :at
                AND x.valid_until > max(e.said, coalesce(e.removed, e.ends)))
AND NOT EXISTS (SELECT 1 FROM person_hold h WHERE h.person = p.person AND h.reason <> '{GROUP}'
                AND h.valid_until > max(e.said, coalesce(e.removed, e.ends)))
ORDER BY p.person LIMIT :most"""

_DIFFERS = f"""
{_IN_FORCE} AND NOT (e.type = 'vendor' AND s.person IS NULL AND p.owner IS NULL) AND (
    p.kind <> e.type OR coalesce(p.ends, 0) <> coalesce(e.ends, 0)
    OR (m.person IS NOT NULL AND m.person <> p.person AND coalesce(p.manager, '') <> m.person)
    OR (e.type = 'vendor' AND s.person IS NOT NULL AND coalesce(p.owner, '') <> s.person)
    OR (e.type = 'employee' AND p.owner IS NOT NULL))
ORDER BY p.person LIMIT :most"""

_BACK = f"""
SELECT h.person FROM person_hold h JOIN staff_entry e ON e.person = h.person AND {_IN_FORCE} AND {_at("e")}
{_TAKEN} WHERE h.origin = '{ROSTER}' AND {_at("h")} GROUP BY 1 ORDER BY 1 LIMIT :most"""

_UNLINKED = f"""
SELECT min(e.entry) AS entry, p.person FROM staff_entry e {_TAKEN}
JOIN person p ON p.email = e.email AND p.enabled = 1 AND p.kind <> 'service' AND {_at("p")}
WHERE e.person IS NULL AND e.removed IS NULL AND {_at("e")}
AND NOT EXISTS (SELECT 1 FROM staff_entry o WHERE o.person = p.person AND o.removed IS NULL AND {_at("o")})
GROUP BY p.person ORDER BY p.person LIMIT :most"""

_JOINERS = f"""
SELECT e.entry, e.name, e.email, e.type, e.ends, m.person AS said_manager, s.person AS said_sponsor
FROM staff_entry e {_TAKEN}
LEFT JOIN staff_entry m ON m.entry = e.manager AND {_at("m")}
LEFT JOIN staff_entry s ON s.entry = e.sponsor AND {_at("s")}
WHERE e.person IS NULL AND {_IN_FORCE} AND (e.starts IS NULL OR e.starts <= :at) AND {_at("e")}
AND e.name IS NOT NULL AND e.email IS NOT NULL AND (e.type = 'employee' OR s.person IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM person p WHERE p.email = e.email AND {_at("p")})
ORDER BY e.entry LIMIT :most"""


@loads(RosterQuery)
def staff(db: Snapshot, query: RosterQuery, at: Instant) -> RosterFacts:
    return RosterFacts(
        actor=actor_facts(db, query.actor, at) if query.actor else None,
        entries=entries(db, at) if query.whole else (),
        accounts=_accounts(db, at) if query.whole else (),
        rules=staff_rules(db, at),
        newest=_version(db, at, ""),
        released=_version(db, at, "AND standing = 'released' AND digest = :digest", query.digest),
    )


@loads(FollowQuery)
def following(db: Snapshot, query: FollowQuery, at: Instant) -> FollowFacts:
    most = {"at": at, "most": MOST_CHANGES}
    left = rows(db, _FOLLOWED + _LEFT, {"at": at, "most": MOST_LEAVERS})
    differ = rows(db, _FOLLOWED + _DIFFERS, most)
    return FollowFacts(
        links=tuple((each["entry"], each["person"]) for each in rows(db, _UNLINKED, most)),
        followed=tuple(_followed(each, at) for each in (*left, *differ)),
        joiners=tuple(_joiner(each) for each in rows(db, _JOINERS, {"at": at, "most": query.joiners}))
        if staff_rules(db, at).creates
        else (),
        held={each["person"]: held(db, each["person"], at) for each in left},
        brake=brake_facts(db, ROSTER, at) if left or differ else NO_BRAKE,
        back=tuple(
            (each["person"], found)
            for each in rows(db, _BACK, most)
            if (found := person_hold(db, each["person"], at)) is not None
        ),
    )


def entries(db: Snapshot, at: Instant) -> tuple[Entry, ...]:
    """All entries as of `at`, those that are on the roster last. Of somebody whose erasure was agreed to the number
    leads to nobody, also while it has not gone yet."""
    found = rows(db, f"SELECT * FROM staff_entry WHERE {AT} ORDER BY removed IS NULL, entry", {"at": at})
    agreed = rows(db, f"SELECT person FROM erasure WHERE status <> 'proposed' AND {AT}", {"at": at})
    erased = {each["person"] for each in agreed}
    return tuple(
        Entry(
            entry=each["entry"],
            person=each["person"],
            number=said["number"],
            name=said["name"],
            email=said["email"],
            type=PersonKind(each["type"]),
            manager=each["manager"],
            sponsor=each["sponsor"],
            starts=each["starts"],
            ends=each["ends"],
            contract_ends=each["contract_ends"],
            time_zone=each["time_zone"],
            removed=each["removed"],
        )
        for each in found
        for said in (each if each["person"] not in erased else _NOTHING_SAID,)
    )


def staff_rules(db: Snapshot, at: Instant) -> RosterRules:
    """How versions are judged as of `at`."""
    found = row(db, f"SELECT * FROM staff_rules WHERE {AT}", {"at": at})
    if found is None:
        return RosterRules()
    columns = tuple(sorted(json.loads(found["columns"]).items()))
    return RosterRules(found["brake_percent"], found["stale_after"], bool(found["creates"]), columns)


def _accounts(db: Snapshot, at: Instant) -> tuple[Account, ...]:
    found = rows(
        db,
        f"SELECT person, name, email FROM person WHERE enabled = 1 AND kind <> 'service' AND {AT} ORDER BY person",
        {"at": at},
    )
    return tuple(Account(each["person"], each["name"] or each["person"], each["email"]) for each in found)


def _version(db: Snapshot, at: Instant, which: str, digest: str = "") -> VersionFacts | None:
    found = row(
        db,
        f"SELECT version, digest, standing, because FROM staff_version WHERE {AT} {which} "
        "ORDER BY decided DESC LIMIT 1",
        {"at": at, "digest": digest},
    )
    if found is None:
        return None
    return VersionFacts(found["version"], found["digest"], Standing(found["standing"]), found["because"])


def _followed(found: Row, at: Instant) -> Followed:
    removed, ends = found["removed"], found["said_ends"]
    over = removed if removed is not None else ends if ends is not None and ends <= at else None
    return Followed(
        person=found["person"],
        left_at=over,
        received=found["received"],
        kind=PersonKind(found["kind"]),
        manager=found["manager"],
        owner=found["owner"],
        ends=found["ends"],
        name=found["name"],
        email=found["email"],
        says=_says(found, ends),
    )


def _joiner(found: Row) -> Joiner:
    return Joiner(found["entry"], found["name"], found["email"], _says(found, found["ends"]))


def _says(found: Any, ends: Instant | None) -> Says:
    return Says(PersonKind(found["type"]), found["said_manager"], found["said_sponsor"], ends)
