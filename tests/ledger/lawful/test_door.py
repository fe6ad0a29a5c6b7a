"""Rules of the door, beside `test_sessions.py`: which factor a session claims, and what access it names."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.model import MfaRule, Recording
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.domain.sessions.events import MACHINE, EntryPoint, RecordingWatched
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, SteppedUp
from onepam.kernel.clock import FOREVER, MINUTE, SECOND, Instant
from onepam.ledger.lawful.known import Person
from tests.ledger.lawful.story import Story, resource_set
from tests.ledger.lawful.test_sessions import DEV_BECAUSE, PROD_BECAUSE, ROOT_BECAUSE, machine, opened, ready


def test_a_session_claims_no_other_factor_than_its_sign_in_had() -> None:
    for other in (
        {"factors": ("password", "passkey")},
        {"phishing_resistant": True},
        {"provider": "idp"},
        {"basis": MfaBasis.STEPPED_UP},
        {"at": None},
    ):
        told = ready()
        base = opened(told)
        change: dict[str, Any] = {"at": Instant(base.mfa.at + 1)} if "at" in other else other
        at = told.add(replace(base, mfa=replace(base.mfa, **change)))
        assert told.said() == [(at, "it claims another second factor than the sign-in")], other


def test_a_factor_that_was_stepped_up_to_is_claimed_as_it_was() -> None:
    told = ready()
    told.wait(MINUTE)
    told.add(told.used("eve"), SteppedUp("sgn_eve", "eve", FactorKind.TOTP, told.at()))
    told.add(opened(told))
    assert told.said() == []


def test_each_session_has_a_factor_of_its_own_where_its_target_asks_for_one() -> None:
    told = ready()
    told.add(opened(told))
    shown = told.rows[-2].time
    told.change("chg_1", "ada", resource_set("dev-1", {"env": "dev"}, mfa=MfaRule(fresh=True)))
    at = told.add(opened(told, session="ses_2", shown=shown))
    assert told.said() == [(at, "the target asks for a factor of its own for each session")]
    told = ready()
    shown = told.rows[-1].time
    told.change("chg_1", "ada", resource_set("dev-1", {"env": "dev"}, mfa=MfaRule(fresh=True)))
    told.wait(6 * MINUTE)
    at = told.add(opened(told, shown=shown))
    assert told.said() == [(at, "the target asks for a fresh factor, or for a confirmation")]


def test_factors_that_are_too_old_to_serve_are_forgotten() -> None:
    person = Person("employee", None, None)
    for number in range(40):
        person.spend(number, 30)
    assert person.spent == {31, *range(32, 40)}


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"group": "ops"}, "the binding is not of the group that it names"),
        ({"request": "req_1"}, "it names an approval, and needed none"),
    ],
)
def test_a_chain_names_what_it_rests_on(other: dict[str, Any], why: str) -> None:
    told = ready()
    at = told.add(opened(told, because=replace(DEV_BECAUSE, **other)))
    assert told.said() == [(at, why)]


@pytest.mark.parametrize("other", [{"request": "req_2"}, {"approval_by": "ada"}, {"role_version": "0"}])
def test_a_session_names_the_request_and_the_approver_that_gave_the_access(other: dict[str, Any]) -> None:
    told = ready("max")
    shown = told.rows[-1].time
    told.approve(told.ask())
    told.wait(10 * SECOND)
    ends = Instant(told.at() + 30 * MINUTE)
    because = replace(PROD_BECAUSE, **other)
    at = told.add(opened(told, resource="web-1", because=because, privileged=True, shown=shown, ends=ends))
    assert told.said() == [(at, "the access that ran came by another request or approval")]


def test_no_session_is_opened_twice_and_none_is_watched_that_never_was() -> None:
    told = ready("aud")
    shown = told.rows[-1].time
    told.add(opened(told))
    at = told.add(opened(told, shown=shown))
    none = told.add(RecordingWatched("ses_2", "aud", "play"))
    assert told.said() == [(at, "there was such a session already"), (none, "there was no such session")]


def test_of_what_is_privileged_all_is_kept() -> None:
    told = ready(last="ops")
    base = opened(told, "ops", because=ROOT_BECAUSE, login="root", privileged=True, recording=Recording.HEAD_TAIL)
    at = told.add(base)
    assert told.said() == [(at, "less of it is kept than of what it is")]
    told = ready()
    told.add(opened(told, recording=Recording.HEAD_TAIL))
    assert told.said() == []


def test_a_machine_claims_no_factor() -> None:
    told = Story().ready("ada")
    machine(told)
    by = replace(DEV_BECAUSE, binding="bnd_bot")
    proof = MfaProof("", (MACHINE,), told.at(), phishing_resistant=True)
    at = told.add(opened(told, "bot", entry=EntryPoint.SSH_SERVICE_KEY, because=by, mfa=proof))
    assert told.said() == [(at, "a machine shows no second factor")]


def test_a_factor_may_have_no_age_at_all() -> None:
    told = ready()
    shown = told.rows[-1].time
    told.change("chg_1", "ada", resource_set("dev-1", {"env": "dev"}, mfa=MfaRule(max_age=0)))
    at = told.add(opened(told, shown=shown))
    assert told.said() == [(at, "the second factor was too old")]


def test_a_password_frees_no_key_of_a_machine_and_a_key_that_waits_holds_a_person_back() -> None:
    told = Story().ready("ada")
    machine(told)
    told.add(FactorEnrolled("fac_word", "bot", FactorKind.PASSWORD, "", None, "ada"))
    proof = MfaProof("", (MACHINE,), told.at())
    by, entry = replace(DEV_BECAUSE, binding="bnd_bot"), EntryPoint.SSH_SERVICE_KEY
    at = told.add(opened(told, "bot", entry=entry, because=by, mfa=proof, privileged=True))
    assert told.said()[-1:] == [(at, "no key of the account had been registered by two administrators")]
    told = ready(last="ops")
    told.add(FactorEnrolled("fac_key", "ops", FactorKind.SSH_KEY, "", FOREVER, "ops"))
    shown = told.rows[-2].time
    at = told.add(opened(told, "ops", because=ROOT_BECAUSE, login="root", privileged=True, shown=shown))
    assert told.said() == [(at, "a key of ops had been registered by one administrator")]
