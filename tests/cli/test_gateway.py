"""From `onepam login` to a shell on a real OpenSSH server through the real gateway, and back to `onepam play`."""

import asyncio
import base64
import re
import secrets
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from onepam.app.people.add_person import add_person
from onepam.boot.config import Config
from onepam.boot.platform import Platform
from onepam.domain.access.authority import Actor
from onepam.domain.access.events import ResourceSet
from onepam.domain.access.model import Action, ConsoleRight, Mode, Permission, ResourceKind
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.identity.cli_codes import issue_code
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.ids import new_id
from onepam.vault.authorities import Authorities
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.api.office import now
from tests.cli.terminal import environment_of, run_onepam
from tests.company import binding, record, role_set
from tests.targets import Sshd, free_port

DEV = Permission("dev", (Action.SHELL, Action.EXEC), {"env": "dev"}, ("*",), Mode.STANDING, 8 * HOUR)


class Running:
    """The platform on a thread of its own."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        assert self._ready.wait(30)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with Platform(self.config).running() as self.platform:
            self._ready.set()
            await self._stop.wait()

    def record(self, *events: object) -> None:
        """Appends events as they are."""
        asyncio.run_coroutine_threadsafe(record(self.platform.ledger, *events), self._loop).result(30)

    def join(self, target: Sshd) -> tuple[str, str]:
        """An engineer who may reach the target, signed in to the console: (person, console session)."""
        person, session, moment = new_id("per", secrets.token_bytes), new_id("sgn", secrets.token_bytes), now()
        known = Attributes("Eve Example", "eve@example.com")
        added = add_person(self.platform.ledger, None, person, PersonKind.EMPLOYEE, known, "hired")
        assert asyncio.run_coroutine_threadsafe(added, self._loop).result(30) is None
        self.record(
            role_set("engineer", (DEV,), (ConsoleRight.AUDIT,)),
            ResourceSet(
                "dev-1",
                ResourceKind.SSH,
                {"env": "dev"},
                person,
                (target.login,),
                (target.host_key,),
                target.port,
                "chg_1",
                None,
                target.host,
            ),
            binding(person, "engineer"),
            SignedIn(session, person, SignInKind.CONSOLE, (FactorKind.PASSKEY,), moment, Instant(moment + HOUR), None),
        )
        return person, session

    def stop(self) -> None:
        """Ends it in order."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)


@pytest.fixture
def reached(tmp_path: Path, sshd: Callable[..., Sshd]) -> Iterator[tuple[Running, Sshd]]:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    envelope = Envelope(FileKeys.create(data / "master-keys.json", secrets.token_bytes), secrets.token_bytes)
    trusted = tmp_path / "target_ca.pub"
    trusted.write_text(Authorities(data / "authorities", envelope, secrets.token_bytes).target.public_line + "\n")
    target = sshd(user_ca=trusted)
    port = free_port()
    config = Config(
        data,
        console_port=port,
        console_url=f"http://127.0.0.1:{port}",
        ssh_port=0,
        gateway_name="127.0.0.1",
        egress=(f"127.0.0.1/32:{target.port}",),
    )
    running = Running(config)
    yield running, target
    running.stop()


