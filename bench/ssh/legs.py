"""Three ways to one OpenSSH server: direct, through OpenSSH's own ProxyJump, and through the recorded gateway.

All three use the same client, key exchange (curve25519-sha256), cipher (aes128-gcm) and no compression.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.targets import running_sshd

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Legs:
    """The `ssh` command line of each way, without the remote command, and the gateway's process."""

    direct: list[str]
    jump: list[str]
    gateway: list[str]
    pid: int
    folder: Path

    def settle(self) -> None:
        """Wait until the gateway has read its last recording back, and remove the recordings."""
        used = -1.0
        while used != (used := self.cpu_seconds()):
            time.sleep(0.2)
        for recording in (self.folder / "recordings").glob("*.rec"):
            recording.unlink()

    def cpu_seconds(self) -> float:
        """Processor time that the gateway has used so far, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def legs(folder: Path, *arguments: str) -> Iterator[Legs]:
    """A target, a jump host and a gateway, on loopback; they end with the block."""
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    keys = folder / "authorized_keys"
    keys.write_text(f"no-touch-required {key.with_suffix('.pub').read_text()}", encoding="ascii")
    for name in ("target", "jump", "recordings"):
        (folder / name).mkdir()
    with (
        running_sshd(folder / "target", authorized_keys=keys) as target,
        running_sshd(folder / "jump", authorized_keys=keys) as jump,
    ):
        command = [
            sys.executable, "-m", "tests.protocols.ssh.acceptor", "--folder", str(folder / "recordings"),
            "--host-key", target.host_key, "--target-key", str(key), "--person-key", str(key.with_suffix(".pub")),
            "--login", target.login, "--target-port", str(target.port), *arguments,
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        ) as gateway:
            assert gateway.stdin is not None
            assert gateway.stdout is not None
            port = int(gateway.stdout.readline())
            config = folder / "ssh_config"
            config.write_text(
                "Host *\n"
                f" IdentityFile {key}\n IdentitiesOnly yes\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n"
                " LogLevel ERROR\n KexAlgorithms curve25519-sha256\n Ciphers aes128-gcm@openssh.com\n Compression no\n"
                f"Host direct jumped\n HostName {target.host}\n Port {target.port}\n User {target.login}\n"
                "Host jumped\n ProxyJump jump\n"
                f"Host jump\n HostName {jump.host}\n Port {jump.port}\n User {jump.login}\n"
                f"Host gateway\n HostName 127.0.0.1\n Port {port}\n User {target.login}\n",
                encoding="ascii",
            )
            ssh = ["ssh", "-F", str(config)]
            try:
                yield Legs([*ssh, "direct"], [*ssh, "jumped"], [*ssh, "gateway"], gateway.pid, folder)
            finally:
                gateway.stdin.close()
                gateway.wait()
