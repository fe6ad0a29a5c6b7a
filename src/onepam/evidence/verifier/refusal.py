"""How the verification ends before its time, and how text of a pack is shown.

Whatever the pack says is a stranger's: a refusal names the thing, and what is printed cannot act on a terminal.
"""

from __future__ import annotations

import re


class Refused(Exception):
    """The pack does not prove what it claims. The message names the thing."""


class Spoiled(Refused):
    """A file of the pack is not what the pack says of it. Of the history, which others hold too, it says nothing."""


class Usage(Exception):
    """The arguments are wrong, or do not fit each other: nothing is said about the pack."""


class Unfinished(Exception):
    """It could not be carried through, and nothing is said about the pack."""


def need(condition: object, message: str) -> None:
    """Raises `Refused` with the message unless the condition holds."""
    if not condition:
        raise Refused(message)


def cause(error: BaseException) -> str:
    """Why it failed, for people: of the system's errors its words without the number."""
    return getattr(error, "strerror", None) or str(error)


def counted(count: int, one: str, many: str = "") -> str:
    """So many of something, in words."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def show(text: object) -> str:
    """Text for a terminal: printable ASCII, everything else escaped, so that no content of the pack can act on it."""
    return re.sub(r"[^ -~]", lambda m: m[0].encode("unicode_escape").decode(), str(text))
