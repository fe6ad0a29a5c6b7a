"""The role matrix as a picture, and as the auditor's sheet."""

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.responses import Response

from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import SEES_ALL, Place, Shown
from onepam.console.frame.rendering import field_time, plural
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import actions_words, guard_words, how_given
from onepam.console.matrix.difference import READS, views
from onepam.console.matrix.roles_page import RolesPage
from onepam.domain.access.model import Mode
from onepam.kernel.clock import Instant, iso
from onepam.store.read.difference import reviewed_last_of_all
from onepam.store.read.paging import Page, Window
from onepam.store.read.roles import ROLES, SYSTEMS, Cell, MatrixFilter, RoleRow, System, roles
from onepam.store.read.unused import used_where

ACROSS = "system"
"""The word of the address by which the systems page, as `after` does for the roles."""

ACTUAL = "actual"
"""The view of what is held, in the address; the other one is of what is designed."""

Used = Mapping[tuple[str, str], int]
"""By role and resource: how many people used it."""

FEW = 50
"""Roles whose lines are made at once: each has one for each resource that it reaches."""

_HEAD = (
    "as of (UTC)", "access.yaml (SHA-256)", "role", "purpose", "owner", "version", "last review (UTC)",
    "people", "resource", "labels", "permission",
    "actions", "logins", "how", "longest (minutes)", "approvers", "privileged",
)  # fmt: skip


async def roles_page(visit: Visit) -> Response:
    """Some roles by some systems, both narrowed by words, a page at a time."""
    wanted, window, across = _wanted(visit), paged(visit, ROLES), paged(visit, SYSTEMS, ACROSS)
    at, actual = visit.moment, wanted["view"] == ACTUAL
    found = await visit.services.reader(roles, at, _filter(wanted), window, across)
    used = await visit.services.reader(used_where, at) if actual else None
    return visit.page(
        RolesPage(
            filter=wanted,
            labels=list(found.labels),
            columns=[_column(each) for each in found.systems.rows],
            views=views("/roles?view=actual" if actual else "/roles")[: None if visit.me.has(*READS.rights) else 2],
            rows=[_row(each, found.systems.rows, used) for each in found.roles.rows],
            version=found.document,
            since=found.since,
            pager=pager(found.roles, window, {**wanted, ACROSS: across.after}),
            across=pager(found.systems, across, {**wanted, "after": window.after}),
        )
    )


async def export(visit: Visit) -> Response:
    """One line for each permission on each resource, in UTC; of all pages."""
    at, which, reader = visit.moment, _filter(_wanted(visit)), visit.services.reader

    reviewed = await reader(reviewed_last_of_all, at)

    async def some(window: Window) -> Page[Iterator[tuple[Any, ...]]]:
        found = await reader(roles, at, which, Window(window.after, FEW))
        return found.roles.map(
            lambda shown: (_lines(at, found.document, found.systems.rows, each, reviewed) for each in shown)
        )

    parts = every(some, lambda lines: lines)
    return sheet(f"role-matrix-{field_time(at).replace(':', '')}.csv", _HEAD, parts)


def _wanted(visit: Visit) -> dict[str, str]:
    query = visit.request.query_params
    asked = {name: query.get(name, "").strip()[:100] for name in ("q", "where", "by")}
    view = ACTUAL if query.get("view") == ACTUAL else ""
    return {**asked, "by": asked["by"] or MatrixFilter().by, "view": view}


def _filter(wanted: Context) -> MatrixFilter:
    return MatrixFilter(wanted["q"], wanted["where"], wanted["by"])


def _column(system: System) -> Context:
    others = len(system.resources) - 1
    return {
        "id": system.system,
        "name": f"{system.system} +{others}" if others else system.system,
        "labels": dict(system.labels),
        "group": system.group,
    }


def _row(role: RoleRow, systems: tuple[System, ...], used: Used | None) -> Context:
    """Designed, or (with `used`) actual: what somebody holds, with a mark where nobody used it."""
    shown = [each for each in systems if each.system in role.cells and (used is None or role.people)]
    cells = {each.system: _cell(role, each, role.cells[each.system], used) for each in shown}
    return {
        "id": role.role,
        "name": role.role,
        "purpose": role.purpose,
        "owner": role.owner_name,
        "people": role.people,
        "administrative": role.administrative,
        "cells": cells,
    }


def _cell(role: RoleRow, system: System, cells: tuple[Cell, ...], used: Used | None) -> Context:
    """Several permissions of a role on one system are one square; standing shows, because it is more."""
    says = "; ".join(
        f"{actions_words(each.actions)} as {', '.join(each.logins)}, {how_given(each.mode, each.longest)}"
        + (f" ({passes})" if (passes := guard_words(each.guardrails)) else "")
        for each in cells
    )
    others = len(system.resources) - 1
    where = f"{system.system} and {others} alike" if others else system.system
    return {
        "how": "standing" if any(each.mode is Mode.STANDING for each in cells) else "request",
        "administrative": any(each.administrative for each in cells),
        "says": f"{role.role} → {where}: {says}.",
        "drift": _drift(role, system, used),
    }


def _drift(role: RoleRow, system: System, used: Used | None) -> str:
    """That nobody who holds it used it."""
    if used is None or any(used.get((role.role, each)) for each in system.resources):
        return ""
    return f"none of {plural(role.people, 'person', 'people')} used it for 90 days."


def _lines(
    at: Instant, document: str, systems: tuple[System, ...], role: RoleRow, reviewed: Mapping[str, Instant]
) -> Iterator[tuple[Any, ...]]:
    last = iso(reviewed[role.role]) if role.role in reviewed else ""
    mine = (iso(at), document, role.role, role.purpose, role.owner_name, role.version, last, role.people)
    if not role.cells:
        yield *mine, "", "", "", "", "", "", "", "", ""
    for system in systems:
        labels = " ".join(f"{name}={value}" for name, value in sorted(system.labels.items()))
        for each in role.cells.get(system.system, ()):
            for resource in system.resources:
                yield (
                    *mine,
                    resource,
                    labels,
                    each.permission,
                    actions_words(each.actions),
                    " ".join(each.logins),
                    each.mode.value,
                    each.longest // 60_000_000,
                    " ".join(each.approvers),
                    "yes" if each.privileged else "no",
                )


PLACES = (
    Place("GET", "/roles", SEES_ALL, roles_page, Shown("Role matrix", "grid-dots", "Access")),
    Place("GET", "/roles.csv", SEES_ALL, export),
)
