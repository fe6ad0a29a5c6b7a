"""Pasted SSH public keys: what ssh-keygen makes is accepted with its own fingerprint, the rest is refused by name."""

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import asyncssh
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from onepam.identity.ssh_keys import PublicKey, parse_public_key
from onepam.kernel.errors import Refused


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def line_of(algorithm: str, blob: bytes, comment: str = "") -> str:
    return f"{algorithm} {b64encode(blob).decode()} {comment}".strip()


def accepted(text: str) -> PublicKey:
    key = parse_public_key(text)
    assert isinstance(key, PublicKey), key
    return key


def code(text: str) -> str:
    outcome = parse_public_key(text)
    assert isinstance(outcome, Refused), outcome
    assert outcome.hint
    return outcome.code.removeprefix("ssh_key.")


RAW = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()  # ids of tests repeat it
ED25519 = string(b"ssh-ed25519") + string(RAW)
GOOD = line_of("ssh-ed25519", ED25519)


@pytest.mark.parametrize(
    ("kind", "bits"), [("ed25519", 256), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 3072)]
)
def test_what_ssh_keygen_makes_is_accepted_with_its_fingerprint(tmp_path: Path, kind: str, bits: int) -> None:
    path = tmp_path / "id"
    make = ["ssh-keygen", "-q", "-t", kind, "-b", str(bits), "-N", "", "-C", "ann@laptop", "-f", str(path)]
    subprocess.run(make, check=True)
    key = accepted(path.with_suffix(".pub").read_text())
    shown = subprocess.run(["ssh-keygen", "-l", "-f", path], check=True, capture_output=True, text=True).stdout
    assert key.fingerprint == shown.split()[1]
    assert key.comment == "ann@laptop"
    assert not key.hardware
    assert accepted(key.line) == PublicKey(key.algorithm, key.blob, key.fingerprint, "")


def test_keys_of_security_keys_are_accepted() -> None:
    ed25519 = string(b"sk-ssh-ed25519@openssh.com") + string(RAW) + string(b"ssh:")
    key = accepted(line_of("sk-ssh-ed25519@openssh.com", ed25519))
    assert key.hardware
    plain = asyncssh.generate_private_key("ecdsa-sha2-nistp256").public_data
    ecdsa = string(b"sk-ecdsa-sha2-nistp256@openssh.com") + plain[4 + 19 :] + string(b"ssh:")
    assert accepted(line_of("sk-ecdsa-sha2-nistp256@openssh.com", ecdsa)).hardware


def rsa(bits: int) -> str:
    return asyncssh.generate_private_key("ssh-rsa", key_size=bits).export_public_key().decode()


def huge_rsa(bits: int) -> str:
    modulus = b"\x00" + ((1 << bits) - 1).to_bytes(bits // 8, "big")
    return line_of("ssh-rsa", string(b"ssh-rsa") + string(b"\x01\x00\x01") + string(modulus))


def test_weak_keys_are_refused() -> None:
    outcome = parse_public_key(rsa(2048))
    assert isinstance(outcome, Refused)
    assert outcome.code == "ssh_key.weak"
    assert "2048" in outcome.message
    assert code(huge_rsa(16384)) == "weak"
    assert code("ssh-dss AAAAB3NzaC1kc3MAAACB") == "weak"


def test_a_private_key_is_refused_with_a_warning() -> None:
    private = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    outcome = parse_public_key(private)
    assert isinstance(outcome, Refused)
    assert outcome.code == "ssh_key.private"
    assert "do not use it any more" in outcome.message
    assert private.splitlines()[1] not in outcome.message + outcome.hint


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("ssh-ed25519", "malformed"),
        ("ssh-ed25519 ", "malformed"),
        ("hello world", "type"),
        ("ssh-ed448 AAAA", "type"),
        ("ssh-ed25519 AAAA", "malformed"),
        ("ssh-ed25519 !!!!", "malformed"),
        ("ssh-ed25519 ÄÄÄÄ", "malformed"),
        (GOOD[:-3], "malformed"),
        (GOOD + "\n" + GOOD, "malformed"),
        (GOOD + "\u2028" + GOOD, "malformed"),
        ("x" * 10_000, "malformed"),
        (GOOD + " " + "x" * 10_000, "malformed"),
        (line_of("ssh-ed25519", ED25519 + b"\x00"), "malformed"),
        (line_of("ecdsa-sha2-nistp256", ED25519), "malformed"),
        (line_of("ssh-ed25519", string(b"ssh-ed25519") + string(RAW[:-1])), "malformed"),
        ('command="id",no-pty ' + GOOD, "type"),
        ("cert-authority " + GOOD, "type"),
        ("@cert-authority * " + GOOD, "type"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "certificate"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "malformed"),
    ],
)
def test_what_is_not_one_public_key_is_refused(text: str, reason: str) -> None:
    assert code(text) == reason


def test_one_key_has_one_encoding() -> None:
    """A modulus with a needless zero byte is the same key under another fingerprint."""
    algorithm, encoded = rsa(3072).split()[:2]
    blob = b64decode(encoded)
    modulus_at = 4 + 7 + 4 + 3
    assert accepted(line_of(algorithm, blob)).blob == blob
    longer = blob[:modulus_at] + string(b"\x00" + blob[modulus_at + 4 :])
    assert code(line_of(algorithm, longer)) == "malformed"


@pytest.mark.parametrize(
    ("comment", "shown"),
    [
        ("ann@laptop", "ann@laptop"),
        ("Ann's  new   laptop", "Ann's new laptop"),
        ("a\x1b[31mb\x07", "a[31mb"),
        ("\u202eevil\u200b", "evil"),
        ("名前 🔑", "名前 🔑"),
        ("x" * 500, "x" * 100),
        ("\u00a0", ""),
    ],
)
def test_a_comment_is_shown_without_tricks(comment: str, shown: str) -> None:
    assert accepted(f"{GOOD} {comment}").comment == shown


@given(st.text(max_size=200), st.binary(max_size=200))
def test_garbage_is_refused_and_never_raises(text: str, blob: bytes) -> None:
    for garbage in (text, "ssh-ed25519 " + text, "ssh-rsa " + text, line_of("ssh-rsa", string(b"ssh-rsa") + blob)):
        outcome = parse_public_key(garbage)
        assert isinstance(outcome, Refused)
