"""A whole gateway in the test's event loop: its ledger, signer, recorder, door and live sessions, a real sshd behind it
that trusts the target CA, and the stock OpenSSH clients in front.

Every person brings a key, and a role of their own, so that tests do not take each other's access away.
"""

import asyncio
import contextlib
import re
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_bytes
from typing import Any, TypeVar

import asyncssh

from onepam.app.sessions.close_session import NoFacts
from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.boot.platform import Platform
from onepam.domain.access.authority import Actor
from onepam.domain.access.events import BindingAdded, ResourceSet, RoleSet
from onepam.domain.access.model import Action, ConsoleRight, Mode, Permission, ResourceKind, SubjectKind
from onepam.domain.history.commit import Committed, Decided
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.sessions.events import SessionClosed, SessionFailed, SessionOpened
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, SignedIn, SignInKind
from onepam.identity.ssh_keys import fingerprint
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.ids import new_id
from onepam.recording.frames import Frame
from onepam.recording.open import Reader
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.vault.authorities import PERSON_PREFIX
from tests.lawful import assert_lawful, listening
from tests.targets import Sshd, free_port, running_sshd

SECONDS = 120
ALL = (Action.SHELL, Action.EXEC, Action.SFTP, Action.QUERY)
STANDING = Permission("work", ALL, {"env": "prod"}, ("*",), Mode.STANDING, HOUR)

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Done:
    """How a client ended."""

    status: int
    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a key in `key`, and a certificate beside it if there is one; `sign_in` is the CLI session's id."""

    id: str
    role: str
    binding: str
    sign_in: str
    key: Path

    @property
    def public_line(self) -> str:
        return self.key.with_suffix(".pub").read_text(encoding="ascii").strip()


