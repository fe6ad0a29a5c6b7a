"""What the three authorities issue, acted upon by OpenSSH's own sshd and ssh on loopback."""

import getpass
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import anyio
import asyncssh
import pytest

from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.vault.authorities import Authorities, TargetKey, target_principal
from tests.targets import Sshd

SESSION = "cli_abcdefgh234567ab"
PERSON = "per_abcdefgh234567ab"
LOOPBACK = ["127.0.0.1/32"]


def issued(certificate: str | Refused) -> str:
    assert isinstance(certificate, str), certificate
    return certificate


def export(target: TargetKey, folder: Path) -> Path:
    path = folder / "id"
    path.write_bytes(target.key.export_private_key())
    path.chmod(0o600)
    (folder / "id-cert.pub").write_bytes(target.certificate.export_certificate())
    return path


def ssh(server: Sshd, identity: Path, command: str = "echo reached", *more: str) -> subprocess.CompletedProcess[str]:
    options = {
        "IdentitiesOnly": "yes",
        "IdentityFile": identity,
        "CertificateFile": f"{identity}-cert.pub",
        "UserKnownHostsFile": server.known_hosts(),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "PreferredAuthentications": "publickey",
        "BatchMode": "yes",
        "ConnectTimeout": "10",
    }
    arguments = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    environment = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
    return subprocess.run(
        ["ssh", "-F", "none", *arguments, *more, "-p", str(server.port), f"{server.login}@{server.host}", command],
        capture_output=True, text=True, timeout=30, env=environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture
def trusting(authorities: Authorities, tmp_path: Path, sshd: Callable[..., Sshd]) -> Sshd:
    """A stock sshd that trusts the target CA, and nothing else."""
    trusted = tmp_path / "onepam-target-ca.pub"
    trusted.write_text(authorities.target.public_line + "\n")
    return sshd(user_ca=trusted)


def now() -> Instant:
    return Instant(time.time_ns() // 1000)


def test_a_target_admits_its_session_and_refuses_every_other_certificate(
    authorities: Authorities, trusting: Sshd, tmp_path: Path
) -> None:
    login = trusting.login
    good = authorities.target.issue("ses_1", [target_principal(login, "web-1")], LOOPBACK, now())
    outcome = ssh(trusting, export(good, tmp_path))
    assert (outcome.returncode, outcome.stdout) == (0, "reached\n"), outcome.stderr + trusting.log
    assert "ID ses_1" in trusting.log

    key = asyncssh.generate_private_key("ssh-ed25519")
    line = key.export_public_key().decode()
    minute_ago = Instant(now() - 5 * MINUTE)
    hostile = {
        "a person's certificate": issued(authorities.person.issue(line, SESSION, PERSON, now())),
        "a host's certificate": issued(authorities.host.issue(line, [login], now())),
    }
    refused = [
        authorities.target.issue("ses_2", ["somebody-else"], LOOPBACK, now()),
        authorities.target.issue("ses_3", [f"{login}@web-1"], LOOPBACK, now()),
        authorities.target.issue("ses_4", [login], ["192.0.2.7/32"], now()),
        authorities.target.issue("ses_5", [login], LOOPBACK, minute_ago),
    ]
    for number, (what, certificate) in enumerate(hostile.items()):
        folder = tmp_path / f"hostile-{number}"
        folder.mkdir()
        identity = folder / "id"
        identity.write_bytes(key.export_private_key())
        identity.chmod(0o600)
        (folder / "id-cert.pub").write_text(certificate + "\n")
        outcome = ssh(trusting, identity)
        assert outcome.returncode == 255, what
        assert "Permission denied" in outcome.stderr, what
    for target in refused:
        outcome = ssh(trusting, export(target, tmp_path))
        assert outcome.returncode == 255, trusting.log
        assert "Permission denied" in outcome.stderr


def test_even_a_persons_certificate_signed_for_the_login_is_refused(
    authorities: Authorities, trusting: Sshd, tmp_path: Path
) -> None:
    """The person CA never writes a login as principal; were its code wrong, the target would still refuse its key."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    rogue = authorities.person._key.generate_user_certificate(key, "rogue", principals=[trusting.login])
    outcome = ssh(trusting, export(TargetKey(key, rogue, now()), tmp_path))
    assert outcome.returncode == 255
    assert "Permission denied" in outcome.stderr


def test_a_target_with_a_principals_file_admits_login_at_resource_only(
    authorities: Authorities, tmp_path: Path, sshd: Callable[..., Sshd]
) -> None:
    trusted = tmp_path / "onepam-target-ca.pub"
    trusted.write_text(authorities.target.public_line + "\n")
    login = getpass.getuser()
    principals = tmp_path / "principals"
    principals.write_text(f"{login}@web-1\n")
    server = sshd(user_ca=trusted, principals=principals)
    for principal, code in ((f"{login}@web-1", 0), (f"{login}@web-2", 255), (login, 255)):
        target = authorities.target.issue("ses_1", [principal], LOOPBACK, now())
        assert ssh(server, export(target, tmp_path)).returncode == code, principal


def test_a_terminal_that_the_certificate_does_not_permit_is_refused_by_the_target(
    authorities: Authorities, trusting: Sshd, tmp_path: Path
) -> None:
    for pty in (True, False):
        target = authorities.target.issue("ses_1", [trusting.login], LOOPBACK, now(), pty=pty)
        outcome = ssh(trusting, export(target, tmp_path), "tty", "-tt")
        assert ("/dev/pts/" in outcome.stdout) is pty
        assert ("PTY allocation request failed" in outcome.stderr) is not pty


@pytest.mark.anyio
async def test_the_stock_client_trusts_the_gateway_by_its_host_certificate(
    authorities: Authorities, tmp_path: Path
) -> None:
    """A listener that shows its certificate is known without a first-connect question, and under its names only."""
    known = tmp_path / "known_hosts"
    known.write_text(authorities.host.known_hosts_line(["127.0.0.1", "[127.0.0.1]:*"]) + "\n")
    line = authorities.gateway_host_key.export_public_key().decode()
    for name, trusted in (("127.0.0.1", True), ("gateway.example", False)):
        certificate = asyncssh.import_certificate(issued(authorities.host.issue(line, [name], now())))
        server = await asyncssh.listen("127.0.0.1", 0, server_host_keys=[(authorities.gateway_host_key, certificate)])
        said = await complaint_of_ssh(server.get_port(), known)
        server.close()
        await server.wait_closed()
        assert ("Permission denied" in said) is trusted, said
        assert ("Host key verification failed" in said) is not trusted, said


async def complaint_of_ssh(port: int, known: Path) -> str:
    arguments = ["-o", f"UserKnownHostsFile={known}", "-o", "GlobalKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]
    outcome = await anyio.run_process(
        ["ssh", "-F", "none", *arguments, "-o", "StrictHostKeyChecking=yes", "-p", str(port), "x@127.0.0.1", "true"],
        check=False,
    )
    return outcome.stderr.decode()
