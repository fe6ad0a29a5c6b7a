"""Alterations of a pack drawn from a real ledger: each is refused, and the refusal names the thing."""

import json
from typing import Any

import pytest

from onepam.evidence.reports import access, leavers, sessions
from tests.evidence.company import History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Attacks, Forge

ATTACKS = Attacks()


def _columns() -> list[tuple[str, str]]:
    rooms = (("sessions", sessions.COLUMNS), ("access", access.COLUMNS), ("leavers", leavers.COLUMNS))
    return [(name, column.name) for name, columns in rooms for column in columns if column.sources]


for _report, _column in _columns():

    @ATTACKS.add(f"{_report}: the cell {_column} changed", f"reports/{_report}.jsonl row 1: {_column} is not what the")
    def _(f: Forge, name: str = _report, column: str = _column) -> None:
        def change(found: Any) -> None:
            found["rows"][0]["cells"][found["columns"].index(column)] += "x"

        f.report(name, change)


for _report, _rows in (("sessions", 5), ("requests", 5), ("leavers", 1)):
    for _row in range(_rows):

        @ATTACKS.add(f"{_report}: row {_row + 1} taken out", f"reports/{_report}.jsonl: no row for entry")
        def _(f: Forge, name: str = _report, row: int = _row) -> None:
            f.report(name, lambda found: found["rows"].pop(row))


@ATTACKS.add("the end of a grant is not cited", "requests.jsonl row 1: must rest on entries|ended is not what")
def _(f: Forge) -> None:
    def change(found: Any) -> None:
        by_kind = found["columns"]
        row = found["rows"][0]
        row["ledger"] = [each for each in row["ledger"] if each != max(row["ledger"])]
        for name in ("ended", "ended_as", "ended_because", "ended_by", "ended_reason"):
            row["cells"][by_kind.index(name)] = ""

    f.report("requests", change)


@ATTACKS.add("the end of a grant is not disclosed", r"entry \d+ \(grant.ended\) is not disclosed|rests on entry")
def _(f: Forge) -> None:
    gone = next(
        h["index"] for h in map(json.loads, f.files["headers.jsonl"].splitlines()) if h["kind"] == "grant.ended"
    )
    for name in ("entries.jsonl", "payloads.jsonl"):
        f.lines(name, lambda lines: lines.__setitem__(slice(None), [each for each in lines if each["index"] != gone]))


for _index in range(0, 60, 6):

    @ATTACKS.add(f"the time of entry {_index} changed", "do not give the checkpoint's root|is not later than")
    def _(f: Forge, index: int = _index) -> None:
        f.headers(lambda headers: headers[index].update(time=headers[index]["time"] + 1))

    @ATTACKS.add(f"the hash of entry {_index} changed", "do not give the checkpoint's root")
    def _(f: Forge, index: int = _index) -> None:
        hashes = bytearray(f.files["bodies.sha256"])
        hashes[32 * index] ^= 1
        f.files["bodies.sha256"] = bytes(hashes)


@ATTACKS.add("an erased payload is made up", "payloads.jsonl: the payload of entry .* is not the one in the log")
def _(f: Forge) -> None:
    def change(lines: list[Any]) -> None:
        at = next(at for at, line in enumerate(lines) if "erased" in line)
        lines[at] = {"index": lines[at]["index"], "payload": '{"name":"Somebody"}', "salt": "00" * 32}

    f.lines("payloads.jsonl", change)


@ATTACKS.add("a person's name changed in the payload", "the payload of entry .* is not the one in the log")
def _(f: Forge) -> None:
    f.files["payloads.jsonl"] = f.files["payloads.jsonl"].replace(b"Eve Married", b"Eva Married")


@ATTACKS.add("somebody disabled is not disclosed any more", "excludes entry .*, which is not disclosed")
def _(f: Forge) -> None:
    exclusions = json.loads(f.files["reports/access.envelope.json"])["exclusions"]
    gone = next(each["index"] for each in exclusions if each["reason"] == access.DISABLED)
    f.lines("entries.jsonl", lambda lines: lines.remove(next(each for each in lines if each["index"] == gone)))


def test_there_are_many() -> None:
    assert len(ATTACKS.table) > 80


@pytest.mark.parametrize("name", ATTACKS.table, ids=str)
def test_an_altered_pack_is_refused_and_the_alteration_named(name: str, drawn_pack: bytes, check: Check) -> None:
    assert check(drawn_pack, *KEYS)[0] == 0
    ATTACKS.assert_refused(name, Forge(History(), drawn_pack), check)
