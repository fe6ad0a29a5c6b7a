"""A company behind a real server: a ledger on disk, uvicorn on loopback, people with CLI tokens, recorded sessions.

    with running_office(folder) as office:
        eve = office.join("engineer")
        office.client(eve).get("/me")

The browser's part of `onepam login` stands at `/cli/authorize`: it hands out the code as the console does, for the
person that the query names.
"""

import asyncio
import secrets
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import asyncssh
import httpx2
import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from onepam.api.app import create_api
from onepam.api.services import ApiServices
from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.people.add_person import add_person
from onepam.app.ports import EntryProof, LedgerHealth
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.make_request import make_request
from onepam.blobs.document_folder import DocumentFolder
from onepam.domain.access.authority import Actor
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.policies.publishing import MOST_BYTES
from onepam.domain.requests.approval import Granted
from onepam.domain.requests.asking import Asked
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionClosed, SessionOpened
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, SignedIn, SignedOut, SignInKind
from onepam.egress.egress import Egress
from onepam.egress.ldap.client import Directory
from onepam.gateway.playback import Playback
from onepam.gateway.probes import Probes
from onepam.gateway.recorder import recording_path
from onepam.identity.cli_codes import issue_code
from onepam.identity.devices import Devices
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.recording import frames
from onepam.recording.seal import Sealer
from onepam.signing.author import NodeAuthor
from onepam.store.engine.entries import entries_of
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader
from onepam.vault.authorities import Authorities
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.company import RESOURCES, ROLES, binding, record, resource_set, role_set

T = TypeVar("T")

SCREEN = b"$ uname\r\nLinux\r\n\x1b]0;stolen title\x07\x1b[31mred\x1b[0m [bold]not markup[/bold]\r\n"


