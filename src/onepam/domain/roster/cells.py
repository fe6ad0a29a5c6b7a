"""A CSV file as cells by the names of its columns, read strictly: what cannot be read is said by its line.

A header's case, spaces and hyphens do not matter. The separator is the one of comma, semicolon and tab that the first
line holds most of.
"""

import csv
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO

MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_ROWS = 50_000
MAX_CELL_CHARACTERS = 254
MAX_ERRORS = 100

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_SAID = re.compile(r"\"?sep=([,;\t])\"?[,;\t]*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file has: its columns by our names, those that it needs, and how many rows are read at most."""

    columns: tuple[str, ...]
    needed: tuple[str, ...]
    most_rows: int = MAX_ROWS


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


def read_cells(
    data: bytes, shape: Shape, mapped: Mapping[str, str], errors: RowErrors
) -> list[tuple[int, dict[str, str]]]:
    """Each row as cells by our column names, with the line on which it begins; what is wrong goes to `errors`.
    `mapped`: the headers that some of our columns have in the file."""
    text = _decoded(data, errors)
    return _lines(text, shape, mapped, errors) if text is not None else []


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


def _lines(text: str, shape: Shape, mapped: Mapping[str, str], errors: RowErrors) -> list[tuple[int, dict[str, str]]]:
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
                header = _header(cells, shape, mapped, errors)
                if errors.count:
                    return []
            elif len(found) == shape.most_rows:
                errors.add(line, "", f"more than {shape.most_rows:,} rows; nothing after this line was read.")
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


def _header(cells: list[str], shape: Shape, mapped: Mapping[str, str], errors: RowErrors) -> list[str]:
    """Our name of each column; empty for one that we do not know, which is left alone."""
    ours = {_plain_name(each): each for each in shape.columns if each not in mapped}
    ours.update({_plain_name(theirs): name for name, theirs in mapped.items() if name in shape.columns})
    header = [ours.get(_plain_name(cell), "") for cell in cells]
    for name in shape.columns:
        if header.count(name) > 1:
            errors.add(1, name, "two columns have this name.")
        if name in shape.needed and name not in header:
            errors.add(1, name, f"there is no such column; found are {', '.join(cell[:40] for cell in cells[:20])}.")
    return header


def _plain_name(text: str) -> str:
    return "".join(each for each in text.casefold() if each not in " _-\t\u00a0")


def wrong_cell(cell: str) -> str | None:
    """Why a cell is not read, whatever its column."""
    if len(cell) > MAX_CELL_CHARACTERS:
        return f"it has {len(cell):,} characters; at most {MAX_CELL_CHARACTERS} are read."
    hidden = () if cell.isascii() and cell.isprintable() else cell
    for character in hidden:
        if unicodedata.category(character) in _HIDDEN and character not in "\u200c\u200d":
            return f"it holds the invisible character U+{ord(character):04X}."
    return None
