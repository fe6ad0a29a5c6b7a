"""Telling others: our own key, the Security Event Tokens it signs, and what of them each receiver still has to take.

Everything follows the ledger: a signal's `jti` is derived from the entry's index, its `iat` is the entry's time. A
receiver's cursor moves past what it took, so each signal is delivered at least once, in order.
"""

import asyncio
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from joserfc import jwk
from joserfc.jwa import JWS_ALGORITHMS

from onepam.domain.providers.signals import Outgoing, SignalKind
from onepam.files.data_file import content
from onepam.identity.signals.listener import Listener
from onepam.identity.signals.security_event import EVENTS, TYPE
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Corrupt
from onepam.kernel.secret import Secret

ALGORITHM = "ES256"
MOST_AT_ONCE = 100
MAX_INDEX_DIGITS = 16

Load = Callable[[int], Awaitable[tuple[list[Outgoing], int]]]
"""The signals from an index on, and the first index that was not looked at."""

_URIS = {kind: uri for uri, kind in EVENTS.items()}
_JTI = re.compile(rf"entry-([0-9]{{1,{MAX_INDEX_DIGITS}}})", re.ASCII)


class SendingKey:
    """Our own key for signals, and nothing else."""

    def __init__(self, private: Secret) -> None:
        try:
            self._key = jwk.import_key(json.loads(private.reveal()))
        except ValueError:
            raise Corrupt("the key for signals cannot be read") from None
        public = self._key.as_dict(private=False)
        named = json.dumps({name: public[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        self.kid = _base64url(sha256(named.encode("ascii")).digest())  # RFC 7638
        self.jwks = {"keys": [{**public, "kid": self.kid, "use": "sig", "alg": ALGORITHM}]}
        self._model = next(each for each in JWS_ALGORITHMS if each.name == ALGORITHM)

    @classmethod
    def new(cls) -> Secret:
        """A fresh private key, to be sealed."""
        return Secret(json.dumps(jwk.generate_key("EC", "P-256").as_dict(private=True)).encode("ascii"))

    def signed(self, claims: dict[str, Any]) -> str:
        """The compact form (RFC 7515)."""
        header = {"alg": ALGORITHM, "kid": self.kid, "typ": TYPE}
        said = ".".join(_base64url(json.dumps(each).encode("ascii")) for each in (header, claims))
        return f"{said}.{_base64url(self._model.sign(said.encode('ascii'), self._key))}"


def token_of(key: SendingKey, issuer: str, audience: str, sent: Outgoing) -> str:
    """The token of a signal: the same content whenever it is made."""
    said: dict[str, Any] = {"event_timestamp": sent.at // SECOND, "initiating_entity": "policy"}
    if sent.kind is SignalKind.CREDENTIAL_CHANGE:
        said |= {"change_type": sent.detail, "credential_type": sent.credential}
    subject = {"format": "email", "email": sent.email}
    return _token(key, issuer, audience, jti_of(sent.index), sent.at, subject, {_URIS[sent.kind]: said})


def verification(key: SendingKey, issuer: str, to: Listener, jti: str, state: str, now: Instant) -> str:
    """A sign of life (SSF 1.0 section 8.1.4)."""
    events = {_URIS[SignalKind.VERIFICATION]: {"state": state} if state else {}}
    return _token(key, issuer, to.audience, jti, now, {"format": "opaque", "id": to.name}, events)


def _token(
    key: SendingKey, issuer: str, audience: str, jti: str, at: Instant, subject: Any, events: dict[str, Any]
) -> str:
    claims = {"iss": issuer, "aud": audience, "iat": at // SECOND, "jti": jti, "sub_id": subject, "events": events}
    return key.signed(claims)


def jti_of(index: int) -> str:
    """The id of the signal of an entry."""
    return f"entry-{index}"


def index_of(jti: str) -> int | None:
    """The entry of a signal's id; None for any other text."""
    found = _JTI.fullmatch(jti)
    return int(found[1]) if found else None


MAX_CURSOR_BYTES = 64


class Outbox:
    """What one receiver still has to take. The cursor is a file: the first index that it may not have taken."""

    def __init__(self, cursor: Path, load: Load, first: int) -> None:
        self._file = cursor
        self._load = load
        self._taken: set[int] = set()
        self._turn = asyncio.Lock()
        if not cursor.exists():
            self._write(first)
        try:
            self._at = int(content(cursor, MAX_CURSOR_BYTES))
        except ValueError:
            raise Corrupt(f"{cursor} holds no number") from None

    async def waiting(self) -> list[Outgoing]:
        """At most `MOST_AT_ONCE`, in order; empty when all was taken."""
        async with self._turn:
            while True:
                found, after = await self._load(self._at)
                left = [each for each in found if each.index not in self._taken]
                begin = left[0].index if left else after
                if begin != self._at:
                    self._write(begin)
                    self._at = begin
                    self._taken = {each for each in self._taken if each >= begin}
                if left or not found:
                    return left[:MOST_AT_ONCE]

    def took(self, *indexes: int) -> None:
        """These need not be sent again. What lies behind them still is."""
        self._taken.update(each for each in indexes[:MOST_AT_ONCE] if each >= self._at)

    def _write(self, index: int) -> None:
        beside = self._file.with_name(f".{self._file.name}.new")
        beside.unlink(missing_ok=True)  # left over; or a pipe, on which opening would wait
        beside.write_text(str(index), "ascii")
        beside.replace(self._file)


@dataclass(slots=True)
class Told:
    """A receiver with what it still has to take, the digest of its token, and verifications that it asked for."""

    to: Listener
    outbox: Outbox
    digest: bytes
    verifications: dict[str, str] = field(default_factory=dict)


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
