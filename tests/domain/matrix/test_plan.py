"""The plan of a change: what it does to whom (held against the decision), and what needs a second person."""

from dataclasses import replace

import pytest

from onepam.domain.access.asked import OWNER
from onepam.domain.access.events import BindingAdded, BindingEnded, ResourceRemoved, ResourceSet, RoleRemoved, RoleSet
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import Action, ConsoleRight, MfaRule, Mode, Recording, SubjectKind
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.matrix.gains import Access
from onepam.domain.matrix.matrix import (
    SOURCE,
    RoleDefinition,
)
from onepam.domain.matrix.plan import How, ObjectChange, make_plan, plan_events
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant, later
from tests.domain.matrices import (
    BASE,
    DEV,
    LEAD,
    NOW,
    PROD,
    WEB,
    bind,
    gained,
    matrix,
    plan,
    with_binding,
    with_permission,
    with_web,
)


def test_what_is_already_so_changes_nothing() -> None:
    made = plan(BASE, BASE)
    assert (made.objects, made.differences, made.widenings, made.widens) == ((), (), (), False)
    assert plan_events(made, "chg_1", "ada") == ()
    assert made.summary() == "nothing changes; gain: 0, lose: 0"


def test_what_would_come_back_wider_takes_a_second_person_though_nobody_gains_now() -> None:
    """Else one who decides in a review removes, widens what is withheld alone, and keeps."""
    taken = replace(BASE, withheld=frozenset({("eve", "dev")}))
    another = replace(taken, resources={**taken.resources, "far": replace(WEB, resource="far")})
    made = plan(taken, another)
    assert [each for each in made.differences if each.gains and "eve" in each.people] == []
    assert made.widenings == ("what a review withholds from somebody: would give more once it is theirs again",)
    assert plan(taken, with_web(port=23)).widenings == plan(BASE, with_web(port=23)).widenings
    assert plan(taken, taken).widenings == ()
    elsewhere = replace(taken, withheld=frozenset({("nobody", "dev")}))
    assert plan(elsewhere, replace(another, withheld=elsewhere.withheld)).widenings == ()


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
    assert eve.gained == (
        Access(
            ("web",), ("app",), (Action.SHELL,), Mode.REQUEST, 4 * HOUR, None, "dev", "prod", "read; at most 10 rows"
        ),
    )
    assert (lead.console_gained, lead.approves_gained) == ((ConsoleRight.APPROVE,), ("dev/prod",))
    assert made.gained_by("eve") == eve
    assert made.gained_by("ada") is None
    created = "1 group created, 1 resource created, 2 roles created, 2 bindings created"
    assert made.summary() == f"{created}; gain: 2, lose: 0"

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
    ({"recording": Recording.HEAD_TAIL}, "prod keeps less of its commands' output"),
    (
        {"guardrails": Guardrails((StatementClass.READ, StatementClass.DDL), 10)},
        "prod has wider guardrails, or none any more",
    ),
    ({"guardrails": Guardrails((StatementClass.READ,), 11)}, "prod has wider guardrails, or none any more"),
    ({"guardrails": Guardrails((StatementClass.READ,), 10, wait=HOUR)}, "prod has wider guardrails, or none any more"),
    ({"guardrails": None}, "prod has wider guardrails, or none any more"),
    ({"name": "other"}, "gets the permission other"),
]
NARROWER = [
    {"where": {"env": "prod", "app": "shop"}}, {"longest": HOUR}, {"actions": ()}, {"logins": ()},
    {"guardrails": Guardrails((StatementClass.READ,), 9)},
    {"guardrails": Guardrails((StatementClass.READ,), 10, bytes=1 << 40)},
    {"guardrails": Guardrails((StatementClass.READ,), 10, wait=MINUTE)},
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), WIDER, ids=[each[1] for each in WIDER])
def test_a_wider_permission_needs_a_second_person_even_where_nobody_holds_it(
    changes: dict[str, object], sentence: str
) -> None:
    assert plan(BASE, with_permission(**changes)).widenings == (f"role dev: {sentence}",)
    made = plan(replace(BASE, bindings={}), replace(with_permission(**changes), bindings={}))
    assert made.widens
    assert not made.differences


def test_a_selector_that_selected_nothing_is_wider_with_anything_in_it() -> None:
    nothing = with_permission(where={})
    assert plan(nothing, BASE).widenings == ("role dev: prod selects other resources",)
    assert plan(nothing, nothing).widenings == ()


def test_to_keep_more_of_the_output_needs_nobody() -> None:
    assert plan(BASE, with_permission(recording=Recording.WHOLE)).widenings == ()


@pytest.mark.parametrize("changes", NARROWER, ids=str)
def test_a_narrower_permission_needs_nobody(changes: dict[str, object]) -> None:
    made = plan(BASE, with_permission(**changes))
    assert not made.widens
    assert gained(made)["eve"].lost


