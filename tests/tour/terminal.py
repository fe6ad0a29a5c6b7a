"""People at their terminals: the installed `onepam`, with a home of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.tour.people import Person

ONEPAM = str(Path(sys.executable).with_name("onepam"))


def login(person: Person, console: str, home: Path, sign_in: Callable[[], None] = lambda: None) -> None:
    """`onepam login`, with its address opened in the person's own browser; `sign_in` is what is done there first."""
    waiting = subprocess.Popen(
        [ONEPAM, "login", "--gateway", console, "--no-browser", "--no-configure-ssh"],
        env={**os.environ, "ONEPAM_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert waiting.stdout is not None
        shown = ""
        while not (address := re.search(r"http\S+/cli/authorize\S+", shown)):
            line = waiting.stdout.readline()
            assert line, shown
            shown += line
        person.page.goto(address[0])
        sign_in()
        person.page.get_by_role("button", name="Allow").click()
        person.page.get_by_text("Signed in").first.wait_for()
        rest, _ = waiting.communicate(timeout=20)
        assert waiting.returncode == 0, shown + rest
    finally:
        waiting.kill()
        waiting.wait()


def onepam(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [ONEPAM, *arguments],
        env={**os.environ, "ONEPAM_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
