"""The statements of a recorded session, as a real recorder wrote them: lines, pages, filters, sheets, and bounds."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onepam.domain.sessions.waiting_statements import Waited
from onepam.gateway import statements as reading
from onepam.gateway.playback import Playback, Wanted
from onepam.gateway.playback import _says as playback_says
from onepam.gateway.recorder import Recorder, recording_path
from onepam.gateway.statements import Cells, Line, Statements, Value
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.recording.frames import Frame, Marker, Opened
from onepam.recording.statements import Executed, Finished, Form, Outcome, Parameter, StatementText
from tests.gateway.disks import bounded

pytestmark = pytest.mark.anyio

SESSION = "ses_abcdefghijklmnop"
KEY = bytes(range(32))
OPENED = Opened(0, SESSION, "per_1", "db-1", "app", "postgres", Instant(1_800_000_000_000_000))
BOUND = (Parameter(b"a\xff"), Parameter(b"\x00\x2a", binary=True), Parameter(None), Parameter(70_000))

WORK: tuple[Frame, ...] = (
    StatementText(10, 1, b"SELECT 'caf\xc3", more=True),
    StatementText(11, 1, b"\xa9'"),
    Executed(20, 1, 1, Form.SIMPLE),
    Finished(50, 1, Outcome.OK, b"I", 3, 120, "SELECT 3"),
    StatementText(60, 2, b"=cmd|' /C calc'!A0"),
    Marker(61, "statement 2: 18 of 900 bytes are kept, SHA-256 of all 00"),
    Executed(62, 2, 2, Form.EXTENDED, BOUND),
    Executed(63, 3, 2, Form.EXTENDED),
    Finished(70, 3, Outcome.REFUSED, b"T", 0, 0, "OnePAM: not here"),
    Finished(80, 2, Outcome.ERROR, b"E", 0, 0, "42601 syntax error\x1b[31m"),
    Marker(81, "5 minutes left"),
    Executed(82, 4, 0, Form.FUNCTION),
    StatementText(83, 3, b"DELETE FROM t"),
)


def lines(recorded: Iterable[Frame]) -> list[Line]:
    statements = Statements()
    found = [line for frame in recorded for line in statements.add(frame)]
    return [*found, *statements.rest()]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
async def playback(tmp_path: Path, pool: ThreadPoolExecutor) -> AsyncIterator[Playback]:
    """Over a recording that a real recorder made of `WORK`."""
    recorder = await Recorder.start(
        tmp_path, SESSION, KEY, OPENED,
        strict=True, share=bounded(tmp_path, 1 << 30), pool=pool, on_head=lambda _: None, on_failure=lambda _: None,
    )  # fmt: skip
    for frame in WORK:
        recorder.record(frame)
    assert not (await recorder.close("client.closed")).problem
    made = Playback(tmp_path, lambda session: KEY)
    yield made
    made.close()


async def whole(playback: Playback, *, sheet: bool) -> str:
    return b"".join([piece async for piece in playback.statement_lines(SESSION, sheet)]).decode()


def test_each_execution_is_a_line() -> None:
    first, refused, wrong, running, prepared = lines(WORK)
    assert first == Line(
        20, 1, 1, "simple", "SELECT 'caf\u00e9'", "", (), "ok", 30, "none", 3, 120, "SELECT 3", place=1
    )
    assert (refused.execution, refused.outcome, refused.transaction, refused.lasted) == (3, "refused", "open", 7)
    assert (wrong.execution, wrong.outcome, wrong.transaction, wrong.place) == (2, "error", "failed", 3)
    assert wrong.cut == "18 of 900 bytes are kept, SHA-256 of all 00"
    assert wrong.values == (
        Value("text", "a\\xff", 2), Value("binary", "002a", 2), Value("null", "", 0), Value("omitted", "", 70_000),
    )  # fmt: skip
    assert (running.form, running.text, running.outcome, running.lasted) == ("function", None, "unanswered", None)
    assert (prepared.execution, prepared.statement, prepared.text) == (0, 3, "DELETE FROM t")
    assert prepared.outcome == "unexecuted"


def test_texts_are_held_within_a_bound_and_the_last_used_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_KEPT_BYTES", 1000)
    statements, found = Statements(), list[Line]()
    found += statements.add(StatementText(0, 1, b"SELECT 1"))
    for number in range(2, 40):
        found += statements.add(Executed(number, number, 1, Form.EXTENDED))
        found += statements.add(Finished(number, number, Outcome.OK))
        found += statements.add(StatementText(number, number, b"x" * 100))
        assert sum(len(each.data) + 100 for each in statements._texts.values()) <= 1000
    ran = [each for each in found if each.execution]
    assert {each.text for each in ran} == {"SELECT 1"}
    found += statements.rest()
    assert sorted(each.statement for each in found if not each.execution) == list(range(2, 40))
    [gone] = [*statements.add(Executed(50, 50, 2, Form.EXTENDED)), *statements.rest()][:1]
    assert (gone.statement, gone.text) == (2, None)


def test_one_text_is_read_up_to_a_bound_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_TEXT_BYTES", 10)
    parts = [StatementText(0, 1, b"123456", more=True), StatementText(0, 1, b"7890ab", more=True)]
    [line] = lines([*parts, StatementText(0, 1, b"c"), Executed(1, 1, 1, Form.SIMPLE), Finished(2, 1, Outcome.OK)])
    assert line.text == "1234567890"
    assert "only the first 10 bytes" in line.cut


def test_what_waits_for_its_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_WAITING", 3)
    monkeypatch.setattr(reading, "MAX_KEPT_BYTES", 1000)
    begun = [Executed(number, number, 0, Form.EXTENDED, (Parameter(b"x" * 300),)) for number in range(1, 6)]
    found = lines([*begun, *(Finished(9, number, Outcome.OK) for number in range(1, 6))])
    assert [(each.execution, each.outcome) for each in found] == [
        (1, "unanswered"), (2, "unanswered"), (3, "ok"), (4, "ok"), (5, "ok"),
    ]  # fmt: skip
    assert [len(each.parameters) for each in found] == [1, 1, 0, 0, 1]
    assert "not shown" in found[2].cut


async def test_pages_and_filters_of_what_a_recorder_wrote(playback: Playback) -> None:
    page = await playback.statements(SESSION, Wanted(most=2))
    assert ([each.place for each in page.lines], page.total, page.more) == ([1, 2], 5, True)
    assert (page.told.reason, page.told.gap, page.told.counts["statements"]) == ("client.closed", None, 3)
    rest = await playback.statements(SESSION, Wanted(after=2, most=3))
    assert ([each.place for each in rest.lines], rest.total, rest.more) == ([3, 4, 5], 5, False)
    for wanted, places in (
        (Wanted(word="CAF\u00c9"), [1]),
        (Wanted(word="onepam"), [2]),
        (Wanted(outcome="error"), [3]),
        (Wanted(word="caf", outcome="error"), []),
        (Wanted(outcome="unexecuted"), [5]),
    ):
        assert [each.place for each in (await playback.statements(SESSION, wanted)).lines] == places


async def test_as_json_lines(playback: Playback) -> None:
    text = await whole(playback, sheet=False)
    assert text.isascii()
    first, _, wrong, *_ = [json.loads(line) for line in text.splitlines()]
    assert first["started"].startswith("2027-01-15T08:00:00.00002")
    assert (first["text"], first["microseconds"], first["outcome"], first["rows"], first["bytes"]) == (
        "SELECT 'caf\u00e9'", 30, "ok", 3, 120,
    )  # fmt: skip
    assert wrong["parameters"][1] == {"kind": "binary", "value": "002a", "size": 2}
    assert len(text.splitlines()) == 5


async def test_no_cell_of_the_sheet_is_a_formula(playback: Playback) -> None:
    head, first, refused, *_ = list(csv.reader(io.StringIO((await whole(playback, sheet=True)).removeprefix("\ufeff"))))
    assert dict(zip(head, first, strict=True))["text"] == "SELECT 'caf\u00e9'"
    assert dict(zip(head, refused, strict=True))["text"] == "'=cmd|' /C calc'!A0"


async def test_what_is_cut_short_or_altered_says_so_in_its_last_line(playback: Playback, tmp_path: Path) -> None:
    file = recording_path(tmp_path, SESSION)
    data = file.read_bytes()
    file.write_bytes(data[:-3])
    *_, last = (await whole(playback, sheet=False)).splitlines()
    assert "the recording ends here" in json.loads(last)["note"]
    *_, last = (await whole(playback, sheet=True)).splitlines()
    assert "the recording ends here" in last
    file.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    *_, last = (await whole(playback, sheet=False)).splitlines()
    assert "altered" in json.loads(last)["note"]
    file.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])
    with pytest.raises(Corrupt):
        await whole(playback, sheet=False)


MASKED: tuple[Frame, ...] = (
    StatementText(10, 1, b"UPDATE t SET card = '[masked: 16 bytes]', note = $1 WHERE id = $2"),
    Marker(10, "statement 1: masked: 1 part of the text"),
    Executed(20, 1, 1, Form.EXTENDED, (Parameter(16), Parameter(b"7"), Parameter(70_000))),
    Marker(20, "execution 1: masked parameters 1"),
    Executed(21, 2, 1, Form.EXTENDED, (Parameter(16),)),
    Marker(22, "execution 9: masked parameters 1, 2"),
    Finished(50, 1, Outcome.OK, b"I", 1, 0, "UPDATE 1"),
)


def test_what_is_masked_is_said_to_be() -> None:
    first, second = lines(MASKED)
    assert first.cut == "masked: 1 part of the text"
    assert first.values == (Value("masked", "", 16), Value("text", "7", 1), Value("omitted", "", 70_000))
    assert second.values == (Value("omitted", "", 16),)
    told = json.loads(reading.json_line(first, Instant(0)))
    assert [each["kind"] for each in told["parameters"]] == ["masked", "text", "omitted"]
    assert told["note"] == "masked: 1 part of the text"
    assert [playback_says(first, word) for word in ("mask", "masked", "unmasked")] == [True, True, False]
    assert playback_says(lines(WORK)[0], "masked") is False


def test_a_wait_for_a_yes_is_told_apart_from_the_time_it_ran() -> None:
    statements = Statements({1: Waited("approved", "=Mia", 25, 7), 2: Waited("client.cancelled", "", 90, 9)})
    found = [line for frame in WORK for line in statements.add(frame)]
    first, other, longer = found
    assert (first.lasted, first.took) == (30, 5)
    assert (other.took, other.waited) == (7, None)
    assert longer.took == 0  # its end was heard of later than the client was told
    told = json.loads(reading.json_line(first, Instant(0)))
    assert (told["microseconds"], told["waited_microseconds"], told["decision"], told["decided_by"], told["entry"]) == (
        5, 25, "approved", "=Mia", 7,
    )  # fmt: skip
    sheet = next(csv.DictReader(io.StringIO(reading.csv_head()[1:] + reading.csv_line(first, Instant(0)))))
    assert [sheet[each] for each in ("decided_by", "entry", "note")] == ["'=Mia", "7", ""]


RESULT: tuple[Frame, ...] = (
    StatementText(10, 1, b"SELECT id, card FROM t"),
    Executed(20, 1, 1, Form.SIMPLE),
    Marker(21, 'execution 1: row 0: ["id", "card"]'),
    Marker(21, 'execution 1: row 1: ["7", 16]'),
    Marker(21, 'execution 1: row 2: [null, "a\\u00e9"]'),
    Marker(21, "execution 1: row 3: [wrong]"),
    Marker(21, 'execution 9: row 1: ["x"]'),
    Finished(50, 1, Outcome.OK, b"I", 9, 80, "SELECT 9"),
)


def test_rows_that_were_kept_stand_with_their_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = lines(RESULT)
    assert line.result == (Cells(0, ("id", "card")), Cells(1, ("7", 16)), Cells(2, (None, "a\u00e9")))
    told = json.loads(reading.json_line(line, Instant(0)))
    assert [each["cells"] for each in told["result"]] == [["id", "card"], ["7", {"masked": 16}], [None, "a\u00e9"]]
    sheet = next(csv.DictReader(io.StringIO(reading.csv_head()[1:] + reading.csv_line(line, Instant(0)))))
    assert json.loads(sheet["result"]) == told["result"]
    assert sheet["note"] == ""
    monkeypatch.setattr(reading, "MAX_KEPT_BYTES", 260)
    (line,) = lines(RESULT)
    assert [each.row for each in line.result] == [0, 1]
    assert "not all rows that were kept are shown" in line.cut
