"""Rules of statements that ask first: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.decision import Because
from onepam.domain.access.events import BindingAdded
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import ConsoleRight, ResourceKind, SubjectKind
from onepam.domain.access.proof import MfaBasis
from onepam.domain.leaving.brake import DirectoryPersonHeld, HoldReason
from onepam.domain.people.events import PersonDisabled
from onepam.domain.sessions.waiting_statements import StatementApproved, StatementAsked, StatementEnded
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from tests.ledger.lawful.story import HOLDS, Story, resource_set, role_set
from tests.ledger.lawful.test_databases import READS, session
from tests.ledger.lawful.test_erasing import APPROVED, ERASED, PROPOSED
from tests.ledger.lawful.test_sessions import closed

READ, WRITE, DDL = StatementClass.READ, StatementClass.WRITE, StatementClass.DDL
GUARDS = Guardrails((READ, StatementClass.ASK_WRITE), 100, MINUTE)
ROLE = role_set("engineer", (replace(READS, name="writes", guardrails=GUARDS, approvers=("manager",)),))
WRITES = Because("engineer", ROLE.version, "writes", "bnd_eve_engineer")
DATABASE = replace(resource_set("dev-1", {"env": "dev"}), kind=ResourceKind.POSTGRES, port=5432)
LEAD = role_set("lead", (), (ConsoleRight.APPROVE,))


def ready() -> Story:
    """Eve's session at dev-1 is open, in which writes ask first; max, who approves, is signed in."""
    told = Story().ready("ada", "max")
    told.change("chg_9", "ada", DATABASE, ROLE, LEAD)
    told.sign_in("eve", "sgn_eve")
    return opened(told)


def opened(told: Story) -> Story:
    told.add(session(told, because=WRITES, guardrails=GUARDS))
    return told


def asked(told: Story, **other: Any) -> StatementAsked:
    """A write of eve's."""
    found = StatementAsked(
        "stm_1", "ses_1", "eve", "dev-1", "app", 3, (WRITE,), False, ("manager",), Instant(told.at() + 10 * MINUTE)
    )
    return replace(found, **other)


YES = StatementApproved("stm_1", "max", "manager")
NO = StatementEnded("stm_1", "denied", "max")
GONE = StatementEnded("stm_1", "client.left", None)


@pytest.mark.parametrize("word", [YES, NO, GONE, StatementEnded("stm_1", "withdrawn", "eve")])
def test_one_waits_and_is_decided_once_and_then_another(word: object) -> None:
    told = ready()
    told.add(asked(told))
    told.add(word)
    told.add(asked(told, statement="stm_2"))
    assert told.said() == []


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"session": "none"}, "no such session was open"),
        ({"by": "max"}, "the session is of somebody else, or of something else"),
        ({"resource": "web-1"}, "the session is of somebody else, or of something else"),
        ({"login": "root"}, "the session is of somebody else, or of something else"),
        ({"classes": (DDL,)}, "the session did not ask first for statements of that class"),
        ({"classes": (WRITE, READ)}, "the session did not ask first for statements of that class"),
        ({"classes": ()}, "the session did not ask first for statements of that class"),
        ({"approvers": ("lead",)}, "its permission names other roles to decide"),
        ({"approvers": ()}, "its permission names other roles to decide"),
    ],
)
def test_what_waits(other: dict[str, Any], why: str) -> None:
    told = ready()
    at = told.add(asked(told, **other))
    assert told.said() == [(at, why)]


@pytest.mark.parametrize(
    ("wait", "in_transaction", "most"),
    [
        (None, False, 10 * MINUTE),
        (None, True, 2 * MINUTE),
        (40 * MINUTE, False, 40 * MINUTE),
        (40 * MINUTE, True, 2 * MINUTE),
        (MINUTE, False, MINUTE),
        (MINUTE, True, MINUTE),
    ],
)
def test_how_long_it_waits(wait: int | None, in_transaction: bool, most: int) -> None:
    guards = replace(GUARDS, wait=wait)
    role = role_set("engineer", (replace(READS, name="writes", guardrails=guards, approvers=("manager",)),))
    for more in (0, 1):
        told = Story().ready("ada", "max")
        told.change("chg_9", "ada", DATABASE, role, LEAD)
        told.sign_in("eve", "sgn_eve")
        told.add(session(told, because=replace(WRITES, role_version=role.version), guardrails=guards))
        until = Instant(told.at() + most + more)
        at = told.add(asked(told, in_transaction=in_transaction, expires=until))
        assert told.said() == [(at, "it waits longer than a statement may")] * more


