"""Confirming a terminal's sign-in, case by case: there is no second guess and no second use."""

from dataclasses import replace

import pytest

from onepam.domain.access.mfa_rule import FRESH_FACTOR
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.confirmation import LIFETIME, Ask, GivenFacts, ask, give
from onepam.domain.sessions.events import ConfirmationAsked, ConfirmationFailed, ConfirmationGiven
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import EVE, GRANT, NOW, access, present

HERE = replace(present("eve"), mfa_at=Instant(NOW - SECOND))
PROOF = MfaProof("sgn_eve", ("password", "totp"), Instant(NOW - SECOND))
FACTS = GivenFacts(HERE, PROOF, "eve", Instant(NOW + SECOND), "asked", "c0de")


def answer(facts: GivenFacts, digest: str = "c0de") -> Refused | Decided[Refused | None]:
    return give(facts, EVE, "cnf_1", digest, NOW)


def test_asking_lasts_two_minutes_and_keeps_what_is_asked() -> None:
    asked = ask(access(grants=(GRANT,)), Ask("cnf_1", "eve", "web-1", "root", "192.0.2.1", "c0de"), NOW)
    assert isinstance(asked, Decided)
    expires = Instant(NOW + LIFETIME)
    assert asked == Decided(
        (ConfirmationAsked("cnf_1", "eve", "web-1", "root", expires, "c0de", "192.0.2.1"),), expires
    )


def test_nothing_is_asked_for_what_would_not_open() -> None:
    refused = ask(access(), Ask("cnf_1", "eve", "web-1", "root", "192.0.2.1", "c0de"), NOW)
    assert isinstance(refused, Refused)
    assert refused.code == "access.needs_approval"


def test_the_right_code_under_a_fresh_factor_confirms_with_its_proof() -> None:
    assert answer(FACTS) == Decided((ConfirmationGiven("cnf_1", "eve", PROOF),), None)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"person": None}, "confirmation.gone"),
        ({"expires": None}, "confirmation.gone"),
        ({"expires": NOW}, "confirmation.gone"),
        ({"status": "given"}, "confirmation.gone"),
        ({"status": "failed"}, "confirmation.gone"),
        ({"status": None}, "confirmation.gone"),
        ({"actor": replace(HERE, mfa_at=None)}, "sign_in.ended"),
        ({"actor": replace(HERE, signed_in_until=NOW)}, "sign_in.ended"),
        ({"actor": replace(HERE, enabled=False)}, "person.disabled"),
        ({"actor": replace(HERE, mfa_at=Instant(NOW - FRESH_FACTOR))}, "confirmation.stale_factor"),
    ],
)
def test_what_is_refused_and_may_be_tried_again(changed: dict[str, object], code: str) -> None:
    refused = answer(replace(FACTS, **changed))  # type: ignore[arg-type]
    assert isinstance(refused, Refused)
    assert refused.code == code


def test_a_resource_that_asks_for_a_factor_of_its_own_takes_none_that_served_before() -> None:
    own = replace(FACTS, fresh=True)
    assert answer(own) == Decided((ConfirmationGiven("cnf_1", "eve", PROOF),), None)
    assert answer(replace(FACTS, spent=True)) == answer(own)
    for changed in (replace(own, spent=True), replace(own, proof=replace(PROOF, basis=MfaBasis.ACCEPTED))):
        refused = answer(changed)
        assert isinstance(refused, Refused)
        assert (refused.code, refused.hint) == ("confirmation.stale_factor", "/step-up")


@pytest.mark.claim(
    "A terminal's link cannot be confirmed by somebody else, nor without the code",
    altered="the person was not compared; in another run, the code",
)
@pytest.mark.parametrize(
    ("changed", "digest", "code"),
    [
        ({"person": "mia"}, "c0de", "confirmation.wrong_person"),
        ({}, "0ther", "confirmation.wrong_code"),
        ({}, "", "confirmation.wrong_code"),
        ({"code_digest": None}, "c0de", "confirmation.wrong_code"),
    ],
)
def test_what_ends_the_attempt(changed: dict[str, object], digest: str, code: str) -> None:
    void = answer(replace(FACTS, **changed), digest)  # type: ignore[arg-type]
    assert isinstance(void, Decided)
    assert void.events == (ConfirmationFailed("cnf_1", "eve", code),)
    assert isinstance(void.result, Refused)
    assert void.result.code == code


def test_a_wrong_person_ends_it_even_with_a_stale_factor_and_the_right_code() -> None:
    void = answer(replace(FACTS, person="mia", actor=replace(HERE, mfa_at=Instant(NOW - FRESH_FACTOR))))
    assert isinstance(void, Decided)
    assert void.events == (ConfirmationFailed("cnf_1", "eve", "confirmation.wrong_person"),)
