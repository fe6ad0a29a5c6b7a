"""Sheets for auditors: CSV that no spreadsheet runs as a formula."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from starlette.responses import StreamingResponse

from onepam.kernel.text import harmless
from onepam.store.read.paging import MOST, Page, Window

T = TypeVar("T")


def sheet(name: str, head: Sequence[str], parts: AsyncIterator[Iterable[Sequence[object]]]) -> StreamingResponse:
    """A download in UTF-8 with the mark that spreadsheets want, RFC 4180 line ends. It is sent part by part, so that
    no list is too long for it; one that breaks off is a broken download."""

    async def written() -> AsyncIterator[str]:
        yield "\ufeff" + _lines([head])
        async for part in parts:
            yield _lines([harmless(str(value)) for value in row] for row in part)

    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": "default-src 'none'"}
    return StreamingResponse(written(), media_type="text/csv; charset=utf-8", headers=headers)


async def every(
    ask: Callable[[Window], Awaitable[Page[T]]], line: Callable[[T], Iterable[Sequence[object]]]
) -> AsyncIterator[list[Sequence[object]]]:
    """All rows of a list as lines of a sheet, page after page. Each is read for itself: ask for one instant."""
    after = None
    while after != "":
        page = await ask(Window(after or "", MOST))
        yield [each for row in page.rows for each in line(row)]
        after = page.next


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()
