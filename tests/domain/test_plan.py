"""The plan of a change: what it does to whom (held against the decision), and what needs a second person."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.domain.access import (
    Action,
    BindingAdded,
    BindingEnded,
    ConsoleRight,
    Mode,
    Permission,
    ResourceKind,
    ResourceRemoved,
    ResourceSet,
    RoleRemoved,
    RoleSet,
    SubjectKind,
)
from onepam.domain.decision import HeldGrant, Permitted, decide
from onepam.domain.ending import access_under
from onepam.domain.gains import Access, Difference
from onepam.domain.matrix import (
    SOURCE,
    BindingDefinition,
    Matrix,
    ResourceDefinition,
    RoleDefinition,
    Someone,
    binding_id,
)
from onepam.domain.people import GroupMemberAdded, GroupMemberRemoved
from onepam.domain.plan import How, ObjectChange, Plan, make_plan, plan_events
from onepam.domain.requests import Substance
from onepam.kernel.clock import DAY, FOREVER, HOUR, Instant, later

NOW = Instant(1_750_000_000_000_000)
DOCUMENT = "ab" * 32

PROD = Permission("prod", (Action.SHELL,), {"env": "prod"}, ("app",), Mode.REQUEST, 4 * HOUR, ("lead",), True)
LEAD = RoleDefinition("lead", "leads", "ada", (ConsoleRight.APPROVE,), ())
DEV = RoleDefinition("dev", "develops", "ada", (), (PROD,))
WEB = ResourceDefinition("web", ResourceKind.SSH, "web.example", 22, {"env": "prod"}, "ada", ("app", "root"), ("key",))


def bind(
    role: str, subject: str, kind: SubjectKind = SubjectKind.PERSON, ends: Instant | None = None
) -> BindingDefinition:
    return BindingDefinition(binding_id(role, kind, subject), role, kind, subject, ends, "works here")


def matrix(
    *parts: ResourceDefinition | RoleDefinition | BindingDefinition, groups: dict[str, dict[str, str]] | None = None
) -> Matrix:
    return Matrix(
        groups=groups or {},
        resources={each.resource: each for each in parts if isinstance(each, ResourceDefinition)},
        roles={each.role: each for each in parts if isinstance(each, RoleDefinition)},
        bindings={each.binding: each for each in parts if isinstance(each, BindingDefinition)},
    )


BASE = matrix(WEB, DEV, LEAD, bind("dev", "eve"), bind("lead", "max"))


def with_permission(**changes: object) -> Matrix:
    """The base with its one permission changed."""
    changed = replace(PROD, **changes)  # type: ignore[arg-type]
    return replace(BASE, roles={**BASE.roles, "dev": replace(DEV, permissions=(changed,))})


def with_web(**changes: object) -> Matrix:
    """The base with its one resource changed."""
    return replace(BASE, resources={"web": replace(WEB, **changes)})  # type: ignore[arg-type]


def with_binding(ends: Instant | None) -> Matrix:
    """The base with a date on eve's binding."""
    bound = bind("dev", "eve", ends=ends)
    return replace(BASE, bindings={**BASE.bindings, bound.binding: bound})


def plan(before: Matrix, after: Matrix, now: Instant = NOW) -> Plan:
    return make_plan(before, after, DOCUMENT, now)


def gained(made: Plan) -> dict[str, Difference]:
    return {person: each for each in made.differences for person in each.people}


def test_what_is_already_so_changes_nothing() -> None:
    made = plan(BASE, BASE)
    assert (made.objects, made.differences, made.widenings, made.widens) == ((), (), (), False)
    assert plan_events(made, "chg_1", "ada") == ()
    assert made.summary() == "nothing changes; gain: 0, lose: 0"


def test_the_digest_binds_base_file_and_result() -> None:
    digests = {
        plan(BASE, BASE).digest,
        plan(with_web(port=23), BASE).digest,
        plan(BASE, with_web(port=23)).digest,
        make_plan(BASE, BASE, "cd" * 32, NOW).digest,
    }
    assert len(digests) == 4
    assert plan(BASE, with_web(port=23)).digest == plan(BASE, with_web(port=23)).digest


