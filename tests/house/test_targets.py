"""The test targets are real: the stock client gets in with what it should, and only with that."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.targets import Sshd

Start = Callable[..., Sshd]


def keygen(*arguments: str | Path) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, arguments)], check=True, capture_output=True)


def ssh(target: Sshd, identity: Path, command: str) -> subprocess.CompletedProcess[str]:
    options = {
        "UserKnownHostsFile": target.known_hosts(), "StrictHostKeyChecking": "yes", "IdentitiesOnly": "yes",
        "IdentityAgent": "none", "BatchMode": "yes", "ConnectTimeout": 5,
    }  # fmt: skip
    flags = [f"-o{name}={value}" for name, value in options.items()]
    address = f"{target.login}@{target.host}"
    return subprocess.run(
        ["ssh", "-F", "none", *flags, "-i", identity, "-p", str(target.port), address, command],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip


@pytest.fixture
def key(tmp_path: Path) -> Path:
    keygen("-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    return tmp_path / "key"


def test_a_plain_key_gets_in_and_another_does_not(sshd: Start, key: Path, tmp_path: Path) -> None:
    target = sshd(authorized_keys=key.with_suffix(".pub"))
    answer = ssh(target, key, "echo here; exit 7")
    assert (answer.returncode, answer.stdout) == (7, "here\n")
    keygen("-t", "ed25519", "-N", "", "-f", tmp_path / "other")
    assert ssh(target, tmp_path / "other", "true").returncode == 255


def test_a_certificate_needs_the_ca_and_the_principal(sshd: Start, key: Path, tmp_path: Path) -> None:
    keygen("-t", "ed25519", "-N", "", "-f", tmp_path / "ca")
    (tmp_path / "principals").write_text("web-1/root\n", encoding="ascii")
    target = sshd(user_ca=tmp_path / "ca.pub", principals=tmp_path / "principals")
    assert ssh(target, key, "true").returncode == 255
    keygen("-s", tmp_path / "ca", "-I", "test", "-n", "db-1/root", "-V", "+2m", key.with_suffix(".pub"))
    assert ssh(target, key, "true").returncode == 255
    keygen("-s", tmp_path / "ca", "-I", "test", "-n", "web-1/root", "-V", "+2m", key.with_suffix(".pub"))
    assert ssh(target, key, "echo in").stdout == "in\n"


def test_stopping_ends_the_sessions_too(sshd: Start, key: Path) -> None:
    target = sshd(authorized_keys=key.with_suffix(".pub"))
    client = subprocess.Popen(
        ["ssh", "-F", "none", f"-oUserKnownHostsFile={target.known_hosts()}", "-oIdentityAgent=none", "-oBatchMode=yes",
         "-i", key, "-p", str(target.port), f"{target.login}@{target.host}", "echo ready; sleep 60"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert client.stdout is not None
    with client.stdout:
        assert client.stdout.readline() == "ready\n"
        target.stop()
        assert client.wait(5) == 255
