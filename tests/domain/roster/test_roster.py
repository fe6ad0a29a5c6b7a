"""Adding and changing people: who may, and what must be known."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.people.adding import AddingFacts, Attributes, PersonFacts, add, change, normalised_email
from onepam.domain.people.events import PersonAdded, PersonChanged, PersonKind
from onepam.kernel.errors import Refused
from tests.domain.given import ADA, ADMINISTRATOR, LATER, NOW, present

ATTRIBUTES = Attributes(" Vic  Vendor ", "vic@example.com", "max", "max", LATER)
BOSS = PersonFacts("max", PersonKind.EMPLOYEE, True, None, None, "max@example.com")
THEM = PersonFacts("vic", PersonKind.VENDOR, True, LATER, "max", "vic@example.com")
FACTS = AddingFacts(present("ada", ADMINISTRATOR), True, None, BOSS, BOSS, None)


def added(
    facts: AddingFacts = FACTS,
    actor: Actor | None = ADA,
    kind: PersonKind = PersonKind.VENDOR,
    because: str = "contract 12",
    **changes: Any,
) -> Decided[None] | Refused:
    return add(facts, actor, "vic", kind, replace(ATTRIBUTES, **changes), because, NOW)


def test_a_vendor_is_added_with_sponsor_and_end() -> None:
    assert added() == Decided(
        (
            PersonAdded(
                "vic", PersonKind.VENDOR, "contract 12", "ada", "max", LATER, "max", "Vic Vendor", "vic@example.com"
            ),
        ),
        None,
    )


def test_an_employee_needs_neither_and_a_service_no_address() -> None:
    assert isinstance(added(kind=PersonKind.EMPLOYEE, owner=None, ends=None, manager=None), Decided)
    assert isinstance(added(kind=PersonKind.SERVICE, email=None), Decided)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (added(replace(FACTS, actor=present("ada"))), "right.missing"),
        (added(replace(FACTS, person=THEM)), "person.exists"),
        (added(email=None), "person.email"),
        (added(replace(FACTS, same_email="vim")), "person.email_taken"),
        (added(ends=NOW), "person.end_past"),
        (added(ends=None), "person.no_end"),
        (added(kind=PersonKind.SERVICE, ends=None), "person.no_end"),
        (added(replace(FACTS, manager=None)), "person.manager"),
        (added(manager="vic"), "person.manager"),
        (added(replace(FACTS, owner=None)), "person.no_owner"),
        (added(replace(FACTS, owner=replace(BOSS, enabled=False))), "person.no_owner"),
        (added(replace(FACTS, owner=replace(BOSS, ends=NOW))), "person.no_owner"),
        (added(replace(FACTS, owner=replace(BOSS, kind=PersonKind.VENDOR))), "person.no_owner"),
        (added(name=" "), "text.missing"),
        (added(name="x" * 201), "text.too_long"),
        (added(because="\n"), "text.missing"),
        (added(replace(FACTS, actor=None), None), "bootstrap.over"),
    ],
)
def test_what_is_not_added(outcome: Decided[None] | Refused, code: str) -> None:
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_before_the_first_sign_in_the_system_adds_people_itself() -> None:
    decided = added(replace(FACTS, actor=None, signed_in=False), None)
    assert isinstance(decided, Decided)
    (event,) = decided.events
    assert isinstance(event, PersonAdded)
    assert event.by is None


def changed(facts: AddingFacts, actor: Actor = ADA, **changes: Any) -> Decided[None] | Refused:
    return change(facts, actor, "vic", replace(ATTRIBUTES, **changes), NOW)


def test_all_attributes_are_replaced() -> None:
    assert changed(replace(FACTS, person=THEM), name="Vic") == Decided(
        (PersonChanged("vic", "ada", "max", "max", LATER, "Vic", "vic@example.com"),), None
    )


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (changed(replace(FACTS, person=THEM, actor=present("ada"))), "right.missing"),
        (changed(FACTS), "person.unknown"),
        (changed(replace(FACTS, person=replace(THEM, enabled=False, erased=True))), "person.erased"),
        (changed(replace(FACTS, person=THEM), ends=None), "person.no_end"),
        (changed(replace(FACTS, person=THEM), Actor("vic", "sgn_vic")), "person.self_change"),
    ],
)
def test_what_is_not_changed(outcome: Decided[None] | Refused, code: str) -> None:
    assert isinstance(outcome, Refused)
    assert outcome.code == code


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("a.b+c@x.example.org", "a.b+c@x.example.org"),
        ("ａ@example.com", "a@example.com"),
    ],
)
def test_addresses_are_kept_in_one_form(typed: str, kept: str) -> None:
    assert normalised_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", "ada", "ada@", "@example.com", "ada@example", "a@b@example.com", "a b@example.com", "a@example.com.",
        "<a@example.com>", "a\u202e@example.com", "a\x00@example.com", "a" * 65 + "@example.com",
        "a@" + "b" * 251 + ".c",
    ],
)  # fmt: skip
def test_what_is_no_address(typed: str) -> None:
    outcome = normalised_email(typed)
    assert isinstance(outcome, Refused)
    assert outcome.code == "person.email"
