"""The systemd units that `onepam setup --systemd` gives: systemd reads them, they are closed, and each part works."""

import os
import shlex
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onepam.boot.config import BadConfig, Config
from onepam.boot.credentials import lent
from onepam.boot.units import SIGNER_SOCKET, units
from onepam.signing.signer import SignerClient
from tests.boot.installation import ONEPAM

CONFIG = """\
origin = "pam.example.com/log"
ssh_port = 22
signer_socket = "/run/onepam-signer/socket"
tls_certificate = "/etc/onepam/tls.crt"
tls_key = "/etc/onepam/tls.key"
mail_password_file = "/etc/onepam/100% mail"
webhooks = ["siem https://siem.example.com/in /etc/onepam/siem-secret"]
"""
CLOSED = {
    "NoNewPrivileges": ["yes"],
    "ProtectSystem": ["strict"],
    "ProtectHome": ["yes"],
    "MemoryDenyWriteExecute": ["yes"],
    "SystemCallFilter": ["@system-service", "~@privileged"],
    "Restart": ["always"],
    "UMask": ["0077"],
}


def settings(text: str) -> dict[str, list[str]]:
    """Every setting of a unit with its values, in their order."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith(("#", "[")):
            found.setdefault(name, []).append(value)
    return found


def setup(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*ONEPAM, "setup", "--systemd", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "onepam.toml"
    path.write_text(CONFIG, "utf-8")
    return path


def test_a_folder_that_is_not_there_is_named(config: Path, tmp_path: Path) -> None:
    done = setup("--config", config, "--into", tmp_path / "not" / "there")
    assert done.returncode == 2
    assert f"there is no folder {tmp_path / 'not' / 'there'}" in done.stderr


def test_systemd_reads_them_without_a_word(config: Path, tmp_path: Path) -> None:
    verifier = shutil.which("systemd-analyze")
    assert verifier is not None, "the Debian package systemd has it; `make test` installs it"
    done = setup("--config", config, "--data", "/var/lib/onepam", "--into", tmp_path)
    assert done.returncode == 0, done.stderr
    both = [tmp_path / "onepam.service", tmp_path / "onepam-signer.service"]
    read = subprocess.run([verifier, "verify", "--man=no", *both], capture_output=True, text=True, timeout=120)
    assert (read.returncode, read.stdout + read.stderr) == (0, "")
    (tmp_path / "onepam.service").write_text(both[0].read_text().replace("NoNewPrivileges=yes", "NoNewPrivileges=si"))
    wrong = subprocess.run([verifier, "verify", "--man=no", *both], capture_output=True, text=True, timeout=120)
    assert "Failed to parse boolean value, ignoring: si" in wrong.stderr


def test_they_are_printed_under_their_names_and_closed(config: Path) -> None:
    done = setup("--config", config, "--data", "/var/lib/onepam")
    gateway, signer = done.stdout.split("# /etc/systemd/system/onepam-signer.service\n")
    assert gateway.startswith("# /etc/systemd/system/onepam.service\n[Unit]\n")
    of_gateway, of_signer = settings(gateway), settings(signer)
    for found in (of_gateway, of_signer):
        assert {name: found[name] for name in CLOSED} == CLOSED
    assert of_gateway["User"] == of_signer["Group"] == ["onepam"]
    assert of_signer["User"] == ["onepam-signer"]
    assert of_gateway["StateDirectory"] == ["onepam"]
    assert of_gateway["KillMode"] == ["mixed"], "a signer that ends first signs nothing of what the stop leaves"
    assert of_gateway["AmbientCapabilities"] == ["CAP_NET_BIND_SERVICE"], "for port 22, and no other privilege"
    assert of_signer["CapabilityBoundingSet"] == [""]
    assert of_signer["PrivateNetwork"] == ["yes"]
    assert of_gateway["LoadCredential"] == [
        "tls.key:/etc/onepam/tls.key",
        "100% mail:/etc/onepam/100%% mail",
        "siem-secret:/etc/onepam/siem-secret",
    ]
    assert shlex.split(of_gateway["ExecStart"][0])[1:3] == ["up", "--data"]


def test_what_the_configuration_does_not_ask_for_is_not_given(tmp_path: Path) -> None:
    gateway, signer = units(Config(tmp_path / "a folder"), tmp_path / "onepam.toml")
    found = settings(gateway.text)
    assert found["AmbientCapabilities"] == found["CapabilityBoundingSet"] == [""]
    assert "LoadCredential" not in found
    assert found["ReadWritePaths"] == [f'"{tmp_path}/a folder"']
    assert settings(signer.text)["RuntimeDirectory"] == [SIGNER_SOCKET.parent.name]
    assert settings(gateway.text)["Wants"] == ["network-online.target"]


def test_without_a_configuration_there_is_no_unit(tmp_path: Path) -> None:
    done = setup("--data", tmp_path)
    assert done.returncode == 2
    assert "--config" in done.stderr


def test_two_secrets_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="have one name"):
        units(Config(tmp_path, tls_key="/a/key", mail_password_file="/b/key"), tmp_path / "onepam.toml")


def test_a_secret_that_was_lent_is_taken_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lent("/etc/onepam/tls.key") == Path("/etc/onepam/tls.key")
    (tmp_path / "tls.key").write_text("lent", "utf-8")
    (tmp_path / "tls.crt").write_text("a certificate", "utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert lent("/etc/onepam/tls.key") == tmp_path / "tls.key"
    assert lent("/etc/onepam/other") == Path("/etc/onepam/other")
    config = Config(tmp_path, tls_certificate=str(tmp_path / "tls.crt"), tls_key="/etc/onepam/tls.key")
    assert config.tls == (str(tmp_path / "tls.crt"), str(tmp_path / "tls.key"))


def test_the_signers_socket_is_its_groups_and_its_folder_is_its_own(tmp_path: Path) -> None:
    """What the unit relies on: a gateway of another user and the same group reaches the socket, and nothing else."""
    folder, beside = tmp_path / "signer", tmp_path / "run"
    beside.mkdir(mode=0o750)
    command = [*ONEPAM, "signer", "--folder", str(folder), "--origin", "log.test", "--socket", str(beside / "socket")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (beside / "socket").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        while stat.S_IMODE((beside / "socket").stat().st_mode) != 0o660:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert SignerClient(beside / "socket").vkey().name == "log.test"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert not (folder / "socket").exists()
    finally:
        process.terminate()
        process.wait(60)


def test_the_program_of_the_unit_is_the_one_that_printed_it(config: Path) -> None:
    gateway, _ = units(Config(Path("/var/lib/onepam")), config)
    program = Path(shlex.split(settings(gateway.text)["ExecStart"][0])[0])
    assert program == Path(sys.prefix) / "bin" / "onepam"
    assert os.access(program, os.X_OK)
