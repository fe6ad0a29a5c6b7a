"""The staff roster as a CSV file, read strictly: every row means something, or the file is refused with each reason.

Columns: number, name, email, type, manager, starts, ends, time_zone, sponsor, contract_ends. A header's case, spaces
and hyphens do not matter. The separator is the one of comma, semicolon and tab that the first line holds most of.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from hashlib import sha256

from onepam.domain.people.adding import normalised_email
from onepam.domain.people.events import PersonKind
from onepam.domain.roster.cells import RowError, RowErrors, Shape, read_cells, wrong_cell
from onepam.kernel.clock import Instant, instant
from onepam.kernel.errors import Refused

COLUMNS = (
    "number", "name", "email", "type", "manager", "starts", "ends", "time_zone", "sponsor", "contract_ends",
)  # fmt: skip
NEEDED = ("number", "name", "email", "type")

ZoneOf = Callable[[str], tzinfo | None]
"""The zone of an IANA name, None where there is none."""

_SHAPE = Shape(COLUMNS, NEEDED)
_FORMULA = frozenset("=+-@")
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person by the file. `manager` and `sponsor` are numbers of the same file; `email` is normalised.

    `ends` is the end of the last day or of the contract, the earlier of both.
    """

    number: str
    name: str
    email: str
    type: PersonKind
    manager: str | None
    sponsor: str | None
    starts: Instant | None
    ends: Instant | None
    contract_ends: Instant | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class RosterFile:
    """A file that can be taken, with the SHA-256 of its bytes."""

    digest: str
    rows: tuple[RosterRow, ...]


@dataclass(frozen=True, slots=True)
class InvalidRoster:
    """A file that cannot be taken, and why: the first hundred reasons, of `count`."""

    digest: str
    errors: tuple[RowError, ...]
    count: int


def read_roster(data: bytes, zone_of: ZoneOf, columns: Iterable[tuple[str, str]] = ()) -> RosterFile | InvalidRoster:
    """The rows of a file, or everything that is wrong with it. `columns` are pairs (our name, the header it has)."""
    digest, errors = sha256(data).hexdigest(), RowErrors([])
    return judged(digest, read_cells(data, _SHAPE, dict(columns), errors), zone_of, errors)


def judged(
    digest: str, lines: Sequence[tuple[int, Mapping[str, str]]], zone_of: ZoneOf, errors: RowErrors
) -> RosterFile | InvalidRoster:
    """The rows of cells by our column names, each with its number, or everything that is wrong with them and was
    before."""
    rows = _rows(lines, zone_of, errors)
    if errors.count:
        return InvalidRoster(digest, tuple(sorted(errors.found, key=lambda each: each.line)), errors.count)
    return RosterFile(digest, tuple(row for _, row in rows))


def _rows(
    lines: Sequence[tuple[int, Mapping[str, str]]], zone_of: ZoneOf, errors: RowErrors
) -> list[tuple[int, RosterRow]]:
    zones: dict[str, tzinfo | None] = {}

    def zone(name: str) -> tzinfo | None:
        if name not in zones:
            zones[name] = zone_of(name)
        return zones[name]

    rows = [(line, row) for line, cells in lines if (row := _row(line, cells, zone, errors)) is not None]
    _unique(rows, "number", [row.number for _, row in rows], errors)
    _unique(rows, "email", [row.email for _, row in rows], errors)
    return _resolved(rows, errors)


def _row(line: int, cells: Mapping[str, str], zone_of: ZoneOf, errors: RowErrors) -> RosterRow | None:
    before = errors.count
    for name, cell in cells.items():
        if (wrong := wrong_cell(cell)) is not None:
            errors.add(line, name, wrong)
        elif cell[:1] in _FORMULA and cell:
            errors.add(line, name, "it begins like a formula.")
    if errors.count > before:
        return None
    for name in NEEDED:
        if not cells[name]:
            errors.add(line, name, "it is empty.")
    email = normalised_email(cells["email"]) if cells["email"] else ""
    if isinstance(email, Refused):
        errors.add(line, "email", f"{cells['email'][:60]!r} is not an e-mail address.")
    kind = cells["type"].casefold()
    if kind and kind not in (PersonKind.EMPLOYEE, PersonKind.VENDOR):
        errors.add(line, "type", f"{cells['type'][:40]!r} is neither employee nor vendor.")
    zone_name = cells.get("time_zone") or "UTC"
    zone = zone_of(zone_name)
    if zone is None:
        errors.add(line, "time_zone", f"{zone_name[:60]!r} is not a time zone; such as Europe/Berlin.")
    starts, ends, contract = (
        _time(line, name, cells.get(name, ""), zone, errors) for name in ("starts", "ends", "contract_ends")
    )
    if errors.count > before:
        return None
    row = RosterRow(
        number=cells["number"],
        name=unicodedata.normalize("NFC", " ".join(cells["name"].split())),
        email=str(email),
        type=PersonKind(kind),
        manager=cells.get("manager") or None,
        sponsor=cells.get("sponsor") or None,
        starts=starts,
        ends=min((each for each in (ends, contract) if each is not None), default=None),
        contract_ends=contract,
        time_zone=zone_name,
    )
    _consistent(line, row, ends, errors)
    return row if errors.count == before else None


