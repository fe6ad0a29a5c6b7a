"""Taking a version of the staff roster: a dry run, then the same file by its digest; releasing one that is held."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import ClassVar
from zoneinfo import ZoneInfo

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.roster.events import RosterRules, RosterSourceSet
from onepam.domain.roster.file import InvalidRoster, RosterFile, read_roster
from onepam.domain.roster.taking import (
    Held,
    Offer,
    RosterFacts,
    RosterPlan,
    Took,
    look,
    not_had,
    release,
    set_rules,
    set_source,
    take,
)
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

NewId = Callable[[str], str]
"""A fresh id with this prefix."""

Taken = Took | Held | InvalidRoster | Refused


@dataclass(frozen=True, slots=True)
class RosterQuery:
    """The roster and the accounts (unless `whole` is False: then only rules and versions), and who acts; `digest` of a
    version that may have been released."""

    facts: ClassVar[type[RosterFacts]] = RosterFacts
    actor: Actor | None
    digest: str = ""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came, or what was read of a directory: "upload" or the host that it was pulled from, and when."""

    data: bytes | RosterFile | InvalidRoster
    source: str
    received: Instant


async def plan_roster(
    ledger: Ledger, actor: Actor, upload: Upload, new_id: NewId
) -> RosterPlan | InvalidRoster | Refused:
    """What the file would change. Nothing is recorded."""
    file = await _read(ledger, actor, upload.data)
    if isinstance(file, InvalidRoster | Refused):
        return file
    offer = _offer(file, upload, new_id)
    outcome = await ledger.commit(RosterQuery(actor, file.digest), lambda facts, now: look(facts, actor, offer, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def take_roster(
    ledger: Ledger, actor: Actor | None, upload: Upload, expected: str | None, new_id: NewId
) -> Taken:
    """Takes the file, whole or not at all; `actor` is None for a pull. What follows for people is `follow_roster`'s."""
    file = await _read(ledger, actor, upload.data)
    if isinstance(file, Refused):
        return file
    offer = _offer(file, upload, new_id)
    while True:
        outcome = await ledger.commit(
            RosterQuery(actor, file.digest), lambda facts, now: take(facts, actor, offer, expected, now)
        )
        if isinstance(outcome, Refused):
            return file if isinstance(file, InvalidRoster) and outcome.code == "roster.invalid" else outcome
        result = outcome.result
        if isinstance(result, Refused):
            return file if isinstance(file, InvalidRoster) else result
        if not (isinstance(result, Took) and result.more):
            return result


async def record_failed_pull(ledger: Ledger, source: str, refused: Refused, received: Instant, new_id: NewId) -> None:
    """A pull that brought no file; once for as long as the reason is the same."""
    offer = Offer(new_id("stv"), InvalidRoster("", (), 0), (), source, received)
    await ledger.commit(RosterQuery(None, whole=False), lambda facts, now: not_had(facts, offer, refused))


async def release_roster(ledger: Ledger, actor: Actor, digest: str) -> Refused | None:
    """Lets the held version of this digest through for its next take."""
    outcome = await ledger.commit(
        RosterQuery(actor, digest, whole=False), lambda facts, now: release(facts, actor, digest, now)
    )
    return outcome if isinstance(outcome, Refused) else None


async def set_roster_source(ledger: Ledger, actor: Actor, source: RosterSourceSet) -> Refused | None:
    """Where the roster is pulled from; an empty host ends the pulling."""
    outcome = await ledger.commit(
        RosterQuery(actor, whole=False), lambda facts, now: set_source(facts, actor, source, now)
    )
    return outcome if isinstance(outcome, Refused) else None


async def set_roster_rules(ledger: Ledger, actor: Actor, rules: RosterRules) -> Refused | None:
    """How versions are judged from now on."""
    outcome = await ledger.commit(
        RosterQuery(actor, whole=False), lambda facts, now: set_rules(facts, actor, rules, now)
    )
    return outcome if isinstance(outcome, Refused) else None


def zone_of(name: str) -> tzinfo | None:
    """The zone of an IANA name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # KeyError: no such zone; OSError: the name of a folder
        return None


async def _read(
    ledger: Ledger, actor: Actor | None, data: bytes | RosterFile | InvalidRoster
) -> RosterFile | InvalidRoster | Refused:
    if not isinstance(data, bytes):
        return data
    columns = await ledger.commit(RosterQuery(actor, whole=False), _columns)
    if isinstance(columns, Refused):
        return columns
    return await asyncio.to_thread(read_roster, data, zone_of, columns.result)


def _columns(facts: RosterFacts, now: Instant) -> Decided[tuple[tuple[str, str], ...]]:
    return Decided((), facts.rules.columns)


def _offer(file: RosterFile | InvalidRoster, upload: Upload, new_id: NewId) -> Offer:
    fresh = tuple(new_id("stf") for _ in file.rows) if isinstance(file, RosterFile) else ()
    return Offer(new_id("stv"), file, fresh, upload.source, upload.received)
