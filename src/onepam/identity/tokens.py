"""Opaque tokens, codes that people type, and PKCE. What is stored is a digest, never the token."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode

from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret

MAX_TOKEN_CHARACTERS = 200

LOGIN_TOKEN = "opl"  # noqa: S105 - what a login token begins with

CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 section 6.1: no vowels, so no words; no digits, so no 0 for O or 1 for I."""

CODE_LENGTH = 8

_PREFIX = re.compile(r"[a-z]{2,12}", re.ASCII)
_TOKEN = re.compile(r"[a-z]{2,12}_[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def new_token(prefix: str, random: RandomBytes) -> Secret:
    """A token of 256 random bits such as `opm_4fQx...`; the prefix (2 to 12 lower-case letters) says what leaked."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("a token's prefix is 2 to 12 lower-case letters")
    return Secret(prefix.encode("ascii") + b"_" + _base64url(random(32)))


def is_token(text: str, prefix: str) -> bool:
    """Whether `text` has the shape of a token of this kind: to be asked before any look-up."""
    return len(text) <= MAX_TOKEN_CHARACTERS and text.startswith(prefix + "_") and bool(_TOKEN.fullmatch(text))


def token_digest(token: Secret) -> bytes:
    """SHA-256, 32 bytes. Tokens are 256 random bits, so neither a salt nor a slow hash would add anything."""
    return hashlib.sha256(token.reveal()).digest()


def same(one: bytes, other: bytes) -> bool:
    """Equal, in a time that depends on the lengths alone."""
    return hmac.compare_digest(one, other)


def pkce_challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return _base64url(hashlib.sha256(verifier.encode("ascii")).digest()).decode("ascii")


def is_pkce_challenge(challenge: str) -> bool:
    """Whether `challenge` is 256 bits of unpadded base64url, as S256 gives; there is no `plain` here."""
    return bool(_CHALLENGE.fullmatch(challenge))


def pkce_matches(verifier: str, challenge: str) -> bool:
    """RFC 7636 section 4.6 for S256; False for anything malformed (a verifier has 43 to 128 unreserved characters)."""
    if not _VERIFIER.fullmatch(verifier) or not is_pkce_challenge(challenge):
        return False
    return same(pkce_challenge(verifier).encode("ascii"), challenge.encode("ascii"))


def confirmation_code(random: RandomBytes) -> str:
    """What a terminal shows and a person types into the browser, such as `BCDF-GHJK`: 34 bits, for two minutes."""
    letters = pick(CODE_ALPHABET, CODE_LENGTH, random)
    return f"{letters[:4]}-{letters[4:]}"


def new_code(random: RandomBytes) -> tuple[str, str]:
    """A confirmation code and the hex digest that it is known by."""
    code = confirmation_code(random)
    digest = code_digest(code)
    assert digest is not None  # our own code is well-formed
    return code, digest.hex()


def code_digest(code: str) -> bytes | None:
    """SHA-256 of a confirmation code as typed: case, spaces and dashes do not count. None if it cannot be one.

    Compare digests with `same`. Short-lived codes only: 34 bits do not withstand guessing offline.
    """
    letters = re.sub(r"[\s-]", "", code[:64]).upper()
    if len(letters) != CODE_LENGTH or not set(letters) <= set(CODE_ALPHABET):
        return None
    return hashlib.sha256(letters.encode("ascii")).digest()


def pick(alphabet: str, count: int, random: RandomBytes) -> str:
    """`count` characters of an alphabet (at most 256), each as likely as any other: unfair bytes are dropped."""
    fair = 256 - 256 % len(alphabet)
    picked: list[str] = []
    while len(picked) < count:
        picked += [alphabet[byte % len(alphabet)] for byte in random(count) if byte < fair]
    return "".join(picked[:count])


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
