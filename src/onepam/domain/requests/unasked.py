"""What a permission asks nobody for: a rule of the role says yes at once, and whoever could have decided is told.

The rule stands in the role, so whoever widens it needs a second person, once, for all the times that it approves. It
covers what is asked for now and for a while, and nothing else: no window, no weekly hours, no going on.
"""

from collections.abc import Callable
from datetime import tzinfo

from onepam.domain.access.asked import Unasked
from onepam.domain.access.authority import HeldRole
from onepam.domain.access.hours import Weekly, open_until, weekly
from onepam.domain.access.model import Permission
from onepam.domain.requests.events import GrantStarted, RequestMade, RequestPreapproved
from onepam.kernel.clock import DAY, FOREVER, Instant

WITHIN = 7 * DAY
"""The time within which a rule approves for somebody so many times and no more (microseconds)."""

Zones = Callable[[str], tzinfo | None]
"""The time zone of a name, where there is one."""


def no_zone(name: str) -> tzinfo | None:
    """Where no table of zones is at hand."""
    return None


def preapproved(
    made: RequestMade,
    held: HeldRole,
    permission: Permission,
    lately: int,
    grant: str,
    zones: Zones,
    last: Instant | None,
    now: Instant,
) -> tuple[RequestPreapproved, GrantStarted] | None:
    """What comes of a request that the permission asks nobody for; None where somebody is asked. `lately`: so often the
    rule approved for this person within `WITHIN`; `last`: when the person's account ends."""
    rule, asked = permission.asks.unasked, made.substance
    if rule is None or not grant or asked.schedule is not None:
        return None
    if asked.duration > rule.longest or lately >= rule.most:
        return None
    ends = Instant(min(now + asked.duration, held.ends or FOREVER, last or FOREVER))
    hours = _hours(rule, zones, now, Instant(now + asked.duration))
    if rule.hours is not None and hours is None:
        return None
    approved = RequestPreapproved(
        made.request, asked.person, made.digest, held.role, held.version, lately + 1, now, hours
    )
    return approved, GrantStarted(grant, made.request, asked, held.binding, "", now, ends)


def _hours(rule: Unasked, zones: Zones, now: Instant, ends: Instant) -> Weekly | None:
    """The rule's hours, where all of the time lies in them."""
    zone = zones(rule.hours.zone) if rule.hours is not None else None
    if rule.hours is None or zone is None:
        return None
    hours = weekly(rule.hours, zone, now, ends)
    until = open_until(hours, now)
    return hours if until is not None and until >= ends else None
