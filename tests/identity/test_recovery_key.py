"""The recovery key as it is printed and typed."""

import re
import secrets

import pytest

from onepam.identity.recovery_key import new_recovery_key, recovery_key_digest


def test_a_key_is_160_bits_in_groups_of_four() -> None:
    key = new_recovery_key(secrets.token_bytes).reveal().decode()
    assert re.fullmatch(r"([a-z2-7]{4}-){7}[a-z2-7]{4}", key)
    assert key != new_recovery_key(secrets.token_bytes).reveal().decode()


def test_case_spaces_and_dashes_do_not_count() -> None:
    key = new_recovery_key(secrets.token_bytes).reveal().decode()
    digest = recovery_key_digest(key)
    assert digest is not None
    assert recovery_key_digest(f"  {key.upper().replace('-', ' ')}\n") == digest
    assert recovery_key_digest(key[:-1] + ("a" if key[-1] != "a" else "b")) != digest


@pytest.mark.parametrize("typed", ["", "abcd", "a" * 31, "a" * 33, "1" * 32, "ä" * 32, "a" * 10_000])
def test_what_is_no_key_has_no_digest(typed: str) -> None:
    assert recovery_key_digest(typed) is None
