"""Requests, approvals and grants: access that somebody asked for, somebody else allowed, and that ends by itself."""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.access.earlier import Substance1, Substance2
from onepam.domain.access.hours import Weekly
from onepam.domain.access.model import Substance
from onepam.domain.history.event import event, private
from onepam.kernel.clock import DAY, SECOND, Instant

RING = 90 * DAY
"""Whoever said yes to somebody gets none from them for so long (microseconds), where another could decide."""

UNDO = 10 * SECOND
"""An approval takes effect after this (microseconds); until then whoever gave it can undo it."""


class RequestStatus(StrEnum):
    """Where a request stands. `void` = its substance changed or nobody answered in time."""

    OPEN = "open"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    VOID = "void"


_ASKED = "{substance.person} asked to reach {substance.resource} as {substance.login}[: {reason}][, ticket {ticket}]"


@event("request.made", klass="request", control="PRV-01", words=_ASKED)
@dataclass(frozen=True, slots=True)
class RequestMade1:
    """Version 1: everything was asked for from the approval on."""

    request: str
    substance: Substance1
    digest: str
    expires: Instant
    reason: str | None = private()
    ticket: str | None = private()


def _made_2(old: RequestMade1) -> "RequestMade2":
    return RequestMade2(old.request, old.substance.later(), old.digest, old.expires, old.reason, old.ticket)


@event("request.made", klass="request", control="PRV-01", words=_ASKED, version=2, upcast=_made_2)
@dataclass(frozen=True, slots=True)
class RequestMade2:
    """Version 2: nothing was asked for from its first use on."""

    request: str
    substance: Substance2
    digest: str
    expires: Instant
    reason: str | None = private()
    ticket: str | None = private()


def _made(old: RequestMade2) -> "RequestMade":
    return RequestMade(old.request, old.substance.later(), old.digest, old.expires, old.reason, old.ticket)


@event("request.made", klass="request", control="PRV-01", words=_ASKED, version=3, upcast=_made)
@dataclass(frozen=True, slots=True)
class RequestMade:
    """Somebody asks for access. `digest` is of the substance; reason and ticket are the requester's words."""

    request: str
    substance: Substance
    digest: str
    expires: Instant
    reason: str | None = private()
    ticket: str | None = private()


@event(
    "request.agreed",
    klass="request",
    control="PRV-01 PRV-02",
    words="{by} agreed to the request {request}, which takes more than one[: {comment}]",
)
@dataclass(frozen=True, slots=True)
class RequestAgreed:
    """Somebody with authority as of now said yes to exactly `digest`, and others must, too: nothing opens by it.

    `under` is their own role. It counts while they have the authority; whoever gave it may still deny the request.
    """

    request: str
    digest: str
    by: str
    under: str
    comment: str | None = private()


@event(
    "request.approved",
    klass="request",
    control="PRV-01 PRV-02",
    words="{by} approved the request {request}[: {comment}]",
)
@dataclass(frozen=True, slots=True)
class RequestApproved:
    """Somebody with authority as of now allowed exactly `digest`. `under` is the approver's own role.

    It opens nothing before `effective_at`, and can be undone until then.
    """

    request: str
    digest: str
    by: str
    under: str
    effective_at: Instant
    comment: str | None = private()


@event(
    "request.preapproved",
    klass="request",
    control="PRV-01 PRV-02",
    words="A rule of the role {role} approved the request {request} of {person}, use {nth} of it in seven days",
)
@dataclass(frozen=True, slots=True)
class RequestPreapproved:
    """A permission asks nobody for what was asked (`unasked`): exactly `digest` was allowed at once, by no person.

    The rule is that of the role in the version that the request names. `nth`: so many times it has approved for this
    person within seven days, with this. `hours`: those that the rule names, as the zone's table had them then.
    """

    request: str
    person: str
    digest: str
    role: str
    role_version: str
    nth: int
    effective_at: Instant
    hours: Weekly | None


@event(
    "request.approval_refused",
    klass="request",
    control="PRV-01 PRV-02",
    words="{by} was refused to decide on the request {request}: {code}",
)
@dataclass(frozen=True, slots=True)
class ApprovalRefused:
    """Somebody tried to decide what they may not: their own request, another digest, without authority."""

    request: str
    by: str
    code: str


@event(
    "request.approval_undone",
    klass="request",
    control="PRV-01 PRV-02",
    words="{by} undid the approval of the request {request} before it took effect",
)
@dataclass(frozen=True, slots=True)
class ApprovalUndone:
    """Whoever approved it took that back before it took effect: `grant` ends unused, the request waits again."""

    request: str
    grant: str
    by: str


@event("request.denied", klass="request", control="PRV-01", words="{by} denied the request {request}[: {comment}]")
@dataclass(frozen=True, slots=True)
class RequestDenied:
    """Somebody with authority as of now said no."""

    request: str
    by: str
    under: str
    comment: str | None = private()


