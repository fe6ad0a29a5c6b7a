"""`onepam login --device`, run as people run it, against a real server; and what an attacker tries at its routes."""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from onepam.app.signing_in.devices import answer_device
from onepam.domain.access.authority import Actor
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, SignedIn
from onepam.identity.devices import Waiting
from onepam.identity.ssh_keys import PublicKey, parse_public_key
from onepam.identity.tokens import code_digest
from onepam.kernel.errors import Refused
from onepam.store.engine.entries import entries_of
from tests.api.office import Office, new_key
from tests.cli.conftest import NewTerminal
from tests.cli.terminal import Terminal

_SHOWN = re.compile(r"(http://\S+)/cli/device/(dev_\w+)\s+and type this code there:\s+([A-Z]{4}-[A-Z]{4})")


class Started:
    """A `login --device` that waits."""

    def __init__(self, terminal: Terminal, *words: str) -> None:
        self.run = subprocess.Popen(
            [sys.executable, "-m", "onepam.cli.main", "login", "--device", "--gateway", terminal.office.url, *words],
            env=terminal.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.run.stderr is not None
        self.said = ""
        while "console" not in self.said and (found := _SHOWN.search(self.said)) is None:
            line = self.run.stderr.readline()
            assert line, self.said
            self.said += line
        assert found is not None
        self.device, self.code = found[2], found[3]

    def ends(self) -> tuple[int, str, str]:
        out, err = self.run.communicate(timeout=60)
        return self.run.returncode, out, self.said + err


def answered(office: Office, started: Started, person: str, source: str = "127.0.0.1") -> Refused | None:
    """What the console does with the code that the person types."""
    waiting = waits(office, started)
    digest = code_digest(started.code)
    assert digest is not None
    actor = Actor(person, office.actor(person).session, source)
    refused = office.run(lambda: answer_device(office.ledger, actor, waiting.asked, digest.hex()))
    if refused is None:
        waiting.answer = actor
    else:
        waiting.over = True
    return refused


def waits(office: Office, started: Started) -> Waiting:
    waiting = office.services.devices.named(started.device, office.services.clock())
    assert waiting is not None
    return waiting


def key_of(office: Office, terminal: Terminal, person: str, *more: str) -> Path:
    """A key in the terminal's home, that the person has registered."""
    path = terminal.folder / ".ssh" / "id_ed25519"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, *more], check=True)
    key = parse_public_key(path.with_suffix(".pub").read_text())
    assert isinstance(key, PublicKey)
    office.record(
        FactorEnrolled(
            f"fac_{key.fingerprint[7:17]}",
            person,
            FactorKind.SSH_KEY,
            "1",
            None,
            person,
            reference=key.fingerprint,
            public=key.line,
        )
    )
    return path


def test_a_code_typed_at_the_same_address_signs_the_terminal_in(office: Office, terminal: NewTerminal) -> None:
    eve, mine = office.join("engineer", name="eve"), terminal()
    started = Started(mine)
    assert "has shown no SSH key" in started.said + _rest(started)
    assert answered(office, started, eve) is None
    code, out, err = started.ends()
    assert code == 0, err
    assert "Signed in as Eve Example" in out
    who = mine.run("whoami", "--json")
    assert (who.code, who.json["person"]) == (0, eve)
    [opened] = [each for each in opened_by_device(office) if each.person == eve]
    assert (opened.session, opened.phishing_resistant) == (who.json["session"], False)
    assert (mine.home / "id_ed25519-cert.pub").exists()


def _rest(started: Started) -> str:
    """The lines after the code."""
    assert started.run.stderr is not None
    started.run.stderr.readline()
    line = started.run.stderr.readline()
    started.said += line
    return line


def opened_by_device(office: Office) -> list[SignedIn]:
    def read(db: Any, at: Any) -> list[SignedIn]:
        found = [each.event for each in entries_of(db, ("sign_in.opened",))]
        return [each for each in found if each.agent == "onepam login --device"]

    return office.reader.now(read)


def test_the_key_in_the_home_says_whose_terminal_it_is(office: Office, terminal: NewTerminal) -> None:
    eve, mia, mine = office.join("engineer", name="eve"), office.join("engineer"), terminal()
    key_of(office, mine, eve)
    started = Started(mine)
    assert waits(office, started).asked.key.startswith("fac_")
    assert answered(office, started, eve, source="198.51.100.9") is None
    assert started.ends()[0] == 0
    started = Started(mine)
    refused = answered(office, started, mia)
    assert refused is not None
    assert refused.code == "device.wrong_person"
    code, _, err = started.ends()
    assert (code, "The sign-in was refused in the browser." in err) == (1, True)


