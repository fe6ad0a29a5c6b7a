"""Looking at what was recorded: a share of all sessions, the larger the riskier, each by somebody else than its person.

Whoever is recorded does not foresee what is drawn: it follows from what is known of a session when it is closed, and
from the head of its recording, which is a digest over bytes under a random key. So anybody who has the entries draws
the same ones again. Whoever runs the gateway's host writes that head, and is not bound by this.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from onepam.domain.access.authority import Actor, ActorFacts, present
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event, private
from onepam.kernel import limits
from onepam.kernel.clock import DAY, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

INSPECTORS = (ConsoleRight.AUDIT, ConsoleRight.MONITOR)

WITHIN = 7 * DAY
"""How long after its end a session that was drawn may wait to be inspected (microseconds)."""


class Risk(StrEnum):
    """What makes a session one to look at."""

    ANY = "any"
    PRIVILEGED = "privileged"
    APPROVED = "approved"
    VENDOR = "vendor"
    ODD_HOURS = "odd_hours"
    KILLED = "killed"
    GAP = "gap"
    BAD_RECORDING = "bad_recording"

    @property
    def words(self) -> str:
        """What to show of it."""
        return _WORDS[self]


_WORDS: Final[Mapping[Risk, str]] = MappingProxyType(
    {
        Risk.ANY: "as any session",
        Risk.PRIVILEGED: "privileged",
        Risk.APPROVED: "by an approval",
        Risk.VENDOR: "a vendor's",
        Risk.ODD_HOURS: "at night or at a weekend (UTC)",
        Risk.KILLED: "ended by somebody",
        Risk.GAP: "with a gap in its recording",
        Risk.BAD_RECORDING: "with a recording that is not what was sealed",
    }
)

PERCENT: Final[Mapping[Risk, int]] = MappingProxyType(
    {
        Risk.ANY: 2,
        Risk.PRIVILEGED: 20,
        Risk.APPROVED: 5,
        Risk.VENDOR: 25,
        Risk.ODD_HOURS: 10,
        Risk.KILLED: 100,
        Risk.GAP: 100,
        Risk.BAD_RECORDING: 100,
    }
)
"""◆ Added up, how likely a session is drawn. What was drawn follows from these for ever: never change one."""

MORNING, EVENING = 6, 20
_DRAWS: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Ended:
    """What is known of a session as it is closed; `opened` is when it began."""

    opened: Instant
    privileged: bool
    approved: bool
    vendor: bool
    killed: bool
    gap: bool


def risks(ended: Ended) -> tuple[Risk, ...]:
    """Everything that makes this session one to look at."""
    began = datetime.fromtimestamp(ended.opened // SECOND, UTC)
    odd = began.weekday() >= 5 or not MORNING <= began.hour < EVENING
    so = {
        Risk.PRIVILEGED: ended.privileged,
        Risk.APPROVED: ended.approved,
        Risk.VENDOR: ended.vendor,
        Risk.ODD_HOURS: odd,
        Risk.KILLED: ended.killed,
        Risk.GAP: ended.gap,
    }
    return (Risk.ANY, *(risk for risk, holds in so.items() if holds))


def percent(found: Iterable[Risk]) -> int:
    """How likely a session with these is drawn, of 100."""
    return min(100, sum(PERCENT[each] for each in found))


def is_drawn(session: str, head: str, found: Iterable[Risk]) -> bool:
    """Whether the session is to be inspected. `head` (hex) is the last of its recording, in `session.closed`."""
    number = int.from_bytes(sha256(f"{session} {head}".encode()).digest()[:4], "big")
    return number * 100 < percent(found) * _DRAWS


class Verdict(StrEnum):
    """What somebody says who has looked at a recording."""

    EXPECTED = "as_expected"
    CONCERN = "concern"


@event(
    "recording.inspected",
    klass="recording",
    control="MON-03 LOG-05",
    words="{by} inspected the recording of the session {session} of {person}: {verdict}[ ({note})]",
)
@dataclass(frozen=True, slots=True)
class RecordingInspected:
    """Somebody else than `person`, whose session it was, looked at its recording, and this is what they say of it."""

    session: str
    person: str
    by: str
    verdict: Verdict
    note: str | None = private()


@dataclass(frozen=True, slots=True)
class InspectionFacts:
    """The actor; the session's person and status (None: there is no such session), who may be one hand with that
    person, as the owner of a service account; whether the actor was shown the recording since the session ended, or
    since it was found bad, and what they said of it since then."""

    actor: ActorFacts
    person: str | None
    status: str | None
    hands: frozenset[str]
    seen: bool
    said: Verdict | None


def inspect(
    facts: InspectionFacts, actor: Actor, session: str, verdict: Verdict, note: str, now: Instant
) -> Decided[None] | Refused:
    """Somebody who audits or monitors says what they saw. A concern takes words."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if facts.person is None or not any(facts.actor.roles_with(right) for right in INSPECTORS):
        return Refused("session.unknown", f"There is no session {session} that you may inspect.", "/inspections")
    if actor.person == facts.person or actor.person in facts.hands:
        return Refused("inspection.own", "Nobody inspects what they did themselves.", "Somebody else must.")
    if facts.status == "open":
        return Refused("inspection.runs", "This session has not ended yet.", "End it where you must.")
    if not facts.seen:
        return Refused("inspection.unseen", "You have not looked at it since it ended.", f"/sessions/{session}")
    if facts.said is verdict:
        return Refused("inspection.said", "You have said so already.")
    concern = verdict is Verdict.CONCERN
    words = plain_text(note, limits.MAX_TEXT_CHARACTERS, what="note", required=concern)
    if isinstance(words, Refused):
        return words
    return Decided((RecordingInspected(session, facts.person, actor.person, verdict, words or None),), None)
