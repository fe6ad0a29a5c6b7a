"""Why: the chain that makes an access possible, each link in words and with the object it points to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.access.asked_words import asking_words, length
from onepam.domain.access.decision import Because, decide
from onepam.domain.access.model import Mode, Permission, permission_of
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.store.db import row
from onepam.store.facts.holdings import access_facts, held_roles, permissions, substance
from onepam.store.read.names import name


@dataclass(frozen=True, slots=True)
class Link:
    """One link. `kind` is role, permission, binding, group, request, ticket, approval or grant.

    `reference` is the object's id (for a permission, its role's), `words` what it says, `by` the person behind it
    and `at` when; both may be missing. Words are None where they were erased.
    """

    kind: str
    reference: str
    words: str | None
    by: str | None = None
    by_name: str = ""
    at: Instant | None = None


def explain(db: Snapshot, at: Instant, because: Because) -> tuple[Link, ...]:
    """The links of a chain as they stood at `at`, in the order of `Link.kind`."""
    links = _by_role(db, at, because)
    if because.request:
        links += _by_request(db, at, because)
    return tuple(links)


def why(db: Snapshot, at: Instant, person: str, resource: str, login: str) -> tuple[Link, ...] | Refused:
    """Why this person could open this login at `at`, or why not: the gateway's own decision."""
    verdict = decide(access_facts(db, person, resource, at), login, at)
    return verdict if isinstance(verdict, Refused) else explain(db, at, verdict.because)


def asked(db: Snapshot, at: Instant, request: str) -> tuple[Link, ...]:
    """The chain of a request: what made it possible to ask and, once decided, by whom. Empty where there is none."""
    found = _newest(db, at, "request", request)
    if found is None:
        return ()
    what = substance(found["substance"])
    grant = row(db, "SELECT * FROM access_grant "
                "WHERE request = :key AND valid_from <= :at AND :status = 'approved' ORDER BY valid_from DESC LIMIT 1",
                {"key": request, "at": at, "status": found["status"]})  # fmt: skip
    held = next((each for each in held_roles(db, what.person, at) if each.role == what.role), None)
    binding = grant["binding"] if grant else held.binding if held else ""
    because = Because(
        role=what.role,
        role_version=what.role_version,
        permission=what.permission,
        binding=binding,
        group=held.group if held and held.binding == binding else "",
        request=request,
        approval_by=found["decider"] or "" if grant else "",
        grant=grant["access_grant"] if grant else "",
    )
    return explain(db, at, because)


def permission_words(permission: Permission) -> str:
    """Such as `shell, exec on env=prod as app, root; on request, 4 h at the longest; administrative`."""
    mode = "standing" if permission.mode is Mode.STANDING else "on request"
    longest = length(permission.longest)
    asking = "".join(f"; {each}" for each in asking_words(permission.asks))
    administrative = "; administrative" if permission.administrative else ""
    return (
        f"{', '.join(permission.actions)} on {selector(permission.where)} as {', '.join(permission.logins)}; "
        f"{mode}, {longest} at the longest{asking}{administrative}"
    )


def selector(where: Mapping[str, str]) -> str:
    """Labels as one writes them: `app=web, env=prod`."""
    return ", ".join(f"{key}={value}" for key, value in sorted(where.items()))


def _by_role(db: Snapshot, at: Instant, because: Because) -> list[Link]:
    role = _newest(db, at, "role", because.role, "AND version = :version", version=because.role_version)
    binding = _newest(db, at, "binding", because.binding)
    permission = permission_of(permissions(role["permissions"]), because.permission) if role else None
    links = [
        Link("role", because.role, role["purpose"] if role else "", at=role["valid_from"] if role else None),
    ]
    if because.permission:
        links.append(
            Link("permission", because.role, permission_words(permission) if permission else because.permission)
        )
    if binding:
        words = f"{binding['because']} ({binding['source']})"
        links.append(Link("binding", because.binding, words, at=binding["starts"]))
    if because.group:
        links.append(Link("group", because.group, f"through the group {because.group}"))
    return links


def _by_request(db: Snapshot, at: Instant, because: Because) -> list[Link]:
    request = _newest(db, at, "request", because.request)
    if request is None:
        return []
    who, approver = request["person"], because.approval_by
    links = [Link("request", because.request, request["reason"], who, name(db, at, who), request["made"])]
    if request["ticket"] != "":
        links.append(Link("ticket", because.request, request["ticket"]))
    if approver:
        under = f"as {request['decided_under']}"
        words = f"{request['comment']} ({under})" if request["comment"] else under
        links.append(Link("approval", because.request, words, approver, name(db, at, approver), request["decided"]))
    elif request["rule"] is not None:
        words = f"by a rule of the role {request['role']}, which asks nobody"
        links.append(Link("approval", because.request, words, at=request["decided"]))
    grant = _newest(db, at, "access_grant", because.grant)
    if grant:
        asked = substance(grant["substance"])
        first = asked.schedule is not None and asked.schedule.until is not None
        lasts = f"{length(asked.duration)} from its first use on" if first else length(grant["ends"] - grant["starts"])
        links.append(Link("grant", because.grant, f"for {lasts}", at=grant["starts"]))
    return links


def _newest(db: Snapshot, at: Instant, table: str, key: str, also: str = "", **values: str) -> Any:
    """The row as it last was by `at`, ended or not."""
    return row(
        db,
        f"SELECT * FROM {table} WHERE {table} = :key AND valid_from <= :at {also} ORDER BY valid_from DESC LIMIT 1",
        {"key": key, "at": at, **values},
    )