def test_what_waits_long_is_decided_as_long_as_it_waits() -> None:
    guards = replace(GUARDS, wait=50 * MINUTE)
    role = role_set("engineer", (replace(READS, name="writes", guardrails=guards, approvers=("manager",)),))
    for late in (0, 2):
        told = Story().ready("ada", "max")
        told.change("chg_9", "ada", DATABASE, role, LEAD)
        told.sign_in("eve", "sgn_eve")
        told.add(session(told, because=replace(WRITES, role_version=role.version), guardrails=guards))
        until = Instant(told.at() + 30 * MINUTE)
        told.add(asked(told, expires=until))
        told.wait(30 * MINUTE - 3 * SECOND)
        told.sign_in("max", "sgn_max_2")
        told.wait(late * SECOND)
        at = told.add(YES)
        assert told.said() == ([(at, "it had lapsed")] if late else [])


def test_it_does_not_outlive_its_session() -> None:
    told = ready()
    told.wait(HOUR - 5 * MINUTE)
    at = told.add(asked(told))
    assert told.said() == [(at, "it outlives the session")]
    told = Story().ready("ada", "max")
    told.change("chg_9", "ada", DATABASE, ROLE, LEAD)
    told.sign_in("eve", "sgn_eve")
    runs = session(told, because=WRITES, guardrails=GUARDS)
    told.add(runs)
    told.wait(HOUR - 5 * MINUTE)
    told.add(asked(told, expires=runs.ends))
    assert told.said() == [], "it may wait as long as the session runs"


def test_only_one_waits_in_a_session_and_it_is_one() -> None:
    told = ready()
    told.add(asked(told))
    at = told.add(asked(told, statement="stm_2"))
    assert told.said() == [(at, "another statement of the session waited already")]
    told = ready()
    told.add(asked(told))
    at = told.add(asked(told))
    assert [why for where, why in told.said() if where == at] == [
        "another statement of the session waited already",
        "such a proposal waited already",
    ]
    told = ready()
    told.sign_in("eve", "sgn_eve")
    told.add(session(told, session="ses_2", because=WRITES, guardrails=GUARDS))
    told.add(asked(told))
    at = told.add(asked(told, session="ses_2"))
    assert told.said() == [(at, "such a proposal waited already")]


def test_the_permission_of_now_says_who_decides() -> None:
    told = ready()
    other = role_set("engineer", (replace(READS, name="writes", guardrails=GUARDS, approvers=("lead",)),))
    told.change("chg_10", "ada", other)
    told.add(asked(told, approvers=("lead",)))
    assert told.said() == []


def decided(told: Story, word: object) -> list[str]:
    told.add(asked(told))
    at = told.add(word)
    found = told.said()
    assert {where for where, _ in found} <= {at}, found
    return [why for _, why in found]


def no_role(who: str) -> str:
    return f"{who} held no role with the right to approve that may decide on it"


@pytest.mark.parametrize(
    ("word", "whys"),
    [
        (replace(YES, statement="none"), ["no such statement waited"]),
        (replace(NO, statement="none"), ["no such statement waited"]),
        (replace(YES, by="eve"), ["nobody decides for themselves", no_role("eve")]),
        (replace(YES, by="ada"), [no_role("ada")]),
        (replace(NO, by="ada"), [no_role("ada")]),
        (replace(YES, under="lead"), [no_role("max")]),
    ],
)
def test_who_decides(word: object, whys: list[str]) -> None:
    told = ready()
    told.sign_in("ada")
    assert decided(told, word) == whys


def test_who_is_not_signed_in_decides_nothing() -> None:
    told = ready()
    told.add(asked(told))
    told.wait(11 * HOUR)
    at = told.add(NO)
    assert told.said() == [(at, "max was not signed in")]


def test_a_role_with_the_right_that_it_does_not_name_decides_nothing() -> None:
    told = ready()
    lead = BindingAdded("bnd_max_lead", "lead", SubjectKind.PERSON, "max", None, "access.yaml", "why", "chg_8", None)
    told.change("chg_8", "ada", lead)
    told.sign_in("max")
    assert decided(told, replace(YES, under="lead")) == ["the role lead may not decide on it"]


