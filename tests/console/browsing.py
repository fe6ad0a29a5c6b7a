"""Browsers of the small company's people on the real console: cookies, tokens and redirects as a browser has them."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette

from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.ports import EntryProof, LedgerHealth, Snapshot
from onepam.app.providers.count_refusals import ProviderRefusals
from onepam.app.sessions.close_session import close_session
from onepam.blobs.document_folder import DocumentFolder
from onepam.console.app import create_console
from onepam.console.frame.packs import Packs, Progress
from onepam.console.frame.services import ConsoleServices
from onepam.console.frame.visit import CSRF_COOKIE, SESSION_COOKIE, csrf_token
from onepam.domain.access.authority import Actor
from onepam.domain.policies.publishing import MOST_BYTES
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionClosed, SessionOpened
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.egress.egress import Admitted, Egress
from onepam.egress.fetch import Fetch
from onepam.gateway.playback import Playback
from onepam.gateway.probes import Probes
from onepam.gateway.recorder import recording_path
from onepam.identity.devices import Devices
from onepam.identity.oidc.relying_party import RelyingParty as OpenIdParty
from onepam.identity.passkeys import RelyingParty
from onepam.identity.providers import Providers
from onepam.identity.recovery import StoredCodes, new_codes
from onepam.identity.saml.reading import MetadataReader
from onepam.identity.signals.receiver import Receiver
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import DAY, HOUR, Instant, iso
from onepam.kernel.errors import Refused, Unavailable
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.merkle import Frontier
from onepam.ledger.note import ED25519, VerifierKey
from onepam.recording import frames
from onepam.recording.seal import Sealer
from onepam.store.db import rows
from onepam.store.engine.entries import entries
from onepam.store.read.console import entry, newest
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.company import Company, record

ORIGIN = "http://localhost"
ADDRESS = "192.0.2.1"
KEY = bytes(range(32))
_SIGNER = Ed25519PrivateKey.from_private_bytes(KEY)
LOG_KEY = VerifierKey("onepam.example.org/log", ED25519, _SIGNER.public_key().public_bytes_raw())

_CLIENTS: Any = {
    "ssh_words": lambda login, target: f"ssh -p 2222 {login}@{target}@gate.example.org",
    "scp_words": lambda login, target: f"scp -P 2222 FILE {login}@{target}@gate.example.org:",
    "postgres": ("gate.example.org", 5433),
    "mysql": ("gate.example.org", 3307),
    "database_root": lambda: b"a root",
}


@cache
def recovery_codes() -> tuple[Secret, StoredCodes]:
    """One of ten codes, and what is stored of all. Made when somebody asks: that is slow, and each worker that collects
    would wait for it."""
    shown, stored = new_codes(secrets.token_bytes)
    return shown[0], stored


@dataclass
class Office:
    """The company, its console with what it stands on, and the folder of its recordings."""

    company: Company
    app: Starlette
    recordings: Path
    services: ConsoleServices

    def browser(self, token: str = "") -> "Browser":
        """A browser; with a token somebody is signed in."""
        return Browser(self.app, token)

    async def sign_in(self, person: str, lasts: int = 12 * HOUR) -> "Browser":
        """The person's browser after signing in with a password and a TOTP now."""
        token, now = new_token("opc", secrets.token_bytes), self.company.clock()
        await record(
            self.company.ledger,
            SignedIn(
                session=f"sgn_{person}",
                person=person,
                kind=SignInKind.CONSOLE,
                proven=(FactorKind.PASSWORD, FactorKind.TOTP),
                mfa_at=now,
                expires=Instant(now + lasts),
                parent=None,
                token_digest=token_digest(token).hex(),
                source=ADDRESS,
                agent="test",
            ),
        )
        return self.browser(token.reveal().decode("ascii"))

    async def session(self, person: str, resource: str, login: str, *, close: bool = True) -> str:
        """A gateway session with a recording of `echo hello` and an uploaded file."""
        ident = new_id("ses", secrets.token_bytes)
        knock = Knock(
            session=ident,
            entry=EntryPoint.SSH_CERTIFICATE,
            person=person,
            target=resource,
            login=login,
            node="node-1",
            source=ADDRESS,
            client="OpenSSH_9.2",
            sign_in=f"sgn_{person}",
        )
        opened = await open_session(self.company.ledger, knock)
        assert isinstance(opened, Opened), opened
        sealer = Sealer(ident, KEY)
        said: tuple[frames.Frame, ...] = (
            frames.Opened(0, ident, person, resource, login, "ssh", self.company.clock.now),
            frames.ChannelOpened(100_000, 0, "pty", "", "xterm", 100, 30),
            frames.Output(200_000, 0, frames.Stream.STDOUT, b"$ echo hello\r\nhello\r\n"),
            frames.ChannelClosed(900_000, 0, 0),
            frames.ChannelOpened(1_000_000, 1, "sftp"),
            frames.FileOperation(1_050_000, 1, 1, "open", "/tmp/\u202eevil", "asked", detail="write create"),
            frames.FileOperation(1_100_000, 1, 1, "write", "/tmp/\u202eevil", "ok", size=5, sha256="a" * 64),
            frames.ChannelClosed(1_200_000, 1, 0),
        )
        for frame in said:
            sealer.append(frame)
        if close:
            sealer.append(frames.Closed(1_300_000, "client.closed", sealer.counts))
        sealed = sealer.header + sealer.seal()[0]
        recording_path(self.recordings, ident).write_bytes(sealed)
        if close:
            head, counts = sealer.head, sealer.counts
            closed = SessionClosed(ident, SessionEnd.CLIENT_LEFT, head.digest.hex(), head.seq, dict(counts), True)
            assert await close_session(self.company.ledger, closed) is None
        return ident

    async def database_session(self, person: str, *said: frames.Frame) -> str:
        """An ended session of a login token on the database dev-1, with a recording of these frames."""
        like, ident = await self.session(person, "dev-1", "app"), new_id("ses", secrets.token_bytes)
        stored = await self.company.reader(lambda db, at: list(entries(db, 0, 1 << 30)), None)
        [opened] = [
            each.event for each in stored if isinstance(each.event, SessionOpened) and each.event.session == like
        ]
        await record(self.company.ledger, replace(opened, session=ident, entry=EntryPoint.POSTGRES_TOKEN))
        sealer = Sealer(ident, KEY)
        sealer.append(frames.Opened(0, ident, person, "dev-1", "app", "postgres", self.company.clock.now))
        for frame in said:
            sealer.append(frame)
        sealer.append(frames.Closed(9_000_000, "client.closed", sealer.counts))
        recording_path(self.recordings, ident).write_bytes(sealer.header + sealer.seal()[0])
        head, counts = sealer.head, dict(sealer.counts)
        closed = SessionClosed(ident, SessionEnd.CLIENT_LEFT, head.digest.hex(), head.seq, counts, True)
        assert await close_session(self.company.ledger, closed) is None
        return ident


