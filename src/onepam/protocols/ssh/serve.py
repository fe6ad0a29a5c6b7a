"""SSH's way in: a key or a certificate that is proven, the one door, then the session.

Everything is decided before the client is told that it is authenticated, so no channel exists without a permit. What
there is to say (the address to confirm at, why not and what to do) goes to the terminal as the banner of RFC 4252,
section 5.4, which ssh, scp, sftp, rsync and whatever runs them all show.
"""

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from hmac import compare_digest
from typing import Any, NoReturn, cast

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED
from asyncssh.packet import String
from asyncssh.public_key import decode_ssh_certificate

from onepam.domain.access.decision import AccessFacts, unknown
from onepam.domain.access.model import ResourceKind
from onepam.domain.matrix.fields import LOGIN
from onepam.domain.sessions.events import EntryPoint
from onepam.gateway.crowd import written
from onepam.gateway.entering import Admission, Proven, refusal_words
from onepam.gateway.probes import of_this_machine
from onepam.identity.ssh_keys import fingerprint
from onepam.kernel.errors import Fault, Refused
from onepam.protocols.ssh.algorithms import is_certificate, signs_strongly
from onepam.protocols.ssh.connections import PersonConnection, TargetConnection
from onepam.protocols.ssh.door import Door
from onepam.protocols.ssh.jump import Jump
from onepam.protocols.ssh.probe import MOST_CHANNELS, PROBER, ProbeSession
from onepam.protocols.ssh.relay import Relay
from onepam.protocols.ssh.session import SshGateway, SshLegs, proven_by
from onepam.store.read.proofs_of_sign_in import KeyHolder
from onepam.vault.person_certificates import Claims, judge, person_of

log = logging.getLogger(__name__)

MAX_OFFERS = 20
"""Keys that one connection may offer."""

_USER = re.compile(rf"(?=.{{1,128}}\Z)({LOGIN.pattern})@([A-Za-z][A-Za-z0-9._-]{{0,62}})", re.ASCII)
"""LOGIN@TARGET. The last `@` parts them, as no target's name has one; of the target's case nothing depends."""

_THROUGH = re.compile(r"[^@]{0,128}")
"""A user name that names no target: ssh sends the one on its own machine where nobody gave another."""

_NO_TARGET = Refused("ssh.user", "Say where to: ssh LOGIN@TARGET@GATEWAY", "/")
_NO_LOGIN = Refused("ssh.user", "Say as whom and where to: ssh -J GATEWAY LOGIN@TARGET", "/")

_NOT_OURS = ("certificate.malformed", "certificate.foreign_ca")
_UNKNOWN = Refused(
    "key.unknown",
    "No key that you offered is known here.",
    "Register one under My factors in the console, or run: onepam login",
)

_WEAK = Refused(
    "key.weak",
    "Your client signs with SHA-1, or with an RSA key under 2048 bits. Neither is accepted here.",
    "Update the client, or use an Ed25519 key: ssh-keygen -t ed25519",
)


