"""Ways to one OpenSSH server: direct, through OpenSSH's own ProxyJump, and through `onepam up`.

All use the same client, key exchange (curve25519-sha256), cipher (aes256-gcm) and no compression. The gateway knows the
target by two names: access to the one is privileged, so everything is recorded, and with the kernel before it is
forwarded; of commands on the other head, samples and tail are.
"""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.gateway_fixture import STANDING, Gateway, Person, certificate_of, keygen
from tests.gateway_process import elsewhere, started
from tests.targets import running_sshd

_COMMON = (
    " IdentitiesOnly yes\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n LogLevel ERROR\n"
    " KexAlgorithms curve25519-sha256\n Ciphers aes256-gcm@openssh.com\n Compression no\n"
)


@dataclass(frozen=True, slots=True)
class Legs:
    """The client's configuration, in which each way is a host, and the gateway's process and recordings."""

    config: Path
    pid: int
    recordings: Path

    def ssh(self, way: str, *command: str) -> list[str]:
        """The stock client's command line. `way` is `direct`, `jumped`, `kept` or `excerpt`."""
        return ["ssh", "-F", str(self.config), way, *command]

    def sftp(self, way: str, batch: Path) -> list[str]:
        """The same for a file transfer."""
        return ["sftp", "-q", "-F", str(self.config), "-b", str(batch), way]

    def settle(self) -> None:
        """Wait until the gateway has read its last recording back, and remove the recordings."""
        used = -1.0
        while used < (used := self.cpu_seconds()) - 0.01:
            time.sleep(0.2)
        for recording in self.recordings.glob("*.rec"):
            recording.unlink()

    def cpu_seconds(self) -> float:
        """Processor time that the gateway has used so far, user and system."""
        return sum(self.threads().values())

    def memory(self) -> int:
        """Its resident bytes."""
        pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def threads(self) -> dict[str, float]:
        """The same of each of its threads, by name and number."""
        used = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            name = (task / "comm").read_text(encoding="ascii").strip()
            nanoseconds = (task / "schedstat").read_text(encoding="ascii").split()[0]
            used[f"{name} {task.name}"] = int(nanoseconds) / 1e9
        return used


@asynccontextmanager
async def legs(folder: Path) -> AsyncIterator[Legs]:
    """A target, a jump host and a gateway, on loopback; they end with the block."""
    key = folder / "key"
    keygen(key)
    keys = folder / "authorized_keys"
    keys.write_text(key.with_suffix(".pub").read_text(encoding="ascii"), encoding="ascii")
    (folder / "jump").mkdir()
    with (
        running_sshd(folder / "jump", authorized_keys=keys) as jump,
        elsewhere(folder, authorized_keys=keys) as (gateway, egress),
    ):
        process = started(folder, egress=egress)
        try:
            target, person = gateway.target, await _person(gateway)
            config = folder / "ssh_config"
            config.write_text(
                f"Host direct jumped\n HostName {target.host}\n Port {target.port}\n User {target.login}\n"
                f"Host jumped\n ProxyJump jump\n"
                f"Host jump\n HostName {jump.host}\n Port {jump.port}\n User {jump.login}\n"
                f"Host direct jumped jump\n IdentityFile {key}\n"
                f"Host kept excerpt\n HostName 127.0.0.1\n Port {process.ssh_port}\n"
                f" IdentityFile {person.key}\n CertificateFile {certificate_of(person)}\n"
                f"Host kept\n User {target.login}@web-1\nHost excerpt\n User {target.login}@web-2\n"
                f"Host *\n{_COMMON}",
                encoding="ascii",
            )
            yield Legs(config, process.popen.pid, gateway.platform.recordings)
        finally:
            process.kill()


async def _person(gateway: Gateway) -> Person:
    """Somebody who may use the target by two names: `web-1` belongs to production, so access to it is privileged."""
    await gateway.record(
        gateway.resource("web-1", labels={"env": "prod", "team": "bench"}),
        gateway.resource("web-2", labels={"env": "test", "team": "bench"}),
    )
    return await gateway.person(replace(STANDING, where={"team": "bench"}))
