"""When controls are tested, who may have it done, and who answers for one."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import HeldRole
from onepam.domain.access.model import ConsoleRight
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Row, Run, Verdict
from onepam.domain.controls.events import ControlAssigned, ControlReminded, ControlTested
from onepam.domain.controls.testing import (
    LATEST_DUE,
    PAUSE,
    AssigningFacts,
    Failing,
    TestingFacts,
    assign,
    due,
    may_test,
    record,
    tell,
)
from onepam.domain.history.commit import Decided
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, MANAGER, present
from tests.domain.matrices import NOW

AUDITOR = HeldRole("bnd_5", "", "auditor", "v1", (), (ConsoleRight.AUDIT,), None)
ADA = replace(present("ada", ADMINISTRATOR), signed_in_until=Instant(NOW + DAY), mfa_at=NOW)
AUD, MAX = replace(ADA, person="aud", roles=(AUDITOR,)), replace(ADA, person="max", roles=(MANAGER,))
TODAY = Instant(NOW - NOW % DAY)
FOUNDED = Instant(TODAY - 9 * DAY)
ROWS = (
    Row("person", "eve", Verdict.PASS),
    Row("person", "vic", Verdict.FAIL, "no sponsor"),
    Row("person", "joe", Verdict.NOT_TESTED, "no roster"),
    Row("person", "sue", Verdict.EXCLUDED, "no sponsor"),
)
FOUND = Run("VND-01", 1, None, NOW, ROWS)
OTHER = Run("MFA-01", 1, Instant(NOW - DAY), NOW, (), "a cause")


def told(by: str | None) -> ControlTested:
    return ControlTested("VND-01", 1, None, NOW, 4, 1, 1, 1, FOUND.digest, "", Verdict.FAIL, by)


def test_each_is_due_once_a_day_from_the_day_after_the_installation_began() -> None:
    tests = (TESTS["VND-01"],)
    assert due(tests, {}, FOUNDED, NOW) == tests
    assert due(tests, {"VND-01": Instant(TODAY - 1)}, FOUNDED, NOW) == tests
    assert due(tests, {"VND-01": TODAY}, FOUNDED, NOW) == ()
    assert due(tests, {}, TODAY, NOW) == ()
    assert due(tests, {}, Instant(TODAY - 1), NOW) == tests


def test_time_writes_down_what_is_due_and_nothing_else() -> None:
    facts = TestingFacts(None, {"MFA-01": TODAY}, FOUNDED)
    assert record(facts, (FOUND, OTHER), NOW) == Decided((told(None),), 1)
    assert record(replace(facts, last={"VND-01": TODAY}), (FOUND,), NOW) == Decided((), 0)


def test_whoever_audits_or_administers_has_it_tested_and_not_again_at_once() -> None:
    facts = TestingFacts(AUD, {"MFA-01": Instant(NOW - PAUSE + 1), "VND-01": Instant(NOW - PAUSE)}, FOUNDED)
    assert record(facts, (FOUND, OTHER), NOW) == Decided((told("aud"),), 1)
    assert record(TestingFacts(ADA, {}, NOW), (FOUND,), NOW) == Decided((told("ada"),), 1)
    lately = record(facts, (OTHER,), NOW)
    assert isinstance(lately, Refused)
    assert lately.code == "control.tested_lately"
    nobody = record(replace(facts, actor=MAX), (FOUND,), NOW)
    assert isinstance(nobody, Refused)
    assert nobody == may_test(MAX, NOW)
    assert nobody.code == "right.missing"


def test_an_administrator_says_who_answers() -> None:
    facts, until = AssigningFacts(ADA, owner_here=True), Instant(NOW + DAY)
    assert assign(facts, "VND-01", "max", until, NOW) == Decided(
        (ControlAssigned("VND-01", "max", until, "ada"),), None
    )
    assert assign(facts, "VND-01", "max", None, NOW) == Decided((ControlAssigned("VND-01", "max", None, "ada"),), None)
    assert isinstance(assign(facts, "VND-01", "max", Instant(NOW + LATEST_DUE), NOW), Decided)


@pytest.mark.parametrize(
    ("facts", "control", "until", "code"),
    [
        (AssigningFacts(AUD, owner_here=True), "VND-01", None, "right.missing"),
        (AssigningFacts(ADA, owner_here=True), "XYZ-01", None, "control.unknown"),
        (AssigningFacts(ADA, owner_here=False), "VND-01", None, "control.owner"),
        (AssigningFacts(ADA, owner_here=True), "VND-01", NOW, "control.due"),
        (AssigningFacts(ADA, owner_here=True), "VND-01", Instant(NOW + LATEST_DUE + 1), "control.due"),
    ],
)
def test_who_does_not(facts: AssigningFacts, control: str, until: Instant | None, code: str) -> None:
    outcome = assign(facts, control, "max", until, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_whoever_answers_for_what_fails_is_told_once_of_each_failure() -> None:
    new = Failing("LOG-01", "max", NOW, 3, None, None)
    assert tell([new], NOW) == Decided((ControlReminded("LOG-01", "max", NOW, 3),), 1)
    told = replace(new, told="max", told_since=NOW)
    assert tell([told], NOW) == Decided((), 0)
    for other in (replace(told, told="eve"), replace(told, told_since=Instant(NOW - DAY))):
        assert tell([other], NOW).result == 1
