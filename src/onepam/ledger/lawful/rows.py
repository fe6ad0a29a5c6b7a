"""Judging the entries as the database holds them, beside whatever else reads its rows."""

from collections.abc import Callable, Iterator

from onepam.kernel.canonical import decode
from onepam.ledger.findings import Row
from onepam.ledger.lawful.judging import Judging


def of_rows() -> Judging:
    """One that reads stored bodies by `kernel.canonical`."""
    return Judging(decode)


def _unknown(position: int) -> bool:
    return False


def through(judging: Judging, rows: Iterator[Row], begins: Callable[[int], bool] = _unknown) -> Iterator[Row]:
    """The rows, each taken on the way. `begins` says of a position whether a batch begins there; it is asked when the
    row has come."""
    for row in rows:
        judging.take(row.position, row.time, row.kind, row.version, row.body, begins(row.position))
        yield row
