"""The gateway's own look at a target's catalogue, over the session's connection before its client is in."""

from functools import lru_cache

from onepam.kernel.errors import Refused
from onepam.protocols.postgres.answers import Failed, ask
from onepam.protocols.postgres.catalogue import Catalogue, Row, catalogue, look
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
        return _UNKNOWN if isinstance(rows, Failed) else _catalogue(rows)
    except (TimeoutError, ValueError, LookupError, TypeError, RecursionError):
        return _UNKNOWN


@lru_cache(maxsize=8)
def _catalogue(rows: tuple[Row, ...]) -> Catalogue:
    """Sessions of one database share it. Raises what a reading of no such rows does."""
    return catalogue(rows, outputs)
