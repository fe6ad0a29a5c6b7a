"""Recovery codes: readable, stored slowly hashed, of use once."""

import re
import secrets

import pytest

from onepam.identity.recovery import ALPHABET, COUNT, StoredCodes, match, new_codes
from onepam.kernel.secret import Secret

Codes = tuple[tuple[Secret, ...], StoredCodes]


@pytest.fixture(scope="module")
def codes() -> Codes:
    return new_codes(secrets.token_bytes)


def test_ten_codes_are_shown_and_only_digests_stored(codes: Codes) -> None:
    shown, stored = codes
    texts = [code.reveal().decode() for code in shown]
    assert len(set(texts)) == len(set(stored.digests)) == COUNT == 10
    for text in texts:
        assert re.fullmatch(f"[{ALPHABET}]{{5}}-[{ALPHABET}]{{5}}", text)
        assert text not in repr(stored)
    assert not set("01iloLIOu") & set(ALPHABET)


def test_every_code_opens_once_however_it_is_typed(codes: Codes) -> None:
    shown, stored = codes
    for code in shown[:2]:
        text = code.reveal().decode()
        digest = match(stored, f" {text.upper().replace('-', ' ')} ")
        assert digest is not None
        left = stored.without(digest)
        assert len(left.digests) == len(stored.digests) - 1
        assert match(left, text) is None
        stored = left
    assert match(stored, shown[5].reveal().decode()) is not None


@pytest.mark.parametrize("typed", ["", "aaaaa-aaaaa", "x" * 10_000, "ÄÄÄÄÄ-ÄÄÄÄÄ", "\ud800" * 10, "00000-00000"])
def test_another_code_opens_nothing(codes: Codes, typed: str) -> None:
    assert match(codes[1], typed) is None


def test_nobody_has_no_codes(codes: Codes) -> None:
    assert match(None, codes[0][0].reveal().decode()) is None
    assert match(None, "") is None


def test_a_code_of_one_person_is_none_of_another(codes: Codes) -> None:
    stranger = StoredCodes(codes[1].scheme, bytes(16), codes[1].digests)
    assert match(stranger, codes[0][0].reveal().decode()) is None


def test_an_unknown_scheme_is_a_fault_and_no_wrong_code(codes: Codes) -> None:
    with pytest.raises(ValueError, match="scheme"):
        match(StoredCodes("md5", b"", ()), codes[0][0].reveal().decode())
