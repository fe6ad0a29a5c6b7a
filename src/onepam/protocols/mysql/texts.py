"""The texts of a session's statements: numbered, recorded once however often they run, and judged."""

import re
from dataclasses import replace
from typing import Final

from onepam.domain.access.guardrails import StatementClass
from onepam.kernel.errors import Refused
from onepam.protocols.mysql.exchange import Exchange, Looked, Statement
from onepam.protocols.mysql.making import ROUTINES
from onepam.protocols.mysql.uploading import loads
from onepam.protocols.sql.events import Hidden, Text
from onepam.protocols.sql.journal import LongText
from onepam.protocols.sql.judging import UNREADABLE, judged, not_allowed
from onepam.protocols.sql.literals import Literal, What
from onepam.protocols.sql.masking import NOTHING, Masked, parts_masked
from onepam.protocols.sql.passwords import announced, binds, surely_hidden
from onepam.recording.statements import MAX_TEXT_BYTES

KNOWN_TEXTS = 256
KNOWN_BYTES = 2048
"""So many texts of at most so many bytes are known again, and not recorded again."""

_QUOTED = rb"|".join(rb"%b[^%b\\]*(?:\\(?:.|\Z)[^%b\\]*)*(?:%b|\Z)" % ((each,) * 4) for each in (b"'", b'"'))
_RESETS: Final = re.compile(rb"sql_mode|\bnames\b|char|prepare|execute|/\*M?!", re.IGNORECASE)
"""What may change how a server reads what follows."""

UNSETTLED: Final = Refused(
    UNREADABLE.code,
    "this statement cannot be read after one of the kind admin, which may have changed how the server reads.",
    "Without backslashes, double quotes and letters beyond ASCII it can; or connect again.",
)

_PIECE: Final = re.compile(
    rb"(?P<blank>\s+|#[^\n]*|--(?=[\x00-\x20\x7f]|\Z)[^\n]*|/\*(?!M?!)(?:.*?\*/|.*))|(?P<word>[\w$.]+)"
    rb"|(?P<other>" + _QUOTED + rb"|`[^`]*`|@+[\w$.]*|/\*M?!\d*|.)", re.DOTALL,
)  # fmt: skip
"""Any text is made of these, each of which is read once: none can be made to take long."""

_UNESCAPED: Final = re.compile(_PIECE.pattern.replace(_QUOTED, rb"'[^']*'?+|\"[^\"]*\"?+"), re.DOTALL)
"""The same where a backslash is a letter."""

_OWN: Final = re.compile(rb"kill (?:(?:hard|soft) )?(?:(?:connection|(?P<query>query)) )?(?P<thread>\d{1,19})(?: ;)?")
_ROUTINES: Final = frozenset(each.lower().encode() for each in ROUTINES)
_FIRST: Final = 16
"""Of so many pieces a text says what it is."""


def kills(text: bytes) -> bool:
    """Whether a KILL may stand in it; most texts have none, and are read no further."""
    return b"kill" in text.lower()


def killed(text: bytes) -> tuple[int, bool] | None:
    """Whom a KILL is for, and whether the whole session (not only its statement); None for what has no KILL. One that
    stands beside something else, or names nobody in plain digits, is for 0, which is nobody. KILL is reserved: where it
    is not quoted, it is one, but in the body of a routine that is made, whose execution is the server's affair."""
    if not kills(text):
        return None
    first: list[bytes] = []
    found = False
    for each in _PIECE.finditer(text):
        if each.lastgroup == "blank":
            continue
        piece = each[0].lower()
        found = found or piece == b"kill"
        if len(first) < _FIRST:
            first.append(piece)
    words = [each for each in first if each[:1].isalpha()]
    if not found or (words[0] == b"create" and not _ROUTINES.isdisjoint(words)):
        return None
    own = _OWN.fullmatch(b" ".join(first))
    return (int(own["thread"]), own["query"] is None) if own is not None else (0, True)


def without_passwords(text: bytes) -> tuple[bytes, int]:
    """A text without its passwords, and how many parts were taken out."""
    return surely_hidden(text, _literals, _unescaped)


def _literals(text: bytes, pieces: re.Pattern[bytes] = _PIECE) -> list[Literal]:
    """Texts in quotes, and comments, in order."""
    found = list[Literal]()
    for each in pieces.finditer(text):
        start, end = each.span()
        if each.lastgroup == "blank" and not each[0][:1].isspace():
            found.append(Literal(What.COMMENT, start, end, (start + 1, end)))
        elif each[0][:1] in (b"'", b'"'):
            found.append(Literal(What.STRING, start, end, (start + 1, max(start + 1, end - 1))))
    return found


