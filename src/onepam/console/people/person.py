"""One person from joining to leaving, as a page shows it."""

from onepam.app.ports import LedgerHealth, Snapshot
from onepam.console.frame.decision import decision
from onepam.console.frame.page import Context
from onepam.console.frame.view import View, resources, role_path
from onepam.console.frame.wording import FACTORS, held_by
from onepam.console.people.lanes import lanes
from onepam.console.people.people_page import PersonPage
from onepam.console.people.person_change import form_of
from onepam.console.people.person_words import (
    days_left,
    origin_words,
    second_factor,
    state_of,
)
from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.decision import Because
from onepam.domain.access.model import ConsoleRight
from onepam.domain.matrix.matrix import SOURCE
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.events import FactorKind
from onepam.kernel.clock import FOREVER, Instant
from onepam.kernel.text import natural
from onepam.store.facts.holdings import held_roles
from onepam.store.facts.sign_in import account_facts
from onepam.store.read import people as rows
from onepam.store.read.everybody import PersonRow
from onepam.store.read.explain import explain
from onepam.store.read.federated import exceptions
from onepam.store.read.leavers import Duty, duties
from onepam.store.read.matrix import access_matrix
from onepam.store.read.matters import Matters
from onepam.store.read.proofs_of_sign_in import Account, account
from onepam.store.read.proposals import proposed_enrolment, proposed_erasure
from onepam.store.read.role import fillers, role_names
from onepam.store.read.sessions import SessionFilter, sessions
from onepam.store.read.staff import of_person

_DUTIES = {
    "service": "service account",
    "vendor": "vendor without a sponsor",
    "person": "reports to them",
    "employee": "reports to them",
    "resource": "resource",
    "role": "role",
}
MOST_ACCESS = 30
MOST_SESSIONS = 10


def basis(row: PersonRow) -> str:
    """Why the newest sign-in counts, and who saw it."""
    if row.last is None:
        return ""
    return f"{row.last.basis.words}, {row.last.provider_name}" if row.last.provider else row.last.basis.words


def read_person(
    db: Snapshot, at: Instant, view: View, reader: ActorFacts, person: str, health: LedgerHealth, link: Context | None
) -> PersonPage | None:
    """The person's page for its reader; None where there is no such person. `link`: one made just now."""
    found = rows.person(db, at, person)
    if found is None:
        return None
    row, state = found.row, state_of(found.row, at)
    administers = ConsoleRight.ADMINISTER in reader.rights()
    service, may_change = row.kind is PersonKind.SERVICE, administers and person != view.person
    waiting = proposed_enrolment(db, at, person) if administers else None
    known = account(db, at, person)
    return PersonPage(
        link=link,
        may_disable=may_change and found.erasure is None,
        may_change=may_change and found.erasure is None,
        may_give=administers and state != "disabled",
        roles=role_names(db, at) if administers else (),
        may_enrol=administers and not service and state != "disabled",
        may_key=administers and service,
        waiting={"alone": waiting.alone, "decision": decision(waiting, reader, at)} if waiting else None,
        person=_about(row, at),
        **_erasure(db, at, reader, found),
        edit=form_of(db, at, row),
        duties=[
            {"word": _DUTIES[each.kind], "name": each.name, "href": _duty(each), "until": each.until}
            for each in (duties(db, at, person) if not row.enabled else ())
        ],
        left=_left(found),
        roster=of_person(db, at, person) if not service else None,
        identities=_identities(found),
        **_excepted(db, at, row, may_change),
        **lanes(rows.lanes(db, at, person), row.added, at, view),
        bindings=_bindings(db, at, view, found),
        **_access(db, at, view, person),
        factors=[
            {"kind": FACTORS[each.kind], "name": each.label or "", "since": each.enrolled, "state": "proven"}
            for each in (known.factors if known else ())
        ],
        keys=_keys(known),
        second_factors=second_factor(row)[1],
        second_state=second_factor(row)[0],
        sessions=_sessions(db, at, person),
        ends_now={
            "sessions": found.held.sessions,
            "grants": found.held.grants,
            "requests": found.held.requests,
        },
        history=view.history(found.history[::-1], Matters(db, at), health),
        proof=view.proof_of(found.history, health),
    )


def _about(row: PersonRow, at: Instant) -> Context:
    state = state_of(row, at)
    return {
        "id": row.person,
        "name": row.name,
        "email": row.email or "",
        "kind": row.kind.value,
        "state": state,
        "because": row.because,
        "origin": origin_words(row.origin, row.origin_name),
        "owner": row.owner_name,
        "manager": {"id": row.manager, "name": row.manager_name} if row.manager else None,
        "joined": row.added,
        "ends": row.ends or FOREVER,
        "ends_in": days_left(row.ends, at) if state == "ending" and row.ends else "",
        "last_sign_in": row.last_sign_in,
        "last_basis": basis(row),
    }


