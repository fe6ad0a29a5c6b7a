"""Asking for access: what may be asked for, what exactly is asked, and taking it back.

Only what a held role gives *on request* can be asked for. What lies outside the person's catalogue is "unknown",
whether it exists or not.
"""

from dataclasses import dataclass

from onepam.domain.access.authority import Actor, ActorFacts, HeldRole, present
from onepam.domain.access.decision import ResourceFacts
from onepam.domain.access.guardrails import width
from onepam.domain.access.model import Mode, Permission, Substance
from onepam.domain.access.proposal import REQUEST, lapses
from onepam.domain.access.separation import Separation, kept_apart
from onepam.domain.history.commit import Decided
from onepam.domain.requests.events import (
    ApprovalRefused,
    RequestMade,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.kernel import limits
from onepam.kernel.clock import FOREVER, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

SHORTEST = 5 * MINUTE
"""Nobody is asked for less (microseconds)."""

MAX_OPEN_REQUESTS = 20
"""Open requests of one person at a time."""

Offer = tuple[HeldRole, Permission]
"""A held role and the permission of it that may be asked for."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asks for. `duration` is in microseconds; `role` chooses where several would do."""

    request: str
    resource: str
    login: str
    duration: int
    reason: str
    ticket: str = ""
    role: str | None = None


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that waits."""

    request: str
    substance: Substance
    digest: str
    expires: Instant


@dataclass(frozen=True, slots=True)
class AskFacts:
    """The actor, the resource (None where no such exists), the actor's requests that wait, and which roles are kept
    apart."""

    actor: ActorFacts
    resource: ResourceFacts | None
    open: tuple[OpenRequest, ...]
    separations: tuple[Separation, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it now waits: for one of `approvers` (roles), until `expires`."""

    request: str
    substance: Substance
    digest: str
    expires: Instant
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WithdrawFacts:
    """The actor, and the request with its status; None where there is none."""

    actor: ActorFacts
    request: OpenRequest | None
    status: RequestStatus | None


def ask(facts: AskFacts, command: Ask, now: Instant) -> Decided[Asked] | Refused:
    """The request, bound to exactly one role version, permission, resource, login and duration."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    reason = plain_text(command.reason, limits.MAX_TEXT_CHARACTERS, what="reason")
    ticket = plain_text(command.ticket, limits.MAX_NAME_CHARACTERS, what="ticket", required=False)
    for text in (reason, ticket):
        if isinstance(text, Refused):
            return text
    offer = _offer(facts, command, now)
    if isinstance(offer, Refused):
        return offer
    held, permission = offer
    roles = (each.role for each in facts.actor.roles if each.ends is None or each.ends > now)
    if (apart := kept_apart(facts.separations, facts.actor.person, held.role, roles, now)) is not None:
        return apart
    substance = Substance(
        person=facts.actor.person,
        resource=command.resource,
        login=command.login,
        role=held.role,
        role_version=held.version,
        permission=permission.name,
        actions=permission.actions,
        duration=command.duration,
        guardrails=permission.guardrails,
    )
    if (refused := _duration(command.duration, permission) or _room(facts.open, substance.digest(), now)) is not None:
        return refused
    expires = lapses(REQUEST, now, min(held.ends or FOREVER, facts.actor.ends or FOREVER))
    made = RequestMade(command.request, substance, substance.digest(), expires, str(reason), str(ticket))
    return Decided((made,), Asked(made.request, substance, made.digest, expires, permission.approvers))


def withdraw(facts: WithdrawFacts, actor: Actor, request: str, now: Instant) -> Decided[Refused | None] | Refused:
    """The requester takes a waiting request back; nobody else can."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if facts.request is None:
        return unknown_request(request)
    if facts.request.substance.person != actor.person:
        event = ApprovalRefused(request, actor.person, "request.not_yours")
        return Decided((event,), Refused(event.code, "Only the requester can withdraw a request.", "Deny it instead."))
    if facts.status is not RequestStatus.OPEN or facts.request.expires <= now:
        return Refused("request.closed", f"Request {request} no longer waits.")
    return Decided((RequestWithdrawn(request, RequestStatus.WITHDRAWN, "withdrawn", actor.person),), None)


def unknown_request(request: str) -> Refused:
    """The answer for a request that does not exist, or that is not the actor's business."""
    return Refused("request.unknown", f"There is no request {request} that you may see.", "See what waits: /approvals")


def offers(roles: tuple[HeldRole, ...], resource: ResourceFacts, login: str, now: Instant) -> list[Offer]:
    """What the roles in force let one ask for on the resource as `login`, the best first.

    First what covers most actions, then what has the widest guardrails, then by name; of one role held twice, by the
    binding that lasts longest.
    """
    found = [
        (held, permission)
        for held in roles
        if held.ends is None or held.ends > now
        for permission in held.permissions
        if permission.mode is Mode.REQUEST
        and permission.covers(resource.labels)
        and permission.admits(login, resource.logins)
    ]
    found.sort(key=lambda o: (o[0].role, o[1].name, -(o[0].ends or FOREVER), o[0].binding))
    found.sort(key=lambda o: (len(o[1].actions), width(o[1].guardrails)), reverse=True)
    return found


def _offer(facts: AskFacts, command: Ask, now: Instant) -> Offer | Refused:
    resource = facts.resource
    reach = [] if resource is None else _reach(facts.actor.roles, resource, now)
    if resource is None or not reach:
        return Refused("resource.unknown", "There is no such target in your catalogue.", "See what you can reach: /")
    found = offers(facts.actor.roles, resource, command.login, now)
    if found:
        chosen = [offer for offer in found if command.role in (None, offer[0].role)]
        if not chosen:
            names = ", ".join(sorted({held.role for held, _ in found}))
            return Refused(
                "request.role", f"The role {command.role} does not offer this to you.", f"These do: {names}."
            )
        enough = [offer for offer in chosen if offer[1].longest >= command.duration]
        return (enough or chosen)[0]
    if any(permission.admits(command.login, resource.logins) for permission in reach):
        return Refused(
            "request.not_needed", f"You may use {command.login} on {resource.resource} without a request.", "/"
        )
    logins = sorted(
        {each for permission in reach for each in resource.logins if permission.admits(each, resource.logins)}
    )
    return Refused(
        "access.login",
        f"You may not use the login {command.login} on {resource.resource}.",
        f"Logins you may use or request there: {', '.join(logins) or 'none'}.",
    )


def _reach(roles: tuple[HeldRole, ...], resource: ResourceFacts, now: Instant) -> list[Permission]:
    return [
        permission
        for held in roles
        if held.ends is None or held.ends > now
        for permission in held.permissions
        if permission.covers(resource.labels)
    ]


def _duration(duration: int, permission: Permission) -> Refused | None:
    if duration < SHORTEST:
        return Refused("request.too_short", f"Ask for at least {SHORTEST // MINUTE} minutes.")
    if duration > permission.longest:
        hours, minutes = divmod(permission.longest // MINUTE, HOUR // MINUTE)
        most = f"{hours} h {minutes} min" if minutes else f"{hours} h"
        return Refused("request.too_long", f"This may be asked for {most} at the longest.", f"Ask for {most} or less.")
    return None


def _room(waiting: tuple[OpenRequest, ...], digest: str, now: Instant) -> Refused | None:
    live = [each for each in waiting if each.expires > now]
    for each in live:
        if each.digest == digest:
            return Refused("request.duplicate", "You have asked for exactly this already.", f"/requests/{each.request}")
    if len(live) >= MAX_OPEN_REQUESTS:
        return Refused("request.too_many", f"{len(live)} of your requests wait already.", "Withdraw one of them first.")
    return None
