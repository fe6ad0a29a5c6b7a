"""A provider's public keys (RFC 7517): what of a JWKS can be used, and a ring that follows rotation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwk

from onepam.egress.fetch import Fetch
from onepam.identity.oidc.discovery import FRESH_FOR, Remembered, object_of
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused

LIMIT_BYTES = 256 * 1024
MAX_KEYS = 50
MAX_KID_CHARACTERS = 300
REFETCH_AFTER = 1 * MINUTE
"""A token with an unknown key makes us ask again at most this often."""

RSA_BITS = range(2048, 8193)
MIN_RSA_MODULUS_CHARACTERS = 342
"""Of base64url, for 2048 bits."""

MAX_RSA_EXPONENT_CHARACTERS = 8

_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519", "Ed25519": "Ed25519"}
_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key. `algorithm` "" where the provider does not say which one it is for."""

    kid: str
    kind: str
    curve: str
    algorithm: str
    key: jwk.Key

    def fits(self, algorithm: str) -> bool:
        if self.algorithm not in ("", algorithm) and {self.algorithm, algorithm} != {"EdDSA", "Ed25519"}:
            return False
        if algorithm[:2] in ("RS", "PS"):
            return self.kind == "RSA"
        return self.curve == _CURVES.get(algorithm)


def usable(document: dict[str, Any]) -> tuple[VerificationKey, ...] | Refused:
    """The keys of a JWKS for checking signatures; others are left out. Code: `oidc.keys`.

    A set that shows the private part of a key is refused as a whole: whoever read it can sign.
    """
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        return Refused("oidc.keys", f"The provider's keys are not a list of at most {MAX_KEYS}.")
    found = []
    for member in listed:
        if not isinstance(member, dict):
            continue
        if member.get("kty") != "oct" and _PRIVATE & set(member):
            return Refused("oidc.keys", "The provider publishes a private key; nothing it signs can be believed.")
        key = _key(member)
        if key is not None:
            found.append(key)
    return tuple(found)


def _key(member: dict[str, Any]) -> VerificationKey | None:
    kind, kid, algorithm = member.get("kty"), member.get("kid", ""), member.get("alg", "")
    operations = member.get("key_ops", ["verify"])
    if kind not in _PUBLIC or member.get("use", "sig") != "sig":
        return None
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    if not isinstance(kid, str) or len(kid) > MAX_KID_CHARACTERS or not isinstance(algorithm, str):
        return None
    parts = {name: part for name in _PUBLIC[kind] if isinstance(part := member.get(name), str) and len(part) <= 1_400}
    if len(parts) < len(_PUBLIC[kind]) or len(parts.get("e", "")) > MAX_RSA_EXPONENT_CHARACTERS:
        return None
    if kind == "RSA" and len(parts["n"]) < MIN_RSA_MODULUS_CHARACTERS:
        return None
    try:
        key = jwk.import_key({"kty": kind, **parts})
        public = key.get_op_key("verify")
    except Exception:  # the library lets more than its own errors through on odd numbers
        return None
    if kind == "RSA" and getattr(public, "key_size", 0) not in RSA_BITS:
        return None
    return VerificationKey(kid, kind, parts.get("crv", ""), algorithm, key)


def candidates(keys: Sequence[VerificationKey], kid: str | None, algorithm: str) -> list[VerificationKey]:
    """The keys that may have made a signature; without a `kid` all that fit (OpenID Connect Core section 10.1)."""
    return [each for each in keys if each.fits(algorithm) and (kid is None or each.kid == kid)]


class KeyRing:
    """The keys behind one `jwks_uri`, fetched again each hour, and for an unknown `kid` at most once a minute."""

    def __init__(self, fetch: Fetch, jwks_uri: str) -> None:
        self._fetch = fetch
        self._uri = jwks_uri
        self._keys = Remembered(self._load)

    async def find(self, kid: str | None, algorithm: str, now: Instant) -> VerificationKey | Refused:
        """The one key for a signature. Codes: `fetch.*`, `oidc.keys`, `oidc.unknown_key`."""
        for oldest in (FRESH_FOR, REFETCH_AFTER):
            keys = await self._keys.get(now, oldest)
            if isinstance(keys, Refused):
                return keys
            found = candidates(keys, kid, algorithm)
            if len(found) == 1:
                return found[0]
            if found:
                return Refused(
                    "oidc.unknown_key", "The token does not say by which of the provider's keys it is signed."
                )
        return Refused("oidc.unknown_key", "The token is signed by a key that the provider does not publish.")

    async def _load(self) -> tuple[VerificationKey, ...] | Refused:
        fetched = await self._fetch.get(self._uri, limit_bytes=LIMIT_BYTES)
        if isinstance(fetched, Refused):
            return Refused(fetched.code, f"The provider's keys could not be fetched: {fetched.message}", fetched.hint)
        document = object_of(fetched)
        if document is None:
            return Refused("oidc.keys", "The provider's keys could not be read.", "Try again; then ask its operator.")
        return usable(document)
