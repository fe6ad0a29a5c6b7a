"""The staff roster from a directory: what is asked for, and its entries as the rows that a file would give.

One entry is one row. Who is a manager or sponsor stands there as the distinguished name of another entry (or as a
number or address, as in a file). An attribute that a row needs has exactly one value.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from onepam.domain.people.events import PersonKind
from onepam.domain.roster.cells import MAX_ROWS, RowErrors
from onepam.domain.roster.file import COLUMNS, NEEDED, InvalidRoster, RosterFile, ZoneOf, judged
from onepam.kernel.canonical import encode
from onepam.kernel.errors import Refused

LDAPS, STARTTLS, PLAIN = "ldaps", "starttls", "plain"

DEFAULTS: Mapping[str, str] = {
    "filter": "(objectClass=inetOrgPerson)",
    "number": "employeeNumber",
    "name": "cn",
    "email": "mail",
    "manager": "manager",
}
"""What is asked for where the administrator says nothing else."""

MAX_SETTING_CHARACTERS = 2_000
MAX_DN_CHARACTERS = 1_000

_NAMED = frozenset({"manager", "sponsor"})
_TIMES = frozenset({"starts", "ends", "contract_ends"})
_KEYS = frozenset({"base", "filter", "bind_dn", "transport", "zone", "vendors", "employees", *COLUMNS})
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}|[0-9]+(\.[0-9]+){1,30}")
_GENERALIZED = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,](\d{1,6})\d*)?(?:Z|([+-])(\d\d)(\d\d)?)")
_FILE_TIME = re.compile(r"0|\d{17,19}")
_NEVER = frozenset({0, 0x7FFFFFFFFFFFFFFF})
_FILE_TIME_BEGINS = datetime(1601, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """An entry as it came: its distinguished name, and the values of its attributes by their names in lower case."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class RosterDirectory:
    """How a directory is read.

    `attributes` are pairs (our column, its attribute). Without one for `type` everybody is an employee; `vendors` and
    `employees` are further values of it that mean so, in lower case. `zone` is for rows without a time zone of their
    own. `transport`: LDAPS, STARTTLS, or PLAIN, which the operator's configuration has to admit as well.
    """

    base: str
    filter: str
    bind_dn: str
    transport: str
    zone: str
    attributes: tuple[tuple[str, str], ...]
    vendors: frozenset[str]
    employees: frozenset[str]

    @property
    def asked(self) -> tuple[str, ...]:
        """The attributes to ask for."""
        return tuple(dict.fromkeys(attribute for _, attribute in self.attributes))


def parse_directory(settings: Mapping[str, str]) -> RosterDirectory | Refused:
    """Settings as they stand in the event: base, filter, bind_dn, transport, zone, vendors, employees (values between
    commas), and for each column of the roster the name of its attribute."""
    if not settings.keys() <= _KEYS:
        return _refused(f"{min(settings.keys() - _KEYS)[:40]!r} is no setting of a directory.")
    if any(len(each) > MAX_SETTING_CHARACTERS or "\0" in each for each in settings.values()):
        return _refused(f"A setting has at most {MAX_SETTING_CHARACTERS:,} characters.")
    if not settings.get("base") or plain_dn(settings["base"]) is None:
        return _refused("The base is not a distinguished name.", "Such as ou=people,dc=example,dc=com.")
    if settings.get("bind_dn", "").strip() != settings.get("bind_dn", ""):
        return _refused("The account begins or ends with a blank.")
    if settings.get("transport") not in (LDAPS, STARTTLS, PLAIN):
        return _refused("The transport is ldaps, starttls or plain.")
    merged = {**DEFAULTS, **settings}
    attributes = tuple((column, merged[column]) for column in COLUMNS if merged.get(column))
    for column, attribute in attributes:
        if _ATTRIBUTE.fullmatch(attribute) is None:
            return _refused(f"{attribute[:40]!r} for {column} is not the name of an attribute.")
    missing = [column for column in NEEDED if column != "type" and not merged.get(column)]
    if missing:
        return _refused(f"{missing[0]} needs an attribute.")
    return RosterDirectory(
        base=settings["base"],
        filter=merged["filter"],
        bind_dn=settings.get("bind_dn", ""),
        transport=settings["transport"],
        zone=settings.get("zone") or "UTC",
        attributes=attributes,
        vendors=_values(settings.get("vendors", "")),
        employees=_values(settings.get("employees", "")),
    )


def read_directory(
    entries: Iterable[DirectoryEntry], directory: RosterDirectory, zone_of: ZoneOf
) -> RosterFile | InvalidRoster:
    """The rows of the entries, or everything that is wrong with them. The digest is that of what we read, in the order
    of the entries' names: the order in which a directory answers means nothing."""
    found = sorted(((plain_dn(each.dn) or each.dn, each) for each in entries), key=lambda pair: pair[0])
    errors = RowErrors([], tuple(each.dn for _, each in found), dict(directory.attributes))
    if len(found) > MAX_ROWS:
        errors.add(0, "", f"more than {MAX_ROWS:,} entries.")
        return InvalidRoster(sha256(b"").hexdigest(), tuple(errors.found), errors.count)
    by_column = [(column, attribute.lower()) for column, attribute in directory.attributes]
    lines = [(line, _cells(line, each, by_column, errors)) for line, (_, each) in enumerate(found, 1)]
    numbers = {dn: cells.get("number", "") for (dn, _), (_, cells) in zip(found, lines, strict=True)}
    broken = {error.line for error in errors.found} if errors.count else set()
    for line, cells in lines:
        if line not in broken:
            _told(line, cells, directory, numbers, errors)
    digest = sha256(encode([dict(cells) for _, cells in lines])).hexdigest()
    return judged(digest, [(line, cells) for line, cells in lines if line not in broken], zone_of, errors)