def _erasure(db: Snapshot, at: Instant, reader: ActorFacts, found: rows.PersonDetail) -> Context:
    """What is to go, goes, or is gone; and whether its going could be proposed."""
    it, administers = found.erasure, ConsoleRight.ADMINISTER in reader.rights()
    may_erase = administers and it is None and not found.row.enabled and found.row.person != reader.person
    if it is None:
        return {"may_erase": may_erase, "erasure": None}
    waiting = proposed_erasure(db, at, it.erasure) if administers else None
    told = {
        "status": it.status.value,
        "because": it.because,
        "by": it.proposed_by_name,
        "agreed": it.approved_by_name,
        "since": it.approved if it.approved is not None else it.proposed,
        "payloads": it.payloads,
        "decision": decision(waiting, reader, at) if waiting else None,
    }
    return {"may_erase": False, "erasure": told}


def _left(found: rows.PersonDetail) -> Context | None:
    if found.leaving is None:
        return None
    return {
        "removed": found.leaving.removed,
        "because": found.leaving.because,
        "origin": origin_words(found.leaving.origin, ""),
        "left_at": found.leaving.left_at,
        "notified": found.leaving.notified,
    }


def _identities(found: rows.PersonDetail) -> list[Context]:
    return [
        {
            "provider": each.provider_name,
            "user_name": each.user_name,
            "since": each.since,
            "because": each.because,
            "last": each.last,
        }
        for each in found.identities
    ]


def _excepted(db: Snapshot, at: Instant, row: PersonRow, may_change: bool) -> Context:
    """The exception from the second factor that counts; and whether one could be proposed: never for administrators."""
    found = exceptions(db, at, row.person)
    counts = next((each for each in reversed(found) if each.accepted_by), None)
    possible = (
        may_change and bool(row.providers) and row.enabled and not account_facts(db, row.person, at).administrative()
    )
    return {
        "exception": {"ends": counts.ends, "by": counts.accepted_by_name, "reason": counts.reason} if counts else None,
        "may_except": possible and not found,
    }


def _keys(known: Account | None) -> list[Context]:
    return [
        {
            "id": each.factor,
            "name": each.label,
            "fingerprint": each.reference,
            "networks": list(each.networks),
            "since": each.enrolled,
            "waits": each.privileged_from is not None,
        }
        for each in (known.of(FactorKind.SSH_KEY) if known else ())
    ]


def _sessions(db: Snapshot, at: Instant, person: str) -> list[Context]:
    return [
        {
            "id": each.session,
            "resource": each.resource,
            "login": each.login,
            "started": each.opened,
            "ended": each.closed,
            "state": each.state,
        }
        for each in sessions(db, at, SessionFilter(person=person, most=MOST_SESSIONS))
    ]


def _bindings(db: Snapshot, at: Instant, view: View, found: rows.PersonDetail) -> list[Context]:
    versions = {each.binding: each.version for each in held_roles(db, found.row.person, at)}
    return [
        {
            "role": each.role,
            "href": role_path(each.role),
            "since": each.since,
            "ends": each.ends or FOREVER,
            "because": each.because,
            "way": held_by(each.group, each.source, fillers(db, at, each.group, found.row.person)),
            "taken": not each.group and each.source == SOURCE,
            "chain": view.chain(
                explain(db, at, Because(each.role, versions.get(each.binding, ""), "", each.binding, each.group))
            ),
        }
        for each in found.bindings
    ]


def _access(db: Snapshot, at: Instant, view: View, person: str) -> Context:
    reached = sorted(
        access_matrix(db, at, person, requestable=False),
        key=lambda each: (each.until, natural(each.resource), each.login),
    )
    shown = reached[:MOST_ACCESS]
    called = resources(db, at, (each.resource for each in shown))
    return {
        "access": [
            {
                "resource": called[each.resource],
                "login": each.login,
                "how": each.how.value,
                "ends": each.until,
                "chain": view.chain(explain(db, at, each.because)),
            }
            for each in shown
        ],
        "access_beyond": len(reached) - len(shown),
    }


def _duty(each: Duty) -> str:
    """Where it can be given to somebody else."""
    places = {"resource": f"/resources/{each.reference}", "role": role_path(each.reference)}
    return places.get(each.kind, f"/people/{each.reference}")
