"""Rules of requests, approvals and grants: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.access.events import BindingEnded, RoleRemoved
from onepam.domain.access.model import Action
from onepam.domain.people.events import PersonAdded, PersonChanged, PersonKind
from onepam.domain.requests.events import (
    ApprovalRefused,
    ApprovalUndone,
    GrantEnded,
    GrantExpired,
    GrantStarted,
    RequestApproved,
    RequestDenied,
    RequestMade,
    RequestRerouted,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from tests.ledger.lawful.story import PROD, Story, binding, role_set, substance

LATE = "it does not begin when the approval took effect"


def ready(*more: str) -> Story:
    return Story().ready("ada", "max", "eve", *more)


def yes(told: Story, **other: object) -> RequestApproved:
    """Max's approval of what eve asks."""
    at = Instant(told.at() + 10 * SECOND)
    approved = RequestApproved("req_1", substance().digest(), "max", "manager", at, "")
    return replace(approved, **other)  # type: ignore[arg-type]


def grant(told: Story, **other: object) -> GrantStarted:
    """What that approval gives."""
    starts = Instant(told.at() + 10 * SECOND)
    given = GrantStarted("grt_1", "req_1", substance(), "bnd_eve_engineer", "max", starts, Instant(starts + HOUR))
    return replace(given, **other)  # type: ignore[arg-type]


def test_access_is_asked_for_approved_and_ends() -> None:
    told = ready()
    told.approve(told.ask())
    told.wait(2 * HOUR)
    told.add(GrantExpired("grt_1", "req_1", Instant(told.now - 2 * HOUR + 10 * SECOND + HOUR)))
    assert told.said() == []


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (substance("joe"), "joe was not signed in|joe did not hold the role engineer"),
        (substance("max"), "max did not hold the role engineer"),
        (substance(role="operator"), "eve did not hold the role operator"),
        (substance(role_version="0"), "the role had changed since"),
        (substance(permission="none"), "the role gave nothing on web-1 by that permission"),
        (substance(resource="dev-1"), "the role gave nothing on dev-1 by that permission"),
        (substance(resource="none"), "the role gave nothing on none by that permission"),
        (substance(login="root"), "the role offered no root there on request"),
        (substance(resource="dev-1", permission="dev"), "the role offered no app there on request"),
        (substance(duration=5 * HOUR), "it is more than the role offered"),
    ],
)
def test_only_what_a_role_offers_is_asked_for(asked: object, why: str) -> None:
    told = ready()
    at = told.add(RequestMade("req_1", asked, asked.digest(), Instant(told.at() + DAY), "", ""))  # type: ignore[arg-type, attr-defined]
    assert told.said() == [(at, each) for each in why.split("|")]


def test_a_request_is_bound_to_its_digest_and_waits_for_a_day() -> None:
    told = ready()
    at = told.add(RequestMade("req_1", substance(), "0", Instant(told.at() + 2 * DAY), "", ""))
    assert told.said() == [
        (at, "the digest is not that of what is asked"),
        (at, "it waits longer than a day, and than until it begins"),
    ]


def test_a_yes_is_somebody_elses_with_authority() -> None:
    told = ready()
    at = told.add(yes(told))
    assert told.said() == [(at, "no such request waited")]

    told = ready("joe")
    told.ask()
    at = told.add(yes(told, by="joe"), grant(told, approved_by="joe"))
    assert told.said() == [(at, "joe held no role manager with the right to approve")]

    told = ready()
    told.change("chg_1", "ada", role_set("manager", [PROD], ()))
    told.ask()
    at = told.add(yes(told), grant(told))
    assert told.said() == [(at, "max held no role manager with the right to approve")]

    told = Story().ready("ada", "eve")
    told.ask()
    at = told.add(yes(told), grant(told))
    assert told.said() == [(at, "max was not signed in")]


def test_nobody_decides_for_themselves() -> None:
    told = Story().found({"ada": ("administrator",), "eve": ("engineer", "manager")})
    told.enrol("eve")
    told.sign_in("eve")
    told.ask()
    at = told.add(yes(told, by="eve"), grant(told, approved_by="eve"))
    assert told.said() == [(at, "nobody decides for themselves")]


def test_a_role_that_the_permission_does_not_name_decides_nothing() -> None:
    told = ready()
    told.change("chg_1", "ada", role_set("engineer", [replace(PROD, approvers=("owner",))]))
    asked = substance(role_version=role_set("engineer", [replace(PROD, approvers=("owner",))]).version)
    told.add(RequestMade("req_1", asked, asked.digest(), Instant(told.at() + DAY), "", ""))
    at = told.add(yes(told, digest=asked.digest()), grant(told, substance=asked))
    assert told.said() == [(at, "the role manager may not approve this")]


