"""What leavers held, and when it ended: the verifier derives it from the entries of sign-ins and sessions."""

import asyncio
import json
from typing import Any

import pytest

from onepam.evidence.verifier.rules import BY_RULE, CHOSEN, SIGNED_IN, SIGNED_OUT
from tests.evidence.company import PART, History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Forge
from tests.evidence.live import leavings
from tests.lawful import listening

COLUMNS = (*BY_RULE["leavers"], *CHOSEN["leavers"])


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Unlawful, for what it tells was laid by hand; and true."""
    with listening():
        return asyncio.run(leavings(tmp_path_factory.mktemp("leavings")))


@pytest.fixture
def forge(pack: bytes) -> Forge:
    return Forge(History(), pack)


def _said(report: Any) -> list[dict[str, str]]:
    return [dict(zip(report["columns"], row["cells"], strict=True)) for row in report["rows"]]


def test_what_was_held_and_when_it_ended_stands_in_the_rows(forge: Forge, pack: bytes, check: Check) -> None:
    code, result = check(pack, *KEYS)
    assert code == 6, result["verdict"]
    assert any(each.startswith("report leavers, what follows from them: ssh_held") for each in result["proved"])
    assert not any(each.startswith("report leavers,") for each in result["not_proved"])
    vic, eve, max_, again = _said(forge.read_report("leavers"))
    assert (vic["console_held"], vic["ssh_held"], vic["within_24_hours"]) == ("1", "0", "yes")
    assert (eve["console_held"], eve["ssh_held"], eve["command_line_held"]) == ("1", "3", "0")
    unknown, last_byte = eve["last_bytes"].split("; ")
    assert (unknown, eve["ssh_ended"].startswith("unknown, before ")) == ("", True)
    assert eve["recordings_verified"] > eve["ssh_ended"].removeprefix("unknown, before ") > last_byte
    assert last_byte > eve["console_ended"] > eve["removed"]
    assert (max_["console_held"], max_["command_line_held"]) == ("1", "1")
    assert max_["command_line_ended"] > max_["console_ended"] == max_["last_sign_ins_ended"]
    assert int(max_["milliseconds"]) > 3 * 3_600_000
    assert (again["last_bytes"], again["recordings_verified"]) == ("", again["ssh_ended"])
    assert (again["console_held"], again["console_ended"]) == ("2", "runs still")
    assert (again["milliseconds"], again["within_24_hours"]) == ("", "no")


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row", range(4))
def test_another_cell_is_refused(column: str, row: int, forge: Forge, check: Check) -> None:
    def change(report: Any) -> None:
        at = report["columns"].index(column)
        old = report["rows"][row]["cells"][at]
        report["rows"][row]["cells"][at] = {"yes": "no", "no": "yes", "": "1"}.get(old, "2026-03-02T00:00:00.000000Z")

    forge.report("leavers", change)
    code, result = check(forge.seal(), *KEYS)
    assert code == 1
    assert f"reports/leavers.jsonl row {row + 1}: {column} is not what " in result["verdict"]


@pytest.mark.parametrize(("row", "kind"), [(1, "sign_in.closed"), (1, "session.closed"), (3, "session.failed")])
@pytest.mark.parametrize("act", ["less", "more"])
def test_a_row_rests_on_what_ended_it_and_on_nothing_else(
    row: int, kind: str, act: str, forge: Forge, check: Check
) -> None:
    kinds = [json.loads(line)["kind"] for line in forge.files["headers.jsonl"].splitlines()]

    def change(report: Any) -> None:
        ledger = report["rows"][row]["ledger"]
        cited = [each for each in ledger if kinds[each] == kind]
        if act == "less":
            ledger.remove(cited[0])
        else:
            ledger.append(next(i for i, each in enumerate(kinds) if each == kind and i not in cited))

    forge.report("leavers", change)
    code, result = check(forge.seal(), *KEYS)
    assert (code, f"leavers.jsonl row {row + 1}: must rest on entries" in result["verdict"]) == (1, True)


@pytest.mark.parametrize("kind", [SIGNED_IN, SIGNED_OUT])
def test_where_an_entry_is_withheld_they_are_the_exporters_words_and_that_is_said(
    kind: str, forge: Forge, check: Check
) -> None:
    kinds = [json.loads(line)["kind"] for line in forge.files["headers.jsonl"].splitlines()]
    gone = max(i for i, each in enumerate(kinds) if each == kind)

    def change(report: Any) -> None:
        last = report["rows"][3]
        last["cells"][report["columns"].index("within_24_hours")] = "yes"
        if gone in last["ledger"]:
            last["ledger"].remove(gone)
            last["cells"][report["columns"].index("last_sign_ins_ended")] = ""

    forge.lines("entries.jsonl", lambda all_: all_.remove(next(each for each in all_ if each["index"] == gone)))
    forge.report("leavers", change)
    code, result = check(forge.seal(), *KEYS)
    assert code == PART  # and not 6: nothing of what is lawful is judged
    said = "The pack withholds 1 entry of sign-ins and sessions: what leavers held, and when it ended, is its maker's"
    assert any(each.startswith(said) for each in result["lacks"]), result["lacks"]
    words = [each for each in result["not_proved"] if each.startswith("report leavers, the exporter's words: ")]
    assert "within_24_hours" in words[0]
    assert any(each.startswith("report leavers, what entries say that the exporter") for each in result["not_proved"])
