"""Erasing what is known of a leaver: two administrators, after what law wants kept, and in portions."""

from dataclasses import replace

import pytest

from onepam.domain.access.proposal import DENIED, WITHDRAWN, ProposalKind, ProposalRefused
from onepam.domain.history.commit import Decided
from onepam.domain.history.system import PayloadsErased
from onepam.domain.leaving.erasing import (
    MOST_DOCUMENTS,
    MOST_ERASED,
    ErasingFacts,
    Erasure,
    ErasureStatus,
    PortionFacts,
    approve,
    end,
    erase,
    finish,
    mentions,
    propose,
)
from onepam.domain.leaving.erasure_events import ErasureApproved, ErasureEnded, ErasureFinished, ErasureProposed
from onepam.domain.people.adding import PersonFacts
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, MONITOR, NOW, present, proposal

GONE = PersonFacts("eve", PersonKind.EMPLOYEE, False, None, None, "eve@example.com")
LEFT = Instant(NOW - 400 * DAY)
FACTS = ErasingFacts(present("ada", ADMINISTRATOR), GONE, LEFT, "", False, None)
LAID = proposal(ProposalKind.ERASURE, "ers_1", "bob", person="eve")
IT = Erasure("ers_1", "eve", ErasureStatus.PROPOSED, "asked for it", 400, 0)
WAITING = replace(FACTS, erasure=IT, proposal=LAID)
GOES_ON = replace(IT, status=ErasureStatus.APPROVED, payloads=7)
STAYS = [
    ({"person": None}, "person.unknown"),
    ({"person": replace(GONE, enabled=True)}, "erasure.active"),
    ({"left": None}, "erasure.active"),
    ({"left": Instant(LEFT + 1)}, "erasure.kept"),
    ({"listed": "The staff roster"}, "erasure.listed"),
    ({"named": True}, "erasure.named"),
]


def code(answer: object) -> str:
    if isinstance(answer, Decided):
        answer = answer.result
    return answer.code if isinstance(answer, Refused) else ""


def test_an_administrator_proposes() -> None:
    answer = propose(FACTS, "ers_1", "eve", " asked  for it ", 400, {}, NOW)
    assert answer == Decided((ErasureProposed("ers_1", "eve", "ada", "asked for it", 400, (), {}),), None)


@pytest.mark.parametrize(
    ("other", "found"),
    [
        *STAYS,
        ({"actor": present("mon", MONITOR)}, "right.missing"),
        ({"actor": replace(FACTS.actor, mfa_at=Instant(NOW - DAY))}, "factor.stale"),
        ({"erasure": IT}, "erasure.waits"),
        ({"erasure": GOES_ON}, "erasure.done"),
    ],
)
def test_what_is_not_proposed(other: dict[str, object], found: str) -> None:
    facts = replace(FACTS, **other)  # type: ignore[arg-type]
    assert code(propose(facts, "ers_1", "eve", "asked for it", 400, {}, NOW)) == found


def test_a_proposal_says_why_and_until_when_they_are_kept() -> None:
    assert code(propose(FACTS, "ers_1", "eve", " ", 400, {}, NOW)) == "text.missing"
    kept = propose(FACTS, "ers_1", "eve", "asked for it", 401, {}, NOW)
    assert isinstance(kept, Refused)
    assert "401 days" in kept.message
    assert code(propose(replace(FACTS, left=NOW), "ers_1", "eve", "asked for it", 0, {}, NOW)) == ""


def test_the_documents_that_go_whole_are_proposed_and_no_others_agreed_to() -> None:
    answer = propose(replace(FACTS, documents=(3, 9)), "ers_1", "eve", "asked for it", 400, {"person.added": 1}, NOW)
    assert answer == Decided(
        (ErasureProposed("ers_1", "eve", "ada", "asked for it", 400, (3, 9), {"person.added": 1}),), None
    )
    waiting = replace(WAITING, erasure=replace(IT, documents=(3, 9)))
    for now_there in ((3, 9), (9,), ()):
        assert code(approve(replace(waiting, documents=now_there), NOW)) == ""
    more = approve(replace(waiting, documents=(3, 7, 9)), NOW)
    assert isinstance(more, Refused)
    assert (more.code, more.message) == ("erasure.changed", "Entry 7 names eve, too, and was not proposed to go.")
    for many, found in ((MOST_DOCUMENTS, ""), (MOST_DOCUMENTS + 1, "erasure.documents")):
        facts = replace(FACTS, documents=tuple(range(many)))
        assert code(propose(facts, "ers_1", "eve", "why", 400, {}, NOW)) == found


