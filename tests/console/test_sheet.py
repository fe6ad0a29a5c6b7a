"""Sheets that no spreadsheet runs."""

import csv
import io

import pytest

from onepam.console.frame.sheet import cell, sheet


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =cmd|' /C calc'!A0", "\n=1"])
def test_formulas_become_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "web-1", "a=b", "4", "O'Hara", 'say "hi", twice'])
def test_text_stays_itself(text: str) -> None:
    assert cell(text) == text


def test_a_sheet_reads_back_and_is_a_download() -> None:
    made = sheet("x.csv", ("a", "b"), [("1,2", 'q"q'), ("line\nbreak", 7)])
    text = bytes(made.body).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a", "b"], ["1,2", 'q"q'], ["line\nbreak", "7"]]
    assert made.headers["Content-Disposition"] == 'attachment; filename="x.csv"'
