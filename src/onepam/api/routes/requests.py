"""What one can reach, asking for more, and deciding what others ask."""

from typing import Annotated, Literal, TypeVar

from fastapi import Query
from pydantic import Field, StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import SIGNED_IN, After, AsOf, Caller, Services, Who, done
from onepam.api.models import (
    Answer,
    Body,
    Chain,
    Digest,
    Done,
    Happened,
    Id,
    MaybeMoment,
    Moment,
    Name,
    Reason,
    Seconds,
    Text,
    told,
)
from onepam.api.routes.route import Route
from onepam.api.services import ApiServices
from onepam.app.requests.approve_request import approve_request, undo_approval
from onepam.app.requests.deny_request import deny_request
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.make_request import When, make_request
from onepam.app.requests.withdraw_request import withdraw_request
from onepam.domain.access.asked_words import asking_words, unasked_words
from onepam.domain.access.model import Action, ConsoleRight
from onepam.domain.requests.asking import unknown_request
from onepam.domain.requests.events import RequestStatus
from onepam.kernel.clock import HOUR, SECOND, Instant, parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read import catalogue as catalogues
from onepam.store.read import requests as rows

T = TypeVar("T")

OVERSEERS = (ConsoleRight.AUDIT, ConsoleRight.ADMINISTER)
"""Who sees everybody's requests."""

MOST_SECONDS = 366 * 24 * HOUR // SECOND


class Open(Answer):
    """A login that opens now; `until` is null as long as the role is held."""

    resource: str
    kind: str
    labels: dict[str, str]
    login: str
    actions: list[Action]
    until: MaybeMoment
    privileged: bool
    because: Chain


class Offer(Answer):
    """A login that may be asked for; `pending` is one's request that waits. It takes so many `approvals`; `ticket` is
    the pattern of a ticket's number; it may begin so far ahead, and be asked for within weekly hours for so long;
    `first_use`: within a window, from its first use on. `unasked` says what nobody is asked for ("": nothing), and
    `asking_words` all that asking takes."""

    resource: str
    kind: str
    labels: dict[str, str]
    login: str
    role: str
    permission: str
    actions: list[Action]
    longest_seconds: Seconds
    approvers: list[str]
    privileged: bool
    pending: str | None
    approvals: int
    ticket: str
    ticket_required: bool
    ahead_seconds: Seconds
    weekly_seconds: Seconds
    first_use: bool
    unasked: str
    asking_words: list[str]


class Access(Answer):
    """One's catalogue; `beyond` counts what else may be asked for. `host` and `port` are the gateway's."""

    open: list[Open]
    requestable: list[Offer]
    beyond: int
    host: str
    port: int


class RequestOut(Answer):
    """A request as it stands."""

    request: str
    person: str
    person_name: str
    resource: str
    login: str
    role: str
    permission: str
    actions: list[Action]
    duration_seconds: Seconds = Field(validation_alias="duration")
    digest: str
    status: RequestStatus
    made: Moment
    expires: Moment
    reason: str | None
    ticket: str | None
    decided: MaybeMoment
    decider: str | None
    decider_name: str
    effective_at: MaybeMoment
    comment: str | None
    because: str | None
    grant: str | None
    grant_ends: MaybeMoment
    grant_state: str | None
    state_words: str
    schedule_words: str
    rule: str


class Approver(Answer):
    """Somebody who may decide now."""

    person: str
    name: str


class RequestDetail(Answer):
    """A request, who may decide it now, the sessions under it, and every entry about it. It takes so many `approvals`,
    of which those whom `agreed` names gave theirs."""

    request: RequestOut
    approvers: list[Approver]
    approvals: int
    agreed: list[Approver]
    sessions: list[str]
    history: list[Happened]


class Waiting(Answer):
    """A request that one may decide. `asked`, `granted`, `used`: the same before, by the same person."""

    row: RequestOut = Field(serialization_alias="request")
    under: str
    privileged: bool
    asked: int
    granted: int
    used: int
    unusual: list[str]
    approvals: int
    agreed: list[str]


