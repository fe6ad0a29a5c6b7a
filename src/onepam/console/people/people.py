"""People: who there is, one person from joining to leaving, and what administrators do about them."""

from starlette.responses import Response

from onepam.app.leaving.erase_person import propose_erasure
from onepam.app.people.add_person import add_person
from onepam.app.people.disable_person import disable_person
from onepam.app.people.enable_person import enable_person
from onepam.app.ports import Snapshot
from onepam.app.signing_in.enrol import open_enrolment
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import ADMINISTERS, MEMBER, SEES_ALL, Place, Shown
from onepam.console.frame.rendering import Flash, day, field_time, plural, words
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.view import View
from onepam.console.frame.visit import Visit
from onepam.console.people import person_change
from onepam.console.people.people_page import PeoplePage
from onepam.console.people.person import basis, read_person
from onepam.console.people.person_change import by_email, last_day
from onepam.console.people.person_words import (
    FACTOR_FILTER,
    ORIGINS,
    STATES,
    days_left,
    origin_words,
    second_factor,
    state_of,
)
from onepam.domain.access.model import ConsoleRight
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import ADMINISTRATOR, PersonKind
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import FOREVER, Instant, iso
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.store.read.erasing import seen
from onepam.store.read.estate import privileged_roles
from onepam.store.read.everybody import PeopleFilter, PersonRow, people
from onepam.store.read.paging import Window

_KINDS = {"employee": "Employees", "vendor": "Vendors", "service": "Service accounts"}
_CHOICES = {
    "kind": {"": "Everybody", **_KINDS},
    "state": {"": "In any state", **STATES},
    "origin": {"": "From anywhere", **ORIGINS},
    "factor": {"": "Any second factor", **FACTOR_FILTER},
}
"""The filters of the list that are chosen: name -> value -> word."""


async def people_page(visit: Visit) -> Response:
    """Everybody, narrowed by words, kind, role, state, origin and second factor, a page at a time; or as a sheet."""
    query = visit.request.query_params
    wanted = {name: query.get(name, "").strip()[:100] for name in ("q", "role", *_CHOICES)}
    if visit.wants_sheet():
        return _sheet(visit, wanted)
    may_add = visit.me.has(ConsoleRight.ADMINISTER)
    return visit.page(await visit.services.reader(_listed, visit.at, wanted, paged(visit), may_add))


async def person_page(visit: Visit) -> Response:
    """One person."""
    return await _show(visit, visit.path("person"))


async def add(visit: Visit) -> Response:
    """Adds somebody, and makes their link."""
    form, person = visit.form, new_id("per", visit.services.random)
    kind = PersonKind.VENDOR if form.get("kind") == "vendor" else PersonKind.EMPLOYEE
    ends = last_day(form.get("ends", ""))
    if isinstance(ends, Refused):
        return visit.outcome(ends, "/people", "")
    sponsor = await by_email(visit, form.get("sponsor", ""), "sponsor") if kind is PersonKind.VENDOR else None
    if isinstance(sponsor, Refused):
        return visit.outcome(sponsor, "/people", "")
    known = Attributes(form.get("name", ""), form.get("email", ""), None, sponsor, ends)
    refused = await add_person(visit.services.ledger, visit.me.actor, person, kind, known, "added in the console")
    if refused is not None:
        return visit.outcome(refused, "/people", "")
    return await _link(visit, person, "invited")


async def enrol_link(visit: Visit) -> Response:
    """A new one-use link, shown once."""
    return await _link(visit, visit.path("person"), "asked for in the console")


async def disable(visit: Visit) -> Response:
    """Ends all access of somebody."""
    here = visit.path("person")
    ended = await disable_person(visit.services.ledger, visit.me.actor, here, visit.form.get("reason", ""))
    if isinstance(ended, Refused):
        return _refused(visit, ended, here)
    what = [
        plural(ended.live, "live session"), plural(ended.grants, "grant"),
        plural(ended.requests, "open request"), plural(ended.sign_ins, "sign-in"),
    ]  # fmt: skip
    return visit.go(f"/people/{here}", Flash("done", "Disabled.", f"Ended: {', '.join(what)}."))


async def enable(visit: Visit) -> Response:
    """Lets somebody sign in again."""
    here = visit.path("person")
    refused = await enable_person(visit.services.ledger, visit.me.actor, here, visit.form.get("reason", ""))
    if refused is not None:
        return _refused(visit, refused, here)
    return visit.go(f"/people/{here}", Flash("done", "Enabled.", "Their roles hold again; what ended stays ended."))


async def erase(visit: Visit) -> Response:
    """Proposes that what is known of somebody who has left goes."""
    here, made = visit.path("person"), new_id("ers", visit.services.random)
    reason, keep_days = visit.form.get("reason", ""), visit.services.keep_days
    found = await visit.services.reader(seen, None, here)
    refused = await propose_erasure(visit.services.ledger, visit.me.actor, made, here, reason, keep_days, found)
    if refused is not None and refused.code == "factor.stale":
        return visit.go(f"/step-up?next=/people/{here}")
    if refused is not None:
        return _refused(visit, refused, here)
    return visit.go(f"/people/{here}", Flash("note", "It waits for another administrator.", "Nothing is erased yet."))


