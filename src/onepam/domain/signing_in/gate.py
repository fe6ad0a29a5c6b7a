"""One gate for every try of every factor that can be guessed, on every path: signing in, stepping up, recovering.

The edge verifies (argon2, unsealing, a code) and says what came of it; here, one command after another, the try counts.
So of a hundred tries at once five are judged, and while the account is locked a right answer and a wrong one are the
same. Tries from a device where the person signed in before are counted apart: strangers lock strangers out, and not the
person. A passkey cannot be guessed: its tries are neither counted nor locked.
"""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.signing_in.events import FactorKind, SignInFailed
from onepam.kernel.clock import MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused

FREE_FAILURES = 4
MAX_LOCKOUT = 15 * MINUTE

WRONG = Refused("sign_in.wrong", "That did not match.", "Try again. Sure that it was right? Then wait a minute first.")
"""The one answer to every failure before somebody is known: it says nothing about who exists, nor of a lock."""


LOCKED = "sign_in.locked"
"""The code of a try, right or wrong, that was not judged."""


class Device(StrEnum):
    """Where a try comes from: a browser in which the person has signed in before, or any other."""

    KNOWN = "known"
    STRANGE = "strange"


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed tries since the last success. `tried` says that somebody tried during the lock, and it was recorded."""

    count: int = 0
    locked_until: Instant | None = None
    tried: bool = False

    def locked(self, now: Instant) -> bool:
        """Whether no try is judged now."""
        return self.locked_until is not None and self.locked_until > now


@dataclass(frozen=True, slots=True)
class Tries:
    """What one account has behind it, by device."""

    strange: Failures = Failures()
    known: Failures = Failures()

    def of(self, device: Device) -> Failures:
        """The failures that count for a try from there."""
        return self.known if device is Device.KNOWN else self.strange


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who tries, before anybody is known: the address, and whether the device is."""

    source: str
    device: Device = Device.STRANGE


def locked(tries: Tries, visitor: Visitor, kind: FactorKind, now: Instant) -> bool:
    """Whether a try of this kind of factor is not judged at all."""
    return kind is not FactorKind.PASSKEY and tries.of(visitor.device).locked(now)


def failed(person: str, tries: Tries, visitor: Visitor, kind: FactorKind, now: Instant) -> tuple[SignInFailed, ...]:
    """What is recorded of a wrong try, or of any during a lock (once per lock).

    From the fifth on the account is locked for that kind of device, each time twice as long, up to 15 minutes.
    """
    before = tries.of(visitor.device)
    if kind is FactorKind.PASSKEY or (before.locked(now) and before.tried):
        return ()
    if before.locked(now):
        count, until, code = before.count, before.locked_until, LOCKED
    else:
        count, code = before.count + 1, WRONG.code
        over = count - FREE_FAILURES
        until = Instant(now + min(MAX_LOCKOUT, 15 * SECOND * (1 << min(over, 10)))) if over > 0 else None
    return (SignInFailed(person, kind, code, count, until, device=visitor.device.value, source=visitor.source),)
