"""Whom we tell of signals. The configuration names them, which every command on the host reads: so this file imports
nothing that signs or calls out."""

import re
from dataclasses import dataclass

_RECEIVER = re.compile(r"([a-z0-9-]{1,40}) (\S{1,500}) (poll|https?://\S{1,500})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who is told: by name, what our tokens for them are addressed to, and where we post ("": they fetch)."""

    name: str
    audience: str
    endpoint: str

    @classmethod
    def parse(cls, text: str) -> "Listener":
        """`NAME AUDIENCE poll`, or `NAME AUDIENCE https://…`. Raises `ValueError`."""
        found = _RECEIVER.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not NAME AUDIENCE and poll or an address")
        return cls(found[1], found[2], "" if found[3] == "poll" else found[3])