def test_a_key_is_named_and_one_that_signs_nothing_is_said_to(office: Office, terminal: NewTerminal) -> None:
    eve, mine = office.join("engineer", name="eve"), terminal()
    path = key_of(office, mine, eve)
    elsewhere = path.rename(mine.folder / "mine")
    started = Started(mine, "--key", str(elsewhere))
    assert waits(office, started).asked.key
    started.run.terminate()
    started.ends()
    ran = mine.run("login", "--device", "--gateway", office.url, "--key", str(mine.folder / "none"))
    assert (ran.code, "signs nothing" in ran.err) == (2, True)


def test_a_gateway_that_is_not_there_is_told_of_before_anything_else(terminal: NewTerminal) -> None:
    mine = terminal()
    for words in ((), ("--device",)):
        began = time.monotonic()
        ran = mine.run("login", "--gateway", "http://127.0.0.1:9", *words)
        assert (ran.code, "cannot be reached" in ran.err) == (4, True)
        assert "cli/" not in ran.err
        assert time.monotonic() - began < 10


def asked(office: Office) -> dict[str, Any]:
    with office.client(None) as client:
        answer = client.post("/cli/device", json={"client": "eve@build"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def signature(folder: Path, line: str, space: str = "onepam-login-device") -> dict[str, str]:
    path = folder / "key"
    if not path.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    said = subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", space, "-f", path],
        input=line,
        capture_output=True,
        text=True,
        check=True,
    )
    return {"public_key": path.with_suffix(".pub").read_text().strip(), "signature": said.stdout}


def test_a_signature_for_another_terminal_gateway_or_use_is_refused(office: Office, tmp_path: Path) -> None:
    one, other = asked(office), asked(office)
    good = f"onepam login --device {office.url} {one['device']}"
    for line, space in (
        (f"onepam login --device {office.url} {other['device']}", "onepam-login-device"),
        (f"onepam login --device https://evil.example {one['device']}", "onepam-login-device"),
        (good, "git"),
    ):
        body = {"device_code": one["device_code"], "keys": [signature(tmp_path, line, space)]}
        with office.client(None) as client:
            refused = client.post("/cli/device/keys", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "ssh_key.signature")
    body = {"device_code": one["device_code"], "keys": [signature(tmp_path, good)]}
    with office.client(None) as client:
        assert client.post("/cli/device/keys", json=body).json() == {
            "done": True
        }  # nobody registered it: the same answer
        again = client.post("/cli/device/keys", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "device.gone")


def test_polling_too_fast_slows_down_and_a_session_is_taken_once(office: Office) -> None:
    eve, shown = office.join("engineer"), asked(office)
    body = {"device_code": shown["device_code"], "public_key": new_key()}
    with office.client(None) as client:
        said = [client.post("/cli/device/token", json=body).json()["code"] for _ in range(3)]
        assert said == ["device.slow_down"] * 3
        waiting = office.services.devices.named(shown["device"], office.services.clock())
        assert waiting is not None
        digest = code_digest(shown["code"])
        assert digest is not None
        assert office.run(lambda: answer_device(office.ledger, office.actor(eve), waiting.asked, digest.hex())) is None
        waiting.answer, waiting.due = office.actor(eve), office.services.clock()
        wrong = client.post("/cli/device/token", json={**body, "device_code": "opd_" + "x" * 43})
        assert (wrong.status_code, wrong.json()["code"]) == (409, "device.gone")
        assert client.post("/cli/device/token", json=body).json()["person"] == eve
        again = client.post("/cli/device/token", json=body)
        assert (again.status_code, again.json()["code"]) == (409, "device.gone")


def test_what_memory_says_opens_nothing_that_the_ledger_did_not_allow(office: Office) -> None:
    eve, shown = office.join("engineer"), asked(office)
    waiting = office.services.devices.named(shown["device"], office.services.clock())
    assert waiting is not None
    waiting.answer, waiting.due = office.actor(eve), office.services.clock()
    with office.client(None) as client:
        refused = client.post("/cli/device/token", json={"device_code": shown["device_code"], "public_key": new_key()})
    assert (refused.status_code, refused.json()["code"]) == (409, "device.gone")


@pytest.mark.parametrize("client", ["", "x" * 101, "eve\u202e@build"])
def test_a_machine_says_plainly_who_it_is(office: Office, client: str) -> None:
    with office.client(None) as asking:
        assert asking.post("/cli/device", json={"client": client}).status_code == 422


@pytest.mark.parametrize(
    ("source", "url", "vouches"),
    [
        ("127.0.0.1", "http://localhost:8443", True),
        ("::1", "http://127.0.0.1:8443", True),
        ("127.0.0.1", "https://pam.example.com", False),
        ("192.0.2.7", "https://pam.example.com", True),
        ("", "https://pam.example.com", True),
    ],
)
def test_a_proxys_address_says_nothing_of_where_anybody_is(source: str, url: str, vouches: bool) -> None:
    from onepam.api.routes.device import vouches_for

    assert vouches_for(source, url) is vouches