def test_another_agrees() -> None:
    assert approve(WAITING, NOW) == Decided((ErasureApproved("ers_1", "eve", "asked for it", "bob", "ada"),), None)


@pytest.mark.parametrize(
    ("other", "found"),
    [
        *STAYS,
        ({"erasure": None}, "erasure.unknown"),
        ({"proposal": None}, "erasure.unknown"),
        ({"actor": present("mon", MONITOR)}, "right.missing"),
    ],
)
def test_what_is_not_agreed_to(other: dict[str, object], found: str) -> None:
    assert code(approve(replace(WAITING, **other), NOW)) == found  # type: ignore[arg-type]


def test_ones_own_is_an_attempt_and_what_lapsed_ends() -> None:
    own = approve(replace(WAITING, proposal=replace(LAID, by="ada")), NOW)
    assert isinstance(own, Decided)
    assert own.events == (ProposalRefused(ProposalKind.ERASURE, "ers_1", "ada", "erasure.self_approval"),)
    late = approve(replace(WAITING, proposal=replace(LAID, until=NOW)), NOW)
    assert isinstance(late, Decided)
    assert late.events == (ErasureEnded("ers_1", "eve", "erasure.lapsed", "ada"),)


@pytest.mark.parametrize(("by", "because"), [("bob", DENIED), ("ada", WITHDRAWN)])
def test_an_administrator_says_no(by: str, because: str) -> None:
    facts = replace(WAITING, proposal=replace(LAID, by=by))
    assert end(facts, NOW) == Decided((ErasureEnded("ers_1", "eve", because, "ada"),), None)


def test_what_does_not_wait_is_not_ended_and_not_by_anybody() -> None:
    assert code(end(replace(WAITING, actor=present("mon", MONITOR)), NOW)) == "right.missing"
    assert code(end(replace(WAITING, proposal=None), NOW)) == "erasure.unknown"
    assert code(end(replace(WAITING, erasure=None), NOW)) == "erasure.unknown"


def test_it_goes_in_portions() -> None:
    every = tuple(range(MOST_ERASED + 1))
    first = PayloadsErased("ers_1", "eve", every[:-1], naming=False)
    assert erase(PortionFacts(GOES_ON, every), naming=False) == Decided((first,), MOST_ERASED)
    lists = PayloadsErased("ers_1", "eve", (3,), naming=True)
    agreed = replace(GOES_ON, documents=(2, 3))
    assert erase(PortionFacts(agreed, (3, 4)), naming=True) == Decided((lists,), 1), "no document but those agreed to"
    assert erase(PortionFacts(agreed, (4,)), naming=True) == Decided((), 0)
    assert erase(PortionFacts(GOES_ON, ()), naming=False) == Decided((), 0)
    assert finish(PortionFacts(GOES_ON, ())) == Decided((ErasureFinished("ers_1", "eve", 7),), 7)


@pytest.mark.parametrize("it", [None, IT, replace(IT, status=ErasureStatus.FINISHED)])
def test_nothing_goes_that_was_not_agreed_to(it: Erasure | None) -> None:
    assert code(erase(PortionFacts(it, (1,)), naming=False)) == "erasure.unknown"
    assert code(finish(PortionFacts(it, ()))) == "erasure.unknown"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Eve Adams", True),
        ("eve adams, Max", True),
        ("- {role: x, person: EVE@example.com}", True),
        ("Steve Adamson", False),
        ("steve@example.com", False),
        ("eve@example.com.evil", False),
        ("write to eve@example.com.", True),
        ("", False),
    ],
)
def test_who_is_named(text: str, found: bool) -> None:
    assert mentions(text, ("Eve Adams", "eve@example.com", " ")) is found
