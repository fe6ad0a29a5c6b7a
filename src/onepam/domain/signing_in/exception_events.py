"""Exceptions from the second factor as events: what somebody proposed, a senior approver accepted, and how it ended."""

from dataclasses import dataclass

from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant


@event(
    "mfa_exception.proposed",
    klass="identity",
    control="MFA-02",
    words="{by} proposed an exception for {person} until {ends}[: {reason}]",
)
@dataclass(frozen=True, slots=True)
class MfaExceptionProposed:
    """Somebody shall sign in through their provider without a proven second factor until `ends`, if the risk is
    accepted. `control` is the compensating control."""

    exception: str
    person: str
    ends: Instant
    by: str
    reason: str | None = private()
    control: str | None = private()


@event(
    "mfa_exception.accepted",
    klass="identity",
    control="MFA-02",
    words="{by} accepted the exception of {person} until {ends}",
)
@dataclass(frozen=True, slots=True)
class MfaExceptionAccepted:
    """A senior approver accepted the risk; `mfa_at` is their own factor. It ends by itself at `ends`."""

    exception: str
    person: str
    ends: Instant
    by: str
    mfa_at: Instant


@event(
    "mfa_exception.ended", klass="identity", control="MFA-02", words="{by} ended the exception of {person}: {because}"
)
@dataclass(frozen=True, slots=True)
class MfaExceptionEnded:
    """The exception, or the proposal of one, is void. `by` is None where time or a directory ended the access of its
    person."""

    exception: str
    person: str
    because: str
    by: str | None
