"""What is written down of incidents: that one was opened, what was learned of it, who answers, and its end.

An incident is never deleted and nothing is taken out of it. What people write of it may name anybody: it lies in the
erasable payload, and goes by an erasure as lists and files about many do.
"""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.controls.control import Severity
from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant


class LinkKind(StrEnum):
    """What an incident is linked to. `caused_by` is a person who is known to have brought it about; a `person` had to
    do with it in whatever way. An `entry` is one of the ledger, by its index."""

    PERSON = "person"
    CAUSED_BY = "caused_by"
    RESOURCE = "resource"
    SESSION = "session"
    ENTRY = "entry"
    CONTROL = "control"


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Something that belongs to an incident: `ref` is its id, or its name where that is what it is known by."""

    kind: LinkKind
    ref: str


@event(
    "incident.opened",
    klass="incident",
    control="MON-05",
    words="{by} opened the incident {incident} ({severity}), which {owner} answers for until {due}[: {title}]",
    alarm=True,
)
@dataclass(frozen=True, slots=True)
class IncidentOpened:
    """Something went wrong, began at `began` (None: not known) and was found at `found`. `owner` answers for it, and is
    to have it closed until `due`. `title` says it in a line, `what` in more."""

    incident: str
    severity: Severity
    began: Instant | None
    found: Instant
    owner: str
    due: Instant
    links: tuple[Link, ...]
    by: str
    title: str | None = private()
    what: str | None = private()


@event(
    "incident.noted",
    klass="incident",
    control="MON-05",
    words="{by} noted to the incident {incident} what was so at {at}[: {note}]",
)
@dataclass(frozen=True, slots=True)
class IncidentNoted:
    """Something was learned or done; `at` is when that was, and `links` belong to it from now on, too."""

    incident: str
    at: Instant
    links: tuple[Link, ...]
    by: str
    note: str | None = private()


@event(
    "incident.assigned",
    klass="incident",
    control="MON-05",
    words="{by} said of the incident {incident}: {severity}, {owner} answers for it until {due}[: {because}]",
)
@dataclass(frozen=True, slots=True)
class IncidentAssigned:
    """From now on it weighs `severity`, and `owner` answers for it and is to have it closed until `due`."""

    incident: str
    severity: Severity
    owner: str
    due: Instant
    by: str
    because: str | None = private()


@event(
    "incident.reminded",
    klass="incident",
    control="MON-05",
    words="{person} was told that the incident {incident} waits for them until {due}",
)
@dataclass(frozen=True, slots=True)
class IncidentReminded:
    """Whoever answers for it was told so, for the `times`-th time since they do; `due` is when it is to be closed."""

    incident: str
    person: str
    due: Instant
    times: int


@event(
    "incident.closed",
    klass="incident",
    control="MON-05",
    words="{by} closed the incident {incident}[: {cause}][; {done}]",
)
@dataclass(frozen=True, slots=True)
class IncidentClosed:
    """It is over: `cause` is why it came about, `done` what was done, `lessons` what is done otherwise from now on."""

    incident: str
    by: str
    cause: str | None = private()
    done: str | None = private()
    lessons: str | None = private()


@event(
    "incident.reopened",
    klass="incident",
    control="MON-05",
    words="{by} opened the incident {incident} again, until {due}[: {because}]",
)
@dataclass(frozen=True, slots=True)
class IncidentReopened:
    """It was not over after all. Who answers for it stays, and is to have it closed until `due`."""

    incident: str
    due: Instant
    by: str
    because: str | None = private()
