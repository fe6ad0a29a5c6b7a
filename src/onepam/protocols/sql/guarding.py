"""What the guardrails and the mask of a session mean for databases of every protocol."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from onepam.app.open_session import Opened
from onepam.domain.access.guardrails import ASKABLE, WAITS, Guardrails, StatementClass, narrower
from onepam.domain.access.model import Action
from onepam.protocols.sql.events import Allowance

_CHANGES: Final = frozenset((StatementClass.WRITE, StatementClass.DDL, StatementClass.GRANT))

_SHOWN: Final = (StatementClass.READ, StatementClass.WRITE, StatementClass.SEVERAL, StatementClass.OTHER)
"""What may run where columns are masked: of the other classes nobody can tell what they show, or make to be shown."""


def guarded(opened: Opened) -> Guardrails | None:
    """The guardrails of a session: where columns are masked for it, no more than can be read for what it shows."""
    rails = opened.guardrails
    shown = Guardrails(_SHOWN, wait=rails.wait if rails is not None else None)
    return narrower(rails, shown) if hides(opened) else rails


def hides(opened: Opened) -> bool:
    """Whether columns are masked for whoever has this session."""
    return opened.mask is not None and bool(opened.mask.columns) and Action.UNMASKED not in opened.actions


def looks(opened: Opened) -> bool:
    """Whether it must be known which columns of the target are masked."""
    masks = opened.mask is not None and bool(opened.mask.columns)
    return masks and (hides(opened) or opened.results is not None)


def within(
    guardrails: Guardrails | None,
    found: Allowance,
    classify: Callable[[str], frozenset[str] | None],
    by_name: Callable[[str], bool],
) -> Allowance:
    """What guardrails leave of an allowance, for a protocol that reads its texts by `classify` and `by_name`."""
    if guardrails is None:
        return found
    runs, asks = guardrails.runs(), guardrails.asks()
    return replace(
        found,
        classes=runs | asks,
        asks=asks,
        unread=bool(asks) and runs | asks >= {*ASKABLE},
        by_name=by_name,
        rows=guardrails.rows,
        bytes=guardrails.bytes,
        classify=classify,
    )


def asks(opened: Opened) -> bool:
    """Whether a statement of the session may ask somebody first."""
    rails = guarded(opened)
    return rails is not None and bool(rails.asks())


def waits(opened: Opened) -> int:
    """How long a statement of the session may wait for a yes (microseconds)."""
    return WAITS if opened.guardrails is None else opened.guardrails.waits()


def only_reads(guardrails: Guardrails) -> bool:
    """Whether nothing may change anything, so that the server may hold that, too."""
    return not _CHANGES & (guardrails.runs() | guardrails.asks())
