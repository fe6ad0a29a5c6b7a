"""What a command on the host may do without the recovery key: it is announced, and done no earlier than a day later.

Until then every administrator sees it and any of them may cancel it. An announcement that nobody carries out lapses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.kernel.clock import DAY, Instant, iso
from onepam.kernel.errors import Refused

DELAY = DAY
LAPSE = 7 * DAY
"""How long after it is due an announcement may still be carried out."""


class Deed(StrEnum):
    """What can be announced."""

    RECOVERY_KEY = "recovery_key"
    CONTINUATION = "continuation"
    ACCESS = "access"


class Ground(StrEnum):
    """On what a deed of the host rests: the recovery key, or a day in which nobody cancelled it."""

    RECOVERY_KEY = "recovery_key"
    DELAY = "delay"


@event(
    "recovery_key.renewal_announced",
    klass="system",
    alarm=True,
    control="CRD-05",
    words="{node} announced another recovery key",
)
@dataclass(frozen=True, slots=True)
class RenewalAnnounced:
    """Somebody on the host, without the recovery key, asked for a new one; it may be made from `due` on."""

    announcement: str
    due: int
    node: str


@event(
    "recovery_key.renewal_cancelled",
    klass="system",
    control="CRD-05",
    words="{by} cancelled the announcement of another recovery key",
)
@dataclass(frozen=True, slots=True)
class RenewalCancelled:
    """An administrator cancelled the announcement: no new recovery key is made on it."""

    announcement: str
    by: str


@event(
    "ledger.continuation_announced",
    klass="system",
    alarm=True,
    control="LOG-03",
    words="{node} announced that the ledger goes on as {origin}",
)
@dataclass(frozen=True, slots=True)
class ContinuationAnnounced:
    """Somebody on the host, without the recovery key, asked to continue the ledger as `origin` after a loss."""

    announcement: str
    due: int
    node: str
    origin: str


@event(
    "ledger.continuation_cancelled",
    klass="system",
    control="LOG-03",
    words="{by} cancelled the announcement that the ledger goes on",
)
@dataclass(frozen=True, slots=True)
class ContinuationCancelled:
    """An administrator cancelled the announcement: the ledger is not continued on it."""

    announcement: str
    by: str


@event(
    "access.recovery_announced",
    klass="system",
    alarm=True,
    control="PRV-02",
    words="{node} announced that {person} gets in as an administrator",
)
@dataclass(frozen=True, slots=True)
class AccessRecoveryAnnounced:
    """Somebody on the host, without the recovery key, asked to make `person` an administrator who enrols anew."""

    announcement: str
    due: int
    node: str
    person: str


@event(
    "access.recovery_cancelled",
    klass="system",
    control="PRV-02",
    words="{by} cancelled the announcement that somebody gets in",
)
@dataclass(frozen=True, slots=True)
class AccessRecoveryCancelled:
    """An administrator cancelled the announcement: nobody gets access on it."""

    announcement: str
    by: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something announced that was neither done nor cancelled. `due` is when it may be done, `origin` its new log,
    `person` who gets access by it."""

    announcement: str
    deed: Deed
    due: Instant
    origin: str = ""
    person: str = ""

    def open(self, now: Instant) -> bool:
        """Whether it may still be carried out, or cancelled."""
        return now < self.due + LAPSE


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The digest of the recovery key as the ledger has it (None before the first), and what is announced.

    `actor` is who cancels; None for a command on the host.
    """

    actor: ActorFacts | None
    digest: str | None
    announced: Mapping[Deed, Announcement]

    def announcement(self, deed: Deed, now: Instant) -> Announcement | None:
        """The open announcement of a deed."""
        found = self.announced.get(deed)
        return found if found is not None and found.open(now) else None


def ground(facts: HostFacts, deed: Deed, shown: str, now: Instant) -> Ground | Announcement | Refused | None:
    """On what the deed may be done now; the announcement that is not due yet; None: it has to be announced.

    `shown` is the digest of the recovery key that was given and fits the file outside the data folder, "" without one.
    It must be the ledger's as well: whoever runs the command says where that file lies.
    """
    if shown and shown != facts.digest:
        message = "The recovery key fits the file outside the data folder, and the ledger knows another one."
        return Refused("recovery_key.disagree", message, "Without the key (--no-with-key) it takes a day.")
    if shown:
        return Ground.RECOVERY_KEY
    found = facts.announcement(deed, now)
    if found is None:
        return None
    return Ground.DELAY if found.due <= now else found


def not_due(found: Announcement) -> Refused:
    """The refusal of a deed that has been announced and is not due."""
    message = f"It was announced, and nobody may carry it out before {iso(found.due)}."
    return Refused("announcement.not_due", message, "Give the recovery key, or run the command again then.")


def cancel(facts: HostFacts, announcement: str, now: Instant) -> Decided[None] | Refused:
    """Any administrator cancels, for everybody."""
    assert facts.actor is not None, "only a person cancels"
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    found = next((each for each in facts.announced.values() if each.announcement == announcement), None)
    if found is None or not found.open(now):
        return Refused("announcement.unknown", "Nothing of that name is announced.", "/ledger")
    return Decided((_CANCELLED[found.deed](announcement, facts.actor.person),), None)


_CANCELLED: Mapping[Deed, Callable[[str, str], object]] = MappingProxyType(
    {
        Deed.RECOVERY_KEY: RenewalCancelled,
        Deed.CONTINUATION: ContinuationCancelled,
        Deed.ACCESS: AccessRecoveryCancelled,
    }
)
