"""`onepam up` as a process of its own, to be killed, and the test's hand on its data from outside."""

import atexit
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import cast

from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.boot.platform import Platform
from onepam.boot.publishing import author_of
from onepam.jobs.eras import Began
from onepam.jobs.recording_check import key_beside
from onepam.jobs.signer_process import SignerProcess
from onepam.store.engine.ledger import SqliteLedger
from onepam.vault.authorities import Authorities
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.gateway_fixture import Gateway
from tests.lawful import assert_lawful, listening
from tests.targets import running_sshd

START_SECONDS = 120.0
STOP_SECONDS = 60.0


@dataclass
class Process:
    """A running `onepam up`."""

    popen: subprocess.Popen[bytes]
    ssh_port: int
    console: str
    log: Path

    def kill(self) -> None:
        """As the kernel does when memory runs out: the process, and nothing else."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait(STOP_SECONDS)

    def stop(self) -> float:
        """SIGTERM; how many seconds it took."""
        began = time.monotonic()
        self.popen.terminate()
        assert self.popen.wait(STOP_SECONDS) == 0
        return time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Failed:
    """An `onepam up` that did not start."""

    status: int
    words: str
    children: tuple[int, ...]


def up(folder: Path, under: Sequence[str] = (), /, **settings: object) -> Process | Failed:
    """Starts on `folder/data` with free ports and the given settings, and waits until it listens or has ended. `under`
    is a command that becomes the platform (exec), such as a tracer's."""
    values = {"ssh_port": 0, "console_port": 0, "gateway_name": "localhost", **settings}
    config, ready, log = (folder / f"{name}-{time.monotonic_ns()}" for name in ("config", "ready", "log"))
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()), "utf-8")
    command = [sys.executable, "-m", "onepam.boot.commands.up", "up", "--data", str(folder / "data")]
    with log.open("wb") as words:
        popen = subprocess.Popen(
            [*under, *command, "--config", str(config), "--ready-file", str(ready)],
            stdin=subprocess.DEVNULL,
            stderr=words,
        )
    atexit.register(popen.kill)  # a test that fails stops nothing
    deadline, children = time.monotonic() + START_SECONDS, set[int]()
    while time.monotonic() < deadline and popen.poll() is None:
        children.update(children_of(popen.pid))
        if ready.exists():
            found = json.loads(ready.read_text())
            return Process(popen, found["ssh"]["port"], found["console"], log)
        time.sleep(0.02)
    if popen.poll() is None:
        popen.kill()
        popen.wait()
        raise AssertionError(log.read_text())
    left = [pid for pid in children if alive(pid)]
    return Failed(popen.returncode, log.read_text("utf-8", "replace"), tuple(left))


def started(folder: Path, under: Sequence[str] = (), /, **settings: object) -> Process:
    found = up(folder, under, **settings)
    assert isinstance(found, Process), found
    return found


def children_of(pid: int) -> list[int]:
    """The processes that any thread of `pid` has begun."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        files = list(Path(f"/proc/{pid}/task").glob("*/children"))
        return [int(child) for file in files for child in file.read_text(encoding="ascii").split()]
    return []


def alive(pid: int) -> bool:
    """Whether the process still runs (one that has ended and waits for its parent does not), after a moment's grace."""
    for _ in range(40):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.05)
                continue
        return False
    return True


class Elsewhere:
    """The parts of a platform that a test needs, over the data of a process that runs elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.config = Config(folder / "data")
        data = self.config.data
        data.mkdir(mode=0o700, exist_ok=True)
        self.database, self.recordings = data / "ledger.db", data / "recordings"
        self.recordings.mkdir(mode=0o700, exist_ok=True)
        signers = SignerProcess("", data / "signer", self.config.origin, Began())
        author = author_of("nod_test", signers)
        signers.stop()
        self.ledger = SqliteLedger(self.database, author, wall_clock, token_bytes)
        self.envelope = Envelope(FileKeys.create(data / "master-keys.json", token_bytes), token_bytes)
        self.authorities = Authorities(data / "authorities", self.envelope, token_bytes)
        self.recording_key = key_beside(self.recordings, self.envelope)
        self.ssh_port = 0


@contextmanager
def elsewhere(folder: Path, authorized_keys: Path | None = None) -> Iterator[tuple[Gateway, list[str]]]:
    """A gateway's data and target, without the process, and the `egress` that it needs: start it with `started`. The
    target admits `authorized_keys`, too."""
    parts = Elsewhere(folder)
    authority = folder / "user_ca.pub"
    authority.write_text(parts.authorities.target.public_line + "\n", encoding="ascii")
    for name in ("target", "people"):
        (folder / name).mkdir()
    with running_sshd(folder / "target", user_ca=authority, authorized_keys=authorized_keys) as target, listening():
        platform = cast(Platform, parts)
        yield Gateway(platform, target, target, 0, 0, folder / "people"), [f"127.0.0.1/32:{target.port}"]
    parts.ledger.close()
    assert_lawful(parts.database)
