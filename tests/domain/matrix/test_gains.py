"""Who gains and loses what, held against the decision itself over small random companies."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.domain.access.decision import HeldGrant, Permitted, decide
from onepam.domain.access.model import (
    Action,
    ConsoleRight,
    Mode,
    Permission,
    SubjectKind,
    Substance,
)
from onepam.domain.matrix.ending import access_under
from onepam.domain.matrix.gains import Access
from onepam.domain.matrix.matrix import (
    SOURCE,
    Matrix,
    RoleDefinition,
    Someone,
)
from onepam.domain.matrix.plan import plan_events
from onepam.kernel.clock import DAY, FOREVER, HOUR, Instant, later
from tests.domain.matrices import (
    NOW,
    PROD,
    WEB,
    bind,
    gained,
    matrix,
    plan,
)

LABELS = [{"env": "prod"}, {"env": "dev"}, {"env": "prod", "app": "web"}, {"env": "dev", "app": "web"}]
LOGINS = ["app", "root"]


@st.composite
def permissions(draw: st.DrawFn, name: str) -> Permission:
    mode = draw(st.sampled_from(Mode))
    return Permission(
        name,
        draw(st.sampled_from([(Action.SHELL,), (Action.SHELL, Action.EXEC), (Action.SFTP,)])),
        draw(st.sampled_from([{"env": "prod"}, {"env": "dev"}, {"app": "web"}, {"env": "prod", "app": "web"}])),
        draw(st.sampled_from([("*",), ("app",), ("app", "root"), ("root",)])),
        mode,
        draw(st.sampled_from([HOUR, 4 * HOUR])),
        draw(st.sampled_from([("r0",), ("r1",), ("r0", "r1")])) if mode is Mode.REQUEST else (),
        draw(st.booleans()),
    )


@st.composite
def companies(draw: st.DrawFn) -> Matrix:
    roles = [
        RoleDefinition(
            f"r{number}",
            "works",
            "ada",
            draw(st.sampled_from([(), (ConsoleRight.APPROVE,), (ConsoleRight.ADMINISTER, ConsoleRight.APPROVE)])),
            tuple(draw(permissions(f"p{each}")) for each in range(draw(st.integers(0, 2)))),
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    resources = [
        replace(WEB, resource=f"h{number}", labels=draw(st.sampled_from(LABELS)), logins=draw(
            st.sampled_from([("app",), ("root",), ("app", "root")])))
        for number in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    subjects = [
        (SubjectKind.PERSON, "a"),
        (SubjectKind.PERSON, "b"),
        (SubjectKind.GROUP, "g"),
        (SubjectKind.GROUP, "h"),
    ]
    pairs = draw(
        st.sets(st.tuples(st.sampled_from(roles).map(lambda r: r.role), st.sampled_from(subjects)), max_size=4)
    )
    ends = st.sampled_from([None, later(NOW, DAY), later(NOW, 2 * DAY), Instant(NOW - 1)])
    bindings = [bind(role, subject, kind, draw(ends)) for role, (kind, subject) in sorted(pairs)]
    groups = {name: dict.fromkeys(draw(st.sets(st.sampled_from("abc"))), SOURCE) for name in ("g", "h")}
    return matrix(*roles, *resources, *bindings, groups=groups)


Option = tuple[int, Instant, Mode]
"""How long one session or grant may be, until when the binding holds, and how."""

Ways = dict[tuple[str, str, Action], list[Option]]
"""By resource, login and action."""


def decided(company: Matrix, person: str) -> Ways:
    """What the decision itself gives, asked for each resource, login, binding and permission on its own."""
    found: Ways = defaultdict(list)
    someone = Someone(person, f"{person}@example.com", True, None)
    for resource in company.resources:
        facts = access_under(company, someone, resource, (), NOW)
        for held in facts.roles:
            for permission in held.permissions:
                for login in LOGINS:
                    substance = Substance(
                        person, resource, login, held.role, held.version, permission.name, permission.actions, HOUR
                    )
                    grant = HeldGrant("grt", "req", substance, held.binding, "max", NOW, FOREVER)
                    alone = replace(facts, roles=(replace(held, permissions=(permission,)),), grants=(grant,))
                    verdict = decide(alone, login, NOW)
                    if isinstance(verdict, Permitted):
                        option = (permission.longest, held.ends or FOREVER, permission.mode)
                        for action in verdict.actions:
                            found[resource, login, action].append(option)
    return found


def beaten(option: Option, rivals: Iterable[Option]) -> bool:
    return any(
        rival[0] >= option[0] and rival[1] >= option[1] and (rival[2] is Mode.STANDING or option[2] is Mode.REQUEST)
        for rival in rivals
    )


def better(these: Ways, those: Ways) -> Ways:
    """What of these ways nothing of those matches, without what is matched by another of these."""
    left = {key: [each for each in options if not beaten(each, those.get(key, ()))] for key, options in these.items()}
    return best(left)


def best(ways: Ways) -> Ways:
    reduced = {
        key: sorted({each for each in options if not beaten(each, set(options) - {each})})
        for key, options in ways.items()
    }
    return {key: options for key, options in reduced.items() if options}


def spread(accesses: Iterable[Access]) -> Ways:
    found: Ways = defaultdict(list)
    for each in accesses:
        for resource in each.resources:
            for login in each.logins:
                for action in each.actions:
                    found[resource, login, action].append((each.longest, each.ends or FOREVER, each.mode))
    return best(found)


@given(companies(), companies())
def test_gains_and_losses_are_what_the_decision_says(before: Matrix, after: Matrix) -> None:
    made = plan(before, after)
    found = gained(made)
    for person in "abc":
        had, has = decided(before, person), decided(made.after, person)
        each = found.get(person)
        assert spread(each.gained if each else ()) == better(has, had)
        assert spread(each.lost if each else ()) == better(had, has)
    assert made.widens or not any(each.gains for each in made.differences)


@given(companies(), companies())
def test_a_plan_carried_out_leaves_nothing_to_plan(before: Matrix, wanted: Matrix) -> None:
    made = plan(before, wanted)
    again = plan(made.after, wanted)
    assert (again.objects, again.widens, plan_events(again, "chg_2", None)) == ((), False, ())
    assert bool(made.objects) == bool(plan_events(made, "chg_1", None))


@settings(max_examples=40)
@given(companies(), companies())
def test_one_direction_or_the_other_widens_unless_nothing_of_access_changes(one: Matrix, other: Matrix) -> None:
    there, back = plan(one, other), plan(other, one)
    if there.differences:
        assert there.widens or back.widens


def test_five_thousand_people_and_ten_thousand_resources_cost_what_their_classes_cost() -> None:
    hosts = [
        replace(WEB, resource=f"h{number}", labels={"env": ("prod", "dev")[number % 2], "app": f"a{number % 50}"})
        for number in range(10_000)
    ]
    roles = [
        RoleDefinition(f"r{number}", "works", "ada", (), (replace(PROD, where={"app": f"a{number}"}),))
        for number in range(50)
    ]
    groups = {f"g{number}": {f"p{each}": SOURCE for each in range(number, 5_000, 50)} for number in range(50)}
    bindings = [bind(f"r{number}", f"g{number}", SubjectKind.GROUP) for number in range(50)]
    before = matrix(*hosts, *roles, *bindings, groups=groups)
    wider = [replace(each, permissions=(replace(each.permissions[0], longest=5 * HOUR),)) for each in roles]
    made = plan(before, matrix(*hosts, *wider, *bindings, groups=groups))
    assert len(made.differences) == 50
    assert sum(len(each.people) * len(each.gained[0].resources) for each in made.differences) == 5_000 * 200
