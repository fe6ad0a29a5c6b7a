"""Free text that people type: plain, bounded, and the same for everybody who reads it."""

import re
import unicodedata

from onepam.kernel.errors import Refused

_JOINERS = frozenset("\u200c\u200d")
"""Invisible, yet part of ordinary Persian, Hindi and emoji."""

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_CONTROLS = ("\t", "\r", "\n")
"""What spreadsheets begin a formula with, or leave out before one."""

_NUMBER = re.compile(r"0*([0-9]{1,99})(?![0-9])")

_REFUSED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of controls, bidi and other invisible marks, lone surrogates, and exotic line ends."""


def plain_text(text: str, most: int, *, what: str, required: bool = True) -> str | Refused:
    """`text` in NFC on one line, white space collapsed, at most `most` characters; `what` names it in the refusal.

    Control characters other than tab and line ends, bidi marks and other invisible characters are refused, not removed:
    what is stored is what was typed. Empty text is refused where it is `required`.
    """
    if len(text) > most:
        return Refused("text.too_long", f"The {what} has {len(text):,} characters; at most {most:,} are kept.")
    for character in text:
        if character not in "\t\n\r" and character not in _JOINERS and unicodedata.category(character) in _REFUSED:
            return Refused(
                "text.not_plain",
                f"The {what} has the invisible character U+{ord(character):04X}.",
                "Type it as plain text.",
            )
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    if required and not line:
        return Refused("text.missing", f"The {what} is empty.", f"Give a {what}.")
    return line


def printable(text: str, most: int) -> str:
    """What a machine says of itself or to us, for a log, an entry or a terminal: without control characters and other
    invisible ones, at most `most` characters."""
    return "".join(character for character in text if character.isprintable())[:most]


def harmless(cell: str) -> str:
    """The cell of a sheet with an apostrophe before it if a spreadsheet could take it for a formula (OWASP, CSV
    injection)."""
    return "'" + cell if cell.startswith(_CONTROLS) or cell.lstrip().startswith(_FORMULA) else cell


def natural(text: str) -> str:
    """What a name is sorted by: regardless of case, and its numbers by their value, so that web-2 stands before web-10.

    A number is written after the count of its digits; one of a hundred digits or more is text.
    """
    return _NUMBER.sub(lambda found: f"{len(found[1]):02}{found[1]}", text.casefold())
