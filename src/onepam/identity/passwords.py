"""Passwords of the built-in directory: what is acceptable (NIST SP 800-63B section 5.1.1), and Argon2id (RFC 9106).

No rules of composition: length, and not guessable. A password is NFC-normalised before anything else, so that it is the
same from every keyboard. Hashing takes some 50 ms and 64 MiB: call it in a thread, and bound how many run at once.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from onepam.identity.weak_passwords import LONG, WORDS
from onepam.kernel.errors import Corrupt, Refused

MAX_BYTES = 1024
"""UTF-8 bytes after NFC: no passphrase is longer, and hashing stays bounded."""

MIN_OWN_CHARACTERS = 8
"""How much must be left when each guessable stretch (words, the person's own, sequences, repeats) counts as one."""


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What is asked of a new password. Stored with each password by its version, so that evidence can name it."""

    version: int = 1
    min_length: int = 14
    """Characters (Unicode code points after NFC)."""


@dataclass(frozen=True, slots=True)
class AboutPerson:
    """What others know of the person, and would try first."""

    name: str = ""
    email: str = ""
    company: str = ""


class Breached(Protocol):
    """A list of passwords known from breaches."""

    def __contains__(self, password: str) -> bool:
        """Whether this password (in NFC) is on the list."""


def check(
    password: str, policy: PasswordPolicy, about: AboutPerson, breached: Breached | None = None
) -> Refused | None:
    """None if the password may be set. Codes: `password.` + `characters`, `too_long`, `too_short`, `common`,
    `guessable`, `breached`. No message repeats any part of the password.
    """
    text = unicodedata.normalize("NFC", password)
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        return Refused("password.characters", "A password holds no control characters.", "Use letters, digits, signs.")
    if len(text.encode()) > MAX_BYTES:
        return Refused("password.too_long", f"A password has at most {MAX_BYTES} bytes.", "Use a shorter passphrase.")
    if len(text) < policy.min_length:
        return Refused(
            "password.too_short",
            f"This password has {len(text)} characters; {policy.min_length} are needed.",
            "Several unrelated words are easy to remember and long enough.",
        )
    if _letters(_fold(text)) in LONG:
        return Refused(
            "password.common", "Many people use this password.", "Make up words that belong together only for you."
        )
    found = _guessable(text, about)
    if found:
        return Refused(
            "password.guessable",
            f"Too little of this password is hard to guess: most of it is {found}.",
            "Several unrelated words, not from your name, work well.",
        )
    if breached is not None and text in breached:
        return Refused(
            "password.breached", "This password is known from a data breach.", "Choose another one everywhere."
        )
    return None


# --- Hashing ---------------------------------------------------------------------------------------------------------

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)

# A well-formed hash of no password: checking against it costs what checking against a real one costs.
_NOBODY = f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}${'A' * 22}${'A' * 43}"


def hash_password(password: str) -> str:
    """The Argon2id hash in PHC string form, with its salt and parameters. Raises `ValueError` above `MAX_BYTES`."""
    encoded = _encode(password)
    if encoded is None:
        raise ValueError("not a password that was checked")
    return _hasher.hash(encoded)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one. `stored` None (unknown person) takes as long and is False.

    Raises `Corrupt` if `stored` is no hash at all.
    """
    encoded = _encode(password)
    try:
        _hasher.verify(_NOBODY if stored is None else stored, encoded if encoded is not None else b"")
    except VerifyMismatchError:
        return False
    except (InvalidHashError, VerificationError):
        raise Corrupt("a stored password hash is malformed") from None
    return stored is not None and encoded is not None


def _encode(password: str) -> bytes | None:
    try:
        encoded = unicodedata.normalize("NFC", password[: MAX_BYTES + 1]).encode()
    except UnicodeEncodeError:
        return None
    return encoded if len(password) <= MAX_BYTES and len(encoded) <= MAX_BYTES else None


# --- Guessing --------------------------------------------------------------------------------------------------------

_LEET = str.maketrans("@4831!05$7+", "aabeiiosstt")
_ROWS = (
    "qwertzuiop",
    "qwertyuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
)
_SEQUENCES = frozenset(
    row[start : start + 4] for line in _ROWS for row in (line, line[::-1]) for start in range(len(row) - 3)
)
_SAME = re.compile(r"(.)\1{2,}", re.DOTALL)
_AGAIN = re.compile(r"(.{2,32}?)\1+", re.DOTALL)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}", re.ASCII)


def _guessable(text: str, about: AboutPerson) -> str | None:
    """What makes up too much of the text, in words; None if enough of it is the person's own invention."""
    folded = _fold(text)
    plain = folded.translate(_LEET)
    known = bytearray(len(folded))
    kinds: dict[str, None] = {}

    def mark(start: int, end: int, kind: str) -> None:
        known[start:end] = b"\x01" * (end - start)
        kinds[kind] = None

    for word in _own_words(about):
        for start in _places(word, folded, plain):
            mark(start, start + len(word), "your own name, address or company")
    for word in WORDS:
        for start in _places(word, folded, plain):
            mark(start, start + len(word), "common words")
    for start in range(len(folded) - 3):
        if folded[start : start + 4] in _SEQUENCES:
            mark(start, start + 4, "rows of keys or letters")
    for found in _SAME.finditer(folded):
        mark(found.start(), found.end(), "the same again and again")
    for found in _AGAIN.finditer(folded):
        mark(found.end(1), found.end(), "the same again and again")
    for found in _YEAR.finditer(folded):
        mark(found.start(), found.end(), "years")
    own = known.count(0) + len(re.findall(rb"\x01+", known))
    return ", ".join(kinds) if kinds and own < MIN_OWN_CHARACTERS else None


def _own_words(about: AboutPerson) -> set[str]:
    local, _, domain = about.email.partition("@")
    texts = (about.name, about.company, local, domain.rpartition(".")[0])
    words = {word for text in texts for word in re.split(r"[\W_]+", _fold(text))}
    words |= {_letters(_fold(text)) for text in (about.name, about.company)}
    return {word[:64] for word in words if len(word) >= 3}


def _places(word: str, *texts: str) -> list[int]:
    return [found.start() for text in texts for found in re.finditer(re.escape(word), text)]


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)
