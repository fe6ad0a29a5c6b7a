"""What is unusual about an access, and what is recommended: worked out from what is so, and said with its reasons.

It decides nothing. What is recommended to be removed is kept with a note only, and only what is not unusual in any way
is kept together with others.
"""

from dataclasses import dataclass
from enum import StrEnum

from onepam.kernel.clock import DAY, Instant

UNUSED_FOR = 90 * DAY
"""Without a session by a role for so long it is one to look at (microseconds)."""


class Odd(StrEnum):
    """What makes an access one to look at."""

    SEPARATED = "separated"
    NEVER_USED = "never_used"
    UNUSED = "unused"
    ALONE = "alone"
    DIRECT = "direct"
    PRIVILEGED = "privileged"

    @property
    def words(self) -> str:
        """For whoever decides."""
        return _WORDS[self]


_WORDS = {
    Odd.SEPARATED: "Held together with a role that is kept apart from it",
    Odd.NEVER_USED: "Never used to open a session",
    Odd.UNUSED: f"Not used for {UNUSED_FOR // DAY} days",
    Odd.ALONE: "Nobody else under the same manager holds it",
    Odd.DIRECT: "Given to the person, and not by a group",
    Odd.PRIVILEGED: "Privileged",
}


@dataclass(frozen=True, slots=True)
class Use:
    """What is so of a role that somebody holds: whether it opens sessions (in another system: whether its list says
    when it was used), when it last did, since when it is given,
    and whether they hold another that is kept apart from it."""

    opens: bool = False
    last_used: Instant | None = None
    since: Instant | None = None
    separated: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where an access stands among others: whether it is privileged, whether no group gives it, and whether nobody else
    under the same manager holds it, where there is anybody."""

    privileged: bool
    direct: bool
    alone: bool


def against(use: Use, now: Instant) -> tuple[Odd, ...]:
    """Why it is recommended to remove it; empty where it is to be kept."""
    found = [Odd.SEPARATED] if use.separated else []
    idle = _idle(use, now)
    if idle is Odd.UNUSED or (idle is Odd.NEVER_USED and use.since is not None and now - use.since >= UNUSED_FOR):
        found.append(idle)
    return tuple(found)


def unusual(use: Use, place: Place, now: Instant) -> tuple[Odd, ...]:
    """All that is unusual about it."""
    idle = _idle(use, now)
    holds = {
        Odd.SEPARATED: use.separated,
        Odd.NEVER_USED: idle is Odd.NEVER_USED,
        Odd.UNUSED: idle is Odd.UNUSED,
        Odd.ALONE: place.alone,
        Odd.DIRECT: place.direct,
        Odd.PRIVILEGED: place.privileged,
    }
    return tuple(each for each in Odd if holds[each])


def _idle(use: Use, now: Instant) -> Odd | None:
    if not use.opens:
        return None
    if use.last_used is None:
        return Odd.NEVER_USED
    return Odd.UNUSED if now - use.last_used >= UNUSED_FOR else None
