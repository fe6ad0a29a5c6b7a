"""Who is told of what: one row for each kind of event that somebody must hear of without looking.

    kind of event -> audience, one sentence, the page that shows more

A row's `sentence` gives None where this very event is nothing to tell. Names come from the `named` that it is given:
they are plain text on one line. To tell of another kind, add its row; docs/notices.md is made from them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any

from onepam.domain.history.event import name_of
from onepam.domain.history.system import LAWFUL, AnchorHandedOut, ClockJumped, LedgerVerified
from onepam.domain.host.announcing import AccessRecoveryAnnounced, ContinuationAnnounced, RenewalAnnounced
from onepam.domain.host.disk import DiskLow
from onepam.domain.host.doors import DoorPressed
from onepam.domain.leaving.brake import (
    DirectoryHeld,
    DirectoryHoldReminded,
    DirectoryLeaverReported,
    DirectoryPersonDecided,
    HoldReason,
)
from onepam.domain.leaving.erasure_events import ErasureFinished, ErasureProposed
from onepam.domain.providers.keys import ProviderKeysRead
from onepam.domain.providers.refusals import LEFT_OUT, ProviderRefused
from onepam.domain.recovery.recovering import AccessRecovered
from onepam.domain.requests.events import RequestMade
from onepam.domain.reviews.events import ReviewReminded, RoleWithheld
from onepam.domain.roster.events import RosterHeld, RosterRefused
from onepam.domain.sessions.recordings import Condition, RecordingFoundBad
from onepam.domain.sessions.session_users import LeftBecause, SessionUserLeft
from onepam.domain.sessions.waiting_statements import StatementAsked
from onepam.domain.signing_in.events import (
    EnrolmentAnnounced,
    EnrolmentProposed,
    EnrolmentUndecided,
    EnrolmentUsed,
    FactorEnrolled,
    FactorRemoved,
)
from onepam.domain.telling import words as said
from onepam.domain.telling.words import Named


class Audience(Flag):
    """Who is told. `DECIDERS` are those who may decide on a request, `SECURITY` is the address of the configuration,
    `SYSTEMS` its webhooks and syslog servers."""

    PERSON = auto()
    DECIDERS = auto()
    ADMINISTRATORS = auto()
    SECURITY = auto()
    SYSTEMS = auto()


ALARM = Audience.ADMINISTRATORS | Audience.SECURITY | Audience.SYSTEMS
"""Whoever can do something about it, and whoever watches."""

CONCERNED = Audience.PERSON | Audience.SYSTEMS
"""The person whom it is about."""


MOST_DECIDERS_TOLD = 50
"""Of those who may decide on a request, by name. All of them see it among what waits for them."""


@dataclass(frozen=True, slots=True)
class Row:
    """Of events of this record, `audience` is told `sentence`, with a link to `where`.

    `says` is what docs/notices.md says of the row. Alike are events of one kind with the same `alike`, which has few
    values; those that a person is told of are alike only for the same person.
    """

    record: type
    audience: Audience
    says: str
    sentence: Callable[[Any, Named], str | None]
    where: str
    alike: Callable[[Any], str] = lambda event: ""
    text: Callable[[Any], str] = lambda event: ""

    @property
    def kind(self) -> str:
        """The event's name."""
        return name_of(self.record)

    @property
    def alarm(self) -> bool:
        """Whether something is wrong with the platform or attacked, and somebody must act."""
        return Audience.ADMINISTRATORS in self.audience


def _verified(event: LedgerVerified, named: Named) -> str | None:
    if not event.findings:
        return None
    if event.kind == LAWFUL:
        number = "One entry uses" if len(event.findings) == 1 else f"{len(event.findings)} entries use"
        return (
            f"{number} a right that the history did not give. Nothing was altered, and somebody did what they had no "
            "right to: run “onepam ledger verify” on the host, which names each."
        )
    places = "one place" if len(event.findings) == 1 else f"{len(event.findings)} places"
    return (
        f"The history fails its verification in {places}. Believe no page about the past until this is cleared up; "
        "keep a copy of the data folder as it is now, and run “onepam ledger verify” on the host."
    )