def plain_dn(text: str) -> str | None:
    """A distinguished name (RFC 4514) so that two spellings of one compare equal: case, blanks around signs, escapes
    and the order within a multi-valued part do not matter. None where it is not one."""
    if not text or len(text) > MAX_DN_CHARACTERS:
        return None
    parts = []
    for part in _split(text, ",;"):
        pairs = []
        for pair in _split(part, "+"):
            kind, sign, value = pair.partition("=")
            if not sign or _ATTRIBUTE.fullmatch(kind.strip()) is None:
                return None
            read = _unescaped(value)
            if read is None:
                return None
            pairs.append(f"{kind.strip().lower()}={read}")
        parts.append("\x01".join(sorted(pairs)))
    return "\x02".join(parts)


def _cells(line: int, entry: DirectoryEntry, by_column: list[tuple[str, str]], errors: RowErrors) -> dict[str, str]:
    """An entry's values as text, by our columns."""
    cells = {}
    for column, attribute in by_column:
        values = entry.attributes.get(attribute, ())
        cells[column] = ""
        if len(values) > 1:
            errors.add(line, column, f"it has {len(values)} values; one is read.")
        elif values:
            try:
                cells[column] = values[0].decode("utf-8").strip()
            except UnicodeDecodeError:
                errors.add(line, column, "it is not UTF-8.")
    return cells


def _told(
    line: int, cells: dict[str, str], directory: RosterDirectory, numbers: Mapping[str, str], errors: RowErrors
) -> None:
    """Makes of a directory's ways of saying things those of a file, in place."""
    kind = cells.get("type", "")
    if "type" not in cells or kind.casefold() in directory.employees:
        cells["type"] = PersonKind.EMPLOYEE.value
    elif kind.casefold() in directory.vendors:
        cells["type"] = PersonKind.VENDOR.value
    cells["time_zone"] = cells.get("time_zone") or directory.zone
    for column in _TIMES & cells.keys():
        told = _time(cells[column])
        if told is None:
            errors.add(line, column, f"{cells[column][:40]!r} is not a time.")
        cells[column] = told or ""
    for column in _NAMED & cells.keys():
        dn = plain_dn(cells[column])
        if dn is None:
            continue
        if dn not in numbers:
            errors.add(line, column, f"{cells[column][:120]!r} is not among the entries.")
        cells[column] = numbers.get(dn, "")


def _time(text: str) -> str | None:
    """A generalized time (RFC 4517 section 3.3.13) or one of Active Directory's (100 ns since 1601; 0 and the largest
    are never) as ISO 8601; anything else as it is, for the reader of files. None where it is no time."""
    try:
        if (match := _GENERALIZED.fullmatch(text)) is not None:
            return _generalized(match).isoformat()
        if _FILE_TIME.fullmatch(text) is not None:
            ticks = int(text)
            return "" if ticks in _NEVER else (_FILE_TIME_BEGINS + timedelta(microseconds=ticks // 10)).isoformat()
    except (ValueError, OverflowError):
        return None
    return None if text.isdecimal() else text


def _generalized(match: re.Match[str]) -> datetime:
    """Raises `ValueError`. A fraction without seconds is one of the minute or hour (which nobody writes): refused."""
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    if fraction and not second:
        raise ValueError("a fraction of an hour")
    found = datetime(
        int(year),
        int(month),
        int(day),
        int(hour),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0").ljust(6, "0")),
        tzinfo=UTC,
    )
    away = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return found - away if sign == "+" else found + away


def _split(text: str, signs: str) -> list[str]:
    """Between signs that are neither escaped nor quoted."""
    parts, begin, at, quoted = [], 0, 0, False
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif text[at] in signs and not quoted:
            parts.append(text[begin:at])
            begin = at + 1
        at += 1
    return [*parts, text[begin:]]


def _unescaped(value: str) -> str | None:
    """A value of a distinguished name without escapes, its case and surplus blanks. None where an escape is broken."""
    value = value.strip(" ") if not value.endswith("\\ ") else value.lstrip(" ")
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    read, at = bytearray(), 0
    while at < len(value):
        if value[at] != "\\":
            read += value[at].encode("utf-8", "surrogatepass")
            at += 1
        elif re.fullmatch("[0-9A-Fa-f]{2}", value[at + 1 : at + 3]) is not None:
            read.append(int(value[at + 1 : at + 3], 16))
            at += 3
        elif at + 1 < len(value):
            read += value[at + 1].encode("utf-8", "surrogatepass")
            at += 2
        else:
            return None
    return " ".join(bytes(read).decode("utf-8", "replace").casefold().split())


def _values(text: str) -> frozenset[str]:
    return frozenset(each.strip().casefold() for each in text.split(",") if each.strip())


def _refused(message: str, hint: str = "") -> Refused:
    return Refused("roster.directory", message, hint)
