"""Judging the entries as the database holds them, beside whatever else reads its rows."""

from collections.abc import Iterator

from onepam.kernel.canonical import decode
from onepam.ledger.findings import Row
from onepam.ledger.lawful.judging import Judging


def of_rows() -> Judging:
    """One that reads stored bodies by `kernel.canonical`."""
    return Judging(decode)


def through(judging: Judging, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, each taken on the way."""
    for row in rows:
        judging.take(row.position, row.time, row.kind, row.version, row.body)
        yield row
