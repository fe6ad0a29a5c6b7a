"""The verifier's own Ed25519: RFC 8032's vectors, malleability, odd encodings, and agreement with OpenSSL's."""

from hashlib import sha512

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.evidence.verifier.ed25519 import BASE, L, P, _encode, _times, ed25519
from tests.evidence.forge import L as ORDER

# RFC 8032, section 7.1: public key, message, signature
VECTORS = {
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}

SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]

NOT_CANONICAL = [
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p + 1
    "0100000000000000000000000000000000000000000000000000000000000080",  # x = 0 with the sign of an odd x
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  # the same for y = -1
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p + 3
]


@pytest.mark.parametrize("name", VECTORS)
def test_rfc_8032(name: str) -> None:
    key, message, signature = map(bytes.fromhex, VECTORS[name])
    assert ed25519(key, message, signature)
    assert not ed25519(key, message + b"x", signature)
    for at in (0, 31, 32, 63):
        assert not ed25519(key, message, signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :])


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("times", [1, 2, 15])
def test_s_plus_a_multiple_of_l_is_refused(name: str, times: int) -> None:
    key, message, signature = map(bytes.fromhex, VECTORS[name])
    s = int.from_bytes(signature[32:], "little") + times * ORDER
    assert ORDER == L
    assert not ed25519(key, message, signature[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize("key", SMALL_ORDER)
def test_keys_of_small_order_are_refused(key: str) -> None:
    """With such a key, R = S * B and a few tries over the message verify for anybody."""
    for s in range(8):
        r = _encode(_times(s, BASE))
        for message in range(16):
            assert not ed25519(bytes.fromhex(key), b"%d" % message, r + s.to_bytes(32, "little"))


@pytest.mark.parametrize("key", NOT_CANONICAL)
def test_keys_that_are_not_canonical_are_refused(key: str) -> None:
    signature = _encode(_times(7, BASE)) + (7).to_bytes(32, "little")
    assert not ed25519(bytes.fromhex(key), b"", signature)


def test_r_must_be_canonical() -> None:
    """An R of small order in another encoding is another string, and is not the one that the equation gives."""
    key, message, _ = map(bytes.fromhex, VECTORS["TEST 2"])
    for r in (*SMALL_ORDER, *NOT_CANONICAL):
        assert not ed25519(key, message, bytes.fromhex(r) + bytes(32))


@pytest.mark.parametrize(("key", "signature"), [(31, 64), (33, 64), (32, 63), (32, 65), (0, 0)])
def test_lengths(key: int, signature: int) -> None:
    assert not ed25519(bytes(key), b"", bytes(signature))


def test_a_y_off_the_curve_is_refused() -> None:
    off = next(y for y in range(2, 50) if not _on_curve(y))
    assert not ed25519(off.to_bytes(32, "little"), b"", bytes(64))


def _on_curve(y: int) -> bool:
    d = -121665 * pow(121666, P - 2, P)
    return pow((y * y - 1) * pow(d * y * y + 1, P - 2, P), (P - 1) // 2, P) == 1


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.integers(0, 511))
def test_agrees_with_openssl(seed: bytes, message: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert ed25519(public, message, signature)
    broken = bytearray(signature)
    broken[bit // 8] ^= 1 << bit % 8
    assert not ed25519(public, message, bytes(broken))
