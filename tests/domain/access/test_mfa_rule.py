"""The table of bases, and each rule of a resource at its edges."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.mfa_rule import (
    FRESH_FACTOR,
    MAX_AGE,
    NO_FACTOR,
    Weight,
    eased,
    fresh,
    longest,
    phishable,
    weigh,
)
from onepam.domain.access.model import MfaRule
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import NOW

PROOF = MfaProof("sgn_eve", ("passkey",), Instant(NOW - MINUTE), phishing_resistant=True)
PLAIN, PRIVILEGED, ADMINISTRATIVE = Weight(False, False), Weight(True, False), Weight(True, True)
RESISTANT, FRESH = MfaRule(phishing_resistant=True), MfaRule(fresh=True)

OPENS = {
    MfaBasis.OWN: (True, True, True, True, True),
    MfaBasis.STEPPED_UP: (True, True, True, True, True),
    MfaBasis.ATTESTED: (True, True, True, True, True),
    MfaBasis.DECLARED: (True, True, False, False, False),
    MfaBasis.ACCEPTED: (True, False, False, False, False),
}
"""Ordinary, privileged, administrative, phishing-resistant and fresh: the table of the module, as it must be."""


def code(rule: MfaRule | None, proof: MfaProof, weight: Weight = PLAIN) -> str:
    refused = weigh(rule, proof, weight, NOW)
    return "" if refused is None else refused.code


def test_every_basis_is_in_the_table() -> None:
    assert set(OPENS) == set(MfaBasis)
    assert {basis for basis in MfaBasis if not OPENS[basis][3]} == NO_FACTOR


@pytest.mark.claim(
    "what is only declared is reported as such and never administers",
    altered="the rule let a declared factor open what is administrative",
)
@pytest.mark.parametrize("basis", MfaBasis)
def test_what_each_basis_opens(basis: MfaBasis) -> None:
    proof = replace(PROOF, basis=basis)
    asked = ((None, PLAIN), (None, PRIVILEGED), (None, ADMINISTRATIVE), (RESISTANT, PLAIN), (FRESH, PLAIN))
    assert tuple(code(rule, proof, weight) == "" for rule, weight in asked) == OPENS[basis]


def test_who_is_refused_for_the_basis_is_told_to_show_a_factor() -> None:
    for basis, weight, expected in (
        (MfaBasis.DECLARED, ADMINISTRATIVE, "mfa.declared"),
        (MfaBasis.ACCEPTED, PRIVILEGED, "mfa.accepted"),
    ):
        refused = weigh(None, replace(PROOF, basis=basis), weight, NOW)
        assert isinstance(refused, Refused)
        assert refused.code == expected
        assert refused.hint.startswith("/step-up")


def test_phishing_resistant_is_what_was_shown_and_never_a_confirmation() -> None:
    assert code(RESISTANT, PROOF) == ""
    assert code(RESISTANT, replace(PROOF, phishing_resistant=False)) == "mfa.phishing_resistant"
    assert code(RESISTANT, PROOF, replace(PLAIN, confirmed=True)) == phishable().code


@pytest.mark.parametrize(("rule", "oldest"), [(None, MAX_AGE), (MfaRule(HOUR), HOUR), (MfaRule(13 * HOUR), MAX_AGE)])
def test_an_age_is_reached_at_its_microsecond(rule: MfaRule | None, oldest: int) -> None:
    assert code(rule, replace(PROOF, at=Instant(NOW - oldest + 1))) == ""
    assert code(rule, replace(PROOF, at=Instant(NOW - oldest))) == "sign_in.stale"
    assert code(rule, replace(PROOF, at=Instant(NOW - oldest)), replace(PLAIN, confirmed=True)) == "sign_in.stale"


def test_a_fresh_factor_is_young_and_served_nobody() -> None:
    young, old = replace(PROOF, at=Instant(NOW - FRESH_FACTOR + 1)), replace(PROOF, at=Instant(NOW - FRESH_FACTOR))
    confirmed = replace(PLAIN, confirmed=True)
    assert [code(FRESH, each) for each in (young, old)] == ["", "mfa.fresh"]
    assert code(FRESH, old, confirmed) == ""  # its age was looked at when it was given
    assert code(FRESH, young, replace(PLAIN, spent=True)) == code(FRESH, young, replace(confirmed, spent=True))
    assert code(FRESH, young, replace(PLAIN, spent=True)) == "mfa.fresh"
    assert code(None, old, replace(PLAIN, spent=True)) == ""
    assert not fresh(replace(young, basis=MfaBasis.ACCEPTED), False, NOW, confirmed=True)


RULES = st.none() | st.builds(MfaRule, st.none() | st.integers(5 * MINUTE, MAX_AGE), st.booleans(), st.booleans())
PROOFS = st.builds(
    MfaProof,
    st.just("sgn_eve"),
    st.just(("totp",)),
    st.integers(NOW - 13 * HOUR, NOW),
    st.sampled_from(MfaBasis),
    st.just(""),
    st.booleans(),
)
WEIGHTS = st.builds(Weight, st.booleans(), st.booleans(), st.booleans(), st.booleans())


@given(RULES, RULES, PROOFS, WEIGHTS)
def test_a_rule_that_is_not_eased_opens_nothing_more(
    was: MfaRule | None, now: MfaRule | None, proof: MfaProof, weight: Weight
) -> None:
    """So that what needs no second person really takes away."""
    if not list(eased(was, now)) and weigh(was, proof, weight, NOW) is not None:
        assert weigh(now, proof, weight, NOW) is not None


@given(RULES, PROOFS, WEIGHTS)
def test_a_rule_never_opens_what_the_product_refuses(rule: MfaRule | None, proof: MfaProof, weight: Weight) -> None:
    if weigh(None, proof, weight, NOW) is not None:
        assert weigh(rule, proof, weight, NOW) is not None


def test_easing_is_named() -> None:
    strict = MfaRule(HOUR, True, True)
    assert list(eased(strict, None)) == [
        "takes older second factors",
        "asks for no phishing-resistant factor any more",
        "asks for no factor of its own for each session any more",
    ]
    assert list(eased(None, strict)) == list(eased(strict, strict)) == []
    assert longest(strict) == HOUR
