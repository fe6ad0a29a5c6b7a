"""Asking for access that a role gives on request."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import ClassVar
from zoneinfo import ZoneInfo

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.access.hours import read_hours
from onepam.domain.requests.asking import Ask, Asked, AskFacts, ask
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class When:
    """When it is to be: from `begins` on (None: from the approval on), within the weekly `hours` ("": at every hour),
    or to `extend` what runs; or from its first use on, and at most `until` then."""

    begins: Instant | None = None
    hours: str = ""
    extend: bool = False
    until: Instant | None = None


AT_ONCE = When()


def zone_named(name: str) -> tzinfo | None:
    """The time zone that is called so; None where the table has none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


@dataclass(frozen=True, slots=True)
class AskQuery:
    """The actor, a resource, and the actor's requests that wait."""

    facts: ClassVar[type[AskFacts]] = AskFacts
    actor: Actor
    resource: str


async def make_request(
    ledger: Ledger,
    actor: Actor,
    request: str,
    resource: str,
    login: str,
    duration: int,
    reason: str,
    ticket: str = "",
    role: str | None = None,
    when: When = AT_ONCE,
    grant: str = "",
) -> Asked | Refused:
    """A request under the new id `request`, for `duration` microseconds; `role` chooses where several would do. Where a
    rule of the role approves it at once, the access has the new id `grant` (without one somebody is asked)."""
    hours = read_hours(when.hours) if when.hours else None
    if isinstance(hours, Refused):
        return hours
    zone = UTC if hours is None else zone_named(hours.zone)
    if zone is None:
        return Refused("hours.zone", "There is no time zone of that name.", "Such as Europe/Berlin, or UTC.")
    command = Ask(
        request, resource, login, duration, reason, ticket, role, when.begins, hours, zone, when.extend, when.until,
        grant, zone_named,
    )  # fmt: skip
    outcome = await ledger.commit(AskQuery(actor, resource), lambda facts, now: ask(facts, command, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
