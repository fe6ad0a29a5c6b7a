"""Reports that do not say what the entries say. Manifest, CSV, counts and digests are made to fit each time."""

from hashlib import sha256
from typing import Any

import pytest

from tests.evidence.company import PART, History, body_of, pack_input, written
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Attacks, Forge

ATTACKS = Attacks()
add = ATTACKS.add


def _at(report: Any, column: str) -> int:
    return int(report["columns"].index(column))


def _cell(report: Any, column: str, text: str, row: int = 3) -> None:
    at = _at(report, column)
    assert report["rows"][row]["cells"][at] != text
    report["rows"][row]["cells"][at] = text


@add("a session's row removed", r"reports/sessions.jsonl: no row for entry \d+ \(session\.")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["rows"].pop(3))


@add("all rows removed", "reports/sessions.jsonl: no row for entry")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["rows"].clear())


@add("a request's row removed", r"reports/requests.jsonl: no row for entry \d+ \(request.made\)")
def _(f: Forge) -> None:
    f.report("requests", lambda r: r["rows"].pop())


@add("a row doubled", "reports/sessions.jsonl row 75: entry .* has a row already")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["rows"].append(r["rows"][3]))


@add("a row of an entry that does not exist", "rests on entry 9999, which is not disclosed")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["rows"][3].update(ledger=[9999]))


@add("a row of no entry", "reports/sessions.jsonl row 4: rests on no entry")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["rows"][3].update(ledger=[]))


@add("a row that rests on true", "rests on entry True, which is not disclosed")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["rows"][3]["ledger"].append(True))


@add("a row of an entry of another kind", "column|is not what the entries say|does not belong")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["rows"].append(r["rows"][3] | {"ledger": [1]}))


@add("the period narrowed, its rows kept", "does not belong to this report's population")
def _(f: Forge) -> None:
    _narrow(f, "2026-03-01T00:00:00.000000Z")


def _narrow(f: Forge, until: str) -> None:
    f.edit("manifest.json", lambda m: m["period"].update(to=until))
    for name in ("sessions", "requests"):
        f.envelope(name, lambda e: e["period"].update(to=until))
    f.envelope("access", lambda e: e.update(as_of=until))


for _column, _text in (
    ("time", "2026-01-02T00:00:00.000000Z"), ("outcome", "session.allowed"), ("person", "per_9"), ("resource", "web-9"),
    ("login", "guest"), ("ended", ""), ("recorded", "0"), ("source", "192.0.2.1"), ("name", "Eve Sdropper"),
    ("session", "ses_0"), ("entry", "console"), ("because", "killed"),
):  # fmt: skip

    @add(f"the cell {_column} changed", f"reports/sessions.jsonl row 4: {_column} is not what the entries say")
    def _(f: Forge, column: str = _column, text: str = _text) -> None:
        f.report("sessions", lambda r: _cell(r, column, text))


for _column in ("decision", "decided", "decided_by", "role", "reason", "ticket"):

    @add(f"the cell {_column} of a request changed", f"row 4: {_column} is not what the entries say")
    def _(f: Forge, column: str = _column) -> None:
        f.report("requests", lambda r: _cell(r, column, "per_0; per_1"))


@add("an access row's role changed", "reports/access.jsonl row 4: role is not what the entries say")
def _(f: Forge) -> None:
    f.report("access", lambda r: _cell(r, "role", "administrator"))


@add("an access row's beginning changed", "reports/access.jsonl row 4: bound_from is not what the entries say")
def _(f: Forge) -> None:
    f.report("access", lambda r: _cell(r, "bound_from", ""))


@add("a pinned column left out", "reports/sessions.jsonl: lacks the column outcome")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        r["columns"].pop(1)
        for row in r["rows"]:
            row["cells"].pop(1)

    f.report("sessions", change)


@add("a column that says where it comes from", "reports/sessions.jsonl: a column's name is not text")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["columns"].__setitem__(1, {"from": [], "name": "outcome"}))


@add("two columns of one name", "two columns are named time")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["columns"].append(r["columns"][0]))


@add("the name of another person, by her own entry", r"row 4: must rest on entries \[")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        row = r["rows"][3]
        mine = row["ledger"].pop()
        row["ledger"].append(mine - 2)
        _cell(r, "name", "Ada")

    f.report("sessions", change)


@add("a cell too many", "its cells do not fit the columns")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["rows"][3]["cells"].append("x"))


@add("a cell that is a number", "its cells do not fit the columns")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r["rows"][3]["cells"].__setitem__(0, 5))


def _opened(r: Any) -> Any:
    return next(row for row in r["rows"] if row["cells"][1] == "session.opened" and len(row["ledger"]) > 2)


@add("a session whose end is not cited", "must rest on entries")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        row = _opened(r)
        row["ledger"].pop(1)
        for column in ("ended", "last_byte", "because", "recorded"):
            row["cells"][_at(r, column)] = ""

    f.report("sessions", change)


@add("a session with another's end", "is not what the entries say|must rest on entries")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        one, other = [row for row in r["rows"] if row["cells"][1] == "session.opened" and len(row["ledger"]) > 2][:2]
        one["ledger"][1] = other["ledger"][1]

    f.report("sessions", change)


@add("a denial neither cited nor disclosed", r"entry \d+ \(request.denied\) is not disclosed")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        row = next(row for row in r["rows"] if "request.denied" in row["cells"])
        gone.append(row["ledger"].pop(1))

    gone: list[int] = []
    f.report("requests", change)
    for name in ("entries.jsonl", "payloads.jsonl"):
        f.lines(name, lambda lines: lines.remove(next(line for line in lines if line["index"] == gone[0])))