def test_everything_at_once_from_nothing_and_back() -> None:
    whole = replace(BASE, groups={"team": {"eve": SOURCE}, "none": {}})
    made = plan(matrix(), whole)
    assert [(each.kind, each.name, each.how) for each in made.objects] == [
        ("group", "team", How.CREATED),
        ("resource", "web", How.CREATED),
        ("role", "dev", How.CREATED),
        ("role", "lead", How.CREATED),
        *(("binding", key, How.CREATED) for key in sorted(BASE.bindings)),
    ]
    assert [type(each) for each in plan_events(made, "chg_1", None)] == [
        ResourceSet, RoleSet, RoleSet, GroupMemberAdded, BindingAdded, BindingAdded,
    ]  # fmt: skip
    eve, lead = gained(made)["eve"], gained(made)["max"]
    assert eve.gained == (Access(("web",), ("app",), (Action.SHELL,), Mode.REQUEST, 4 * HOUR, None, "dev", "prod"),)
    assert (lead.console_gained, lead.approves_gained) == ((ConsoleRight.APPROVE,), ("dev/prod",))
    assert made.gained_by("eve") == eve
    assert made.gained_by("ada") is None
    assert made.summary() == "1 group created, 1 resource created, 2 role created, 2 binding created; gain: 2, lose: 0"

    back = plan(whole, matrix())
    assert not back.widens
    assert [type(each) for each in plan_events(back, "chg_2", "ada")] == [
        BindingEnded, BindingEnded, GroupMemberRemoved, RoleRemoved, RoleRemoved, ResourceRemoved,
    ]  # fmt: skip
    assert gained(back)["eve"].lost == eve.gained
    assert back.gained_by("eve") is None
    assert gained(back)["max"].approves_lost == ("dev/prod",)
    assert gained(back)["max"].console_lost == (ConsoleRight.APPROVE,)


def test_the_objects_say_which_fields_change() -> None:
    before = replace(BASE, groups={"team": {"eve": SOURCE, "old": SOURCE}})
    after = replace(with_web(port=23), groups={"team": {"eve": SOURCE, "new": SOURCE}})
    assert plan(before, after).objects == (
        ObjectChange("group", "team", How.CHANGED, ("+new", "-old")),
        ObjectChange("resource", "web", How.CHANGED, ("port",)),
    )
    gone = replace(BASE, groups={})
    assert plan(before, gone).objects == (ObjectChange("group", "team", How.REMOVED, ("-eve", "-old")),)


def test_what_other_sources_put_there_stays() -> None:
    foreign = replace(bind("dev", "zoe"), binding="bnd_scim", source="scim")
    before = replace(BASE, groups={"team": {"eve": "scim"}, "own": {"eve": SOURCE}}, bindings={"bnd_scim": foreign})
    wanted = replace(BASE, groups={"team": {"eve": SOURCE, "max": SOURCE}}, bindings={})
    made = plan(before, wanted)
    assert made.after.groups == {"team": {"eve": "scim", "max": SOURCE}}
    assert made.after.bindings == {"bnd_scim": foreign}
    without = plan(before, replace(wanted, roles={"lead": LEAD}))
    assert without.after.bindings == {}
    assert BindingEnded("bnd_scim", "role.removed", "chg_1", "ada") in plan_events(without, "chg_1", "ada")


def test_a_binding_with_another_date() -> None:
    key = bind("dev", "eve").binding
    shorter = plan(BASE, with_binding(later(NOW, DAY)))
    assert not shorter.widens
    ended, added = plan_events(shorter, "chg_1", "ada")
    assert ended == BindingEnded(key, "binding.shortened", "chg_1", "ada")
    assert isinstance(added, BindingAdded)
    assert added.ends == NOW + DAY
    assert gained(shorter)["eve"].lost[0].ends is None
    longer = plan(with_binding(later(NOW, DAY)), with_binding(later(NOW, 2 * DAY)))
    assert longer.widenings == ("binding of dev to person eve: ends later",)
    assert [type(each) for each in plan_events(longer, "chg_1", "ada")] == [BindingAdded]
    assert gained(longer)["eve"].gained[0].ends == NOW + 2 * DAY
    assert plan(with_binding(later(NOW, DAY)), BASE).widens


def test_a_binding_that_is_over_gives_nothing_and_is_not_begun() -> None:
    over = with_binding(Instant(NOW - 1))
    assert [each.what for each in plan(BASE, over).objects] == [("ends",)]
    assert gained(plan(BASE, over))["eve"].lost
    assert plan(over, over).objects == ()
    without = replace(BASE, bindings={})
    assert {each.role for each in plan(without, over).after.bindings.values()} == {"lead"}


