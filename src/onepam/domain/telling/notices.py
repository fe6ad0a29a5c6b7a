"""Who is told of what: one row for each kind of event that somebody must hear of without looking.

    kind of event -> audience, one sentence, the page that shows more

A row's `sentence` gives None where this very event is nothing to tell. Names come from the `named` that it is given:
they are plain text on one line. To tell of another kind, add its row; docs/notices.md is made from them.
"""

from dataclasses import dataclass

from onepam.domain.access.locking import LockSet
from onepam.domain.controls.events import ControlReminded
from onepam.domain.history.system import AnchorHandedOut, ClockJumped, LedgerVerified
from onepam.domain.host.announcing import AccessRecoveryAnnounced, ContinuationAnnounced, RenewalAnnounced
from onepam.domain.host.disk import DiskLow
from onepam.domain.host.doors import DoorPressed
from onepam.domain.incidents.events import IncidentOpened, IncidentReminded
from onepam.domain.leaving.brake import (
    DirectoryHeld,
    DirectoryHoldReminded,
    DirectoryLeaverReported,
    DirectoryPersonDecided,
)
from onepam.domain.leaving.erasure_events import ErasureFinished, ErasureProposed
from onepam.domain.policies.events import PolicyReminded
from onepam.domain.providers.keys import ProviderKeysRead
from onepam.domain.providers.refusals import ProviderRefused
from onepam.domain.recovery.recovering import AccessRecovered
from onepam.domain.requests.events import (
    UNDO,
    GrantEnded,
    GrantStarted,
    RequestDenied,
    RequestEscalated,
    RequestMade,
    RequestPreapproved,
    RequestWithdrawn,
)
from onepam.domain.reviews.events import ReviewReminded, RoleWithheld
from onepam.domain.roster.events import RosterHeld, RosterRefused
from onepam.domain.sessions.inspecting import RecordingInspected
from onepam.domain.sessions.recordings import RecordingFoundBad
from onepam.domain.sessions.session_users import SessionUserLeft
from onepam.domain.sessions.waiting_statements import StatementAsked
from onepam.domain.signing_in.events import (
    EnrolmentAnnounced,
    EnrolmentProposed,
    EnrolmentUndecided,
    EnrolmentUsed,
    FactorEnrolled,
    FactorRemoved,
)
from onepam.domain.systems.events import AccountListHeld
from onepam.domain.telling import platform_words as platform
from onepam.domain.telling import words as said
from onepam.domain.telling.audience import ALARM, CONCERNED, WATCHERS, Audience
from onepam.domain.telling.freedom import FIRM, FREE, URGENT
from onepam.domain.telling.outbox import FOLDED, SHORTLY
from onepam.domain.telling.row import Row
from onepam.domain.telling.words import Named

MOST_DECIDERS_TOLD = 50
"""Of those who may decide on a request, by name. All of them see it among what waits for them."""