@add("something said in the place of an erased payload", "row .*: source is not what the entries say")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        at = _at(r, "source")
        next(row for row in r["rows"] if row["cells"][at] == "[erased]")["cells"][at] = "198.51.100.77"

    f.report("sessions", change)


@add("only the CSV changed", "reports/sessions.csv: differs from reports/sessions.jsonl|SHA-256 of the report")
def _(f: Forge) -> None:
    name = "reports/sessions.csv"
    f.files[name] = f.files[name].replace(b'"root"', b'"guest"', 1)


@add("a formula let loose in the CSV", "reports/sessions.csv: differs from reports/sessions.jsonl")
def _(f: Forge) -> None:
    name = "reports/sessions.csv"
    assert b"\"'=cmd|" in f.files[name]
    f.files[name] = f.files[name].replace(b"\"'=cmd|", b'"=cmd|')
    f.envelope("sessions", lambda e: e["files"].update({"sessions.csv": sha256(f.files[name]).hexdigest()}))


@add("a report that says it is another", "says it is report vendors")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: r.update(report="vendors"))


@add("a row that rests on what came after its as-of", "reports/access.jsonl row 1: rests on entry 317, which is later")
def _(f: Forge) -> None:
    f.report("access", lambda r: r["rows"][0]["ledger"].append(317))


# --- the envelope ---

_ENVELOPE: list[tuple[str, dict[str, Any], str]] = [
    ("another query", {"query": "SELECT 1"}, "the query hash is not that of the query"),
    ("other parameters", {"parameters": {}}, "the query hash is not that of the query"),
    ("another system", {"system": {"id": "x", "version": "0.1.0", "environment": "production"}}, "system is not that"),
    ("another range", {"range": {"first": 0, "end": 400}}, "range is not that"),
    ("another checkpoint", {"checkpoint": "log.example.com/onepam@318 00"}, "checkpoint is not that"),
    ("another report", {"report": "requests"}, "report is not that"),
    ("another period", {"period": {"from": "2026-01-01T00:00:00.000000Z", "to": "2026-02-01T00:00:00.000000Z"}},
     "the period"),
    ("no period", {"period": None}, "either a period or an as-of"),
    ("an as-of instead of the period", {"period": None, "as_of": "2026-02-01T00:00:00.000000Z"}, "this report is over"),
    ("an end before the start", {"ended": "2026-01-01T00:00:00.000000Z"}, "ended before it started"),
    ("a start that is no time", {"started": "yesterday"}, "is not a time in UTC"),
    ("fewer rows before the filter", {"filters": [{"filter": "all", "before": 70, "after": 74}]}, "do not add up"),
    ("rows lost before", {"filters": [{"filter": "all", "before": 76, "after": 60}]}, "do not add up|rows after"),
    ("rows lost after the last filter", {"filters": [{"filter": "all", "before": 74, "after": 60}]},
     "rows after the filters|do not add up"),
    ("an exclusion without a reason", {"exclusions": [{"index": 30, "reason": ""}]}, "exclusion without a reason"),
    ("an exclusion of what nobody can see", {"exclusions": [{"index": 317000, "reason": "x"}]}, "is not disclosed"),
    ("an exclusion of what has a row", {"exclusions": [{"index": -1, "reason": "x"}]}, "index is negative"),
    ("a digest changed", {"files": {"sessions.csv": "00", "sessions.jsonl": "00"}}, "SHA-256 of the report's files"),
    ("nobody ran it", {"run_by": None}, "run_by must be str"),
]  # fmt: skip
for _name, _change, _says in _ENVELOPE:

    @add(f"envelope: {_name}", f"reports/sessions.envelope.json: .*({_says})")
    def _(f: Forge, change: dict[str, Any] = _change) -> None:
        f.envelope("sessions", lambda e: e.update(change))


@add(
    "a row hidden by an exclusion that is not of the population", "entry 0 does not belong to this report's population"
)
def _(f: Forge) -> None:
    f.envelope("sessions", lambda e: e["exclusions"].append({"index": 0, "reason": "x"}))
    f.report("sessions", lambda r: None)


@add("excluded, and yet there", "is excluded by the envelope")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        heads.extend(row["ledger"][0] for row in r["rows"])

    heads: list[int] = []
    f.report("sessions", change)
    f.envelope("sessions", lambda e: e["exclusions"].append({"index": heads[0], "reason": "x"}))
    f.report("sessions", lambda r: None)


@add("an as-of later than the period", "the as-of is later than the period")
def _(f: Forge) -> None:
    f.envelope("access", lambda e: e.update(as_of="2026-04-02T00:00:00.000000Z"))


@pytest.mark.parametrize("name", ATTACKS.table, ids=str)
def test_refused_and_named(name: str, company: History, honest: bytes, check: Check) -> None:
    ATTACKS.assert_refused(name, Forge(company, honest), check)


def test_what_cannot_be_derived_again_is_said(company: History, honest: bytes, check: Check) -> None:
    """Where the ways in cannot be derived, a missing row of access passes, and the verdict begins with it."""
    forge = Forge(company, honest)
    forge.report("access", lambda r: r["rows"].pop())
    forge.report("sessions", lambda r: _cell(r, "comment", "nothing to see"))
    code, result = check(forge.seal(), *KEYS)
    assert code == PART
    assert "The rows of the report access are not judged: entry 1 does not read as person.added" in result["lacks"]
    assert any("report access: that no row is missing" in line for line in result["not_proved"])
    assert "report sessions, the exporter's words: comment" in result["not_proved"]


def test_exclusions_are_shown_with_their_reasons(company: History, check: Check) -> None:
    code, result = check(written(pack_input(company, exclude=2)), *KEYS)
    assert code == PART
    assert "The pack leaves out 2 of 74 of the report sessions: 2 as 'the drill of January'" in result["lacks"]
    assert body_of(company, 0)["version"] == 1
