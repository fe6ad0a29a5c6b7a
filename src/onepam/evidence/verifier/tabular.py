"""The spreadsheet of a report (RFC 4180)."""

from __future__ import annotations

import csv
import io
import re
from typing import Any, List


def as_csv(names: List[str], rows: List[Any]) -> bytes:
    """The rows with a last column `ledger`, every field quoted; a cell that a spreadsheet could take for a formula
    begins with an apostrophe."""
    out = io.StringIO()
    write = csv.writer(out, quoting=csv.QUOTE_ALL).writerow
    formula = re.compile("[\t\r\n]|\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
    for cells in [[*names, "ledger"], *([*row["cells"], " ".join(map(str, row["ledger"]))] for row in rows)]:
        write(["'" + cell if formula.match(cell) else cell for cell in cells])
    return out.getvalue().encode("utf-8")
