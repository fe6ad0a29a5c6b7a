"""The README's tour, pasted: every block of it, as it stands there, into one shell on a terminal.

What asks a question that the README does not announce, or prints something else than stands there, fails.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.targets import free_port
from tests.tour.company import Tour, tour
from tests.tour.people import Person
from tests.tour.test_tour import ask

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "<<tour>> "
SECONDS = 120.0


def blocks() -> list[str]:
    """The blocks of the tour, in their order."""
    text = (ROOT / "README.md").read_text("utf-8")
    part = text[text.index("## A five-minute tour") : text.index("## Against the others")]
    return re.findall(r"^```\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)


class Shell:
    """A shell on a terminal; `shown` is all that the terminal showed since the last paste."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.shown = ""
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            os.chdir(folder)
            path = f"{home / 'bin'}:{os.environ['PATH']}"
            known = {
                "HOME": str(home),
                "PATH": path,
                "PS1": PROMPT,
                "TERM": "xterm",
                "COLUMNS": "200",
                "LANG": "C.UTF-8",
            }
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "+o", "history"], known)
        self.paste("bind 'set enable-bracketed-paste off'\nstty cols 200 rows 50\n")
        self.prompts(3)

    def paste(self, text: str) -> None:
        """All of it at once, as from a clipboard."""
        self.shown = ""
        os.write(self._terminal, text.encode())

    def until(self, pattern: str) -> re.Match[str]:
        """Reads on until the terminal shows this. What waits for anything else until the time is over has stumbled."""
        end = time.monotonic() + SECONDS
        while (found := re.search(pattern, self.shown)) is None:
            assert time.monotonic() < end, f"nothing like {pattern!r} came; the terminal shows:\n{self.shown}"
            ready, _, _ = select.select([self._terminal], [], [], 0.2)
            if ready:
                self.shown += os.read(self._terminal, 65536).decode("utf-8", "replace").replace("\r", "")
        return found

    def prompts(self, count: int = 1) -> str:
        """Reads on until so many commands are done; what they printed."""
        self.until(f"(?s)(.*{re.escape(PROMPT)}){{{count}}}")
        return self.shown

    def done(self, block: str) -> str:
        """Pastes a block and lets all its commands end."""
        self.paste(block)
        return self.prompts(len(block.strip().splitlines()))

    def close(self) -> None:
        os.close(self._terminal)
        os.waitpid(self._child, 0)


@contextmanager
def shell(folder: Path, home: Path) -> Iterator[Shell]:
    """A shell in a folder, whose `ssh` has the home's key and known hosts alone."""
    binary = home / "bin" / "ssh"
    binary.parent.mkdir()
    options = (
        f'-F none -o UserKnownHostsFile="{home}/.ssh/known_hosts" -o IdentityAgent=none -i "{home}/.ssh/id_ed25519"'
    )
    binary.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} {options} "$@"\n')
    binary.chmod(0o700)
    found = Shell(folder, home)
    try:
        yield found
    finally:
        found.close()


def as_pattern(printed: str, running: Tour) -> str:
    """What the README prints, for this run's ports and login, and whatever code comes."""
    login = running.ssh_line[-1].partition("@")[0]
    lines = [re.escape(each) for each in here(printed, running).replace("root", login).strip().splitlines()]
    text = r"\s*\n\s*".join(each.strip() for each in lines if each)
    return text.replace("cnf_…", r"cnf_\w+").replace(re.escape("WXYZ-ABCD"), "([A-Z]{4}-[A-Z]{4})")


def here(text: str, running: Tour) -> str:
    """The README's addresses, with this run's ports."""
    return text.replace("http://localhost:8443", running.console)


@pytest.mark.timeout(1200)
def test_the_tour_is_pasted_block_by_block(browser: Browser, tmp_path: Path) -> None:
    key_line, refused, confirm, verify, draw, judge, attack, query, review = blocks()
    (tmp_path / "var").mkdir()
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / ".ssh/id_ed25519"], check=True)
    with (
        tour(tmp_path / "var", free_port(), free_port(), at="onepam", database=True) as running,
        shell(tmp_path, home) as terminal,
    ):
        eve = Person(browser, running.console, "Eve", "eve@demo.example").with_authenticator()
        mia = Person(browser, running.console, "Mia", "mia@demo.example")
        eve.enrol_with_passkey(running.links["Eve"])
        eve.sign_in_with_passkey()
        mia.enrol_with_app(running.links["Mia"])
        mia.sign_in_with_app(1)
        register(eve, terminal.done(key_line))
        knock = " ".join(running.ssh_line) + "\n"
        terminal.paste(knock)
        terminal.until(r"\(yes/no")  # of the host key: the README announces it
        terminal.paste("yes\n")
        terminal.until(as_pattern(refused, running))
        terminal.prompts()
        ask(eve)
        approve(mia)
        connect(eve, terminal, knock, as_pattern(confirm, running))
        assert "anchored and intact" in terminal.done(verify)
        aude = Person(browser, running.console, "Aude", "aude@demo.example").with_authenticator()
        aude.enrol_with_passkey(running.links["Aude"])
        aude.sign_in_with_passkey()
        log_key = drawn(aude, terminal, here(draw, running))
        assert "anchored and intact" in terminal.done(judge.replace("PASTE THE LOG KEY", log_key))
        told = terminal.done(attack)
        assert re.search(r"FOUND  flipped: entry \d+", told), told
        assert "history     broken" in told
        ada = Person(browser, running.console, "Ada", "ada@demo.example").with_authenticator()
        ada.enrol_with_passkey(running.links["Ada"])
        ada.sign_in_with_passkey()
        asked(ada, eve, terminal, query)
        removed(ada, mia, terminal, review)
        terminal.paste(knock)
        terminal.until("OnePAM: There is no such target in your catalogue.")
        terminal.prompts()