def test_a_gain_says_which_statements_pass_and_which_once_somebody_has_said_yes() -> None:
    reads = Guardrails((StatementClass.READ,))
    asks = Guardrails((StatementClass.READ, StatementClass.ASK_WRITE))
    made = plan(with_permission(guardrails=reads), with_permission(guardrails=asks))
    assert [each.passes for each in gained(made)["eve"].gained] == ["read; write once somebody has said yes"]
    assert [each.passes for each in gained(made)["eve"].lost] == []
    new = plan(replace(BASE, resources={}), replace(BASE, resources={"web": replace(WEB, mask=Mask(("email",)))}))
    assert [each.what for each in new.objects if each.kind == "resource"] == [("mask: columns email",)]
    back = plan(replace(BASE, resources={"web": replace(WEB, mask=Mask(("email",)))}), replace(BASE, resources={}))
    assert [each.what for each in back.objects if each.kind == "resource"] == [()]


def test_wider_guardrails_are_a_gain_for_whoever_holds_the_role() -> None:
    wider = with_permission(guardrails=None)
    assert gained(plan(BASE, wider))["eve"].gained
    assert gained(plan(wider, BASE))["eve"].lost
    assert not gained(plan(wider, BASE))["eve"].gains


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
    ({"pins": ("other",)}, "has other host keys"),
    ({"pins": ()}, "has other host keys"),
    ({"labels": {"env": "dev"}}, "has other labels"),
    ({"logins": ("app", "root", "db")}, "offers the logins db too"),
    ({"environment": ("LANG", "TZ")}, "lets the environment variables TZ through too"),
]


def test_easing_a_rule_of_the_second_factor_needs_a_second_person_and_tightening_it_nobody() -> None:
    strict = with_web(mfa=MfaRule(HOUR, True, True))
    eased = plan(strict, with_web(mfa=MfaRule(2 * HOUR, True, True)))
    assert eased.widenings == ("resource web: takes older second factors",)
    assert len(plan(strict, BASE).widenings) == 3
    tightened = plan(BASE, strict)
    assert not tightened.widens
    assert tightened.objects == (ObjectChange("resource", "web", How.CHANGED, ("mfa",)),)
    (event,) = plan_events(tightened, "chg_1", "ada")
    assert isinstance(event, ResourceSet)
    assert event.mfa == MfaRule(HOUR, True, True)


def test_masking_less_and_recording_more_of_results_needs_a_second_person_and_the_other_way_nobody() -> None:
    strict = with_web(mask=Mask(("card", "email")), results=Results(1, 1024))
    eased = plan(strict, with_web(mask=Mask(("email",)), results=Results(2, 1024)))
    assert eased.widenings == ("resource web: masks less", "resource web: has more of its results recorded")
    tightened = plan(with_web(results=Results(1, 1024)), with_web(mask=Mask(("card",))))
    assert not tightened.widens
    (event,) = plan_events(tightened, "chg_1", "ada")
    assert isinstance(event, ResourceSet)
    assert (event.mask, event.results) == (Mask(("card",)), None)


def test_other_users_for_sessions_need_a_second_person() -> None:
    users = SessionUsers("owner", {"app": "readers"})
    for was, now in ((None, users), (users, None), (users, replace(users, member_of={"app": "writers"}))):
        made = plan(with_web(session_users=was), with_web(session_users=now))
        assert made.widenings == ("resource web: makes other users for its sessions, or by another account",)
        (event,) = plan_events(made, "chg_1", "ada")
        assert isinstance(event, ResourceSet)
        assert event.session_users == now


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


def test_who_decides_as_an_owner_gains_by_owning() -> None:
    """Whoever is given a resource whose owner approves is given the authority to approve: it takes two."""
    asked = replace(BASE, roles={**BASE.roles, "dev": replace(DEV, permissions=(replace(PROD, approvers=(OWNER,)),))})
    given = replace(asked, resources={"web": replace(WEB, owner="max")})
    made = plan(asked, given)
    assert made.widens
    assert [(each.people, each.approves_gained, each.approves_lost) for each in made.differences] == [
        (("max",), ("dev/prod",), ()),
    ]
    assert made.gained_by("max") is not None
    assert plan(given, given).differences == ()
    back = plan(given, asked)
    assert (back.widens, [each.approves_lost for each in back.differences]) == (False, [("dev/prod",)])
    another = replace(given, resources={**given.resources, "far": replace(WEB, resource="far", owner="max")})
    assert [each.approves_gained for each in plan(given, another).differences if each.people == ("max",)] == [
        ("dev/prod",)
    ]
    assert not plan(given, replace(given, resources={"web": replace(given.resources["web"], port=2222)})).differences
    for other in (
        replace(BASE, resources={"web": replace(WEB, owner="max")}),  # nobody asks the owner
        replace(asked, resources={"web": replace(WEB, owner="eve")}),  # who does not approve
    ):
        assert not plan(replace(other, resources=BASE.resources), other).widens
    elsewhere = replace(given, resources={"web": replace(WEB, labels={"env": "dev"}, owner="max")})
    assert all(not each.approves_gained for each in plan(asked, elsewhere).differences)
