"""Signing in, enrolling, factors: the rules, branch by branch."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in import rules
from onepam.domain.signing_in.events import (
    FactorEnrolled,
    FactorKind,
    FactorRemoved,
    FactorUsed,
    SignedIn,
    SignedOut,
    SignInFailed,
    SteppedUp,
)
from onepam.domain.signing_in.gate import LOCKED, MAX_LOCKOUT, WRONG, Device, Failures, Tries, Visitor
from onepam.domain.signing_in.rules import AccountFacts, FactorFacts, Opening, Proof
from onepam.kernel.clock import HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import EVE, LATER, NOW, present

PASSWORD = FactorFacts("fac_p", FactorKind.PASSWORD, 0)
TOTP = FactorFacts("fac_t", FactorKind.TOTP, 41)
PASSKEY = FactorFacts("fac_k", FactorKind.PASSKEY, 7)
CODES = FactorFacts("fac_r", FactorKind.RECOVERY, 0)
KEY = FactorFacts("fac_s", FactorKind.SSH_KEY, 0)
ACCOUNT = AccountFacts("eve", PersonKind.EMPLOYEE, True, None, Tries(), (PASSWORD, TOTP, PASSKEY, CODES), (), ())
STRANGER = Visitor("192.0.2.1")
BY_PASSWORD = Proof("fac_p", FactorKind.PASSWORD, 0)
BY_TOTP = Proof("fac_t", FactorKind.TOTP, 42)
BY_PASSKEY = Proof("fac_k", FactorKind.PASSKEY, 8)
PROVEN = MfaProof("sgn_1", ("passkey",), NOW, phishing_resistant=True)


def opening(*proofs: Proof) -> Opening:
    return Opening("sgn_1", "eve", proofs, "digest", STRANGER, "browser")


def new(kind: FactorKind, person: str = "eve") -> FactorEnrolled:
    return FactorEnrolled("fac_new_" + kind, person, kind, "", None, person, secret="x")


def code(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def decided(answer: object) -> Decided[Any]:
    assert isinstance(answer, Decided), answer
    return answer


def events(answer: object) -> list[type]:
    assert isinstance(answer, Decided), answer
    return [type(event) for event in answer.events]


def test_password_and_app_open_a_session() -> None:
    answer = rules.sign_in(ACCOUNT, opening(BY_PASSWORD, BY_TOTP), NOW)
    assert events(answer) == [FactorUsed, SignedIn]
    assert isinstance(answer, Decided)
    assert answer.result == NOW + rules.CONSOLE_SESSION
    opened = answer.events[-1]
    assert isinstance(opened, SignedIn)
    assert opened.proven == (FactorKind.PASSWORD, FactorKind.TOTP)


def test_a_passkey_alone_opens_a_session() -> None:
    assert events(rules.sign_in(ACCOUNT, opening(BY_PASSKEY), NOW)) == [FactorUsed, SignedIn]


@pytest.mark.parametrize(
    "proofs",
    [
        (BY_PASSWORD,),
        (BY_TOTP,),
        (),
        (BY_PASSWORD, Proof("fac_r", FactorKind.RECOVERY, 0)),
        (Proof("idp_1", FactorKind.PROVIDER, 0),),
        (Proof("idp_1", FactorKind.PROVIDER, 0), BY_PASSWORD),
    ],
)
def test_less_than_two_factors_open_nothing(proofs: tuple[Proof, ...]) -> None:
    assert code(rules.sign_in(ACCOUNT, opening(*proofs), NOW)) == "sign_in.factors"


@pytest.mark.parametrize(
    "proof",
    [
        Proof("fac_t", FactorKind.TOTP, 41),
        Proof("fac_t", FactorKind.TOTP, 40),
        Proof("fac_gone", FactorKind.TOTP, 99),
        Proof("fac_k", FactorKind.TOTP, 99),
    ],
)
def test_a_code_serves_once_and_only_its_own_factor(proof: Proof) -> None:
    assert rules.sign_in(ACCOUNT, opening(BY_PASSWORD, proof), NOW) == WRONG


@pytest.mark.parametrize(("stored", "shown", "good"), [(7, 8, True), (7, 7, False), (7, 6, False), (0, 0, True)])
def test_a_passkey_counter_only_rises(stored: int, shown: int, good: bool) -> None:
    account = replace(ACCOUNT, factors=(FactorFacts("fac_k", FactorKind.PASSKEY, stored),))
    answer = rules.sign_in(account, opening(Proof("fac_k", FactorKind.PASSKEY, shown)), NOW)
    assert isinstance(answer, Decided) is good


@pytest.mark.parametrize(
    "account",
    [
        replace(ACCOUNT, enabled=False),
        replace(ACCOUNT, ends=NOW),
        replace(ACCOUNT, kind=PersonKind.SERVICE),
    ],
)
def test_who_may_not_sign_in_hears_what_everybody_hears(account: AccountFacts) -> None:
    assert rules.sign_in(account, opening(BY_PASSKEY), NOW) == WRONG
    for right in (True, False):
        assert rules.try_factor(account, FactorKind.TOTP, right, STRANGER, NOW) == Decided((), WRONG)


def test_a_lock_and_an_end_that_have_passed_do_not_count() -> None:
    account = replace(ACCOUNT, tries=Tries(strange=Failures(5, NOW)), ends=LATER)
    answer = rules.sign_in(account, opening(BY_PASSWORD, BY_TOTP), NOW)
    assert isinstance(answer, Decided)
    assert answer.result == NOW + rules.CONSOLE_SESSION
    assert rules.try_factor(account, FactorKind.PASSWORD, True, STRANGER, NOW) == Decided((), None)


def test_failures_lock_out_longer_each_time_up_to_a_quarter_of_an_hour() -> None:
    waits = []
    for failures in range(14):
        account = replace(ACCOUNT, tries=Tries(strange=Failures(failures)))
        answer = rules.try_factor(account, FactorKind.PASSWORD, False, STRANGER, NOW)
        event = answer.events[0]
        assert isinstance(event, SignInFailed)
        assert (event.failures, event.device, event.source) == (failures + 1, "strange", "192.0.2.1")
        waits.append(None if event.locked_until is None else event.locked_until - NOW)
    assert waits[:4] == [None] * 4
    assert waits[4:7] == [30 * SECOND, MINUTE, 2 * MINUTE]
    assert waits[-1] == MAX_LOCKOUT


UNTIL = Instant(NOW + 1)
LOCKED_OUT = replace(ACCOUNT, tries=Tries(strange=Failures(5, UNTIL)))
TOLD = replace(ACCOUNT, tries=Tries(strange=Failures(5, UNTIL, tried=True)))


@pytest.mark.parametrize("right", [True, False])
def test_while_locked_a_right_answer_and_a_wrong_one_are_the_same(right: bool) -> None:
    for kind in (FactorKind.PASSWORD, FactorKind.TOTP, FactorKind.RECOVERY):
        answer = rules.try_factor(LOCKED_OUT, kind, right, STRANGER, NOW)
        (event,) = answer.events
        assert event == SignInFailed("eve", kind, LOCKED, 5, UNTIL, source="192.0.2.1")
        assert answer.result == WRONG
        assert rules.try_factor(TOLD, kind, right, STRANGER, NOW) == Decided((), WRONG), "once a lock"


def test_a_lock_holds_for_every_way_in() -> None:
    for answer in (
        rules.sign_in(LOCKED_OUT, opening(BY_PASSWORD, BY_TOTP), NOW),
        rules.step_up(LOCKED_OUT, present("eve"), PROVEN, BY_TOTP, STRANGER, NOW),
    ):
        assert isinstance(answer, Decided)
        assert events(answer) == [SignInFailed]
        assert answer.result == WRONG


def test_strangers_lock_strangers_out_and_neither_a_known_device_nor_a_passkey() -> None:
    at_home = Visitor("192.0.2.1", Device.KNOWN)
    assert rules.try_factor(LOCKED_OUT, FactorKind.TOTP, True, at_home, NOW) == Decided((), None)
    assert events(rules.sign_in(LOCKED_OUT, opening(BY_PASSKEY), NOW)) == [FactorUsed, SignedIn]
    assert rules.try_factor(ACCOUNT, FactorKind.PASSKEY, False, STRANGER, NOW) == Decided((), WRONG)
    stolen = replace(ACCOUNT, tries=Tries(known=Failures(5, UNTIL)))
    answer = rules.try_factor(stolen, FactorKind.TOTP, True, at_home, NOW)
    assert [each.device for each in answer.events if isinstance(each, SignInFailed)] == ["known"]
    assert answer.result == WRONG


def test_a_challenge_serves_once_whatever_the_counter_says() -> None:
    shown = Proof("fac_k", FactorKind.PASSKEY, 0, "c1")
    account = replace(ACCOUNT, factors=(FactorFacts("fac_k", FactorKind.PASSKEY, 0),))
    first = rules.sign_in(account, opening(shown), NOW)
    assert isinstance(first, Decided)
    assert first.events[0] == FactorUsed("fac_k", "eve", 0, "c1")
    again = replace(account, answered=("c0", "c1"))
    assert rules.sign_in(again, opening(shown), NOW) == WRONG
    assert rules.step_up(again, present("eve"), PROVEN, shown, STRANGER, NOW) == WRONG


def test_a_passkeys_registration_serves_once() -> None:
    """A removed passkey does not come back by the answer that brought it (by a link: test_enrolling.py)."""
    made = replace(new(FactorKind.PASSKEY), challenge="c1")
    again = replace(ACCOUNT, answered=("c0", "c1"))
    assert events(rules.add_factor(ACCOUNT, present("eve"), made, NOW)) == [FactorEnrolled]
    assert rules.add_factor(again, present("eve"), made, NOW) == rules.ANSWERED


def test_stepping_up_needs_a_second_factor_of_ones_own() -> None:
    answer = rules.step_up(ACCOUNT, present("eve"), PROVEN, BY_TOTP, STRANGER, NOW)
    assert events(answer) == [FactorUsed, SteppedUp]
    assert isinstance(answer, Decided)
    assert answer.events[1] == SteppedUp("sgn_1", "eve", FactorKind.TOTP, NOW, MfaBasis.OWN, False)
    federated = replace(PROVEN, provider="idp_1", basis=MfaBasis.DECLARED)
    answer = rules.step_up(ACCOUNT, present("eve"), federated, BY_PASSKEY, STRANGER, NOW)
    assert isinstance(answer, Decided)
    assert answer.events[1] == SteppedUp("sgn_1", "eve", FactorKind.PASSKEY, NOW, MfaBasis.STEPPED_UP, True)
    assert rules.step_up(ACCOUNT, present("eve"), PROVEN, BY_PASSWORD, STRANGER, NOW) == WRONG
    assert rules.step_up(ACCOUNT, present("eve"), PROVEN, Proof("fac_t", FactorKind.TOTP, 1), STRANGER, NOW) == WRONG
    gone = ActorFacts("eve", True, None, None, None, ())
    assert code(rules.step_up(ACCOUNT, gone, PROVEN, BY_TOTP, STRANGER, NOW)) == "sign_in.ended"


def cli(actor: ActorFacts, taken: bool = False) -> Decided[Instant] | Refused:
    return rules.cli_sign_in(actor, EVE, "cli_1", "digest", "192.0.2.1", PROVEN, taken, NOW)


def test_a_cli_session_inherits_the_proof_and_ends_with_the_person() -> None:
    answer = cli(present("eve"))
    assert isinstance(answer, Decided)
    assert answer.result == NOW + rules.CLI_SESSION
    opened = answer.events[0]
    assert isinstance(opened, SignedIn)
    assert (opened.mfa_at, opened.parent) == (NOW, EVE.session)
    leaving = cli(replace(present("eve"), ends=Instant(NOW + HOUR)))
    assert isinstance(leaving, Decided)
    assert leaving.result == NOW + HOUR


def test_a_cli_session_is_refused() -> None:
    assert code(cli(ActorFacts("eve", True, None, None, None, ()))) == "sign_in.ended"
    assert code(cli(present("eve"), taken=True)) == "cli_code.gone"
    old = replace(present("eve"), mfa_at=Instant(NOW - rules.CLI_SESSION))
    assert code(cli(old)) == "sign_in.stale"


def test_signing_out_ends_the_session_once() -> None:
    assert events(rules.sign_out(present("eve"), EVE, NOW)) == [SignedOut]
    assert code(rules.sign_out(ActorFacts("eve", True, None, None, None, ()), EVE, NOW)) == "sign_in.ended"


STALE = replace(present("eve"), mfa_at=Instant(NOW - rules.FRESH_FACTOR))
GONE = ActorFacts("eve", True, None, None, None, ())


def test_adding_a_factor_needs_a_fresh_one_and_is_bounded() -> None:
    assert events(rules.add_factor(ACCOUNT, present("eve"), new(FactorKind.SSH_KEY), NOW)) == [FactorEnrolled]
    assert code(rules.add_factor(ACCOUNT, STALE, new(FactorKind.SSH_KEY), NOW)) == "factor.stale"
    assert code(rules.add_factor(ACCOUNT, GONE, new(FactorKind.SSH_KEY), NOW)) == "sign_in.ended"
    full = replace(ACCOUNT, factors=(KEY,) * rules.MAX_FACTORS)
    assert code(rules.add_factor(full, present("eve"), new(FactorKind.SSH_KEY), NOW)) == "factor.many"


def test_new_recovery_codes_take_the_place_of_the_old_ones() -> None:
    answer = rules.add_factor(ACCOUNT, present("eve"), new(FactorKind.RECOVERY), NOW)
    assert events(answer) == [FactorRemoved, FactorEnrolled]


def test_removing_a_factor() -> None:
    eve = present("eve")
    assert events(rules.remove_factor(ACCOUNT, eve, "fac_t", NOW)) == [FactorRemoved]
    assert code(rules.remove_factor(ACCOUNT, STALE, "fac_t", NOW)) == "factor.stale"
    assert code(rules.remove_factor(ACCOUNT, GONE, "fac_t", NOW)) == "sign_in.ended"
    assert code(rules.remove_factor(ACCOUNT, eve, "fac_nobody", NOW)) == "factor.unknown"
    assert code(rules.remove_factor(ACCOUNT, eve, "fac_p", NOW)) == "factor.unknown"
    last = replace(ACCOUNT, factors=(PASSWORD, TOTP, KEY))
    assert code(rules.remove_factor(last, eve, "fac_t", NOW)) == "factor.last"
    assert events(rules.remove_factor(last, eve, "fac_s", NOW)) == [FactorRemoved]


def test_a_recovery_code_is_spent_once() -> None:
    proof = Proof("fac_r", FactorKind.RECOVERY, 3)
    assert rules.stands(ACCOUNT, proof)
    assert not rules.stands(replace(ACCOUNT, spent=(3,)), proof)


def test_a_key_proves_nothing_at_sign_in() -> None:
    account = replace(ACCOUNT, factors=(KEY,))
    assert not rules.stands(account, Proof("fac_s", FactorKind.SSH_KEY, 0))
