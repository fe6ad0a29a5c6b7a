"""Asking for access: what may be asked for, what exactly is asked, and taking it back.

Only what a held role gives *on request* can be asked for. What lies outside the person's catalogue is "unknown",
whether it exists or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

from onepam.domain.access.asked import Asking
from onepam.domain.access.asked_words import length
from onepam.domain.access.authority import Actor, ActorFacts, HeldRole, present
from onepam.domain.access.decision import HeldGrant, ResourceFacts
from onepam.domain.access.guardrails import width
from onepam.domain.access.hours import Hours, Schedule, next_opening, open_until, weekly
from onepam.domain.access.model import Mode, Permission, Substance
from onepam.domain.access.patterns import Patterns
from onepam.domain.access.proposal import REQUEST, lapses
from onepam.domain.access.separation import Separation, kept_apart
from onepam.domain.history.commit import Decided
from onepam.domain.requests.events import (
    UNDO,
    ApprovalRefused,
    GrantStarted,
    RequestMade,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.domain.requests.unasked import Zones, no_zone, preapproved
from onepam.kernel import limits
from onepam.kernel.clock import FOREVER, MINUTE, Instant, utc
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
    """What somebody asks for. `duration` is in microseconds; `role` chooses where several would do.

    `begins`: from then on (None: from the approval on). `hours`: within these only, by the clock of `zone`. `extend`:
    from the end of what runs on. `until`: for so long from its first use on, and at most until then. `grant` is the id
    of what a rule gives at once ("": none does), by the zones' clocks of `zones`.
    """

    request: str
    resource: str
    login: str
    duration: int
    reason: str
    ticket: str = ""
    role: str | None = None
    begins: Instant | None = None
    hours: Hours | None = None
    zone: tzinfo = UTC
    extend: bool = False
    until: Instant | None = None
    grant: str = ""
    zones: Zones = no_zone

    def most(self, permission: Permission) -> int:
        """For how long the permission lets it be asked for."""
        return permission.longest if self.hours is None else permission.asks.weekly


NEVER = Instant(0)


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that waits, since `made`."""

    request: str
    substance: Substance
    digest: str
    expires: Instant
    made: Instant = NEVER


