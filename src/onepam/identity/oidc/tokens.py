"""Signed tokens (RFC 7515, RFC 7519): from the text of one to its claims, if the provider signed it."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.jwa import JWS_ALGORITHMS
from joserfc.jwk import Key

from onepam.identity.oidc.json_object import json_object
from onepam.identity.oidc.keys import MAX_KID_CHARACTERS, KeyRing
from onepam.kernel.clock import SECOND, Instant, iso
from onepam.kernel.errors import Refused

MAX_TOKEN_CHARACTERS = 64 * 1024
MAX_HEADER_CHARACTERS = 4 * 1024
SKEW = 60 * SECOND
"""How far a provider's clock may differ from ours."""

MAX_AUDIENCES = 20
_LATEST_SECOND = 1 << 40

_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_FOREIGN_KEYS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"})
"""Header members by which a token would bring or name its own key, or change what is signed."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A token whose signature holds. Nothing in `claims` is checked yet."""

    algorithm: str
    claims: dict[str, Any]


async def verified(
    token: str, ring: KeyRing, algorithms: tuple[str, ...], types: tuple[str, ...], now: Instant
) -> Signed | Refused:
    """The claims of a token that one of the provider's keys signed.

    `types` are the allowed values of the header's `typ`, lower case, "" for none (RFC 8725 section 3.11).
    Codes: `oidc.token`, `oidc.algorithm`, `oidc.signature`, `oidc.unknown_key`, `oidc.keys`, `fetch.*`.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        return _malformed()
    parts = _TOKEN.fullmatch(token)
    if parts is None or len(parts[1]) > MAX_HEADER_CHARACTERS:
        return _malformed()
    header, claims = _part(parts[1]), _part(parts[2])
    if header is None or claims is None:
        return _malformed()
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        return Refused("oidc.algorithm", "The token is not signed by an algorithm that the provider announces.")
    if _FOREIGN_KEYS & set(header):
        return Refused("oidc.token", "The token's header brings its own key or an extension; it is not believed.")
    if kid is not None and (not isinstance(kid, str) or len(kid) > MAX_KID_CHARACTERS):
        return _malformed()
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in types:
        return Refused("oidc.token", "The provider sent a token of another kind than the one that belongs here.")
    key = await ring.find(kid, algorithm, now)
    if isinstance(key, Refused):
        return key
    if not _holds(token, algorithm, key.key):
        return Refused("oidc.signature", "The token's signature does not hold.")
    return Signed(algorithm, claims)


def _holds(token: str, algorithm: str, key: Key) -> bool:
    """Over the very characters that were decoded above; the header is read once, by us."""
    said, _, signature = token.rpartition(".")
    model = next(each for each in JWS_ALGORITHMS if each.name == algorithm)
    try:
        model.check_key(key)
        return model.verify(said.encode("ascii"), _bytes(signature), key)
    except Exception:  # whatever the library stumbles over, the signature does not hold
        return False


def issued_for(claims: Mapping[str, Any], issuer: str, client_id: str) -> Refused | None:
    """`iss`, `aud` and `azp` (OpenID Connect Core section 3.1.3.7): from them, for us, and asked by us."""
    if claims.get("iss") != issuer:
        return Refused("oidc.issuer", "The token was issued by another provider.")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or len(audiences) > MAX_AUDIENCES or client_id not in audiences:
        return Refused("oidc.audience", "The token was issued for another application.")
    party = claims.get("azp")
    if (party is not None or len(audiences) > 1) and party != client_id:
        return Refused("oidc.audience", "The token was issued to another application (azp).")
    return None


def at_second(claims: Mapping[str, Any], name: str) -> Instant | None:
    """A NumericDate (RFC 7519 section 2). None where it is missing, and where it is no time."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST_SECOND:
        return None
    return Instant(int(value * SECOND) if isinstance(value, float) else value * SECOND)


def in_time(claims: Mapping[str, Any], now: Instant, earliest: Instant, *, expires: bool) -> Refused | None:
    """`exp`, `iat`, `nbf`, each within `SKEW`; `iat` not before `earliest`. `expires`: whether `exp` must be there."""
    issued, expiry, start = (at_second(claims, name) for name in ("iat", "exp", "nbf"))
    if issued is None or (expiry is None and (expires or "exp" in claims)) or (start is None and "nbf" in claims):
        return Refused("oidc.claim_missing", "The token does not say when it was issued and until when it is valid.")
    if issued > now + SKEW or (start is not None and start > now + SKEW):
        return Refused(
            "oidc.clock",
            f"The token is from the future ({iso(max(issued, start or issued))}): the clocks differ.",
            f"Set both clocks by NTP; here it is {iso(now)}.",
        )
    if issued < earliest - SKEW:
        return Refused(
            "oidc.clock",
            f"The token was issued at {iso(issued)}, before it was asked for.",
            f"Sign in again; if it stays, set both clocks by NTP: here it is {iso(now)}.",
        )
    if expiry is not None and expiry <= now - SKEW:
        return Refused("oidc.expired", f"The token was valid until {iso(expiry)}.", "Sign in again.")
    return None


def _part(text: str) -> dict[str, Any] | None:
    try:
        return json_object(_bytes(text))
    except ValueError:
        return None


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _malformed() -> Refused:
    return Refused("oidc.token", "The provider sent something that is no signed token.")
