"""How somebody wants to be told by e-mail: at once, in the digest of a working day, or not; and when it is to be quiet.

What they chose is history like all else, so that it can be asked who was told of what, and why somebody was not. What a
kind of notice lets one choose stands in its row (`notices.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from onepam.domain.access.authority import ActorFacts, present
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.domain.telling.freedom import Freedom
from onepam.domain.telling.notices import TABLE
from onepam.domain.telling.outbox import Occurrence
from onepam.kernel.clock import FOREVER, MINUTE, Instant, instant, moment
from onepam.kernel.errors import Refused

DAY_MINUTES = 24 * 60
LONGEST_QUIET_MINUTES = 16 * 60
"""A day has hours in which somebody can be told."""

LOOKED_AGAIN = MINUTE
"""How soon what is held for the digest, or until quiet hours end, is looked at again (microseconds)."""

_FREEDOM = {row.kind: row.freedom for row in TABLE}


@event("notices.chosen", klass="notice", control="MON-04", words="{by} chose how {person} is told by e-mail, and when")
@dataclass(frozen=True, slots=True)
class NoticesChosen:
    """From now on this person is told so; it takes the place of what was chosen before.

    `zone` is a name of the time zone database. Times are minutes since midnight there: the digest comes at `digest_at`
    on `days` (1 is Monday), and from `quiet_from` until `quiet_until` nothing comes that can wait (equal: at no time).
    `in_digest` and `untold` are kinds of notices; whatever is in neither is told at once.
    """

    person: str
    zone: str
    days: tuple[int, ...]
    digest_at: int
    quiet_from: int
    quiet_until: int
    in_digest: tuple[str, ...]
    untold: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody chose, as it held until `until`; the other fields are those of `NoticesChosen`."""

    zone: tzinfo
    days: tuple[int, ...]
    digest_at: int
    quiet_from: int
    quiet_until: int
    in_digest: frozenset[str]
    untold: frozenset[str]
    until: Instant = FOREVER

    def slot(self, now: Instant) -> Instant:
        """When the last digest was due by `now`."""
        today = moment(now).astimezone(self.zone).date()
        for back in range(8):
            day = today - timedelta(days=back)
            at = self._at(day, self.digest_at)
            if day.isoweekday() in self.days and at <= now:
                return at
        return Instant(0)

    def quiet(self, now: Instant) -> bool:
        """Whether quiet hours run."""
        here = moment(now).astimezone(self.zone)
        minute = here.hour * 60 + here.minute
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= minute < self.quiet_until
        return minute >= self.quiet_from or minute < self.quiet_until

    def _at(self, day: date, minute: int) -> Instant:
        """An hour that a change of the clocks leaves out comes an hour later; one that comes twice, the first time."""
        return instant(datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self.zone))


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of what waits for a receiver: told now, in one digest (`slot` is when it was due), or never: by the
    indexes of entries. The rest is held."""

    at_once: frozenset[int]
    digest: frozenset[int]
    slot: Instant
    dropped: frozenset[int]


def planned(waiting: Sequence[Occurrence], over: frozenset[int], chosen: Sequence[Choice], now: Instant) -> Plan:
    """What is told now. `over` is what would tell of nothing any more. `chosen` is what the person chose at any time
    since the oldest of them happened, the newest last: what they did not want to hear at some time since, they are not
    told of later; the rest is told as they want it now."""
    latest = chosen[-1] if chosen and chosen[-1].until > now else None
    quiet = latest is not None and latest.quiet(now)
    slot = latest.slot(now) if latest is not None else Instant(0)
    at_once, digest, dropped = set[int](), set[int](), set(over)
    for each in waiting:
        freedom = _FREEDOM.get(each.kind, Freedom.NONE)
        if each.index in over:
            continue
        if Freedom.OFF in freedom and any(each.kind in one.untold and one.until > each.at for one in chosen):
            dropped.add(each.index)
        elif latest is not None and Freedom.DIGEST in freedom and each.kind in latest.in_digest:
            if each.at < slot:
                digest.add(each.index)
        elif not quiet or Freedom.WAITS not in freedom:
            at_once.add(each.index)
    return Plan(frozenset(at_once), frozenset(digest), slot, frozenset(dropped))


def choose(actor: ActorFacts, chosen: NoticesChosen, now: Instant) -> Decided[None] | Refused:
    """One's own choice. Its zone is known to exist."""
    if (refused := present(actor, now)) is not None:
        return refused
    minutes = (chosen.digest_at, chosen.quiet_from, chosen.quiet_until)
    known = {row.kind for row in TABLE}
    if not all(0 <= each < DAY_MINUTES for each in minutes) or not {*chosen.in_digest, *chosen.untold} <= known:
        return Refused("notices.form", "This is not what can be chosen here.", "Load the page again.")
    if not chosen.days or not set(chosen.days) <= set(range(1, 8)):
        return Refused("notices.days", "The digest needs a day of the week.", "Choose one at least.")
    for kind in chosen.untold:
        if Freedom.OFF not in _FREEDOM[kind]:
            return Refused("notices.firm", "This cannot be turned off: it takes something from you, or warns you.")
    for kind in chosen.in_digest:
        if Freedom.DIGEST not in _FREEDOM[kind]:
            return Refused("notices.urgent", "This does not wait for a digest: it would come too late.")
    length = (chosen.quiet_until - chosen.quiet_from) % DAY_MINUTES
    if length > LONGEST_QUIET_MINUTES:
        hours = LONGEST_QUIET_MINUTES // 60
        return Refused(
            "notices.quiet", f"Quiet hours are {hours} a day at most.", "Take what can wait into the digest."
        )
    if (chosen.digest_at - chosen.quiet_from) % DAY_MINUTES < length:
        return Refused("notices.quiet", "The digest would come in your quiet hours.", "Choose another hour for one.")
    return Decided((chosen,), None)
