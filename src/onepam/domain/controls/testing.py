"""Testing controls: each once a day by itself, or when somebody wants it; and who answers for one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Run, Test, Verdict
from onepam.domain.controls.events import ControlAssigned, ControlReminded, ControlTested
from onepam.domain.history.commit import Decided
from onepam.kernel.clock import DAY, MINUTE, Instant
from onepam.kernel.errors import Refused

TESTERS = (ConsoleRight.AUDIT, ConsoleRight.ADMINISTER)

PAUSE = 10 * MINUTE
"""After a run of a control nobody wants another for so long (microseconds): each is kept for ever."""

LATEST_DUE = 366 * DAY
"""How far ahead it may be said that something is mended (microseconds)."""

UNKNOWN = Refused("control.unknown", "There is no such control.", "See: onepam controls")


@dataclass(frozen=True, slots=True)
class TestingFacts:
    """Who wants it (None: time does), when each control was tested last, and when the installation began."""

    __test__ = False

    actor: ActorFacts | None
    last: Mapping[str, Instant]
    founded: Instant


@dataclass(frozen=True, slots=True)
class AssigningFacts:
    """Who assigns, and whether the one who is to answer is a person that is here."""

    actor: ActorFacts
    owner_here: bool


def may_test(actor: ActorFacts, now: Instant) -> Refused | None:
    """None for whoever audits or administers."""
    refusals = [authorised(actor, right, now) for right in TESTERS]
    return None if None in refusals else refusals[0]


def due(tests: Iterable[Test], last: Mapping[str, Instant], founded: Instant, now: Instant) -> tuple[Test, ...]:
    """Those whose turn it is: once in each of their spans (of UTC days) that begins after the installation did."""
    found = []
    for each in tests:
        begins = now - now % each.control.every
        if founded < begins and last.get(each.control.id, Instant(0)) < begins:
            found.append(each)
    return tuple(found)


def record(facts: TestingFacts, runs: Iterable[Run], now: Instant) -> Decided[int] | Refused:
    """Writes down what tests found: of those whose turn it is, or of all that somebody wants; and how many it is."""
    runs, by = tuple(runs), None
    if facts.actor is not None:
        if (refused := may_test(facts.actor, now)) is not None:
            return refused
        by, wanted = facts.actor.person, {
            each.control for each in runs if facts.last.get(each.control, Instant(-PAUSE)) + PAUSE <= now
        }  # fmt: skip
        if not wanted:
            return Refused("control.tested_lately", f"It was tested within the last {PAUSE // MINUTE} minutes.")
    else:
        wanted = {each.control.id for each in due(TESTS.values(), facts.last, facts.founded, now)}
    made = tuple(_tested(each, by) for each in runs if each.control in wanted)
    return Decided(made, len(made))


def _tested(found: Run, by: str | None) -> ControlTested:
    return ControlTested(
        control=found.control,
        version=found.version,
        begin=found.begin,
        until=found.until,
        population=len(found.rows),
        failed=found.count(Verdict.FAIL),
        untested=found.count(Verdict.NOT_TESTED),
        excluded=found.count(Verdict.EXCLUDED),
        digest=found.digest,
        cause=found.cause,
        verdict=found.verdict,
        by=by,
    )


def assign(
    facts: AssigningFacts, control: str, owner: str, until: Instant | None, now: Instant
) -> Decided[None] | Refused:
    """An administrator says who answers for a control, and until when what fails of it is to be mended."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if control not in TESTS:
        return UNKNOWN
    if not facts.owner_here:
        return Refused("control.owner", "Who is to answer for it is not here, or no person.", "Name somebody else.")
    if until is not None and not now < until <= now + LATEST_DUE:
        return Refused("control.due", "It is due on a day to come, within a year.")
    return Decided((ControlAssigned(control, owner, until, facts.actor.person),), None)


@dataclass(frozen=True, slots=True)
class Failing:
    """A control that fails since then, with so many rows in its last run, and who answers for it; whom and of which
    failure somebody was told last (None: nobody)."""

    control: str
    owner: str
    since: Instant
    failed: int
    told: str | None
    told_since: Instant | None


def is_untold(failing: Failing) -> bool:
    """Whether whoever answers for it is to be told: once of each failure."""
    return (failing.told, failing.told_since) != (failing.owner, failing.since)


def tell(failing: Iterable[Failing], now: Instant) -> Decided[int]:
    """Whoever answers for what fails is told. The result is how many."""
    told = tuple(
        ControlReminded(each.control, each.owner, each.since, each.failed) for each in failing if is_untold(each)
    )
    return Decided(told, len(told))
