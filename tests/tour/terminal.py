"""People at their terminals: the installed `onepam`, with a home of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

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


def register_key(person: Person, folder: Path) -> None:
    """A new SSH key of the person's, `id_ed25519` in the folder, registered in the console."""
    key = folder / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "on@laptop", "-f", str(key)], check=True)
    page = person.go("/factors")
    page.locator("textarea[name=key]").fill(key.with_suffix(".pub").read_text("utf-8"))
    page.get_by_role("button", name="Add key").click()
    expect(page.get_by_text("on@laptop").first).to_be_visible(timeout=60_000)


def by_key(person: Person, command: list[str]) -> str:
    """What a client with a registered key says once the person has confirmed it in the browser: nothing but the address
    and the code in its terminal is used."""
    client = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert client.stderr is not None
        shown = ""
        while "type this code there" not in shown or not re.search(r"[A-Z]{4}-[A-Z]{4}", shown):
            line = client.stderr.readline().decode("utf-8", "replace")
            assert line, shown
            shown += line
        link, code = re.search(r"http\S+/confirm/\S+", shown), re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", shown)
        assert link
        assert code
        page = person.page
        page.goto(link[0])
        if "/step-up" in page.url:
            page.get_by_role("button", name="Use a passkey").click()
            page.wait_for_url("**/confirm/**")
        expect(page.get_by_text("web-1").first).to_be_visible()
        page.locator("input[name=code]").fill(code[0])
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("Confirmed")).to_be_visible()
        output, _ = client.communicate(timeout=20)
    finally:
        client.kill()
        client.wait()
    return output.decode("utf-8", "replace")
