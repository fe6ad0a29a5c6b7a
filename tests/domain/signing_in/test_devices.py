"""Letting in a terminal without a browser, case by case: whose, from where, by which code, once."""

from dataclasses import replace

import pytest

from onepam.domain.access.mfa_rule import FRESH_FACTOR
from onepam.domain.access.proof import MfaProof
from onepam.domain.history.commit import Decided
from onepam.domain.signing_in.devices import (
    GONE,
    Allowance,
    Asked,
    DeviceFacts,
    DeviceOpening,
    answer,
    sign_in,
)
from onepam.domain.signing_in.events import DeviceAllowed, DeviceRefused, FactorKind, SignedIn, SignInKind
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import EVE, MAX, NOW, present

HERE = replace(present("eve"), mfa_at=Instant(NOW - SECOND))
ENDS = Instant(NOW + SECOND)
FACTS = DeviceFacts(HERE, None, answered=False)
ASKED = Asked("cli_1", "192.0.2.1", "eve@build", ENDS, "c0de", "", vouches=True)
NEAR = replace(EVE, source="192.0.2.1")
FAR = replace(EVE, source="198.51.100.9")
KEYED = replace(ASKED, key="fac_1")
HERS = replace(FACTS, key_of="eve")
PROOF = MfaProof("sgn_eve", ("passkey",), Instant(NOW - SECOND), phishing_resistant=True)
ALLOWED = Allowance("eve", "sgn_eve", ENDS)
OPENING = DeviceOpening("cli_1", "d1gest", "192.0.2.1")


def test_the_code_at_the_same_address_or_by_the_person_of_the_key_anywhere() -> None:
    expected = DeviceAllowed("cli_1", "eve", "sgn_eve", ENDS, "", "192.0.2.1", "eve@build")
    assert answer(FACTS, NEAR, ASKED, "c0de", NOW) == Decided((expected,), None)
    assert answer(HERS, FAR, KEYED, "c0de", NOW) == Decided((replace(expected, key="fac_1"),), None)


@pytest.mark.claim(
    "A terminal without a browser is let in by nobody but the person of an SSH key that it holds",
    altered="the addresses were not compared; in other runs the key's person, the code",
)
@pytest.mark.parametrize(
    ("facts", "actor", "asked", "typed", "code"),
    [
        (FACTS, FAR, ASKED, "c0de", "device.wrong_address"),
        (FACTS, NEAR, replace(ASKED, vouches=False), "c0de", "device.wrong_address"),
        (replace(HERS, key_of="max"), NEAR, KEYED, "c0de", "device.wrong_person"),
        (FACTS, NEAR, ASKED, "0ther", "device.wrong_code"),
        (HERS, FAR, KEYED, "0ther", "device.wrong_code"),
        (FACTS, NEAR, ASKED, "", "device.not_me"),
        (FACTS, FAR, ASKED, "", "device.not_me"),
    ],
)
def test_what_voids_the_attempt(facts: DeviceFacts, actor: object, asked: Asked, typed: str, code: str) -> None:
    void = answer(facts, actor, asked, typed, NOW)  # type: ignore[arg-type]
    assert isinstance(void, Decided)
    assert void.events == (DeviceRefused("cli_1", "eve", code, "192.0.2.1", "eve@build"),)
    assert isinstance(void.result, Refused)
    assert void.result.code == code


@pytest.mark.parametrize(
    ("changed", "asked", "code"),
    [
        ({"answered": True}, ASKED, "device.gone"),
        ({}, replace(ASKED, expires=NOW), "device.gone"),
        ({}, KEYED, "device.gone"),
        ({"actor": replace(HERE, signed_in_until=NOW)}, ASKED, "sign_in.ended"),
        ({"actor": replace(HERE, mfa_at=Instant(NOW - FRESH_FACTOR))}, ASKED, "device.stale_factor"),
    ],
    ids=["answered", "lapsed", "the key was removed", "signed out", "an old factor"],
)
def test_what_is_refused_and_changes_nothing(changed: dict[str, object], asked: Asked, code: str) -> None:
    refused = answer(replace(FACTS, **changed), NEAR, asked, "c0de", NOW)  # type: ignore[arg-type]
    assert isinstance(refused, Refused)
    assert refused.code == code


@pytest.mark.claim(
    "What asks for a phishing-resistant factor never opens with that sign-in",
    altered="the session inherited phishing_resistant",
)
def test_the_session_has_the_proof_of_the_answer_and_does_not_resist_phishing() -> None:
    opened = sign_in(HERE, EVE, OPENING, PROOF, ALLOWED, False, NOW)
    assert isinstance(opened, Decided)
    (event,) = opened.events
    assert isinstance(event, SignedIn)
    assert (event.session, event.parent, event.kind) == ("cli_1", "sgn_eve", SignInKind.CLI)
    assert (event.proven, event.mfa_at) == ((FactorKind.PASSKEY,), PROOF.at)
    assert (event.agent, event.phishing_resistant) == ("onepam login --device", False)
    assert opened.result == event.expires


@pytest.mark.parametrize(
    ("allowed", "actor"),
    [
        (None, EVE),
        (replace(ALLOWED, expires=NOW), EVE),
        (replace(ALLOWED, person="max"), EVE),
        (replace(ALLOWED, parent="sgn_other"), EVE),
        (ALLOWED, MAX),
    ],
)
def test_nothing_opens_that_was_not_allowed(allowed: Allowance | None, actor: object) -> None:
    assert sign_in(HERE, actor, OPENING, PROOF, allowed, False, NOW) == GONE  # type: ignore[arg-type]


def test_it_opens_once_and_while_the_console_session_runs() -> None:
    twice = sign_in(HERE, EVE, OPENING, PROOF, ALLOWED, True, NOW)
    over = sign_in(replace(HERE, signed_in_until=NOW), EVE, OPENING, PROOF, ALLOWED, False, NOW)
    assert isinstance(twice, Refused)
    assert isinstance(over, Refused)
    assert (twice.code, over.code) == ("cli_code.gone", "sign_in.ended")
