"""Incidents: who opens, adds, assigns, closes and opens again, and when whoever answers for one is told."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import ActorFacts, HeldRole
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proof import MfaBasis
from onepam.domain.controls.control import Severity
from onepam.domain.history.commit import Decided
from onepam.domain.incidents.events import (
    IncidentAssigned,
    IncidentClosed,
    IncidentNoted,
    IncidentOpened,
    IncidentReminded,
    IncidentReopened,
    Link,
    LinkKind,
)
from onepam.domain.incidents.handling import (
    LATEST_DUE,
    MOST_LINKS,
    MOST_TIMES,
    REMINDED_EACH,
    WITHIN,
    Draft,
    IncidentFacts,
    Standing,
    State,
    Waiting,
    assign,
    close,
    is_due,
    note,
    open_incident,
    remind,
    reopen,
)
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused

NOW = Instant(1_000 * DAY)
DUE = Instant(NOW + WITHIN[Severity.HIGH])
EVE = ActorFacts("eve", True, None, Instant(NOW + HOUR), NOW, ())
SESSION, PERSON = Link(LinkKind.SESSION, "ses_1"), Link(LinkKind.CAUSED_BY, "eve")
DRAFT = Draft("inc_1", "A key was published", "in a log", Severity.HIGH, Instant(NOW - HOUR), None, "max", (SESSION,))
STANDING = Standing(State.OPEN, Severity.MEDIUM, Severity.MEDIUM, "max", frozenset({"max"}), frozenset({"eve"}), DUE)


def holding(person: str, *rights: ConsoleRight) -> ActorFacts:
    return replace(EVE, person=person, roles=(HeldRole("b", "", "role", "v", (), rights, None),))


ADA, AUD, MON = (
    holding(who, right)
    for who, right in (
        ("ada", ConsoleRight.ADMINISTER),
        ("aud", ConsoleRight.AUDIT),
        ("mon", ConsoleRight.MONITOR),
    )
)
MAX = replace(EVE, person="max")
NEW = IncidentFacts(MON, None)
OPEN = IncidentFacts(ADA, STANDING)
CLOSED = replace(OPEN, incident=replace(STANDING, state=State.CLOSED))


def code(outcome: object) -> str:
    assert isinstance(outcome, Refused)
    return outcome.code


@pytest.mark.parametrize("actor", [ADA, AUD, MON])
def test_whoever_oversees_opens_one_and_it_is_due_by_its_severity(actor: ActorFacts) -> None:
    done = open_incident(replace(NEW, actor=actor), DRAFT, NOW)
    entry = IncidentOpened(
        "inc_1", Severity.HIGH, Instant(NOW - HOUR), NOW, "max", Instant(NOW + 3 * DAY), (SESSION,), actor.person,
        "A key was published", "in a log",
    )  # fmt: skip
    assert done == Decided((entry,), "inc_1")
    found = Instant(NOW - DAY)
    low = replace(DRAFT, severity=Severity.LOW, found=found, began=None, what="", links=(SESSION, SESSION))
    assert open_incident(replace(NEW, actor=actor), low, NOW) == Decided(
        (replace(entry, severity=Severity.LOW, found=found, began=None, due=Instant(NOW + 30 * DAY), what=None),),
        "inc_1",
    )


@pytest.mark.parametrize(
    ("facts", "changes", "expected"),
    [
        (replace(NEW, actor=EVE), {}, "right.missing"),
        (replace(NEW, actor=replace(ADA, basis=MfaBasis.DECLARED)), {}, "mfa.not_shown"),
        (replace(NEW, actor=replace(MON, signed_in_until=None)), {}, "sign_in.ended"),
        (replace(NEW, owner_here=False), {}, "incident.owner"),
        (replace(NEW, nowhere=(SESSION,)), {}, "incident.nowhere"),
        (NEW, {"links": (SESSION,) * (MOST_LINKS + 1)}, "incident.links"),
        (NEW, {"found": Instant(NOW + 1)}, "incident.time"),
        (NEW, {"began": Instant(NOW + 1)}, "incident.time"),
        (OPEN, {}, "incident.taken"),
        (NEW, {"title": " "}, "text.missing"),
        (NEW, {"what": "x" * 5_000}, "text.too_long"),
    ],
)
def test_what_is_not_opened(facts: IncidentFacts, changes: dict[str, object], expected: str) -> None:
    assert code(open_incident(facts, replace(DRAFT, **changes), NOW)) == expected  # type: ignore[arg-type]


def test_whoever_answers_for_it_adds_words_and_links_nothing() -> None:
    """Else who has no right reads the ledger, an entry after the other, and says who may not close it."""
    theirs = replace(OPEN, actor=MAX)
    done = note(theirs, "inc_1", NOW, " the  key is  revoked ", (), NOW)
    assert done == Decided((IncidentNoted("inc_1", NOW, (), "max", "the key is revoked"),), None)
    for each in LinkKind:
        assert code(note(theirs, "inc_1", NOW, "see", (Link(each, "1"),), NOW)) == "incident.links_kept"
        nowhere = replace(theirs, nowhere=(Link(each, "1"),))
        assert code(note(nowhere, "inc_1", NOW, "", (Link(each, "1"),), NOW)) == "incident.links_kept"
    oversees = replace(OPEN, actor=holding("max", ConsoleRight.MONITOR))
    assert isinstance(note(oversees, "inc_1", NOW, "", (SESSION,), NOW), Decided)


@pytest.mark.parametrize("actor", [ADA, AUD, MON])
def test_whoever_oversees_adds_to_it(actor: ActorFacts) -> None:
    then = Instant(NOW - HOUR)
    done = note(replace(OPEN, actor=actor), "inc_1", then, " the  key is  revoked ", (PERSON, PERSON), NOW)
    assert done == Decided((IncidentNoted("inc_1", then, (PERSON,), actor.person, "the key is revoked"),), None)
    only = note(replace(OPEN, actor=actor), "inc_1", NOW, "", (PERSON,), NOW)
    assert only == Decided((IncidentNoted("inc_1", NOW, (PERSON,), actor.person, None),), None)


@pytest.mark.parametrize(
    ("facts", "at", "words", "links", "expected"),
    [
        (replace(OPEN, actor=replace(MAX, signed_in_until=None)), NOW, "x", (), "sign_in.ended"),
        (replace(OPEN, incident=None), NOW, "x", (), "incident.unknown"),
        (replace(OPEN, actor=EVE), NOW, "x", (), "incident.unknown"),
        (CLOSED, NOW, "x", (), "incident.closed"),
        (OPEN, Instant(NOW + 1), "x", (), "incident.time"),
        (OPEN, NOW, "", (), "text.missing"),
        (replace(OPEN, nowhere=(PERSON,)), NOW, "", (PERSON,), "incident.nowhere"),
    ],
)
def test_what_is_not_noted(
    facts: IncidentFacts, at: Instant, words: str, links: tuple[Link, ...], expected: str
) -> None:
    assert code(note(facts, "inc_1", at, words, links, NOW)) == expected


def test_how_much_it_weighs_and_who_answers_is_said_with_a_day_or_without() -> None:
    said = assign(OPEN, "inc_1", Severity.HIGH, "aud", None, "it is worse", NOW)
    entry = IncidentAssigned("inc_1", Severity.HIGH, "aud", DUE, "ada", "it is worse")
    assert said == Decided((entry,), None)
    day = Instant(NOW + LATEST_DUE)
    assert assign(OPEN, "inc_1", Severity.HIGH, "aud", day, "it is worse", NOW) == Decided(
        (replace(entry, due=day),), None
    )
    for facts, due, because, expected in (
        (replace(OPEN, actor=MAX), None, "x", "right.missing"),
        (replace(OPEN, incident=None), None, "x", "incident.unknown"),
        (CLOSED, None, "x", "incident.closed"),
        (OPEN, NOW, "x", "incident.due"),
        (OPEN, Instant(NOW + LATEST_DUE + 1), "x", "incident.due"),
        (replace(OPEN, owner_here=False), None, "x", "incident.owner"),
        (OPEN, None, "", "text.missing"),
    ):
        assert code(assign(facts, "inc_1", Severity.LOW, "aud", due, because, NOW)) == expected


def test_an_administrator_or_an_auditor_closes_it_and_says_why_it_was() -> None:
    for actor in (ADA, AUD):
        done = close(replace(OPEN, actor=actor), "inc_1", "a debug log", "revoked", "no debug logs", NOW)
        entry = IncidentClosed("inc_1", actor.person, "a debug log", "revoked", "no debug logs")
        assert done == Decided((entry,), None)
        assert close(replace(OPEN, actor=actor), "inc_1", "a debug log", "revoked", "", NOW) == Decided(
            (replace(entry, lessons=None),), None
        )
    owns = replace(OPEN, actor=holding("max", ConsoleRight.ADMINISTER))
    assert isinstance(close(owns, "inc_1", "a", "b", "", NOW), Decided), "of medium severity its owner may"


@pytest.mark.parametrize(
    ("actor", "changes", "expected"),
    [
        (MON, {}, "right.missing"),
        (holding("eve", ConsoleRight.ADMINISTER), {}, "incident.own"),
        (replace(ADA, linked_by=("eve",)), {}, "incident.own"),
        (replace(ADA, linked_for=("eve",)), {}, "incident.own"),
        (holding("max", ConsoleRight.AUDIT), {"highest": Severity.HIGH}, "incident.two_hands"),
        (holding("bob", ConsoleRight.AUDIT), {"highest": Severity.HIGH, "owners": frozenset({"bob", "max"})},
         "incident.two_hands"),
        (replace(ADA, linked_by=("max",)), {"highest": Severity.HIGH}, "incident.two_hands"),
        (ADA, {"state": State.CLOSED}, "incident.closed"),
    ],
)  # fmt: skip
def test_nobody_closes_what_they_brought_about_and_one_of_high_severity_takes_two(
    actor: ActorFacts, changes: dict[str, object], expected: str
) -> None:
    standing = replace(STANDING, **changes)  # type: ignore[arg-type]
    assert code(close(IncidentFacts(actor, standing), "inc_1", "a", "b", "", NOW)) == expected


def test_what_is_not_closed() -> None:
    assert code(close(replace(OPEN, incident=None), "inc_1", "a", "b", "", NOW)) == "incident.unknown"
    for cause, done, lessons in (("", "b", ""), ("a", "", ""), ("a", "b", "x" * 5_000)):
        assert code(close(OPEN, "inc_1", cause, done, lessons, NOW)).startswith("text.")


def test_one_that_was_closed_is_opened_again_with_the_days_of_its_severity() -> None:
    done = reopen(replace(CLOSED, actor=MON), "inc_1", "the key was used again", NOW)
    entry = IncidentReopened("inc_1", Instant(NOW + 14 * DAY), "mon", "the key was used again")
    assert done == Decided((entry,), None)
    assert code(reopen(replace(CLOSED, actor=MAX), "inc_1", "x", NOW)) == "right.missing"
    assert code(reopen(replace(CLOSED, incident=None), "inc_1", "x", NOW)) == "incident.unknown"
    assert code(reopen(OPEN, "inc_1", "x", NOW)) == "incident.open"
    assert code(reopen(CLOSED, "inc_1", "", NOW)) == "text.missing"


def test_whoever_answers_is_told_at_once_when_it_is_due_and_then_each_week() -> None:
    new = Waiting("inc_1", "max", DUE, 0, None)
    assert remind([new], NOW) == Decided((IncidentReminded("inc_1", "max", DUE, 1),), 1)
    told = replace(new, times=1, told=NOW)
    before = Instant(DUE - 1)
    for waiting, at, due in (
        (told, before, False),
        (told, DUE, True),
        (replace(told, times=2, told=DUE), Instant(DUE + REMINDED_EACH - 1), False),
        (replace(told, times=2, told=DUE), Instant(DUE + REMINDED_EACH), True),
        (replace(told, times=MOST_TIMES), DUE, False),
    ):
        assert is_due(waiting, at) is due
    assert remind([told], before) == Decided((), 0)
