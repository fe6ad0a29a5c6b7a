"""Facts of the roster, of leaving, and of a session that somebody wants ended."""

from typing import Any

from onepam.app.people.add_person import AddingQuery
from onepam.app.people.disable_person import LeavingQuery
from onepam.app.ports import Snapshot
from onepam.app.sessions.kill_session import KillQuery
from onepam.domain.access.model import ConsoleRight
from onepam.domain.leaving.leaving import MOST_OF_EACH, MOST_REROUTED, Held, LeavingFacts
from onepam.domain.people.adding import AddingFacts, PersonFacts
from onepam.domain.people.events import DIRECTORY_GROUP, PersonKind
from onepam.domain.requests.approval import authority
from onepam.domain.sessions.kill import KillFacts
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.deciding import claims_of, deciders, not_deciding
from onepam.store.facts.holdings import actor_facts, held_roles
from onepam.store.facts.requests import approvers, open_request


@loads(AddingQuery)
def roster(db: Snapshot, query: AddingQuery, at: Instant) -> AddingFacts:
    known = query.attributes
    return AddingFacts(
        actor=actor_facts(db, query.actor, at) if query.actor else None,
        signed_in=row(db, "SELECT 1 FROM sign_in LIMIT 1") is not None,
        person=person_facts(db, query.person, at),
        owner=person_facts(db, known.owner, at) if known.owner else None,
        manager=person_facts(db, known.manager, at) if known.manager else None,
        same_email=_same_email(db, query.person, known.email, at),
    )


@loads(LeavingQuery)
def leaving(db: Snapshot, query: LeavingQuery, at: Instant) -> LeavingFacts:
    person = person_facts(db, query.person, at)
    return LeavingFacts(
        actor=actor_facts(db, query.actor, at),
        person=person,
        same_email=_same_email(db, query.person, person.email, at) if person else None,
        held=held(db, query.person, at),
        directory=directory_memberships(db, query.person, at),
    )


@loads(KillQuery)
def killing(db: Snapshot, query: KillQuery, at: Instant) -> KillFacts:
    found: Any = row(
        db,
        f"SELECT person, status FROM session WHERE session = :session AND {AT}",
        {"session": query.session, "at": at},
    ) or {"person": None, "status": None}
    return KillFacts(actor_facts(db, query.actor, at), found["person"], found["status"])


def held(db: Snapshot, person: str, at: Instant) -> Held:
    """What somebody holds as of `at`."""
    live = row(
        db,
        f"SELECT count(*) FROM session WHERE person = :person AND status = 'open' AND {AT}",
        {"person": person, "at": at},
    )
    return Held(
        sign_ins=_ids(db, "sign_in", "session", person, at),
        grants=_grants(db, person, at),
        requests=_ids(db, "request", "request", person, at, "status = 'open'"),
        enrolments=_enrolments(db, person, at),
        factors=_ids(db, "factor", "factor", person, at),
        bindings=_bindings(db, person, at),
        groups=_pairs(db, "group_member", "grp, source", person, at),
        live=live[0] if live else 0,
        confirmations=_ids(
            db, "confirmation", "confirmation", person, at, "status IN ('asked', 'given') AND expires > :at"
        ),
        rerouted=_rerouted(db, person, at),
        exceptions=_exceptions(db, person, at),
    )


def directory_memberships(db: Snapshot, person: str, at: Instant) -> tuple[tuple[str, str], ...]:
    """The groups that directories say of the person, by users that are active, each with its source. What is in effect
    is the same while the person is enabled."""
    found = rows(
        db,
        f"""
        SELECT DISTINCT '{DIRECTORY_GROUP}' || g.name AS grp, 'scim:' || u.provider AS source FROM scim_user u
        JOIN scim_member m ON m.scim_user = u.scim_user AND m.valid_from <= :at AND :at < m.valid_until
        JOIN scim_group g ON g.scim_group = m.scim_group AND g.valid_from <= :at AND :at < g.valid_until
        WHERE u.person = :person AND u.active = 1 AND u.valid_from <= :at AND :at < u.valid_until
        ORDER BY 1, 2 LIMIT {MOST_OF_EACH}
        """,
        {"person": person, "at": at},
    )
    return tuple((each["grp"], each["source"]) for each in found)


def _enrolments(db: Snapshot, person: str, at: Instant) -> tuple[str, ...]:
    """Links and proposals for the person, and those that the person made for others."""
    found = rows(
        db,
        f"SELECT enrolment FROM enrolment WHERE person = :person AND {AT} UNION SELECT enrolment FROM enrolment "
        f"WHERE proposed_by = :person AND {AT} UNION SELECT enrolment FROM enrolment "
        f"WHERE opened_by = :person AND {AT} ORDER BY 1 LIMIT {MOST_OF_EACH}",
        {"person": person, "at": at},
    )
    return tuple(each[0] for each in found)