def test_one_hand_does_not_approve_for_the_other() -> None:
    told = Story().ready("ada", "max")
    told.add(EnrolmentOpened("enr_9", "joe", Instant(told.at() + DAY), "new", "ada"))
    told.add(
        PersonAdded("zoe", PersonKind.EMPLOYEE, "joined", "ada", None, None),
        EnrolmentOpened("enr_8", "zoe", Instant(told.at() + DAY), "new", "ada"),
    )
    told.add(
        EnrolmentUsed("enr_8", "zoe", ("ada",)), FactorEnrolled("fac_zoe_totp", "zoe", FactorKind.TOTP, "", None, "zoe")
    )
    assert told.said() == []


def test_an_approvers_own_link_makes_them_one_hand() -> None:
    told = Story().found()
    for who in ("ada", "max"):
        told.enrol(who)
    told.sign_in("ada", "sgn_ada")
    told.change("chg_1", "ada")
    told.add(EnrolmentOpened("enr_e", "eve", Instant(told.at() + DAY), "new", "ada"))
    told.add(
        EnrolmentUsed("enr_e", "eve", ("ada",)),
        FactorEnrolled("fac_eve_password", "eve", FactorKind.PASSWORD, "", None, "eve"),
        FactorEnrolled("fac_eve_totp", "eve", FactorKind.TOTP, "", None, "eve"),
    )
    told.sign_in("eve", "sgn_eve")
    told.sign_in("max", "sgn_max")
    told.ask()
    told.approve(substance())
    assert told.said() == [], "max made no link of hers"
    told.wait(2 * HOUR)
    told.sign_in("max")
    told.ask(request="req_2")
    hand = "ada and eve may be one hand: one made the link by which the other enrolled"
    at = told.add(yes(told, request="req_2", by="ada", under="manager"))
    assert (at, hand) in told.said()


def test_a_yes_is_fresh_in_time_and_of_what_was_asked() -> None:
    told = ready()
    told.ask()
    told.wait(20 * MINUTE)
    at = told.add(yes(told), grant(told))
    assert told.said() == [(at, "max had shown no second factor within 15 minutes")]

    told = ready()
    told.ask()
    told.wait(25 * HOUR)
    told.sign_in("max")
    at = told.add(yes(told), grant(told))
    assert told.said() == [(at, "it was not decided in time")]

    told = ready()
    told.ask()
    at = told.add(yes(told, digest="0", effective_at=told.at()), grant(told))
    assert told.said() == [
        (at, "what was approved is not what was asked"),
        (at, "it took effect before it could be undone, or before it was asked for"),
        (at + 1, LATE),
    ]


def test_a_yes_to_somebody_who_has_left_or_lost_the_role() -> None:
    told = ready()
    told.ask()
    told.add(PersonChanged("eve", "ada", None, None, Instant(told.at() + MINUTE)))
    told.wait(MINUTE)
    at = told.add(yes(told))
    assert told.said() == [(at, "the end of the account eve had passed")]
    told = ready()
    told.ask()
    told.change("chg_1", "ada", BindingEnded("bnd_eve_engineer", "binding.removed", "", None))
    at = told.add(yes(told), grant(told))
    assert told.said() == [
        (at, "eve did not hold the role engineer"),
        (at + 1, "its person did not hold the role by that binding"),
    ]


def test_access_starts_by_an_approval_and_is_no_more_than_was_asked() -> None:
    told = ready()
    told.ask()
    at = told.add(grant(told))
    assert told.said() == [
        (at, "nobody approved it, or it was given already"),
        (at, LATE),
    ]

    told = ready()
    told.ask()
    at = told.add(yes(told), grant(told, substance=substance(login="root")))
    assert told.said() == [(at + 1, "it is not what was asked")]

    told = ready()
    told.ask()
    at = told.add(yes(told), grant(told, starts=told.now, ends=Instant(told.now + 2 * HOUR)))
    assert told.said() == [
        (at + 1, LATE),
        (at + 1, "it lasts longer than was asked"),
    ]

    told = ready()
    told.ask()
    at = told.add(yes(told), grant(told, binding="bnd_ops_operator"))
    assert told.said() == [(at + 1, "its person did not hold the role by that binding")]


def test_a_no_needs_the_same_authority() -> None:
    told = ready("joe")
    told.ask()
    at = told.add(RequestDenied("req_1", "joe", "manager", ""))
    again = told.add(RequestDenied("req_1", "max", "manager", ""))
    assert told.said() == [
        (at, "joe held no role manager with the right to approve"),
        (again, "no such request waited"),
    ]
    told = ready()
    told.ask()
    told.add(RequestDenied("req_1", "max", "manager", ""))
    assert told.said() == []


