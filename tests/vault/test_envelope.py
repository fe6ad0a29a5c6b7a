"""Envelope encryption: only the same master key, purpose and subject open it, and nothing may be altered."""

import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.kernel.errors import Corrupt
from onepam.kernel.secret import Secret
from onepam.vault.envelope import MAX_PLAINTEXT_BYTES, Envelope, KeyMissing
from onepam.vault.file_keys import FileKeys

ABOUT = b"secret/sec_1"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> FileKeys:
    return FileKeys.create(tmp_path_factory.mktemp("keys") / "master.keys", secrets.token_bytes)


@pytest.fixture(scope="module")
def envelope(keys: FileKeys) -> Envelope:
    return Envelope(keys, secrets.token_bytes)


@given(st.binary(max_size=500), st.binary(max_size=50))
def test_what_is_sealed_opens_again(envelope: Envelope, plaintext: bytes, about: bytes) -> None:
    assert envelope.open(envelope.seal(Secret(plaintext), about), about) == Secret(plaintext)


def test_two_envelopes_of_one_secret_share_nothing_but_their_header(envelope: Envelope, keys: FileKeys) -> None:
    one, two = (envelope.seal(Secret(b"hunter2"), ABOUT) for _ in range(2))
    header = 3 + len(keys.current) + 32
    assert one[:header] == two[:header]
    assert one[header:] != two[header:]
    assert b"hunter2" not in one


def test_another_subject_does_not_open_it(envelope: Envelope) -> None:
    sealed = envelope.seal(Secret(b"x"), ABOUT)
    with pytest.raises(Corrupt, match="something else"):
        envelope.open(sealed, b"secret/sec_2")
    other = envelope.seal(Secret(b"x"), b"secret/sec_2")
    header = slice(3 + sealed[2], 3 + sealed[2] + 32)
    relabelled = sealed[: header.start] + other[header] + sealed[header.stop :]
    with pytest.raises(Corrupt, match="altered"):
        envelope.open(relabelled, b"secret/sec_2")


def test_every_altered_byte_is_found(envelope: Envelope) -> None:
    sealed = envelope.seal(Secret(b"a password"), ABOUT)
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 0x01
        with pytest.raises((Corrupt, KeyMissing)):
            envelope.open(bytes(altered), ABOUT)


def test_every_cut_is_found(envelope: Envelope) -> None:
    sealed = envelope.seal(Secret(b"a password"), ABOUT)
    for length in range(len(sealed)):
        with pytest.raises(Corrupt):
            envelope.open(sealed[:length], ABOUT)


@given(st.binary(max_size=300))
def test_garbage_is_refused_as_corrupt(envelope: Envelope, garbage: bytes) -> None:
    for data in (garbage, b"\x01\x01" + garbage):
        with pytest.raises((Corrupt, KeyMissing)):
            envelope.open(data, ABOUT)


def test_a_data_key_and_a_secret_are_not_exchangeable(envelope: Envelope) -> None:
    key, wrapped = envelope.new_data_key(ABOUT)
    assert len(key.reveal()) == 32
    assert envelope.unwrap(wrapped, ABOUT) == key
    with pytest.raises(Corrupt, match="purpose"):
        envelope.open(wrapped, ABOUT)
    with pytest.raises(Corrupt, match="purpose"):
        envelope.unwrap(envelope.seal(Secret(b"x"), ABOUT), ABOUT)
    with pytest.raises(Corrupt, match="something else"):
        envelope.unwrap(wrapped, b"recording/ses_2")
    with pytest.raises(Corrupt, match="trailing"):
        envelope.unwrap(wrapped + b"\x00", ABOUT)


def test_rewrapping_changes_the_master_key_and_not_the_secret(tmp_path: Path) -> None:
    keys = FileKeys.create(tmp_path / "master.keys", secrets.token_bytes)
    envelope = Envelope(keys, secrets.token_bytes)
    sealed = envelope.seal(Secret(b"a password"), ABOUT)
    data_key, wrapped = envelope.new_data_key(ABOUT)
    assert envelope.rewrap(sealed) == sealed
    first = keys.current.encode()
    rotated = keys.rotate()
    assert isinstance(rotated, str)
    second = rotated.encode()
    again, wrapped_again = envelope.rewrap(sealed), envelope.rewrap(wrapped)
    assert first in sealed
    assert second in again
    assert second in wrapped_again
    assert first not in again + wrapped_again
    tail = len(b"a password") + 12 + 16
    assert again[-tail:] == sealed[-tail:]
    assert envelope.open(again, ABOUT) == envelope.open(sealed, ABOUT) == Secret(b"a password")
    assert envelope.unwrap(wrapped_again, ABOUT) == data_key


def test_another_installation_does_not_open_it(envelope: Envelope, tmp_path: Path) -> None:
    stranger = Envelope(FileKeys.create(tmp_path / "master.keys", secrets.token_bytes), secrets.token_bytes)
    with pytest.raises(KeyMissing, match="mk_"):
        stranger.open(envelope.seal(Secret(b"x"), ABOUT), ABOUT)


def test_a_secret_is_not_a_file(envelope: Envelope) -> None:
    largest = Secret(bytes(MAX_PLAINTEXT_BYTES))
    assert envelope.open(envelope.seal(largest, ABOUT), ABOUT) == largest
    with pytest.raises(ValueError, match="bytes"):
        envelope.seal(Secret(bytes(MAX_PLAINTEXT_BYTES + 1)), ABOUT)
