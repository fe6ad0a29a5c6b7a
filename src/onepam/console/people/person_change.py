"""Changing what is known of somebody: name, address, manager or sponsor, last day."""

from starlette.responses import Response

from onepam.app.people.change_person import change_person
from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.period import day_begins, day_text
from onepam.console.frame.places import ADMINISTERS, Place
from onepam.console.frame.rendering import Flash
from onepam.console.frame.visit import Visit
from onepam.domain.people.adding import Attributes, unknown_person
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.store.read import people as rows
from onepam.store.read.everybody import PersonRow
from onepam.store.read.proofs_of_sign_in import account, account_by_email


async def change(visit: Visit) -> Response:
    """Replaces what is known; a field that was not touched keeps its exact value."""
    person, form = visit.path("person"), visit.form
    found = await visit.services.reader(rows.person, None, person)
    if found is None:
        return visit.refusal(unknown_person(person), 404)
    row, here = found.row, f"/people/{person}"
    ends = row.ends if form.get("ends", "") == day_of(row.ends) else last_day(form.get("ends", ""))
    manager = await by_email(visit, form.get("manager", ""), "manager")
    owner = await by_email(visit, form.get("owner", ""), "sponsor" if row.kind is PersonKind.VENDOR else "owner")
    for each in (ends, manager, owner):
        if isinstance(each, Refused):
            return visit.outcome(each, here, "")
    known = Attributes(
        name=form.get("name", ""),
        email=form.get("email", "").strip() or None,
        manager=manager if isinstance(manager, str) else None,
        owner=owner if isinstance(owner, str) and row.kind is not PersonKind.EMPLOYEE else None,
        ends=ends if isinstance(ends, int) else None,
    )
    refused = await change_person(visit.services.ledger, visit.me.actor, person, known)
    if refused is not None:
        return visit.outcome(refused, here, "")
    return visit.go(here, Flash("done", "Changed.", "What was known before stays in the history."))


def form_of(db: Snapshot, at: Instant, row: PersonRow) -> Context:
    """The fields of the form as they are."""

    def email(person: str | None) -> str:
        found = account(db, at, person) if person else None
        return found.email if found else ""

    return {
        "name": row.name,
        "email": row.email or "",
        "manager": email(row.manager),
        "owner": email(row.owner),
        "ends": day_of(row.ends),
    }


def day_of(ends: Instant | None) -> str:
    """The last day in UTC as fields have it; empty for no end."""
    return day_text(Instant(ends - 1)) if ends is not None else ""


def last_day(text: str) -> Instant | Refused | None:
    """The end of the day that was typed, in UTC."""
    if not text.strip():
        return None
    return day_begins(text, 1) or Refused("person.end", "The last day is not a date.", "Write it as 2026-12-31.")


async def by_email(visit: Visit, email: str, what: str) -> str | Refused | None:
    """The enabled person with this address; None where the field is empty."""
    if not email.strip():
        return None
    found = await visit.services.reader(account_by_email, None, email.strip()[:254])
    hint = "Give the e-mail of somebody who is enabled."
    return found.person if found else Refused("person.sponsor", f"Nobody here has the {what}'s e-mail.", hint)


PLACES = (Place("POST", "/people/{person}", ADMINISTERS, change),)
