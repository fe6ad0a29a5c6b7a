"""Going on after a real loss: a new log that begins with everything that is left, and names what is not.

The signer never signs a history that denies an earlier one, so a ledger that lost entries cannot be published under its
old name again. The entries that are left stay what they were, and the seam is an entry.
"""

from dataclasses import dataclass

from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event, private
from onepam.domain.host.announcing import (
    DELAY,
    Announcement,
    ContinuationAnnounced,
    Deed,
    Ground,
    HostFacts,
    ground,
    not_due,
)
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

MAX_ORIGIN_CHARACTERS = 255


@event(
    "ledger.continued",
    klass="system",
    control="LOG-03",
    words="The ledger goes on as {origin}, after {before}[: {because}]",
)
@dataclass(frozen=True, slots=True)
class LedgerContinued:
    """From this entry on the log is `origin`. `before` is the log that it continues, whose signed tree had `size`
    entries under `root` (hex); of these the first `kept` are here, and those from `kept` to `size` - 1 are lost.
    Where all are here, it is the signer of that log that is lost."""

    origin: str
    before: str
    size: int
    root: str
    kept: int
    ground: Ground
    announcement: str | None
    node: str
    because: str | None = private()


@dataclass(frozen=True, slots=True)
class Loss:
    """What is to be continued: the new log's name, the old log's, its signed head, and how much of it is left.

    `signer`: what is lost is the old log's signer, its key or its memory."""

    origin: str
    before: str
    size: int
    root: str
    kept: int
    because: str
    signer: bool = False


def continue_after(
    facts: HostFacts, loss: Loss, shown: str, announcement: str, node: str, now: Instant
) -> Decided[Announcement | None] | Refused:
    """With the recovery key (`shown` is its digest) at once; else it is announced (the result), done a day later."""
    if loss.kept >= loss.size and not loss.signer:
        message = f"Nothing is lost: all {loss.size} signed entries are here."
        return Refused("ledger.nothing_lost", message, "Start the gateway; the signer goes on from there.")
    odd = any(c == "+" or c.isspace() or not c.isprintable() for c in loss.origin)
    if loss.origin == loss.before or not 0 < len(loss.origin) <= MAX_ORIGIN_CHARACTERS or odd:
        return Refused("ledger.origin", "The new log needs a name of its own, without spaces and plus signs.", "")
    because = plain_text(loss.because, 500, what="reason")
    if isinstance(because, Refused):
        return because
    found = ground(facts, Deed.CONTINUATION, shown, now)
    if isinstance(found, Refused):
        return found
    if isinstance(found, Announcement):
        return not_due(found)
    if found is None:
        due = Instant(now + DELAY)
        announced = ContinuationAnnounced(announcement, due, node, loss.origin)
        return Decided((announced,), Announcement(announcement, Deed.CONTINUATION, due, loss.origin))
    open_one = facts.announcement(Deed.CONTINUATION, now)
    if found is Ground.DELAY and open_one is not None and open_one.origin != loss.origin:
        return Refused("ledger.origin", f"What was announced is the log {open_one.origin}.", "Name that one.")
    continued = LedgerContinued(
        origin=loss.origin,
        before=loss.before,
        size=loss.size,
        root=loss.root,
        kept=loss.kept,
        ground=found,
        announcement=open_one.announcement if open_one else None,
        node=node,
        because=because,
    )
    return Decided((continued,), None)
