"""The gateway's own look at a target's catalogue, over the session's connection before its client is in."""

import asyncio
from collections import OrderedDict
from typing import Final

from onepam.kernel.errors import Refused
from onepam.protocols.postgres.answers import Failed, ask
from onepam.protocols.postgres.catalogue import Catalogue, Reading, Row, catalogue, look
from onepam.protocols.postgres.dial import TargetLeg
from onepam.protocols.postgres.masked_columns import outputs

LOOK_SECONDS = 30.0

_UNKNOWN = Refused(
    "target.refusing",
    "the target does not say which of its columns are masked",
    "an administrator looks whether it is a PostgreSQL of version 12 or newer",
)


async def look_up(leg: TargetLeg, columns: tuple[str, ...]) -> Catalogue | Refused:
    """Which columns of the target are masked. The leg is ready, and is so again."""
    try:
        rows = await ask(leg, look(columns), LOOK_SECONDS)
        return _UNKNOWN if isinstance(rows, Failed) else await _read(rows)
    except (TimeoutError, ValueError, LookupError, TypeError, RecursionError):
        return _UNKNOWN


_KNOWN: Final[OrderedDict[tuple[Row, ...], Catalogue]] = OrderedDict()
MOST_KNOWN: Final = 8


async def _read(rows: tuple[Row, ...]) -> Catalogue:
    """What they say; sessions of one database share it. Others have their turn meanwhile. Raises what a reading of no
    such rows does."""
    known: Catalogue | None = _KNOWN.get(rows)
    if known is not None:
        _KNOWN.move_to_end(rows)
        return known
    reading = catalogue(rows, outputs)
    while (known := _next(reading)) is None:  # noqa: ASYNC110 - nothing is waited for: others have their turn
        await asyncio.sleep(0)
    _KNOWN[rows] = known
    while len(_KNOWN) > MOST_KNOWN:
        _KNOWN.popitem(last=False)
    return known


def _next(reading: Reading) -> Catalogue | None:
    """The next step; what there is, once it is over."""
    try:
        next(reading)
    except StopIteration as read:
        known: Catalogue = read.value
        return known
    return None