@dataclass
class Gateway:
    """The running platform, its target, and what tests do with both."""

    platform: Platform
    target: Sshd
    foreign: Sshd
    closed_port: int
    silent_port: int
    folder: Path

    # What is so -------------------------------------------------------------------------------------------------------

    async def record(self, *events: object) -> Instant:
        """Appends events as they are, in one command; when that was."""
        outcome = await self.platform.ledger.commit(NoFacts(), lambda facts, now: Decided(events, None))
        assert isinstance(outcome, Committed)
        return outcome.time

    async def person(
        self,
        permission: Permission = STANDING,
        *,
        certificate: bool = True,
        registered: bool = False,
        console: tuple[ConsoleRight, ...] = (),
    ) -> Person:
        """Somebody new, signed in a moment ago, with a role of their own."""
        who = new_id("per", token_bytes)
        folder = self.folder / who
        folder.mkdir()
        person = Person(who, f"role-{who[4:]}", new_id("bnd", token_bytes), new_id("sgn", token_bytes), folder / "id")
        keygen(person.key)
        now = wall_clock()
        await self.record(
            PersonAdded(who, PersonKind.EMPLOYEE, "hired", None, None, None, name="Eve", email=f"{who}@example.com"),
            role_set(person.role, permission, console=console),
            BindingAdded(person.binding, person.role, SubjectKind.PERSON, who, None, "file", "work", "chg_1", None),
            signed_in(person, now),
        )
        if certificate:
            await self.certify(person)
        if registered:
            await self.record(self.registration(person))
        return person

    async def certify(self, person: Person) -> None:
        """Lays the certificate that `onepam login` would fetch beside the key."""
        issue = self.platform.authorities.person.issue
        line = issue(person.public_line, person.sign_in, person.id, wall_clock())
        assert isinstance(line, str)
        certificate_of(person).write_text(line + "\n", encoding="ascii")

    def forge(self, person: Person, authority: asyncssh.SSHKey | None = None, **changed: Any) -> None:
        """A certificate that is ours in all but what is changed."""
        key = authority or self.platform.authorities.person._key
        now = wall_clock() // 1_000_000
        options: dict[str, Any] = {
            "principals": [f"{PERSON_PREFIX}{person.id}"],
            "valid_after": now - 30,
            "valid_before": now + 600,
        }
        subject = asyncssh.import_public_key(person.public_line)
        make = key.generate_host_certificate if changed.pop("host", False) else key.generate_user_certificate
        certificate = make(subject, person.sign_in, **{**options, **changed})
        certificate.write_certificate(str(certificate_of(person)))

    def registration(self, person: Person) -> FactorEnrolled:
        """The event by which the person registered their key."""
        blob = asyncssh.import_public_key(person.public_line).public_data
        return FactorEnrolled(
            new_id("fac", token_bytes), person.id, FactorKind.SSH_KEY, "v1", None, None,
            label="laptop", reference=fingerprint(blob), public=person.public_line,
        )  # fmt: skip

    def resource(self, name: str, **changed: Any) -> ResourceSet:
        """The target under a name."""
        found = ResourceSet(
            name, ResourceKind.SSH, {"env": "prod"}, "own", (self.target.login,), (self.target.host_key,),
            self.target.port, "chg_1", None, address="127.0.0.1",
        )  # fmt: skip
        return replace(found, **changed)

    def actor(self, person: Person) -> Actor:
        return Actor(person.id, person.sign_in, "127.0.0.1")

    # What happened ----------------------------------------------------------------------------------------------------

    def events(self, kind: type[E], person: Person | None = None) -> list[E]:
        """Events of a kind, oldest first; those that name the person, if one is given."""
        with contextlib.closing(connect(self.platform.database, read_only=True)) as db:
            found = [each.event for each in entries(db, 0, 1 << 30)]
        mine = [each for each in found if isinstance(each, kind)]
        return mine if person is None else [each for each in mine if getattr(each, "person", None) == person.id]

    async def ended(self, person: Person, count: int = 1) -> list[SessionClosed | SessionFailed]:
        """How the person's sessions ended, once `count` of them have."""
        async with asyncio.timeout(SECONDS):
            while True:
                mine = {each.session for each in self.events(SessionOpened, person)}
                ends: list[SessionClosed | SessionFailed] = [*self.events(SessionClosed)]
                ends += self.events(SessionFailed)
                found = [each for each in ends if each.session in mine]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.05)

    def recorded(self, session: str) -> list[Frame]:
        """The frames of a recording, as far as they can be read."""
        data = (self.platform.recordings / f"{session}.rec").read_bytes()
        return list(Reader([data], self.platform.recording_key(session)))

    # The clients ------------------------------------------------------------------------------------------------------

    def options(self, person: Person, *more: str) -> list[str]:
        known = self.folder / "known_hosts"
        line = self.platform.authorities.host.known_hosts_line(["localhost"]) + "\n"
        if not known.exists():  # a client that starts reads it: it must never be half written
            known.write_text(line, encoding="ascii")
        return [
            "-F", "none", "-i", str(person.key), "-o", "IdentitiesOnly=yes", "-o", "HostKeyAlias=localhost",
            "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes", *more,
        ]  # fmt: skip

    def ssh(self, person: Person, *arguments: str, user: str = "") -> list[str]:
        user = user or f"{self.target.login}@web-1"
        port = str(self.platform.ssh_port)
        return ["ssh", *self.options(person), "-p", port, "-l", user, "127.0.0.1", *arguments]

    def jumping(self, person: Person, *more: str) -> Path:
        """A configuration by which `ssh LOGIN@TARGET` goes through the gateway; both are known by the host CA alone."""
        known, config = person.key.with_name("known_hosts"), person.key.with_name("config")
        known.write_text(self.platform.authorities.host.known_hosts_line(["*"]) + "\n", encoding="ascii")
        lines = [
            "Host gateway", "HostName 127.0.0.1", "HostKeyAlias localhost", f"Port {self.platform.ssh_port}",
            f"IdentityFile {person.key}", "IdentitiesOnly yes",
            "Host * !gateway", "ProxyJump gateway", "IdentityFile none",
            "Host *", f"UserKnownHostsFile {known}", "StrictHostKeyChecking yes", *more,
        ]  # fmt: skip
        config.write_text("\n".join([*lines, ""]), encoding="ascii")
        return config

    def jump(self, person: Person, target: str, *arguments: str) -> list[str]:
        """`ssh -J` to a target."""
        return ["ssh", "-F", str(self.jumping(person)), f"{self.target.login}@{target}", *arguments]

    async def start(self, *command: str) -> asyncio.subprocess.Process:
        """A client with pipes; end it by closing its input, or by taking its access away."""
        return await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    async def working(self, person: Person, *command: str, user: str = "") -> asyncio.subprocess.Process:
        """A client in the middle of a session that goes on until it is ended."""
        process = await self.start(*self.ssh(person, *(command or ("echo ready; cat",)), user=user))
        assert process.stdout is not None
        async with asyncio.timeout(SECONDS):
            line = await process.stdout.readline()
        if line.strip() != b"ready":
            raise AssertionError((await outcome(process)).stderr)
        return process

    async def run(self, *command: str, stdin: bytes = b"") -> Done:
        return await outcome(await self.start(*command), stdin)


