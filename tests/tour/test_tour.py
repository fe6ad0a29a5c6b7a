"""The first slice as a newcomer meets it: enrol, ask, approve, connect, watch, verify. Nothing is stood in for."""

import re
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.tour.company import Tour
from tests.tour.people import Person
from tests.tour.terminal import by_key, register_key


def test_the_tour(browser: Browser, running: Tour, tmp_path: Path) -> None:
    assert {"Ada", "Mia", "Eve", "Aude"} <= running.links.keys(), running.printed
    eve = Person(browser, running.console, "Eve", "eve@demo.example").with_authenticator()
    mia = Person(browser, running.console, "Mia", "mia@demo.example")
    eve.enrol_with_passkey(running.links["Eve"])
    mia.enrol_with_app(running.links["Mia"])
    eve.sign_in_with_passkey()
    mia.sign_in_with_app(1)

    register_key(eve, tmp_path)
    assert "needs an approval" in refused_by_ssh(running, tmp_path)
    ask(eve)
    approve(mia)
    undo(mia)
    approve(mia)
    opens_by_itself(eve, mia)

    output = by_key(eve, ssh(running, tmp_path, "echo the-tour-was-here; id -un"))
    assert "the-tour-was-here" in output
    watch(eve)
    verify_ledger(running)
    assert eve.problems == []
    assert mia.problems == []


def ask(eve: Person) -> None:
    page = eve.go("/?request=web-1")
    page.locator("textarea[name=reason]").first.fill("The tour")
    page.get_by_role("button", name=re.compile("Request|Ask|Send")).first.click()
    expect(page.get_by_text("Waits for").locator("visible=true").first).to_be_visible()


def approve(mia: Person) -> None:
    page = mia.go("/approvals")
    expect(page.get_by_text("The tour").locator("visible=true").first).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
        page.get_by_role("button", name="Approve").first.click()
    assert posted.value.status < 400, posted.value.text()


def undo(mia: Person) -> None:
    mia.page.get_by_role("button", name="Undo").click()
    expect(mia.page.get_by_text("Undone.")).to_be_visible()


def opens_by_itself(eve: Person, mia: Person) -> None:
    """The approval takes effect on the server: the approver's page is gone."""
    expect(mia.page.get_by_role("button", name="Undo")).to_be_visible()
    mia.page.goto("about:blank")
    page = eve.go("/")
    assert page.get_by_text("@web-1@").count() == 0
    for _ in range(60):
        if page.get_by_text("@web-1@").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.get_by_text("@web-1@").first).to_be_visible()


def ssh(running: Tour, folder: Path, *command: str) -> list[str]:
    printed = running.ssh_line
    options = ["-F", "none", "-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={folder}/known_hosts"]
    keys = ["-o", "IdentitiesOnly=yes", "-i", str(folder / "id_ed25519")]
    return [printed[0], *options, *keys, *printed[1:], *command]


def refused_by_ssh(running: Tour, folder: Path) -> str:
    done = subprocess.run(
        ssh(running, folder, "true"), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 255
    assert "/?request=web-1" in done.stderr, done.stderr
    return done.stderr


def watch(eve: Person) -> None:
    page = eve.go("/sessions")
    page.locator('a[href*="/sessions/ses_"]').first.click()
    page.wait_for_url("**/sessions/ses_*")
    expect(page.get_by_text("Read as a whole for this page, now.").first).to_be_visible()
    frame = page.frame_locator("iframe").first
    expect(frame.locator(".ap-player, .ap-wrapper").first).to_be_visible()
    frame.locator(".ap-wrapper").first.click()
    expect(frame.get_by_text("the-tour-was-here").first).to_be_visible()


def verify_ledger(running: Tour) -> None:
    time.sleep(2.5)  # the checkpoint lags by a second
    command = [
        sys.executable,
        "-m",
        "onepam.boot.commands.up",
        "ledger",
        "verify",
        "--data",
        str(running.ready["data"]),
    ]
    done = subprocess.run([*command, "--log-key", running.ready["log_key"]], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.startswith("history     consistent but not anchored")
    kept = Path(running.ready["data"]).parent / "kept-checkpoint"
    kept.write_bytes((Path(running.ready["data"]) / "log" / "checkpoint").read_bytes())
    keyed = [*command, "--log-key", running.ready["log_key"], "--checkpoint", str(kept)]
    done = subprocess.run(keyed, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("history     anchored and intact")
