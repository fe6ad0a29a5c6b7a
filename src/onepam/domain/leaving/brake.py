"""The brake of a directory: what waits for an administrator's word when a directory ends somebody.

Whoever a directory (SCIM, the roster) ends loses sessions and all rights in the same command, always. Only the end of
the *account* is held: where it would be the last administrator who can sign in, or where directories end more than
`allowed` people in an hour. Under a hold nothing that the account keeps (factors, roles, groups) gives anything.

An account that was made by hand is led by no directory before an administrator agrees. What a directory says of its
person's leaving ends nothing: it is a *report*, which stands until somebody decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from onepam.domain.access.authority import Actor, ActorFacts, HeldRole, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.domain.leaving.leaving import END, Cause, Held, departure, due, suspension
from onepam.domain.people.adding import PersonFacts
from onepam.domain.people.events import GroupMemberRemoved
from onepam.domain.signing_in.rules import fresh
from onepam.kernel import limits
from onepam.kernel.clock import HOUR, Instant, later
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

FEWEST = 5
PERCENT = 2
WINDOW = HOUR
"""The span in which departures are counted (microseconds)."""

UNDECIDED = 12 * HOUR
"""After so long the accounts of a hold of many end by themselves (microseconds)."""


class HoldReason(StrEnum):
    """The last administrator who can sign in keeps the console and nothing else, also where the directory only took
    away the group by which they administer; one of many keeps no right at all."""

    LAST_ADMINISTRATOR = "last_administrator"
    LAST_ADMINISTRATORS_GROUP = "last_administrators_group"
    MANY = "many"


class HoldOutcome(StrEnum):
    """An administrator keeps or ends the account; the directory takes its word back; the time to decide is over."""

    KEPT = "kept"
    ENDED = "ended"
    RETURNED = "returned"
    LAPSED = "lapsed"


@event(
    "directory.held",
    klass="person",
    alarm=True,
    control="OFF-01 OFF-04",
    words="The brake holds what the directory ({origin}) ends: {reason}",
)
@dataclass(frozen=True, slots=True)
class DirectoryHeld:
    """The brake began to hold the ends of accounts that a directory ordered. `origin` is the directory, or `end` where
    what it wrote was an end or a sponsor; `decide_by` when they end by themselves (None: only by an administrator's
    word)."""

    hold: str
    origin: str
    reason: HoldReason
    decide_by: Instant | None


@event(
    "directory.person_held",
    klass="person",
    control="OFF-01 OFF-04",
    words="The account of {person}, ended by the directory ({origin}), is held: {because}",
)
@dataclass(frozen=True, slots=True)
class DirectoryPersonHeld:
    """A directory ended this person, or took from them the last group that administers. Sessions and rights are gone;
    the account, or that group, waits for an administrator's word.

    `because` is in words; `left_at` and `notified` are those of `person.disabled`.
    """

    hold: str
    person: str
    origin: str
    reason: HoldReason
    because: str
    decide_by: Instant | None
    left_at: Instant | None
    notified: Instant | None


@event(
    "directory.hold_reminded",
    klass="person",
    alarm=True,
    control="OFF-01 MON-05",
    words="Half the time to decide is over: {waiting} accounts still wait",
)
@dataclass(frozen=True, slots=True)
class DirectoryHoldReminded:
    """Half the time to decide is over, and `waiting` accounts still wait."""

    hold: str
    waiting: int
    decide_by: Instant


@event(
    "directory.person_decided",
    klass="person",
    alarm=True,
    control="OFF-01 OFF-04 IDN-01",
    words="{by} decided on the held account of {person}: {outcome}",
)
@dataclass(frozen=True, slots=True)
class DirectoryPersonDecided:
    """The hold on this person is over. `by` is the administrator, None for the directory or the time; where it is the
    person themselves, that is a finding."""

    hold: str
    person: str
    outcome: HoldOutcome
    by: str | None
    because: str


@event(
    "directory.leaver_reported",
    klass="person",
    alarm=True,
    control="OFF-01 OFF-04",
    words="The directory ({origin}) says that {person} has left, and does not lead the account",
)
@dataclass(frozen=True, slots=True)
class DirectoryLeaverReported:
    """A directory said that this person has left, and does not lead the account: it was made by hand. Nothing ended.

    `user` is the directory's, `because` in words, `notified` when we received the news.
    """

    person: str
    origin: str
    user: str
    because: str
    notified: Instant


@event(
    "directory.report_decided",
    klass="person",
    control="OFF-01 OFF-04",
    words="{by} settled the report that {person} has left: {outcome}",
)
@dataclass(frozen=True, slots=True)
class DirectoryReportDecided:
    """The report of this directory is settled. `by` is the administrator, None where the directory says that the person
    is there."""

    person: str
    origin: str
    outcome: HoldOutcome
    by: str | None
    because: str


@dataclass(frozen=True, slots=True)
class Report:
    """A directory's report on somebody, as of the decision; the fields are those of `DirectoryLeaverReported`."""

    origin: str
    because: str
    notified: Instant


