"""Guardrails: which statements a permission for a database lets through, and how much one of them may give and take.

They are a net, not the boundary: that is what the login's own rights at the target are (docs/decisions/0047). Where
there are none, everything passes that the login may do.
"""

from dataclasses import dataclass
from enum import StrEnum

from onepam.kernel.clock import MINUTE, SECOND

WAITS = 10 * MINUTE
"""How long a statement waits for a yes where guardrails say nothing of it (microseconds)."""


class StatementClass(StrEnum):
    """What a statement does. `export`: it writes to a file or program of the server, or reads one. `admin`: settings of
    the server, other sessions, roles' own rules. `several`: more than one statement in one text. `other`: what is none
    of these, such as a transaction's bounds or a setting of one's own session. `ask_CLASS`: of guardrails alone, where
    statements of that class run once somebody else has said yes to each."""

    READ = "read"
    WRITE = "write"
    DDL = "ddl"
    GRANT = "grant"
    EXPORT = "export"
    ADMIN = "admin"
    SEVERAL = "several"
    OTHER = "other"
    ASK_READ = "ask_read"
    ASK_WRITE = "ask_write"
    ASK_DDL = "ask_ddl"
    ASK_GRANT = "ask_grant"
    ASK_EXPORT = "ask_export"
    ASK_ADMIN = "ask_admin"
    ASK_SEVERAL = "ask_several"


_ASK = "ask_"

PLAIN = tuple(each for each in StatementClass if not each.startswith(_ASK))
"""What a statement may be."""

ASKABLE = tuple(each for each in PLAIN if f"{_ASK}{each}" in [*StatementClass])
"""Of which somebody else may be asked first. `other` is not among them: transactions are."""


def asking(each: StatementClass) -> StatementClass:
    """How guardrails say that a class of statements asks first."""
    return StatementClass(f"{_ASK}{each}")


@dataclass(frozen=True, slots=True)
class Guardrails:
    """The classes of statements that may run, some of them once somebody else has said yes (`ask_…`); what cannot be
    read as a statement may not, unless every class may run and one asks: then it asks.

    `rows` and `bytes` are the most that one execution may give, whichever comes first; the bytes are those of the rows'
    values, as the recording counts them. `timeout` is the longest that one may take (microseconds). None where there is
    no bound. `wait` is how long a statement may wait for a yes (microseconds; None: as the product has it).
    """

    statements: tuple[StatementClass, ...]
    rows: int | None = None
    timeout: int | None = None
    bytes: int | None = None
    wait: int | None = None

    def runs(self) -> frozenset[StatementClass]:
        """The classes that run at once."""
        return frozenset(each for each in self.statements if each in PLAIN)

    def asks(self) -> frozenset[StatementClass]:
        """The classes that run once somebody else has said yes."""
        return frozenset(each for each in ASKABLE if asking(each) in self.statements and each not in self.statements)

    def words(self) -> str:
        """`read and other; write once somebody has said yes; at most 100 rows`."""
        runs, asks = self.runs(), self.asks()
        said = (
            _listed([each.value for each in PLAIN if each in runs]),
            f"{_listed([each.value for each in PLAIN if each in asks])} once somebody has said yes" if asks else "",
            f"for which a statement waits at most {_time(self.wait)}" if asks and self.wait is not None else "",
            f"at most {self.rows:,} rows" if self.rows is not None else "",
            f"at most {size_words(self.bytes)}" if self.bytes is not None else "",
            f"at most {self.timeout // SECOND:,} s" if self.timeout is not None else "",
        )
        return "; ".join(filter(None, said))

    def waits(self) -> int:
        """How long a statement may wait for a yes (microseconds)."""
        return WAITS if self.wait is None else self.wait

    def levels(self) -> dict[StatementClass, int]:
        """How freely each class runs: 1 where it asks first, 2 where it does not; those that do not run are missing."""
        return {**dict.fromkeys(self.asks(), 1), **dict.fromkeys(self.runs(), 2)}


def size_words(size: int) -> str:
    """`10 MiB`, `1,500 bytes`: in the largest unit of which it is a whole number."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size % (1 << power) == 0:
            return f"{size >> power:,} {unit}"
    return f"{size:,} bytes"


def as_wide(these: Guardrails | None, those: Guardrails | None) -> bool:
    """Whether `these` let through all that `those` do. None is no guardrails at all."""
    if these is None or those is None:
        return these is None
    levels = these.levels()
    return all(levels.get(each, 0) >= least for each, least in those.levels().items()) and all(
        map(int.__ge__, _bounds(these), _bounds(those))
    )


def width(guardrails: Guardrails | None) -> tuple[int, ...]:
    """What sorts guardrails by how much they let through, in one order for all: none at all, more classes or
    fewer that ask first, more rows, more bytes, more time, a longer wait. Whatever is `as_wide` as another sorts no
    lower."""
    if guardrails is None:
        return (1,)
    return (0, sum(guardrails.levels().values()), *_bounds(guardrails))


def narrower(these: Guardrails | None, those: Guardrails | None) -> Guardrails | None:
    """What lets through only what both do."""
    if these is None or those is None:
        return these or those
    mine, theirs = these.levels(), those.levels()
    runs = [each for each in these.statements if mine.get(each) == 2 and theirs.get(each) == 2]
    asks = [asking(each) for each in ASKABLE if min(mine.get(each, 0), theirs.get(each, 0)) == 1]
    return Guardrails(
        (*runs, *asks),
        _least(these.rows, those.rows),
        _least(these.timeout, those.timeout),
        _least(these.bytes, those.bytes),
        min(these, those, key=Guardrails.waits).wait,
    )


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _least(this: int | None, that: int | None) -> int | None:
    return min((bound for bound in (this, that) if bound is not None), default=None)


def _bounds(these: Guardrails) -> tuple[int, ...]:
    """The most of each thing that these let through."""
    return (_much(these.rows), _much(these.bytes), _much(these.timeout), these.waits())


def _much(bound: int | None) -> int:
    return 1 << 62 if bound is None else bound


def _time(length: int) -> str:
    """`90 min`, `30 s`."""
    return f"{length // MINUTE:,} min" if length % MINUTE == 0 else f"{length // SECOND:,} s"