def _consistent(line: int, row: RosterRow, ends: Instant | None, errors: RowErrors) -> None:
    if ends is not None and row.contract_ends is not None and ends > row.contract_ends:
        errors.add(line, "ends", "it is later than contract_ends.")
    if row.starts is not None and row.ends is not None and row.ends <= row.starts:
        errors.add(line, "ends", "it is before starts.")
    if row.type is PersonKind.VENDOR and row.ends is None:
        errors.add(line, "contract_ends", "a vendor needs an end date.")
    if row.type is PersonKind.VENDOR and row.sponsor is None:
        errors.add(line, "sponsor", "a vendor needs a sponsor.")


def _time(line: int, name: str, text: str, zone: tzinfo | None, errors: RowErrors) -> Instant | None:
    """A date is the start of its day, for an end the end of it; a date with a time is that time. In the row's zone.

    Midnight without a zone is how a spreadsheet writes a date: it counts as one."""
    if not text or zone is None:
        return None
    try:
        day = date.fromisoformat(text[:10])
        if day.isoformat() != text[:10]:  # 20260331 would mean its start, even as an end
            raise ValueError
        if len(text) == 10 or _MIDNIGHT.fullmatch(text[10:]):
            if name != "starts":
                day += timedelta(days=1)
            return instant(datetime.combine(day, time(), zone))
        moment = datetime.fromisoformat(text)
        return instant(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        errors.add(line, name, f"{text[:40]!r} is not a date; write 2026-03-31.")
        return None


def _unique(rows: list[tuple[int, RosterRow]], column: str, values: list[str], errors: RowErrors) -> None:
    first: dict[str, int] = {}
    for (line, _), value in zip(rows, values, strict=True):
        if (earlier := first.setdefault(value, line)) != line:
            errors.add(line, column, f"{value!r} stands on {errors.place(earlier)} already.")


def _resolved(rows: list[tuple[int, RosterRow]], errors: RowErrors) -> list[tuple[int, RosterRow]]:
    """The rows with managers and sponsors as numbers."""
    numbers = {row.number: row for _, row in rows}
    emails = {row.email: row for _, row in rows}

    def find(line: int, column: str, text: str | None) -> RosterRow | None:
        if text is None:
            return None
        found = numbers.get(text) or emails.get(unicodedata.normalize("NFKC", text).casefold())
        if found is None:
            errors.add(line, column, f"{text[:60]!r} is nobody in this file.")
        return found

    resolved = []
    for line, row in rows:
        manager, sponsor = find(line, "manager", row.manager), find(line, "sponsor", row.sponsor)
        if sponsor is not None and sponsor.type is not PersonKind.EMPLOYEE:
            errors.add(line, "sponsor", f"{sponsor.number!r} is not an employee.")
        resolved.append(
            (
                line,
                replace(row, manager=manager.number if manager else None, sponsor=sponsor.number if sponsor else None),
            )
        )
    _no_cycles(resolved, errors)
    return resolved


def _no_cycles(rows: list[tuple[int, RosterRow]], errors: RowErrors) -> None:
    """Each cycle of managers is named once, on its first line."""
    above = {row.number: row.manager for _, row in rows}
    done: set[str] = set()
    for line, row in rows:
        way: dict[str, None] = {}
        at: str | None = row.number
        while at is not None and at not in done and at not in way:
            way[at] = None
            at = above.get(at)
        if at is not None and at in way:
            listed = list(way)
            circle = listed[listed.index(at) :]
            errors.add(line, "manager", f"a circle of managers: {' → '.join([*circle[:6], at])}.")
        done.update(way)
