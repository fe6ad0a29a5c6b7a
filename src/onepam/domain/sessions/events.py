"""Gateway sessions: opened or refused by one decision, recorded, closed with the proof of what was recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.access.decision import Because
from onepam.domain.access.earlier import Guardrails1, later_guardrails
from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.model import Action, Recording, ResourceKind
from onepam.domain.access.proof import MfaProof
from onepam.domain.history.event import event, private
from onepam.domain.sessions.ends import SessionEnd
from onepam.kernel.clock import Instant


class EntryPoint(StrEnum):
    """By which door and proof somebody came. Each is a row of the table entry point x control."""

    SSH_CERTIFICATE = "ssh_certificate"
    SSH_KEY_CONFIRMED = "ssh_key_confirmed"
    SSH_SERVICE_KEY = "ssh_service_key"
    POSTGRES_TOKEN = "postgres_token"  # noqa: S105 - the name of an entry point, not a secret
    POSTGRES_CERTIFICATE = "postgres_certificate"
    MYSQL_TOKEN = "mysql_token"  # noqa: S105


SPEAKS: Mapping[EntryPoint, ResourceKind] = {
    EntryPoint.SSH_CERTIFICATE: ResourceKind.SSH,
    EntryPoint.SSH_KEY_CONFIRMED: ResourceKind.SSH,
    EntryPoint.SSH_SERVICE_KEY: ResourceKind.SSH,
    EntryPoint.POSTGRES_TOKEN: ResourceKind.POSTGRES,
    EntryPoint.POSTGRES_CERTIFICATE: ResourceKind.POSTGRES,
    EntryPoint.MYSQL_TOKEN: ResourceKind.MYSQL,
}
"""The kind of the resources that an entry point leads to: its door speaks nothing else."""

BY_TOKEN = frozenset({EntryPoint.POSTGRES_TOKEN, EntryPoint.MYSQL_TOKEN})
"""Where a login token is the proof."""

OF_STATEMENTS = frozenset(entry for entry, kind in SPEAKS.items() if kind is not ResourceKind.SSH)
"""Ways in to a session of statements, not of terminals and files."""

MACHINE = "machine"
"""Stands in place of the factors where a service account came in: there was no second factor."""


_OPENED = "{person} opened a session as {login} on {resource}[ from {source}]"


@event("session.opened", klass="session", control="IDN-03 MFA-01 LOG-01", words=_OPENED)
@dataclass(frozen=True, slots=True)
class SessionOpened1:
    """Version 1: of results the rows were bound alone, and each statement waited as long as the product has it."""

    session: str
    person: str
    resource: str
    login: str
    entry: EntryPoint
    actions: tuple[Action, ...]
    ends: Instant
    privileged: bool
    because: Because
    mfa: MfaProof
    node: str
    source: str | None = private()
    client: str | None = private()
    also: tuple[Because, ...] = ()
    recording: Recording = Recording.WHOLE
    guardrails: Guardrails1 | None = None


def _opened(old: SessionOpened1) -> "SessionOpened":
    return SessionOpened(
        old.session, old.person, old.resource, old.login, old.entry, old.actions, old.ends, old.privileged, old.because,
        old.mfa, old.node, old.source, old.client, old.also, old.recording, later_guardrails(old.guardrails),
    )  # fmt: skip


@event("session.opened", klass="session", control="IDN-03 MFA-01 LOG-01", words=_OPENED, version=2, upcast=_opened)
@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The permit's record: dialling may begin. `ends` is the latest end, `node` the gateway process that holds it.

    `also` are the chains of the actions that `because` does not allow; mostly there are none. `recording`: how much of
    commands' output is kept; with `head_tail` the recording is partial by policy. `guardrails`: what of a database's
    statements passes; None of other protocols, and where everything does that the login may do.
    """

    session: str
    person: str
    resource: str
    login: str
    entry: EntryPoint
    actions: tuple[Action, ...]
    ends: Instant
    privileged: bool
    because: Because
    mfa: MfaProof
    node: str
    source: str | None = private()
    client: str | None = private()
    also: tuple[Because, ...] = ()
    recording: Recording = Recording.WHOLE
    guardrails: Guardrails | None = None


