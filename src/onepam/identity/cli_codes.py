"""The code that `onepam login` carries from the browser to the terminal (RFC 7636; RFC 8252, section 7.3).

Nothing is kept for it: the code itself is a sealed value, good for two minutes and only with the PKCE verifier that its
challenge was made from. It names the CLI session to be opened; as a session's id opens once, the code serves once.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Protocol

from onepam.domain.history.event import decoder, plain
from onepam.identity.tokens import is_pkce_challenge, pkce_matches
from onepam.kernel.canonical import decode, encode
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Fault, Refused, Unavailable
from onepam.kernel.ids import RandomBytes, new_id
from onepam.kernel.secret import Secret

LIFETIME = 2 * MINUTE
"""How long a code is good (microseconds)."""

_ABOUT = b"cli-code"
_CODE = re.compile(r"[A-Za-z0-9_-]{1,2048}", re.ASCII)
_REDIRECT = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]{3,4})/callback", re.ASCII)
_GONE = Refused("cli_code.gone", "This sign-in code has lapsed, was used or is not ours.", "Run again: onepam login")


class Seal(Protocol):
    """Seals what nobody else can make (`onepam.vault.envelope.Envelope`)."""

    def seal(self, plaintext: Secret, about: bytes) -> bytes:
        """The sealed bytes."""
        ...

    def open(self, sealed: bytes, about: bytes) -> Secret:
        """The plaintext. Raises a `Fault` when it is not ours."""
        ...


@dataclass(frozen=True, slots=True)
class CliCode:
    """What a code says: `parent`, a console session of `person`, allowed the CLI session `session`."""

    session: str
    person: str
    parent: str
    challenge: str
    redirect: str
    expires: Instant


_decoded = decoder(CliCode)


def is_redirect(redirect: str) -> bool:
    """Whether this is the address of a waiting `onepam login`: a port from 1024 on of 127.0.0.1, and nothing else."""
    found = _REDIRECT.fullmatch(redirect)
    return found is not None and 1024 <= int(found[1]) <= 65535


def issue_code(
    seal: Seal, person: str, parent: str, challenge: str, redirect: str, now: Instant, random: RandomBytes
) -> str | Refused:
    """A code for the person of the console session `parent`, who has just allowed it."""
    if not is_pkce_challenge(challenge) or not is_redirect(redirect):
        return Refused("cli_code.malformed", "This is not a sign-in that onepam login started.", "Run: onepam login")
    code = CliCode(new_id("cli", random), person, parent, challenge, redirect, Instant(now + LIFETIME))
    sealed = seal.seal(Secret(encode(plain(code))), _ABOUT)
    return urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def open_code(seal: Seal, text: str, verifier: str, redirect: str, now: Instant) -> CliCode | Refused:
    """What the code says, to whoever holds its verifier. Raises `Unavailable` when the keys cannot be read."""
    if not _CODE.fullmatch(text):
        return _GONE
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        code: CliCode = _decoded(decode(seal.open(sealed, _ABOUT).reveal()))
    except Unavailable:
        raise
    except (Fault, ValueError):
        return _GONE
    if code.expires <= now or code.redirect != redirect or not pkce_matches(verifier, code.challenge):
        return _GONE
    return code