@dataclass(frozen=True, slots=True)
class PersonHold:
    """A hold on one person, as of the decision; the fields are those of `DirectoryPersonHeld`."""

    hold: str
    origin: str
    reason: HoldReason
    because: str
    decide_by: Instant | None
    left_at: Instant | None
    notified: Instant | None


@dataclass(frozen=True, slots=True)
class BrakeFacts:
    """What the brake looks at.

    `people` have an account that works; `ended` are those whom directories ended, or had held, within the hour, also
    where they took it back.
    `administrators` can sign in; `staying` are those of them with no end and no hold of many. `open` is a hold of many
    of this directory that began within the hour.
    """

    people: int = 0
    ended: int = 0
    administrators: frozenset[str] = frozenset()
    staying: frozenset[str] = frozenset()
    open: tuple[str, Instant] | None = None

    def last(self, person: str) -> bool:
        """Whether nobody could administer any more without this person."""
        return person in self.administrators and not self.staying - {person}


@dataclass(frozen=True, slots=True)
class Departing:
    """Somebody whom a directory ends, and what they hold."""

    person: str
    held: Held
    cause: Cause


NO_BRAKE = BrakeFacts()
"""What is said where nobody ends."""


def allowed(people: int) -> int:
    """How many accounts directories may end in an hour before the rest waits."""
    return max(FEWEST, people * PERCENT // 100)


def end_or_hold(facts: BrakeFacts, leaving: Sequence[Departing], fresh_id: str, now: Instant) -> tuple[object, ...]:
    """All events of departures that a directory ordered: the end of the account, or of all but the account.

    `fresh_id` is for a hold of many, should one begin; that of a last administrator is called after it.
    """
    events: list[object] = []
    for each in leaving:
        facts, some = _one(facts, each, fresh_id, now)
        events += some
    return tuple(events)


def _one(facts: BrakeFacts, each: Departing, fresh_id: str, now: Instant) -> tuple[BrakeFacts, tuple[object, ...]]:
    staying = facts.staying - {each.person}
    if facts.last(each.person):
        return facts, held_events(each, f"{fresh_id}-{each.person}", HoldReason.LAST_ADMINISTRATOR, None, begins=True)
    counted = replace(facts, ended=facts.ended + 1, staying=staying)
    if facts.ended < allowed(facts.people):
        gone = replace(counted, administrators=facts.administrators - {each.person})
        return gone, departure(each.held, each.person, each.cause)
    hold, decide_by = facts.open or (fresh_id, later(now, UNDECIDED))
    begins = facts.open is None
    counted = replace(counted, open=(hold, decide_by))
    return counted, held_events(each, hold, HoldReason.MANY, decide_by, begins=begins)


def held_events(
    each: Departing, hold: str, reason: HoldReason, decide_by: Instant | None, *, begins: bool
) -> tuple[object, ...]:
    """The hold (where it `begins`), the person under it, and the end of all that is not the account."""
    cause = each.cause
    person = DirectoryPersonHeld(
        hold=hold,
        person=each.person,
        origin=cause.origin,
        reason=reason,
        because=cause.because,
        decide_by=decide_by,
        left_at=cause.left_at,
        notified=cause.notified,
    )
    first = (DirectoryHeld(hold, cause.origin, reason, decide_by),) if begins else ()
    return (*first, person, *suspension(each.held, each.person))


def returned(person: str, hold: PersonHold) -> DirectoryPersonDecided:
    """The directory that ended the person says now that they are there."""
    return DirectoryPersonDecided(hold.hold, person, HoldOutcome.RETURNED, None, "the directory took its word back")


def there_again(person: str, origin: str) -> DirectoryReportDecided:
    """The directory that reported somebody to have left says now that they are there."""
    return DirectoryReportDecided(person, origin, HoldOutcome.RETURNED, None, "the directory took its word back")


def under_hold(roles: tuple[HeldRole, ...], reason: HoldReason | None) -> tuple[HeldRole, ...]:
    """What roles give under a hold: nothing; to the last administrator the right to administer, and no permission."""
    if reason is None:
        return roles
    only = (ConsoleRight.ADMINISTER,)
    return tuple(replace(each, permissions=(), console=only) for each in roles if gives(each.console, reason))


def gives(console: tuple[ConsoleRight, ...], reason: HoldReason | None) -> bool:
    """Whether a role with these rights gives anything under such a hold."""
    return reason is None or (reason is not HoldReason.MANY and ConsoleRight.ADMINISTER in console)


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """Who acts (None: time does), the hold on the person, what they hold by now, the brake, and reports that they
    left. `unsaid` are memberships in effect, each with its source, that the directory does not say any more. `person`
    and `sponsor_left` are those of `due`."""

    actor: ActorFacts | None
    hold: PersonHold | None
    held: Held
    brake: BrakeFacts
    reports: tuple[Report, ...] = ()
    unsaid: tuple[tuple[str, str], ...] = ()
    person: PersonFacts | None = None
    sponsor_left: Instant | None = None

    def due(self, now: Instant) -> bool:
        """Whether the person's time is over, whatever the directory says."""
        return self.person is not None and due(self.person, self.sponsor_left, now) is not None


def decide_hold(
    facts: HoldFacts, actor: Actor, person: str, keep: bool, because: str, now: Instant
) -> Decided[HoldOutcome] | Refused:
    """An administrator's word on somebody under a hold, or reported to have left. Keeping needs a fresh factor: it
    gives rights back, or lets them go on; but not groups that the directory does not say any more, unless the last
    administrator decides alone. Nobody ends themselves, and nobody answers a report on themselves."""
    assert facts.actor is not None  # the query names who acts
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if keep and (stale := fresh(facts.actor, now)) is not None:
        return stale
    hold, own = facts.hold, actor.person == person
    if hold is None and not facts.reports:
        return Refused("hold.unknown", f"The account of {person} waits for nobody's word.", "/provisioning")
    if own and (not keep or hold is None):
        what = "Nobody ends themselves." if not keep else "Nobody answers a report on themselves."
        return Refused("person.self", what, "Bring in another administrator first.")
    if keep and hold is not None and facts.due(now):
        words = f"The end of {person} has passed, or nobody answers for them."
        return Refused("hold.end_passed", words, "Change the end or the sponsor first.")
    why = plain_text(because, limits.MAX_NAME_CHARACTERS, what="reason")
    if isinstance(why, Refused):
        return why
    outcome = HoldOutcome.KEPT if keep else HoldOutcome.ENDED
    decided: list[object] = []
    if hold is not None:
        decided.append(DirectoryPersonDecided(hold.hold, person, outcome, actor.person, why))
    answered = () if own else facts.reports
    decided += [DirectoryReportDecided(person, each.origin, outcome, actor.person, why) for each in answered]
    if not keep:
        decided += departure(facts.held, person, _word(facts, actor.person))
    elif not own:
        decided += [GroupMemberRemoved(group, person, source, actor.person) for group, source in facts.unsaid]
    return Decided(tuple(decided), outcome)


def _word(facts: HoldFacts, by: str) -> Cause:
    """Why an account ends by an administrator's word: what the directory had said."""
    if facts.hold is not None:
        return _cause(facts.hold, by)
    report = facts.reports[0]
    return Cause(report.origin, report.because, by, None, report.notified)


def lapse_hold(facts: HoldFacts, person: str, fresh_id: str, now: Instant) -> Decided[HoldOutcome] | Refused:
    """Nobody decided in time: the account ends, unless by now it is that of the last administrator, or what was held
    was an end that has been moved."""
    hold = facts.hold
    if hold is None or hold.decide_by is None or hold.decide_by > now:
        return Refused("hold.not_due", f"Nothing of {person} is due.")
    if hold.origin == END and not facts.due(now):
        moved = DirectoryPersonDecided(hold.hold, person, HoldOutcome.RETURNED, None, "the end was moved")
        return Decided((moved,), HoldOutcome.RETURNED)
    cause = _cause(hold, None)
    if facts.brake.last(person):
        each, last = Departing(person, facts.held, cause), HoldReason.LAST_ADMINISTRATOR
        return Decided(held_events(each, f"{fresh_id}-{person}", last, None, begins=True), HoldOutcome.LAPSED)
    decided = DirectoryPersonDecided(hold.hold, person, HoldOutcome.LAPSED, None, "nobody decided in time")
    return Decided((decided, *departure(facts.held, person, cause)), HoldOutcome.LAPSED)


@dataclass(frozen=True, slots=True)
class ReminderFacts:
    """A hold of many: when it lapses (None: there is none), whether a reminder went out, how many still wait."""

    decide_by: Instant | None
    reminded: bool
    waiting: int


def remind_of_hold(facts: ReminderFacts, hold: str, now: Instant) -> Decided[None] | Refused:
    """Once, at half time, while somebody waits."""
    by = facts.decide_by
    if by is None or facts.reminded or not facts.waiting or now < by - UNDECIDED // 2:
        return Refused("hold.not_due", "No reminder is due.")
    return Decided((DirectoryHoldReminded(hold, facts.waiting, by),), None)


def _cause(hold: PersonHold, by: str | None) -> Cause:
    return Cause(hold.origin, hold.because, by, hold.left_at, hold.notified)
