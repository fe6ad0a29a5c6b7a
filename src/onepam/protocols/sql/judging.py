"""Whether a statement's text may run, asks first, or is refused, and in which words: alike for every protocol."""

from dataclasses import dataclass
from typing import Final

from onepam.domain.access.guardrails import StatementClass
from onepam.kernel.errors import Refused
from onepam.protocols.sql.events import Allowance

MOST_SHOWN: Final = 64 * 1024
"""Bytes of a statement that asks first, at most: somebody reads all of it."""

UNREADABLE: Final = Refused(
    "statement.unreadable", "this statement cannot be read, and only what is read may run here."
)
_BY_NAME: Final = Refused(
    "statement.by_name",
    "where some statements ask first, PREPARE and EXECUTE of SQL do not pass: what runs must stand in the text.",
    "A driver's own prepared statements do.",
)
_TOO_LONG: Final = Refused(
    "statement.too_long", "this statement asks first, and is too long to be shown to whoever decides."
)
_NOTHING: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Judged:
    """The classes for which a text asks first, why it may not run, None where it may, and whether it may change how the
    server reads what follows."""

    asks: frozenset[str] = frozenset()
    refusal: Refused | None = None
    resets: bool = False


ALLOWED: Final = Judged()
"""Where everything is."""


def judged(allowance: Allowance, words: str | None, size: int, unreadable: Refused = UNREADABLE) -> Judged:
    """Of a text of `size` bytes that reads as `words`, None where that is not sure."""
    if allowance.classes is None or allowance.classify is None:
        return ALLOWED
    found = allowance.classify(words) if words is not None else None
    if found is None and not allowance.unread:
        return Judged(refusal=unreadable)
    if allowance.asks and allowance.by_name is not None and words is not None and allowance.by_name(words):
        return Judged(refusal=_BY_NAME)
    if (beyond := not_allowed(allowance, found or _NOTHING)) is not None:
        return Judged(refusal=beyond)
    if allowance.proves is not None and (unproven := allowance.proves(words or "")) is not None:
        return Judged(refusal=unproven)
    asks = allowance.asks if found is None else found & allowance.asks
    resets = found is None or StatementClass.ADMIN in found
    return Judged(asks, _TOO_LONG if asks and size > MOST_SHOWN else None, resets)


def not_allowed(allowance: Allowance, found: frozenset[str]) -> Refused | None:
    """Why these classes may not run."""
    beyond = sorted(found - allowance.classes) if allowance.classes is not None else []
    if not beyond:
        return None
    return Refused(f"statement.{beyond[0]}", f"this access does not allow statements of the kind {', '.join(beyond)}.")