class AskIn(Body):
    """What is asked for. `role` chooses where several would do. `begins`: from then on, and not from the approval on;
    `hours`: within these only, as `Mon-Fri 09:00-17:00 Europe/Berlin`; `extend`: from the end of what runs on; `until`:
    from its first use on, and at most until then."""

    resource: Name
    login: Name
    duration_seconds: Annotated[int, Field(ge=1, le=MOST_SECONDS)]
    reason: Text
    ticket: Text = ""
    role: Name | None = None
    begins: Annotated[str, StringConstraints(max_length=40)] | None = None
    hours: Text = ""
    extend: bool = False
    until: Annotated[str, StringConstraints(max_length=40)] | None = None


class Asked(Answer):
    """A request as it now waits, for so many `approvals` of `approvers` (roles); or what a rule of the role approved at
    once, with its `grant`, which `ends` then."""

    request: str
    digest: str
    expires: Moment
    approvers: list[str]
    approvals: int
    grant: str | None = None
    ends: MaybeMoment = None


class ApproveIn(Body):
    """An approval is bound to the digest of what was shown."""

    digest: Digest
    comment: Text = ""


class CommentIn(Body):
    """Words to the requester."""

    comment: Text = ""


class Approved(Answer):
    """Access that begins at `starts`; until then the approval can be undone. Where it takes the yes of others, too,
    `grant` and its times are null, and so many yeses were `given` of those `needed`."""

    request: str
    grant: str | None = None
    starts: MaybeMoment = None
    ends: MaybeMoment = None
    given: int = 1
    needed: int = 1


async def access(
    caller: Who, services: Services, at: AsOf, search: Annotated[str, Query(max_length=200)] = ""
) -> Access:
    """What I can reach now, and what I may ask for."""
    found = await services.reader(catalogues.catalogue, at, caller.actor.person, search)
    return Access(
        open=[
            Open(
                resource=each.site.resource,
                kind=each.site.kind,
                labels=dict(each.site.labels),
                login=each.login,
                actions=list(each.actions),
                until=each.until,
                privileged=each.privileged,
                because=Chain.model_validate(each.because),
            )
            for each in found.open
        ],
        requestable=[
            Offer(
                resource=each.site.resource,
                kind=each.site.kind,
                labels=dict(each.site.labels),
                login=each.login,
                role=each.role,
                permission=each.permission,
                actions=list(each.actions),
                longest_seconds=each.longest,
                approvers=list(each.approvers),
                privileged=each.privileged,
                pending=each.pending,
                approvals=each.asks.approvals,
                ticket=each.asks.ticket,
                ticket_required=each.asks.ticketed,
                ahead_seconds=each.asks.ahead,
                weekly_seconds=each.asks.weekly,
                first_use=each.asks.first_use,
                unasked=unasked_words(each.asks.unasked) if each.asks.unasked is not None else "",
                asking_words=list(asking_words(each.asks)),
            )
            for each in found.requestable
        ],
        beyond=found.beyond,
        host=services.gateway_name,
        port=services.ssh_port,
    )


async def list_requests(
    caller: Who,
    services: Services,
    at: AsOf,
    whose: Literal["mine", "decided", "all"] = "mine",
    status: RequestStatus | None = None,
) -> list[RequestOut]:
    """My requests; those that I decided; everybody's for administrators and auditors."""
    if whose == "all" and not caller.may(*OVERSEERS):
        raise ApiError(Refused("right.missing", "You see your own requests only.", "onepam requests"))
    mine, decided = (caller.actor.person if whose == each else None for each in ("mine", "decided"))
    found = await services.reader(rows.requests, at, mine, status, decided)
    return [RequestOut.model_validate(each) for each in found]


async def ask(body: AskIn, caller: Who, services: Services) -> Asked:
    """Ask for access."""
    asked = await make_request(
        services.ledger,
        caller.actor,
        new_id("req", services.random),
        body.resource,
        body.login,
        body.duration_seconds * SECOND,
        body.reason,
        body.ticket,
        body.role,
        When(_time(body.begins, "begins"), body.hours, body.extend, _time(body.until, "until")),
        new_id("grt", services.random),
    )
    made = done(asked)
    waits = Asked.model_validate(made)
    return (
        waits if made.given is None else waits.model_copy(update={"grant": made.given.grant, "ends": made.given.ends})
    )


