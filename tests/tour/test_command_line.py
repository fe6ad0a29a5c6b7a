"""The tour from the command line: `onepam login`, ssh by certificate, an evidence pack verified by a stranger."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser

from tests.tour.company import Tour
from tests.tour.people import Person
from tests.tour.terminal import login, onepam


def test_an_engineer_signs_in_once_and_uses_plain_ssh(browser: Browser, running: Tour, tmp_path: Path) -> None:
    eve = enrolled(browser, running, "Eve", "eve@demo.example")
    home = tmp_path / "eve"
    login(eve, running.console, home)
    listed = onepam(home, "ls")
    assert "dev-1" in listed
    assert "web-1" not in listed.split("request")[0]
    account = running.ssh_line[-1].partition("@")[0]
    config = ["-F", str(home / "ssh_config"), "-o", "BatchMode=yes"]
    command = ["ssh", *config, f"{account}@dev-1@onepam", "echo", "plain-ssh"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "plain-ssh\n"
    session = re.search(r"ses_[a-z2-7]{16}", onepam(home, "sessions", "--json"))
    assert session
    assert "plain-ssh" in onepam(home, "play", session[0], "--speed", "100")
    onepam(home, "logout")
    again = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert again.returncode == 255


def test_an_auditor_draws_a_pack_that_a_stranger_verifies(browser: Browser, running: Tour, tmp_path: Path) -> None:
    aude = enrolled(browser, running, "Aude", "aude@demo.example")
    home, pack, kept = tmp_path / "aude", tmp_path / "pack.zip", tmp_path / "kept-checkpoint"
    kept.write_bytes((Path(running.ready["data"]) / "log" / "checkpoint").read_bytes())
    login(aude, running.console, home)
    onepam(home, "evidence", "pack", "--from", "2020-01-01", "--to", "2099-01-01", "--out", str(pack))
    verifier = tmp_path / "verify.py"
    shutil.copy(Path(__file__).parents[2] / "src/onepam/evidence/verifier/verify.py", verifier)
    verify = [sys.executable, "-I", str(verifier), str(pack)]
    alone = subprocess.run(verify, capture_output=True, text=True, timeout=60)
    assert alone.returncode == 3, alone.stdout + alone.stderr
    with_key = [*verify, "--verbose", "--log-key", running.ready["log_key"]]
    keyed = subprocess.run(with_key, capture_output=True, text=True, timeout=60)
    assert keyed.returncode == 3, keyed.stdout + keyed.stderr
    assert "no independent witness" in keyed.stdout
    anchored = [*verify, "--log-key", running.ready["log_key"], "--checkpoint", str(kept)]
    told = subprocess.run(anchored, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stdout + told.stderr
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    assert subprocess.run(verify, capture_output=True, timeout=60).returncode == 1


def enrolled(browser: Browser, running: Tour, name: str, email: str) -> Person:
    person = Person(browser, running.console, name, email).with_authenticator()
    person.enrol_with_passkey(running.links[name])
    person.sign_in_with_passkey()
    return person
