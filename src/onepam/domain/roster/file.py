"""The staff roster as a CSV file, read strictly: every row means something, or the file is refused with each reason.

Columns: number, name, email, type, manager, starts, ends, time_zone, sponsor, contract_ends. A header's case, spaces
and hyphens do not matter. The separator is the one of comma, semicolon and tab that the first line holds most of.
"""

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from hashlib import sha256
from io import StringIO

from onepam.domain.people.adding import normalised_email
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import Instant, instant
from onepam.kernel.errors import Refused

MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_ROWS = 50_000
MAX_CELL_CHARACTERS = 254
MAX_ERRORS = 100

COLUMNS = (
    "number", "name", "email", "type", "manager", "starts", "ends", "time_zone", "sponsor", "contract_ends",
)  # fmt: skip
NEEDED = ("number", "name", "email", "type")

ZoneOf = Callable[[str], tzinfo | None]
"""The zone of an IANA name, None where there is none."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_SAID = re.compile(r"\"?sep=([,;\t])\"?[,;\t]*", re.ASCII | re.IGNORECASE)
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?", re.ASCII)
_FORMULA = frozenset("=+-@")


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong, and where: the line of the file (from 1; 0 is the file as a whole) and the column. `place` is the
    name of the row where it does not come from a file."""

    line: int
    column: str
    message: str
    place: str = ""

    def __str__(self) -> str:
        if self.place:
            return f"{self.place}: {f'{self.column}: ' if self.column else ''}{self.message}"
        where = f"line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{where if self.line else 'the file'}: {self.message}"


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


@dataclass(slots=True)
class RowErrors:
    """Gathers what is wrong; only the first are kept. Rows that are not lines of a file have `places`, by their number
    from 1, and their columns the names of their source."""

    found: list[RowError]
    places: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    count: int = 0

    def add(self, line: int, column: str, message: str) -> None:
        """Counts it; only the first are kept."""
        self.count += 1
        if len(self.found) < MAX_ERRORS:
            place = self.place(line) if line and self.places else ""
            self.found.append(RowError(line, self.names.get(column, column), message, place))

    def place(self, line: int) -> str:
        """How a row is called in a message."""
        return self.places[line - 1] if self.places else f"line {line}"


def read_roster(data: bytes, zone_of: ZoneOf, columns: Iterable[tuple[str, str]] = ()) -> RosterFile | InvalidRoster:
    """The rows of a file, or everything that is wrong with it. `columns` are pairs (our name, the header it has)."""
    digest, errors = sha256(data).hexdigest(), RowErrors([])
    text = _decoded(data, errors)
    lines = _lines(text, dict(columns), errors) if text is not None else []
    return judged(digest, lines, zone_of, errors)


def judged(
    digest: str, lines: Sequence[tuple[int, Mapping[str, str]]], zone_of: ZoneOf, errors: RowErrors
) -> RosterFile | InvalidRoster:
    """The rows of cells by our column names, each with its number, or everything that is wrong with them and was
    before."""
    rows = _rows(lines, zone_of, errors)
    if errors.count:
        return InvalidRoster(digest, tuple(sorted(errors.found, key=lambda each: each.line)), errors.count)
    return RosterFile(digest, tuple(row for _, row in rows))


def _decoded(data: bytes, errors: RowErrors) -> str | None:
    if len(data) > MAX_FILE_BYTES:
        errors.add(0, "", f"it has {len(data):,} bytes; at most {MAX_FILE_BYTES:,} are read.")
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        line = 0 if utf16 else data.count(b"\n", 0, error.start) + 1
        was = ": save it as UTF-8, not as UTF-16" if utf16 else ". In Excel: Save as, CSV UTF-8 (comma delimited)"
        errors.add(line, "", f"it is not UTF-8{was}.")
        return None
    if "\0" in text:
        errors.add(text.count("\n", 0, text.index("\0")) + 1, "", "it holds a NUL character; is this a CSV file?")
        return None
    return text


def _lines(text: str, mapped: Mapping[str, str], errors: RowErrors) -> list[tuple[int, dict[str, str]]]:
    """Each row as cells by our column names, with the line on which it begins."""
    text, said = _separator(text)
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = said or max(",;\t", key=first.count)
    # `strict` refuses what follows a closing quote; the reader is the standard library's, bounded by the file's size
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] | None = None
    found: list[tuple[int, dict[str, str]]] = []
    begin = 1
    try:
        for cells in reader:
            line, begin = begin, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(cells, mapped, errors)
                if errors.count:
                    return []
            elif len(found) == MAX_ROWS:
                errors.add(line, "", f"more than {MAX_ROWS:,} rows; nothing after this line was read.")
                return found
            elif len(cells) != len(header):
                errors.add(line, "", f"it has {len(cells)} cells; the header has {len(header)}.")
            else:
                found.append((line, {name: cell.strip() for name, cell in zip(header, cells, strict=True) if name}))
    except csv.Error as error:
        errors.add(begin, "", f"it cannot be read as CSV ({error}); is a quote not closed?")
    if header is None and not errors.count:
        errors.add(0, "", "it is empty: not even a header.")
    return found


def _separator(text: str) -> tuple[str, str]:
    """The text without a first line that only says the separator to a spreadsheet (`sep=;`); and that, or ""."""
    first, end, rest = text.partition("\n")
    said = _SAID.fullmatch(first.strip("\r"))
    return (end + rest, said[1]) if said is not None else (text, "")


def _header(cells: list[str], mapped: Mapping[str, str], errors: RowErrors) -> list[str]:
    """Our name of each column; empty for one that we do not know, which is left alone."""
    ours = {_plain_name(each): each for each in COLUMNS if each not in mapped}
    ours.update({_plain_name(theirs): name for name, theirs in mapped.items() if name in COLUMNS})
    header = [ours.get(_plain_name(cell), "") for cell in cells]
    for name in COLUMNS:
        if header.count(name) > 1:
            errors.add(1, name, "two columns have this name.")
        if name in NEEDED and name not in header:
            errors.add(1, name, f"there is no such column; found are {', '.join(cell[:40] for cell in cells[:20])}.")
    return header


def _plain_name(text: str) -> str:
    return "".join(each for each in text.casefold() if each not in " _-\t\u00a0")


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
        if (wrong := _cell(name, cell)) is not None:
            errors.add(line, name, wrong)
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


def _cell(name: str, cell: str) -> str | None:
    """What no cell may hold."""
    if len(cell) > MAX_CELL_CHARACTERS:
        return f"it has {len(cell):,} characters; at most {MAX_CELL_CHARACTERS} are read."
    hidden = () if cell.isascii() and cell.isprintable() else cell
    for character in hidden:
        if unicodedata.category(character) in _HIDDEN and character not in "\u200c\u200d":
            return f"it holds the invisible character U+{ord(character):04X}."
    if cell[:1] in _FORMULA and cell:
        return "it begins like a formula."
    return None


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
