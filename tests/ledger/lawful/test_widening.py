"""What a change of the roles widens takes two people, whatever the change says of itself; and nobody gains by their own
word. Each way to widen is tried alone and by two; what narrows is tried alone."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.events import BindingEnded, ResourceRemoved, RoleRemoved
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import Action, ConsoleRight, MfaRule, Mode, Permission, Recording
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.matrix.events import ChangeApplied, ChangeApproved, ChangeProposed
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, HOUR, Instant
from tests.ledger.lawful.story import ALL, DEV, PROD, ROOT, Story, binding, resource_set, role_set

ALONE = "and nobody else had approved the change"
READS = Permission(
    "reads",
    (Action.QUERY,),
    {"x": "y"},
    ("app",),
    Mode.STANDING,
    HOUR,
    guardrails=Guardrails((StatementClass.READ,), 9, 9),
)
LESS = replace(PROD, actions=(Action.SHELL,), where={"env": "prod", "team": "a"}, longest=HOUR)


USERS = SessionUsers("owner", {"app": "readers"})
MASK = Mask(("card", "customers.email"), (r"\d{16}",))


def company() -> Story:
    """The founding, with a group that nobody is bound to, and a resource that nobody reaches; ada and bob are here."""
    told = Story().found()
    told.change(
        "chg_1",
        None,
        role_set("engineer", [DEV, PROD]),
        role_set("narrow", [replace(LESS, recording=None)]),
        role_set("strict", [replace(ROOT, name="root", logins=("app",), recording=Recording.WHOLE)]),
        role_set("guarded", [READS]),
        lone(),
        GroupMemberAdded("crew", "joe", "access.yaml", None),
        GroupMemberAdded("crew", "eve", "access.yaml", None),
        role_set("idle", [replace(LESS, where={})]),
        binding("bnd_crew", "narrow", "crew", group=True),
        binding("bnd_short", "narrow", "joe", Instant(told.at() + DAY)),
    )
    for who in ("ada", "bob"):
        told.enrol(who)
    for who in ("ada", "bob"):
        told.sign_in(who)
    assert told.said() == []
    return told


def lone(**other: Any) -> object:
    """The lone resource with something altered."""
    mfa = MfaRule(HOUR, phishing_resistant=True, fresh=True)
    masked = replace(resource_set("lone", {"team": "x"}, mfa=mfa), mask=MASK, results=Results(10, 1024))
    return replace(masked, **other)


WIDER = {
    "a right": (role_set("manager", (), (ConsoleRight.APPROVE, ConsoleRight.AUDIT)), "gives the right to audit"),
    "a permission": (role_set("narrow", [DEV, LESS]), "gives the permission dev"),
    "an action": (role_set("narrow", [replace(LESS, actions=ALL)]), "gives more by the permission prod"),
    "a selector": (role_set("narrow", [replace(LESS, where={"env": "prod"})]), "gives more by the permission prod"),
    "a selector of something": (role_set("idle", [LESS]), "gives more by the permission prod"),
    "a login": (role_set("narrow", [replace(LESS, logins=("app", "root"))]), "gives more by the permission prod"),
    "every login": (role_set("narrow", [replace(LESS, logins=("*",))]), "gives more by the permission prod"),
    "longer": (role_set("narrow", [replace(LESS, longest=2 * HOUR)]), "gives more by the permission prod"),
    "standing": (role_set("narrow", [replace(LESS, mode=Mode.STANDING)]), "gives more by the permission prod"),
    "approvers": (role_set("narrow", [replace(LESS, approvers=("senior",))]), "gives more by the permission prod"),
    "unmarked": (
        role_set("strict", [replace(ROOT, logins=("app",), administrative=False, recording=Recording.WHOLE)]),
        "gives more by the permission root",
    ),
    "kept less": (role_set("strict", [replace(ROOT, logins=("app",))]), "gives more by the permission root"),
    "a class of statements": (
        role_set("guarded", [replace(READS, guardrails=Guardrails((StatementClass.READ, StatementClass.DDL), 9, 9))]),
        "gives more by the permission reads",
    ),
    "more rows": (
        role_set("guarded", [replace(READS, guardrails=Guardrails((StatementClass.READ,), None, 9))]),
        "gives more by the permission reads",
    ),
    "more time": (
        role_set("guarded", [replace(READS, guardrails=Guardrails((StatementClass.READ,), 9, 10))]),
        "gives more by the permission reads",
    ),
    "no guardrails": (
        role_set("guarded", [replace(READS, guardrails=None)]),
        "gives more by the permission reads",
    ),
    "a pin": (lone(pins=("ssh-ed25519 B",)), "opens what the target is known by"),
    "a port": (lone(port=2222), "opens what the target is known by"),
    "labels": (lone(labels={"team": "y"}), "opens its labels"),
    "logins": (lone(logins=("app", "root", "db")), "opens its logins"),
    "less masked": (lone(mask=Mask(("card",), MASK.patterns)), "opens what of its data is masked"),
    "a table's only": (
        lone(mask=replace(MASK, columns=("pay.card", *MASK.columns[1:]))),
        "opens what of its data is masked",
    ),
    "no pattern": (lone(mask=Mask(MASK.columns)), "opens what of its data is masked"),
    "no mask": (lone(mask=None), "opens what of its data is masked"),
    "more rows kept": (lone(results=Results(11, 1024)), "opens what of its results is recorded"),
    "more bytes kept": (lone(results=Results(10, 1025)), "opens what of its results is recorded"),
    "other users": (lone(session_users=USERS), "opens what users are made for its sessions"),
    "variables": (lone(environment=("LANG", "LC_*", "TZ")), "opens the variables that it takes"),
    "older factors": (lone(mfa=MfaRule(2 * HOUR, True, True)), "opens the second factor that it asks"),
    "what is phished": (lone(mfa=MfaRule(HOUR, False, True)), "opens the second factor that it asks"),
    "an old factor": (lone(mfa=MfaRule(HOUR, True, False)), "opens the second factor that it asks"),
    "no rule": (lone(mfa=None), "opens the second factor that it asks"),
    "a binding": (binding("bnd_new", "narrow", "max"), "gives somebody a role, or for longer"),
    "a later end": (
        binding("bnd_short", "narrow", "joe", Instant(1 << 52)),
        "gives somebody a role, or for longer",
    ),
    "no end": (binding("bnd_short", "narrow", "joe"), "gives somebody a role, or for longer"),
    "a resource": (resource_set("web-2", {"env": "prod"}), "somebody reaches it"),
    "a member": (GroupMemberAdded("crew", "max", "access.yaml", None), ""),
    "an approver": (
        role_set("new", [replace(PROD, approvers=("manager",))]),
        "somebody else may approve what it gives",
    ),
    "an approver where it was standing": (
        role_set("engineer", [replace(DEV, mode=Mode.REQUEST, approvers=("manager",)), PROD]),
        "somebody else may approve what it gives",
    ),
}


@pytest.mark.parametrize("what", sorted(WIDER.keys() - {"a member"}))
def test_what_widens_takes_two(what: str) -> None:
    event, why = WIDER[what]
    told = company()
    at = told.change("chg_2", "ada", event, alone=True)
    assert told.said() == [(at + 2, f"{why}, {ALONE}" if why.startswith("somebody") else f"it {why}, {ALONE}")]
    told = company()
    told.change("chg_2", "ada", event)
    assert told.said() == []


NARROWER: dict[str, tuple[object, ...]] = {
    "a right": (role_set("manager", (), ()), role_set("auditor", (), (ConsoleRight.AUDIT,))),
    "a permission": (
        role_set("narrow", [replace(LESS, longest=HOUR // 2, where={**LESS.where, "x": "y"}, administrative=True)]),
    ),
    "statements": (role_set("guarded", [replace(READS, guardrails=Guardrails((StatementClass.READ,), 8, 8))]),),
    "every login": (role_set("strict", [replace(ROOT, logins=(), recording=Recording.WHOLE)]),),
    "a request": (role_set("strict", [replace(ROOT, logins=("app",), mode=Mode.REQUEST, recording=Recording.WHOLE)]),),
    "a resource": (lone(logins=("app",), environment=(), mfa=MfaRule(HOUR // 2, True, True), owner="bob"),),
    "a wider mask": (lone(mask=Mask(("card", "email"), (*MASK.patterns, "a")), results=Results(10, 1023)),),
    "no results": (lone(results=None),),
    "a resource that nobody reaches": (resource_set("far", {"team": "y"}),),
    "a resource that is reached as nobody": (replace(resource_set("web-2", {"env": "prod"}), logins=("db",)),),
    "an end": (binding("bnd_crew", "narrow", "crew", Instant(1 << 52), group=True),),
    "a group": (GroupMemberAdded("readers", "max", "access.yaml", None),),
    "a role": (BindingEnded("bnd_ops_operator", "role.removed", "", None), RoleRemoved("operator", "", None)),
    "a target": (ResourceRemoved("lone", "", None),),
    "a new role": (role_set("new", [replace(PROD, approvers=("nobody",)), ROOT], (ConsoleRight.ADMINISTER,)),),
}


@pytest.mark.parametrize("what", sorted(NARROWER))
def test_what_widens_nothing_takes_one(what: str) -> None:
    told = company()
    told.change("chg_2", "ada", *NARROWER[what], alone=True)
    assert told.said() == []


def group(told: Story, *permissions: Any, console: tuple[ConsoleRight, ...] = (), ends: Instant | None = None) -> None:
    """The group that is bound to a role of these permissions; nobody is in it."""
    told.change(
        "chg_2", "ada", role_set("team", permissions, console), binding("bnd_t", "team", "team", ends, group=True)
    )


JOINS = GroupMemberAdded("team", "eve", "access.yaml", None)
MORE = f"it gives somebody more, {ALONE}"


@pytest.mark.parametrize(
    ("permissions", "console", "gains"),
    [
        ((DEV, PROD), (), False),  # all that eve has as an engineer
        ((replace(DEV, longest=HOUR),), (), False),
        ((replace(DEV, logins=("*",)),), (), True),
        ((replace(DEV, mode=Mode.REQUEST, approvers=("nobody",)),), (), False),
        ((replace(PROD, mode=Mode.STANDING),), (), True),
        ((replace(PROD, longest=5 * HOUR),), (), True),
        ((replace(DEV, where={"team": "x"}),), (), True),
        ((replace(DEV, where={"team": "y"}),), (), False),  # there is none such
        ((replace(DEV, logins=("db",)),), (), False),
        ((replace(DEV, where={}),), (), False),
        ((), (ConsoleRight.AUDIT,), True),
    ],
)
def test_a_member_of_what_gives_nothing_more_takes_one(permissions: Any, console: Any, gains: bool) -> None:
    told = company()
    group(told, *permissions, console=console)
    at = told.change("chg_3", "bob", JOINS, alone=True)
    assert told.said() == ([(at + 2, MORE)] if gains else [])
    told.change("chg_4", "ada", GroupMemberRemoved("team", "eve", "access.yaml", None), alone=True)
    told.change("chg_5", "bob", JOINS)
    assert told.said() == ([(at + 2, MORE)] if gains else [])


def test_a_member_gains_what_the_same_change_narrows_elsewhere() -> None:
    """What counts is what they had before the change, and have after it."""
    told = company()
    group(told, DEV)
    narrow = role_set("engineer", [PROD])
    told.change("chg_3", "ada", narrow, JOINS, alone=True)
    assert told.said() == []
    told = company()
    group(told, DEV)
    told.change("chg_3", "ada", role_set("team", ()), JOINS, alone=True)
    assert told.said() == []
    told = company()
    group(told, DEV)
    told.change("chg_3", "ada", ResourceRemoved("dev-1", "", None), resource_set("dev-1", {"env": "dev"}), JOINS)
    assert told.said() == []


def test_a_member_who_may_approve_more_gains() -> None:
    told = company()
    told.change(
        "chg_2",
        "ada",
        role_set("lead", (), (ConsoleRight.APPROVE,)),
        role_set("new", [replace(PROD, approvers=("lead",))]),
        binding("bnd_lead", "lead", "team", group=True),
    )
    at = told.change("chg_3", "bob", GroupMemberAdded("team", "max", "access.yaml", None), alone=True)
    assert told.said() == [(at + 2, MORE)]


def test_a_binding_that_ends_gives_until_then() -> None:
    """Who has it for longer already gains nothing; who has it not for so long does."""
    told = company()
    group(told, DEV, ends=Instant(told.at() + DAY))
    told.change("chg_3", "bob", JOINS, alone=True)
    assert told.said() == []
    told.wait(2 * DAY)
    told.sign_in("ada")
    told.sign_in("bob")
    told.change("chg_4", "bob", GroupMemberAdded("team", "max", "access.yaml", None), alone=True)
    assert told.said() == []


def test_a_role_leaves_no_binding_behind() -> None:
    told = company()
    at = told.change("chg_2", "ada", RoleRemoved("narrow", "", None), alone=True)
    assert told.said() == [(at + 2, "bindings of it were left")]
    told = company()
    group(told, DEV)  # nobody is in it now
    at = told.change("chg_3", "ada", RoleRemoved("team", "", None), alone=True)
    assert told.said() == [(at + 2, "bindings of it were left")]
    told = company()
    group(told, DEV, ends=Instant(told.at() + DAY))
    told.wait(DAY)
    told.sign_in("ada")
    told.change("chg_3", "ada", RoleRemoved("team", "", None), alone=True)
    told.change("chg_4", "ada", BindingEnded("bnd_t", "over", "", None), RoleRemoved("idle", "", None), alone=True)
    assert told.said() == []


def test_a_role_is_known_by_the_digest_of_what_it_says() -> None:
    told = company()
    at = told.change("chg_2", "ada", replace(role_set("narrow", ()), version="0" * 64), alone=True)
    assert told.said() == [(at + 2, "its version is not the digest of what it says")]


def test_a_binding_is_of_a_role_and_keeps_its_subject() -> None:
    told = company()
    at = told.change("chg_2", "ada", binding("bnd_new", "nobody", "max"))
    then = told.change("chg_3", "ada", binding("bnd_crew", "narrow", "max"))
    assert told.said() == [(at + 2, "there was no role nobody"), (then + 2, "there was another binding of that name")]


@pytest.mark.parametrize(
    "taken",
    [
        (BindingEnded("bnd_ada_administrator", "binding.removed", "", None),),
        (role_set("administrator", ()),),
    ],
)
def test_somebody_is_left_who_administers(taken: tuple[object, ...]) -> None:
    told = Story().ready("ada", "bob")
    told.change("chg_1", "ada", BindingEnded("bnd_bob_administrator", "binding.removed", "", None), alone=True)
    assert told.said() == []
    at = told.change("chg_2", "ada", *taken, alone=True)
    assert told.said() == [(at + 1, "after it nobody could change the roles any more")]


def test_a_yes_puts_it_in_force() -> None:
    told = company()
    told.add(ChangeProposed("chg_2", "d0", "d1", True, "bob", "more", "text"))
    at = told.add(ChangeApproved("chg_2", "d1", "ada"))
    assert told.said() == [(at, "it was not put in force")]


def gains(who: str) -> str:
    return f"{who} gains by it, and decided, proposed it, or may be one hand with who did"


@pytest.mark.parametrize("who", ["ada", "bob"])
def test_nobody_gains_by_what_they_propose_or_decide(who: str) -> None:
    told = company()
    at = told.change("chg_2", "ada", binding("bnd_new", "narrow", who))
    assert told.said() == []  # it reaches nothing
    then = told.change("chg_3", "ada", resource_set("web-2", dict(LESS.where)))
    assert told.said() == [(then + 1, gains(who))]
    assert at < then


def test_nobody_gains_for_whom_they_are_one_hand_with() -> None:
    for who, found in (("joe", True), ("max", False)):
        told = company()
        told.add(EnrolmentOpened("enr_x", "joe", Instant(told.at() + DAY), "new", "ada"))
        new = FactorEnrolled("fac_joe_key", "joe", FactorKind.PASSKEY, "", None, "joe")
        told.add(EnrolmentUsed("enr_x", "joe", ("ada",)), new)
        at = told.change("chg_2", "ada", binding("bnd_new", "engineer", who))
        assert told.said() == ([(at + 1, gains("joe"))] if found else [])
        # whom the proposer invited may gain
        told = company()
        told.add(EnrolmentOpened("enr_x", "joe", Instant(told.at() + DAY), "new", "ada"))
        new = FactorEnrolled("fac_joe_key", "joe", FactorKind.PASSKEY, "", None, "joe")
        told.add(EnrolmentUsed("enr_x", "joe", ("ada",)), new)
        told.change("chg_2", "bob", binding("bnd_new", "engineer", who))
        assert told.said() == []


def test_the_founding_needs_nobody() -> None:
    told = Story().found()
    told.add(
        ChangeProposed("chg_2", "d0", "d1", True, None, "more", "text"),
        ChangeApplied("chg_2", "d0", "d1", None, bootstrap=True),
        replace(role_set("narrow", [DEV]), change="chg_2"),
    )
    assert told.said() == []


def test_what_the_host_had_proposed_one_more_decides() -> None:
    told = Story().ready()
    told.add(ChangeProposed("chg_2", "d0", "d1", True, None, "more", "text"))
    told.sign_in("ada")
    given = replace(binding("bnd_new", "engineer", "joe"), change="chg_2", by="ada")
    told.add(ChangeApproved("chg_2", "d1", "ada"), ChangeApplied("chg_2", "d0", "d1", "ada", False), given)
    assert told.said() == []


def test_who_reaches_a_resource_holds_the_role_now() -> None:
    """Bindings that ended, by a change or by their time, give nothing; and each resource is asked for itself."""
    told = Story().ready("ada", "bob")
    ends = Instant(told.at() + DAY)
    told.change("chg_1", "ada", role_set("short", [replace(ROOT, where={"team": "y"})], (ConsoleRight.APPROVE,)))
    told.change("chg_2", "ada", binding("bnd_short", "short", "joe", ends))
    told.wait(DAY)
    told.sign_in("ada")
    told.sign_in("bob")
    gone = BindingEnded("bnd_ops_operator", "binding.removed", "", None)
    told.change("chg_3", "ada", gone, alone=True)
    there = (resource_set("far-1", {"team": "y"}), resource_set("far-2", {"team": "y"}))
    told.change("chg_4", "ada", *there, role_set("new", [replace(PROD, approvers=("short",))]), alone=True)
    told.change("chg_5", "ada", resource_set("web-2", {"env": "prod"}), ResourceRemoved("web-2", "", None), alone=True)
    assert told.said() == []


def test_who_gains_for_a_moment_does_nothing_by_it() -> None:
    """A change comes with nothing but what it changes, and with the ends of what rested on it."""
    told = company()
    at = told.add(
        ChangeProposed("chg_2", "d0", "d1", False, "ada", "more", "text"),
        ChangeApplied("chg_2", "d0", "d1", "ada", bootstrap=False),
        GroupMemberAdded("crew", "ada", "access.yaml", "ada"),
        told.used("ada"),
        GroupMemberRemoved("crew", "ada", "access.yaml", "ada"),
    )
    assert told.said() == [(at + 1, "something else was done in the same command")]
    told = company()
    told.change("chg_2", "ada", GroupMemberAdded("readers", "ada", "access.yaml", None), alone=True)
    told.add(told.used("ada"))
    assert told.said() == []
