"""Rules of delegations: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.asked import Asking
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.separation import SeparationSet
from onepam.domain.people.events import PersonChanged
from onepam.domain.requests.events import (
    DelegationEnded,
    DelegationSet,
    DelegationUsed,
    RequestAgreed,
    RequestApproved,
    RequestDenied,
    RequestMade,
)
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, HOUR, Instant
from tests.ledger.lawful.story import DEV, HOLDS, PROD, Story, role_set, substance
from tests.ledger.lawful.test_requests import grant, yes


def ready(asking: Asking | None = None, **holds: tuple[str, ...]) -> Story:
    """Max approves production; joe approves by another role, which nobody asks."""
    told = Story().found({**HOLDS, "joe": ("senior",), **holds})
    told.change(
        "chg_1",
        None,
        role_set("senior", (), (ConsoleRight.APPROVE,)),
        *([role_set("engineer", [DEV, replace(PROD, asking=asking)])] if asking is not None else []),
    )
    for who in HOLDS:
        told.enrol(who)
    for who in ("ada", "max", "joe", "eve"):
        told.sign_in(who, f"sgn_{who}")
    return told


def named(told: Story, name: str = "dlg_1", **other: Any) -> DelegationSet:
    at = Instant(told.at() + 1)
    return replace(DelegationSet(name, "max", "joe", at, Instant(at + DAY), "leave"), **other)


def used(**other: Any) -> DelegationUsed:
    return replace(DelegationUsed("dlg_1", "req_1", "max", "joe", "manager"), **other)


def for_max(told: Story) -> tuple[object, object]:
    """Joe's yes under max's role."""
    return yes(told, by="joe"), grant(told, approved_by="joe")


def test_somebody_decides_for_another_and_it_ends() -> None:
    told = ready()
    told.add(named(told))
    told.add(named(told, "dlg_2", begins=Instant(told.at() + 2 * DAY), ends=Instant(told.at() + 3 * DAY)))
    told.ask()
    told.add(*for_max(told), used())
    told.ask(request="req_2")
    told.add(RequestDenied("req_2", "joe", "manager", "no"), used(request="req_2"))
    told.add(DelegationEnded("dlg_1", "joe"))
    told.add(DelegationEnded("dlg_2", "ada"))
    assert told.said() == []


def test_nobody_decides_under_a_role_that_is_kept_apart_from_one_of_theirs() -> None:
    told = ready()
    apart = SeparationSet("duties", ("manager", "senior"), "nobody does both", (), "", None)
    told.change("chg_2", "ada", apart)
    told.add(named(told))
    told.ask()
    at = told.add(*for_max(told), used())
    assert told.said() == [(at + 2, "joe holds what is kept apart from manager")]


WRONG = "it begins in the past, or lasts too long"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"person": "ops", "to": "max"}, "ops was not signed in"),
        ({"person": "eve"}, "eve held no role with the right to approve"),
        ({"to": "max"}, "max is the same, or approves nothing"),
        ({"to": "eve"}, "eve is the same, or approves nothing"),
        ({"begins": Instant(0)}, WRONG),
        ({"ends": Instant(0)}, WRONG),
    ],
)
def test_who_is_named_and_for_how_long(change: dict[str, Any], why: str) -> None:
    told = ready()
    if change.get("ends") == 0:
        change = {"ends": Instant(told.at() + 93 * DAY)}
    if change.get("begins") == 0:
        change = {"begins": Instant(told.at() - HOUR)}
    at = told.add(named(told, **change))
    assert told.said() == [(at, why)]


def test_nobody_is_named_for_a_time_twice() -> None:
    told = ready()
    told.add(named(told))
    at = told.add(named(told, "dlg_2"))
    assert told.said() == [(at, "somebody decided for them then already")]
    told = ready()
    told.add(named(told))
    at = told.add(named(told, begins=Instant(told.at() + 2 * DAY), ends=Instant(told.at() + 3 * DAY)))
    assert told.said() == [(at, "there was such a delegation already")]


def test_it_is_ended_by_one_of_them_while_it_runs() -> None:
    told = ready()
    at = told.add(DelegationEnded("dlg_9", "max"))
    assert told.said() == [(at, "no such delegation ran")]
    told = ready()
    told.add(named(told))
    at = told.add(DelegationEnded("dlg_1", "eve"))
    assert told.said() == [(at, "eve held no role with the right to administer")]
    told = ready(mon=("senior",))
    told.add(named(told, to="mon"))
    at = told.add(DelegationEnded("dlg_1", "mon"))
    assert told.said() == [(at, "mon was not signed in")]
    told = ready()
    told.add(named(told, ends=Instant(told.at() + HOUR)))
    told.wait(2 * HOUR)
    at = told.add(DelegationEnded("dlg_1", "max"))
    assert told.said() == [(at, "no such delegation ran")]


ALONE = "joe held no role manager with the right to approve"


def test_nobody_decides_for_whoever_has_not_named_them() -> None:
    told = ready()
    told.ask()
    at = told.add(*for_max(told))
    assert told.said() == [(at, ALONE)]
    for name, late in (("dlg_1", True), ("dlg_9", False)):
        told = ready()
        told.add(named(told, ends=Instant(told.at() + HOUR)))
        if late:
            told.wait(2 * HOUR)
            told.sign_in("joe")
        told.ask()
        at = told.add(*for_max(told), used(delegation=name))
        assert told.said() == [(at + 2, "max had not named joe to decide for them")]
    told = ready()
    told.add(named(told))
    at = told.add(used())
    assert told.said() == [(at, "there was no such request")]


def test_nobody_decides_for_whoever_could_not_either() -> None:
    told = ready()
    told.add(named(told))
    told.ask()
    at = told.add(yes(told, by="joe", under="senior"), grant(told, approved_by="joe"), used(under="senior"))
    assert told.said() == [(at + 2, "max could not decide on it either")]
    told = ready(eve=("engineer", "manager"))
    told.add(named(told, person="eve"))
    told.ask()
    at = told.add(yes(told, by="joe"), grant(told, approved_by="joe"), used(person="eve"))
    assert (at, "max could not decide on it either") not in told.said()
    assert {why for _, why in told.said()} == {
        "eve could not decide on it either",
        "eve had named joe to decide for them",
    }


def test_whoever_asks_names_nobody_who_then_decides_for_them() -> None:
    told = ready(eve=("engineer", "manager"))
    told.add(named(told, person="eve", to="max"))
    told.ask()
    at = told.add(yes(told), grant(told))
    assert told.said() == [(at, "eve had named max to decide for them")]


def test_a_yes_for_another_counts_while_both_may() -> None:
    both = Asking(approvals=2)
    for ended in (False, True):
        told = ready(both, sue=("manager",))
        told.sign_in("sue", "sgn_sue")
        told.add(named(told))
        version = role_set("engineer", [DEV, replace(PROD, asking=both)]).version
        asked = substance(role_version=version)
        told.add(replace(request(told), substance=asked, digest=asked.digest()))
        told.add(RequestAgreed("req_1", asked.digest(), "joe", "manager", ""), used())
        if ended:
            told.add(DelegationEnded("dlg_1", "max"))
        said, given = yes(told, by="sue", digest=asked.digest()), grant(told, substance=asked, approved_by="sue")
        assert isinstance(said, RequestApproved)
        at = told.add(said, given)
        assert told.said() == ([(at, "it takes the yes of others, too")] if ended else [])


def request(told: Story) -> RequestMade:
    return RequestMade("req_1", substance(), "", Instant(told.at() + DAY), "", "")


def test_one_hand_with_whoever_asks_is_nobody_to_decide_for() -> None:
    told = Story().found({**HOLDS, "ada": ("administrator", "manager"), "joe": ("senior",)})
    told.change("chg_1", None, role_set("senior", (), (ConsoleRight.APPROVE,)))
    for who in ("ada", "joe"):
        told.enrol(who)
    for who in ("ada", "joe"):
        told.sign_in(who, f"sgn_{who}")
    told.add(EnrolmentOpened("enr_e", "eve", Instant(told.at() + DAY), "new", "ada"))
    kinds = (FactorKind.PASSWORD, FactorKind.TOTP)
    factors = (FactorEnrolled(f"fac_eve_{each.value}", "eve", each, "", None, "eve") for each in kinds)
    told.add(EnrolmentUsed("enr_e", "eve", ("ada",)), *factors)
    told.sign_in("eve")
    told.add(named(told, person="ada"))
    told.ask()
    at = told.add(*for_max(told), used(person="ada"))
    assert told.said() == [(at + 2, "ada and eve may be one hand: one made the link by which the other enrolled")]


@pytest.mark.parametrize("first", ["sue", "joe"])
def test_one_hand_with_who_agreed_is_nobody_to_decide_for(first: str) -> None:
    """Max enrolled by a link of sue's: she, and joe for max, are one of several, in whichever order."""
    both = Asking(approvals=2)
    told = Story().found({**HOLDS, "sue": ("administrator", "manager"), "joe": ("senior",)})
    engineer = role_set("engineer", [DEV, replace(PROD, asking=both)])
    told.change("chg_1", None, role_set("senior", (), (ConsoleRight.APPROVE,)), engineer)
    for who in ("sue", "joe", "eve"):
        told.enrol(who)
    for who in ("sue", "joe", "eve"):
        told.sign_in(who, f"sgn_{who}")
    told.add(EnrolmentOpened("enr_m", "max", Instant(told.at() + DAY), "new", "sue"))
    kinds = (FactorKind.PASSWORD, FactorKind.TOTP)
    factors = (FactorEnrolled(f"fac_max_{each.value}", "max", each, "", None, "max") for each in kinds)
    told.add(EnrolmentUsed("enr_m", "max", ("sue",)), *factors)
    told.sign_in("max", "sgn_max")
    told.add(named(told))
    asked = substance(role_version=engineer.version)
    told.add(replace(request(told), substance=asked, digest=asked.digest()))
    agreed = RequestAgreed("req_1", asked.digest(), first, "manager", "")
    told.add(agreed, *([used()] if first == "joe" else []))
    last = "joe" if first == "sue" else "sue"
    given = grant(told, substance=asked, approved_by=last)
    at = told.add(yes(told, by=last, digest=asked.digest()), given, *([used()] if last == "joe" else []))
    names = ("max and sue", 2) if last == "joe" else ("sue and max", 0)
    why = f"{names[0]} may be one hand: one made the link by which the other enrolled"
    assert told.said() == [(at + names[1], why)]


