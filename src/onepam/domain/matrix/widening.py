"""What of a change of the matrix needs a second person even where nobody gains by it today.

In doubt it widens. A role may be bound, a group filled and a resource trusted by means that no plan sees; so what makes
a definition wider counts by itself: pointing a resource elsewhere as much as adding an action.
"""

from collections.abc import Iterator

from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.asked_words import length, ticket_words, unasked_words
from onepam.domain.access.guardrails import as_wide
from onepam.domain.access.kinds import KINDS
from onepam.domain.access.masking import hides, keeps
from onepam.domain.access.mfa_rule import eased
from onepam.domain.access.model import Mode, Permission, Recording
from onepam.domain.access.review_schedule import laxer
from onepam.domain.access.separation import Separation
from onepam.domain.matrix.matrix import BindingDefinition, Matrix, ResourceDefinition, RoleDefinition

_KEPT = (Recording.HEAD_TAIL, None, Recording.WHOLE)
"""What a permission may say of commands' output, the least first; None is as the session is."""


def widenings(before: Matrix, after: Matrix) -> tuple[str, ...]:
    """One sentence for each part that becomes wider."""
    found: list[str] = []
    for name, role in after.roles.items():
        if (was := before.roles.get(name)) is not None:
            found += (f"role {name}: {what}" for what in wider(was, role))
    for name, resource in after.resources.items():
        if (old := before.resources.get(name)) is not None:
            found += (f"resource {name}: {what}" for what in _resource(old, resource))
    for key, binding in after.bindings.items():
        if (what := _binding(before.bindings.get(key), binding)) is not None:
            found.append(f"binding of {binding.role} to {binding.subject_kind.value} {binding.subject}: {what}")
    for name, separation in before.separations.items():
        found += (f"separation {name}: {what}" for what in _separation(separation, after.separations.get(name)))
    found += (f"reviews: {what}" for what in laxer(before.reviews, after.reviews))
    return tuple(found)


def wider(was: RoleDefinition, role: RoleDefinition) -> Iterator[str]:
    """What of a role is wider than it was."""
    for right in role.console:
        if right not in was.console:
            yield f"gets the console right {right.value}"
    for permission in role.permissions:
        old = was.permission(permission.name)
        if old is None:
            yield f"gets the permission {permission.name}"
        else:
            yield from (f"{permission.name} {what}" for what in _permission(old, permission))


def _permission(was: Permission, now: Permission) -> Iterator[str]:
    if added := [each.value for each in now.actions if each not in was.actions]:
        yield f"allows {', '.join(added)} too"
    if not was.where.items() <= now.where.items() or (not was.where and now.where):  # an empty one selects nothing
        yield "selects other resources"
    if "*" not in was.logins and (logins := sorted(set(now.logins) - set(was.logins))):
        yield f"allows the logins {', '.join(logins)} too"
    if now.longest > was.longest:
        yield "lasts longer"
    if now.mode is Mode.STANDING and was.mode is Mode.REQUEST:
        yield "needs no request any more"
    if now.mode is was.mode and now.approvers != was.approvers:
        yield "is approved by other roles"
    yield from asks_less(was.asks, now.asks) if now.mode is was.mode is Mode.REQUEST else ()
    if was.administrative and not now.administrative:
        yield "is no longer marked administrative"
    if _KEPT.index(now.recording) < _KEPT.index(was.recording):
        yield "keeps less of its commands' output"
    if not as_wide(was.guardrails, now.guardrails):
        yield "has wider guardrails, or none any more"


def asks_less(was: Asking, now: Asking) -> Iterator[str]:
    """What is easier to ask for by the second than by the first."""
    if now.approvals < was.approvals:
        yield f"takes {now.approvals} yes instead of {was.approvals}"
    if now.ahead > was.ahead:
        yield f"may be asked for up to {length(now.ahead)} ahead"
    if now.weekly > was.weekly:
        yield f"may be asked for within weekly hours for up to {length(now.weekly)}"
    if (was.ticketed and not now.ticketed) or (was.ticket and now.ticket != was.ticket):
        yield f"asks otherwise for a ticket: {ticket_words(was)} → {ticket_words(now)}"
    if now.then and (now.escalates, now.then) != (was.escalates, was.then):
        yield f"may be decided by {' or '.join(now.then)}, too, after {length(now.escalates)}"
    if now.first_use and not was.first_use:
        yield "may be asked for from its first use on"
    if now.unasked is not None and not _as_strict(was.unasked, now.unasked):
        yield f"asks nobody for {unasked_words(now.unasked)}"


def _as_strict(was: Unasked | None, now: Unasked) -> bool:
    """Whether a rule lets nothing more through without a yes than the one before it did."""
    if was is None or now.longest > was.longest or now.most > was.most:
        return False
    return was.hours is None or now.hours == was.hours


def _resource(was: ResourceDefinition, now: ResourceDefinition) -> Iterator[str]:
    if (was.kind, was.address, was.port) != (now.kind, now.address, now.port):
        yield "has another address"
    if was.pins != now.pins:
        yield f"has other {KINDS[now.kind].pin}s"
    if was.labels != now.labels:
        yield "has other labels"
    if logins := sorted(set(now.logins) - set(was.logins)):
        yield f"offers the logins {', '.join(logins)} too"
    if variables := sorted(set(now.environment) - set(was.environment)):
        yield f"lets the environment variables {', '.join(variables)} through too"
    if not hides(now.mask, was.mask):
        yield "masks less"
    if not keeps(was.results, now.results):
        yield "has more of its results recorded"
    if now.session_users != was.session_users:
        yield "makes other users for its sessions, or by another account"
    yield from eased(was.mfa, now.mfa)


def _separation(was: Separation, now: Separation | None) -> Iterator[str]:
    """Whom it excuses newly gains by it: that is a difference (see `plan.py`)."""
    if now is None:
        yield "is removed"
    elif left := [each for each in was.roles if each not in now.roles]:
        yield f"no longer keeps {', '.join(left)} apart"


def _binding(was: BindingDefinition | None, now: BindingDefinition) -> str | None:
    if was is None:
        return "is new"
    if was.ends is not None and (now.ends is None or now.ends > was.ends):
        return "ends later"
    return None