def test_a_yes_takes_a_fresh_factor_and_a_no_does_not() -> None:
    for word, why in ((YES, ["max had shown no second factor within 15 minutes"]), (NO, [])):
        told = ready()
        told.wait(16 * MINUTE)
        assert decided(told, word) == why


def test_one_hand_decides_nothing() -> None:
    """Ada, who made eve's link, approves, too."""
    for word in (YES, NO):
        told = Story().found({**HOLDS, "ada": ("administrator", "manager")})
        for who in ("ada", "bob"):
            told.enrol(who)
        told.change("chg_9", None, DATABASE, ROLE)
        told.sign_in("ada", "sgn_ada")
        told.add(EnrolmentOpened("enr_e", "eve", Instant(told.at() + DAY), "new", "ada"))
        kinds = (FactorKind.PASSWORD, FactorKind.TOTP)
        enrolled = (FactorEnrolled(f"fac_eve_{each.value}", "eve", each, "", None, "eve") for each in kinds)
        told.add(EnrolmentUsed("enr_e", "eve", ("ada",)), *enrolled)
        told.sign_in("eve", "sgn_eve")
        found = decided(opened(told), replace(word, by="ada"))
        assert found == ["ada and eve may be one hand: one made the link by which the other enrolled"]


def decided_after(told: Story, word: object) -> list[str]:
    told.add(asked(told))
    at = told.add(word)
    return [why for where, why in told.said() if where == at]


def test_a_yes_in_time_while_its_session_goes_on_and_its_person_is_there() -> None:
    told = ready()
    told.add(asked(told, expires=Instant(told.at() + 5 * MINUTE)))
    told.wait(5 * MINUTE - SECOND)
    at = told.add(YES)
    assert told.said() == [(at, "it had lapsed")]
    told = ready()
    told.add(asked(told, expires=Instant(told.at() + 5 * MINUTE)))
    told.wait(5 * MINUTE - SECOND - 1)
    told.add(YES)
    assert told.said() == []
    told = ready()
    told.add(asked(told))
    told.add(closed())
    at = told.add(YES)
    assert told.said() == [(at, "its session was over")]
    told = ready()
    told.add(asked(told))
    told.add(PersonDisabled("eve", "ada", "left"))
    assert [why for _, why in told.said()] == []
    at = told.add(YES)
    assert told.said() == [(at, "the account eve was disabled")]


@pytest.mark.parametrize("reason", HoldReason)
def test_who_is_held_decides_nothing(reason: HoldReason) -> None:
    told = ready()
    told.add(DirectoryPersonHeld("hld_1", "max", "scim", reason, "gone", None, None, None), bare=True)
    assert decided_after(told, YES) == [no_role("max")]


@pytest.mark.parametrize("privileged", [True, False])
def test_a_yes_in_a_privileged_session_takes_a_factor_that_somebody_saw(privileged: bool) -> None:
    told = Story().ready("ada")
    told.change("chg_9", "ada", DATABASE, ROLE, LEAD)
    told.sign_in("eve", "sgn_eve")
    told.add(session(told, because=WRITES, guardrails=GUARDS, privileged=privileged))
    told.add(told.used("max"), told.signed_in("max", "sgn_max", basis=MfaBasis.DECLARED))
    found = decided_after(told, YES)
    assert found == ["nobody had seen a second factor of max"] * privileged


def test_why_it_does_not_run_goes_with_whoever_asked_and_with_nobody_else() -> None:
    told = ready()
    told.sign_in("bob")
    told.add(asked(told))
    ended = told.add(StatementEnded("stm_1", "denied", "max", "not for eve"))
    told.add(asked(told, statement="stm_2"))
    lapsed = told.add(StatementEnded("stm_2", "client.left", None))
    nobodys = told.add(StatementEnded("stm_3", "denied", "max", "of nothing that waited"))
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None))
    told.add(replace(PROPOSED, keep_days=0))
    told.add(APPROVED)
    before = len(told.said())
    told.add(replace(ERASED, indexes=(ended, lapsed)))
    assert len(told.said()) == before
    at = told.add(replace(ERASED, indexes=(nobodys,)))
    assert told.said()[before:] == [(at, "it names an entry that does not speak of eve")]
