"""Passwords known from breaches, in a file that the operator provides. Nothing is ever fetched."""

import hashlib
import re
from pathlib import Path
from typing import final

from onepam.kernel.errors import Corrupt

MIN_PREFIX_DIGITS = 12
_MAX_LINE = 64
_LINE = re.compile(rb"([0-9A-Fa-f]{%d,40})(?::[0-9]{1,12})?\r?\n?" % MIN_PREFIX_DIGITS)


@final
class BreachedFile:
    """A file in the format of Pwned Passwords, "ordered by hash": lines `SHA1[:count]`, sorted, in hexadecimal.

    Hashes may be cut to a common length of at least 12 digits to save space. Looked up by binary search: some 40 reads
    in 40 GB.
    """

    def __init__(self, path: Path) -> None:
        """Raises `FileNotFoundError`, and `Corrupt` if the file does not begin like such a list."""
        self._path = path
        with path.open("rb") as file:
            if _LINE.fullmatch(file.readline(_MAX_LINE)) is None:
                raise Corrupt(f"{path} is no list of SHA-1 hashes ordered by hash")

    def __contains__(self, password: str) -> bool:
        """Raises `Corrupt` on a malformed line on the way: a broken list must not let a password pass."""
        wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode("ascii")
        with self._path.open("rb") as file:
            low, high = 0, file.seek(0, 2)
            # The last line that is not above `wanted` starts in [low, high).
            while low < high:
                middle = (low + high) // 2
                file.seek(middle)
                if middle:
                    file.seek(middle - 1)
                    file.readline(_MAX_LINE)
                start = file.tell()
                if start >= high:
                    high = middle
                    continue
                digits = self._digits(file.readline(_MAX_LINE))
                if wanted.startswith(digits):
                    return True
                if digits < wanted:
                    low = file.tell()
                else:
                    high = middle
        return False

    def _digits(self, line: bytes) -> bytes:
        found = _LINE.fullmatch(line)
        if found is None:
            raise Corrupt(f"{self._path} holds a line that is no SHA-1 hash")
        return found[1].upper()
