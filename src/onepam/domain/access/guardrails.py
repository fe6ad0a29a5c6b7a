"""Guardrails: which statements a permission for a database lets through, and how much one of them may give and take.

They are a net, not the boundary: that is what the login's own rights at the target are (docs/decisions/0047). Where
there are none, everything passes that the login may do.
"""

from dataclasses import dataclass
from enum import StrEnum


class StatementClass(StrEnum):
    """What a statement does. `export`: it writes to a file or program of the server, or reads one. `admin`: settings of
    the server, other sessions, roles' own rules. `several`: more than one statement in one text. `other`: what is none
    of these, such as a transaction's bounds or a setting of one's own session."""

    READ = "read"
    WRITE = "write"
    DDL = "ddl"
    GRANT = "grant"
    EXPORT = "export"
    ADMIN = "admin"
    SEVERAL = "several"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Guardrails:
    """The classes of statements that may run; what cannot be read as a statement may not.

    `rows` are the most that one execution may give, `timeout` is the longest that one may take (microseconds); None
    where there is no bound.
    """

    statements: tuple[StatementClass, ...]
    rows: int | None = None
    timeout: int | None = None


def as_wide(these: Guardrails | None, those: Guardrails | None) -> bool:
    """Whether `these` let through all that `those` do. None is no guardrails at all."""
    if these is None or those is None:
        return these is None
    return (
        set(those.statements) <= set(these.statements)
        and _as_much(these.rows, those.rows)
        and _as_much(these.timeout, those.timeout)
    )


def width(guardrails: Guardrails | None) -> tuple[bool, int, int, int]:
    """What sorts guardrails by how much they let through, in one order for all: none at all, more classes, more rows,
    more time. Whatever is `as_wide` as another sorts no lower."""
    if guardrails is None:
        return (True, 0, 0, 0)
    return (False, len(guardrails.statements), _much(guardrails.rows), _much(guardrails.timeout))


def narrower(these: Guardrails | None, those: Guardrails | None) -> Guardrails | None:
    """What lets through only what both do."""
    if these is None or those is None:
        return these or those
    return Guardrails(
        tuple([each for each in these.statements if each in those.statements]),
        _least(these.rows, those.rows),
        _least(these.timeout, those.timeout),
    )


def _least(this: int | None, that: int | None) -> int | None:
    return min((bound for bound in (this, that) if bound is not None), default=None)


def _as_much(this: int | None, that: int | None) -> bool:
    return _much(this) >= _much(that)


def _much(bound: int | None) -> int:
    return 1 << 62 if bound is None else bound