@event(
    "session.refused",
    klass="session",
    control="MFA-02 OFF-06",
    words="A session was refused[ to {person}][ on {resource}]: {code}",
)
@dataclass(frozen=True, slots=True)
class SessionRefused:
    """A considered "no" at the door. Unknown names are kept in the payload only."""

    session: str
    person: str | None
    resource: str | None
    entry: EntryPoint
    code: str
    login: str | None = private()
    asked: str | None = private()
    source: str | None = private()


@event("session.failed", klass="session", control="LOG-01", words="The session {session} failed: {code}[; {detail}]")
@dataclass(frozen=True, slots=True)
class SessionFailed:
    """Permitted, but nothing passed: the target could not be reached (down, hanging, refusing, not the pinned one), or
    the gateway could not record it."""

    session: str
    code: SessionEnd
    detail: str | None = private()


@event(
    "session.kill_ordered",
    klass="session",
    control="OFF-04 MON-05",
    words="{by} ordered the end of the session {session}[: {reason}]",
)
@dataclass(frozen=True, slots=True)
class KillOrdered:
    """Somebody ordered the session's end; the gateway that holds it follows the ledger."""

    session: str
    by: str
    reason: str | None = private()


@event("session.closed", klass="session", control="LOG-01 LOG-02", words="The session {session} was closed: {because}")
@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The end, with what makes the recording complete by arithmetic.

    `head` is the recording's final chain head (hex SHA-256), `chunks` its number of sealed chunks, `counts` the number
    of records of each kind and the bytes; `omitted_bytes` among them is what is left out by policy. `gap` names what is
    missing after a crash (None: nothing).

    `last_byte` is the moment after which the gateway sent nothing more, to the client or to the target: both
    connections were closed. None where nobody saw it, because the process died. This entry itself comes later, when the
    recording has been sealed and verified.
    """

    session: str
    because: SessionEnd
    head: str
    chunks: int
    counts: Mapping[str, int]
    verified: bool
    gap: str | None = None
    last_byte: Instant | None = None


@dataclass(frozen=True, slots=True)
class SealedHead:
    """One recording's chain head after its chunk number `chunk` (from 1)."""

    session: str
    chunk: int
    head: str


@event(
    "recording.chunks_sealed",
    klass="recording",
    control="LOG-01 LOG-03",
    words="{node} sealed {count} chunks of recordings",
)
@dataclass(frozen=True, slots=True)
class ChunksSealed:
    """Once a second and process: the heads that moved, and the RFC 6962 root over them. Where more moved than one body
    holds, several entries say so."""

    node: str
    root: str
    count: int
    heads: tuple[SealedHead, ...]


@event(
    "recording.watched",
    klass="recording",
    control="LOG-05 MON-03",
    words="{by} saw the recording of the session {session}: {how}",
)
@dataclass(frozen=True, slots=True)
class RecordingWatched:
    """Somebody watched, played or exported a recording."""

    session: str
    by: str
    how: str


@event(
    "confirmation.asked",
    klass="session",
    control="MFA-01",
    words="{person} has to confirm a session as {login} on {resource}[ from {source}]",
)
@dataclass(frozen=True, slots=True)
class ConfirmationAsked:
    """A registered key waits for its person in the browser: which target and login, until when."""

    confirmation: str
    person: str
    resource: str
    login: str
    expires: Instant
    code_digest: str | None = private()
    source: str | None = private()


@event("confirmation.given", klass="session", control="MFA-01", words="{person} confirmed a session in the browser")
@dataclass(frozen=True, slots=True)
class ConfirmationGiven:
    """The person typed the terminal's code under a fresh factor; it serves one opening."""

    confirmation: str
    person: str
    mfa: MfaProof


@event("confirmation.failed", klass="session", control="MFA-01", words="{by} failed to confirm a session: {code}")
@dataclass(frozen=True, slots=True)
class ConfirmationFailed:
    """A wrong code or a wrong person; the confirmation is void."""

    confirmation: str
    by: str
    code: str


@event("confirmation.used", klass="session", control="MFA-01", words="The confirmation opened the session {session}")
@dataclass(frozen=True, slots=True)
class ConfirmationUsed:
    """The opening it served."""

    confirmation: str
    session: str
