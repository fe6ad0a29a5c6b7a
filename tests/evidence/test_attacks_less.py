"""Packs that hold less than the one that was drawn, or more than any release draws: true, and yet never exit 0."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from onepam.evidence.reports import access
from onepam.evidence.verifier import batches
from onepam.evidence.verifier.batches import RECORD
from onepam.evidence.verifier.canonical import iso
from onepam.evidence.verifier.merkle import spans
from onepam.evidence.verifier.rules import LEFT_OUT, REPORTS, TITLES, columns_of, newest_of
from tests.evidence.company import History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Forge

PART = 7
JUDGED = "NOT ALL WAS JUDGED; nothing wrong was found in the rest"


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\1" + _root(leaves[:half]) + _root(leaves[half:])).digest()


def _envelopes(f: Forge) -> list[str]:
    return [each for each in f.files if each.endswith(".envelope.json")]


def _end_at(f: Forge, end: int) -> None:
    """The range ends before this entry, and so does the period: everything fits, and the log's key signed it all."""
    lines, hashes = f.files["headers.jsonl"].splitlines(keepends=True), f.files["bodies.sha256"]
    leaves = [
        sha256(b"\0" + line.rstrip(b"\n") + hashes[32 * i : 32 * i + 32]).digest() for i, line in enumerate(lines)
    ]
    right, at = [], end
    for level in spans(end, len(lines)):
        right.append(_root(leaves[at : at + (1 << level)]).hex())
        at += 1 << level
    until = iso(json.loads(lines[end - 1])["time"])
    f.files["headers.jsonl"], f.files["bodies.sha256"] = b"".join(lines[:end]), hashes[: 32 * end]
    f.edit("range.json", lambda found: found.update(end=end, right=right))
    for name in ("entries.jsonl", "payloads.jsonl"):
        f.lines(
            name,
            lambda found: found.__setitem__(
                slice(None), [each for each in found if each["index"] < end and each.get("erased", 0) < end]
            ),
        )
    head, records = f.files["batches.bin"].split(b"\n", 1)
    kept = (RECORD.pack(*each) for each in RECORD.iter_unpack(records) if each[0] + each[1] <= end)
    f.files["batches.bin"] = head + b"\n" + b"".join(kept)
    f.edit("manifest.json", lambda found: found["period"].update(to=until))
    for name in _envelopes(f):

        def change(found: Any) -> None:
            found["range"]["end"] = end
            if found["as_of"]:
                found["as_of"] = until
            else:
                found["period"]["to"] = until

        f.edit(name, change)


def _size(f: Forge) -> int:
    return len(f.files["headers.jsonl"].splitlines())


@pytest.mark.parametrize("hidden", [2, 3])
def test_a_range_that_ends_before_its_checkpoint_is_the_first_thing_said(
    hidden: int, drawn_pack: bytes, check: Check
) -> None:
    assert check(drawn_pack, *KEYS)[0] == 0
    forge = Forge(History(), drawn_pack)
    size = _size(forge)
    _end_at(forge, size - hidden)
    code, result = check(forge.seal(), *KEYS)
    said = f"The pack ends before its checkpoint: it hides {hidden} entries of {size}, from entry {size - hidden} on"
    assert (code, result["lacks"][0]) == (PART, said)
    assert result["verdict"].startswith(f"{said}. ")
    assert result["verdict"].endswith(JUDGED)


