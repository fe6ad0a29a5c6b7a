"""Comments that a server runs, or passes over, by its kind and its version: `/*!40101 … */` and, MariaDB alone,
`/*M!100100 … */`. Which of it a server does nobody knows who reads a text. So a text with some is read as all the texts
that it may be, and does what any of them does. Pure.
"""

import re
from itertools import product
from typing import Final

from onepam.protocols.mysql.lexing import PIECE

MOST_KINDS: Final = 3
"""Of different versions in a text; comments of the same one are run all, or none is."""

_COMMENT: Final = re.compile(rb"/\*(?P<version>![0-9]{5}|M![0-9]{6})(?=[\t\n\v\f\r ])")
"""As many digits as every server reads, and a blank, so that none reads the next one for a digit."""

_OTHERS: Final = re.compile(r"/\*M?!")


def some(text: bytes) -> bool:
    """Whether a text may have such a comment."""
    return b"/*!" in text or b"/*M!" in text


def variants(sql: str) -> tuple[str, ...] | None:
    """All texts that this one may be for a server; itself where it has no such comment. None where one has another
    form, or holds what could end it elsewhere where it is run than where it is passed over."""
    if _OTHERS.search(sql) is None:
        return (sql,)
    pieces = _pieces(sql.encode("utf-8", "surrogatepass"))
    if pieces is None:
        return None
    versions = sorted({version for version, _ in pieces if version})
    if len(versions) > MOST_KINDS:
        return None
    found = []
    for run in product((True, False), repeat=len(versions)):
        runs = {b"", *(each for each, does in zip(versions, run, strict=True) if does)}
        text = b"".join(part if version in runs else b" " for version, part in pieces)
        found.append(text.decode("utf-8", "surrogatepass"))
    return tuple(found)


def _pieces(text: bytes) -> list[tuple[bytes, bytes]] | None:
    """Parts of the text, each with the version by which it is run, empty for what always is."""
    found: list[tuple[bytes, bytes]] = []
    offset, size = 0, len(text)
    while offset < size:
        piece, comment = PIECE.match(text, offset), _COMMENT.match(text, offset)
        begin, version = offset, b""
        if comment is not None:
            end = text.find(b"*/", comment.end())
            part = text[comment.end() : end]
            if end < 0 or not _is_plain(part):
                return None
            offset, version = end + 2, comment["version"]
            found.append((version, b" %b " % part))
            continue
        if piece is None:
            return None
        offset = piece.end()
        if piece.lastgroup == "block":
            offset = text.find(b"*/", offset) + 2
            if offset < begin + 4:
                return None
        found.append((version, text[begin:offset]))
    return found


def _is_plain(part: bytes) -> bool:
    """Whether no comment stands in it, and all quotes are closed: it ends at the first `*/` for everybody."""
    offset = 0
    while offset < len(part):
        piece = PIECE.match(part, offset)
        if piece is None or piece.lastgroup in ("line", "block"):
            return False
        offset = piece.end()
    return b"/*" not in part
