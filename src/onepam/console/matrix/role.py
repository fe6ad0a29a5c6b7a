"""One role: what it gives, who holds it, and giving or taking it."""

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import SEES_ALL, Place
from onepam.console.frame.rendering import words
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import actions_words, guard_words, held_by, how_given
from onepam.console.matrix.role_page import RolePage
from onepam.domain.access.model import ConsoleRight, Permission, SubjectKind
from onepam.domain.access.separation import Separation
from onepam.domain.matrix.matrix import SOURCE
from onepam.kernel.clock import FOREVER, Instant
from onepam.kernel.errors import Refused
from onepam.store.read.paging import Window
from onepam.store.read.role import Bound, role


async def role_page(visit: Visit) -> Response:
    """One role."""
    name, may_give = visit.path("role"), visit.me.has(ConsoleRight.ADMINISTER)
    page = await visit.services.reader(_role, visit.at, name, paged(visit), may_give)
    if page is None:
        return visit.refusal(Refused("role.unknown", "There is no such role.", f"You asked for {name[:60]}."), 404)
    return visit.page(page)


def _role(db: Snapshot, at: Instant, name: str, window: Window, may_give: bool) -> RolePage | None:
    found = role(db, at, name, window)
    if found is None:
        return None
    defined = found.role
    return RolePage(
        role={
            "id": defined.role,
            "purpose": defined.purpose,
            "owner": {"id": defined.owner, "name": found.owner_name},
            "console": [each.value for each in defined.console],
            "version": defined.version(),
            "since": found.since,
            "reviewed": found.reviewed,
            "apart": [_apart(each, name) for each in found.apart],
        },
        permissions=[_permission(each) for each in defined.permissions],
        bound=[_bound(each) for each in found.bound.rows],
        pager=pager(found.bound, window, {}),
        may_give=may_give,
    )


def _apart(separation: Separation, role: str) -> str:
    """From which roles, and why."""
    others = words(each for each in separation.roles if each != role)
    return f"{others}: {separation.because}"


def _permission(permission: Permission) -> Context:
    logins = "every login" if permission.logins == ("*",) else ", ".join(permission.logins)
    return {
        "name": permission.name,
        "says": f"{actions_words(permission.actions)} as {logins}, {how_given(permission.mode, permission.longest)}"
        + (f" ({passes})" if (passes := guard_words(permission.guardrails)) else ""),
        "where": " ".join(f"{key}={value}" for key, value in sorted(permission.where.items())),
        "approvers": list(permission.approvers),
        "administrative": permission.administrative,
    }


def _bound(bound: Bound) -> Context:
    of_person = bound.subject_kind is SubjectKind.PERSON
    way = held_by("" if of_person else bound.subject, bound.source, bound.fillers)
    if bound.withheld:
        way += "; a review withholds it" + ("" if of_person else f" from {bound.withheld} of them")
    return {
        "id": bound.binding,
        "person": {"id": bound.subject, "name": bound.name} if of_person else None,
        "group": "" if of_person else bound.subject,
        "members": bound.members,
        "since": bound.since,
        "ends": bound.ends or FOREVER,
        "because": bound.because,
        "way": way,
        "taken": of_person and bound.source == SOURCE,
    }


PLACES = (Place("GET", "/roles/{role}", SEES_ALL, role_page),)