_BAD = {
    Condition.MISSING: "is gone",
    Condition.CUT: "ends before what was sealed",
    Condition.ALTERED: "was altered",
    Condition.FOREIGN: "is another one than was sealed",
    Condition.KEY_MISSING: "has lost its key",
    Condition.KEY_ALTERED: "lies beside a key that is not its own",
    Condition.UNREADABLE: "cannot be read from its disk",
    Condition.UNASKED: "has a statement that ran without the yes that it waited for",
}


def _bad(event: RecordingFoundBad, named: Named) -> str:
    return (
        f"The recording of session {event.session} {_BAD.get(event.condition, event.condition)}. Keep what is there, "
        "and restore it from a backup."
    )


def _disk(event: DiskLow, named: Named) -> str:
    return (
        f"The disk of the recordings of {event.node} has {event.free // 2**20:,} of {event.total // 2**20:,} MiB left "
        f"({event.stage}). Make room before sessions end."
    )


def _left(event: SessionUserLeft, named: Named) -> str:
    gone = event.because is LeftBecause.DEFINES
    what = "is dropped now" if gone else "could not be dropped"
    then = "The gateway's log names them." if gone else "It is tried again; nobody signs in as it."
    return (
        f"The user {event.user}, made at {event.resource} for a session that is over, {what}: "
        f"{event.because.words}. {then}"
    )


def _at(event: SessionUserLeft) -> str:
    return event.resource


def _door(event: DoorPressed, named: Named) -> str:
    return (
        f"A crowd stands at the {event.door} listener of {event.node}: {event.turned_away} connections or requests "
        f"from {event.networks} networks were turned away within {event.seconds} s. Sessions go on, and others still "
        "get in."
    )


def _clock(event: ClockJumped, named: Named) -> str | None:
    if not event.stops:
        return None
    return (
        f"The clock of {event.node} is not believed any more, and nothing is decided until somebody runs “onepam "
        "ledger confirm-clock” on the host."
    )


_TAKEN = {
    HoldReason.LAST_ADMINISTRATOR: "ended the last administrator who can sign in",
    HoldReason.LAST_ADMINISTRATORS_GROUP: "took from the last administrator who can sign in the group that administers",
    HoldReason.MANY: "ended many people within an hour",
}


def _held(event: DirectoryHeld, named: Named) -> str:
    return (
        f"A directory {_TAKEN[event.reason]}. Sessions and rights are gone; the rest waits for an administrator's word."
    )


def _reported(event: DirectoryLeaverReported, named: Named) -> str:
    return (
        f"A directory says that {named(event.person)} has left, and does not lead the account: it was made by hand and "
        "goes on. End it, or say that it stays."
    )


def _reminded(event: DirectoryHoldReminded, named: Named) -> str:
    return f"Half the time is over: {event.waiting} accounts that a directory ended still wait for a word."


def _own_word(event: DirectoryPersonDecided, named: Named) -> str | None:
    if event.by != event.person:
        return None
    return (
        f"{named(event.person)}, the last administrator, whom a directory had ended, decided to stay. "
        "Let somebody else look at it."
    )


def _keys_read(event: ProviderKeysRead, named: Named) -> str:
    return (
        "An identity provider has other signing certificates by now, read at the address that was approved. "
        "If nobody changed its keys there, look at once."
    )


def _refused(event: ProviderRefused, named: Named) -> str | None:
    if event.cause == LEFT_OUT:
        return None
    return (
        f"The identity provider {event.provider} sent {event.count} sign-ins or messages that were refused "
        f"({event.cause}): nobody came in by them. The provider's page says what to do."
    )


