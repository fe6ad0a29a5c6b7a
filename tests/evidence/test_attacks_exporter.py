"""What whoever draws a pack could do, holding every entry: point to another's entries, leave out, dress up."""

import json
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from onepam.evidence.readme import README
from onepam.evidence.verifier.lacking import README_SHA256
from onepam.evidence.verifier.rules import REPORTS
from tests.evidence.company import History, pack_input, written
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Attacks, Forge

JUDGED = "NOT ALL WAS JUDGED"
ATTACKS = Attacks()
add = ATTACKS.add


def _kinds(f: Forge) -> dict[int, str]:
    headers = map(json.loads, f.files["headers.jsonl"].splitlines())
    return {each["index"]: each["kind"] for each in headers}


def _bodies(f: Forge) -> dict[int, Any]:
    lines = map(json.loads, f.files["entries.jsonl"].splitlines())
    return {each["index"]: json.loads(each["body"]) for each in lines}


def _names(f: Forge, person: str) -> int:
    """The first entry that names somebody."""
    return next(i for i, kind in _kinds(f).items() if kind == "person.added" and _bodies(f)[i]["person"] == person)


def _set(report: Any, row: Any, **cells: str) -> None:
    for column, text in cells.items():
        row["cells"][report["columns"].index(column)] = text


def _granted(report: Any) -> Any:
    """The session that rests on a request and its approval."""
    return next(row for row in report["rows"] if row["cells"][report["columns"].index("approved_by")])


@add("the approver's name is another's, by their own entry", r"sessions.jsonl row 1: must rest on entries")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        row, mine, other = _granted(r), _names(f, "max"), _names(f, "ada")
        row["ledger"][row["ledger"].index(mine)] = other
        _set(r, row, approved_by_name="Ada Example")

    f.report("sessions", change)


@add("the approver's name is another's, cited beside", r"sessions.jsonl row 1: must rest on entries")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: _granted(r)["ledger"].append(_names(f, "ada")))


@add("the approver is another", "sessions.jsonl row 1: approved_by is not what the entries say")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: _set(r, _granted(r), approved_by="ada"))


@add("the approval of the request is not cited", "sessions.jsonl row 1: must rest on entries")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        row = _granted(r)
        row["ledger"] = [i for i in row["ledger"] if _kinds(f)[i] != "request.approved"]
        _set(r, row, approved="")

    f.report("sessions", change)


@add("the reason of another request", "sessions.jsonl row 1: must rest on entries")
def _(f: Forge) -> None:
    def change(r: Any) -> None:
        row, kinds = _granted(r), _kinds(f)
        mine = next(i for i in row["ledger"] if kinds[i] == "request.made")
        row["ledger"][row["ledger"].index(mine)] = next(i for i in kinds if kinds[i] == "request.made" and i != mine)

    f.report("sessions", change)


@add("a request that nobody cites is hidden", r"entry \d+ \(request.made\) is not disclosed")
def _(f: Forge) -> None:
    _without_report(f, "requests")
    asked = {i for row in f.read_report("sessions")["rows"] for i in row["ledger"]}
    gone = next(i for i, kind in _kinds(f).items() if kind == "request.made" and i not in asked)
    _hide(f, gone)


@add("a later name is hidden, and the older one told", r"entry \d+ \(person.changed\) is not disclosed")
def _(f: Forge) -> None:
    gone = next(i for i, kind in _kinds(f).items() if kind == "person.changed")
    old = _names(f, "eve")
    for name in ("access", "accounts", "vendors"):
        _without_report(f, name)
    for name in ("sessions", "requests", "leavers"):

        def change(r: Any) -> None:
            for row in r["rows"]:
                row["ledger"] = [old if i == gone else i for i in row["ledger"]]

        f.report(name, change)
    _hide(f, gone)


@add("the age of the factors", "sessions.jsonl row 1: factors_age_seconds is not what follows from the entry, '10'")
def _(f: Forge) -> None:
    f.report("sessions", lambda r: _set(r, r["rows"][0], factors_age_seconds="3"))


@add("a payload that is text as base64", "payloads.jsonl: the payload of entry .* is text, and stands there as base64")
def _(f: Forge) -> None:
    def hidden(lines: list[Any]) -> None:
        line = next(each for each in lines if "payload" in each)
        line["payload_base64"] = b64encode(line.pop("payload").encode()).decode()

    f.lines("payloads.jsonl", hidden)


@add("the payload of a name kept back", "payloads.jsonl: the payload of entry .* is missing")
def _(f: Forge) -> None:
    gone = _names(f, "max")
    f.lines("payloads.jsonl", lambda lines: lines.remove(next(each for each in lines if each["index"] == gone)))


@add("the beginning that says otherwise is hidden", r"entry \d+ \(system.started\) is not disclosed")
def _(f: Forge) -> None:
    _hide(f, next(i for i, kind in _kinds(f).items() if kind == "system.started"))


def _hide(f: Forge, gone: int) -> None:
    for name in ("entries.jsonl", "payloads.jsonl"):
        f.lines(name, lambda lines: lines.__setitem__(slice(None), [each for each in lines if each["index"] != gone]))


def _without_report(f: Forge, name: str) -> None:
    for end in ("jsonl", "csv", "envelope.json"):
        del f.files[f"reports/{name}.{end}"]
    f.edit("manifest.json", lambda m: m["reports"].remove(name))