@event("request.withdrawn", klass="request", control="PRV-01", words="{by} took back the request {request}: {because}")
@dataclass(frozen=True, slots=True)
class RequestWithdrawn:
    """The requester took it back, or it is void (`because` says why)."""

    request: str
    status: RequestStatus
    because: str
    by: str | None


@event(
    "request.rerouted",
    klass="request",
    control="OFF-01 PRV-02",
    words="{person}, who could decide the request {request}, has left[; it waits for {to}]",
)
@dataclass(frozen=True, slots=True)
class RequestRerouted:
    """Somebody who could decide this request has left. `to` are those who still can, at most 50; empty: nobody."""

    request: str
    person: str
    to: tuple[str, ...]
    by: str | None


@event(
    "request.escalated",
    klass="request",
    control="PRV-01",
    words="Nobody decided on the request {request} in the time for it; {to} may decide, too",
)
@dataclass(frozen=True, slots=True)
class RequestEscalated:
    """Nobody decided in the time that the permission says. Holders of the roles `to` decide, too, from that time on,
    whether this is said or not."""

    request: str
    to: tuple[str, ...]


_STARTED = "{substance.person} has access to {substance.resource} as {substance.login} until {ends}"


@event("grant.started", klass="request", control="PRV-01 PRV-04", words=_STARTED)
@dataclass(frozen=True, slots=True)
class GrantStarted1:
    """Version 1: it could be used at every hour."""

    grant: str
    request: str
    substance: Substance1
    binding: str
    approved_by: str
    starts: Instant
    ends: Instant


def _started_2(old: GrantStarted1) -> "GrantStarted2":
    return GrantStarted2(
        old.grant, old.request, old.substance.later(), old.binding, old.approved_by, old.starts, old.ends
    )


@event("grant.started", klass="request", control="PRV-01 PRV-04", words=_STARTED, version=2, upcast=_started_2)
@dataclass(frozen=True, slots=True)
class GrantStarted2:
    """Version 2: it lasted from `starts` on, by somebody's yes."""

    grant: str
    request: str
    substance: Substance2
    binding: str
    approved_by: str
    starts: Instant
    ends: Instant


def _started(old: GrantStarted2) -> "GrantStarted":
    return GrantStarted(
        old.grant, old.request, old.substance.later(), old.binding, old.approved_by, old.starts, old.ends
    )


@event("grant.started", klass="request", control="PRV-01 PRV-04", words=_STARTED, version=3, upcast=_started)
@dataclass(frozen=True, slots=True)
class GrantStarted:
    """Time-bound access from an approved request, from `starts` on, within the hours that were asked for. It does not
    widen when the role does. `approved_by` is "" where no yes was needed."""

    grant: str
    request: str
    substance: Substance
    binding: str
    approved_by: str
    starts: Instant
    ends: Instant


@event(
    "grant.first_used",
    klass="request",
    control="PRV-01 PRV-04",
    words="The access by the request {request} was used for the first time, and lasts until {ends}",
)
@dataclass(frozen=True, slots=True)
class GrantFirstUsed:
    """The first session opened of what lasts from its first use on: it ends at `ends`."""

    grant: str
    request: str
    session: str
    ends: Instant


@event(
    "grant.ended",
    klass="request",
    control="PRV-04 OFF-04",
    words="{by} ended the access by the request {request} early: {because}[; {reason}]",
)
@dataclass(frozen=True, slots=True)
class GrantEnded:
    """Ended before its time, by a person or by a leaver's, role's or resource's end. `because` is a code."""

    grant: str
    request: str
    because: str
    by: str | None
    reason: str | None = private()


@event("grant.expired", klass="request", control="PRV-04", words="The access by the request {request} ended as planned")
@dataclass(frozen=True, slots=True)
class GrantExpired:
    """The receipt of an expiry. The grant gave nothing from `ends` on, receipt or not."""

    grant: str
    request: str
    ends: Instant


@event(
    "delegation.set",
    klass="request",
    control="PRV-01 PRV-02",
    words="{to} decides on requests for {person} from {begins} until {ends}[: {reason}]",
)
@dataclass(frozen=True, slots=True)
class DelegationSet:
    """Somebody who approves named another who does to decide for them, from `begins` until `ends`."""

    delegation: str
    person: str
    to: str
    begins: Instant
    ends: Instant
    reason: str | None = private()


@event("delegation.ended", klass="request", control="PRV-02", words="{by} ended the delegation {delegation}")
@dataclass(frozen=True, slots=True)
class DelegationEnded:
    """Nobody decides by this delegation any more."""

    delegation: str
    by: str


@event(
    "delegation.used",
    klass="request",
    control="PRV-01 PRV-02",
    words="{by} decided on the request {request} for {person}",
)
@dataclass(frozen=True, slots=True)
class DelegationUsed:
    """Beside a decision: `by` had no authority of their own, and decided for `person`, under `under`, a role of
    theirs."""

    delegation: str
    request: str
    person: str
    by: str
    under: str
