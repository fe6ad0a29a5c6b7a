"""The texts of a session's statements: numbered, recorded once however often they run, and judged."""

import re
from typing import Final

from onepam.kernel.errors import Refused
from onepam.protocols.mysql.exchange import Exchange, Statement
from onepam.protocols.sql.events import Text
from onepam.protocols.sql.journal import LongText
from onepam.recording.statements import MAX_TEXT_BYTES

KNOWN_TEXTS = 256
KNOWN_BYTES = 2048
"""So many texts of at most so many bytes are known again, and not recorded again."""

UNREADABLE: Final = Refused(
    "statement.unreadable", "This statement cannot be read, and only what is read may run here."
)

_BLANK = rb"(?:\s|#[^\n]*(?:\n|\Z)|--[\s\x00-\x1f][^\n]*(?:\n|\Z)|/\*(?![!M+]).*?\*/|/\*M?!\d*)*"
_KILL: Final = re.compile(
    _BLANK + rb"kill\b(?P<more>" + _BLANK + rb"(?:(?:hard|soft)\b" + _BLANK + rb")?(?:(?P<kind>connection|query)\b"
    + _BLANK + rb")?(?P<thread>\d{1,19})\s*;?\s*\Z)?", re.IGNORECASE | re.DOTALL,
)  # fmt: skip
_READ_BYTES: Final = 4096


def killed(text: bytes) -> tuple[int, bool] | None:
    """Whom a KILL is for, and whether the whole session (not only its statement); None for what is no KILL. One that
    names nobody in plain digits is for 0, which is nobody."""
    found = _KILL.match(text[:_READ_BYTES])
    if found is None:
        return None
    if found["thread"] is None:
        return 0, True
    return int(found["thread"]), (found["kind"] or b"").lower() != b"query"


class Texts:
    """Gives each text its number."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._numbers = 0
        self._known: dict[bytes, Statement] = {}

    def statement(self, text: bytes) -> Statement:
        """The statement of a whole text, recorded where it is new."""
        known = self._known.get(text)
        if known is not None:
            return known
        statement = Statement(self._next(), self._judged(text))
        if len(text) <= min(MAX_TEXT_BYTES, self._exchange.allowance.text):
            self._exchange.step.events.append(Text(statement.number, text))
        else:
            long = LongText(self._exchange, statement.number)
            long.take(text)
            long.end()
        if len(text) <= KNOWN_BYTES:
            if len(self._known) >= KNOWN_TEXTS:
                del self._known[next(iter(self._known))]
            self._known[text] = statement
        return statement

    def named(self, name: bytes) -> Statement:
        """A command that is recorded by its name, and has no text that would be judged."""
        statement = Statement(self._next())
        self._exchange.step.events.append(Text(statement.number, name[:MAX_TEXT_BYTES]))
        return statement

    def long(self) -> LongText:
        """For a text that comes in pieces. It is recorded, not judged: only where everything may run."""
        return LongText(self._exchange, self._next())

    def too_long(self) -> Statement:
        """The statement whose text is not read, for it is too long to be judged."""
        statement = Statement(self._next(), UNREADABLE)
        self._exchange.step.events.append(Text(statement.number, b""))
        return statement

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _judged(self, text: bytes) -> Refused | None:
        """Why it may not run, None where it may."""
        allowance = self._exchange.allowance
        if allowance.classes is None or allowance.classify is None:
            return None
        found = allowance.classify(text.decode("latin-1"))
        if found is None:
            return UNREADABLE
        beyond = sorted(found - allowance.classes)
        if not beyond:
            return None
        return Refused(
            f"statement.{beyond[0]}", f"This access does not allow statements of the kind {', '.join(beyond)}."
        )
