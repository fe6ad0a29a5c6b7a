"""The recovery key: made and printed once at the founding, for the day on which nothing else opens.

Only its digest is kept: in the ledger's first entries, and in a file outside the data folder. Both are asked, so that
neither a lost or altered database nor another file puts another key in its place; where they disagree it takes a day.
The digest stands openly in the body: it is of 160 random bits, says nothing about them, and must outlive every payload.
"""

from dataclasses import dataclass

from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.domain.host.announcing import (
    DELAY,
    Announcement,
    Deed,
    Ground,
    HostFacts,
    RenewalAnnounced,
    ground,
    not_due,
)
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@event("recovery_key.made", klass="system", control="CRD-05", words="The recovery key was made")
@dataclass(frozen=True, slots=True)
class RecoveryKeyMade:
    """The recovery key of this installation has this `digest` (hex SHA-256). `adopted`: it was made before, for a
    database that is gone."""

    digest: str
    adopted: bool


@event(
    "recovery_key.renewed",
    klass="system",
    control="CRD-05",
    words="There is another recovery key, made on {node}: {ground}",
)
@dataclass(frozen=True, slots=True)
class RecoveryKeyRenewed:
    """There is another recovery key, of this `digest`; the one `before` opens nothing any more. `before` is what the
    file outside the data folder said."""

    digest: str
    before: str
    ground: Ground
    announcement: str | None
    node: str


def make(facts: HostFacts, digest: str, adopted: bool) -> Decided[None] | Refused:
    """The first recovery key. There is one: another takes the old one, or a day."""
    if facts.digest is not None:
        return Refused("recovery_key.made", "There is a recovery key already.", "onepam recovery-key renew")
    return Decided((RecoveryKeyMade(digest, adopted),), None)


@dataclass(frozen=True, slots=True)
class Renewal:
    """A wish for another key: its digest, the digest `outside`, that of the old key where it was `shown` ("" where
    not), and the id of an announcement where one is made."""

    digest: str
    outside: str
    shown: str
    announcement: str
    node: str


def renew(facts: HostFacts, wish: Renewal, now: Instant) -> Decided[Announcement | None] | Refused:
    """With the old key at once; else it is announced (the result), and done by the same command a day later."""
    found = ground(facts, Deed.RECOVERY_KEY, wish.shown, now)
    if isinstance(found, Refused):
        return found
    if isinstance(found, Announcement):
        return not_due(found)
    if found is None:
        due = Instant(now + DELAY)
        announced = RenewalAnnounced(wish.announcement, due, wish.node)
        return Decided((announced,), Announcement(wish.announcement, Deed.RECOVERY_KEY, due))
    open_one = facts.announcement(Deed.RECOVERY_KEY, now)
    name = open_one.announcement if open_one else None
    return Decided((RecoveryKeyRenewed(wish.digest, wish.outside, found, name, wish.node),), None)
