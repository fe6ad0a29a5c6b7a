"""Judging the entries as the database holds them, beside whatever else reads its rows.

Nearly every body is read and held against the form of its kind in one step, by `canonical.reader`, which may only say
yes. What it does not take is read by `canonical.decode` and held against its form by `form.py`: the definition.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal, NotRequired, TypedDict

from onepam.kernel.canonical import Integer, decode, reader
from onepam.ledger.findings import Row
from onepam.ledger.lawful.form import OF_KINDS, Said, of_form
from onepam.ledger.lawful.judging import Judging


def of_rows() -> Judging:
    """One that reads stored bodies."""
    return Judging(read)


def read(kind: str, version: int, body: bytes) -> Any:
    """The value of a stored body, which has the form of its kind. Raises as `decode` and `of_form`."""
    found = quickly(kind, version)(body)
    return of_form(kind, version, decode(body)) if found is None else found


@cache
def quickly(kind: str, version: int) -> Callable[[bytes], Any]:
    """The reader of bodies that have the form of a kind."""
    return reader(form_of(OF_KINDS[kind, version].type))


def form_of(said: Said) -> Any:
    """A type of `form.py` as a form of `canonical.reader`."""
    sign = said[0]
    if sign == "?":
        return form_of(said[1]) | None
    if sign == "(":
        return Literal[tuple(said[1])]
    if sign == "[":
        return list[form_of(said[1])]  # type: ignore[misc]
    if sign == "<":
        return dict[str, form_of(said[1])]  # type: ignore[misc]
    if sign == "{":
        types = {name: form_of(said[1][name]) for name in sorted(said[1])}
        return TypedDict("Form", {name: t if name in said[2] else NotRequired[t] for name, t in types.items()})  # type: ignore[operator]
    return {"text": str, "integer": Integer, "truth": bool}[sign]


def _unknown(position: int) -> bool:
    return False


def through(judging: Judging, rows: Iterator[Row], begins: Callable[[int], bool] = _unknown) -> Iterator[Row]:
    """The rows, each taken on the way. `begins` says of a position whether a batch begins there; it is asked when the
    row has come."""
    for row in rows:
        judging.take(row.position, row.time, row.kind, row.version, row.body, begins(row.position))
        yield row