def _refused(visit: Visit, refused: Refused, person: str) -> Response:
    if refused.code == "person.unknown":
        return visit.refusal(_unknown(person), 404)
    return visit.outcome(refused, f"/people/{person}", "")


def _unknown(person: str) -> Refused:
    return Refused("person.unknown", "There is nobody of that name that you may see.", f"You asked for {person[:40]}.")


async def _link(visit: Visit, person: str, because: str) -> Response:
    made, token = new_id("enr", visit.services.random), new_token("enr", visit.services.random)
    opened = await open_enrolment(
        visit.services.ledger, visit.me.actor, person, made, token_digest(token).hex(), because
    )
    if isinstance(opened, Refused):
        return _refused(visit, opened, person)
    if opened.alone is not None:
        note = f"Everybody who administers, and the person, is told. From {day(opened.alone)} on you can make it, here."
        return visit.go(f"/people/{person}", Flash("note", "The link waits: nobody else could decide on it.", note))
    if opened.expires is None:
        note = "Another administrator must agree, here on this page: the person decides or reaches what is privileged."
        return visit.go(f"/people/{person}", Flash("note", "The link waits for a second administrator.", note))
    return await _show(visit, person, _shown_link(visit, token, opened.expires))


def _shown_link(visit: Visit, token: Secret, expires: Instant) -> Context:
    return {"url": f"{visit.services.origin}/enrol/{token.reveal().decode('ascii')}", "ends": expires}


async def _show(visit: Visit, person: str, link: Context | None = None) -> Response:
    view = View.of(visit)
    at = visit.at if visit.request.method == "GET" else None
    health = await visit.services.health()
    reader = visit.me.facts
    found = (
        await visit.services.reader(read_person, at, view, reader, person, health, link) if view.sees(person) else None
    )
    return visit.page(found) if found is not None else visit.refusal(_unknown(person), 404)


def _filter(wanted: Context) -> PeopleFilter:
    return PeopleFilter(wanted["q"], *(wanted[name] for name in ("kind", "role", "state", "origin", "factor")))


def _listed(db: Snapshot, at: Instant, wanted: Context, window: Window, may_add: bool) -> PeoplePage:
    found = people(db, at, _filter(wanted), window)
    privileged = privileged_roles(db, at)
    return PeoplePage(
        filter=wanted,
        choices=_CHOICES,
        may_add=may_add,
        people=[
            {
                "id": each.person,
                "name": each.name,
                "email": each.email or "",
                "kind": each.kind.value,
                "roles": list(each.roles),
                "factors": second_factor(each)[1],
                "factor_state": second_factor(each)[0],
                "state": state_of(each, at),
                "because": each.because if not each.enabled else "",
                "origin": origin_words(each.origin, each.origin_name) if each.origin != ADMINISTRATOR else "",
                "privileged": not privileged.isdisjoint(each.roles),
                "last_sign_in": each.last_sign_in,
                "last_basis": basis(each),
                "live": each.live,
                "ends": each.ends or FOREVER,
                "ends_in": days_left(each.ends, at) if state_of(each, at) == "ending" and each.ends else "",
                "owner": each.owner_name,
            }
            for each in found.rows
        ],
        pager=pager(found, window, wanted),
    )


def _sheet(visit: Visit, wanted: Context) -> Response:
    at, reader = visit.moment, visit.services.reader
    head = ("name", "e-mail", "kind", "state", "roles", "second factor", "last sign-in", "manager", "ends", "origin")
    parts = every(lambda window: reader(people, at, _filter(wanted), window), lambda row: [_line(row, at)])
    return sheet(f"people-{field_time(at).replace(':', '')}.csv", head, parts)


def _line(row: PersonRow, at: Instant) -> tuple[object, ...]:
    return (
        row.name, row.email or "", row.kind.value, STATES[state_of(row, at)], " ".join(row.roles),
        words(second_factor(row)[1]), iso(row.last_sign_in) if row.last_sign_in else "", row.manager_name,
        iso(row.ends) if row.ends else "", origin_words(row.origin, row.origin_name),
    )  # fmt: skip


PLACES = (
    Place("GET", "/people", SEES_ALL, people_page, Shown("People", "users", "Access")),
    Place("POST", "/people", ADMINISTERS, add),
    Place("GET", "/people/{person}", MEMBER, person_page),
    *person_change.PLACES,
    Place("POST", "/people/{person}/enrol-link", ADMINISTERS, enrol_link),
    Place("POST", "/people/{person}/disable", ADMINISTERS, disable),
    Place("POST", "/people/{person}/enable", ADMINISTERS, enable),
    Place("POST", "/people/{person}/erase", ADMINISTERS, erase),
)
