"""A real target, the gateway's relay in front of it, and the real OpenSSH clients."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from onepam.kernel.errors import Refused
from onepam.protocols.ssh.connections import TargetConnection
from onepam.protocols.ssh.dial import dial
from onepam.recording.frames import Frame
from onepam.recording.open import Reader
from tests.protocols.ssh.acceptor import KEY, Acceptor, accepting
from tests.targets import Sshd

SECONDS = 120


@dataclass(frozen=True, slots=True)
class Done:
    """How a client ended."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass
class Bench:
    """The acceptor and the clients that use it."""

    acceptor: Acceptor
    folder: Path

    def options(self) -> list[str]:
        return [
            "-F", "none", "-i", str(self.folder / "person"), "-o", "IdentitiesOnly=yes",
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
        ]  # fmt: skip

    def ssh(self, *arguments: str) -> list[str]:
        return ["ssh", *self.options(), "-p", str(self.acceptor.port), "person@127.0.0.1", *arguments]

    async def run(self, *command: str, stdin: bytes | None = b"") -> Done:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            async with asyncio.timeout(SECONDS):
                stdout, stderr = await process.communicate(stdin)
        except TimeoutError:
            process.kill()
            raise
        return Done(process.returncode or 0, stdout, stderr)

    async def recording(self, number: int = 0) -> list[Frame]:
        """The frames of a finished session, verified against its head."""
        recorded = (await self.acceptor.finished())[number]
        assert recorded.problem == ""
        data = (self.acceptor.folder / f"rec_{number}.rec").read_bytes()
        return list(Reader([data], KEY, recorded.head, final=True))


def keygen(path: Path, *kind: str) -> str:
    kind = kind or ("-t", "ed25519")
    subprocess.run(["ssh-keygen", "-q", *kind, "-N", "", "-C", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text(encoding="ascii")


@pytest.fixture
def target(sshd: Callable[..., Sshd], tmp_path: Path) -> Sshd:
    """A real sshd that admits the gateway's key only."""
    keys = tmp_path / "authorized_keys"
    keys.write_text(keygen(tmp_path / "gateway"), encoding="ascii")
    return sshd(authorized_keys=keys)


@pytest.fixture
async def relayed(target: Sshd, tmp_path: Path) -> AsyncIterator[Bench]:
    """The relay before that target."""
    keygen(tmp_path / "person")
    client_key = asyncssh.read_private_key(str(tmp_path / "gateway"))
    pins = [asyncssh.import_public_key(target.host_key)]
    folder = tmp_path / "recordings"
    folder.mkdir()

    async def dialled() -> TargetConnection | Refused:
        return await dial(target.host, target.port, target.login, client_key, None, pins, 10)

    acceptor = Acceptor(folder, asyncssh.read_public_key(str(tmp_path / "person.pub")), dialled)
    async with accepting(acceptor):
        yield Bench(acceptor, tmp_path)
