"""Against the published examples of C2SP signed-note, and against everything that is almost a note."""

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from onepam.ledger.note import (
    COSIGNATURE_V1,
    ED25519,
    MAX_NOTE_BYTES,
    BadNote,
    Note,
    Signature,
    Verified,
    VerifierKey,
    parse_signatures,
    sign,
)

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
LOG = VerifierKey("log.example/a", ED25519, PUBLIC)
WITNESS = VerifierKey("witness.example/w", COSIGNATURE_V1, PUBLIC)


def test_the_example_of_the_specification() -> None:
    key = VerifierKey.parse(VKEY)
    assert key.encode() == VKEY
    note = Note.parse(EXAMPLE.encode())
    assert note.text == "This is an example message.\n"
    assert note.verify([key]) == (Verified(key, None),)
    assert note.encode() == EXAMPLE.encode()


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n")))
def test_what_is_signed_verifies_and_nothing_else(words: str) -> None:
    text = words + "\n"
    note = Note(text, (sign(text, LOG, PRIVATE.sign), sign(text, WITNESS, PRIVATE.sign, at=1_772_546_400)))
    again = Note.parse(note.encode())
    assert again == note
    assert again.verify([LOG, WITNESS]) == (Verified(LOG, None), Verified(WITNESS, 1_772_546_400))
    with pytest.raises(BadNote, match="does not hold"):
        Note("x" + text, note.signatures).verify([LOG])


def test_a_cosignature_carries_its_time() -> None:
    line = sign("a\n", WITNESS, PRIVATE.sign, at=7)
    assert line.value[:8] == (7).to_bytes(8, "big")
    PRIVATE.public_key().verify(line.value[8:], b"cosignature/v1\ntime 7\na\n")
    assert WITNESS.verify("a\n", (8).to_bytes(8, "big") + line.value[8:]) is None
    assert WITNESS.verify("a\n", line.value[8:]) is None
    late = sign("a\n", WITNESS, PRIVATE.sign, at=1 << 63)
    assert WITNESS.verify("a\n", late.value) is None
    with pytest.raises(ValueError, match="time"):
        sign("a\n", WITNESS, PRIVATE.sign)
    with pytest.raises(ValueError, match="time"):
        sign("a\n", LOG, PRIVATE.sign, at=7)


def test_unknown_keys_are_ignored_and_known_ones_must_hold() -> None:
    other = VerifierKey(LOG.name, ED25519, bytes(32))
    namesake = Signature(LOG.name, other.key_id, b"x" * 64)
    note = Note("a\n", (sign("a\n", LOG, PRIVATE.sign), namesake))
    assert note.verify([LOG]) == (Verified(LOG, None),)
    with pytest.raises(BadNote, match="does not hold"):
        note.verify([LOG, other])
    with pytest.raises(BadNote, match="no signature"):
        note.verify([WITNESS])
    with pytest.raises(BadNote, match="no signature"):
        note.verify([])


def test_a_signature_replaces_the_same_keys_earlier_one() -> None:
    first, second = (sign("a\n", WITNESS, PRIVATE.sign, at=at) for at in (1, 2))
    note = Note("a\n", (sign("a\n", LOG, PRIVATE.sign),)).signed(first).signed(second)
    assert [each.name for each in note.signatures] == [LOG.name, WITNESS.name]
    assert note.signatures[-1].value == second.value


SIGNATURE = "— n " + b64encode(b"id00s").decode() + "\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a",
        b"a\n",
        b"a\n\n",
        f"a\n{SIGNATURE}".encode(),
        f"a\n\n{SIGNATURE}".rstrip().encode(),
        f"a\n\n{SIGNATURE}x".encode(),
        f"a\n\n{SIGNATURE}{SIGNATURE}".encode(),
        f"a\r\n\n{SIGNATURE}".encode(),
        f"a\0\n\n{SIGNATURE}".encode(),
        f"a\n\n{SIGNATURE}".encode("utf-16"),
        f"a\n\n{SIGNATURE}\n".encode(),
        f"a\n\n{SIGNATURE.replace('—', '-')}".encode(),
        f"a\n\n{SIGNATURE.replace(' n ', '  ')}".encode(),
        f"a\n\n{SIGNATURE.replace(' n ', ' n+m ')}".encode(),
        f"a\n\n{SIGNATURE.replace(' n ', chr(0x3000).join('  '))}".encode(),
        f"a\n\n{SIGNATURE.replace(' n ', ' ' + 'n' * 256 + ' ')}".encode(),
        "a\n\n— n\n".encode(),
        "a\n\n— n aWQwMA==\n".encode(),
        "a\n\n— n aWQwMHM\n".encode(),
        "a\n\n— n aWQwMHM= x\n".encode(),
        "a\n\n— n aWQwMHN=\n".encode(),
        "a\n\n— n äöü=\n".encode(),
        b"a\n\n" + b"".join(f"— n{index} aWQwMHM=\n".encode() for index in range(33)),
        b"a" * MAX_NOTE_BYTES + f"\n\n{SIGNATURE}".encode(),
    ],
)
def test_what_is_almost_a_note_is_refused(data: bytes) -> None:
    with pytest.raises(BadNote):
        Note.parse(data)


def test_the_last_empty_line_separates_the_signatures() -> None:
    note = Note.parse(f"a\n\nb\n\n{SIGNATURE}".encode())
    assert note.text == "a\n\nb\n"
    assert len(parse_signatures("".join(f"— n{index} aWQwMHM=\n" for index in range(32)))) == 32


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("foo", "bar"),
        VKEY[:-1],
        VKEY + "=",
        "example.com/foo+530d903a+",
        "a b+00000000+" + b64encode(b"\1" + bytes(32)).decode(),
        "+00000000+" + b64encode(b"\1" + bytes(32)).decode(),
        "a+00000000+" + b64encode(b"\2" + bytes(32)).decode(),
        "a+00000000+" + b64encode(b"\1" + bytes(31)).decode(),
        "a" * 600 + VKEY,
    ],
)
def test_what_is_almost_a_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(BadNote):
        VerifierKey.parse(vkey)


def test_one_key_under_two_algorithms_has_two_ids() -> None:
    assert VerifierKey("a", ED25519, PUBLIC).key_id != VerifierKey("a", COSIGNATURE_V1, PUBLIC).key_id
    assert b64decode(WITNESS.encode().split("+", 2)[2])[0] == 0x04


def test_a_key_is_of_an_algorithm_that_is_known() -> None:
    with pytest.raises(BadNote):
        VerifierKey("log.example/a", 2, PUBLIC)


def test_a_key_with_a_plus_in_its_base64_is_read() -> None:
    key = VerifierKey("log.example/a", ED25519, b"\xfb" * 32)
    assert key.encode().count("+") > 2
    assert VerifierKey.parse(key.encode()) == key
