"""What a review is of: every role that somebody holds, once, whatever the ways."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.model import ConsoleRight, Mode, SubjectKind
from onepam.domain.matrix.matrix import Matrix, RoleDefinition, Someone
from onepam.domain.reviews.events import Scope
from onepam.domain.reviews.population import Item, Way, digest, held_in, is_beyond, is_privileged, population
from onepam.kernel.clock import DAY, Instant
from tests.domain.matrices import BASE, DEV, LEAD, NOW, PROD, WEB, bind, matrix

GROUP = SubjectKind.GROUP
TEST = replace(PROD, name="test", where={"env": "test"}, administrative=False, mode=Mode.STANDING, approvers=())
TESTER = RoleDefinition("tester", "tests", "ada", (), (TEST,))
LAB = replace(WEB, resource="lab", labels={"env": "test"})
EVERYBODY = tuple(Someone(each, f"{each}@example.com", True, None) for each in ("ada", "eve", "max"))


def of(made: Matrix, scope: Scope | None = None, people: tuple[Someone, ...] = EVERYBODY) -> list[tuple[str, str]]:
    return [(each.person, each.role) for each in population(made, people, scope or Scope(), NOW)]


def test_one_item_for_a_person_and_a_role_with_all_the_ways_to_it() -> None:
    direct, team = bind("dev", "eve"), bind("dev", "team", GROUP)
    made = matrix(WEB, DEV, direct, team, groups={"team": {"eve": "access.yaml", "max": "scim:okta"}})
    ways = tuple(sorted((Way(direct.binding, ""), Way(team.binding, "team"))))
    assert population(made, EVERYBODY, Scope(), NOW) == (
        Item("eve", "dev", DEV.version(), ways, True),
        Item("max", "dev", DEV.version(), (Way(team.binding, "team"),), True),
    )


def test_whoever_is_not_here_what_has_ended_and_what_gives_nothing_is_none() -> None:
    gone = (replace(EVERYBODY[1], enabled=False), replace(EVERYBODY[2], ends=NOW))
    assert of(BASE, people=gone) == []
    assert of(matrix(WEB, DEV, bind("dev", "eve", ends=NOW), bind("dev", "max", ends=Instant(NOW + DAY)))) == [
        ("max", "dev")
    ]
    assert of(matrix(WEB, bind("dev", "eve"))) == []  # there is no such role
    assert of(replace(BASE, withheld=frozenset({("eve", "dev")}))) == [("max", "lead")]


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (Scope(), ["dev", "lead", "tester"]),
        (Scope(roles=("dev",)), ["dev"]),
        (Scope(people=("max",)), ["lead"]),
        (Scope(privileged=True), ["dev", "lead"]),
        (Scope(resources=("lab",)), ["tester"]),
        (Scope(resources=("lab", "web")), ["dev", "tester"]),
        (Scope(resources=("nowhere",)), []),
    ],
)
def test_a_scope_narrows_it(scope: Scope, found: list[str]) -> None:
    made = matrix(WEB, LAB, DEV, LEAD, TESTER, bind("dev", "eve"), bind("lead", "max"), bind("tester", "eve"))
    assert sorted(role for _, role in of(made, scope)) == found


def test_what_is_privileged_of_a_role() -> None:
    assert is_privileged((PROD,), ())
    assert is_privileged((), (ConsoleRight.AUDIT,))
    assert is_privileged((replace(TEST, administrative=True),), ())
    assert is_privileged((replace(TEST, where={"app": "shop"}),), ())  # production may come
    assert not is_privileged((TEST,), ())


def test_the_digest_is_of_who_holds_what_by_which_way_and_of_what_there_is_to_reach() -> None:
    """The known answer binds the form: what it was once it is for ever."""
    items = population(BASE, EVERYBODY, Scope(), NOW)
    found = digest(items, BASE)
    assert found == "7c24a760cd360030ee998fc8fb5b9d973e74a6a1620bfbff24f108b7a6ef6965"
    others = (
        digest(items[:1], BASE),
        digest((replace(items[0], version="v2"), *items[1:]), BASE),
        digest((replace(items[0], ways=(Way("bnd_x", ""),)), *items[1:]), BASE),
        digest(items, replace(BASE, resources={"web": replace(WEB, logins=("app",))})),
        digest(items, replace(BASE, resources={"web": replace(WEB, labels={"env": "dev"})})),
    )
    assert len({found, *others}) == 6


NAMES = st.sampled_from(["ada", "eve", "max"])


@given(
    st.lists(st.tuples(st.sampled_from(["dev", "lead"]), NAMES), max_size=6),
    st.dictionaries(NAMES, st.just("access.yaml")),
    st.sets(st.tuples(NAMES, st.sampled_from(["dev", "lead"]))),
)
def test_every_access_is_in_it_once_and_nothing_else(
    bound: list[tuple[str, str]], members: dict[str, str], withheld: set[tuple[str, str]]
) -> None:
    direct = (bind(role, who) for role, who in bound)
    made = matrix(WEB, DEV, LEAD, bind("dev", "team", GROUP), *direct, groups={"team": members})
    made = replace(made, withheld=frozenset(withheld))
    held = ({(who, role) for role, who in bound} | {(who, "dev") for who in members}) - withheld
    assert of(made) == sorted(held)


LISTED = [("eve", "system:payroll", Way("lac_1", "read")), ("eve", "system:payroll", Way("lac_1", "approve"))]
SALES, OPS = Way("", "directory:Sales"), Way("", "directory:Ops")
BEYOND = held_in([*LISTED, ("max", "scim:okta", SALES), ("eve", "scim:okta", OPS), ("gus", "system:payroll", SALES)])


def beyond(made: Matrix, scope: Scope) -> list[tuple[str, str]]:
    return [(each.person, each.role) for each in population(made, EVERYBODY, scope, NOW, BEYOND)]


def test_what_is_held_in_other_systems_is_an_item_but_for_groups_that_roles_are_bound_to() -> None:
    made = matrix(WEB, DEV, bind("dev", "eve"), bind("dev", "directory:Ops", GROUP))
    assert population(made, EVERYBODY, Scope(), NOW, BEYOND)[1:] == (
        Item("eve", "system:payroll", "", (Way("lac_1", "approve"), Way("lac_1", "read")), False),
        Item("max", "scim:okta", "", (SALES,), False),
    )
    for made in (
        matrix(WEB, DEV, bind("dev", "directory:Ops", GROUP, ends=NOW)),
        matrix(WEB, DEV, bind("dev", "directory:Ops")),
        matrix(WEB, bind("dev", "directory:Ops", GROUP)),  # there is no such role
    ):
        assert ("eve", "scim:okta") in beyond(made, Scope())
    assert [each.role for each in population(BASE, EVERYBODY, Scope(), NOW, BEYOND) if is_beyond(each.role)] == [
        "scim:okta", "system:payroll", "scim:okta",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (Scope(systems=("system:payroll",)), [("eve", "system:payroll")]),
        (Scope(systems=("scim:okta",), people=("max",)), [("max", "scim:okta")]),
        (Scope(people=("max",)), [("max", "lead"), ("max", "scim:okta")]),
        (Scope(roles=("dev",)), [("eve", "dev")]),
        (Scope(resources=("web",)), [("eve", "dev")]),
        (Scope(privileged=True), [("eve", "dev"), ("max", "lead")]),
        (Scope(roles=("dev",), systems=("scim:okta",)), []),
    ],
)
def test_a_scope_is_of_systems_or_of_roles(scope: Scope, found: list[tuple[str, str]]) -> None:
    made = matrix(WEB, DEV, LEAD, bind("dev", "eve"), bind("lead", "max"))
    assert beyond(made, scope) == found