def _time(text: str | None, name: str) -> Instant | None:
    try:
        return None if text is None else parse(text)
    except ValueError:
        refused = Refused(f"input.{name}", f"{name} is not a time with a zone.", "Such as 2026-03-03T14:00:00Z")
        raise ApiError(refused, 400) from None


async def read_request(request: Id, caller: Who, services: Services, at: AsOf) -> RequestDetail:
    """One request: mine, one that I may decide or decided, or any for administrators and auditors."""
    found = await services.reader(rows.request, at, request)
    if found is None or not _visible(found, caller):
        raise ApiError(unknown_request(request))
    return RequestDetail(
        request=RequestOut.model_validate(found.row),
        approvers=[Approver(person=person, name=name) for person, name in found.approvers],
        approvals=found.approvals,
        agreed=[Approver(person=person, name=name) for person, name in found.agreed],
        sessions=list(found.sessions),
        history=await services.reader(told, at, found.history),
    )


async def approve(request: Id, body: ApproveIn, caller: Who, services: Services) -> Approved:
    """Approve exactly this; it takes effect after ten seconds, or when it was asked for, at `starts`."""
    outcome = await approve_request(
        services.ledger, caller.actor, request, body.digest, new_id("grt", services.random), body.comment
    )
    return Approved.model_validate(await _worded(outcome, request, caller, services))


async def undo(request: Id, caller: Who, services: Services) -> Done:
    """Undo my approval before it takes effect; the request waits again."""
    outcome = await undo_approval(services.ledger, caller.actor, request)
    await _worded(outcome, request, caller, services)
    return Done()


async def deny(request: Id, body: CommentIn, caller: Who, services: Services) -> Done:
    """Deny it."""
    outcome = await deny_request(services.ledger, caller.actor, request, body.comment)
    await _worded(outcome, request, caller, services)
    return Done()


async def withdraw(request: Id, caller: Who, services: Services) -> Done:
    """Take my request back."""
    outcome = await withdraw_request(services.ledger, caller.actor, request)
    await _worded(outcome, request, caller, services)
    return Done()


async def end_access(grant: Id, body: Reason, caller: Who, services: Services) -> Done:
    """End a grant before its time: my own, one I may approve, or any for administrators."""
    done(await end_grant(services.ledger, caller.actor, grant, body.reason))
    return Done()


async def inbox(caller: Who, services: Services, at: AsOf, after: After) -> list[Waiting]:
    """The requests that I may decide: the oldest first, 500 at a time."""
    roles = caller.facts.roles_with(ConsoleRight.APPROVE)
    found = await services.reader(rows.inbox, at, caller.actor.person, roles, after)
    return [Waiting.model_validate(each) for each in found]


def _visible(found: rows.RequestDetail, caller: Caller) -> bool:
    me = caller.actor.person
    mine = me in (found.row.person, found.row.decider) or me in (person for person, _ in found.approvers)
    return mine or caller.may(*OVERSEERS)


async def _worded(outcome: T | Refused, request: str, caller: Caller, services: ApiServices) -> T:
    """The outcome; to somebody who may not even see the request, the refusal is that there is none."""
    if isinstance(outcome, Refused) and outcome.code in ("request.no_authority", "request.not_yours"):
        found = await services.reader(rows.request, None, request)
        if found is None or not _visible(found, caller):
            raise ApiError(unknown_request(request))
    return done(outcome)


ROUTES = (
    Route("GET", "/access", SIGNED_IN, access),
    Route("GET", "/requests", SIGNED_IN, list_requests),
    Route("POST", "/requests", SIGNED_IN, ask, 201),
    Route("GET", "/requests/{request}", SIGNED_IN, read_request),
    Route("POST", "/requests/{request}/approve", SIGNED_IN, approve),
    Route("POST", "/requests/{request}/undo", SIGNED_IN, undo),
    Route("POST", "/requests/{request}/deny", SIGNED_IN, deny),
    Route("POST", "/requests/{request}/withdraw", SIGNED_IN, withdraw),
    Route("POST", "/grants/{grant}/end", SIGNED_IN, end_access),
    Route("GET", "/inbox", SIGNED_IN, inbox),
)