def _anchor(event: AnchorHandedOut, named: Named) -> str | None:
    if event.occasion != "day":
        return None
    return (
        f"Checkpoint of the day, of {event.size} entries: keep it where nobody of this installation reaches it. "
        "“onepam ledger verify --checkpoint FILE” holds the history against it."
    )


TABLE: tuple[Row, ...] = (
    Row(LedgerVerified, ALARM, "the history fails its verification", _verified, "/ledger"),
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
        _anchor,
        "/ledger",
        text=lambda event: str(event.note),
    ),
    Row(RecordingFoundBad, ALARM, "a finished recording is missing, cut, altered or foreign", _bad, "/sessions"),
    Row(DiskLow, ALARM, "the recordings' disk runs full", _disk, "/"),
    Row(DoorPressed, ALARM, "more connections come to a listener than are let in", _door, "/ledger"),
    Row(SessionUserLeft, ALARM, "a session's user could not be dropped, or was a definer", _left, "/resources", _at),
    Row(ClockJumped, ALARM, "the clock stopped all decisions", _clock, "/ledger"),
    Row(
        DirectoryHeld,
        ALARM,
        "a directory ended many, or took the last administrator or their group",
        _held,
        "/provisioning",
    ),
    Row(
        DirectoryLeaverReported,
        ALARM,
        "a directory says that somebody left whom it does not lead",
        _reported,
        "/provisioning",
    ),
    Row(DirectoryHoldReminded, ALARM, "half the time to decide on those is over", _reminded, "/provisioning"),
    Row(DirectoryPersonDecided, ALARM, "a last administrator decided on themselves", _own_word, "/provisioning"),
    Row(ErasureProposed, ALARM, "what is known of somebody is to be erased", said.erasure_proposed, "/approvals"),
    Row(ErasureFinished, ALARM, "what was known of somebody was erased", said.erasure_finished, "/people"),
    Row(ProviderKeysRead, ALARM, "an identity provider's certificates changed by themselves", _keys_read, "/providers"),
    Row(
        ProviderRefused,
        ALARM,
        "an identity provider's sign-ins or messages are refused",
        _refused,
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
    ),
    Row(
        StatementAsked,
        Audience.DECIDERS,
        "a statement in somebody's session at a database waits for a yes",
        said.statement_asked,
        "/approvals",
        lambda event: str(event.by),
    ),
    Row(
        ReviewReminded,
        CONCERNED,
        "accesses of others wait for the person to keep or remove them",
        said.review_waits,
        "/reviews",
        lambda event: event.person,
    ),
    Row(
        RoleWithheld,
        CONCERNED,
        "a review took a role from the person",
        said.role_withheld,
        "/",
        lambda event: event.person,
    ),
    Row(RosterHeld, ALARM, "a version of the staff roster is held back", said.roster_held, "/roster"),
    Row(RosterRefused, ALARM, "the staff roster could not be taken", said.roster_refused, "/roster"),
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
    """What an event has to say, to whom; `person` is the one concerned, else empty."""

    audience: Audience
    person: str
    alike: str
    sentence: str
    where: str
    alarm: bool
    text: str


def telling(event: object, named: Named) -> Telling | None:
    """The row of an event, filled in; None where there is nothing to tell."""
    row = _ROWS.get(type(event))
    sentence = row.sentence(event, lambda person: _one_line(named(person))) if row else None
    if row is None or sentence is None:
        return None
    person = str(getattr(event, "person", "")) if Audience.PERSON in row.audience else ""
    alike = " ".join(filter(None, (row.kind, row.alike(event))))
    return Telling(row.audience, person, alike, sentence, row.where, row.alarm, row.text(event))


def _one_line(name: str) -> str:
    """A name as it may stand in a sentence, wherever it came from: on one line, without anything invisible."""
    return " ".join("".join(each if each.isprintable() else " " for each in name).split())


_ROWS = {row.record: row for row in TABLE}
