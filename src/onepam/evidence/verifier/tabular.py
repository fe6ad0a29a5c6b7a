"""The spreadsheet of a report (RFC 4180)."""

from __future__ import annotations

import re
from typing import List

FORMULA = re.compile("[\t\r\n]|\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
BEGINS = re.compile(f'"(?:{FORMULA.pattern})')


def csv_row(cells: List[str]) -> bytes:
    """A line, every field quoted; a cell that a spreadsheet could take for a formula begins with an apostrophe."""
    line = '"' + '","'.join(cells) + '"'
    if line.count('"') == 2 * len(cells) and not BEGINS.search(line):  # nothing to escape: most are so
        return (line + "\r\n").encode("utf-8")
    harmless = ("'" + cell if FORMULA.match(cell) else cell for cell in cells)
    return (",".join('"' + cell.replace('"', '""') + '"' for cell in harmless) + "\r\n").encode("utf-8")