def now() -> Instant:
    """The system's clock, which certificates and browsers go by."""
    return Instant(time.time_ns() // 1000)


def new_key() -> str:
    """A public key that nobody has yet, as a line of OpenSSH."""
    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode("ascii").strip()


class Office:
    """The company and its server; everything that changes its ledger runs on the server's loop."""

    def __init__(
        self, folder: Path, loop: asyncio.AbstractEventLoop, port: int, directory: Directory | None = None
    ) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._loop = loop
        self._tokens: dict[str, str] = {}
        self._consoles: dict[str, str] = {}
        self._clis: dict[str, str] = {}
        envelope = Envelope(FileKeys.create(folder / "master.json", secrets.token_bytes), secrets.token_bytes)
        self.recordings = folder / "recordings"
        self.recordings.mkdir()
        self.ledger = SqliteLedger(folder / "ledger.db", NodeAuthor.uncertified("nod_office"), now, secrets.token_bytes)
        self.reader = SqliteReader(folder / "ledger.db", now)
        self.playback = Playback(self.recordings, lambda session: bytes(32))
        authorities = Authorities(folder / "authorities", envelope, secrets.token_bytes)
        self.services = ApiServices(
            ledger=self.ledger,
            reader=self.reader,
            envelope=envelope,
            authorities=authorities,
            playback=self.playback,
            documents=DocumentFolder(folder / "policies", MOST_BYTES, secrets.token_bytes),
            clock=now,
            wall=now,
            random=secrets.token_bytes,
            probes=Probes("nod_office", now, secrets.token_bytes),
            gateway_name="127.0.0.1",
            ssh_port=2022,
            host_key_line=authorities.host.known_hosts_line(["[127.0.0.1]:2022"]),
            console_url=self.url,
            ledger_health=self._health,
            entry_proof=self._proof,
            evidence_pack=self._pack,
            devices=Devices(secrets.token_bytes),
            directory=directory or Directory(Egress()),
            keep_days=0,
            postgres_port=5433,
            mysql_port=3307,
            database_root=lambda: authorities.database(now()).root,
        )

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Awaits work on the server's loop."""

        async def awaited() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(30)

    def record(self, *events: object) -> None:
        """Appends events as they are."""
        self.run(lambda: record(self.ledger, *events))

    def found(self) -> None:
        """The roles and resources, and a first person, who signs in."""
        self.founder = self._add(None, "founder", PersonKind.EMPLOYEE)
        self.record(
            *(role_set(role, *gives) for role, gives in ROLES.items()),
            *(resource_set(name, dict(labels), keys) for name, (labels, keys) in RESOURCES.items()),
            binding(self.founder, "administrator"),
        )
        self._sign_in(self.founder)

    def join(self, *roles: str, name: str = "Person", age: int = 0) -> str:
        """A new person with these roles, signed in to the console and the CLI by a factor shown `age` ago."""
        person = self._add(self.actor(self.founder), name, PersonKind.EMPLOYEE)
        self.record(*(binding(person, role) for role in roles))
        self._sign_in(person, age)
        return person

    def service(self, *roles: str) -> str:
        """A new service account of the founder's, with these roles."""
        person = self._add(self.actor(self.founder), "Deploy bot", PersonKind.SERVICE)
        self.record(*(binding(person, role) for role in roles))
        return person

    def actor(self, person: str) -> Actor:
        """The person in their console session."""
        return Actor(person, self._consoles[person], "127.0.0.1")

    def token(self, person: str) -> str:
        """The person's CLI token."""
        return self._tokens[person]

    def show_factor(self, person: str) -> None:
        """Somebody signs in anew: what they do next rests on a factor of just now, however long the tests took."""
        self._sign_in(person)

    def client(self, person: str | None) -> httpx2.Client:
        """A client with the person's token; None for nobody's."""
        headers = {"Authorization": f"Bearer {self._tokens[person]}"} if person else {}
        return httpx2.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=30)

    def enrolled(self, person: str) -> None:
        """Gives the person a factor."""
        self.record(FactorEnrolled(new_id("fac", secrets.token_bytes), person, FactorKind.TOTP, "1", None, None))

    def asked(self, person: str, login: str = "app", minutes: int = 60) -> Asked:
        """A request for web-1 that waits."""
        made = self.run(
            lambda: make_request(
                self.ledger,
                self.actor(person),
                new_id("req", secrets.token_bytes),
                "web-1",
                login,
                minutes * HOUR // 60,
                "restart [red]nginx[/red]",
                "OPS-7",
            )
        )
        assert isinstance(made, Asked), made
        return made

    def granted(self, person: str, approver: str) -> Granted:
        """A grant for web-1 that runs."""
        made = self.asked(person)
        grant = new_id("grt", secrets.token_bytes)
        found = self.run(
            lambda: approve_request(self.ledger, self.actor(approver), made.request, made.digest, grant, "")
        )
        assert isinstance(found, Granted), found
        return found

    def session(self, person: str, *, closed: bool = False) -> str:
        """A session on dev-1 with a recording on disk."""
        session = new_id("ses", secrets.token_bytes)
        console = self._consoles[person]
        knock = Knock(
            session, EntryPoint.SSH_CERTIFICATE, person, "dev-1", "app", "nod_office", "192.0.2.7", "SSH", console
        )
        opened = self.run(lambda: open_session(self.ledger, knock))
        assert isinstance(opened, Opened), opened
        head, counts = self._recorded(session, person, closed)
        if closed:
            end = SessionClosed(session, SessionEnd.CLIENT_LEFT, head[1], head[0], counts, verified=True)
            self.record(end)
        return session

    def database_session(self, person: str, *said: frames.Frame) -> str:
        """An ended session of a login token on dev-1, with a recording of these frames."""
        like, session = self.session(person), new_id("ses", secrets.token_bytes)
        stored = self.reader.now(lambda db, at: [each.event for each in entries_of(db, ("session.opened",))])
        [opened] = [each for each in stored if isinstance(each, SessionOpened) and each.session == like]
        self.record(replace(opened, session=session, entry=EntryPoint.POSTGRES_TOKEN))
        sealer = Sealer(session, bytes(32))
        sealer.append(frames.Opened(0, session, person, "dev-1", "app", "postgres", now()))
        for frame in said:
            sealer.append(frame)
        sealer.append(frames.Closed(9_000_000, "client.closed", sealer.counts))
        recording_path(self.recordings, session).write_bytes(sealer.header + sealer.seal()[0])
        head, counts = sealer.head, dict(sealer.counts)
        end = SessionClosed(session, SessionEnd.CLIENT_LEFT, head.digest.hex(), head.seq, counts, verified=True)
        self.record(end)
        return session

    def expire(self, person: str) -> None:
        """Ends the person's CLI session."""
        self.record(SignedOut(self._clis[person], person, "expired", None))

    def _recorded(self, session: str, person: str, closed: bool) -> tuple[tuple[int, str], dict[str, int]]:
        sealer = Sealer(session, bytes(32))
        for frame in (
            frames.Opened(0, session, person, "dev-1", "app", "ssh", now()),
            frames.ChannelOpened(10_000, 0, "pty", "", "xterm", 80, 24),
            frames.Output(20_000, 0, frames.Stream.STDOUT, SCREEN),
            frames.ChannelClosed(30_000, 0, 0),
            frames.ChannelOpened(40_000, 1, "exec", "id"),
            frames.Output(50_000, 1, frames.Stream.STDOUT, b"uid=0\n"),
            frames.ChannelClosed(60_000, 1, 0),
        ):
            sealer.append(frame)
        if closed:
            sealer.append(frames.Closed(70_000, "client.closed", sealer.counts))
        data, head = sealer.seal()
        recording_path(self.recordings, session).write_bytes(sealer.header + data)
        return (head.seq, head.digest.hex()), dict(sealer.counts)

    def _add(self, actor: Actor | None, name: str, kind: PersonKind) -> str:
        person = new_id("per", secrets.token_bytes)
        known = Attributes(f"{name.title()} Example", f"{person[4:]}@example.com")
        if kind is PersonKind.SERVICE:
            known = replace(known, email=None, owner=self.founder, ends=Instant(now() + 24 * HOUR))
        outcome = self.run(lambda: add_person(self.ledger, actor, person, kind, known, "hired"))
        assert outcome is None, outcome
        return person

    def _sign_in(self, person: str, age: int = 0) -> None:
        token, moment = new_token("opc", secrets.token_bytes), now()
        digest = token_digest(token).hex()
        self._tokens[person] = token.reveal().decode()
        self._consoles[person] = new_id("sgn", secrets.token_bytes)
        self._clis[person] = new_id("cli", secrets.token_bytes)
        console = SignedIn(
            session=self._consoles[person],
            person=person,
            kind=SignInKind.CONSOLE,
            proven=(FactorKind.PASSWORD, FactorKind.TOTP),
            mfa_at=Instant(moment - age),
            expires=Instant(moment + 10 * HOUR),
            parent=None,
            token_digest=token_digest(new_token("ops", secrets.token_bytes)).hex(),
            source="127.0.0.1",
            agent="test",
        )
        cli = replace(
            console,
            session=self._clis[person],
            kind=SignInKind.CLI,
            parent=console.session,
            token_digest=digest,
        )
        self.record(console, cli)

    async def _health(self) -> LedgerHealth:
        size = self.ledger.size()
        return LedgerHealth(size, now(), "office+00000000+AAAA", size, now(), "", 0, None, "tail", size, now(), (), "")

    async def _proof(self, index: int) -> EntryProof | None:
        return EntryProof(index, "{}", "{}", self.ledger.size(), ("00" * 32,), "note") if index < 3 else None

    async def _pack(self, actor: Actor, starts: Instant, ends: Instant) -> Path | Refused:
        pack = self.folder / f"{secrets.token_hex(8)}.zip"
        pack.write_bytes(b"PK" + bytes(200_000))
        return pack

    def browser(self) -> FastAPI:
        """The web side: the API, and what the console does for `onepam login`."""
        web = FastAPI()

        @web.get("/cli/authorize")
        async def authorize(
            person: str, code_challenge: str, redirect_uri: str, state: str, client: str, decision: str = "allow"
        ) -> Response:
            if decision != "allow":
                return RedirectResponse(f"{redirect_uri}?{urlencode({'error': 'access_denied', 'state': state})}", 303)
            code = issue_code(
                self.services.envelope,
                person,
                self._consoles[person],
                code_challenge,
                redirect_uri,
                now(),
                secrets.token_bytes,
            )
            if isinstance(code, Refused):
                return PlainTextResponse(code.message, 400)
            return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}", 303)

        web.mount("/api/v1", create_api(self.services))
        return web


@contextmanager
def running_office(folder: Path, directory: Directory | None = None) -> Iterator[Office]:
    """The office from its founding to the end of its server."""
    folder.mkdir(parents=True, exist_ok=True)
    listener = socket.create_server(("127.0.0.1", 0))
    started, made = threading.Event(), list[tuple[Office, uvicorn.Server]]()

    async def serve() -> None:
        office = Office(folder, asyncio.get_running_loop(), listener.getsockname()[1], directory)
        server = uvicorn.Server(uvicorn.Config(office.browser(), log_level="warning", lifespan="off"))
        made.append((office, server))
        started.set()
        await server.serve([listener])
        office.ledger.close()
        office.reader.close()
        office.playback.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(30)
    office, server = made[0]
    try:
        office.found()
        yield office
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