def keygen(path: Path, *kind: str) -> None:
    kind = kind or ("-t", "ed25519")
    subprocess.run(["ssh-keygen", "-q", *kind, "-N", "", "-C", "", "-f", str(path)], check=True)


def certificate_of(person: Person) -> Path:
    return person.key.with_name("id-cert.pub")


def role_set(role: str, *permissions: Permission, console: Sequence[ConsoleRight] = ()) -> RoleSet:
    return RoleSet(role, "v1", "work", "own", permissions, tuple(console), "chg_1", None)


def signed_in(person: Person, at: Instant, lasts: int = 12 * HOUR, mfa_at: Instant | None = None) -> SignedIn:
    factors = (FactorKind.PASSWORD, FactorKind.TOTP)
    return SignedIn(
        person.sign_in, person.id, SignInKind.CLI, factors, mfa_at or at, Instant(at + lasts), None,
        token_digest=person.sign_in, source="127.0.0.1", agent="test",
    )  # fmt: skip


async def outcome(process: asyncio.subprocess.Process, stdin: bytes | None = b"") -> Done:
    """How a client ends, once it has ended."""
    try:
        async with asyncio.timeout(SECONDS):
            stdout, stderr = await process.communicate(stdin)
    except TimeoutError:
        process.kill()
        raise
    return Done(process.returncode or 0, stdout, stderr.decode("utf-8", "replace"))


async def shown_code(process: asyncio.subprocess.Process, on: asyncio.StreamReader | None = None) -> tuple[str, str]:
    """The confirmation's id and code, as the terminal shows them: on standard error, unless the client has another
    place for it."""
    shown = on or process.stderr
    assert shown is not None
    text = ""
    async with asyncio.timeout(SECONDS):
        while not (found := re.search(r"/confirm/(cnf_[a-z2-7]{16})\s.*code there:\s+(\S+)\s", text, re.DOTALL)):
            piece = await shown.read(4096)
            if not piece:
                raise AssertionError(text)
            text += piece.decode()
    return found[1], found[2]


@asynccontextmanager
async def running_gateway(folder: Path, **config: Any) -> AsyncIterator[Gateway]:
    """The platform with its target as web-1, on free ports of loopback."""
    settings = Config(data=folder / "data", console_port=0, ssh_port=0, gateway_name="localhost", **config)
    platform = Platform(settings)
    async with contextlib.AsyncExitStack() as running:
        running.enter_context(listening())
        processes = running.enter_context(ExitStack())
        authority = folder / "user_ca.pub"
        authority.write_text(platform.authorities.target.public_line + "\n", encoding="ascii")
        target = processes.enter_context(running_sshd(_made(folder / "target"), user_ca=authority))
        foreign = processes.enter_context(running_sshd(_made(folder / "foreign")))
        silent = await asyncio.start_server(_says_nothing, "127.0.0.1", 0)
        running.callback(silent.close)
        closed_port, silent_port = free_port(), silent.sockets[0].getsockname()[1]
        ports = (target.port, foreign.port, closed_port, silent_port)
        admitted = tuple(f"127.0.0.1/32:{port}" for port in ports)
        platform.config = replace(settings, egress=(*settings.egress, *admitted))
        await running.enter_async_context(platform.running())
        people = folder / "people"
        people.mkdir()
        gateway = Gateway(platform, target, foreign, closed_port, silent_port, people)
        await gateway.record(gateway.resource("web-1"))
        yield gateway
    assert_lawful(platform.database)


async def _says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
