"""Signals: what others who watch over our people tell us at once (OpenID Shared Signals Framework 1.0, CAEP 1.0).

A *stream* is one transmitter's way to us; it names people as one of the identity providers here does. A signal never
gives anybody anything: it ends sign-ins, or says that the stream works.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event, private
from onepam.domain.signing_in.events import SignedOut
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

SESSION_REVOKED = "session.revoked"
"""The code under which sign-ins end together with the gateway sessions opened under them."""

CREDENTIAL_CHANGED = "credential.changed"
"""The code under which sign-ins end because a factor was replaced: a fresh proof is needed, running sessions go on."""

MOST_SIGN_INS = 10_000
"""Sign-ins that one signal ends."""

_VOID = frozenset({"revoke", "delete"})
_RENEWED = "update"


class Delivery(StrEnum):
    """How signals come: the transmitter posts them to us (RFC 8935), or we fetch them (RFC 8936)."""

    PUSH = "push"
    POLL = "poll"


class SignalKind(StrEnum):
    """The events that are understood; any other is refused."""

    SESSION_REVOKED = "session-revoked"
    CREDENTIAL_CHANGE = "credential-change"
    VERIFICATION = "verification"
    STREAM_UPDATED = "stream-updated"


@event(
    "signal_stream.proposed", klass="identity", control="CHG-01 OFF-04", words="{by} proposed the signal stream {name}"
)
@dataclass(frozen=True, slots=True)
class SignalStreamProposed:
    """A stream as it shall be, waiting for a second administrator.

    `issuer` is the transmitter's, `audience` what its messages to us are addressed to, `provider` the identity provider
    whose people it names, `endpoint` where we fetch ("" for push), `remote` the
    transmitter's own id of the stream ("" where it is not known). `digest` is the hex SHA-256 of the token that the
    transmitter shows us (push), `secret` the one that we show the transmitter, sealed by the vault.
    """

    change: str
    stream: str
    name: str
    issuer: str
    audience: str
    delivery: Delivery
    provider: str
    endpoint: str
    remote: str
    by: str
    digest: str | None = private()
    secret: str | None = private()


@event(
    "signal_stream.set",
    klass="identity",
    control="CHG-01 OFF-04",
    words="{by} set the signal stream {name}, as {proposed_by} proposed",
)
@dataclass(frozen=True, slots=True)
class SignalStreamSet:
    """The stream as it is from now on: what `change` proposed. `proposed_by` and `by` are two administrators."""

    change: str
    stream: str
    name: str
    issuer: str
    audience: str
    delivery: Delivery
    provider: str
    endpoint: str
    remote: str
    proposed_by: str
    by: str
    digest: str | None = private()
    secret: str | None = private()


@event(
    "signal_stream.rejected",
    klass="identity",
    control="CHG-01",
    words="{by} rejected the proposal of a signal stream: {because}",
)
@dataclass(frozen=True, slots=True)
class SignalStreamRejected:
    """The proposal is void. `because` is the code of what made it so, as denied; `by` is None for time."""

    change: str
    stream: str
    by: str | None
    because: str


@event("signal_stream.removed", klass="identity", control="CHG-01", words="{by} removed a signal stream: {because}")
@dataclass(frozen=True, slots=True)
class SignalStreamRemoved:
    """Nothing that comes by this stream is taken any more."""

    stream: str
    by: str
    because: str


@event(
    "signal.received",
    klass="identity",
    control="OFF-04 MON-05",
    words="A signal came: {signal}[ of {person}]; {ended} sign-ins ended",
)
@dataclass(frozen=True, slots=True)
class SignalReceived:
    """A transmitter's message, taken once: `jti_digest` is the hex SHA-256 of its id.

    `detail` is the kind of change of a credential, or the new status of a stream. `person` is whom it names (None:
    nobody here), `ended` how many sign-ins end by it, `issued` when the transmitter made it. `reason` is in its words.
    """

    stream: str
    jti_digest: str
    signal: SignalKind
    detail: str
    person: str | None
    ended: int
    issued: Instant
    reason: str | None = private()


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as it is, or as it is proposed; the fields are those of `SignalStreamProposed`."""

    change: str
    stream: str
    name: str
    issuer: str
    audience: str
    delivery: Delivery
    provider: str
    endpoint: str
    remote: str
    digest: str | None
    secret: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a signal is about (RFC 9493, SSF section 3): all that it names must fit.

    `names_user` says that it names a person; by a `subject` at the provider, or an `email`; both "" for one that cannot
    be anybody here. `session` is the provider's own id of a session, "" for all of them.
    """

    names_user: bool = False
    subject: str = ""
    email: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """A Security Event Token (RFC 8417) that one of the transmitter's keys signed, for us.

    `state` is what a verification answers ("": the transmitter verified of its own accord).
    """

    kind: SignalKind
    jti: str
    issued: Instant
    subject: Subject
    detail: str = ""
    reason: str = ""
    state: str = ""

    @property
    def digest(self) -> str:
        """By which it is known again."""
        return sha256(self.jti.encode()).hexdigest()

    @property
    def because(self) -> str:
        """The code under which sign-ins end by it; "" where none do."""
        if self.kind is SignalKind.SESSION_REVOKED:
            return SESSION_REVOKED
        if self.kind is not SignalKind.CREDENTIAL_CHANGE:
            return ""
        if self.detail in _VOID:
            return SESSION_REVOKED
        return CREDENTIAL_CHANGED if self.detail == _RENEWED else ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What others are told, because of the entry `index` of `at`: about whom, by the address they had then.

    `detail` and `credential` (CAEP `change_type` and `credential_type`) are "" for a revoked session.
    """

    index: int
    at: Instant
    kind: SignalKind
    email: str
    detail: str = ""
    credential: str = ""


@dataclass(frozen=True, slots=True)
class SignalFacts:
    """Whether the stream is in force as the signal was checked against it; whether it came before; whom it names; and
    (session, person) of the running sign-ins that it may end."""

    in_force: bool
    seen: bool
    person: str | None
    sign_ins: tuple[tuple[str, str], ...]


def receive(facts: SignalFacts, stream: str, signal: Signal) -> Decided[int] | Refused:
    """Takes a signal, once; the result is how many sign-ins ended. Codes: `signal.stream`, `signal.repeated`."""
    if not facts.in_force:
        return Refused("signal.stream", "There is no such stream any more.", "/signals")
    if facts.seen:
        return Refused("signal.repeated", "This signal was taken already.")
    because = signal.because
    ending = facts.sign_ins if because else ()
    received = SignalReceived(
        stream=stream,
        jti_digest=signal.digest,
        signal=signal.kind,
        detail=signal.detail,
        person=facts.person,
        ended=len(ending),
        issued=signal.issued,
        reason=signal.reason or None,
    )
    return Decided((received, *(SignedOut(session, person, because, None) for session, person in ending)), len(ending))
