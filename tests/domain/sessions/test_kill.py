"""Who may end a session."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.events import KillOrdered
from onepam.domain.sessions.kill import KillFacts, kill
from onepam.kernel.errors import Refused
from tests.domain.given import ADA, ADMINISTRATOR, EVE, MANAGER, MAX, MONITOR, NOW, present

FACTS = KillFacts(present("eve"), "eve", "open")


@pytest.mark.parametrize(
    ("facts", "actor", "reason"),
    [
        (FACTS, EVE, ""),
        (replace(FACTS, actor=present("ada", ADMINISTRATOR)), ADA, "an incident"),
        (replace(FACTS, actor=present("max", MONITOR)), MAX, "odd commands"),
    ],
)
def test_its_own_person_administrators_and_watchers_end_it(facts: KillFacts, actor: Actor, reason: str) -> None:
    assert kill(facts, actor, "ses_1", reason, NOW) == Decided((KillOrdered("ses_1", actor.person, reason),), None)


@pytest.mark.parametrize(
    ("facts", "actor", "code"),
    [
        (replace(FACTS, actor=replace(FACTS.actor, enabled=False)), EVE, "person.disabled"),
        (replace(FACTS, actor=present("max", MANAGER)), MAX, "session.unknown"),
        (replace(FACTS, actor=present("ada", ADMINISTRATOR), person=None, status=None), ADA, "session.unknown"),
        (replace(FACTS, status="closed"), EVE, "session.ended"),
        (replace(FACTS, actor=present("ada", ADMINISTRATOR)), ADA, "text.missing"),
    ],
)
def test_what_cannot_be_ended(facts: KillFacts, actor: Actor, code: str) -> None:
    outcome = kill(facts, actor, "ses_1", "", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code