class Browser:
    """One browser; `get` and `post` do not follow redirects, `read` does."""

    def __init__(self, app: Starlette, token: str = "") -> None:
        self.token = token
        self._client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app, client=(ADDRESS, 40_000)), base_url=ORIGIN
        )
        if token:
            self._client.cookies.set(SESSION_COOKIE, token, domain="localhost.local", path="/")

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self._client.get(path, headers=headers)

    async def read(self, path: str) -> str:
        """The text of a page that is there."""
        answer = await self._client.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[-2000:])
        return answer.text

    async def post(self, path: str, *, origin: str = ORIGIN, csrf: str | None = None, **form: str) -> httpx2.Response:
        """A form of ours, with the browser's token unless another is given."""
        token = csrf if csrf is not None else await self._token()
        return await self._client.post(path, data={**form, "csrf": token}, headers={"Origin": origin})

    async def upload(self, path: str, file: bytes, **form: str) -> httpx2.Response:
        """A form of ours with a file."""
        data = {**form, "csrf": await self._token()}
        files = {"file": ("file.csv", file, "text/csv")}
        return await self._client.post(path, data=data, files=files, headers={"Origin": ORIGIN})

    async def _token(self) -> str:
        if CSRF_COOKIE not in self._client.cookies:
            await self._client.get("/sign-in")
        return csrf_token(self._client.cookies[CSRF_COOKIE], self._client.cookies.get(SESSION_COOKIE) or "")

    async def done(self, path: str, **form: str) -> str:
        """Posts, follows, and gives the page that follows; the action must have been done."""
        answer = await self.post(path, **form)
        assert answer.status_code == 303, (path, answer.status_code, answer.text[-2000:])
        page = await self.read(answer.headers["Location"])
        assert "alert-danger" not in page, page[page.index("alert-danger") :][:600]
        return page

    async def approves(self, item: str, **form: str) -> str:
        """Says yes to what waits, and gives the page that follows."""
        return await self.done(f"/approvals/{item}", decision="approve", **form)

    async def refused(self, path: str, **form: str) -> str:
        """Posts what must be refused, by a flash or by a page; gives that page."""
        answer = await self.post(path, **form)
        if answer.status_code in (403, 404, 409, 422):
            return answer.text
        assert answer.status_code == 303, (path, answer.status_code)
        page = await self.read(answer.headers["Location"])
        assert "alert-danger" in page
        return page

    async def close(self) -> None:
        await self._client.aclose()