class PersonDoor(Door):
    """One person's connection from its first byte to its permit."""

    def __init__(self, gateway: SshGateway) -> None:
        self._gateway = gateway
        self._user = ""
        self._asked: tuple[str, str] | None = None
        self._offers = 0
        self._over = False
        self._jump: Jump | None = None
        """What goes through a connection that names no target."""
        self._through: Proven | None = None
        self._key_data = b""
        self._told_nowhere = False
        self._probing = 0
        """How many channels the prober may still open; none is anybody else's."""
        self._explained = False

    # What asyncssh calls ---------------------------------------------------------------------------------------------

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Every proof passes through `_prove`: asyncssh checks the signature, we say whose key it is."""
        self._conn = cast(PersonConnection, conn)
        peer = conn.get_extra_info("peername")
        self._source = written(str(peer[0])) if peer else ""
        self._checked = conn.validate_public_key
        conn.validate_public_key = self._prove  # type: ignore[method-assign]

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True
        if self._jump is not None:
            self._jump.end()

    def begin_auth(self, username: str) -> bool:
        self._user = username
        found = _USER.fullmatch(username)
        self._asked = (found[1], found[2].lower()) if found else None
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """`_prove` has looked the key up already; asyncssh goes on to check the signature."""
        return True

    def kbdint_auth_supported(self) -> bool:
        """Admits nobody: it is the method that clients try when no key was taken, and so where that can be said."""
        return not self._over

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> bool:
        return not self._explained and self._no(_UNKNOWN)

    # The proof -------------------------------------------------------------------------------------------------------

    async def _prove(self, username: str, key_data: bytes, msg: bytes, signature: bytes) -> bool:
        """RFC 4252, section 7: first the key is offered, then it signs; only the signature proves anything."""
        self._offers += not msg
        if self._over or self._offers > MAX_OFFERS:
            return False
        if username == PROBER:
            return await self._prove_prober(username, key_data, msg, signature)
        try:
            who = await self._who(key_data)
            if who is not None and msg and not signs_strongly(key_data, signature):
                return self._not_this(_WEAK)
            if who is None or not await self._signed(username, key_data, msg, signature):
                return False
            return not msg or await self._enter(who, key_data)
        except Fault as fault:
            log.error("a sign-in from %s failed: %s", self._source, fault)
            return self._no(Refused("gateway.unavailable", "The gateway cannot open sessions now.", "Try again soon."))

    async def _prove_prober(self, username: str, key_data: bytes, msg: bytes, signature: bytes) -> bool:
        """This process's own key, from this machine. It gets no permit; see `ProbeSession`."""
        own = self._conn.get_extra_info("sockname")
        known = compare_digest(key_data, self._gateway.prober) and of_this_machine(self._source, str(own[0]))
        if not known or not await self._checked(username, key_data, msg, signature):
            return False
        if msg:
            self._probing = MOST_CHANNELS
        return True

    def session_requested(self) -> Any:
        """A channel of the permitted session, or the prober's."""
        if self.relay is None and self._probing:
            self._probing -= 1
            return ProbeSession(self._gateway, self._conn)
        if self._jump is not None:
            return self._nowhere()
        return super().session_requested()

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> Any:
        """A connection to a target that goes through this one; else what the permitted session says."""
        if self._jump is not None:
            return self._jump.opened(dest_host, dest_port)
        return super().connection_requested(dest_host, dest_port, orig_host, orig_port)

    async def _signed(self, username: str, key_data: bytes, msg: bytes, signature: bytes) -> bool:
        """Whether the client holds the private key. asyncssh would compare a certificate's principal with the login
        name; ours names a person, and `judge` has looked at it."""
        if not is_certificate(key_data):
            return await self._checked(username, key_data, msg, signature)
        if not msg:
            return True
        with suppress(asyncssh.KeyImportError):
            key = decode_ssh_certificate(key_data).key
            return bool(key.verify(String(self._conn._session_id) + msg, signature))
        return False

    async def _who(self, key_data: bytes) -> Claims | KeyHolder | Refused | None:
        """A certificate's claims, whose registered key it is, what is wrong with a certificate of ours, or None."""
        if not is_certificate(key_data):
            return await self._gateway.find_key(fingerprint(key_data))
        claims = judge(key_data, self._gateway.authorities.person.public_blob, self._gateway.wall(), self._source)
        if isinstance(claims, Refused) and claims.code in _NOT_OURS:
            log.warning("a certificate from %s is refused: %s", self._source, claims.code)
            self._say(refusal_words(claims))
            return None
        return claims

    # The one door ----------------------------------------------------------------------------------------------------

    async def _enter(self, who: Claims | KeyHolder | Refused, key_data: bytes) -> bool:
        """From proof to permit and the beginning of the session; False has been explained. Who names no target may go
        through to one."""
        admission = self._admission(self._conn, self._say)
        if isinstance(who, Refused):
            # Another key of this client may still serve: that of the certificate by itself, if it is registered.
            await admission.refuse(EntryPoint.SSH_CERTIFICATE, person_of(key_data), self._user, who)
            return self._not_this(who)
        proven = _proven(who)
        if self._asked is None and _THROUGH.fullmatch(self._user):
            self._conn.place.vouch()
            self._conn.keeps_its_place = True
            self._through, self._key_data = proven, key_data
            self._jump = Jump(self._conn, self._known, self._gateway.target_keys, self._enter_through)
            return True
        if self._asked is None:
            await admission.refuse(proven.entry, proven.person, self._user, _NO_TARGET)
            return self._no(_NO_TARGET)
        answer = await admission.enter(proven, *self._asked)
        if isinstance(answer, Relay):
            self.relay = answer
            return True
        if answer.code == "mfa.phishing_resistant" and proven.entry is EntryPoint.SSH_KEY_CONFIRMED:
            # No registered key opens this, whatever its person confirms; a certificate of the same client may.
            return self._not_this(answer)
        return self._no(answer)

    def _admission(self, client: PersonConnection, say: Callable[[str], None]) -> "Admission[TargetConnection, Relay]":
        said = str(client.get_extra_info("client_version") or "")
        legs = SshLegs(self._gateway, client)
        return Admission(self._gateway.shared, legs, client.place, self._source, said, say)

    # Through to a target ----------------------------------------------------------------------------------------------

    async def _known(self, target: str) -> Refused | None:
        """Why a target's name is refused to whoever is here."""
        who = await self._still()
        if isinstance(who, Refused):
            refused: Refused | None = who
        else:
            (facts,) = await self._gateway.access([(who.person, target)])
            refused = unknown(facts, self._gateway.shared.clock()) or _speaks_ssh(facts)
        if refused is not None:
            await self._refused(target, refused)
        return refused

    async def _enter_through(
        self, inner: PersonConnection, login: str, target: str, say: Callable[[str], None]
    ) -> Relay | Refused:
        """By the one door, with the proof of this connection."""
        who = await self._still()
        if not isinstance(who, Refused) and not _USER.fullmatch(f"{login}@{target}"):
            who = _NO_LOGIN
        if isinstance(who, Refused):
            answer: Relay | Refused = who
            await self._refused(f"{login}@{target}", who)
        else:
            answer = await self._admission(inner, say).enter(who, login, target)
        if isinstance(answer, Refused):
            say(refusal_words(answer, self._gateway.shared.console_url))
        return answer

    async def _still(self) -> Proven | Refused:
        """Who is here: the proof was good, and may have ended since."""
        who = await self._who(self._key_data)
        return _UNKNOWN if who is None else who if isinstance(who, Refused) else _proven(who)

    async def _refused(self, asked: str, refused: Refused) -> None:
        by = self._through
        assert by is not None
        await self._admission(self._conn, self._say).refuse(by.entry, by.person, asked, refused)

    async def _nowhere(self) -> NoReturn:
        """Somebody wants a shell, a command or a transfer, and has named no target. It is recorded once."""
        told, self._told_nowhere = self._told_nowhere, True
        try:
            if not told:
                await self._refused(self._user, _NO_TARGET)
        except Fault as fault:
            log.error("a refusal of %s could not be recorded: %s", self._source, fault)
        raise asyncssh.ChannelOpenError(OPEN_ADMINISTRATIVELY_PROHIBITED, _NO_TARGET.message)

    def _no(self, refused: Refused) -> bool:
        """Says why, and admits no further key on this connection."""
        if not self._over:
            self._over = True
            self._say(refusal_words(refused, self._gateway.shared.console_url))
        return False

    def _not_this(self, refused: Refused) -> bool:
        """Says why not, and lets the client offer another key."""
        self._explained = True
        self._say(refusal_words(refused, self._gateway.shared.console_url))
        return False

    def _say(self, lines: str) -> None:
        self._conn.send_auth_banner(lines.replace("\n", "\r\n"))


def _proven(who: Claims | KeyHolder) -> Proven:
    if isinstance(who, KeyHolder):
        return proven_by(who)
    return Proven(who.person_id, EntryPoint.SSH_CERTIFICATE, sign_in=who.session_id)


def _speaks_ssh(facts: AccessFacts) -> Refused | None:
    """What speaks something else has a door of its own."""
    resource = facts.resource
    if resource is None or resource.kind is ResourceKind.SSH:
        return None
    return Refused("resource.protocol", f"{resource.resource} speaks {resource.kind}, and this door ssh.")
