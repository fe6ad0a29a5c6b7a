"""Identifiers: a short prefix that says what it is, and 80 random bits in lower-case base32: `ses_k3v...`."""

from base64 import b32encode
from collections.abc import Callable

RandomBytes = Callable[[int], bytes]
"""The source of randomness, passed in: `secrets.token_bytes` in production, seeded in the simulator."""


def new_id(prefix: str, random: RandomBytes) -> str:
    """A fresh identifier such as `per_` + 16 characters of [a-z2-7]."""
    return f"{prefix}_{b32encode(random(10)).decode('ascii').lower()}"