@asynccontextmanager
async def opened(
    folder: Path, admitted: tuple[Admitted, ...] = (), company: Company | None = None
) -> AsyncIterator[Office]:
    """The company on its first morning (unless another is given), with its console; the ledger is signed and witnessed
    up to its head.

    `admitted` are addresses of providers that the gateway may ask although they are on this machine.
    """
    company = company or await Company.create(folder)
    (recordings := folder / "recordings").mkdir()
    playback = Playback(recordings, lambda session: KEY)
    published: list[bytes] = []

    async def proof(index: int) -> EntryProof | Refused:
        found = await company.reader(entry, None, index)
        if found is None:
            return Refused("ledger.unpublished", "This entry is not in a checkpoint yet.")
        return EntryProof(index, found.header.encode().decode(), found.body.decode(), index + 1, (), "note")

    async def draw(actor: Actor, starts: Instant, ends: Instant, progress: Progress) -> Path | Refused:
        progress("reports", 1, 2)
        if starts < ends - 300 * DAY:
            raise Unavailable("no checkpoint covers the period")
        (folder / "drawn.zip").write_bytes(f"{actor.person} {iso(starts)} {iso(ends)}".encode())
        return folder / "drawn.zip"

    envelope = Envelope(FileKeys.create(folder / "master.keys", secrets.token_bytes), secrets.token_bytes)
    fetch = Fetch(Egress(admitted))
    services = ConsoleServices(
        ledger=company.ledger,
        refusals=ProviderRefusals(company.ledger),
        metadata=MetadataReader(fetch),
        packs=Packs(draw, company.clock),
        devices=Devices(secrets.token_bytes),
        reader=company.reader,
        envelope=envelope,
        playback=playback,
        documents=DocumentFolder(folder / "policies", MOST_BYTES, secrets.token_bytes),
        party=RelyingParty("localhost", "OnePAM", (ORIGIN,)),
        origin=ORIGIN,
        company="Example",
        **_CLIENTS,
        health=lambda: _health(company, published),
        proof=proof,
        checkpoint=lambda: _checkpoint(company, published),
        clock=company.clock,
        wall=company.clock,
        random=secrets.token_bytes,
        probes=Probes("node-1", company.clock, secrets.token_bytes),
        fetch=fetch,
        openid=OpenIdParty(fetch),
        providers=Providers(ORIGIN, envelope),
        signals=Receiver(company.ledger, fetch, envelope),
    )
    try:
        yield Office(company, create_console(services), recordings, services)
    finally:
        await fetch.aclose()
        playback.close()
        company.close()


async def _checkpoint(company: Company, published: list[bytes]) -> tuple[Checkpoint, bytes] | None:
    """The head, signed; None while the office has published nothing, as before the first look at its health."""
    if not published:
        return None
    size = (await _health(company, published)).size
    tree = Frontier()
    tree.extend(published)
    found = Checkpoint(LOG_KEY.name, size, tree.root())
    return found, sign_checkpoint(found, LOG_KEY, _SIGNER.sign)


async def _health(company: Company, published: list[bytes]) -> LedgerHealth:
    """Signed and witnessed up to the head. As a publisher does, `published` grows and forgets nothing."""
    published += [each.leaf for each in await company.reader(lambda db, at: entries(db, len(published), 1 << 53))]
    last = await company.reader(newest)
    assert last is not None
    header = last.header
    size = header.index + 1
    return LedgerHealth(
        size=size,
        head_at=header.time,
        log_key=LOG_KEY.encode(),
        checkpoint_size=size,
        checkpoint_at=header.time,
        witness="witness.example.org",
        witnessed_size=size,
        witnessed_at=header.time,
        verified_kind="tail",
        verified_size=size,
        verified_at=header.time,
        findings=(),
        trouble="",
        includes=lambda index, leaf: published[index] == leaf,
    )


def count(db: Snapshot, at: Instant, kind: str) -> int:
    """How many entries of a kind there are."""
    return int(rows(db, "SELECT count(*) FROM entry WHERE kind = ?", (kind,))[0][0])
