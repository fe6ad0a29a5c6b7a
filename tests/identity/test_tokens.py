"""Tokens, PKCE and the codes people type."""

import secrets
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.identity.tokens import (
    CODE_ALPHABET,
    code_digest,
    confirmation_code,
    is_pkce_challenge,
    is_token,
    new_token,
    pick,
    pkce_challenge,
    pkce_matches,
    same,
    token_digest,
)
from onepam.kernel.secret import Secret


def test_a_token_says_what_it_is_and_shows_itself_to_nobody() -> None:
    token = new_token("opm", secrets.token_bytes)
    text = token.reveal().decode()
    assert is_token(text, "opm")
    assert len(text) == 4 + 43
    assert text not in repr(token)
    assert new_token("opm", secrets.token_bytes) != token
    assert len(token_digest(token)) == 32
    assert same(token_digest(token), token_digest(Secret(text.encode())))
    assert not same(token_digest(token), token_digest(Secret(text[:-1].encode())))


@pytest.mark.parametrize("prefix", ["", "a", "OPM", "op_m", "o" * 13, "öp"])
def test_a_prefix_is_a_short_word(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        new_token(prefix, secrets.token_bytes)


def test_what_has_not_the_shape_of_a_token_is_none() -> None:
    good = "opm_" + "a" * 43
    assert is_token(good, "opm")
    for text in ("", "opm_", good[:-1], good + "a", good + "\n", good.replace("a", "é"), "x" * 10_000):
        assert not is_token(text, "opm")
    assert not is_token(good, "opmx")
    assert not is_token(good, "op")


def test_pkce_as_in_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert pkce_challenge(verifier) == challenge
    assert pkce_matches(verifier, challenge)
    assert is_pkce_challenge(challenge)
    assert not pkce_matches(verifier[:-1] + "l", challenge)
    assert not pkce_matches(verifier, challenge + "=")
    assert not pkce_matches(challenge, challenge)  # the `plain` method
    for verifier in ("", "a" * 42, "a" * 129, "a" * 42 + "é", "a" * 43 + "\n", "a" * 42 + " "):
        assert not pkce_matches(verifier, challenge)
    for short in ("a" * 43, "a" * 128):
        assert pkce_matches(short, pkce_challenge(short))


def test_a_confirmation_code_is_readable_and_typed_loosely() -> None:
    code = confirmation_code(secrets.token_bytes)
    left, dash, right = code.partition("-")
    assert (len(left), dash, len(right)) == (4, "-", 4)
    assert set(left + right) <= set(CODE_ALPHABET)
    digest = code_digest(code)
    assert digest is not None
    for typed in (code.lower(), left + right, f" {left} {right} ", f"{left}--{right}"):
        assert code_digest(typed) == digest
    for wrong in ("", left, code + "B", "AEIO-UAEI", "0000-0000", "x" * 10_000, "BCDF\x00GHJK"):
        assert code_digest(wrong) is None
    assert code_digest("BCDF-GHJK") != code_digest("BCDF-GHJL")


def test_the_alphabet_has_no_look_alikes_and_spells_nothing() -> None:
    assert not set("AEIOUY0123456789") & set(CODE_ALPHABET)


def test_picking_favours_no_character() -> None:
    every_byte = count()
    picked = pick(CODE_ALPHABET, 240, lambda n: bytes(next(every_byte) % 256 for _ in range(n)))
    assert {letter: picked.count(letter) for letter in CODE_ALPHABET} == dict.fromkeys(CODE_ALPHABET, 12)


@given(st.text())
def test_any_typed_text_gets_an_answer(text: str) -> None:
    assert code_digest(text) is None or len(text.strip()) >= 8
    assert not is_token(text, "opm") or text.startswith("opm_")
    assert not pkce_matches(text, text)