def _exceptions(db: Snapshot, person: str, at: Instant) -> tuple[tuple[str, str], ...]:
    """Those for the person, and proposals by the person: those whose end has passed need no other."""
    found = rows(
        db,
        "SELECT exception, person FROM mfa_exception WHERE ends > :at AND (person = :person OR (proposed_by = :person "
        f"AND accepted_by IS NULL)) AND {AT} ORDER BY 1 LIMIT {MOST_OF_EACH}",
        {"person": person, "at": at},
    )
    return tuple((each["exception"], each["person"]) for each in found)


def _rerouted(db: Snapshot, person: str, at: Instant) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The open requests that the person has the authority to decide, each with the others who have it."""
    held = held_roles(db, person, at)
    if not any(ConsoleRight.APPROVE in each.console for each in held):
        return ()
    found = rows(
        db,
        "SELECT request, substance, digest, made, expires FROM request "
        f"WHERE status = 'open' AND expires > :at AND {AT} ORDER BY request",
        {"at": at},
    )
    passed_on = list[tuple[str, tuple[str, ...]]]()
    for request, asked, made in ((each.request, each.substance, each.made) for each in map(open_request, found)):
        roles = approvers(db, asked, at, made)
        claims = claims_of(db, at, person, roles, asked.person, asked.resource)
        if authority(held, roles, at, claims) is None or person in not_deciding(db, at, asked.person):
            continue
        others = tuple(who for who, _ in deciders(db, at, roles, asked.person, asked.resource) if who != person)
        passed_on.append((request, others))
        if len(passed_on) == MOST_REROUTED:
            break
    return tuple(passed_on)


def person_facts(db: Snapshot, person: str, at: Instant) -> PersonFacts | None:
    """The person as of `at`, or None."""
    found = row(db, f"SELECT * FROM person WHERE person = :person AND {AT}", {"person": person, "at": at})
    if found is None:
        return None
    return PersonFacts(
        person=found["person"],
        kind=PersonKind(found["kind"]),
        enabled=bool(found["enabled"]),
        ends=found["ends"],
        owner=found["owner"],
        email=found["email"],
        erased=not found["enabled"] and is_erased(db, person, at),
    )


def is_erased(db: Snapshot, person: str, at: Instant) -> bool:
    """Whether two administrators have agreed that what is known of the person goes."""
    of = {"person": person, "at": at}
    return row(db, f"SELECT 1 FROM erasure WHERE person = :person AND status <> 'proposed' AND {AT}", of) is not None


def _same_email(db: Snapshot, person: str, email: str | None, at: Instant) -> str | None:
    if email is None:
        return None
    found = row(
        db,
        f"SELECT person FROM person WHERE email = :email AND person <> :person AND enabled = 1 AND {AT} LIMIT 1",
        {"email": email, "person": person, "at": at},
    )
    return found["person"] if found else None


def _ids(db: Snapshot, table: str, key: str, person: str, at: Instant, which: str = "1 = 1") -> tuple[str, ...]:
    found = rows(
        db,
        f"SELECT {key} FROM {table} WHERE person = :person AND {which} AND {AT} ORDER BY 1 LIMIT {MOST_OF_EACH}",
        {"person": person, "at": at},
    )
    return tuple(each[0] for each in found)


def _pairs(db: Snapshot, table: str, columns: str, person: str, at: Instant) -> tuple[tuple[str, str], ...]:
    found = rows(
        db,
        f"SELECT {columns} FROM {table} WHERE person = :person AND {AT} ORDER BY 1 LIMIT {MOST_OF_EACH}",
        {"person": person, "at": at},
    )
    return tuple((each[0], each[1]) for each in found)


def _grants(db: Snapshot, person: str, at: Instant) -> tuple[tuple[str, str], ...]:
    """Their own, and what they approved that has not begun: it never will."""
    found = rows(
        db,
        f"SELECT access_grant, request FROM access_grant WHERE person = :person AND {AT} "
        f"UNION SELECT access_grant, request FROM access_grant WHERE approved_by = :person AND starts > :at AND {AT} "
        f"ORDER BY 1 LIMIT {MOST_OF_EACH}",
        {"person": person, "at": at},
    )
    return tuple((each[0], each[1]) for each in found)


def _bindings(db: Snapshot, person: str, at: Instant) -> tuple[str, ...]:
    found = rows(
        db,
        f"SELECT binding FROM binding WHERE subject = :person AND subject_kind = 'person' AND {AT} "
        f"ORDER BY 1 LIMIT {MOST_OF_EACH}",
        {"person": person, "at": at},
    )
    return tuple(each[0] for each in found)
