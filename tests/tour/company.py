"""`onepam demo` as a newcomer starts it: on a terminal, with the links that it prints there."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onepam.boot.demo.demo import beside
from tests.lawful import assert_lawful

START_SECONDS = 120.0


@dataclass
class Tour:
    """The running product, and what it printed on its terminal."""

    process: subprocess.Popen[bytes]
    terminal: int
    ready: dict[str, Any]
    log: Path
    printed: str = ""
    links: dict[str, str] = field(default_factory=dict)

    @property
    def console(self) -> str:
        """The console's address."""
        return str(self.ready["console"])

    @property
    def ssh_line(self) -> list[str]:
        """The ssh command as printed for copy and paste."""
        found = re.search(r"^\s+(ssh -p .+)$", self.printed, re.MULTILINE)
        assert found, self.printed
        return found[1].split()

    def read(self, seconds: float) -> None:
        """Takes what the terminal shows."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            ready, _, _ = select.select([self.terminal], [], [], 0.1)
            if ready:
                try:
                    self.printed += os.read(self.terminal, 65536).decode("utf-8", "replace").replace("\r", "")
                except OSError:
                    return
            if "Stop with Ctrl-C" in self.printed:
                return


def forget_database(folder: Path) -> None:
    """Removes what the demo's database has elsewhere: where its programs must not run as root."""
    if (folder / "at").exists():
        shutil.rmtree((folder / "at").read_text("utf-8"))


@contextmanager
def tour(
    data: Path, console_port: int, ssh_port: int, *more: str, at: str = "data", database: bool = False
) -> Iterator[Tour]:
    """The demo company, with its listeners on the given ports; `more` are lines of the configuration. Its folder is
    `data / at`. `database`: with a PostgreSQL beside it."""
    config, ready = data / "onepam.toml", data / "ready.json"
    settings = (f"console_port = {console_port}", f"ssh_port = {ssh_port}", *more)
    config.write_text("\n".join((*settings, "")), "utf-8")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "onepam.boot.commands.up", "demo", "--data", str(data / at)]
    with (data / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *([] if database else ["--no-database"]), "--config", str(config), "--ready-file", str(ready)],
            stdin=subprocess.DEVNULL,
            stdout=follower,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "COLUMNS": "200"},
        )
    os.close(follower)
    running = Tour(process, leader, {}, data / "log")
    try:
        running.read(START_SECONDS)
        assert ready.exists(), running.printed + running.log.read_text("utf-8")
        running.ready = json.loads(ready.read_text("utf-8"))
        running.links = dict(re.findall(r"^\s+(\w+) \w+\s.*\n\s+(http\S+/enrol/\S+)", running.printed, re.MULTILINE))
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        os.close(leader)
        forget_database(beside(data / at))
    assert_lawful(data / at / "ledger.db")
