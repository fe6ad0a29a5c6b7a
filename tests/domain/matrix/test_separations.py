"""`separate` in access.yaml: what is read, what a plan may not give, and what takes a second person."""

from dataclasses import replace

import pytest

from onepam.domain.access.events import BindingAdded, BindingEnded
from onepam.domain.access.separation import Excuse, Separation, SeparationRemoved, SeparationSet
from onepam.domain.matrix.changing import Proposed, apply, approve
from onepam.domain.matrix.events import ChangeRefused, ChangeRejected
from onepam.domain.matrix.file import InvalidFile, read_access, resolve
from onepam.domain.matrix.matrix import Matrix
from onepam.domain.matrix.plan import Plan, make_plan, plan_events
from onepam.kernel.clock import DAY, Instant, parse
from onepam.kernel.errors import Refused
from tests.domain.matrix.test_changing import FACTS, applied, approved, digest, run, waiting
from tests.domain.matrix.test_changing import WHY as BECAUSE
from tests.domain.small_company import FILE, NOW, PEOPLE, base

WHY = "because: Nobody approves what they ask for"
ROLES = "    roles: [lead, dev]\n"
APART = f"separate:\n  production:\n{ROLES}    {WHY}\n"
EXCUSED = "    excused: [{person: eve@example.com, because: Bob reads it, ends: 2030-01-31}]\n"
BOTH = "  - {role: lead, person: eve@example.com, because: leads too}\n"
WITHOUT_DEV = FILE.replace("members: [eve@example.com]", "members: []")
SEPARATION = Separation("production", ("dev", "lead"), "Nobody approves what they ask for")
UNTIL = parse("2030-02-01T00:00:00Z")


def problems(text: str) -> list[str]:
    found = resolve(read_access(text), PEOPLE)
    return [each.message for each in found.problems] if isinstance(found, InvalidFile) else []


def plan(before: str, after: str) -> Plan:
    return make_plan(base(before), base(after), "d", NOW)


