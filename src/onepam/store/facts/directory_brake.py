"""What the brake of a directory looks at: who administers, how many left within the hour, whose account is held."""

from onepam.app.leaving.decide_hold import HoldQuery, ReminderQuery
from onepam.app.people.end_overdue_person import OverduePersonQuery
from onepam.app.ports import Snapshot
from onepam.domain.access.model import ConsoleRight
from onepam.domain.lapsing.people import OverdueFacts
from onepam.domain.leaving.brake import (
    NO_BRAKE,
    WINDOW,
    BrakeFacts,
    HoldFacts,
    HoldReason,
    PersonHold,
    ReminderFacts,
    Report,
)
from onepam.domain.leaving.leaving import END
from onepam.domain.people.adding import PersonFacts
from onepam.domain.people.events import DIRECTORY_GROUP
from onepam.domain.roster.events import ROSTER
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holders import IN_FORCE, MEMBER, not_withheld
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.people import held, person_facts


def _at(*tables: str) -> str:
    return " AND ".join(f"{each}.valid_from <= :at AND :at < {each}.valid_until" for each in tables)


_ADMINISTERS = f"b.role IN (SELECT r.role FROM role r WHERE r.console LIKE :right AND {_at('r')}) AND {IN_FORCE}"
"""Whether the binding `b` is in force, and of a role that administers: such roles are few, and looked for first."""

_ADMINISTRATORS = f"""
SELECT b.subject AS person FROM binding b WHERE {_ADMINISTERS} AND b.subject_kind = 'person'
AND {not_withheld("b.subject")}
UNION
SELECT m.person FROM binding b JOIN group_member m ON m.grp = b.subject AND {MEMBER}
WHERE {_ADMINISTERS} AND b.subject_kind = 'group' AND NOT (m.source = :source AND :without IN ('', m.grp))
AND {not_withheld("m.person")}"""

_ADMINISTERING_GROUP = f"""
SELECT 1 FROM binding b WHERE b.subject = :group AND b.subject_kind = 'group' AND {_ADMINISTERS} LIMIT 1"""

_ADMINISTERING_GROUPS = f"""
SELECT DISTINCT b.subject AS grp FROM binding b WHERE b.subject_kind = 'group' AND {_ADMINISTERS}"""

_UNSAID = f"""
SELECT m.grp, m.source FROM group_member m JOIN scim_user u ON m.source = 'scim:' || u.provider AND u.person = m.person
AND u.active = 1 AND {_at("u")}
WHERE m.person = :person AND {_at("m")} AND NOT EXISTS (
    SELECT 1 FROM scim_member s JOIN scim_group g ON g.scim_group = s.scim_group AND {_at("g")}
    WHERE s.scim_user = u.scim_user AND {_at("s")} AND '{DIRECTORY_GROUP}' || g.name = m.grp)
ORDER BY 1, 2"""

_WHO_CAN_SIGN_IN = f"""
SELECT p.person, p.ends, h.reason FROM ({_ADMINISTRATORS}) a
JOIN person p ON p.person = a.person AND p.enabled = 1 AND (p.ends IS NULL OR p.ends > :at) AND {_at("p")}
LEFT JOIN person_hold h ON h.person = p.person AND {_at("h")}
WHERE EXISTS (SELECT 1 FROM factor f WHERE f.person = p.person AND f.kind = 'passkey' AND {_at("f")})
OR (EXISTS (SELECT 1 FROM factor f WHERE f.person = p.person AND f.kind = 'password' AND {_at("f")})
    AND EXISTS (SELECT 1 FROM factor f WHERE f.person = p.person AND f.kind = 'totp' AND {_at("f")}))
OR EXISTS (SELECT 1 FROM identity i JOIN provider o ON o.provider = i.provider AND {_at("o")}
           WHERE i.person = p.person AND {_at("i")})"""

_LED = (
    "(EXISTS (SELECT 1 FROM scim_user u WHERE u.person = {0}) "
    "OR EXISTS (SELECT 1 FROM staff_entry e WHERE e.person = {0}))"
)
"""Whether a directory or the staff roster leads somebody, or did."""

_ENDED = f"""
SELECT count(*) FROM (
    SELECT person FROM leaver WHERE removed > :since AND valid_from <= :at
    AND (origin = '{ROSTER}' OR origin LIKE 'scim:%' OR (origin = '{END}' AND {_LED.format("leaver.person")}))
    UNION SELECT person FROM person_hold WHERE began > :since AND valid_from <= :at AND reason = 'many') AS departure"""
"""A departure that was taken back has still cost factors and bindings: so it counts, whether the row ended or not."""


def administrators(db: Snapshot, at: Instant, without: tuple[str, str] = ("", "")) -> frozenset[str]:
    """Everybody with a role that administers, whether they can sign in or not; `without` the memberships of a group
    that one source says, or of all its groups ("")."""
    return frozenset(each["person"] for each in rows(db, _ADMINISTRATORS, _rights(at, without)))


def who_can_decide(db: Snapshot, at: Instant) -> frozenset[str]:
    """Everybody who administers and could sign in to decide something now."""
    found = rows(db, _WHO_CAN_SIGN_IN, _rights(at))
    return frozenset(each["person"] for each in found if each["reason"] != HoldReason.MANY)


def administers(db: Snapshot, group: str, at: Instant) -> bool:
    """Whether a role that administers is bound to the group."""
    return row(db, _ADMINISTERING_GROUP, {**_rights(at), "group": group}) is not None


def administering(db: Snapshot, at: Instant) -> frozenset[str]:
    """All groups to which a role that administers is bound."""
    return frozenset(each["grp"] for each in rows(db, _ADMINISTERING_GROUPS, _rights(at)))


