"""The recovery key as people write it down: 160 random bits in groups of four letters and digits (RFC 4648 base32)."""

import hashlib
import re
from base64 import b32decode, b32encode

from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret

BYTES = 20
_CHARACTERS = 32
_GROUP = 4
_TAG = b"onepam recovery key\0"
MAX_TYPED = 100


def new_recovery_key(random: RandomBytes) -> Secret:
    """Such as `abcd-2345-...`, eight groups."""
    letters = b32encode(random(BYTES)).decode("ascii").lower()
    return Secret("-".join(letters[at : at + _GROUP] for at in range(0, _CHARACTERS, _GROUP)).encode("ascii"))


def recovery_key_digest(typed: str) -> str | None:
    """The hex SHA-256 of a key as typed: case, spaces and dashes do not count. None if it cannot be one.

    Neither a salt nor a slow hash would add anything to 160 random bits.
    """
    letters = re.sub(r"[\s-]", "", typed[:MAX_TYPED]).upper()
    if not re.fullmatch(f"[A-Z2-7]{{{_CHARACTERS}}}", letters):
        return None
    return hashlib.sha256(_TAG + b32decode(letters)).hexdigest()