@dataclass(frozen=True, slots=True)
class AskFacts:
    """The actor, the resource (None where no such exists), the actor's requests that wait, which roles are kept apart,
    and the actor's grants for the resource that were not ended. `lately`: how often a rule approved for the actor in
    the last seven days, by role and permission."""

    actor: ActorFacts
    resource: ResourceFacts | None
    open: tuple[OpenRequest, ...]
    separations: tuple[Separation, ...] = ()
    grants: tuple[HeldGrant, ...] = ()
    lately: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it now waits: for `approvals` yeses of `approvers` (roles), until `expires`. `given`: a rule of the
    role approved it at once, so that it waits for nobody."""

    request: str
    substance: Substance
    digest: str
    expires: Instant
    approvers: tuple[str, ...]
    approvals: int = 1
    given: GrantStarted | None = None


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
    if (refused := _duration(command, permission) or _ticket(str(ticket), permission)) is not None:
        return refused
    schedule = _schedule(facts, command, offer, now)
    if isinstance(schedule, Refused):
        return schedule
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
        schedule=schedule,
    )
    refused = _room(facts.open, substance.digest(), now) or _given(facts.grants, substance, now)
    if refused is not None:
        return refused
    begins = None if schedule is None else schedule.begins
    since = now if begins is None else Instant(max(now, begins - REQUEST.lapse))
    last = _last(schedule, command.duration)
    expires = lapses(REQUEST, since, min(held.ends or FOREVER, facts.actor.ends or FOREVER, last))
    made = RequestMade(command.request, substance, substance.digest(), expires, str(reason), str(ticket))
    asked = Asked(made.request, substance, made.digest, expires, permission.approvers, permission.asks.approvals)
    lately = facts.lately.get((held.role, permission.name), 0)
    by_rule = preapproved(made, held, permission, lately, command.grant, command.zones, facts.actor.ends, now)
    if by_rule is None:
        return Decided((made,), asked)
    return Decided((made, *by_rule), replace(asked, given=by_rule[1]))


def _last(schedule: Schedule | None, duration: int) -> Instant:
    """When it is too late to decide on it."""
    if schedule is None or (schedule.begins is None and schedule.until is None):
        return FOREVER
    ends = schedule.until if schedule.until is not None else (schedule.begins or 0) + duration
    return Instant(ends - UNDO)


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
        enough = [offer for offer in chosen if command.most(offer[1]) >= command.duration]
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


def _duration(command: Ask, permission: Permission) -> Refused | None:
    longest = command.most(permission)
    if longest == 0:
        return Refused("request.no_hours", "This is not offered within weekly hours.", "Ask for it for a while.")
    if command.duration < SHORTEST:
        return Refused("request.too_short", f"Ask for at least {SHORTEST // MINUTE} minutes.")
    if command.duration > longest:
        most = length(longest)
        return Refused("request.too_long", f"This may be asked for {most} at the longest.", f"Ask for {most} or less.")
    return None


def _ticket(ticket: str, permission: Permission) -> Refused | None:
    """A number that is there where one is needed, and looks like one; whether there is such a ticket is not asked."""
    asks = permission.asks
    if not ticket:
        hint = f"One that matches {asks.ticket}" if asks.ticket else ""
        return Refused("request.no_ticket", "This is asked for with a ticket only.", hint) if asks.ticketed else None
    if asks.ticket and not Patterns.of((asks.ticket,)).found(ticket):
        return Refused("request.ticket", "No ticket here is called like that.", f"One that matches {asks.ticket}")
    return None


def _schedule(facts: AskFacts, command: Ask, offer: Offer, now: Instant) -> Schedule | Refused | None:
    """When: what is asked for, as the permission offers it."""
    begins, extends, asks = command.begins, "", offer[1].asks
    if command.until is not None:
        return _window(command, asks, now)
    if command.extend:
        running = [
            each
            for each in facts.grants
            if _is_of(each, offer, command.login) and each.starts <= now and not each.awaits_use
        ]
        if not running or begins is not None:
            hint = "Ask for it anew." if begins is None else "It begins when that ends: leave out from when."
            return Refused("request.nothing_to_extend", "Nothing of that runs that would be extended so.", hint)
        last = max(running, key=lambda each: each.ends)
        begins, extends = last.ends, last.grant
    elif begins is not None and begins <= now:
        return Refused(
            "request.past", "It would begin in the past.", "Leave out from when: it begins with the approval."
        )
    elif begins is not None and begins > now + asks.ahead:
        hint = f"At most {length(asks.ahead)} ahead." if asks.ahead else "It begins with the approval."
        return Refused("request.too_far", "That is further ahead than this may be asked for.", hint)
    if command.hours is None:
        return None if begins is None else Schedule(begins, None, extends)
    first = begins or now
    last_end = Instant(first + REQUEST.lapse + command.duration)
    hours = weekly(command.hours, command.zone, now, last_end)
    opens = first if open_until(hours, first) is not None else next_opening(hours, first)
    if opens is None or opens >= first + command.duration:
        return Refused("hours.none", "Within that time these hours never begin.", "Ask for longer, or other hours.")
    return Schedule(begins, hours, extends)


def _window(command: Ask, asks: Asking, now: Instant) -> Schedule | Refused:
    """From its first use on, within a window."""
    begins, until = command.begins, command.until
    assert until is not None  # asked for so
    if not asks.first_use or command.hours is not None or command.extend:
        hint = "Ask for it from a time on, or now." if not asks.first_use else "Leave out weekly hours and extending."
        return Refused("request.no_first_use", "This is not offered from its first use on.", hint)
    if begins is not None and begins <= now:
        return Refused("request.past", "It would begin in the past.", "Leave out from when.")
    if until > now + asks.ahead:
        return Refused(
            "request.too_far", "That is further ahead than this may be asked for.", f"At most {length(asks.ahead)}."
        )
    if (begins or now) + command.duration > until:
        hint = f"It ends {length(command.duration)} or more after it begins."
        return Refused("request.short_window", "The window is shorter than what is asked for.", hint)
    return Schedule(begins, until=until)


def _is_of(grant: HeldGrant, offer: Offer, login: str) -> bool:
    asked = grant.substance
    return (asked.role, asked.permission, asked.login) == (offer[0].role, offer[1].name, login)


def _given(grants: tuple[HeldGrant, ...], substance: Substance, now: Instant) -> Refused | None:
    """Whether some of it is given already: said at once, and what to do instead."""
    schedule = substance.schedule or Schedule()
    begins = schedule.begins or now
    for each in grants:
        had, of = each.substance.schedule or Schedule(), each.substance
        same = (of.role, of.permission, of.login) == (substance.role, substance.permission, substance.login)
        within = had.weekly is None or (schedule.weekly is not None and had.weekly.hours() == schedule.weekly.hours())
        ends = schedule.until or begins + substance.duration
        if same and within and each.ends > begins and each.starts < ends:
            hint = f"To have it longer: onepam request {substance.login}@{substance.resource} --extend"
            return Refused("request.given", f"That is yours until {utc(each.ends)} already.", hint)
    return None


def _room(waiting: tuple[OpenRequest, ...], digest: str, now: Instant) -> Refused | None:
    live = [each for each in waiting if each.expires > now]
    for each in live:
        if each.digest == digest:
            return Refused("request.duplicate", "You have asked for exactly this already.", f"/requests/{each.request}")
    if len(live) >= MAX_OPEN_REQUESTS:
        return Refused("request.too_many", f"{len(live)} of your requests wait already.", "Withdraw one of them first.")
    return None