def test_an_approval_is_undone_by_whoever_gave_it_before_it_takes_effect() -> None:
    told = ready()
    told.approve(told.ask())
    told.add(ApprovalUndone("req_1", "grt_1", "max"), GrantEnded("grt_1", "req_1", "undone", "max"))
    told.approve(substance(), grant="grt_2")
    assert told.said() == []

    told = ready()
    told.approve(told.ask())
    told.wait(MINUTE)
    at = told.add(ApprovalUndone("req_1", "grt_1", "ada"), GrantEnded("grt_1", "req_1", "undone", "ada"))
    assert told.said() == [(at, "somebody else had approved it"), (at, "it had taken effect")]

    told = ready()
    at = told.add(ApprovalUndone("req_1", "grt_1", "max"))
    assert told.said() == [(at, "no such approval waited to take effect")]


def test_a_request_is_taken_back_by_its_person_or_void() -> None:
    told = ready()
    told.ask()
    told.add(RequestWithdrawn("req_1", RequestStatus.WITHDRAWN, "withdrawn", "eve"))
    told.ask(request="req_3")
    told.wait(DAY)
    told.add(RequestWithdrawn("req_3", RequestStatus.VOID, "expired", None))
    told.sign_in("eve")
    told.sign_in("max")
    assert told.said() == []
    told.ask(request="req_4")
    at = told.add(RequestWithdrawn("req_4", RequestStatus.WITHDRAWN, "withdrawn", "max"))
    then = told.add(RequestWithdrawn("req_4", RequestStatus.VOID, "expired", None))
    assert told.said() == [(at, "only whoever asked takes it back"), (then, "no such request waited")]
    for by, why in (("joe", "joe was not signed in"), ("nobody", "there was no account nobody")):
        told = ready()
        told.ask()
        at = told.add(RequestWithdrawn("req_1", RequestStatus.VOID, "role.changed", by))
        assert told.said() == [(at, why), (at, "it stood, had not lapsed, and nothing voided it")]


def test_ends_of_access() -> None:
    told = ready()
    told.approve(told.ask())
    at = told.add(GrantExpired("grt_1", "req_1", told.now))
    then = told.add(GrantExpired("grt_1", "req_1", told.now))
    last = told.add(GrantEnded("grt_1", "req_1", "binding.ended", None))
    assert told.said() == [
        (at, "its end had not come"),
        (then, "no such access ran"),
        (last, "no such access ran"),
    ]
    told = ready()
    told.approve(told.ask())
    at = told.add(GrantEnded("grt_1", "req_1", "approver", "joe"))
    assert told.said() == [(at, "joe was not signed in"), (at, "joe was not signed in")]


def test_passing_on_and_trying() -> None:
    told = ready()
    at = told.add(RequestRerouted("req_1", "max", (), None))
    then = told.add(ApprovalRefused("req_1", "joe", "request.no_authority"))
    assert told.said() == [(at, "whoever could decide had not left"), (then, "joe was not signed in")]


def test_actions_beyond_the_permission() -> None:
    told = ready()
    told.change("chg_1", "ada", role_set("engineer", [replace(PROD, actions=(Action.SHELL,))]))
    asked = substance(role_version=role_set("engineer", [replace(PROD, actions=(Action.SHELL,))]).version)
    at = told.add(RequestMade("req_1", asked, asked.digest(), Instant(told.at() + DAY), "", ""))
    assert told.said() == [(at, "it is more than the role offered")]


def test_a_service_asks_for_nothing() -> None:
    told = ready()
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    told.change("chg_1", "ada", binding("bnd_bot_engineer", "engineer", "bot"))
    asked = substance("bot")
    at = told.add(RequestMade("req_1", asked, asked.digest(), Instant(told.at() + HOUR), "", ""))
    then = told.add(
        yes(told, digest=asked.digest()),
        grant(told, substance=asked, binding="bnd_bot_engineer", ends=Instant(told.at() + 2 * DAY)),
    )
    assert told.said() == [
        (at, "bot was not signed in"),
        (then + 1, "it lasts longer than was asked"),
        (then + 1, "it outlives the account or the binding"),
    ]


def test_somebody_unknown_approves_nothing() -> None:
    told = ready()
    told.ask()
    at = told.add(yes(told, by="nobody"), grant(told, approved_by="nobody"))
    assert told.said() == [
        (at, "there was no account nobody"),
        (at, "nobody held no role manager with the right to approve"),
    ]


def test_what_nobody_offers_any_more_counts_as_privileged() -> None:
    told = ready()
    told.ask()
    gone = (BindingEnded("bnd_eve_engineer", "role.removed", "", None), RoleRemoved("engineer", "", None))
    told.change("chg_1", "ada", *gone)
    told.wait(20 * MINUTE)
    at = told.add(yes(told), grant(told))
    assert told.said() == [
        (at, "max had shown no second factor within 15 minutes"),
        (at, "eve did not hold the role engineer"),
        (at + 1, "its person did not hold the role by that binding"),
    ]
