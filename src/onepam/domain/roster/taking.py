"""Taking a version of the staff roster: looking at it, taking it, holding it, letting a held one through."""

from collections.abc import Sequence
from dataclasses import dataclass

from onepam.domain.access.authority import Actor, ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.roster.difference import Account, Entry, RosterDifference, brake, difference
from onepam.domain.roster.directory import parse_directory
from onepam.domain.roster.events import (
    RosterHeld,
    RosterRefused,
    RosterReleased,
    RosterRules,
    RosterRulesSet,
    RosterSourceSet,
    RosterTaken,
    Standing,
)
from onepam.domain.roster.file import COLUMNS, InvalidRoster, RosterFile
from onepam.domain.signing_in.rules import FRESH_FACTOR
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused

MOST_ENTRIES = 8_000
"""Entries that one command writes. A larger load is several, and only the last one puts the version in force."""

MOST_NAMED = 100
MOST_SAID = 20

LEAST_BRAKE, MOST_BRAKE = 50, 90
"""A version that ends fewer is the company's word: whoever it ends loses sessions and rights at once, always."""

SHORTEST_INTERVAL = 5 * MINUTE
LONGEST_INTERVAL = 7 * DAY


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """A version of the roster as it stands."""

    version: str
    digest: str
    standing: Standing
    because: str


@dataclass(frozen=True, slots=True)
class RosterFacts:
    """The actor (None: a pull that an administrator set up), the roster, the enabled accounts of people, and the rules.

    `newest` is the version that was received last, `released` one of this digest that may go through.
    """

    actor: ActorFacts | None
    entries: tuple[Entry, ...]
    accounts: tuple[Account, ...]
    rules: RosterRules
    newest: VersionFacts | None
    released: VersionFacts | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A file on its way: `version` is a fresh id for it, `fresh` one for each of its rows, `source` as in the event."""

    version: str
    file: RosterFile | InvalidRoster
    fresh: Sequence[str]
    source: str
    received: Instant


@dataclass(frozen=True, slots=True)
class RosterPlan:
    """What a version would do. `held`: why the brake would hold it, None where it would not. `before`: the entries."""

    digest: str
    difference: RosterDifference
    accounts: int
    held: str | None
    released: bool


@dataclass(frozen=True, slots=True)
class Took:
    """A version is in force; `more` while a large one still needs another command, and nothing of it counts yet."""

    version: str
    difference: RosterDifference
    more: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The brake holds the version until another act of an administrator lets its digest through."""

    version: str
    plan: RosterPlan


def look(facts: RosterFacts, actor: Actor | None, offer: Offer, now: Instant) -> Decided[RosterPlan] | Refused:
    """What the version would do. Nothing is recorded."""
    if (refused := _may(facts, actor, now)) is not None:
        return refused
    if isinstance(offer.file, InvalidRoster):
        return _invalid(offer.file)
    return Decided((), _plan(facts, offer, offer.file, now))


def take(
    facts: RosterFacts, actor: Actor | None, offer: Offer, expected: str | None, now: Instant
) -> Decided[Took | Held | Refused] | Refused:
    """Takes the version whole, or holds it. `expected` is the digest of the dry run that was looked at."""
    if (refused := _may(facts, actor, now)) is not None:
        return refused
    by = actor.person if actor else None
    file = offer.file
    if isinstance(file, InvalidRoster):
        return _refuse(facts, offer, file, by)
    if expected is not None and expected != file.digest:
        return Refused("roster.digest", "This is not the file that the dry run showed.", "Look at it again.")
    plan = _plan(facts, offer, file, now)
    if plan.held is not None and not plan.released:
        return _hold(facts, offer, plan, by)
    version = facts.released.version if facts.released is not None else offer.version
    found = plan.difference
    if len(found.added) + len(found.changed) > MOST_ENTRIES:
        first = found.events(version, offer.received)[:MOST_ENTRIES]
        return Decided(first, Took(version, found, more=True))
    taken = RosterTaken(
        version=version,
        digest=file.digest,
        source=offer.source,
        rows=found.rows,
        added=len(found.added),
        changed=len(found.changed),
        ended=len(found.ended),
        received=offer.received,
        by=by,
    )
    return Decided((*found.events(version, offer.received), taken), Took(version, found))


def release(facts: RosterFacts, actor: Actor, digest: str, now: Instant) -> Decided[None] | Refused:
    """Lets the newest held version through for its next take. Needs a fresh factor."""
    if (refused := _may(facts, actor, now)) is not None:
        return refused
    if (refused := _fresh(facts, now)) is not None:
        return refused
    newest = facts.newest
    if newest is None or newest.standing is not Standing.HELD:
        return Refused("roster.not_held", "No version of the roster is held.", "/roster")
    if newest.digest != digest:
        return Refused("roster.digest", "Another version is held by now.", "Look at it again.")
    return Decided((RosterReleased(newest.version, digest, actor.person),), None)


