"""The texts of a session's statements: numbered, recorded once however often they run, and judged."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from onepam.kernel.errors import Refused
from onepam.protocols.postgres.binding import NAME_BYTES, cut_name
from onepam.protocols.postgres.exchange import NOTHING, Exchange, Statement
from onepam.protocols.postgres.wire import Malformed, types_of
from onepam.protocols.sql.events import Freed, Hidden, Text
from onepam.protocols.sql.journal import LongText
from onepam.protocols.sql.judging import ALLOWED, UNREADABLE, judged
from onepam.protocols.sql.literals import behind_blanks, literals
from onepam.protocols.sql.masking import NOTHING as NOTHING_SHOWN
from onepam.protocols.sql.masking import Masked, parts_masked
from onepam.protocols.sql.passwords import announced, binds, surely_hidden
from onepam.recording.statements import MAX_TEXT_BYTES

KNOWN_TEXTS = 256
KNOWN_BYTES = 2048
"""So many texts of at most so many bytes are known again, and not recorded again."""

UNSAFE_ENCODINGS = frozenset(("SJIS", "SHIFT_JIS_2004", "BIG5", "GBK", "UHC", "GB18030", "JOHAB"))
"""Encodings of clients in which a byte of ASCII may be the second half of a letter: a quote in our eyes, not in the
server's."""

_ESCAPING: Final = partial(literals, escapes=True)

MOST_PATH = 200
"""Bytes that are shown of a text that may set the search_path."""

_PATH = re.compile(rb"search_path|\bset\s+(?:(?:session|local)\s+)?schema\b|\b(?:discard|reset)\s+all\b", re.IGNORECASE)
_NAME, _TEXT, _TYPES = range(3)
_MOST_TYPES = 2 + 4 * 65_535
_GIVING = rb"(?:deallocate|discard|close|declare|prepare|commit|rollback|abort|end|call|do)\b"
_GIVES = re.compile(rb"\b" + _GIVING, re.IGNORECASE)
_GIVES_NOT = re.compile(rb"\s*(?!" + _GIVING + rb")[a-z(]", re.IGNORECASE)
_READ_BYTES = 4096
"""So long may a text be that is read for the names that it gives up alone."""
_UNSETTLED = Refused(
    UNREADABLE.code,
    "this statement cannot be read before what was sent ahead of it has been answered.",
    "Wait for the answer to what is of the kind admin before you send backslashes, or letters beyond ASCII.",
)
_COPY = re.compile(rb"copy\b", re.IGNORECASE)


def read_otherwise(settings: Mapping[str, str]) -> bool:
    """Whether a server with these settings reads texts by others than it has been given for a start."""
    encoding = settings.get("client_encoding", "UTF8").upper()
    return (encoding, settings.get("standard_conforming_strings", "on")) != ("UTF8", "on")


