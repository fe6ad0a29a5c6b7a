"""Deciding a request: authority as of the decision, over exactly what was asked.

An approval is bound to the digest of the substance. If the substance no longer stands (the role changed, its binding or
the resource is gone, the requester was disabled) the request is void: nobody can approve what nobody asked for.
"""

from dataclasses import dataclass
from typing import Any

from onepam.domain.access.authority import Actor, ActorFacts, HeldRole, authorised, present, shown_within, vouched
from onepam.domain.access.decision import AccessFacts, HeldGrant
from onepam.domain.access.hours import Schedule
from onepam.domain.access.model import ConsoleRight, Mode, Substance, permission_of
from onepam.domain.access.proposal import PRIVILEGED_REQUEST, REQUEST, Rules, same_hand
from onepam.domain.access.separation import Separation, kept_apart
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.requests.asking import OpenRequest, unknown_request
from onepam.domain.requests.delegating import StandIn
from onepam.domain.requests.events import (
    RING,
    UNDO,
    ApprovalRefused,
    ApprovalUndone,
    DelegationUsed,
    GrantEnded,
    GrantStarted,
    RequestAgreed,
    RequestApproved,
    RequestDenied,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.kernel import limits
from onepam.kernel.clock import DAY, FOREVER, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text


@dataclass(frozen=True, slots=True)
class Yes:
    """Somebody agreed to a request. `counts`: they could decide on it now, too. `instead_of`: for whom they did; ""
    where for themselves."""

    person: str
    counts: bool
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """A request as of the decision. `approvers` are the roles that the permission names now, with those that it
    escalates to once it does; empty if it is gone.

    `owner` is the person answerable for the requester, `requester_kind` what the requester is. `grant` is the one that
    it was approved with, while that has not been ended. `agreed` are those who said yes, where it takes several;
    `extended`: the grant that it goes on from was not ended before its time. `ring`: the requester said yes to
    something of the actor's within `RING`, and somebody else could decide; `own_delegate`: they named the actor to
    decide for them.
    """

    open: OpenRequest
    status: RequestStatus
    requester: AccessFacts
    requester_kind: PersonKind
    owner: str | None
    approvers: tuple[str, ...]
    grant: HeldGrant | None = None
    agreed: tuple[Yes, ...] = ()
    extended: bool = True
    ring: bool = False
    own_delegate: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """The one who decides, what is to be decided (None where there is no such request), and which roles are kept
    apart. `claims`: what of `MANAGER` and `OWNER` the one who decides is here; `stand_ins` are those for whom they
    may."""

    actor: ActorFacts
    request: RequestFacts | None
    separations: tuple[Separation, ...] = ()
    claims: frozenset[str] = frozenset()
    stand_ins: tuple[StandIn, ...] = ()


@dataclass(frozen=True, slots=True)
class Approve:
    """Approve exactly `digest`; the grant gets the id `grant`."""

    request: str
    digest: str
    grant: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """Access that begins at `starts`, unless the approval is undone before."""

    grant: str
    request: str
    substance: Substance
    starts: Instant
    ends: Instant


@dataclass(frozen=True, slots=True)
class Agreed:
    """A yes that others must give, too: so many were given, of so many."""

    request: str
    given: int
    needed: int


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """The actor and a grant that has not been ended, with the roles that may approve its like; None: no such grant.
    `extensions` are those that go on from it, `claims` as in `ApprovalFacts`."""

    actor: ActorFacts
    grant: HeldGrant | None
    approvers: tuple[str, ...]
    extensions: tuple[HeldGrant, ...] = ()
    claims: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EndGrant:
    """End a grant before its time."""

    grant: str
    reason: str


def approve(
    facts: ApprovalFacts, actor: Actor, command: Approve, now: Instant
) -> Decided[Granted | Agreed | Refused] | Refused:
    """Approves, with a grant that begins `UNDO` later, or when it was asked for; or agrees, where it takes others, too;
    or voids a request whose substance will not stand then."""
    comment = plain_text(command.comment, limits.MAX_TEXT_CHARACTERS, what="comment", required=False)
    if isinstance(comment, Refused):
        return comment
    authority_of = _may_decide(facts, actor, command.request, now)
    if not isinstance(authority_of, _Under):
        return authority_of
    assert facts.request is not None  # _may_decide refuses without one
    under = authority_of.role
    request = facts.request.open
    rules = _rules(request.substance, facts.request.requester)
    if (refused := shown_within(facts.actor, rules.factor_to_decide, now)) is not None:
        return refused
    if rules is PRIVILEGED_REQUEST and (refused := vouched(facts.actor)) is not None:
        return refused
    if facts.request.ring:
        message = f"They said yes to you within {RING // DAY} days: two do not approve each other's in turn."
        return _refuse(command.request, actor, "request.ring", message, "Somebody else can; you may deny it.")
    if request.digest != command.digest:
        return _refuse(
            command.request, actor, "request.digest", "What you approved is not what is asked.", "Look again."
        )
    schedule = request.substance.schedule or Schedule()
    starts = Instant(max(now + UNDO, schedule.begins or 0))
    held = standing(request.substance, facts.request.requester, starts)
    if isinstance(held, HeldRole):
        held = _apart(facts, request.substance, starts) or held
    if not isinstance(held, Refused) and not facts.request.extended:
        held = _void("grant.ended", "the access that it goes on from was ended")
    if isinstance(held, Refused):
        void = RequestWithdrawn(command.request, RequestStatus.VOID, held.code, actor.person)
        return Decided((void,), held)
    used = authority_of.used(command.request, actor)
    if (further := _further(facts.request, actor, authority_of, held, comment)) is not None:
        return further
    last = schedule.until or Instant((schedule.begins or starts) + request.substance.duration)
    ends = min(last, held.ends or FOREVER, facts.request.requester.ends or FOREVER)
    approved = RequestApproved(command.request, request.digest, actor.person, under, starts, comment)
    started = GrantStarted(
        grant=command.grant,
        request=command.request,
        substance=request.substance,
        binding=held.binding,
        approved_by=actor.person,
        starts=starts,
        ends=ends,
    )
    return Decided((approved, started, *used), Granted(command.grant, command.request, request.substance, starts, ends))


def _further(
    request: RequestFacts, actor: Actor, under: "_Under", held: HeldRole, comment: str
) -> Decided[Granted | Agreed | Refused] | Refused | None:
    """What comes of a yes that is not the last one; None where it is."""
    permission = permission_of(held.permissions, request.open.substance.permission)
    needed = permission.asks.approvals if permission is not None else 1
    mine = {actor.person, under.stand_in.person if under.stand_in is not None else actor.person}
    if any(not mine.isdisjoint((each.person, each.instead_of)) for each in request.agreed):
        message = "You, or somebody for you or for whom you decide, agreed to it already; another must, too."
        return Refused("request.agreed", message, "You may still deny it.")
    given = 1 + sum(each.counts for each in request.agreed)
    if given >= needed:
        return None
    ident = request.open.request
    said = RequestAgreed(ident, request.open.digest, actor.person, under.role, comment)
    return Decided((said, *under.used(ident, actor)), Agreed(ident, given, needed))


def undo(facts: ApprovalFacts, actor: Actor, request: str, now: Instant) -> Decided[Refused | None] | Refused:
    """Takes one's own approval back before it takes effect: the request waits again, and whoever may can decide it."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if facts.request is None:
        return unknown_request(request)
    grant = facts.request.grant
    if grant is not None and grant.approved_by != actor.person:
        return _refuse(request, actor, "request.no_authority", "Only who approved it can undo it.", "End the access.")
    if grant is None or grant.starts <= now:
        return Refused("request.nothing_to_undo", f"No approval of {request} waits to take effect.", "End the access.")
    ended = GrantEnded(grant.grant, request, "undone", actor.person)
    return Decided((ApprovalUndone(request, grant.grant, actor.person), ended), None)


def deny(
    facts: ApprovalFacts, actor: Actor, request: str, comment: str, now: Instant
) -> Decided[Refused | None] | Refused:
    """Says no, with the same authority that a yes needs; whether the substance still stands does not matter."""
    words = plain_text(comment, limits.MAX_TEXT_CHARACTERS, what="comment", required=False)
    if isinstance(words, Refused):
        return words
    under = _may_decide(facts, actor, request, now)
    if not isinstance(under, _Under):
        return under
    return Decided((RequestDenied(request, actor.person, under.role, words), *under.used(request, actor)), None)


def end_grant(facts: GrantFacts, actor: Actor, command: EndGrant, now: Instant) -> Decided[None] | Refused:
    """Its holder, somebody who may approve its like, or an administrator ends a grant that runs.

    Anybody but the holder gives a reason.
    """
    if (refused := present(facts.actor, now)) is not None:
        return refused
    because = _may_end(facts, actor, now)
    grant = facts.grant
    if because is None or grant is None or grant.ends <= now:
        return Refused("grant.unknown", f"There is no running grant {command.grant} that you may end.")
    words = plain_text(
        command.reason, limits.MAX_TEXT_CHARACTERS, what="reason", required=actor.person != grant.substance.person
    )
    if isinstance(words, Refused):
        return words
    ended = (grant, *(each for each in facts.extensions if each.ends > now))
    return Decided(tuple(GrantEnded(each.grant, each.request, because, actor.person, words) for each in ended), None)


def authority(
    roles: tuple[HeldRole, ...], approvers: tuple[str, ...], now: Instant, claims: frozenset[str] = frozenset()
) -> str | None:
    """Of somebody's roles the one that lets them decide: in force, among `approvers`, with that right. Whoever
    is the manager or the owner whom `approvers` name (`claims`) decides by any role of theirs with that right."""
    approves = [
        held.role for held in roles if ConsoleRight.APPROVE in held.console and (held.ends is None or held.ends > now)
    ]
    named = bool(claims.intersection(approvers))
    return next((role for role in approves if named or role in approvers), None)


def standing(substance: Substance, requester: AccessFacts, now: Instant) -> HeldRole | Refused:
    """The binding under which the substance still holds, the one that lasts longest; or why it is void."""
    if not requester.enabled or (requester.ends is not None and requester.ends <= now):
        return _void("person.disabled", "the requester's account is disabled")
    held = [each for each in requester.roles if each.role == substance.role and (each.ends is None or each.ends > now)]
    if not held:
        return _void("binding.ended", f"the requester no longer holds the role {substance.role}")
    longest = max(held, key=lambda each: (each.ends or FOREVER, each.binding))
    if longest.version != substance.role_version:
        return _void("role.changed", f"the role {substance.role} has changed since it was made")
    permission = permission_of(longest.permissions, substance.permission)
    resource = requester.resource
    if (
        resource is None
        or permission is None
        or permission.mode is not Mode.REQUEST
        or not permission.covers(resource.labels)
        or not permission.admits(substance.login, resource.logins)
    ):
        return _void("resource.changed", f"{substance.login} on {substance.resource} is no longer offered by that role")
    return longest


@dataclass(frozen=True, slots=True)
class _Under:
    """The role that gives the authority, and for whom it is used where it is not the actor's."""

    role: str
    stand_in: StandIn | None = None

    def used(self, request: str, actor: Actor) -> tuple[DelegationUsed, ...]:
        """What a decision says of it."""
        by = self.stand_in
        return () if by is None else (DelegationUsed(by.delegation, request, by.person, actor.person, self.role),)


def _authority_of(facts: ApprovalFacts, approvers: tuple[str, ...], now: Instant) -> _Under | None:
    """One's own authority, else that of whoever named one to decide for them, but by no role that is kept apart from
    one of the actor's."""
    own = authority(facts.actor.roles, approvers, now, facts.claims)
    if own is not None:
        return _Under(own)
    for each in facts.stand_ins:
        role = authority(each.roles, approvers, now, each.claims)
        if role is None or each.barred:
            continue
        held = [one.role for one in facts.actor.roles if one.ends is None or one.ends > now]
        if kept_apart(facts.separations, facts.actor.person, role, (role, *held), now) is None:
            return _Under(role, each)
    return None


def _may_decide(facts: ApprovalFacts, actor: Actor, request: str, now: Instant) -> _Under | Decided[Any] | Refused:
    """What gives the authority; a refused attempt is an event."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if facts.request is None:
        return unknown_request(request)
    requester = facts.request.open.substance.person
    if requester == actor.person:
        return _refuse(
            request, actor, "request.self_approval", "Nobody decides their own request.", "Somebody else must."
        )
    service = facts.request.requester_kind is PersonKind.SERVICE
    if service and facts.request.owner == actor.person:
        return _refuse(
            request, actor, "request.own_service", "Nobody decides for a service of their own.", "Somebody else must."
        )
    others = (who for each in facts.request.agreed for who in (each.person, each.instead_of))
    asking = facts.request.owner if service and facts.request.owner else requester
    if facts.actor.in_hand((requester, asking, *others)):
        hand = same_hand("request")
        return _refuse(request, actor, hand.code, hand.message, hand.hint)
    approvers = facts.request.approvers or facts.actor.roles_with(ConsoleRight.APPROVE)
    if facts.request.own_delegate:
        message = "Whoever asks named you to decide for them."
        return _refuse(request, actor, "request.own_delegate", message, "Somebody else must.")
    under = _authority_of(facts, approvers, now)
    if under is None:
        return _refuse(
            request,
            actor,
            "request.no_authority",
            "None of your roles may decide this request.",
            f"These may: {', '.join(facts.request.approvers) or 'none'}.",
        )
    if facts.request.status is not RequestStatus.OPEN:
        return Refused("request.closed", f"Request {request} is {facts.request.status.value} already.")
    if facts.request.open.expires <= now:
        return Refused("request.expired", f"Request {request} was not decided in time.", "It can be made again.")
    return under


def _rules(substance: Substance, requester: AccessFacts) -> Rules:
    """By which a yes is given; what nobody offers any more counts as privileged."""
    offered = [permission_of(each.permissions, substance.permission) for each in requester.roles]
    labels = requester.resource.labels if requester.resource is not None else {}
    ordinary = any(
        each is not None and each.covers(labels) and not each.privileged(labels)
        for role, each in zip(requester.roles, offered, strict=True)
        if role.role == substance.role
    )
    return REQUEST if ordinary else PRIVILEGED_REQUEST


def _may_end(facts: GrantFacts, actor: Actor, now: Instant) -> str | None:
    if facts.grant is None:
        return None
    if facts.grant.substance.person == actor.person:
        return "holder"
    if authority(facts.actor.roles, facts.approvers, now, facts.claims) is not None:
        return "approver"
    return "administrator" if authorised(facts.actor, ConsoleRight.ADMINISTER, now) is None else None


def _refuse(request: str, actor: Actor, code: str, message: str, hint: str) -> Decided[Any]:
    return Decided((ApprovalRefused(request, actor.person, code),), Refused(code, message, hint))


def _apart(facts: ApprovalFacts, substance: Substance, now: Instant) -> Refused | None:
    """That the requester holds what is kept apart from the role that it is asked under."""
    assert facts.request is not None  # there is one to approve
    held = (each.role for each in facts.request.requester.roles if each.ends is None or each.ends > now)
    apart = kept_apart(facts.separations, substance.person, substance.role, held, now)
    return apart and _void(apart.code, f"its role {substance.role} and another of theirs are kept apart")


def _void(code: str, why: str) -> Refused:
    return Refused(code, f"The request is void: {why}.", "It can be made again.")