def set_source(facts: RosterFacts, actor: Actor, source: RosterSourceSet, now: Instant) -> Decided[None] | Refused:
    """Where the roster is pulled from; an empty host ends it. Needs a fresh factor: who writes there can end access."""
    if (refused := _may(facts, actor, now)) is not None:
        return refused
    if (refused := _fresh(facts, now)) is not None:
        return refused
    if not SHORTEST_INTERVAL <= source.interval <= LONGEST_INTERVAL:
        return Refused("roster.interval", "The roster is pulled every 5 minutes to 7 days.", "Such as every hour.")
    directory = parse_directory(source.directory) if source.directory is not None else None
    if isinstance(directory, Refused):
        return directory
    return Decided((source,), None)


def set_rules(facts: RosterFacts, actor: Actor, rules: RosterRules, now: Instant) -> Decided[None] | Refused:
    """How versions are judged. Needs a fresh factor."""
    if (refused := _may(facts, actor, now)) is not None:
        return refused
    if (refused := _fresh(facts, now)) is not None:
        return refused
    if not LEAST_BRAKE <= rules.brake_percent <= MOST_BRAKE:
        words = f"The brake is set between {LEAST_BRAKE} % and {MOST_BRAKE} %."
        return Refused("roster.brake", words, "What a version says of fewer is taken; only accounts wait.")
    if not HOUR <= rules.stale_after <= 30 * DAY:
        return Refused("roster.stale", "The roster counts as stale after 1 hour to 30 days.", "24 hours is usual.")
    columns = dict(rules.columns)
    if not columns.keys() <= set(COLUMNS) or any(not 0 < len(each) <= 100 for each in columns.values()):
        return Refused("roster.columns", f"Columns that can be renamed are {', '.join(COLUMNS)}.")
    changed = RosterRulesSet(rules.brake_percent, rules.stale_after, rules.creates, columns, actor.person)
    return Decided((changed,), None)


def _may(facts: RosterFacts, actor: Actor | None, now: Instant) -> Refused | None:
    if actor is None or facts.actor is None:
        return None
    return authorised(facts.actor, ConsoleRight.ADMINISTER, now)


def _fresh(facts: RosterFacts, now: Instant) -> Refused | None:
    proven = facts.actor.mfa_at if facts.actor else None
    if proven is None or proven <= now - FRESH_FACTOR:
        return Refused("factor.stale", "This needs your second factor, shown within five minutes.", "/step-up")
    return None


def _plan(facts: RosterFacts, offer: Offer, file: RosterFile, now: Instant) -> RosterPlan:
    found = difference(facts.entries, file.rows, facts.accounts, offer.fresh, now)
    held = brake(found, facts.accounts, facts.rules)
    return RosterPlan(file.digest, found, len(facts.accounts), held, facts.released is not None)


def _hold(facts: RosterFacts, offer: Offer, plan: RosterPlan, by: str | None) -> Decided[Took | Held | Refused]:
    newest, found = facts.newest, plan.difference
    if newest is not None and newest.standing is Standing.HELD and newest.digest == plan.digest:
        return Decided((), Held(newest.version, plan))
    held = RosterHeld(
        version=offer.version,
        digest=plan.digest,
        source=offer.source,
        because=plan.held or "",
        rows=found.rows,
        added=len(found.added),
        changed=len(found.changed),
        ended=len(found.ended),
        leavers=len(found.leavers),
        accounts=plan.accounts,
        received=offer.received,
        by=by,
        who=tuple(each.name for each in found.leavers[:MOST_NAMED]),
    )
    return Decided((held,), Held(offer.version, plan))


def _refuse(
    facts: RosterFacts, offer: Offer, file: InvalidRoster, by: str | None
) -> Decided[Took | Held | Refused] | Refused:
    """The refusal is recorded once for as long as nothing else came in between."""
    refused, newest = _invalid(file), facts.newest
    if newest is not None and newest.standing is Standing.REFUSED and newest.digest == file.digest:
        return refused
    said = tuple(str(each) for each in file.errors[:MOST_SAID])
    event = RosterRefused(offer.version, file.digest, offer.source, refused.code, file.count, offer.received, by, said)
    return Decided((event,), refused)


def not_had(facts: RosterFacts, offer: Offer, refused: Refused) -> Decided[None]:
    """A pull that brought no file. Recorded once for as long as the reason stays the same."""
    newest = facts.newest
    if newest is not None and newest.standing is Standing.REFUSED and newest.because == refused.code:
        return Decided((), None)
    event = RosterRefused(
        offer.version, "", offer.source, refused.code, 1, offer.received, None, (refused.message[:500],)
    )
    return Decided((event,), None)


def _invalid(file: InvalidRoster) -> Refused:
    more = "" if file.count == 1 else f" It has {file.count:,} such mistakes."
    return Refused("roster.invalid", f"{str(file.errors[0]).capitalize()}{more} Nothing was applied.")