def test_login_ssh_play_logout(reached: tuple[Running, Sshd], tmp_path: Path) -> None:
    running, target = reached
    person, console = running.join(target)
    home = tmp_path / "home"
    home.mkdir()
    log_in(running, person, console, home)

    listed = run_onepam(home, "ls", "--json").json["open"]
    assert listed[0]["command"] == f"ssh -F {home}/.config/onepam/ssh_config {target.login}@dev-1@onepam"
    command = [*listed[0]["command"].split(), "echo through the gateway"]
    through = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment_of(home))
    assert (through.returncode, through.stdout) == (0, "through the gateway\n"), through.stderr

    by_name = [*command[:3], "dev-1", "echo by its name"]
    named = subprocess.run(by_name, capture_output=True, text=True, timeout=60, env=environment_of(home))
    assert (named.returncode, named.stdout) == (0, "by its name\n"), named.stderr

    with subprocess.Popen(
        [*command[:-1], "echo for whoever watches; read line; echo $line"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment_of(home),
    ) as running_command:  # fmt: skip
        assert running_command.stdin is not None
        assert running_command.stdout is not None
        assert running_command.stdout.readline() == "for whoever watches\n"
        watch = [sys.executable, "-m", "onepam.cli.main", "watch", "dev-1"]
        with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True, env=environment_of(home)) as watching:
            assert watching.stdout is not None
            assert watching.stdout.readline() == "for whoever watches\n"
            running_command.stdin.write("as it comes\n")
            running_command.stdin.flush()
            assert watching.stdout.read() == "as it comes\n"
        assert watching.returncode == 0

    live = max(run_onepam(home, "sessions", "--json").json, key=lambda each: str(each["opened"]))["session"]
    over = run_onepam(home, "watch", live)
    assert (over.code, "has ended" in over.err) == (1, True), over.err
    assert subprocess.run([*watch[:-1], "dev-1"], env=environment_of(home), stdin=subprocess.DEVNULL).returncode == 1

    session = run_onepam(home, "sessions", "--json").json[-1]["session"]
    assert run_onepam(home, "play", session).out == "through the gateway\n"
    assert run_onepam(home, "logout").code == 0
    for ended in (command, by_name):
        again = subprocess.run(ended, capture_output=True, text=True, timeout=60, env=environment_of(home))
        assert again.returncode == 255


def test_the_old_certificate_is_dead_after_logout(reached: tuple[Running, Sshd], tmp_path: Path) -> None:
    running, target = reached
    person, console = running.join(target)
    home = tmp_path / "home"
    home.mkdir()
    log_in(running, person, console, home)
    folder = home / ".config" / "onepam"
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run_onepam(home, "logout").code == 0
    for name, data in kept.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    command = ["ssh", "-F", str(folder / "ssh_config"), f"{target.login}@dev-1@onepam", "true"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment_of(home))
    assert refused.returncode == 255
    assert "onepam login" in refused.stderr
    assert run_onepam(home, "whoami").code == 3


def test_evidence_from_drawing_to_verifying(reached: tuple[Running, Sshd], tmp_path: Path) -> None:
    running, target = reached
    person, console = running.join(target)
    home, pack = tmp_path / "home", tmp_path / "pack.zip"
    home.mkdir()
    log_in(running, person, console, home)
    drawn = run_onepam(home, "evidence", "pack", "--from", "2026-01-01", "--to", "2100-01-01", "--out", str(pack))
    assert drawn.code == 0, drawn.err
    key = running.platform.log_key.encode()
    verified = run_onepam(home, "verify", str(pack), "--log-key", key, "--json")
    assert verified.code == 6, "the fixture lays down its people by hand"
    assert verified.json["history"].startswith("consistent but not anchored"), verified.out
    checkpoint = zipfile.ZipFile(pack).read("checkpoint").decode().splitlines()
    head = (checkpoint[1], base64.b64decode(checkpoint[2]).hex())
    anchored = run_onepam(home, "verify", str(pack), "--log-key", key, "--at-least", *head, "--json")
    assert anchored.json["history"].startswith("anchored and intact"), anchored.out
    assert anchored.json["verdict"].startswith("VERIFIED; NOT LAWFUL: "), anchored.out
    every = run_onepam(home, "verify", str(pack), "--all-signatures", "--json").json["history"]
    assert re.search(r"; (\d+) of \1 batch signatures checked", every)
    health = run_onepam(home, "ledger", "--json").json
    assert (health["log_key"], health["findings"]) == (key, [])
    proof = run_onepam(home, "ledger", "proof", "0").json
    assert (proof["index"], proof["note"].splitlines()[0]) == (0, running.config.origin)


def log_in(running: Running, person: str, console: str, home: Path) -> None:
    """`onepam login`, its browser's part done by what the console does."""
    waiting = subprocess.Popen(
        [sys.executable, "-m", "onepam.cli.main", "login", "--gateway", running.config.url, "--no-browser"],
        env=environment_of(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    address = next(line.strip() for line in waiting.stderr if "http" in line)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    code = issue_code(
        running.platform.envelope,
        person,
        Actor(person, console).session,
        asked["code_challenge"],
        asked["redirect_uri"],
        now(),
        secrets.token_bytes,
    )
    assert isinstance(code, str)
    httpx2.get(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", trust_env=False)
    assert waiting.wait(30) == 0, waiting.stderr.read()
    waiting.stderr.close()
