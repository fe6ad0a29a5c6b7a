"""What a pack says of recordings: its words follow from the entries of the checks, and no other words pass."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from onepam.app.open_session import Opened
from onepam.app.sessions.check_recordings import check_recordings
from onepam.domain.sessions.recordings import Checked, Condition
from onepam.evidence.verifier.rules import BAD
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant, iso
from onepam.store.engine.database import connect
from tests.company import START
from tests.evidence.company import PART, History, checked, history, pack_input, written
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Attacks, Forge
from tests.evidence.live import story

ATTACKS = Attacks()
add = ATTACKS.add
COLUMNS = ("recording_condition", "recording_checked", "recording_partial")


@pytest.fixture(scope="session")
def altered() -> History:
    """A history in which a check found one recording altered."""
    return checked("altered")


@pytest.fixture(scope="session")
def sound() -> History:
    """One in which none is bad now."""
    return checked()


@pytest.fixture(scope="session")
def pack(altered: History) -> bytes:
    return written(pack_input(altered))


def _at(report: Any, column: str) -> int:
    return int(report["columns"].index(column))


def _rows(report: Any, condition: str) -> list[Any]:
    return [row for row in report["rows"] if row["cells"][_at(report, "recording_condition")] == condition]


def _says(f: Forge, condition: str, column: str, text: str) -> None:
    """The first row of the condition says something else in the column."""

    def change(r: Any) -> None:
        _rows(r, condition)[0]["cells"][_at(r, column)] = text

    f.report("sessions", change)


def _of_kind(f: Forge, kind: str) -> list[int]:
    return [e.header.index for e in f.h.entries if e.header.kind == kind]


@add("an altered recording called whole", r"row \d+: recording_condition is not what the checks say, .*'altered'")
def _(f: Forge) -> None:
    _says(f, "altered", "recording_condition", "whole")


@add("a finding neither cited nor disclosed", r"entry \d+ \(recording.found_bad\) is not disclosed")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        row = _rows(r, "altered")[0]
        bad = next(i for i in row["ledger"] if i in _of_kind(f, "recording.found_bad"))
        row["ledger"].remove(bad)
        row["cells"][_at(r, "recording_condition")], row["cells"][_at(r, "recording_found")] = "whole", ""
        f.lines("entries.jsonl", lambda lines: lines.remove(next(each for each in lines if each["index"] == bad)))

    f.report("sessions", change)


@add("a finding disclosed and not cited", "must rest on entries")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        row = _rows(r, "altered")[0]
        row["ledger"] = [i for i in row["ledger"] if i not in _of_kind(f, "recording.found_bad")]
        row["cells"][_at(r, "recording_condition")], row["cells"][_at(r, "recording_found")] = "whole", ""

    f.report("sessions", change)


@add("one that nobody checked called whole", r"recording_condition is not what the checks say, .*'not checked'")
def _(f: Forge) -> None:
    _says(f, "not checked", "recording_condition", "whole")


@add("a check of others cited for one that nobody checked", r"must rest on entries \[.*\], and rests on")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        row = _rows(r, "not checked")[0]
        row["ledger"].append(_of_kind(f, "recordings.checked")[0])
        row["cells"][_at(r, "recording_condition")] = "whole"

    f.report("sessions", change)


@add("an older check cited", "must rest on entries")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        older, newer = _of_kind(f, "recordings.checked")
        row = next(row for row in r["rows"] if newer in row["ledger"])
        row["ledger"][row["ledger"].index(newer)] = older

    f.report("sessions", change)


@add("a later instant", "recording_checked is not what the checks say")
def _(f: Forge) -> None:
    _says(f, "whole", "recording_checked", "2027-01-01T00:00:00.000000Z")


@add("one with a gap called whole", "recording_condition is not what the checks say, which is 'gap'")
def _(f: Forge) -> None:
    _says(f, "gap", "recording_condition", "whole")


@add("a partial one told as complete", "recording_partial is not what the checks say, which is 'partial by policy'")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        at = _at(r, "recording_partial")
        next(row for row in r["rows"] if row["cells"][at])["cells"][at] = ""

    f.report("sessions", change)


@add("the columns left out", "lacks the column recording_condition")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        for column in COLUMNS:
            at = _at(r, column)
            del r["columns"][at]
            for row in r["rows"]:
                del row["cells"][at]

    f.report("sessions", change)


@pytest.mark.parametrize("name", ATTACKS.table, ids=str)
def test_refused_and_named(name: str, altered: History, pack: bytes, check: Check) -> None:
    ATTACKS.assert_refused(name, Forge(altered, pack), check)


@pytest.mark.parametrize("condition", BAD)
def test_5_and_the_line_counts_what_is_bad(condition: str, check: Check) -> None:
    code, result = check(written(pack_input(checked(condition))), *KEYS)
    assert code == 5
    assert result["verdict"].endswith(" in the rest; 1 recording not as sealed: see the line recordings")
    assert f"; 1 {BAD[condition]}" in result["recordings"]


def test_5_without_an_anchor_too(altered: History, check: Check) -> None:
    code, result = check(written(pack_input(altered)), *KEYS[:2])
    assert code == 5
    assert ". CONSISTENT IN ITSELF, NOT ANCHORED" in result["verdict"]


def _conditions(h: History, pack: bytes) -> list[tuple[str, str]]:
    """What was ever found of each closed recording, and its condition."""
    found: list[tuple[str, str]] = []

    def look(r: Any) -> None:
        at, condition = _at(r, "recording_found"), _at(r, "recording_condition")
        found.extend((row["cells"][at], row["cells"][condition]) for row in r["rows"] if row["cells"][condition])

    Forge(h, pack).report("sessions", look)
    return found


def test_the_line_says_how_many_of_how_many_as_of_when(sound: History, check: Check) -> None:
    pack = written(pack_input(sound))
    conditions = [condition for _, condition in _conditions(sound, pack)]
    code, result = check(pack, *KEYS)
    closed, waiting = len(conditions), conditions.count("not checked")
    newest = [e for e in sound.entries if e.header.kind == "recordings.checked"][-1].header.time
    assert code == PART
    assert 0 < waiting < closed
    assert result["recordings"].startswith(f"{closed - waiting} of {closed} checked, as of {iso(newest)}")
    assert any(", ".join(COLUMNS) in line for line in result["proved"])
    assert not any("column recording" in line for line in result["not_proved"])
    assert "that a recording is today what its last check found: a pack holds no recordings" in result["not_proved"]


def test_one_that_was_restored_is_whole_again_and_its_past_is_told(sound: History) -> None:
    assert [each for each in _conditions(sound, written(pack_input(sound))) if each[0]] == [("cut; whole", "whole")]


def test_before_any_check_none_is_called_whole(company: History, honest: bytes) -> None:
    assert {condition for _, condition in _conditions(company, honest)} == {"not checked"}


def test_without_the_report_nothing_is_told(company: History, honest: bytes, check: Check) -> None:
    forge = Forge(company, honest)
    for end in ("jsonl", "csv", "envelope.json"):
        del forge.files[f"reports/sessions.{end}"]
    forge.edit("manifest.json", lambda m: m["reports"].remove("sessions"))
    _, result = check(forge.seal(), *KEYS)
    assert result["recordings"] == "not told: the pack has no report of sessions"


def test_a_finding_is_told_also_where_the_report_was_left_out(altered: History, check: Check) -> None:
    forge = Forge(altered, written(pack_input(altered)))
    for end in ("jsonl", "csv", "envelope.json"):
        del forge.files[f"reports/sessions.{end}"]
    forge.edit("manifest.json", lambda m: m["reports"].remove("sessions"))
    code, result = check(forge.seal(), *KEYS)
    said = "The log knows recordings that are not as they were sealed, and no row tells them: 1 altered"
    assert code == 5
    assert result["recordings"] == "not told: the pack has no report of sessions; told by no row: 1 altered"
    assert said in result["lacks"]


def _later_period(f: Forge) -> None:
    """It begins after every session was opened, so that no row is due; the findings lie in it."""
    f.edit("manifest.json", lambda m: m.update(period={"from": LATER, "to": "2026-05-01T00:00:00.000000Z"}))
    for name in ("sessions", "requests"):
        f.report(name, lambda r: r["rows"].clear())
    for name in json.loads(f.files["manifest.json"])["reports"]:
        f.envelope(name, lambda e: e["period"] and e.update(period=json.loads(f.files["manifest.json"])["period"]))


LATER = "2026-04-08T00:00:00.000000Z"


@pytest.mark.parametrize("left_out", ["by the period", "as a test", "not disclosed"])
def test_a_finding_of_a_session_without_a_row_counts(
    left_out: str, altered: History, pack: bytes, check: Check
) -> None:
    """Whoever draws chooses the period, and could begin it after the session."""
    forge = Forge(altered, pack)
    if left_out != "as a test":
        _later_period(forge)
    if left_out == "as a test":
        heads: list[int] = []

        def without(r: Any) -> None:
            (gone,) = _rows(r, "altered")
            heads.append(gone["ledger"][0])
            r["rows"].remove(gone)

        forge.report("sessions", without)
        forge.envelope("sessions", lambda e: e["exclusions"].append({"index": heads[0], "reason": "a test"}))
        forge.report("sessions", lambda r: None)
    if left_out == "not disclosed":
        found = set(_of_kind(forge, "recording.found_bad"))
        forge.lines(
            "entries.jsonl", lambda e: e.__setitem__(slice(None), [each for each in e if each["index"] not in found])
        )
    code, result = check(forge.seal(), *KEYS)
    if left_out == "not disclosed":
        assert (code, "The pack withholds 2 findings about recordings" in result["lacks"]) == (PART, True)
    else:
        assert (code, result["recordings"].split("; ")[-1]) == (5, "told by no row: 1 altered")
        assert "no row tells them: 1 altered. " in result["verdict"]


@pytest.mark.anyio
async def test_a_drawn_pack_says_what_the_checks_found_as_of_its_end(tmp_path: Path, check: Check) -> None:
    live = await story(tmp_path)
    ledger = live.company.ledger
    with closing(connect(live.company.path, read_only=True)) as db:
        sql = "SELECT idx, json_extract(CAST(body AS TEXT), '$.session') FROM entry WHERE kind = 'session.closed'"
        (_, first), (_, second), (third, _) = db.execute(sql).fetchall()

    async def drawn(condition: Condition, turn: int) -> tuple[int, str, list[tuple[str, str]]]:
        results = (Checked(first, condition, "why"), Checked(second, Condition.GAP))
        await check_recordings(ledger, "node-1", turn, 0, third, results)
        live.company.clock.advance(DAY)
        await live.company.sign_in("aud")
        pack = await live.pack(START, Instant(START + DAY))
        code, result = check(pack, *KEYS)
        return code, result["recordings"], _conditions(History(), pack)

    code, line, conditions = await drawn(Condition.ALTERED, 0)
    assert (code, line.split(";")[1:]) == (5, [" 1 altered"])
    assert line.startswith("2 of 3 checked, as of ")
    assert conditions == [("altered", "altered"), ("", "gap"), ("", "not checked")]
    later = Instant(START + 2 * DAY), Instant(START + 4 * DAY)
    live.company.clock.advance(2 * DAY)
    await live.company.sign_in("aud")
    code, result = check(await live.pack(*later), *KEYS)
    assert (code, result["recordings"]) == (5, "0 of 0 checked; told by no row: 1 altered")
    assert not any("withholds" in each for each in result["lacks"])
    code, line, conditions = await drawn(Condition.WHOLE, 1)
    assert (code, ";" in line) == (0, False)
    assert conditions == [("altered; whole", "whole"), ("", "gap"), ("", "not checked")]
    code, result = check(await live.pack(*later), *KEYS)
    assert (code, result["recordings"]) == (0, "0 of 0 checked")
    live.company.close()


def test_a_check_covers_nothing_that_was_closed_after_it(check: Check) -> None:
    """Whatever range its entry names."""
    old, h = history(), History()
    cut = next(e.header.index for e in old.entries if e.header.kind == "payload.erased") + 1
    for entry in old.entries:
        if entry.header.index == cut:
            h.append(entry.header.time, "recordings.checked", {"begin": 0, "until": 10**6})
        h.append(entry.header.time, entry.header.kind, json.loads(entry.body))
    h.payloads = {index + (index >= cut): payload for index, payload in old.payloads.items()}
    pack = written(pack_input(h))
    assert check(pack, *KEYS)[0] == PART
    assert {condition for _, condition in _conditions(h, pack)} == {"whole", "gap", "not checked"}


@pytest.mark.anyio
async def test_a_check_that_is_withheld_is_missed(tmp_path: Path, check: Check) -> None:
    """An older check, or none, would be told in its place. What the platform draws discloses all of them, also one
    that no row tells."""
    live = await story(tmp_path)
    ledger = live.company.ledger
    with closing(connect(live.company.path, read_only=True)) as db:
        sql = "SELECT idx FROM entry WHERE kind = 'session.closed' ORDER BY idx"
        closings = [index for (index,) in db.execute(sql)]
    for turn, until in enumerate((closings[0], closings[-1] + 1, closings[-1] + 1)):
        await check_recordings(ledger, "node-1", turn, 0, until, ())
        live.company.clock.advance(DAY)
    await live.company.sign_in("aud")
    pack = await live.pack(START, Instant(START + DAY))
    live.company.close()
    code, result = check(pack, *KEYS)
    assert (code, [each for each in result["lacks"] if "check" in each]) == (0, [])
    kinds = [json.loads(line)["kind"] for line in Forge(History(), pack).files["headers.jsonl"].splitlines()]
    nobodys, older, newer = (index for index, kind in enumerate(kinds) if kind == "recordings.checked")

    def told(withheld: tuple[int, ...], instead: int | None) -> tuple[int, list[str], str]:
        forge = Forge(History(), pack)
        times = [json.loads(line)["time"] for line in forge.files["headers.jsonl"].splitlines()]

        def change(r: Any) -> None:
            condition, at = _at(r, "recording_condition"), _at(r, "recording_checked")
            for row in r["rows"] if instead != newer else ():
                if newer in row["ledger"]:
                    row["ledger"].remove(newer)
                    row["cells"][at] = "" if instead is None else iso(times[instead])
                    row["cells"][condition] = "not checked" if instead is None else row["cells"][condition]
                    row["ledger"] = [row["ledger"][0], *row["ledger"][1:], *([] if instead is None else [instead])]

        forge.lines(
            "entries.jsonl", lambda e: e.__setitem__(slice(None), [each for each in e if each["index"] not in withheld])
        )
        forge.report("sessions", change)
        code, result = check(forge.seal(), *KEYS)
        return code, [each for each in result["lacks"] if "recording_checked" in each], result["recordings"]

    why = "of recordings {} not disclosed: recording_checked may be older than it says, or be there"
    assert told((newer,), older)[:2] == (PART, [f"1 check {why.format('is')}"])
    assert told((nobodys,), newer)[:2] == (PART, [f"1 check {why.format('is')}"])
    code, lacks, line = told((older, newer), None)
    assert (code, lacks) == (PART, [f"2 checks {why.format('are')}"])
    assert line.startswith("0 of 3 checked")


@pytest.mark.anyio
async def test_a_session_without_an_end_is_said_once_its_latest_has_passed(tmp_path: Path, check: Check) -> None:
    live = await story(tmp_path)
    company, clock = live.company, live.company.clock
    await company.sign_in("eve")
    outcome = await company.open("eve", "dev-1", "app")
    assert isinstance(outcome, Opened), outcome
    said = "1 session has no end in the log, though the latest one has passed: of the recording nothing is told"
    for after, lacks in ((HOUR - MINUTE, False), (HOUR + MINUTE, True)):
        clock.advance(outcome.ends + after - clock.now)
        await company.sign_in("aud")
        _, result = check(await live.pack(START, Instant(clock.now)), *KEYS)
        assert (said in result["lacks"]) is lacks, result["lacks"]
    company.close()