WIDER = [
    ({"actions": (Action.SHELL, Action.SFTP)}, "prod allows sftp too"),
    ({"where": {"env": "dev"}}, "prod selects other resources"),
    ({"logins": ("app", "root")}, "prod allows the logins root too"),
    ({"logins": ("*",)}, "prod allows the logins * too"),
    ({"longest": 5 * HOUR}, "prod lasts longer"),
    ({"mode": Mode.STANDING, "approvers": ()}, "prod needs no request any more"),
    ({"approvers": ("lead", "dev")}, "prod is approved by other roles"),
    ({"approvers": ()}, "prod is approved by other roles"),
    ({"administrative": False}, "prod is no longer marked administrative"),
    ({"name": "other"}, "gets the permission other"),
]
NARROWER = [
    {"where": {"env": "prod", "app": "shop"}}, {"longest": HOUR}, {"actions": ()}, {"logins": ()},
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), WIDER, ids=[each[1] for each in WIDER])
def test_a_wider_permission_needs_a_second_person_even_where_nobody_holds_it(
    changes: dict[str, object], sentence: str
) -> None:
    assert plan(BASE, with_permission(**changes)).widenings == (f"role dev: {sentence}",)
    made = plan(replace(BASE, bindings={}), replace(with_permission(**changes), bindings={}))
    assert made.widens
    assert not made.differences


@pytest.mark.parametrize("changes", NARROWER, ids=str)
def test_a_narrower_permission_needs_nobody(changes: dict[str, object]) -> None:
    made = plan(BASE, with_permission(**changes))
    assert not made.widens
    assert gained(made)["eve"].lost


def test_what_is_as_wide_as_before_needs_nobody() -> None:
    star = with_permission(logins=("*",))
    assert not plan(star, BASE).widens
    standing = with_permission(mode=Mode.STANDING, approvers=())
    assert not plan(standing, BASE).widenings
    assert plan(standing, BASE).gained_by("eve") is None
    marked = with_permission(administrative=False)
    assert not plan(marked, BASE).widens
    assert not plan(BASE, replace(BASE, roles={**BASE.roles, "lead": replace(LEAD, purpose="x", owner="bob")})).widens


REPOINTED = [
    ({"address": "evil.example"}, "has another address"),
    ({"port": 2222}, "has another address"),
    ({"host_keys": ("other",)}, "has other host keys"),
    ({"host_keys": ()}, "has other host keys"),
    ({"labels": {"env": "dev"}}, "has other labels"),
    ({"logins": ("app", "root", "db")}, "offers the logins db too"),
]


@pytest.mark.parametrize(("changes", "sentence"), REPOINTED, ids=str)
def test_pointing_a_resource_elsewhere_needs_a_second_person(changes: dict[str, object], sentence: str) -> None:
    assert plan(BASE, with_web(**changes)).widenings == (f"resource web: {sentence}",)


def test_a_new_resource_or_role_that_reaches_nobody_needs_nobody() -> None:
    new = replace(WEB, resource="dev-1", labels={"env": "dev"})
    other = RoleDefinition("other", "idles", "ada", (), (replace(PROD, mode=Mode.STANDING, approvers=()),))
    made = plan(BASE, replace(BASE, resources={"web": WEB, "dev-1": new}, roles={**BASE.roles, "other": other}))
    assert not made.widens
    assert not plan(BASE, with_web(logins=("app",), owner="bob")).widens
    reached = replace(new, labels={"env": "prod"})
    assert plan(BASE, replace(BASE, resources={"web": WEB, "dev-1": reached})).gained_by("eve") is not None


def test_console_rights_bindings_and_members_need_a_second_person() -> None:
    rights = replace(
        BASE, roles={**BASE.roles, "lead": replace(LEAD, console=(ConsoleRight.APPROVE, ConsoleRight.AUDIT))}
    )
    made = plan(BASE, rights)
    assert made.widenings == ("role lead: gets the console right audit",)
    assert gained(made)["max"].console_gained == (ConsoleRight.AUDIT,)
    bound = bind("lead", "team", SubjectKind.GROUP)
    empty = plan(BASE, replace(BASE, bindings={**BASE.bindings, bound.binding: bound}))
    assert empty.widenings == ("binding of lead to group team: is new",)
    assert not empty.differences
    member = replace(empty.after, groups={"team": {"eve": SOURCE}})
    assert plan(empty.after, member).gained_by("eve") is not None


def test_two_ways_to_the_same_access_are_no_gain() -> None:
    standing = replace(PROD, name="all", mode=Mode.STANDING, longest=8 * HOUR, approvers=())
    operator = RoleDefinition("operator", "operates", "ada", (), (standing,))
    both = matrix(WEB, DEV, LEAD, operator, bind("operator", "eve"), bind("lead", "max"))
    more = replace(both, bindings={**both.bindings, **matrix(bind("dev", "eve")).bindings})
    made = plan(both, more)
    assert not made.differences
    assert made.widenings == ("binding of dev to person eve: is new",)


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
