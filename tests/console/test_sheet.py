"""Sheets that no spreadsheet runs."""

import csv
import io

import pytest

from onepam.console.frame.sheet import every, sheet
from onepam.kernel.text import harmless
from onepam.store.read.paging import Page, Window


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =cmd|' /C calc'!A0", "\n=1"])
def test_formulas_become_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "web-1", "a=b", "4", "O'Hara", 'say "hi", twice'])
def test_text_stays_itself(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.anyio
async def test_a_sheet_reads_back_and_is_a_download_part_by_part() -> None:
    asked = list[str]()

    async def ask(window: Window) -> Page[tuple[object, ...]]:
        asked.append(window.after)
        return Page((("1,2", 'q"q'),), 2, "1") if not window.after else Page((("line\nbreak", 7),), 2, "")

    made = sheet("x.csv", ("a", "b"), every(ask, lambda row: [row]))
    parts = [bytes(each) if not isinstance(each, str) else each.encode() async for each in made.body_iterator]
    assert (asked, len(parts)) == (["", "1"], 3)
    text = b"".join(parts).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a", "b"], ["1,2", 'q"q'], ["line\nbreak", "7"]]
    assert made.headers["Content-Disposition"] == 'attachment; filename="x.csv"'
