"""One entry of the ledger: a header without personal data, and a body of canonical JSON.

    leaf = SHA-256(0x00 || header || SHA-256(body))          (RFC 6962, section 2.1, over header || SHA-256(body))

`index` counts entries from 0; `time` is strictly increasing, so as-of-a-time and as-of-an-index are the same question;
`class_seq` counts the entries of the header's class from 0, so that a verifier sees when one of a class is missing.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from onepam.kernel.canonical import MAX_INTEGER
from onepam.kernel.clock import Instant

MAX_HEADER_BYTES = 512
"""More than any header takes: two words of 100 characters, four integers below 2^53 and the names of the fields."""

_INTEGER = rb"(0|[1-9][0-9]{0,15})"
_WORD = rb"([a-z][a-z0-9_.]{0,99})"
_VERSION = rb"([1-9][0-9]{0,8})"
_HEADER = re.compile(
    rb'\{"class":"%b","class_seq":%b,"index":%b,"kind":"%b","time":%b,"v":%b\}'
    % (_WORD, _INTEGER, _INTEGER, _WORD, _INTEGER, _VERSION)
)


@dataclass(frozen=True, slots=True)
class Header:
    """What the leaf says in clear. `version` is the version of the event kind; `time` is microseconds UTC."""

    index: int
    time: Instant
    kind: str
    version: int
    klass: str
    class_seq: int

    def encode(self) -> bytes:
        """The canonical bytes (RFC 8785). Kinds and classes are lower-case ASCII words, which need no escaping."""
        return (
            f'{{"class":"{self.klass}","class_seq":{self.class_seq},"index":{self.index},'
            f'"kind":"{self.kind}","time":{self.time},"v":{self.version}}}'
        ).encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The header of canonical bytes. Raises `ValueError` unless encoding it again gives exactly `data`."""
        match = _HEADER.fullmatch(data)
        if match is None:
            raise ValueError("not an entry's header")
        klass, class_seq, index, kind, time, version = match.groups()
        numbers = [int(number) for number in (index, time, version, class_seq)]
        if max(numbers) > MAX_INTEGER:
            raise ValueError("an integer of the header is 2^53 or larger")
        return cls(numbers[0], Instant(numbers[1]), kind.decode(), numbers[2], klass.decode(), numbers[3])


@dataclass(frozen=True, slots=True)
class Entry:
    """A header with its stored body bytes."""

    header: Header
    body: bytes

    def leaf(self) -> bytes:
        """The 32-byte leaf hash."""
        return leaf_hash(self.header.encode(), sha256(self.body).digest())


def leaf_hash(header: bytes, body_hash: bytes) -> bytes:
    """The leaf of an entry of which only the body's hash (32 bytes) is known."""
    return sha256(b"\x00" + header + body_hash).digest()


def payload_digest(salt: bytes, payload: bytes) -> str:
    """Hex SHA-256(salt || payload): what a body says of an erasable payload. The salt is 32 random bytes."""
    return sha256(salt + payload).hexdigest()
