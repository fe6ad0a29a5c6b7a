"""What a provider says of itself (OpenID Connect Discovery 1.0), fetched from its issuer and checked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from onepam.egress.fetch import Fetch, Fetched
from onepam.identity.oidc.json_object import json_object
from onepam.identity.oidc.settings import fit_url
from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.kernel.errors import Refused

WELL_KNOWN = "/.well-known/openid-configuration"
LIMIT_BYTES = 256 * 1024
FRESH_FOR = 1 * HOUR
FAILED_FOR = 5 * SECOND
MAX_ITEMS = 200

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519", "RS384", "PS384", "ES384", "RS512", "PS512", "ES512")
"""Signatures that are accepted: asymmetric ones, so that nobody who can check a token can make one."""

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Discovered:
    """A provider's endpoints and abilities. Optional endpoints are "" where there is none."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    end_session_endpoint: str
    algorithms: tuple[str, ...]
    """Those of `ALGORITHMS` with which it signs ID tokens."""
    authentications: tuple[str, ...]
    sends_issuer: bool
    """It puts `iss` into the answer to an authorization request (RFC 9207)."""
    logs_out_by_backchannel: bool
    scopes: tuple[str, ...]
    acr_values: tuple[str, ...]


class Remembered(Generic[Kept]):
    """One fetched thing: kept for an hour, a failure for five seconds, and fetched by one caller at a time."""

    def __init__(self, load: Callable[[], Awaitable[Kept | Refused]]) -> None:
        self._load = load
        self._kept: Kept | Refused | None = None
        self._at = Instant(0)
        self._turn = asyncio.Lock()

    async def get(self, now: Instant, oldest: int = FRESH_FOR) -> Kept | Refused:
        """What is known, from at most `oldest` microseconds ago; else what comes now, or why nothing came."""
        async with self._turn:
            age = now - self._at
            limit = FAILED_FOR if isinstance(self._kept, Refused) else oldest
            if self._kept is None or not 0 <= age < limit:
                self._kept, self._at = await self._load(), now
            return self._kept

    def age(self, now: Instant) -> int:
        """Microseconds since the last fetch."""
        return now - self._at


async def discover(fetch: Fetch, issuer: str) -> Discovered | Refused:
    """Fetch and check the configuration of an issuer. Codes: `fetch.*`, `oidc.discovery`."""
    fetched = await fetch.get(issuer.rstrip("/") + WELL_KNOWN, limit_bytes=LIMIT_BYTES)
    if isinstance(fetched, Refused):
        return Refused(fetched.code, f"The provider could not be asked: {fetched.message}", fetched.hint)
    document = object_of(fetched)
    if document is None:
        return _refused(
            f"{urlsplit(issuer).hostname} has no OpenID configuration under this issuer (status {fetched.status}).",
            f"Check the issuer: {issuer.rstrip('/')}{WELL_KNOWN} must exist.",
        )
    said = document.get("issuer")
    if said != issuer:
        return _refused(
            "The provider names another issuer than the one in its settings.",
            f"It calls itself {shown(said)}: use exactly that, if it is yours.",
        )
    return _discovered(document, issuer)


def object_of(fetched: Fetched) -> dict[str, Any] | None:
    """The JSON object of a successful answer."""
    return json_object(fetched.body) if fetched.status == 200 else None


def _discovered(document: dict[str, Any], issuer: str) -> Discovered | Refused:
    endpoints = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"):
        url = document.get(name, "")
        if not isinstance(url, str) or (url and not fit_endpoint(url, issuer)):
            return _refused(f"The provider's {name} is not an address that can be used.", "It must be https.")
        endpoints[name] = url
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not endpoints[name]:
            return _refused(f"The provider's configuration has no {name}.")
    if "code" not in _words(document, "response_types_supported", ("code",)):
        return _refused("The provider does not offer the authorization code flow.")
    if "S256" not in _words(document, "code_challenge_methods_supported", ("S256",)):
        return _refused("The provider does not offer PKCE with S256.")
    signs = _words(document, "id_token_signing_alg_values_supported", ("RS256",))
    algorithms = tuple(each for each in ALGORITHMS if each in signs)
    if not algorithms:
        return _refused(
            "The provider signs ID tokens with no algorithm that is accepted.", f"Accepted: {', '.join(ALGORITHMS)}."
        )
    return Discovered(
        issuer=issuer,
        algorithms=algorithms,
        authentications=_words(document, "token_endpoint_auth_methods_supported", ("client_secret_basic",)),
        sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        logs_out_by_backchannel=document.get("backchannel_logout_supported") is True,
        scopes=_words(document, "scopes_supported", ()),
        acr_values=_words(document, "acr_values_supported", ()),
        **endpoints,
    )


def fit_endpoint(url: str, issuer: str) -> bool:
    """Never less protected than the issuer itself."""
    return fit_url(url) and "#" not in url and (urlsplit(url).scheme == "https" or issuer.startswith("http:"))


def _words(document: dict[str, Any], name: str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    value = document.get(name, otherwise)
    if not isinstance(value, list | tuple):
        return ()
    return tuple(each for each in value[:MAX_ITEMS] if isinstance(each, str) and len(each) <= 200)


def shown(said: Any) -> str:
    """Text from elsewhere, fit for a sentence of ours."""
    return said[:300] if isinstance(said, str) and said.isprintable() else "(something unreadable)"


def _refused(message: str, hint: str = "") -> Refused:
    return Refused("oidc.discovery", message, hint)
