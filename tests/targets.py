"""Real servers that sessions go to, in a directory of the test, on loopback, as the user who runs the tests."""

import getpass
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SSHD = "/usr/sbin/sshd"
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running OpenSSH server."""

    host: str
    port: int
    login: str
    host_key: str
    """The public host key as in `known_hosts`, without a host: `ssh-ed25519 AAAA...`."""
    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        """What the server has logged so far (level VERBOSE)."""
        return (self.directory / "sshd.log").read_text(encoding="utf-8", errors="replace")

    def known_hosts(self) -> Path:
        """A `known_hosts` file that pins this server."""
        path = self.directory / "known_hosts"
        path.write_text(f"[{self.host}]:{self.port} {self.host_key}\n", encoding="ascii")
        return path

    def stop(self) -> None:
        """End the server and every session on it."""
        if self.process.poll() is None:
            for pid in descendants(self.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.kill()
        self.process.wait(START_SECONDS)


@contextmanager
def running_sshd(
    directory: Path,
    *,
    user_ca: Path | None = None,
    principals: Path | None = None,
    authorized_keys: Path | None = None,
    max_sessions: int | None = 100,
) -> Iterator[Sshd]:
    """An OpenSSH server for the user who runs the tests, which admits by key or certificate only.

    `user_ca` holds the public keys of the CAs whose user certificates are accepted; `principals` the principals that
    may log in, one a line (without it, the login's own name); `authorized_keys` the plain keys; `max_sessions` the
    channels that one connection may have open, None for as many as sshd takes by itself (10).
    """
    server = _start(directory, user_ca, principals, authorized_keys, max_sessions)
    try:
        yield server
    finally:
        server.stop()


def _start(
    directory: Path, user_ca: Path | None, principals: Path | None, authorized_keys: Path | None, sessions: int | None
) -> Sshd:
    host_key = directory / "host_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(host_key)], check=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(
            mode=0o755, exist_ok=True
        )  # its privilege separation directory; a service would make it
    for _ in range(3):  # between choosing a port and listening on it somebody else may take it
        port = free_port()
        config = directory / "sshd_config"
        config.write_text(_config(host_key, port, user_ca, principals, authorized_keys, sessions), encoding="utf-8")
        with (directory / "sshd.log").open("wb") as log:
            process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=log)
        server = Sshd("127.0.0.1", port, getpass.getuser(), _public(host_key), directory, process)
        if _listens(server):
            return server
    raise RuntimeError(f"sshd did not start:\n{server.log}")


def _config(
    host_key: Path,
    port: int,
    user_ca: Path | None,
    principals: Path | None,
    authorized_keys: Path | None,
    sessions: int | None,
) -> str:
    lines = [
        f"HostKey {host_key}",
        "ListenAddress 127.0.0.1",
        f"Port {port}",
        "PidFile none",
        "LogLevel VERBOSE",
        "UsePAM no",
        "StrictModes no",
        "UseDNS no",
        "PrintMotd no",
        "PrintLastLog no",
        "SetEnv SHLVL=2",  # bash then reads no .bashrc: what the tests' account does at its start is not ours
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "MaxStartups 100",
        f"AuthorizedKeysFile {authorized_keys or 'none'}",
        "Subsystem sftp internal-sftp",
    ]
    if sessions is not None:
        lines.append(f"MaxSessions {sessions}")
    if user_ca:
        lines.append(f"TrustedUserCAKeys {user_ca}")
    if principals:
        lines.append(f"AuthorizedPrincipalsFile {principals}")
    return "\n".join(lines) + "\n"


def _listens(server: Sshd) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        if f"Server listening on {server.host} port {server.port}." in server.log:
            return True
        time.sleep(0.01)
    server.stop()
    return False


def _public(private: Path) -> str:
    algorithm, key = private.with_suffix(".pub").read_text(encoding="ascii").split()[:2]
    return f"{algorithm} {key}"


def descendants(pid: int) -> list[int]:
    """The processes below `pid`, deepest first; sshd gives each session a process group of its own."""
    with suppress(FileNotFoundError, ProcessLookupError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return [found for child in children for found in (*descendants(int(child)), int(child))]
    return []


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
