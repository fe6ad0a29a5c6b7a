"""Stepping up at a provider: what it must attest, of whom, and how lately."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import HeldRole
from onepam.domain.access.proof import MfaBasis
from onepam.domain.history.commit import Decided
from onepam.domain.providers import entering as rules
from onepam.domain.providers.assertion import Assertion
from onepam.domain.providers.entering import EnteringFacts
from onepam.domain.providers.stepping_up import step_up
from onepam.domain.signing_in.events import FactorKind, SteppedUp
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import LATER, NOW, present
from tests.domain.providers.test_federated import KNOWN, SAID, STRANGER, WEAK, code, with_account


def stepped(facts: EnteringFacts = KNOWN, said: Assertion = SAID, *roles: HeldRole) -> Decided[None] | Refused:
    return step_up(facts, present("eve", *roles), "sgn_eve", said, NOW)


def test_the_provider_can_attest_a_fresh_factor() -> None:
    answer = stepped(said=replace(SAID, methods=("mfa", "fido"), authenticated_at=LATER))
    named = rules.session_of(SAID)
    stepped_up = SteppedUp("sgn_eve", "eve", FactorKind.PROVIDER, NOW, MfaBasis.ATTESTED, True, named)
    assert answer == Decided((stepped_up,), None)


@pytest.mark.parametrize(
    ("facts", "said", "expected"),
    [
        (replace(KNOWN, provider=None), SAID, "sign_in.provider_gone"),
        (KNOWN, replace(SAID, provider="entra"), "sign_in.provider_gone"),
        (replace(KNOWN, taken=True), SAID, "sign_in.replayed"),
        (STRANGER, SAID, "step_up.somebody_else"),
        (with_account(KNOWN, person="ben"), SAID, "step_up.somebody_else"),
        (KNOWN, replace(SAID, authenticated_at=Instant(NOW - 5 * MINUTE)), "step_up.stale"),
        (KNOWN, WEAK, "step_up.not_attested"),
    ],
)
def test_what_the_provider_cannot_vouch_for_steps_nobody_up(
    facts: EnteringFacts, said: Assertion, expected: str
) -> None:
    assert code(stepped(facts, said)) == expected


def test_only_a_running_session_steps_up() -> None:
    gone = replace(present("eve"), signed_in_until=NOW)
    assert code(step_up(KNOWN, gone, "sgn_eve", SAID, NOW)) == "sign_in.ended"
