"""Signatures of the real `ssh-keygen -Y sign`, and what is none."""

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from onepam.identity.ssh_keys import PublicKey, parse_public_key
from onepam.identity.ssh_signatures import signed_by

SPACE = "onepam-login-device"
LINE = b"onepam login --device https://pam.example.com dev_1"


def made(folder: Path, kind: str, *more: str) -> tuple[PublicKey, Path]:
    path = folder / kind
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path, *more], check=True)
    key = parse_public_key(path.with_suffix(".pub").read_text())
    assert isinstance(key, PublicKey)
    return key, path


def signature(path: Path, line: bytes = LINE, space: str = SPACE, *more: str) -> str:
    said = subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", space, "-f", path, *more], input=line, capture_output=True, check=True
    )
    return said.stdout.decode()


@pytest.mark.parametrize(("kind", "more"), [("ed25519", ()), ("ecdsa", ()), ("rsa", ("-b", "3072"))])
@pytest.mark.parametrize("digest", ["sha512", "sha256"])
def test_a_signature_of_ssh_keygen(tmp_path: Path, kind: str, more: tuple[str, ...], digest: str) -> None:
    key, path = made(tmp_path, kind, *more)
    text = signature(path, LINE, SPACE, "-O", f"hashalg={digest}")
    assert signed_by(key, text, LINE, SPACE)
    assert not signed_by(key, text, LINE + b"x", SPACE)
    assert not signed_by(key, text, LINE, "file")


def test_another_keys_signature_and_what_is_none(tmp_path: Path) -> None:
    key, path = made(tmp_path, "ed25519")
    other, _ = made(tmp_path, "ecdsa")
    good = signature(path)
    assert not signed_by(other, good, LINE, SPACE)
    head, *middle, tail = good.strip().splitlines()
    raw = b64decode("".join(middle))
    for bad in (b"", raw[:-1], raw + b"x", b"SSHSIF" + raw[6:], raw[:9] + b"\x02" + raw[10:], raw[:-1] + b"\x00\x00"):
        assert not signed_by(key, f"{head}\n{b64encode(bad).decode()}\n{tail}", LINE, SPACE)
    for text in ("", good[:-40], "x" * 5000, f"{head}\n%%%\n{tail}", good.replace("SIGNATURE", "KEY")):
        assert not signed_by(key, text, LINE, SPACE)
    flipped = bytes([*raw[:-1], raw[-1] ^ 1])
    assert not signed_by(key, f"{head}\n{b64encode(flipped).decode()}\n{tail}", LINE, SPACE)


def test_sha1_and_what_is_reserved_are_refused(tmp_path: Path) -> None:
    key, path = made(tmp_path, "rsa", "-b", "3072")
    head, *middle, tail = signature(path).strip().splitlines()
    raw = b64decode("".join(middle))
    for bad in (
        raw.replace(b"\x00\x00\x00\x0crsa-sha2-512", b"\x00\x00\x00\x07ssh-rsa"),
        raw.replace(b"\x00\x00\x00\x00\x00\x00\x00\x06sha512", b"\x00\x00\x00\x01r\x00\x00\x00\x06sha512"),
        raw.replace(b"\x00\x00\x00\x06sha512", b"\x00\x00\x00\x03md5"),
    ):
        assert bad != raw
        assert not signed_by(key, f"{head}\n{b64encode(bad).decode()}\n{tail}", LINE, SPACE)