class Under(NamedTuple):
    """The settings by which a server reads a text, as it told them; `settled`: whether it is known that it does."""

    encoding: str | None
    conforming: str | None
    settled: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What a text is, where the server reads it `under` these settings: a statement that has no number yet, how it is
    recorded, and how many of its parts are masked."""

    text: bytes
    under: Under
    statement: Statement
    said: bytes
    parts: int


class Texts:
    """Gives each text its number. `spent`: bytes of those that were new and read on the loop, since it was set to 0."""

    def __init__(self, exchange: Exchange) -> None:
        self.spent = 0
        self._exchange = exchange
        self._numbers = 0
        self._known: dict[bytes, Statement] = {}
        self._known_under = self._settings()

    def reads(self, text: bytes) -> bool:
        """Whether a text that was not read before is read as SQL, or looked through for passwords."""
        under = self._under(text)
        read: Looked | None = self._exchange.read
        if read is not None and (read.text, read.under) == (text, under):
            return False
        return self._is_read(text) and self._found(text, under) is None

    def _is_read(self, text: bytes) -> bool:
        allowance = self._exchange.allowance
        return allowance.classes is not None or allowance.masking is not None or announced(text)

    def _found(self, text: bytes, under: Under) -> Statement | None:
        """What the text is known to be."""
        if self._known_under != under[:2]:  # the same bytes may be another statement now
            self._known.clear()
            self._known_under = under[:2]
        return self._known.get(text) if under.settled else None

    def statement(self, text: bytes) -> Statement:
        """The statement of a whole text, recorded where it is new."""
        known = self._found(text, under := self._under(text))
        if known is not None:
            return known
        looked: Looked | None = self._exchange.read
        if looked is None or (looked.text, looked.under) != (text, under):
            looked = self.look(text)
            self.spent += len(text)
        self._exchange.read = None
        statement = looked.statement._replace(number=self._next())
        self._record(statement.number, looked.said)
        if looked.parts:
            self._exchange.step.events.append(Hidden("statement", statement.number, parts_masked(looked.parts)))
        if under.settled and len(text) <= KNOWN_BYTES:
            if len(self._known) >= KNOWN_TEXTS:
                del self._known[next(iter(self._known))]
            self._known[text] = statement
        return statement

    def look(self, text: bytes) -> Looked:
        """What a text is. It changes nothing of the session's, and may run beside the loop: nothing of the client's is
        taken meanwhile, and `under` tells where the target said what makes another text of it."""
        allowance, under = self._exchange.allowance, self._under(text)
        words = self._words(text, under)
        unreadable = UNREADABLE if under.settled else _UNSETTLED
        verdict = ALLOWED if allowance.classes is None else judged(allowance, words, len(text), unreadable)
        statement = Statement(
            0,
            verdict.refusal,
            _copies(text),
            self._freed(text, words),
            asks=verdict.asks,
            text=text if verdict.asks else b"",
            resets=verdict.resets,
            path=text[:MOST_PATH] if allowance.asks and _PATH.search(text) else b"",
        )
        if not self._is_read(text):
            return Looked(text, under, statement, text, 0)
        masked = Masked(text, 0, None) if allowance.masking is None else allowance.masking.text(text, words)
        said, found = surely_hidden(masked.text, literals, _ESCAPING)
        if found or masked.parts or masked.shown is not None:
            statement = statement._replace(shown=masked.shown, masked=True)
        if binds(text):
            statement = statement._replace(shown=NOTHING_SHOWN, masked=True)
        return Looked(text, under, statement, said, masked.parts + found)

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _record(self, number: int, text: bytes) -> None:
        if len(text) <= min(MAX_TEXT_BYTES, self._exchange.allowance.text):
            self._exchange.step.events.append(Text(number, text))
            return
        long = LongText(self._exchange, number, looked=True)
        long.take(text)
        long.end()

    def reader(self, *, named: bool) -> "TextReader":
        """For a text that comes in pieces (a Parse, where it is `named`). It is recorded, not judged: only where
        everything may run."""
        masked = self._exchange.allowance.masking is not None
        return TextReader(LongText(self._exchange, self._next(), masked=masked), named=named)

    def function(self, number: int) -> Statement:
        """A call of the function of this number, of which nobody knows what its parameters are bound to."""
        text = b"function %d" % number
        known = self._known.get(text)
        if known is None:
            masked = self._exchange.allowance.masking is not None
            known = Statement(self._next(), shown=NOTHING_SHOWN if masked else None, masked=masked)
            self._record(known.number, text)
        return known

    def too_long(self) -> Statement:
        """The statement whose text is not read, for it is too long to be judged."""
        statement = Statement(self._next(), UNREADABLE)
        self._record(statement.number, b"")
        return statement

    def _settings(self) -> tuple[str | None, str | None]:
        settings = self._exchange.settings
        return settings.get("client_encoding"), settings.get("standard_conforming_strings")

    def _settled(self, text: bytes) -> bool:
        """Whether it is known by which settings the server reads this text, or it reads it alike by any."""
        return self._exchange.unsettled < 0 or (text.isascii() and b"\\" not in text)

    def _freed(self, text: bytes, words: str | None) -> Freed | None:
        """Names that it gives up, if any; None where they cannot be told. Most texts are one statement that does not
        begin with a word that gives up names, and are read no further."""
        second = text.find(b";")
        if (second < 0 or not text[second + 1 :].strip()) and _GIVES_NOT.match(text):
            return NOTHING
        if _GIVES.search(text) is None:
            return NOTHING
        freed = self._exchange.allowance.freed
        return None if words is None or freed is None or len(text) > _READ_BYTES else freed(words)

    def _under(self, text: bytes) -> Under:
        """By which settings the server reads a text."""
        return Under(*self._settings(), self._settled(text))

    @staticmethod
    def _words(text: bytes, under: Under) -> str | None:
        """The text as the server will read it, None where that is not sure."""
        if not under.settled:
            return None
        if under.conforming == "off" and b"\\" in text:
            return None
        encoding = (under.encoding or "UTF8").upper()
        try:
            return text.decode("ascii" if encoding in UNSAFE_ENCODINGS else "utf-8")
        except UnicodeDecodeError:
            # In the other encodings a byte of ASCII is always itself; which letters the rest are does not matter here.
            return None if encoding == "UTF8" or encoding in UNSAFE_ENCODINGS else text.decode("latin-1")


def _copies(text: bytes) -> bool:
    """Whether it begins with COPY, behind comments."""
    return _COPY.match(text, behind_blanks(text)) is not None


class TextReader:
    """Reads a Query or a Parse as it comes. `name` is that of a Parse."""

    def __init__(self, long: LongText, *, named: bool) -> None:
        self.name = b""
        self._long = long
        self._named = named
        self._types = bytearray()
        self._reading: int = _NAME if named else _TEXT

    @property
    def statement(self) -> Statement:
        """What it is, once it has ended."""
        masked = self._long.masked or self._long.stops
        return Statement(self._long.number, frees=None, shown=NOTHING_SHOWN if masked else None, masked=masked)

    def take(self, piece: bytes) -> None:
        """The next bytes of the body; the first ones hold the whole name. Raises `Malformed`."""
        if self._reading == _NAME:
            end = piece.find(0, 0, NAME_BYTES + 1)
            if end < 0:
                raise Malformed("a name is too long")
            self.name, piece, self._reading = cut_name(piece[:end]), piece[end + 1 :], _TEXT
        if self._reading == _TEXT:
            end = piece.find(0)
            self._long.take(piece if end < 0 else piece[:end])
            if end < 0:
                return
            piece, self._reading = piece[end + 1 :], _TYPES
        self._types += piece
        if len(self._types) > _MOST_TYPES or (self._types and not self._named):
            raise Malformed("something follows the text of a statement")

    def end(self) -> None:
        """The message has ended. Raises `Malformed`."""
        if self._reading != _TYPES:
            raise Malformed("a text has no end")
        if self._named:
            types_of(bytes(self._types))
        self._long.end()
