"""A database's session in the terminal, and from the API: lines, files, and nothing that acts; each reading is told."""

import json
from pathlib import Path

from onepam.cli.statements import MOST_CHARACTERS, statement_lines
from onepam.recording.frames import Frame
from onepam.recording.statements import Executed, Finished, Form, Outcome, Parameter, StatementText
from onepam.store.engine.entries import entries_of
from tests.api.office import Office
from tests.cli.conftest import NewTerminal

WORK: tuple[Frame, ...] = (
    StatementText(10, 1, b"SELECT '\x1b]0;t\x07',\n   $1, $2"),
    Executed(20, 1, 1, Form.EXTENDED, (Parameter(b"\x1b[2J"), Parameter(None), Parameter(b"\x00\x2a", binary=True))),
    Finished(12_320, 1, Outcome.OK, b"I", 1204, 5_000, "SELECT 1204"),
    StatementText(20_000, 2, b"=1+1"),
    Executed(20_001, 2, 2, Form.SIMPLE, (Parameter(70_000),)),
    Finished(20_801, 2, Outcome.ERROR, b"I", 0, 0, "42601 syntax\x1b[31m"),
)


def watched(office: Office, session: str) -> list[tuple[str, str]]:
    found = office.reader.now(lambda db, at: [each.event for each in entries_of(db, ("recording.watched",))])
    return [(each.by, each.how) for each in found if each.session == session]


def test_statements_are_printed_as_lines_and_saved(office: Office, terminal: NewTerminal, tmp_path: Path) -> None:
    eve, aud = office.join("engineer"), office.join("auditor")
    session = office.database_session(eve, *WORK)
    auditor = terminal().signed_in(aud)
    played = auditor.run("play", session)
    assert played.code == 0, played.err
    first, wrong = played.out.splitlines()
    assert "\x1b" not in played.out
    for words in ("ok", "1,204 rows", "12.3 ms", "SELECT '\\x1b]0;t\\x07', $1, $2", "NULL, \\x002a", "SELECT 1204"):
        assert words in first, words
    for words in ("error", "0.8 ms", "=1+1", "70,000 bytes", "42601 syntax\\x1b[31m"):
        assert words in wrong, words
    assert watched(office, session) == [(aud, "statements")]
    raw = auditor.run("play", session, "--json").out.splitlines()
    assert [json.loads(each)["outcome"] for each in raw] == ["ok", "error"]
    for name, begins in (("all.csv", "\ufeff"), ("all.jsonl", '{"started"')):
        assert auditor.run("play", session, "--save", str(tmp_path / name)).code == 0
        assert (tmp_path / name).read_text().startswith(begins)
    assert '"=1' not in (tmp_path / "all.csv").read_text()
    assert auditor.run("play", session, "--save", str(tmp_path / "all.csv")).code == 2


def test_the_api_gives_them_to_who_may_watch(office: Office) -> None:
    eve, other = office.join("engineer"), office.join("engineer")
    session = office.database_session(eve, *WORK)
    with office.client(eve) as client:
        told = client.get(f"/sessions/{session}/statements")
        assert told.headers["content-type"] == "application/jsonl"
        assert len(told.text.splitlines()) == 2
        sheet = client.get(f"/sessions/{session}/statements", params={"format": "csv"})
        assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
        assert client.get(f"/sessions/{session}/statements", params={"format": "exe"}).status_code == 422
    with office.client(other) as client:
        assert client.get(f"/sessions/{session}/statements").status_code == 404
    assert watched(office, session) == [(eve, "statements")] * 2


def test_what_is_long_or_absent_is_said_in_a_line() -> None:
    told: dict[str, object] = {
        "started": "2026-11-29T08:00:00.123456Z", "microseconds": None, "outcome": "unanswered", "rows": 0,
        "words": "", "text": "x" * (MOST_CHARACTERS + 9), "parameters": [], "note": "",
    }  # fmt: skip
    gone = {**told, "text": None, "statement": 3}
    asked = {**told, "waited_microseconds": 59_000_000, "decision": "approved", "decided_by": "Mia"}
    *lines, waited = statement_lines([*map(json.dumps, (told, gone)), '{"note": "ends \\u001b[2J"}', json.dumps(asked)])
    long, absent, note = lines
    assert waited.endswith("-- approved by Mia, waited 59.0 s")
    assert long.endswith("x …")
    assert len(long) < MOST_CHARACTERS + 200
    assert "(text further up)" in absent
    assert note == "-- ends \\x1b[2J"