TABLE: tuple[Row, ...] = (
    Row(LedgerVerified, ALARM, "the history fails its verification", platform.verified, "/ledger"),
    Row(RenewalAnnounced, ALARM, "another recovery key was announced on the host", said.renewal, "/ledger"),
    Row(ContinuationAnnounced, ALARM, "going on after a loss was announced on the host", said.continuation, "/ledger"),
    Row(
        AccessRecoveryAnnounced,
        ALARM | Audience.PERSON,
        "somebody's getting in as an administrator was announced on the host",
        said.recovery,
        "/ledger",
    ),
    Row(
        AccessRecovered,
        ALARM | Audience.PERSON,
        "a command on the host let somebody in as an administrator",
        said.recovered,
        "/people",
    ),
    Row(
        AnchorHandedOut,
        Audience.SECURITY | Audience.SYSTEMS,
        "the signed checkpoint of the day, to keep",
        platform.anchor,
        "/ledger",
        text=lambda event: str(event.note),
    ),
    Row(
        RecordingFoundBad, ALARM, "a finished recording is missing, cut, altered or foreign", platform.bad, "/sessions"
    ),
    Row(
        RecordingInspected,
        WATCHERS,
        "somebody who looked at a recording has a concern",
        platform.concern,
        "/inspections",
    ),
    Row(LockSet, ALARM, "somebody locked a person, a resource or everything", platform.locked, "/ledger"),
    Row(DiskLow, ALARM, "the recordings' disk runs full", platform.disk, "/"),
    Row(DoorPressed, ALARM, "more connections come to a listener than are let in", platform.door, "/ledger"),
    Row(
        SessionUserLeft,
        ALARM,
        "a session's user could not be dropped, or was a definer",
        platform.left,
        "/resources",
        platform.left_at,
    ),
    Row(ClockJumped, ALARM, "the clock stopped all decisions", platform.clock, "/ledger"),
    Row(
        DirectoryHeld,
        ALARM,
        "a directory ended many, or took the last administrator or their group",
        platform.held,
        "/provisioning",
    ),
    Row(
        DirectoryLeaverReported,
        ALARM,
        "a directory says that somebody left whom it does not lead",
        platform.reported,
        "/provisioning",
    ),
    Row(
        DirectoryHoldReminded,
        ALARM,
        "half the time to decide on those is over",
        platform.hold_reminded,
        "/provisioning",
        about=lambda event: str(event.hold),
    ),
    Row(
        DirectoryPersonDecided, ALARM, "a last administrator decided on themselves", platform.own_word, "/provisioning"
    ),
    Row(ErasureProposed, ALARM, "what is known of somebody is to be erased", said.erasure_proposed, "/approvals"),
    Row(ErasureFinished, ALARM, "what was known of somebody was erased", said.erasure_finished, "/people"),
    Row(
        ProviderKeysRead,
        ALARM,
        "an identity provider's certificates changed by themselves",
        platform.keys_read,
        "/providers",
    ),
    Row(
        ProviderRefused,
        ALARM,
        "an identity provider's sign-ins or messages are refused",
        platform.refused,
        "/providers",
        lambda event: f"{event.provider} {event.cause}",
    ),
    Row(
        RequestMade,
        Audience.DECIDERS,
        "somebody asks for access",
        said.asked,
        "/approvals",
        lambda event: str(event.substance.person),
        freedom=FREE,
        about=lambda event: str(event.request),
    ),
    Row(
        RequestEscalated,
        Audience.DECIDERS,
        "nobody decided on what somebody asks, and the person may now, too",
        said.escalated,
        "/approvals",
        freedom=FREE,
        about=lambda event: str(event.request),
    ),
    Row(
        RequestPreapproved,
        Audience.DECIDERS,
        "a rule of a role gave somebody access without asking the person, who may end it",
        said.preapproved,
        "/approvals",
        lambda event: event.person,
        freedom=FREE,
        about=lambda event: str(event.request),
    ),
    Row(
        GrantStarted,
        Audience.REQUESTER,
        "what the person asked for was allowed",
        said.allowed,
        "/requests",
        freedom=FREE,
        about=lambda event: str(event.grant),
        folded=SHORTLY,
        settles=UNDO,
    ),
    Row(
        RequestDenied,
        Audience.REQUESTER,
        "what the person asked for was denied",
        said.denied,
        "/requests",
        freedom=FREE,
        folded=SHORTLY,
    ),
    Row(
        RequestWithdrawn,
        Audience.REQUESTER,
        "what the person asked for came to nothing: nobody decided in time, or it is no more",
        said.void,
        "/requests",
        freedom=FREE,
        folded=SHORTLY,
    ),
    Row(
        GrantEnded,
        Audience.REQUESTER,
        "an access that the person had been allowed was ended before its time",
        said.grant_ended,
        "/requests",
        freedom=FIRM,
        folded=SHORTLY,
    ),
    Row(
        StatementAsked,
        Audience.DECIDERS,
        "a statement in somebody's session at a database waits for a yes",
        said.statement_asked,
        "/approvals",
        lambda event: str(event.by),
        freedom=URGENT,
        about=lambda event: str(event.statement),
    ),
    Row(
        ReviewReminded,
        CONCERNED,
        "accesses of others wait for the person to keep or remove them",
        said.review_waits,
        "/reviews",
        lambda event: event.person,
        freedom=FREE,
        about=lambda event: f"{event.review} {event.stage}",
    ),
    Row(
        RoleWithheld,
        CONCERNED,
        "a review took a role from the person",
        said.role_withheld,
        "/",
        lambda event: event.person,
        freedom=FIRM,
    ),
    Row(
        PolicyReminded,
        CONCERNED,
        "a policy waits for the person to read and confirm it",
        said.policy_waits,
        "/policies",
        lambda event: event.person,
        freedom=FIRM,
        about=lambda event: str(event.policy),
    ),
    Row(
        ControlReminded,
        CONCERNED,
        "a control that the person answers for fails",
        said.control_fails,
        "/controls",
        lambda event: event.person,
        freedom=FIRM,
        about=lambda event: str(event.control),
    ),
    Row(
        IncidentOpened,
        ALARM,
        "an incident of high severity was opened",
        said.incident_opened,
        "/incidents",
    ),
    Row(
        IncidentReminded,
        CONCERNED,
        "an incident that the person answers for is open, or past the day on which it is to be closed",
        said.incident_waits,
        "/incidents",
        lambda event: event.person,
        freedom=FIRM,
        about=lambda event: str(event.incident),
    ),
    Row(RosterHeld, ALARM, "a version of the staff roster is held back", said.roster_held, "/roster"),
    Row(RosterRefused, ALARM, "the staff roster could not be taken", said.roster_refused, "/roster"),
    Row(AccountListHeld, ALARM, "a list of a system's accounts is held back", said.account_list_held, "/systems"),
    Row(
        EnrolmentAnnounced,
        ALARM | Audience.PERSON,
        "nobody else can decide on new factors of the person: they are made two days later, unless cancelled",
        said.announced,
        "/people",
    ),
    Row(
        EnrolmentUndecided,
        ALARM | Audience.PERSON,
        "a link for the person's new factors was made on one person's word",
        said.undecided,
        "/people",
    ),
    Row(
        EnrolmentProposed,
        CONCERNED,
        "all factors of the person are to be set anew by a link",
        said.proposed,
        "/factors",
        lambda event: event.person,
    ),
    Row(
        FactorEnrolled,
        CONCERNED,
        "the person added another factor",
        said.own_factor,
        "/factors",
        lambda event: event.person,
    ),
    Row(
        EnrolmentUsed,
        CONCERNED,
        "all factors of the person were set anew by a link",
        said.enrolled,
        "/factors",
        lambda event: event.person,
    ),
    Row(
        FactorRemoved,
        CONCERNED,
        "a factor of the person was replaced or removed",
        said.removed,
        "/factors",
        lambda event: event.person,
    ),
)


