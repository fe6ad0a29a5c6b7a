"""A transmitter as it is reached: what it says of itself, its keys, what waits there, and asking for a sign of life."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from onepam.egress.fetch import Fetch, Fetched
from onepam.identity.oidc.discovery import Remembered, fit_endpoint, object_of, shown
from onepam.identity.oidc.keys import KeyRing
from onepam.identity.oidc.settings import fit_url
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret

WELL_KNOWN = "/.well-known/ssf-configuration"
LIMIT_BYTES = 256 * 1024
POLL_LIMIT_BYTES = 1024 * 1024
MOST_AT_ONCE = 50
"""Security event tokens in one answer to a poll."""

MAX_ID_CHARACTERS = 255
MAX_TOKEN_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Metadata:
    """SSF 1.0 section 7.1. `verification_endpoint` and `configuration_endpoint` are "" where there is none."""

    issuer: str
    jwks_uri: str
    verification_endpoint: str
    configuration_endpoint: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What a poll brought: tokens by the transmitter's ids, and whether more waits."""

    sets: tuple[tuple[str, str], ...]
    more: bool


class Transmitter:
    """One transmitter, by its issuer; what it publishes is remembered for an hour."""

    def __init__(self, fetch: Fetch, issuer: str) -> None:
        self._fetch = fetch
        self._issuer = issuer
        self._metadata = Remembered(self._discover)
        self._rings: dict[str, KeyRing] = {}

    async def metadata(self, now: Instant) -> Metadata | Refused:
        """Codes: `fetch.*`, `signal.discovery`."""
        return await self._metadata.get(now)

    async def keys(self, now: Instant) -> KeyRing | Refused:
        """The ring of its keys; where it publishes them elsewhere now, another one."""
        found = await self.metadata(now)
        if isinstance(found, Refused):
            return found
        if found.jwks_uri not in self._rings:
            self._rings = {found.jwks_uri: KeyRing(self._fetch, found.jwks_uri)}
        return self._rings[found.jwks_uri]

    async def poll(
        self, endpoint: str, token: Secret, done: tuple[str, ...], wrong: Mapping[str, tuple[str, str]]
    ) -> Batch | Refused:
        """What waits (RFC 8936 section 2.4), after saying which ids are `done`, and which are `wrong`: (err, words).

        Codes: `fetch.*`, `signal.poll`.
        """
        asked = {
            "maxEvents": MOST_AT_ONCE,
            "returnImmediately": True,
            "ack": list(done),
            "setErrs": {each: {"err": err, "description": words} for each, (err, words) in wrong.items()},
        }
        fetched = await self._post(endpoint, token, asked)
        if isinstance(fetched, Refused):
            return fetched
        document = object_of(fetched)
        sets = document.get("sets", {}) if document is not None else None
        if document is None or not isinstance(sets, dict) or len(sets) > 2 * MOST_AT_ONCE:
            return Refused("signal.poll", f"The transmitter's answer cannot be read (status {fetched.status}).")
        found = tuple((each, text) for each, text in sets.items() if _fits(each, text))
        return Batch(found, document.get("moreAvailable") is True)

    async def verify(self, stream: str, token: Secret, state: str, now: Instant) -> Refused | None:
        """Asks for a verification event (SSF 1.0 section 8.1.4). Codes: as `metadata`, and `signal.verify`."""
        found = await self.metadata(now)
        if isinstance(found, Refused):
            return found
        if not found.verification_endpoint:
            return Refused("signal.verify", "The transmitter offers no verification.", "Send a test event from there.")
        fetched = await self._post(found.verification_endpoint, token, {"stream_id": stream, "state": state})
        if isinstance(fetched, Refused):
            return fetched
        if fetched.status not in (200, 202, 204):
            return Refused("signal.verify", f"The transmitter refuses to verify (status {fetched.status}).")
        return None

    async def _post(self, url: str, token: Secret, document: Mapping[str, Any]) -> Fetched | Refused:
        return await self._fetch.post(
            url,
            content=json.dumps(document).encode("ascii"),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token.reveal().decode('ascii')}", "Accept": "application/json"},
            limit_bytes=POLL_LIMIT_BYTES,
        )

    async def _discover(self) -> Metadata | Refused:
        if not fit_url(self._issuer):
            return _refused("The issuer is not an address.", "Copy it from the transmitter: it begins with https://.")
        fetched = await self._fetch.get(well_known(self._issuer), limit_bytes=LIMIT_BYTES)
        if isinstance(fetched, Refused):
            return Refused(fetched.code, f"The transmitter could not be asked: {fetched.message}", fetched.hint)
        document = object_of(fetched)
        if document is None:
            return _refused(
                f"{urlsplit(self._issuer).hostname} has no Shared Signals configuration (status {fetched.status}).",
                f"Check the issuer: {well_known(self._issuer)} must exist.",
            )
        if document.get("issuer") != self._issuer:
            return _refused(
                "The transmitter names another issuer.", f"It calls itself {shown(document.get('issuer'))}."
            )
        named = {}
        for name in ("jwks_uri", "verification_endpoint", "configuration_endpoint"):
            url = document.get(name, "")
            if not isinstance(url, str) or (url and not fit_endpoint(url, self._issuer)):
                return _refused(f"The transmitter's {name} is not an address that can be used.", "It must be https.")
            named[name] = url
        if not named["jwks_uri"]:
            return _refused("The transmitter publishes no keys.")
        return Metadata(self._issuer, **named)


def well_known(issuer: str) -> str:
    """Where a transmitter's configuration stands: the well-known part comes before the issuer's path."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"


def _fits(ident: str, token: object) -> bool:
    fits = 0 < len(ident) <= MAX_ID_CHARACTERS and ident.isprintable()
    return fits and isinstance(token, str) and len(token) <= MAX_TOKEN_CHARACTERS


def _refused(message: str, hint: str = "") -> Refused:
    return Refused("signal.discovery", message, hint)