def test_signatures_that_were_not_checked_stand_in_the_verdict(
    drawn_pack: bytes, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code stays what it is: nobody who made the pack could know which are drawn."""
    monkeypatch.setattr(batches, "DRAWN", 3)
    code, result = check(drawn_pack, *KEYS)
    left = int(result["verdict"].rsplit("; the signatures of ", 1)[1].split()[0])
    assert (code, left >= 55) == (0, True)
    said = f"VERIFIED; the signatures of {left} batches were not checked: --all-signatures checks them"
    assert result["verdict"].endswith(f". {said}")
    code, result = check(drawn_pack, *KEYS, "--all-signatures")
    assert (code, result["verdict"].endswith(". VERIFIED")) == (0, True)


def _extra_report(f: Forge) -> None:
    for end in ("jsonl", "csv", "envelope.json"):
        f.files[f"reports/soc2_controls.{end}"] = f.files[f"reports/access.{end}"]
    columns, cells = ["control", "result", "assessor"], ["CC6.1", "effective, no exceptions", "Example Auditors LLP"]
    head = {"report": "soc2_controls", "title": "Independent assessment of controls", "version": 1}
    f.write_report("soc2_controls", {**head, "columns": columns, "rows": [{"cells": cells, "ledger": [1]}]})

    def change(e: Any) -> None:
        e.update(report="soc2_controls", exclusions=[], filters=[])
        names = (f"soc2_controls.{end}" for end in ("csv", "jsonl"))
        e["files"] = {name: sha256(f.files[f"reports/{name}"]).hexdigest() for name in names}

    f.envelope("soc2_controls", change)
    f.edit("manifest.json", lambda found: found["reports"].append("soc2_controls"))
    f.edit("manifest.json", lambda found: found["reports"].sort())


def _extra_column(f: Forge) -> None:
    def change(r: Any) -> None:
        r["columns"].append("result_confirmed_by_auditor")
        for each in r["rows"]:
            each["cells"].append("pass, no finding")

    f.report("accounts", change)


def _without_column(f: Forge, report: str, column: str) -> None:
    def change(r: Any) -> None:
        at = r["columns"].index(column)
        for each in (r["columns"], *(row["cells"] for row in r["rows"])):
            del each[at]

    f.report(report, change)


OF_NO_RELEASE: dict[str, tuple[Callable[[Forge], None], str]] = {
    "report": (_extra_report, "No release draws a report soc2_controls: all of it is its maker's words"),
    "column": (
        _extra_column,
        "The report accounts has columns that no release gives it: 'result_confirmed_by_auditor'",
    ),
    "title": (
        lambda f: f.report("sessions", lambda r: r.update(title="Sessions: all were approved " + "x" * 99)),
        f"No release gives the report sessions the title 'Sessions: all were approved {'x' * 52}...' and version 1",
    ),
    "version": (
        lambda f: f.report("vendors", lambda r: r.update(version=99)),
        f"No release gives the report vendors the title {TITLES['vendors']!r} and version 99",
    ),
    "column gone": (
        lambda f: _without_column(f, "accounts", "last_seen"),
        "The report accounts lacks columns that a release gives it: 'last_seen'",
    ),
}


@pytest.mark.parametrize("name", OF_NO_RELEASE)
def test_what_no_release_draws_is_said_first(name: str, drawn_pack: bytes, check: Check) -> None:
    forge = Forge(History(), drawn_pack)
    act, said = OF_NO_RELEASE[name]
    act(forge)
    code, result = check(forge.seal(), *KEYS)
    assert (code, said in result["lacks"]) == (PART, True), result["lacks"]
    assert f"{said}. " in result["verdict"].partition(JUDGED)[0]


def test_the_verifier_knows_what_this_release_draws(drawn_pack: bytes) -> None:
    forge = Forge(History(), drawn_pack)
    for name in REPORTS:
        report = forge.read_report(name)
        assert (report["title"], report["version"]) == (TITLES[name], newest_of(name))
        assert sorted(report["columns"]) == sorted(columns_of(name, newest_of(name)))


FOLLOWS = ("login", "mode", "permission", "actions", "until")
"""Columns of access that no entry of the row says."""


def test_what_access_says_follows_from_the_entries(drawn_pack: bytes, check: Check) -> None:
    _, result = check(drawn_pack, *KEYS)
    rows = len(Forge(History(), drawn_pack).read_report("access")["rows"])
    assert f"report access: exactly one row for each way in that the entries give, {rows} in all" in result["proved"]
    assert not any("that no row is missing" in each for each in result["not_proved"])


def _access_empty(f: Forge) -> None:
    f.report("access", lambda r: r["rows"].clear())
    f.envelope("access", lambda e: e.update(exclusions=[], filters=[]))


def _access_all_excluded(f: Forge) -> None:
    heads = sorted({i for row in f.read_report("access")["rows"] for i in row["ledger"]})
    f.envelope("access", lambda e: e.update(exclusions=[{"index": i, "reason": "not of interest"} for i in heads]))
    f.report("access", lambda r: r["rows"].clear())


def _access_without_eve(f: Forge) -> None:
    def change(r: Any) -> None:
        at = r["columns"].index("person")
        r["rows"] = [row for row in r["rows"] if row["cells"][at] != "eve"]

    f.report("access", change)


def _eve_holds_no_role(f: Forge) -> None:
    _access_without_eve(f)
    bodies = (json.loads(line) for line in f.files["entries.jsonl"].splitlines())
    eve = next(each["index"] for each in bodies if json.loads(each["body"]).get("person") == "eve")
    _left_out(f, {"index": eve, "reason": access.REACHES_NOTHING})


def _left_out(f: Forge, *more: Any) -> None:
    """With these exclusions, and filters that fit the rows that are left."""
    kept = len(f.read_report("access")["rows"])

    def change(e: Any) -> None:
        e["exclusions"] += more
        e["filters"] = [{"filter": "all", "before": kept + len(e["exclusions"]), "after": kept}]

    f.envelope("access", change)


def _none_of_root(f: Forge) -> None:
    def change(r: Any) -> None:
        at = r["columns"].index("login")
        r["rows"] = [row for row in r["rows"] if row["cells"][at] != "root"]

    f.report("access", change)
    _left_out(f)


def _a_row_twice(f: Forge) -> None:
    f.report("access", lambda r: r["rows"].append(r["rows"][-1]))
    _left_out(f)


def _privileged_no(f: Forge) -> None:
    def change(r: Any) -> None:
        at = r["columns"].index("privileged")
        next(row for row in r["rows"] if row["cells"][at] == "yes")["cells"][at] = "no"

    f.report("access", change)


def _another(column: str) -> Callable[[Forge], None]:
    def act(f: Forge) -> None:
        f.report("access", lambda r: r["rows"][0]["cells"].__setitem__(r["columns"].index(column), "x"))

    return act


def _eve_disabled(f: Forge) -> None:
    bodies = (json.loads(line) for line in f.files["entries.jsonl"].splitlines())
    eve = next(each["index"] for each in bodies if json.loads(each["body"]).get("person") == "eve")
    f.envelope("access", lambda e: e["exclusions"].append({"index": eve, "reason": access.DISABLED}))
    _access_without_eve(f)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (_access_empty, "The report access neither has nor leaves out "),
        (_access_all_excluded, "for reasons that no release has"),
        (_access_without_eve, "The report access neither has nor leaves out 1 of "),
        (_eve_disabled, "The report access leaves out 1 as 'disabled', and the log says otherwise"),
        (_access_without_eve, " ways in that the entries give: eve on "),
        (_eve_holds_no_role, " ways in that the entries give: eve on "),
        (_none_of_root, " as root, "),
        (_a_row_twice, "The report access has 1 row that the entries do not give"),
        (_privileged_no, "The report access has 1 row that the entries do not give"),
        (_privileged_no, "The report access lacks 1 of the "),
        *((_another(each), "The report access has 1 row that the entries do not give") for each in FOLLOWS),
    ],
)
def test_access_tells_of_everybody_or_says_why_not(
    act: Callable[[Forge], None], said: str, drawn_pack: bytes, check: Check
) -> None:
    forge = Forge(History(), drawn_pack)
    act(forge)
    code, result = check(forge.seal(), *KEYS)
    assert code == PART
    assert any(said in each for each in result["lacks"]), result["lacks"]
    assert said in result["verdict"].partition(JUDGED)[0]


def test_the_verifier_knows_the_reasons_of_this_release() -> None:
    reasons = (access.DISABLED, access.ENDED, access.HELD, access.REACHES_NOTHING, access.NO_HOST_KEY)
    assert (*reasons, access.NOBODY_REACHES) == LEFT_OUT
