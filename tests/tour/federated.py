"""A company that signs in through its own provider: a real gateway process, a real target, Ada and Ben."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TypeVar

from onepam.domain.access.events import BindingAdded
from onepam.domain.access.model import SubjectKind
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderRule, ProviderSet
from onepam.identity.providers import sealed_secret
from onepam.kernel.canonical import encode
from onepam.kernel.secret import Secret
from tests.gateway_fixture import STANDING, Gateway, role_set
from tests.gateway_process import Process, elsewhere, started
from tests.lawful import assert_lawful
from tests.targets import free_port

E = TypeVar("E")

ADA, BEN = "per_adaaaaaaaaaaaaaa", "per_benbenbenbenbenb"
PEOPLE = {ADA: ("Ada Lindt", "ada@example.com"), BEN: ("Ben Okafor", "ben@example.com")}
RULE = ProviderRule(domains=("example.com",))


@dataclass
class Federated:
    """The company; its gateway runs at `console` from `start` on."""

    gateway: Gateway
    folder: Path
    console: str
    egress: list[str]
    loop: asyncio.AbstractEventLoop
    process: Process | None = None

    def record(self, *events: object) -> None:
        """Appends events as they are."""
        asyncio.run_coroutine_threadsafe(self.gateway.record(*events), self.loop).result(30)

    def provider(self, kind: ProviderKind, settings: object, secret: Secret, rule: ProviderRule) -> None:
        """The provider `corp`, as two administrators would have set it."""
        sealed = sealed_secret(secret, "corp", self.gateway.platform.envelope)
        text = encode(settings).decode("utf-8")  # type: ignore[arg-type]
        self.record(ProviderSet("chg_idp", "corp", kind, "Corp", text, rule, "bob", "max", sealed))

    def add(self, person: str, name: str) -> None:
        """Somebody else who may work on web-1."""
        email = f"{name.partition(' ')[0].lower()}@example.com"
        bound = BindingAdded(
            f"bnd_{person[4:]}", "engineer", SubjectKind.PERSON, person, None, "file", "work", "chg_1", None
        )
        added = PersonAdded(person, PersonKind.EMPLOYEE, "hired", None, None, None, name=name, email=email)
        self.record(added, bound)

    def start(self, *ports: int) -> None:
        """Starts the gateway, which may call these ports on loopback."""
        egress = [*self.egress, *(f"127.0.0.1/32:{port}" for port in ports)]
        port = int(self.console.rpartition(":")[2])
        self.process = started(self.folder, egress=egress, console_port=port)
        assert self.process.console == self.console, self.process.console

    def events(self, kind: type[E]) -> list[E]:
        return self.gateway.events(kind)

    def by_key(self, folder: Path, said: str) -> list[str]:
        """The stock client with the key `id_ed25519` in that folder."""
        assert self.process is not None
        options = ["-F", "none", "-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={folder}/known"]
        keys = ["-o", "IdentitiesOnly=yes", "-i", str(folder / "id_ed25519"), "-p", str(self.process.ssh_port)]
        return ["ssh", *options, *keys, f"{self.gateway.target.login}@web-1@localhost", "echo", said]

    def ssh(self, home: Path, said: str) -> "subprocess.CompletedProcess[str]":
        """The stock client, configured by `onepam login` in that home."""
        login = self.gateway.target.login
        command = ["ssh", "-F", str(home / "ssh_config"), "-o", "BatchMode=yes", f"{login}@web-1@onepam", "echo", said]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


@contextmanager
def beside() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in a thread of its own: the browser's runs in this one."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@contextmanager
def company(folder: Path) -> Iterator[Federated]:
    """Ada and Ben, who may both work on web-1."""
    with beside() as loop, ExitStack() as stack:

        async def opened() -> tuple[Gateway, list[str]]:
            return stack.enter_context(elsewhere(folder))

        gateway, egress = asyncio.run_coroutine_threadsafe(opened(), loop).result(30)
        found = Federated(gateway, folder, f"http://localhost:{free_port()}", egress, loop)
        found.record(
            gateway.resource("web-1"),
            role_set("engineer", STANDING),
        )
        for person, (name, _) in PEOPLE.items():
            found.add(person, name)
        yield found
        if found.process is not None:
            found.process.kill()
        assert_lawful(gateway.platform.database)