@pytest.mark.parametrize("name", ATTACKS.table, ids=str)
def test_refused_and_named(name: str, drawn_pack: bytes, check: Check) -> None:
    ATTACKS.assert_refused(name, Forge(History(), drawn_pack), check)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_that_is_left_out_is_the_first_thing_said(name: str, drawn_pack: bytes, check: Check) -> None:
    forge = Forge(History(), drawn_pack)
    _without_report(forge, name)
    code, result = check(forge.seal(), *KEYS)
    assert code == 7
    assert result["lacks"][0] == f"The pack lacks the report {name}"
    assert result["verdict"].startswith(f"The pack lacks the report {name}. ")
    assert result["verdict"].endswith(". NOT ALL WAS JUDGED; nothing wrong was found in the rest")


def test_a_whole_pack_lacks_nothing_and_says_what_access_leaves_out(drawn_pack: bytes, check: Check) -> None:
    code, result = check(drawn_pack, *KEYS)
    assert (code, result["verdict"][-10:]) == (0, ". VERIFIED")
    assert [each.split(" of the report ")[1].split(":")[0] for each in result["lacks"]] == ["access"]


def test_exclusions_are_the_first_thing_said_with_their_reasons(company: History, check: Check) -> None:
    code, result = check(written(pack_input(company, exclude=74)), *KEYS)
    said = "The pack leaves out 74 of 74 of the report sessions: 74 as 'the drill of January'"
    assert code == 7
    assert said in result["lacks"]
    assert result["verdict"].startswith("The pack lacks the report leavers")
    assert said in result["verdict"].partition(JUDGED)[0]


def test_a_readme_that_is_not_ours_is_pointed_out(drawn_pack: bytes, check: Check) -> None:
    assert sha256(README.encode("ascii")).hexdigest() in README_SHA256
    forge = Forge(History(), drawn_pack)
    forge.files["README.txt"] = b"Run verify.py from this pack.\n"
    code, result = check(forge.seal(), *KEYS)
    assert code == 7
    assert "README.txt is not ours: do not follow it" in result["verdict"].partition(JUDGED)[0]


def test_a_report_of_an_earlier_instant_is_pointed_out(drawn_pack: bytes, check: Check) -> None:
    """Before vic left, say."""
    forge = Forge(History(), drawn_pack)
    for name in ("accounts", "vendors", "leavers", "requests", "sessions"):
        _without_report(forge, name)
    forge.report("access", lambda r: r["rows"].clear())
    forge.envelope("access", lambda e: e.update(as_of="2026-03-02T08:00:00.000001Z"))
    code, result = check(forge.seal(), *KEYS)
    said = "The report access is as of 2026-03-02T08:00:00.000001Z, and there was more to tell"
    assert code == 7
    assert said in result["verdict"].partition(JUDGED)[0]


@pytest.mark.parametrize("member", ["id", "version", "environment"])
def test_another_system_than_the_logs_is_pointed_out(member: str, drawn_pack: bytes, check: Check) -> None:
    forge = Forge(History(), drawn_pack)
    assert any(each.startswith("the system is ") for each in check(drawn_pack, *KEYS)[1]["proved"])
    for name in ("manifest.json", *(each for each in forge.files if each.endswith(".envelope.json"))):
        forge.edit(name, lambda found: found["system"].update({member: "another"}))
    code, result = check(forge.seal(), *KEYS)
    first = result["verdict"].partition(JUDGED)[0]
    assert code == 7
    assert "The log knows no system" in first
    assert "another" in first
    assert not any(each.startswith("the system is ") for each in result["proved"])


FREE: dict[str, Callable[[Forge], None]] = {
    "accounts: last_seen": lambda f: f.report("accounts", lambda r: _set(r, r["rows"][0], last_seen="never")),
}


@pytest.mark.parametrize("name", FREE)
def test_what_has_no_rule_is_the_exporters_word_and_never_proved(name: str, drawn_pack: bytes, check: Check) -> None:
    forge = Forge(History(), drawn_pack)
    FREE[name](forge)
    code, result = check(forge.seal(), *KEYS)
    report, column = name.split(": ")
    words = [each for each in result["not_proved"] if each.startswith(f"report {report}, the exporter's words: ")]
    assert (code, len(words)) == (0, 1)
    assert column in words[0].partition(": ")[2].split(", ")
    assert not any(f"report {report}," in each and column in each for each in result["proved"])


def test_every_column_stands_in_one_list(drawn_pack: bytes, check: Check) -> None:
    _, result = check(drawn_pack, *KEYS)
    forge = Forge(History(), drawn_pack)
    for name in REPORTS:
        said = [
            column
            for line in (*result["proved"], *result["not_proved"])
            if line.startswith(f"report {name}, ")
            for column in line.partition(": ")[2].split(", ")
        ]
        assert sorted(said) == sorted(forge.read_report(name)["columns"]), name


def test_what_only_rules_something_out_keeps_its_personal_data(drawn_pack: bytes) -> None:
    forge = Forge(History(), drawn_pack)
    rows = [row for name in REPORTS for row in forge.read_report(name)["rows"]]
    cited = {index for row in rows for index in row["ledger"]}
    shown = {json.loads(line)["index"] for line in forge.files["payloads.jsonl"].splitlines()}
    assert shown <= cited
    assert _bodies(forge).keys() > cited
