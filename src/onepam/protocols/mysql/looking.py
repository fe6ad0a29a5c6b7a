"""The gateway's own look at a target's catalogue, over the session's connection before its client is in."""

import asyncio
from functools import lru_cache

from onepam.kernel.errors import Refused
from onepam.protocols.mysql import answers
from onepam.protocols.mysql.answers import Failed, ask
from onepam.protocols.mysql.catalogue import COLUMNS, Catalogue, Row, catalogue, look
from onepam.protocols.mysql.dial import TargetLeg

LOOK_SECONDS = 30.0

_UNKNOWN = Refused(
    "target.refusing",
    "the target does not say which of its columns are masked",
    "an administrator looks whether it is a MySQL of version 5.7, or a MariaDB of 10.2, or newer",
)


async def look_up(leg: TargetLeg, columns: tuple[str, ...]) -> Catalogue | Refused:
    """Which columns of the target are masked. The leg is ready, and is so again."""
    try:
        rows = await ask(leg, look(columns), COLUMNS, LOOK_SECONDS)
        return _UNKNOWN if isinstance(rows, Failed) else await asyncio.to_thread(_catalogue, rows, columns)
    except (TimeoutError, ValueError):
        return _UNKNOWN


@lru_cache(maxsize=8)
def _catalogue(rows: tuple[answers.Row, ...], columns: tuple[str, ...]) -> Catalogue:
    """Sessions of one database share it. Of many views it takes long, and others have their turn meanwhile. Raises
    `ValueError` for texts that are not as `look` asks for them."""
    return catalogue(map(_row, rows), columns)


def _row(row: answers.Row) -> Row:
    what, schema, table, column, text = row
    return (what or "", _text(schema), _text(table), _text(column), _text(text))


def _text(hexadecimal: str | None) -> str:
    return bytes.fromhex(hexadecimal or "").decode()
