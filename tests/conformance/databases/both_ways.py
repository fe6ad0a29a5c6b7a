"""One PostgreSQL, reached directly and through a whole gateway: a real `onepam up` of its own process, a real ledger,
the vault's secret, a login token as the password, and the recording on.

By hand: `python -m tests.conformance.databases.both_ways` shows the environment of both ways, and waits.
"""

import asyncio
import os
import shlex
import sys
import tempfile
from asyncio.subprocess import PIPE
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_bytes
from types import MappingProxyType
from typing import Protocol

from onepam.boot.clock import wall_clock
from onepam.cli.database_files import new_key
from onepam.domain.access.model import Action, ResourceKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed, SessionFailed, SessionOpened
from onepam.domain.sessions.login_tokens import LoginTokenIssued
from onepam.domain.sessions.target_secrets import Kept, SecretProven, SecretSet, about
from onepam.identity.tokens import LOGIN_TOKEN, new_token, token_digest
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.recording.frames import Frame
from onepam.recording.statements import Executed, Finished, StatementText
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.vault.database_clients import ClientCertificate
from tests.gateway_fixture import SECONDS, STANDING, Gateway, Person
from tests.gateway_process import Process, elsewhere, started
from tests.protocols.postgres.server import Server, running_server
from tests.targets import free_port

DRIVERS = Path(__file__).parents[3] / "var" / "postgresql-drivers" / "venv" / "bin" / "python"
"""Python with the foreign drivers (scripts/conformance/install-postgresql-drivers)."""

SLICE = DRIVERS.parents[3] / "slice-drivers" / "venv" / "bin" / "python"
"""Python with the few drivers that each change is tried with (scripts/conformance/install-slice-drivers)."""

TARGET, LOGIN, PASSWORD, DATABASE = "db-1", "suite", "suite", "suite"

EMPTY: Mapping[str, str] = MappingProxyType({})

Journal = list[tuple[str, Executed, Finished]]
"""The executions of a session, in order: the text, what was bound, and what came of it."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Way:
    """How a client connects, by libpq's names."""

    port: int
    user: str
    password: str
    root: Path
    database: str = DATABASE
    certificate: Path | None = None
    """With its key beside it, as `.pk8`, in the place of the password."""

    @property
    def environment(self) -> dict[str, str]:
        """For libpq, and for whoever reads its variables."""
        found = {
            "PGHOST": "localhost", "PGPORT": str(self.port), "PGUSER": self.user, "PGPASSWORD": self.password,
            "PGDATABASE": self.database, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(self.root),
        }  # fmt: skip
        if self.certificate is not None:
            found |= {"PGSSLCERT": str(self.certificate), "PGSSLKEY": str(self.certificate.with_suffix(".pk8"))}
        return found

    @property
    def words(self) -> str:
        """As libpq's connection string."""
        names = {name.removeprefix("PG").lower(): value for name, value in self.environment.items()}
        names["dbname"] = names.pop("database")
        return " ".join(f"{name}={value}" for name, value in names.items())


class Environment(Protocol):
    """How a client connects, in its environment."""

    @property
    def environment(self) -> dict[str, str]: ...


