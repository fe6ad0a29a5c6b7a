"""Recovery codes: ten, shown once, each of use once, and only for enrolling a new factor.

A code has 49 bits, too few for a bare digest: what is stored is Argon2id of each code under one random salt, so a check
costs one slow hash, whichever code it is.
"""

import hmac
import re
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret_raw

from onepam.identity.tokens import pick
from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret

ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
"""No 0 and o, no 1, i and l, no u beside v."""

COUNT = 10
LENGTH = 10

SCHEME = "argon2id-m19456-t2-p1"
"""The OWASP Password Storage Cheat Sheet's setting; the name is stored so that a later one can be told apart."""


@dataclass(frozen=True, slots=True)
class StoredCodes:
    """What may be stored of a person's codes. A used code's digest is taken out by `without`."""

    scheme: str
    salt: bytes
    digests: tuple[bytes, ...]

    def without(self, digest: bytes) -> "StoredCodes":
        """The codes that are left after one was used."""
        return StoredCodes(self.scheme, self.salt, tuple(each for each in self.digests if each != digest))


def new_codes(random: RandomBytes) -> tuple[tuple[Secret, ...], StoredCodes]:
    """Ten fresh codes `xxxxx-xxxxx` to show once, and what to store. Slow (ten Argon2id): call it in a thread."""
    codes = tuple(pick(ALPHABET, LENGTH, random) for _ in range(COUNT))
    salt = random(16)
    shown = tuple(Secret(f"{code[:5]}-{code[5:]}".encode("ascii")) for code in codes)
    return shown, StoredCodes(SCHEME, salt, tuple(_digest(code, salt) for code in codes))


def match(stored: StoredCodes | None, typed: str) -> bytes | None:
    """The digest of the code that was typed, or None. Slow: call it in a thread.

    Case, spaces and dashes do not count. Takes as long for a person without codes (`stored` None) as for one with.
    Raises `ValueError` for a scheme this version does not know.
    """
    if stored is not None and stored.scheme != SCHEME:
        raise ValueError(f"unknown scheme of recovery codes: {stored.scheme}")
    code = re.sub(r"[\s-]", "", typed[:64]).lower()
    fitting = len(code) == LENGTH and set(code) <= set(ALPHABET)
    digest = _digest(code if fitting else "", stored.salt if stored else bytes(16))
    found = [each for each in (stored.digests if stored else ()) if hmac.compare_digest(each, digest)]
    return found[0] if fitting and found else None


def _digest(code: str, salt: bytes) -> bytes:
    return hash_secret_raw(
        code.encode("ascii"), salt, time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, type=Type.ID
    )