def _unescaped(text: bytes) -> list[Literal]:
    return _literals(text, _UNESCAPED)


class Texts:
    """Gives each text its number."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._numbers = 0
        self._known: dict[bytes, Statement] = {}
        self._unsettled = False
        """Whether something was allowed by which the server may read texts in another way."""

    def restarts(self) -> None:
        """The session is reset, and the server reads texts as its login has it, not as it was told at the start."""
        if self._exchange.allowance.masking is not None:
            self._unsettled = True
            self._known.clear()

    def reads(self, text: bytes) -> bool:
        """Whether a text that was not read before is read as SQL, or looked through for passwords or a KILL."""
        allowance = self._exchange.allowance
        reads = allowance.classify is not None or allowance.masking is not None or announced(text) or kills(text)
        return reads and text not in self._known

    def statement(self, text: bytes) -> Statement:
        """The statement of a whole text, recorded where it is new."""
        known = self._known.get(text)
        if known is not None:
            return known
        looked, allowance, number = self._exchange.read, self._exchange.allowance, self._next()
        if looked is None or (looked.text, looked.unsettled) != (text, self._unsettled):
            looked = self.look(text)
        found, masked = looked.judged, looked.masked
        unguarded = allowance.classes is None and allowance.masking is not None
        if (found.resets and found.refusal is None) or (unguarded and (not looked.sure or _RESETS.search(text))):
            self._unsettled = True
            self._known.clear()
        kept = text if found.asks else b""
        statement = Statement(number, found.refusal, found.asks, kept, loads=loads(text), kills=looked.kills)
        if looked.taken or masked.parts or masked.shown is not None:
            statement = replace(statement, shown=masked.shown, masked=True)
        if looked.binds:
            statement = replace(statement, shown=NOTHING, masked=True)
        self._record(number, looked.said, looked.taken + masked.parts)
        if len(text) <= KNOWN_BYTES:
            if len(self._known) >= KNOWN_TEXTS:
                del self._known[next(iter(self._known))]
            self._known[text] = statement
        return statement

    def look(self, text: bytes) -> Looked:
        """What a text is. It changes nothing, and may run beside the loop while nothing of the client's is taken."""
        allowance, words, unsettled = self._exchange.allowance, self._words(text), self._unsettled
        found = judged(allowance, words, len(text), UNSETTLED if unsettled else UNREADABLE)
        masked = Masked(text, 0, None) if allowance.masking is None else allowance.masking.text(text, words)
        said, taken = without_passwords(masked.text)
        return Looked(text, unsettled, found, words is not None, masked, said, taken, binds(text), killed(text))

    def _words(self, text: bytes) -> str | None:
        """The text as it is read, None where that is not sure. A guarded session begins with character sets in which
        ASCII is itself, and with quotes and backslashes that mean what they do to us; what is no UTF-8 is not read."""
        if self._unsettled and (not text.isascii() or b"\\" in text or b'"' in text):
            return None
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError:
            return None

    def _record(self, number: int, text: bytes, hidden: int) -> None:
        if len(text) <= min(MAX_TEXT_BYTES, self._exchange.allowance.text):
            self._exchange.step.events.append(Text(number, text))
        else:
            long = LongText(self._exchange, number, looked=True)
            long.take(text)
            long.end()
        if hidden:
            self._exchange.step.events.append(Hidden("statement", number, parts_masked(hidden)))

    def named(self, name: bytes, does: StatementClass | None = None) -> Statement:
        """A command that is recorded by its name, and does what a statement of this class does; None for what every
        session may."""
        refusal = not_allowed(self._exchange.allowance, frozenset((does,)) if does is not None else frozenset())
        statement = Statement(self._next(), refusal)
        self._exchange.step.events.append(Text(statement.number, name[:MAX_TEXT_BYTES]))
        return statement

    def long(self) -> LongText:
        """For a text that comes in pieces. It is recorded, not judged: only where everything may run."""
        self._unsettled = self._exchange.allowance.masking is not None
        return LongText(self._exchange, self._next(), masked=self._exchange.allowance.masking is not None)

    def too_long(self) -> Statement:
        """The statement whose text is not read, for it is too long to be judged."""
        statement = Statement(self._next(), UNREADABLE)
        self._exchange.step.events.append(Text(statement.number, b""))
        return statement

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers
