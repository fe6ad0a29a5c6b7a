"""A row of a report as text: its line of JSON, and its line of the spreadsheet (RFC 4180)."""

from __future__ import annotations

import re
from typing import List

FORMULA = re.compile("[\t\r\n]|\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
PERHAPS = re.compile("\0[\\s=+\\-@\uff1d\uff0b\uff0d\uff20]")


def csv_row(cells: List[str]) -> bytes:
    """A line, every field quoted; a cell that a spreadsheet could take for a formula begins with an apostrophe."""
    line = "\0" + "\0".join(cells)
    if line.count("\0") == len(cells) and not PERHAPS.search(line):  # all at once: nearly every line is so
        return ('"' + line[1:].replace('"', '""').replace("\0", '","') + '"\r\n').encode("utf-8")
    harmless = ("'" + cell if FORMULA.match(cell) else cell for cell in cells)
    return (",".join('"' + cell.replace('"', '""') + '"' for cell in harmless) + "\r\n").encode("utf-8")


def json_row(cells: List[str], ledger: List[int]) -> str:
    """The canonical JSON of a row in whose cells nothing is escaped but quotation marks. Raises `TypeError` where a
    cell is no text."""
    texts = "\0".join(cells).replace('"', '\\"').replace("\0", '","')
    return f'{{"cells":["{texts}"],"ledger":[{",".join(map(str, ledger))}]}}'
