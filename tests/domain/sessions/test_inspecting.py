"""Which sessions are drawn to be looked at, and who may say what they saw."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.inspecting import (
    PERCENT,
    Ended,
    InspectionFacts,
    RecordingInspected,
    Risk,
    Verdict,
    inspect,
    is_drawn,
    percent,
    risks,
)
from onepam.kernel.clock import HOUR, Instant, parse
from onepam.kernel.errors import Refused
from tests.domain.given import ADA, ADMINISTRATOR, EVE, MANAGER, MAX, MONITOR, NOW, present

MONDAY = parse("2026-11-30T09:00:00Z")
PLAIN = Ended(MONDAY, privileged=False, approved=False, vendor=False, killed=False, gap=False)
FACTS = InspectionFacts(present("max", MONITOR), "eve", "closed", frozenset(), seen=True, said=None)


@pytest.mark.parametrize(
    ("ended", "found", "chance"),
    [
        (PLAIN, (), 2),
        (replace(PLAIN, privileged=True), (Risk.PRIVILEGED,), 22),
        (replace(PLAIN, privileged=True, approved=True), (Risk.PRIVILEGED, Risk.APPROVED), 27),
        (replace(PLAIN, vendor=True), (Risk.VENDOR,), 27),
        (replace(PLAIN, killed=True), (Risk.KILLED,), 100),
        (replace(PLAIN, gap=True, vendor=True), (Risk.VENDOR, Risk.GAP), 100),
        (replace(PLAIN, opened=Instant(MONDAY - 3 * HOUR)), (), 2),
        (replace(PLAIN, opened=Instant(MONDAY - 3 * HOUR - 1)), (Risk.ODD_HOURS,), 12),
        (replace(PLAIN, opened=Instant(MONDAY + 11 * HOUR)), (Risk.ODD_HOURS,), 12),
        (replace(PLAIN, opened=Instant(MONDAY - 48 * HOUR)), (Risk.ODD_HOURS,), 12),
        (replace(PLAIN, opened=Instant(MONDAY - 72 * HOUR)), (), 2),
    ],
)
def test_the_riskier_the_likelier(ended: Ended, found: tuple[Risk, ...], chance: int) -> None:
    assert risks(ended) == (Risk.ANY, *found)
    assert percent(risks(ended)) == chance


def test_the_weights_are_those_by_which_the_past_was_drawn() -> None:
    assert {each.value: PERCENT[each] for each in Risk} == {
        "any": 2, "privileged": 20, "approved": 5, "vendor": 25, "odd_hours": 10, "killed": 100, "gap": 100,
        "bad_recording": 100,
    }  # fmt: skip
    assert all(each.words for each in Risk)


@given(st.text(), st.text())
def test_what_is_certain_is_always_drawn(session: str, head: str) -> None:
    assert is_drawn(session, head, (Risk.ANY, Risk.GAP))
    assert not is_drawn(session, head, ())


def test_as_many_are_drawn_as_the_weights_say_and_whoever_has_the_entries_draws_the_same() -> None:
    heads = [sha256(b"%d" % number).hexdigest() for number in range(10_000)]
    found = (Risk.ANY, Risk.PRIVILEGED)
    drawn = [each for each in heads if is_drawn("ses_1", each, found)]
    assert 2_000 < len(drawn) < 2_400
    assert [heads.index(each) for each in drawn[:5]] == FIRST
    likelier = {each for each in heads if is_drawn("ses_1", each, (*found, Risk.VENDOR))}
    assert set(drawn) < likelier


FIRST = [13, 15, 19, 22, 27]


@pytest.mark.parametrize(
    ("facts", "verdict", "note"),
    [
        (FACTS, Verdict.EXPECTED, ""),
        (FACTS, Verdict.CONCERN, "read the payroll"),
        (replace(FACTS, said=Verdict.CONCERN), Verdict.EXPECTED, "explained by OPS-7"),
        (replace(FACTS, status="failed"), Verdict.EXPECTED, ""),
    ],
)
def test_somebody_else_who_looked_says_what_they_saw(facts: InspectionFacts, verdict: Verdict, note: str) -> None:
    said = RecordingInspected("ses_1", "eve", "max", verdict, note or None)
    assert inspect(facts, MAX, "ses_1", verdict, note, NOW) == Decided((said,), None)


OWN = replace(FACTS, actor=present("eve", MONITOR))


@pytest.mark.parametrize(
    ("facts", "actor", "verdict", "code"),
    [
        (replace(FACTS, actor=replace(FACTS.actor, enabled=False)), MAX, Verdict.EXPECTED, "person.disabled"),
        (replace(FACTS, actor=present("max", MANAGER)), MAX, Verdict.EXPECTED, "session.unknown"),
        (replace(FACTS, actor=present("ada", ADMINISTRATOR)), ADA, Verdict.EXPECTED, "session.unknown"),
        (replace(FACTS, person=None, status=None), MAX, Verdict.EXPECTED, "session.unknown"),
        (OWN, EVE, Verdict.EXPECTED, "inspection.own"),
        (replace(FACTS, hands=frozenset({"max"})), MAX, Verdict.EXPECTED, "inspection.own"),
        (replace(FACTS, status="open"), MAX, Verdict.EXPECTED, "inspection.runs"),
        (replace(FACTS, seen=False), MAX, Verdict.EXPECTED, "inspection.unseen"),
        (replace(FACTS, said=Verdict.EXPECTED), MAX, Verdict.EXPECTED, "inspection.said"),
        (FACTS, MAX, Verdict.CONCERN, "text.missing"),
    ],
)
def test_what_nobody_may_say(facts: InspectionFacts, actor: Actor, verdict: Verdict, code: str) -> None:
    outcome = inspect(facts, actor, "ses_1", verdict, "", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code
