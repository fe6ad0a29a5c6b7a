"""The statements of a database's session: as its page lists them, and as files."""

from collections.abc import AsyncIterator, Mapping

from starlette.responses import Response, StreamingResponse

from onepam.app.sessions.watch_recording import watch_recording
from onepam.console.frame.page import Context
from onepam.console.frame.rendering import duration
from onepam.console.frame.view import View
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import visible, words_of
from onepam.console.sessions.timeline import FilmStrip
from onepam.domain.access.proposal import DENIED
from onepam.domain.sessions.waiting_statements import APPROVED, Waited
from onepam.gateway.playback import NoRecording, StatementPage, Vouched, Wanted
from onepam.gateway.statements import OUTCOMES, Line, Value
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Corrupt, Refused
from onepam.store.read.recordings import final_head
from onepam.store.read.waited import waited

MOST_CHARACTERS = 4_000
"""Of a text, or of a value, a page shows so many; the files have all."""
MOST_VALUES = 50
MOST_ROWS = 20
MOST_CELL = 200
"""Of the rows of a result that are kept, and of one value in characters."""

SAID = {
    "ok": ("proven", "OK"),
    "error": ("finding", "Error"),
    "refused": ("finding", "Refused"),
    "suspended": ("plain", "Partly fetched"),
    "unfinished": ("due", "Unfinished"),
    "unanswered": ("untested", "No end recorded"),
    "unexecuted": ("plain", "Not executed"),
}
"""What came of a statement: colour and word."""

_LOCKED = "default-src 'none'; sandbox"


async def statement_list(visit: Visit, ident: str, started: Instant) -> tuple[FilmStrip, Context | None]:
    """What the page tells of the recording, and its part of the statements; None where none can be read. That they
    are shown is recorded by whoever calls this."""
    query = visit.request.query_params
    outcome, after = query.get("outcome", ""), query.get("after", "")
    wanted = Wanted(
        word=query.get("q", "").strip()[:100],
        outcome=outcome if outcome in OUTCOMES else "",
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0,
    )
    head = await visit.services.reader(final_head, visit.at, ident)
    try:
        waits = await visit.services.reader(waited, visit.at, ident)
        page = await visit.services.playback.statements(ident, wanted, head, waits)
    except NoRecording:
        return FilmStrip(problem="The file is gone", condition="missing") if head is not None else FilmStrip(), None
    except Corrupt as error:
        return FilmStrip(problem=f"It is not what was sealed: {error}"), None
    strip = FilmStrip(counts=page.told.counts, operations=0, vouched=head is not None)
    return strip, _listed(page, wanted, page.told.started or started, View.of(visit))


async def statement_file(visit: Visit) -> Response:
    """All statements as a sheet (`?as=csv`) or as JSON lines. That they are given stands in the ledger before the
    first byte leaves."""
    ident, sheet, services = visit.path("session"), visit.wants_sheet(), visit.services
    head: Vouched = await services.reader(final_head, None, ident)
    pieces = services.playback.statement_lines(ident, sheet, head, await services.reader(waited, None, ident))
    nothing = Refused("recording.unknown", "There is no such recording that you may watch.", f"You asked for {ident}.")
    try:
        first: bytes | None = await anext(pieces, b"")
    except (NoRecording, Corrupt):
        first = None
    if first is None or await watch_recording(services.ledger, visit.me.actor, ident, "export") is not None:
        return visit.refusal(nothing, 404)
    name = f"{ident}.{'csv' if sheet else 'jsonl'}"
    return StreamingResponse(
        _from(first, pieces),
        media_type="text/csv; charset=utf-8" if sheet else "application/jsonl",
        headers={"Content-Security-Policy": _LOCKED, "Content-Disposition": f'attachment; filename="{name}"'},
    )


