"""The command line as people run it: a process with a home of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from onepam.cli.home import Home, Session
from onepam.cli.main import app
from tests.api.office import Office

_BROWSER = """
import sys, httpx2
address, person, decision = sys.argv[1:]
httpx2.get(address + "&person=" + person + "&decision=" + decision, follow_redirects=True, trust_env=False)
"""


@dataclass(frozen=True)
class Ran:
    """What a run left: its exit code and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run_onepam(home: Path, *words: str, **more: str) -> Ran:
    """Runs `onepam` in somebody's home."""
    done = subprocess.run(
        [sys.executable, "-m", "onepam.cli.main", *words],
        env=environment_of(home, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """A home of its own; no proxy, no person's settings."""
    folder = str(home / ".config" / "onepam")
    return {"PATH": os.environ["PATH"], "HOME": str(home), "ONEPAM_HOME": folder, **more}


class Terminal:
    """One person's terminal."""

    def __init__(self, folder: Path, office: Office) -> None:
        self.folder = folder
        self.office = office
        self.home = folder / ".config" / "onepam"

    def run(self, *words: str, **more: str) -> Ran:
        """Runs `onepam` with these words."""
        return run_onepam(self.folder, *words, **more)

    def usage(self, *words: str) -> int:
        """The exit code of what is wrong before anything is asked: in this process, which is quicker."""
        code: int = CliRunner().invoke(app, words, env=self.environment()).exit_code
        return code

    def environment(self, **more: str) -> dict[str, str]:
        """A home of its own; no proxy, no person's settings."""
        return environment_of(self.folder, **more)

    def browser(self, person: str, decision: str = "allow") -> str:
        """A value of `$BROWSER` that answers the console's question for the person."""
        script = self.folder / "browser.py"
        script.write_text(_BROWSER)
        return f"{sys.executable} {script} %s {person} {decision}"

    def signed_in(self, person: str) -> "Terminal":
        """As after a login, without the wait for it."""
        os.environ["ONEPAM_HOME"] = str(self.home)
        try:
            kept = Session(self.office.url, self.office.token(person), "cli_x", person, "Eve", "2099-01-01T00:00:00Z")
            Home().keep(kept)
        finally:
            del os.environ["ONEPAM_HOME"]
        return self
