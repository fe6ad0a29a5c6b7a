"""A list of a system's accounts as a CSV file, read strictly: every row means something, or the file is refused.

Columns: system, account, right, and where the list has them email, last_used, owner. An account with several rights has
a row for each; its rows agree in everything else.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from onepam.domain.people.adding import normalised_email
from onepam.domain.roster.cells import RowError, RowErrors, Shape, read_cells, wrong_cell
from onepam.kernel.clock import FOREVER, Instant, instant
from onepam.kernel.errors import Refused

COLUMNS = ("system", "account", "right", "email", "last_used", "owner")
NEEDED = ("account", "right")

MOST_ROWS = 50_000
MOST_ACCOUNTS = 10_000
"""Of one list: it is in force whole or not at all, so one command writes all that it changes."""

MOST_RIGHTS = 100
"""Of one account."""

_SHAPE = Shape(COLUMNS, NEEDED, MOST_ROWS)


_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
_UNSEEN = _SELECTORS | frozenset("\u200c\u200d\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""What shows as nothing, and is a letter or a mark to Unicode: two names that look alike would be two accounts."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account by the file. `email` is normalised; `used` is when it was last used, None where the file says nothing;
    `owner` is what it says of who owns the account."""

    name: str
    rights: tuple[str, ...]
    email: str | None
    used: Instant | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class AccountFile:
    """A file that can be taken, with the hex SHA-256 of its bytes."""

    digest: str
    rows: tuple[AccountRow, ...]


@dataclass(frozen=True, slots=True)
class InvalidList:
    """A file that cannot be taken, and why: the first hundred reasons, of `count`."""

    digest: str
    errors: tuple[RowError, ...]
    count: int


def name_key(name: str) -> str:
    """An account's name as it is compared: neither case nor the form of Unicode counts."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def read_accounts(data: bytes, system: str) -> AccountFile | InvalidList:
    """The accounts of a file, or everything that is wrong with it. `system` is whose list it is to be."""
    errors = RowErrors([])
    found: dict[str, tuple[int, AccountRow]] = {}
    for line, cells in read_cells(data, _SHAPE, {}, errors):
        row = _row(line, cells, system, errors)
        if row is not None:
            _add(found, line, row, errors)
    if not found and not errors.count:
        errors.add(0, "", "it lists no account.")
    if len(found) > MOST_ACCOUNTS:
        errors.add(0, "", f"it lists {len(found):,} accounts; a system has at most {MOST_ACCOUNTS:,} here.")
    digest = sha256(data).hexdigest()
    if errors.count:
        return InvalidList(digest, tuple(sorted(errors.found, key=lambda each: each.line)), errors.count)
    return AccountFile(digest, tuple(row for _, row in found.values()))


def _row(line: int, cells: Mapping[str, str], system: str, errors: RowErrors) -> AccountRow | None:
    before = errors.count
    for name, cell in cells.items():
        if (wrong := wrong_cell(cell)) is not None:
            errors.add(line, name, wrong)
    for name in NEEDED:
        if not cells[name]:
            errors.add(line, name, "it is empty.")
        elif unseen := _UNSEEN.intersection(cells[name]):
            errors.add(line, name, f"it holds the invisible character U+{ord(min(unseen)):04X}.")
    if (cells.get("system") or system).casefold() != system.casefold():
        errors.add(line, "system", f"{cells['system'][:40]!r} is not {system}; each system has a list of its own.")
    email = _email(line, cells.get("email", ""), errors)
    used = _used(line, cells.get("last_used", ""), errors)
    if errors.count > before:
        return None
    return AccountRow(
        _one_line(cells["account"]), (_one_line(cells["right"]),), email, used, cells.get("owner") or None
    )


def _add(found: dict[str, tuple[int, AccountRow]], line: int, row: AccountRow, errors: RowErrors) -> None:
    """One more right of an account that is known, or a new one."""
    key = name_key(row.name)
    first, known = found.setdefault(key, (line, row))
    if first == line:
        return
    if row.rights[0] in known.rights:
        errors.add(line, "account", f"{row.name!r} stands on line {first} already, with the same right.")
    elif (row.email, row.used, row.owner) != (known.email, known.used, known.owner):
        errors.add(line, "account", f"{row.name!r} stands on line {first} with another e-mail address, use or owner.")
    elif len(known.rights) == MOST_RIGHTS:
        errors.add(line, "right", f"{row.name!r} has more than {MOST_RIGHTS} rights.")
    else:
        found[key] = (first, replace(known, rights=tuple(sorted((*known.rights, *row.rights)))))


def _one_line(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _email(line: int, text: str, errors: RowErrors) -> str | None:
    if not text:
        return None
    found = normalised_email(text)
    if isinstance(found, Refused):
        errors.add(line, "email", f"{text[:60]!r} is not an e-mail address.")
        return None
    return found


def _used(line: int, text: str, errors: RowErrors) -> Instant | None:
    """A date is the start of its day; what names no zone is UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        at = instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        if not 0 <= at < FOREVER:
            raise ValueError
        return at
    except (ValueError, OverflowError):
        errors.add(line, "last_used", f"{text[:40]!r} is not a date; write 2026-03-31.")
        return None