def register(eve: Person, shown: str) -> None:
    found = re.search(r"ssh-ed25519 \S+ \S+", shown)
    assert found, shown
    page = eve.go("/factors")
    page.locator("textarea[name=key]").fill(found[0])
    page.get_by_role("button", name="Add key").click()
    expect(page.get_by_text("ssh-ed25519").first).to_be_visible(timeout=60_000)


def approve(mia: Person) -> None:
    page = mia.go("/approvals")
    page.get_by_role("button", name="Approve").first.click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.wait_for_timeout(11_000)  # it takes effect after ten seconds


def connect(eve: Person, terminal: Shell, knock: str, confirm: str) -> None:
    terminal.paste(knock)
    code = terminal.until(confirm)[1]
    link = terminal.until(r"http\S+/confirm/cnf_\w+")[0]
    page = eve.page
    page.goto(link)
    if "/step-up" in page.url:
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url("**/confirm/**")
    page.locator("input[name=code]").fill(code)
    page.get_by_role("button", name="Confirm").click()
    terminal.until(r"OnePAM: recorded, until \d\d:\d\d UTC \(in .*\)")
    terminal.paste("echo the-tour-$((40 + 2))\n")
    terminal.until("the-tour-42")
    terminal.paste("exit\n")
    terminal.prompts()


def asked(ada: Person, eve: Person, terminal: Shell, block: str) -> None:
    """The block of the database, with both sign-ins of the command line; then Eve's session shows her statements."""
    terminal.paste(block)
    allow(ada, terminal.until(r"http\S+/cli/authorize\S+")[0])
    allow(eve, terminal.until(r"(?s)/cli/authorize.*Signed in.*(http\S+/cli/authorize\S+)")[1])
    shown = terminal.prompts(len(block.strip().splitlines()))
    assert "The target took it: version 1 is in use." in shown
    assert re.search(r"customer 6 +\|", shown), shown
    assert "OnePAM: " in shown[shown.index("customer 6") :], "the second statement is refused"
    page = eve.go("/sessions")
    page.get_by_role("link", name="orders").nth(1).click()  # before the newest one, as another login
    expect(page.get_by_text("DELETE FROM orders").first).to_be_visible(timeout=60_000)


def removed(ada: Person, mia: Person, terminal: Shell, block: str) -> None:
    """The block of the review; then Mia takes the role from Eve."""
    terminal.paste(block)
    allow(ada, terminal.until(r"http\S+/cli/authorize\S+")[0])
    shown = terminal.prompts(len(block.strip().splitlines()))
    assert "REV-03" in shown, shown
    page = mia.go("/reviews")
    page.get_by_role("link", name="engineer").first.click()
    item = page.locator('[data-item="Eve Engineer, engineer"]')
    expect(item).to_be_visible(timeout=60_000)
    if item.get_attribute("open") is None:
        item.locator("summary").click()
    item.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("it gives nothing any more").first).to_be_visible(timeout=60_000)


def allow(person: Person, address: str) -> None:
    person.page.goto(address)
    person.page.get_by_role("button", name="Allow").click()
    expect(person.page.get_by_text("Signed in").first).to_be_visible(timeout=60_000)


def drawn(aude: Person, terminal: Shell, block: str) -> str:
    """Signs the command line in, in Aude's window, while the rest of the block waits in the terminal; the log's key."""
    terminal.paste(block)
    aude.page.goto(terminal.until(r"http\S+/cli/authorize\S+")[0])
    aude.page.get_by_role("button", name="Allow").click()
    shown = terminal.prompts(len(block.strip().splitlines()))
    found = re.search(r"^log key\s+(\S+)$", shown, re.MULTILINE)
    assert found, shown
    return found[1]