def brake_facts(db: Snapshot, origin: str, at: Instant) -> BrakeFacts:
    """The brake as of `at`, for departures that `origin` orders."""
    who = rows(db, _WHO_CAN_SIGN_IN, _rights(at))
    people = row(db, f"SELECT count(*) FROM person WHERE enabled = 1 AND kind <> 'service' AND {AT}", {"at": at})
    ended = row(db, _ENDED, {"at": at, "since": at - WINDOW})
    found = row(
        db,
        f"SELECT hold, decide_by FROM directory_hold WHERE origin = :origin AND reason = '{HoldReason.MANY}' "
        f"AND began > :since AND {AT} ORDER BY began DESC LIMIT 1",
        {"origin": origin, "since": at - WINDOW, "at": at},
    )
    return BrakeFacts(
        people=people[0] if people else 0,
        ended=ended[0] if ended else 0,
        administrators=frozenset(each["person"] for each in who),
        staying=frozenset(each["person"] for each in who if each["ends"] is None and each["reason"] != HoldReason.MANY),
        open=(found["hold"], found["decide_by"]) if found else None,
    )


def person_hold(db: Snapshot, person: str, at: Instant) -> PersonHold | None:
    """The hold on the person as of `at`, or None."""
    found = row(db, f"SELECT * FROM person_hold WHERE person = :person AND {AT}", {"person": person, "at": at})
    if found is None:
        return None
    return PersonHold(
        hold=found["hold"],
        origin=found["origin"],
        reason=HoldReason(found["reason"]),
        because=found["because"],
        decide_by=found["decide_by"],
        left_at=found["left_at"],
        notified=found["notified"],
    )


def reported_by(db: Snapshot, origin: str, user: str, person: str | None, at: Instant) -> tuple[str, ...]:
    """People whom this directory reported to have left, by this user or with this account."""
    found = rows(
        db,
        "SELECT person FROM reported_leaver "
        f"WHERE origin = :origin AND (scim_user = :user OR person = :person) AND {AT} "
        "ORDER BY 1",
        {"origin": origin, "user": user, "person": person or "", "at": at},
    )
    return tuple(each["person"] for each in found)


def _reports(db: Snapshot, person: str, at: Instant) -> tuple[Report, ...]:
    found = rows(
        db,
        f"SELECT * FROM reported_leaver WHERE person = :person AND {AT} ORDER BY began",
        {"person": person, "at": at},
    )
    return tuple(Report(each["origin"], each["because"], each["notified"]) for each in found)


def _unsaid(db: Snapshot, person: str, at: Instant) -> list[tuple[str, str]]:
    return [(each["grp"], each["source"]) for each in rows(db, _UNSAID, {"person": person, "at": at})]


def _unsaid_at_sign_in(db: Snapshot, person: str, found: PersonHold | None, at: Instant) -> list[tuple[str, str]]:
    """What the message that brought the hold did not say: every group that administers and that its provider had."""
    if found is None or found.reason is not HoldReason.LAST_ADMINISTRATORS_GROUP or found.origin.startswith("scim:"):
        return []
    of = {"person": person, "source": found.origin, "at": at}
    said = rows(db, f"SELECT grp FROM group_member WHERE person = :person AND source = :source AND {AT} ORDER BY 1", of)
    groups = administering(db, at)
    return [(each["grp"], found.origin) for each in said if each["grp"] in groups]


@loads(HoldQuery)
def hold(db: Snapshot, query: HoldQuery, at: Instant) -> HoldFacts:
    found, person = person_hold(db, query.person, at), person_facts(db, query.person, at)
    return HoldFacts(
        actor=actor_facts(db, query.actor, at) if query.actor else None,
        hold=found,
        held=held(db, query.person, at),
        brake=brake_facts(db, found.origin, at) if found and query.actor is None else NO_BRAKE,
        reports=_reports(db, query.person, at),
        unsaid=(*_unsaid(db, query.person, at), *_unsaid_at_sign_in(db, query.person, found, at)),
        person=person,
        sponsor_left=_sponsor_left(db, person, at),
    )


@loads(OverduePersonQuery)
def overdue_person(db: Snapshot, query: OverduePersonQuery, at: Instant) -> OverdueFacts:
    person, found = person_facts(db, query.person, at), person_hold(db, query.person, at)
    led = row(db, f"SELECT 1 WHERE {_LED.format(':person')}", {"person": query.person}) is not None
    return OverdueFacts(
        person=person,
        sponsor_left=_sponsor_left(db, person, at),
        held=held(db, query.person, at),
        led=led,
        waits=found is not None and found.reason is HoldReason.MANY,
        brake=brake_facts(db, END, at) if led else NO_BRAKE,
    )


def _sponsor_left(db: Snapshot, person: PersonFacts | None, at: Instant) -> Instant | None:
    of = {"owner": person.owner if person else None, "at": at}
    left = row(db, f"SELECT removed FROM leaver WHERE person = :owner AND {AT}", of)
    return left["removed"] if left else None


@loads(ReminderQuery)
def reminder(db: Snapshot, query: ReminderQuery, at: Instant) -> ReminderFacts:
    of = {"hold": query.hold, "at": at}
    found = row(db, f"SELECT decide_by, reminded FROM directory_hold WHERE hold = :hold AND {AT}", of)
    waiting = row(db, f"SELECT count(*) FROM person_hold WHERE hold = :hold AND {AT}", of)
    return ReminderFacts(
        found["decide_by"] if found else None, bool(found and found["reminded"]), waiting[0] if waiting else 0
    )


def _rights(at: Instant, without: tuple[str, str] = ("", "")) -> dict[str, object]:
    return {"at": at, "right": f'%"{ConsoleRight.ADMINISTER.value}"%', "without": without[0], "source": without[1]}