@dataclass
class Whole:
    """The gateway's process and its data, before a target that it has the secret of."""

    gateway: Gateway
    process: Process
    port: int
    folder: Path

    async def person(self, *more: Action) -> Person:
        """Somebody who may all, for hours; `more`: what stands beside it."""
        actions = (*STANDING.actions, *more)
        return await self.gateway.person(replace(STANDING, actions=actions, longest=8 * HOUR), certificate=False)

    async def token(self, person: Person) -> str:
        """A new token of a person's, which is good for 64 connections at a time."""
        secret, expires = new_token(LOGIN_TOKEN, token_bytes), Instant(wall_clock() + 8 * HOUR)
        who = (person.id, TARGET, LOGIN, person.sign_in, expires, token_digest(secret).hex(), "127.0.0.1")
        await self.gateway.record(LoginTokenIssued(new_id("tok", token_bytes), *who))
        return secret.reveal().decode()

    def root(self) -> Path:
        """The file with the root that vouches for the gateway."""
        root = self.folder / "gateway-root.pem"
        root.write_bytes(self.gateway.platform.authorities.database(wall_clock()).root)
        return root

    async def run(
        self,
        way: Environment,
        *command: str,
        stdin: str = "",
        seconds: float = 600.0,
        more: Mapping[str, str] = EMPTY,
    ) -> Done:
        """A program with this way in its environment, which may have `more`."""
        program = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **way.environment, **more}, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        try:
            async with asyncio.timeout(seconds):
                stdout, stderr = await program.communicate(stdin.encode())
        except BaseException:
            program.kill()
            raise
        return Done(program.returncode or 0, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"))

    async def ends(self, person: Person) -> dict[str, SessionClosed | SessionFailed]:
        """Those of all sessions that a person opened, in order, once each has ended and its recording was checked."""
        async with asyncio.timeout(SECONDS):
            while True:
                with closing(connect(self.gateway.platform.database, read_only=True)) as db:
                    events = [each.event for each in entries(db, 0, 1 << 30)]
                mine = [each.session for each in events if isinstance(each, SessionOpened) and each.person == person.id]
                ends = {each.session: each for each in events if isinstance(each, SessionClosed | SessionFailed)}
                if mine and all(each in ends for each in mine):
                    return {each: ends[each] for each in mine}
                await asyncio.sleep(0.1)

    async def journals(self, person: Person) -> list[Journal]:
        """Those of all that a person opened, in order."""
        ends = await self.ends(person)
        return [journal(end, self.gateway.recorded(session)) for session, end in ends.items()]


@dataclass
class BothWays(Whole):
    """With the server."""

    server: Server

    @property
    def direct(self) -> Way:
        root = self.folder / "server-root.pem"
        root.write_bytes(self.server.authority.certificate)
        return Way(self.server.port, LOGIN, PASSWORD, root)

    async def through(self, person: Person) -> Way:
        """The way of a person by a new token."""
        return Way(self.port, f"{LOGIN}@{TARGET}", await self.token(person), self.root())

    async def certified(self, person: Person) -> Way:
        """The way of a person by a certificate, whose key is as JDBC's driver wants it, made as the manual says."""
        private, public = new_key()
        now = wall_clock()
        made = self.gateway.platform.authorities.database_client(now).issue(
            public, person.sign_in, person.id, now, 8 * HOUR
        )
        assert isinstance(made, ClientCertificate)
        certificate = self.folder / f"{person.id}.crt"
        certificate.write_text(made.certificate)
        key = certificate.with_suffix(".key")
        key.write_text(private)
        options = ("-topk8", "-nocrypt", "-outform", "DER", "-in", str(key), "-out", str(key.with_suffix(".pk8")))
        assert (await self.run(self.direct, "openssl", "pkcs8", *options)).status == 0
        return replace(await self.through(person), password="", certificate=certificate)

    def fresh(self, setup: str = "", database: str = DATABASE) -> None:
        """An empty database in the place of the last one."""
        self.server.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self.server.sql(f"CREATE DATABASE {database} OWNER {LOGIN} TEMPLATE template0")
        if setup:
            self.server.sql(f"\\connect {database}\n{setup}")


def journal(end: SessionClosed | SessionFailed, frames: list[Frame]) -> Journal:
    """What a recording that is whole tells."""
    assert isinstance(end, SessionClosed), end
    assert (end.because, end.verified) == (SessionEnd.CLIENT_LEFT, True), end
    texts: dict[int, bytes] = {}
    for each in frames:
        if isinstance(each, StatementText):
            texts[each.statement] = texts.get(each.statement, b"") + each.text
    finishes = {each.execution: each for each in frames if isinstance(each, Finished)}
    runs = [each for each in frames if isinstance(each, Executed)]
    assert sorted(finishes) == [each.execution for each in runs] == list(range(1, len(runs) + 1))
    return [(texts[each.statement].decode(errors="replace"), each, finishes[each.execution]) for each in runs]


@asynccontextmanager
async def gateway_before(
    folder: Path, kind: ResourceKind, target_port: int, pin: str, limit: Sequence[str] = (), **more: str
) -> AsyncIterator[Whole]:
    """A gateway that has the secret of this target. `limit` is a command that becomes it, `more` are its settings."""
    port = free_port()
    with elsewhere(folder) as (gateway, admitted):
        sealed = gateway.platform.envelope.seal(Secret(PASSWORD.encode()), about(Kept("sec_1", 1), TARGET, LOGIN))
        await gateway.record(gateway.resource(TARGET, kind=kind, port=target_port, pins=(pin,), logins=(LOGIN,)))
        giver = await gateway.person(certificate=False)
        await gateway.record(SecretSet("sec_1", 1, TARGET, LOGIN, giver.id, b64encode(sealed).decode("ascii")))
        await gateway.record(SecretProven("sec_1", 1))
        settings = {f"{kind.value}_port": port, "egress": [*admitted, f"127.0.0.1/32:{target_port}"], **more}
        process = await asyncio.to_thread(started, folder, limit, **settings)
        try:
            yield Whole(gateway, process, port, folder)
        finally:
            await asyncio.to_thread(process.stop)


@asynccontextmanager
async def both_ways(folder: Path, programs: tuple[Path, ...] = ()) -> AsyncIterator[BothWays]:
    """Both, until what is within has ended. `programs` are the folders of another server than Debian's."""
    with running_server(programs=programs) as server:
        server.sql(f"CREATE ROLE {LOGIN} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
        async with gateway_before(folder, ResourceKind.POSTGRES, server.port, server.shown.pin) as found:
            both = BothWays(found.gateway, found.process, found.port, folder, server)
            both.fresh()
            yield both


async def _by_hand() -> None:
    with tempfile.TemporaryDirectory(prefix="both-") as folder:
        async with both_ways(Path(folder)) as both:
            ways: Mapping[str, Way] = {"direct": both.direct, "through": await both.through(await both.person())}
            for name, way in ways.items():
                exports = "".join(f"export {each}={shlex.quote(value)}\n" for each, value in way.environment.items())
                Path(sys.argv[1], f"{name}.sh").write_text(exports)
            Path(sys.argv[1], "pid").write_text(
                f"{os.getpid()} {both.process.popen.pid} {both.server.folder} {folder}\n"
            )
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_by_hand())
