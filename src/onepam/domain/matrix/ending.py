"""What rests on the matrix and falls with it: grants it no longer covers, requests it no longer offers, sessions."""

from collections.abc import Iterable, Mapping

from onepam.domain.access.authority import HeldRole
from onepam.domain.access.decision import AccessFacts, HeldGrant, ResourceFacts, decide
from onepam.domain.access.model import Action, Mode, SubjectKind, Substance
from onepam.domain.matrix.matrix import BindingDefinition, Matrix, Someone
from onepam.domain.requests.asking import OpenRequest
from onepam.domain.requests.events import GrantEnded, RequestStatus, RequestWithdrawn
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


def endings(
    before: Matrix,
    after: Matrix,
    grants: Iterable[HeldGrant],
    requests: Iterable[OpenRequest],
    by: str | None,
    now: Instant,
) -> tuple[object, ...]:
    """The events that end every running grant and void every waiting request that `after` does not bear."""
    ended = ((each, _grant_falls(before, after, each, now)) for each in grants if each.ends > now)
    bound: dict[str, list[BindingDefinition]] = {}
    for binding in after.bindings.values():
        bound.setdefault(binding.role, []).append(binding)
    void = ((each.request, _request_falls(before, after, bound, each.substance, now)) for each in requests)
    return (
        *(GrantEnded(grant.grant, grant.request, because, by) for grant, because in ended if because is not None),
        *(
            RequestWithdrawn(request, RequestStatus.VOID, because, by)
            for request, because in void
            if because is not None
        ),
    )


def access_under(
    matrix: Matrix, someone: Someone, resource: str, grants: tuple[HeldGrant, ...], now: Instant
) -> AccessFacts:
    """What the decision would look at if `matrix` were in force."""
    found = matrix.resources.get(resource)
    return AccessFacts(
        person=someone.person,
        enabled=someone.enabled,
        ends=someone.ends,
        resource=None
        if found is None
        else ResourceFacts(
            resource,
            found.kind,
            found.labels,
            found.logins,
            found.pins,
            found.address,
            found.port,
            found.mfa,
            found.environment,
            found.mask,
            found.results,
            found.session_users,
        ),
        roles=tuple(
            HeldRole(
                binding=each.binding,
                group=each.subject if each.subject_kind is SubjectKind.GROUP else "",
                role=each.role,
                version=matrix.roles[each.role].version(),
                permissions=matrix.roles[each.role].permissions,
                console=matrix.roles[each.role].console,
                ends=each.ends,
            )
            for each in matrix.bindings.values()
            if each.in_force(now) and matrix.gives(each, someone.person)
        ),
        grants=grants,
    )


def session_falls(before: Matrix, after: AccessFacts, login: str, actions: tuple[Action, ...], now: Instant) -> bool:
    """Whether an open session would be cut: no access any more, less than it was opened with, or another address."""
    verdict = decide(after, login, now)
    if isinstance(verdict, Refused) or after.resource is None or not set(actions) <= set(verdict.actions):
        return True
    was = before.resources.get(after.resource.resource)
    return was is None or (was.address, was.port) != (after.resource.address, after.resource.port)


def _grant_falls(before: Matrix, matrix: Matrix, grant: HeldGrant, now: Instant) -> str | None:
    """One that has not begun falls like a request: with any change of its role."""
    binding = matrix.bindings.get(grant.binding)
    if binding is None or not _binds(matrix, binding, grant.substance, now):
        return "binding.ended"
    role = grant.substance.role
    if grant.starts > now and before.roles.get(role) != matrix.roles[role]:
        return "role.changed"
    return _falls(matrix, grant.substance)


def _request_falls(
    before: Matrix, after: Matrix, bound: Mapping[str, list[BindingDefinition]], substance: Substance, now: Instant
) -> str | None:
    """An approval is for the role as it was when the request was made, so any change of the role voids it."""
    if not any(_binds(after, binding, substance, now) for binding in bound.get(substance.role, ())):
        return "binding.ended"
    if before.roles.get(substance.role) != after.roles[substance.role]:
        return "role.changed"
    return _falls(after, substance)


def _binds(matrix: Matrix, binding: BindingDefinition, substance: Substance, now: Instant) -> bool:
    """Whether the binding gives the person the role that the substance rests on."""
    return binding.role == substance.role and binding.in_force(now) and matrix.gives(binding, substance.person)


def _falls(matrix: Matrix, substance: Substance) -> str | None:
    """A grant of which a part is gone ends whole: its session was opened with all of it."""
    resource = matrix.resources.get(substance.resource)
    permission = matrix.roles[substance.role].permission(substance.permission)
    if permission is None or permission.mode is not Mode.REQUEST:
        return "role.changed"
    if not set(substance.actions) <= set(permission.actions):
        return "role.changed"
    if resource is None or not permission.covers(resource.labels):
        return "resource.changed"
    return None if permission.admits(substance.login, resource.logins) else "resource.changed"