def statement_counts(counts: Mapping[str, int], gap: str) -> list[list[object]]:
    """`1,204 statements run`, `12,000 rows`."""
    found = (
        ("statement run", "statements run", counts.get("executions", 0)),
        ("row", "rows", counts.get("rows", 0)),
        ("gap", "gaps", int(bool(gap))),
    )
    return [[number, one if number == 1 else many] for one, many, number in found]


def took(length: int) -> str:
    """`850 µs`, `12.3 ms`, `2.41 s`, `2 min`."""
    if length < 1000:
        return f"{length} µs"
    if length < SECOND:
        return f"{length / 1000:.1f} ms"
    return f"{length / SECOND:.2f} s" if length < 60 * SECOND else duration(length)


def _listed(page: StatementPage, wanted: Wanted, started: Instant, view: View) -> Context:
    filters = {"q": wanted.word, "outcome": wanted.outcome}
    return {
        "lines": [_line(each, started, view) for each in page.lines],
        "outcomes": [(name, SAID[name][1]) for name in OUTCOMES],
        "filter": filters,
        "pager": {
            "total": page.total,
            "first": wanted.after == 0,
            "next": str(page.lines[-1].place) if page.more else "",
            "filters": {name: value for name, value in filters.items() if value},
        },
    }


def _waited(it: Waited, view: View) -> Context:
    """`approved by Mia Manager, waited 59 s`, and where the ledger has it."""
    word = it.decision if it.decision in (APPROVED, DENIED) else words_of(it.decision)
    by = f" by {it.by}" if it.by else ""
    return {"words": f"{word}{by}, waited {duration(it.length)}", "href": view.link(f"/ledger?entry={it.entry}")}


def _line(line: Line, started: Instant, view: View) -> Context:
    state, word = SAID[line.outcome]
    values = [_value(each) for each in line.values[:MOST_VALUES]]
    if len(line.parameters) > MOST_VALUES:
        values.append(f"and {len(line.parameters) - MOST_VALUES:,} more")
    text = line.text
    if text is None:
        text = "its text stands further up" if line.statement else "a function, called without a text"
    return {
        "at": line.at,
        "time": Instant(started + line.at),
        "statement": line.statement,
        "has_text": line.text is not None,
        "text": _shown(text),
        "cut": visible(line.cut),
        "values": values,
        "result": [
            {"head": each.row == 0, "cells": [_cell(cell) for cell in each.cells[:MOST_VALUES]]}
            for each in line.result[:MOST_ROWS]
        ],
        "unshown": max(len(line.result) - MOST_ROWS, 0),
        "state": state,
        "outcome": word,
        "words": visible(line.words),
        "transaction": {"open": "in a transaction", "failed": "in a failed transaction"}.get(line.transaction, ""),
        "rows": line.rows if line.execution else None,
        "size": line.size,
        "lasted": took(line.took) if line.took is not None else "",
        "waited": _waited(line.waited, view) if line.waited is not None else None,
    }


def _value(value: Value) -> str:
    if value.kind == "null":
        return "NULL"
    if value.kind == "masked":
        return f"masked, {value.size:,} bytes"
    if value.kind == "omitted":
        return f"{value.size:,} bytes, not kept"
    return _shown(value.value if value.kind == "text" else f"\\x{value.value}")


def _cell(cell: str | int | None) -> Context:
    """A value of a result: NULL and what is masked are told from texts."""
    if cell is None:
        return {"kind": "null", "text": "NULL"}
    if isinstance(cell, int):
        return {"kind": "masked", "text": f"masked, {cell:,} bytes"}
    return {"kind": "text", "text": visible(cell[:MOST_CELL]) + (" …" if len(cell) > MOST_CELL else "")}


def _shown(text: str) -> str:
    """With its lines and tabs; every other invisible character is written out."""
    cut, rest = text[:MOST_CHARACTERS], len(text) - MOST_CHARACTERS
    lines = ("\t".join(visible(part) for part in line.split("\t")) for line in cut.replace("\r\n", "\n").split("\n"))
    return "\n".join(lines) + (f" … and {rest:,} characters more" if rest > 0 else "")


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