def ending(told: Story, who: str) -> None:
    """The account of somebody who holds what they hold ends within the hour."""
    told.add(PersonChanged(who, "ada", None, None, Instant(told.at() + HOUR), who, f"{who}@example.com"))
    told.wait(2 * HOUR)
    told.sign_in("joe")


def test_both_are_here() -> None:
    told = ready(mon=("senior",))
    ending(told, "mon")
    at = told.add(named(told, to="mon"))
    assert told.said() == [(at, "the end of the account mon had passed")]
    told = ready()
    told.add(named(told))
    ending(told, "max")
    told.ask()
    at = told.add(*for_max(told), used())
    assert told.said() == [(at + 2, "the end of the account max had passed")]


def test_a_yes_for_another_is_theirs() -> None:
    """Max, and joe for max, are one of several, in whichever order; and joe may still deny for him."""
    three, already = Asking(approvals=3), "max had agreed to it already, or somebody for them"
    for first in ("max", "joe", "deny"):
        told = ready(three)
        told.add(named(told))
        version = role_set("engineer", [DEV, replace(PROD, asking=three)]).version
        asked = substance(role_version=version)
        told.add(replace(request(told), substance=asked, digest=asked.digest()))
        his = (RequestAgreed("req_1", asked.digest(), "max", "manager", ""),)
        for_him = (RequestAgreed("req_1", asked.digest(), "joe", "manager", ""), used())
        told.add(*(for_him if first == "joe" else his))
        if first == "deny":
            told.add(RequestDenied("req_1", "joe", "manager", "no"), used())
            assert told.said() == []
            continue
        at = told.add(*(his if first == "joe" else for_him))
        assert told.said() == [(at + (first == "max"), already)]