def test_it_is_read_with_who_is_excused() -> None:
    assert base(FILE).separations == {}
    assert base(FILE + APART).separations == {"production": SEPARATION}
    excused = (Excuse("eve", "Bob reads it", UNTIL),)
    assert base(FILE + APART + EXCUSED).separations == {"production": replace(SEPARATION, excused=excused)}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (APART.replace(WHY, ""), "This separation has no `because`."),
        (APART.replace(ROLES, ""), "This separation has no `roles`."),
        (APART.replace("[lead, dev]", "[lead]"), "One role cannot be kept apart."),
        (APART.replace("[lead, dev]", "[lead, lead]"), "`lead` stands here twice."),
        (APART.replace("[lead, dev]", "[lead, devs]"), "There is no role devs."),
        (APART.replace("[lead, dev]", "[lead, dev, [x]]"), "A role is text, not a list."),
        (APART.replace("[lead, dev]", "lead"), "The roles must be a list."),
        ("separate: none\n", "The section of separations must be a mapping."),
        ("separate: {production: none}\n", "The separation must be a mapping."),
        (APART + EXCUSED.replace("eve@", "zoe@"), "Nobody here has the address zoe@example.com."),
        (APART + EXCUSED.replace(", ends: 2030-01-31", ""), "This excuse has no `ends`."),
        (APART + EXCUSED.replace("because: Bob reads it, ", ""), "This excuse has no `because`."),
        (APART + EXCUSED.replace("}]", "}, {person: eve@example.com, because: x, ends: 2030-01-31}]"),
         "eve@example.com is excused twice."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(text: str, problem: str) -> None:
    assert problem in problems(FILE + text)


def test_a_matrix_without_separations_has_the_digest_that_it_had() -> None:
    with_one = base(FILE + APART)
    assert replace(with_one, separations={}).digest() == base(FILE).digest() != with_one.digest()


def test_nobody_is_given_what_is_kept_apart() -> None:
    made = plan(FILE + APART, FILE + BOTH + APART)
    (breach,) = made.broken
    assert (breach.person, breach.roles, breach.given) == ("eve", ("dev", "lead"), ("lead",))
    facts = replace(FACTS, matrix=base(FILE + APART))
    refused = apply(facts, read_access(FILE + BOTH + APART), "chg", digest(FILE + BOTH + APART, facts), NOW, BECAUSE)
    assert isinstance(refused, Refused)
    assert refused.code == "change.separated"
    assert "eve@example.com would hold dev and lead (production: Nobody approves what they ask for)." in refused.message


def test_of_many_some_are_named() -> None:
    lines = "".join(
        f"  - {{role: {role}, person: {who}@example.com, because: x}}\n"
        for who in ("ada", "bob", "eve", "max")
        for role in ("lead", "dev")
        if (who, role) != ("max", "lead")
    )
    text = FILE + lines + APART
    refused = apply(FACTS, read_access(text), "chg", digest(text), NOW, BECAUSE)
    assert isinstance(refused, Refused)
    assert refused.message.count("would hold") == 3
    assert refused.message.endswith("; and 1 more.")


def test_by_a_group_as_by_name_and_whoever_changes_over_holds_both_at_no_time() -> None:
    text = FILE.replace("members: [eve@example.com]", "members: [max@example.com]") + APART
    assert [each.given for each in plan(FILE + APART, text).broken] == [("dev",)]
    changed = WITHOUT_DEV + BOTH + APART
    made = plan(FILE + APART, changed)
    assert made.broken == ()
    assert isinstance(applied(changed)[1], Proposed)


def test_what_is_broken_already_may_be_declared_and_left() -> None:
    """A directory fills groups: the file cannot mend that, and must not be held up by it."""
    made = plan(FILE + BOTH, FILE + BOTH + APART)
    assert [each.given for each in made.broken] == [()]
    facts = replace(FACTS, matrix=base(FILE + BOTH))
    kinds, _ = run(
        apply(facts, read_access(FILE + BOTH + APART), "chg", digest(FILE + BOTH + APART, facts), NOW, BECAUSE)
    )
    assert SeparationSet in kinds


def test_whoever_is_excused_may_be_given_both_and_a_second_person_agrees() -> None:
    text = FILE + BOTH + APART + EXCUSED
    made = plan(FILE + APART, text)
    assert (made.broken, made.widens) == ((), True)
    assert [(each.people, each.excused) for each in made.differences if each.excused] == [(("eve",), ("production",))]
    assert make_plan(base(FILE + APART), base(text), "d", UNTIL).broken != ()


def test_to_keep_apart_is_one_persons_and_to_keep_less_apart_two_peoples() -> None:
    assert not plan(FILE, FILE + APART).widens
    assert plan(FILE + APART, FILE).widenings == ("separation production: is removed",)
    three = APART.replace("[lead, dev]", "[lead, dev, admin]")
    assert plan(FILE + three, FILE + APART).widenings == ("separation production: no longer keeps admin apart",)
    assert not plan(FILE + APART, FILE + three).widens
    assert plan(FILE + APART, FILE + APART + EXCUSED).widens
    assert not plan(FILE + APART + EXCUSED, FILE + APART).widens
    sooner = EXCUSED.replace("2030", "2029")
    assert not plan(FILE + APART + EXCUSED, FILE + APART + sooner).widens
    assert plan(FILE + APART + sooner, FILE + APART + EXCUSED).widens
    assert not plan(FILE + APART, FILE + APART + EXCUSED.replace("2030", "2020")).widens


def test_nobody_excuses_themselves() -> None:
    text = FILE + APART + EXCUSED.replace("eve@", "ada@")
    assert applied(text) == ([ChangeRefused], "change.own_gain")
    theirs = FILE + APART + EXCUSED.replace("eve@", "bob@")
    assert approved(theirs, waiting(theirs)) == ([ChangeRefused], "change.own_gain")


def test_an_approval_gives_nobody_what_came_to_be_kept_apart() -> None:
    """The excuse that the plan counted on ended while it waited."""
    text = FILE + BOTH + APART + EXCUSED
    facts = waiting(text)
    assert facts.change is not None
    assert facts.change.proposal is not None
    assert facts.actor is not None
    later = Instant(UNTIL + DAY)
    change = replace(facts.change, proposal=replace(facts.change.proposal, until=later))
    late = replace(facts, change=change, actor=replace(facts.actor, mfa_at=UNTIL, signed_in_until=later))
    kinds, code = run(approve(late, read_access(text), "chg", change.digest, UNTIL))
    assert (kinds, code) == ([ChangeRejected], "change.separated")


def test_what_is_taken_comes_first_and_what_is_kept_apart_before_what_is_given() -> None:
    before: Matrix = base(FILE + APART.replace("production", "old"))
    made = make_plan(before, base(WITHOUT_DEV + BOTH + APART), "d", NOW)
    kinds = [type(each) for each in plan_events(made, "chg", "ada")]
    assert kinds.index(SeparationRemoved) < kinds.index(SeparationSet) < kinds.index(BindingAdded)
    assert BindingEnded not in kinds
    assert [(each.kind, each.how.value) for each in made.objects if each.kind == "separation"] == [
        ("separation", "removed"),
        ("separation", "created"),
    ]
