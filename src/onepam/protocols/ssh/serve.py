"""SSH's way in: a key or a certificate that is proven, the one door, then the relay.

Everything is decided before the client is told that it is authenticated, so no channel exists without a permit. What
there is to say (the address to confirm at, why not and what to do) goes to the terminal as the banner of RFC 4252,
section 5.4, which ssh, scp, sftp, rsync and whatever runs them all show.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import asyncssh
from asyncssh.packet import String
from asyncssh.public_key import decode_ssh_certificate

from onepam.app.close_session import close_session, fail_session
from onepam.app.confirm import ask_confirmation
from onepam.app.open_session import Challenge, Knock, Opened, open_session
from onepam.app.ports import Ledger
from onepam.domain.access import Action
from onepam.domain.confirmation import LIFETIME, Ask
from onepam.domain.sessions import EntryPoint, SessionClosed, SessionFailed
from onepam.gateway.egress import Egress
from onepam.gateway.live import Live, LiveSession
from onepam.gateway.recorder import Recorder, RecorderFailed
from onepam.gateway.sealing import Sealing
from onepam.identity.ssh_keys import fingerprint
from onepam.identity.tokens import code_digest, confirmation_code
from onepam.kernel.clock import SECOND, Clock
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.ids import RandomBytes, new_id
from onepam.protocols.ssh.connections import PersonConnection, TargetConnection
from onepam.protocols.ssh.dial import dial
from onepam.protocols.ssh.door import Door
from onepam.protocols.ssh.relay import Relay
from onepam.protocols.ssh.tap import Kind
from onepam.recording.frames import Opened as RecordingOpened
from onepam.vault.authorities import Authorities, target_principal
from onepam.vault.envelope import Envelope
from onepam.vault.files import create_private
from onepam.vault.person_certificates import Claims, judge

log = logging.getLogger(__name__)

DIAL_SECONDS = 10.0
QUOTA_BYTES = 4 * 1024**3
MAX_CLIENT_CHARACTERS = 100
_USER = re.compile(r"([A-Za-z_][A-Za-z0-9._-]{0,31})@([a-z0-9][a-z0-9-]{0,62})")
_KINDS: dict[Action, Kind] = {Action.SHELL: "pty", Action.EXEC: "exec", Action.SFTP: "sftp"}


@dataclass(frozen=True, slots=True)
class SshGateway:
    """What the SSH listener needs. `find_key` gives the person of a registered key by its fingerprint."""

    node: str
    ledger: Ledger
    live: Live
    sealing: Sealing
    egress: Egress
    authorities: Authorities
    envelope: Envelope
    find_key: Callable[[str], Awaitable[str | None]]
    recordings: Path
    source_addresses: tuple[str, ...]
    console_url: str
    clock: Clock
    random: RandomBytes
    pool: Executor
    running: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Proven:
    """Who is behind a key or certificate whose signature has been checked; `sign_in` is None for a bare key."""

    person: str
    sign_in: str | None


class PersonDoor(Door):
    """One person's connection from its first byte to the session's record."""

    def __init__(self, gateway: SshGateway) -> None:
        self._gateway = gateway
        self._asked: tuple[str, str] | None = None
        self._over = False
        self._why = "client.closed"
        self._live: LiveSession | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Every proof passes through `_prove`: asyncssh checks the signature, we say whose key it is."""
        self._conn = cast(PersonConnection, conn)
        peer = conn.get_extra_info("peername")
        self._source = str(peer[0]) if peer else ""
        self._checked = conn.validate_public_key
        conn.validate_public_key = self._prove  # type: ignore[method-assign]

    def begin_auth(self, username: str) -> bool:
        found = _USER.fullmatch(username)
        self._asked = (found[1], found[2]) if found else None
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """`_prove` has looked the key up already; asyncssh goes on to check the signature."""
        return True

    async def _prove(self, username: str, key_data: bytes, msg: bytes, signature: bytes) -> bool:
        """RFC 4252, section 7: first the key is offered, then it signs; only the signature proves anything."""
        if self._over:
            return False
        try:
            who = await self._who(key_data)
            if who is None or not await self._signed(username, key_data, msg, signature):
                return False
            return not msg or await self._enter(who)
        except Fault as fault:
            log.error("a sign-in from %s failed: %s", self._source, fault)
            return self._no(Refused("gateway.unavailable", "The gateway cannot open sessions now.", "Try again soon."))

    async def _signed(self, username: str, key_data: bytes, msg: bytes, signature: bytes) -> bool:
        """Whether the client holds the private key. asyncssh would compare a certificate's principal with the login
        name; ours names a person, and `judge` has looked at it."""
        if not _is_certificate(key_data):
            return await self._checked(username, key_data, msg, signature)
        key = decode_ssh_certificate(key_data).key
        return not msg or bool(key.verify(String(self._conn._session_id) + msg, signature))

    async def _who(self, key_data: bytes) -> _Proven | None:
        if _is_certificate(key_data):
            authority = self._gateway.authorities.person.public_blob
            claims = judge(key_data, authority, self._gateway.clock(), self._source)
            if isinstance(claims, Claims):
                return _Proven(claims.person_id, claims.session_id)
            self._conn.send_auth_banner(_words(claims))
            return None
        person = await self._gateway.find_key(fingerprint(key_data))
        return _Proven(person, None) if person is not None else None

    async def _enter(self, who: _Proven) -> bool:
        """From a proven person to a permit and the beginning of its session; False has been explained."""
        if self._asked is None:
            return self._no(Refused("ssh.user", "Say where to: ssh LOGIN@TARGET@GATEWAY", ""))
        gateway, (login, target) = self._gateway, self._asked
        session = new_id("ses", gateway.random)
        self._live = gateway.live.register(session, who.person, target, self._end)
        try:
            opened = await self._open(who, session, login, target)
            if isinstance(opened, Refused):
                return self._no(opened)
            gateway.live.opened(self._live, opened)
            begun = await self._begin(opened)
        except BaseException:
            gateway.live.unregister(session)
            raise
        return begun or self._no(Refused("recorder.failed", "This session cannot be recorded, so it is not opened."))

    async def _open(self, who: _Proven, session: str, login: str, target: str) -> Opened | Refused:
        entry = EntryPoint.SSH_KEY_CONFIRMED if who.sign_in is None else EntryPoint.SSH_CERTIFICATE
        client = str(self._conn.get_extra_info("client_version") or "")[:MAX_CLIENT_CHARACTERS]
        knock = Knock(session, entry, who.person, target, login, self._gateway.node, self._source, client, who.sign_in)
        answer = await open_session(self._gateway.ledger, knock)
        if not isinstance(answer, Challenge):
            return answer
        confirmation = await self._confirmed(who.person, login, target)
        if isinstance(confirmation, Refused):
            return confirmation
        again = Knock(
            session, entry, who.person, target, login, self._gateway.node, self._source, client, None, confirmation
        )
        answer = await open_session(self._gateway.ledger, again)
        return Refused("confirmation.missing", "This was not confirmed.") if isinstance(answer, Challenge) else answer

    async def _confirmed(self, person: str, login: str, target: str) -> str | Refused:
        """The id of the confirmation that this terminal's person gave in the browser."""
        gateway = self._gateway
        confirmation, code = new_id("cnf", gateway.random), confirmation_code(gateway.random)
        digest = code_digest(code)
        assert digest is not None  # our own code is well-formed
        waiting = asyncio.ensure_future(gateway.live.confirmation(confirmation, LIFETIME / SECOND))
        try:
            expires = await ask_confirmation(
                gateway.ledger, Ask(confirmation, person, target, login, self._source, digest.hex())
            )
            if isinstance(expires, Refused):
                return expires
            self._conn.send_auth_banner(
                f"\r\nConfirm {login}@{target} in your browser within 2 minutes:\r\n\r\n"
                f"    {gateway.console_url}/confirm/{confirmation}\r\n\r\n"
                f"and type this code there:   {code}\r\n\r\n"
            )
            refused = await waiting
            return refused if refused is not None else confirmation
        finally:
            waiting.cancel()

    async def _begin(self, opened: Opened) -> bool:
        """Recorder first, then the dial and the relay; False when it cannot be recorded."""
        gateway = self._gateway
        key, wrapped = gateway.envelope.new_data_key(f"recording/{opened.session}".encode("ascii"))
        create_private(gateway.recordings / f"{opened.session}.key", wrapped, gateway.random)
        began = RecordingOpened(0, opened.session, opened.person, opened.resource, opened.login, "ssh", opened.opened)
        try:
            recorder = await Recorder.start(
                gateway.recordings,
                opened.session,
                key.reveal(),
                began,
                strict=opened.privileged,
                quota_bytes=QUOTA_BYTES,
                pool=gateway.pool,
                on_head=lambda head: gateway.sealing.moved(opened.session, head.seq, head.digest.hex()),
                on_failure=lambda failure: self._end("recorder.failed"),
            )
        except RecorderFailed as failure:
            log.error("session %s cannot be recorded: %s", opened.session, failure)
            await fail_session(gateway.ledger, SessionFailed(opened.session, "recorder.failed", detail=str(failure)))
            gateway.live.unregister(opened.session)
            return False
        target = asyncio.get_running_loop().create_task(self._dial(opened))
        kinds = frozenset(_KINDS[action] for action in opened.actions)
        self.relay = Relay(self._conn, target, recorder, kinds)
        task = asyncio.get_running_loop().create_task(self._conclude(opened, self.relay, recorder))
        gateway.running.add(task)
        task.add_done_callback(gateway.running.discard)
        return True

    async def _dial(self, opened: Opened) -> TargetConnection | Refused:
        gateway = self._gateway
        address = await gateway.egress.resolve(opened.address, opened.port)
        if isinstance(address, Refused):
            return address
        certified = gateway.authorities.target.issue(
            opened.session,
            [target_principal(opened.login, opened.resource)],
            gateway.source_addresses,
            gateway.clock(),
            pty=Action.SHELL in opened.actions,
        )
        pins = [asyncssh.import_public_key(each) for each in opened.host_keys]
        return await dial(address, opened.port, opened.login, certified.key, certified.certificate, pins, DIAL_SECONDS)

    async def _conclude(self, opened: Opened, relay: Relay, recorder: Recorder) -> None:
        """Waits for the end of the connection and writes the session's last word."""
        gateway = self._gateway
        await self._conn.wait_closed()
        await relay.close()
        dialled = relay.target.result() if relay.target.done() and not relay.target.cancelled() else None
        because = dialled.code if isinstance(dialled, Refused) else self._why
        recorded = await recorder.close(because)
        gateway.live.unregister(opened.session)
        gateway.sealing.closed(opened.session)
        closed = SessionClosed(
            session=opened.session,
            because=because,
            head=recorded.head.digest.hex(),
            chunks=recorded.head.seq,
            counts=dict(recorded.counts),
            verified=recorded.verified,
            gap=recorded.problem or None,
        )
        await close_session(gateway.ledger, closed)

    def _end(self, because: str) -> None:
        """Called by `Live` and the recorder: the session is over now."""
        self._why, self._over = because, True
        if self.relay is not None:
            self.relay.abort()
        else:
            self._conn.abort()

    def _no(self, refused: Refused) -> bool:
        """Says why, and admits no further key on this connection."""
        self._over = True
        if self._live is not None:
            self._gateway.live.unregister(self._live.session)
        self._conn.send_auth_banner(_words(refused, self._gateway.console_url))
        return False


def _is_certificate(key_data: bytes) -> bool:
    return b"-cert-v01@openssh.com" in key_data[:64]


def _words(refused: Refused, console_url: str = "") -> str:
    hint = f"{console_url}{refused.hint}" if refused.hint.startswith("/") else refused.hint
    return f"\r\nOnePAM: {refused.message}\r\n" + (f"        {hint}\r\n" if hint else "") + "\r\n"