@dataclass(frozen=True, slots=True)
class Telling:
    """What an event has to say, to whom; `person` is the one concerned and `request` what was asked, else empty. `by`
    is whoever did it. The rest is as in its `Row`."""

    audience: Audience
    person: str
    alike: str
    sentence: str
    where: str
    alarm: bool
    text: str
    request: str = ""
    by: str = ""
    about: str = ""
    folded: int = FOLDED
    settles: int = 0


def telling(event: object, named: Named) -> Telling | None:
    """The row of an event, filled in; None where there is nothing to tell."""
    row = _ROWS.get(type(event))
    sentence = row.sentence(event, lambda person: _one_line(named(person))) if row else None
    if row is None or sentence is None:
        return None
    person = str(getattr(event, "person", "")) if Audience.PERSON in row.audience else ""
    request = str(getattr(event, "request", "")) if Audience.REQUESTER in row.audience else ""
    return Telling(
        row.audience,
        person,
        " ".join(filter(None, (row.kind, row.alike(event)))),
        sentence,
        row.where,
        row.alarm,
        row.text(event),
        request,
        str(getattr(event, "by", None) or ""),
        row.about(event),
        row.folded,
        row.settles,
    )


def _one_line(name: str) -> str:
    """A name as it may stand in a sentence, wherever it came from: on one line, without anything invisible."""
    return " ".join("".join(each if each.isprintable() else " " for each in name).split())


_ROWS = {row.record: row for row in TABLE}
