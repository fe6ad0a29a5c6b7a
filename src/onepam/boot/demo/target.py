"""A target for the tour: the machine's own OpenSSH server, unprivileged and on loopback, or one on asyncssh."""

import getpass
import grp
import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from onepam.boot.demo.shell import serve_shell
from onepam.kernel.errors import Unavailable

START_SECONDS = 60.0
HOST_KEY = "host_ed25519"


@dataclass(slots=True)
class DemoTarget:
    """A running target: where, as whom, and what it is, in words."""

    port: int
    login: str
    host_key: str
    words: str
    process: subprocess.Popen[bytes] | None = None
    server: asyncssh.SSHAcceptor | None = None

    def stop(self) -> None:
        """Ends the server."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(5)
        if self.server is not None:
            self.server.close()


async def start_target(folder: Path, user_ca: str) -> DemoTarget:
    """OpenSSH's server where it is installed and can give this user a terminal; otherwise one on asyncssh."""
    private = _host_key(folder / HOST_KEY)
    host_key = private.export_public_key().decode("ascii").strip()
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:" + os.environ.get("PATH", ""))
    if sshd is not None and _gives_terminals():
        return _openssh(sshd, folder, host_key, user_ca)
    why = "OpenSSH's server is not installed" if sshd is None else "sshd cannot give this user a terminal here"
    server = await serve_shell(private, asyncssh.import_authorized_keys(f"cert-authority {user_ca}"))
    words = f"a small server on asyncssh ({why})"
    return DemoTarget(server.get_port(), getpass.getuser(), host_key, words, server=server)


def _host_key(path: Path) -> asyncssh.SSHKey:
    """The target's own key, the same over restarts: it is pinned."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(path)
        path.chmod(0o600)
    return asyncssh.read_private_key(path)


def _openssh(sshd: str, folder: Path, host_key: str, user_ca: str) -> DemoTarget:
    folder = folder.resolve()  # sshd begins each connection in /
    authority, config, log = folder / "user_ca.pub", folder / "sshd_config", folder / "sshd.log"
    authority.write_text(user_ca + "\n", "ascii")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port = kept_port(folder)
    lines = (
        f"HostKey {folder / HOST_KEY}",
        "ListenAddress 127.0.0.1",
        f"Port {port}",
        "PidFile none",
        "UsePAM no",
        "StrictModes no",
        "UseDNS no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "AuthorizedKeysFile none",
        f"TrustedUserCAKeys {authority}",
        "Subsystem sftp internal-sftp",
        "MaxStartups 100",
    )
    config.write_text("\n".join(lines) + "\n", "utf-8")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sshd, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            words = "the machine's own OpenSSH server, unprivileged" if os.geteuid() else "the machine's OpenSSH server"
            return DemoTarget(port, getpass.getuser(), host_key, words, process=process)
        time.sleep(0.05)
    process.kill()
    raise Unavailable(f"the demo's sshd did not start: {log.read_text(errors='replace')[-500:]}")


def kept_port(folder: Path) -> int:
    """The port of the last time where it is free: the tour's resources keep their addresses over restarts."""
    kept = folder / "port"
    wanted = int(kept.read_text()) if kept.exists() else 0
    port = free_port(wanted)
    kept.write_text(str(port))
    return port


def free_port(wanted: int = 0) -> int:
    """This port of loopback, or where somebody has it any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _gives_terminals() -> bool:
    """An unprivileged sshd closes the connection at `pty-req` where it may not give the terminal to group tty."""
    if os.geteuid() == 0:
        return True
    leader, follower = os.openpty()
    try:
        return os.fstat(follower).st_gid == grp.getgrnam("tty").gr_gid
    except KeyError:
        return True
    finally:
        os.close(leader)
        os.close(follower)
