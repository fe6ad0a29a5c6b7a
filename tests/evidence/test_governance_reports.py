"""The reports of governance: reviews with their decisions, changes, the role matrix and the runs of controls; and that
a lie in one of them is found."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepam import __version__
from onepam.app.controls.record_runs import record_runs
from onepam.app.reviews.close_review import close_review, remind
from onepam.app.reviews.decide_item import decide_item
from onepam.app.reviews.open_review import open_review
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.history.system import SystemStarted
from onepam.domain.reviews.events import Scope, Verdict
from onepam.domain.reviews.opening import Opened, Opening
from onepam.evidence.verifier.again import RULES_AGAIN
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.read.controls.populations import run_of
from tests.company import START, record
from tests.evidence.company import LOG, ORIGIN, History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Attacks, Forge
from tests.evidence.lawful_company import LawfulCompany
from tests.evidence.live import Live, certified

ATTACKS = Attacks()


async def governed(folder: Path) -> bytes:
    """A pack of six days: a review in which vic keeps a role, eve loses one, and nobody answered for the rest."""
    company = await LawfulCompany.create(folder, certified("nod_1"))
    await record(company.ledger, SystemStarted("node-1", __version__, ORIGIN, LOG.vkey(), "test"))
    ada = company.actor("ada")
    for person in ("ada", "max"):
        await company.sign_in(person)
    wanted = Opening(Scope(), DAY, Suspends.PRIVILEGED, "bob")
    opened = await open_review(company.ledger, ada, wanted, "rev_1")
    assert isinstance(opened, Opened), opened
    kept = await decide_item(company.ledger, company.actor("max"), "rev_1", "vic", "vendor", Verdict.KEEP, "still here")
    assert kept is None, kept
    removed = await decide_item(company.ledger, ada, "rev_1", "eve", "engineer", Verdict.REMOVE, "changed teams")
    assert removed is None, removed
    for hours in (13, 12):
        company.clock.advance(hours * HOUR)
        await remind(company.ledger, "rev_1")
    await close_review(company.ledger, "rev_1")
    await company.sign_in("ada")
    runs = [company.reader.now(run_of, None, control) for control in ("REV-03", "CHG-01", "IDN-01")]
    assert await record_runs(company.ledger, ada, runs) == 3
    company.clock.advance(HOUR)
    path = await Live(company, folder).draw(START, Instant(START + 6 * DAY), "ada")
    assert isinstance(path, Path), path
    company.close()
    return path.read_bytes()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return asyncio.run(governed(tmp_path_factory.mktemp("governed")))


def table(pack: bytes, name: str) -> list[dict[str, str]]:
    report = Forge(History(), pack).read_report(name)
    return [dict(zip(report["columns"], row["cells"], strict=True)) for row in report["rows"]]


def test_what_was_reviewed_decided_and_followed(pack: bytes) -> None:
    (review,) = table(pack, "reviews")
    assert (review["review"], review["opened_by_name"], review["fallback_name"]) == (
        "rev_1", "Ada Example", "Bob Example")  # fmt: skip
    assert (review["kept"], review["removed"], review["unanswered"]) == ("1", "1", str(int(review["items"]) - 2))
    assert review["withheld_from"].split("; ")[0] == "eve"
    assert set(review["withheld_because"].split("; ")) == {"removed", "silence"}
    kept, removed = table(pack, "decisions")
    assert (kept["person"], kept["verdict"], kept["decided_by_name"], kept["decided_as"], kept["note"]) == (
        "vic", "keep", "Max Example", "sponsor", "still here")  # fmt: skip
    assert (kept["withheld"], removed["withheld_because"]) == ("", "removed")
    assert (removed["name"], removed["role"], removed["note"]) == ("Eve Example", "engineer", "changed teams")


def test_each_version_of_the_roles_and_what_they_are_for(pack: bytes) -> None:
    first = table(pack, "changes")[0]
    assert (first["proposed_by"], first["decision"], first["widens"]) == ("", "", "no")
    assert "engineer" in first["roles_set"].split("; ")
    assert "eve" in first["given_to"].split("; ")
    lines = table(pack, "matrix")
    assert {(each["resource"], each["login"]) for each in lines if each["permission"] == "dev"} == {("dev-1", "app")}
    (auditor,) = [each for each in lines if each["role"] == "auditor"]
    assert (auditor["resource"], auditor["console"]) == ("", '["audit"]')
    assert all(each["owner"] and each["purpose"] for each in lines)


def test_the_runs_of_controls(pack: bytes) -> None:
    runs = {each["control"]: each for each in table(pack, "controls")}
    assert set(runs) == {"REV-03", "CHG-01", "IDN-01"}
    assert (runs["REV-03"]["verdict"], runs["REV-03"]["population"]) == ("pass", "2")
    assert (runs["IDN-01"]["verdict"], runs["IDN-01"]["version"]) == ("not-tested", str(TESTS["IDN-01"].version))
    assert runs["IDN-01"]["tested_by_name"] == "Ada Example"


def test_a_role_that_a_review_withholds_is_not_held(pack: bytes, check: Check) -> None:
    people = {each["person"] for each in table(pack, "access")}
    assert "eve" not in people
    code, result = check(pack, *KEYS)
    assert code == 0, result["verdict"]
    for name in ("reviews", "decisions", "changes", "controls"):
        assert any(f"report {name}: exactly one row for each" in each for each in result["proved"]), name
    assert any("report matrix: exactly one row for each line of the role matrix" in each for each in result["proved"])


def test_the_verifier_tests_again_what_the_rows_tell(pack: bytes, check: Check) -> None:
    """Over the reports of the pack, beside what the newest run said."""
    _, result = check(pack, *KEYS)
    again = {each.split(",")[0].removeprefix("control "): each for each in result["proved"] if "tested again" in each}
    assert set(again) == {control for control, _, _ in RULES_AGAIN}
    assert (
        "report decisions (that nobody decided on their own access; whether they were what they decided as, lawful "
        "asks): pass, 0 of 2 fail; the newest run in the period says pass (rule 1), 0 of 2 fail" in (again["REV-03"])
    )
    assert (
        "report changes: pass, 0 of 1 fail; the newest run in the period says pass (rule 1), 0 of 1 fail"
        in (again["CHG-01"])
    )
    assert "report accounts: not-tested, 0 of 6 fail; the newest run in the period says not-tested" in again["IDN-01"]
    assert "no run of it in the period" in again["OFF-01"]
    forge = Forge(History(), pack)
    report = forge.read_report("sessions")
    assert report["rows"] == []


SAID = {
    "IDN-01": ({"person": "eve", "result": "fail"}, {"person": "", "result": "listed"}),
    "OFF-01": ({"within_24_hours": "no"}, None),
    "MFA-01": (
        {"outcome": "session.opened", "factors": '["totp"]', "factors_basis": "own", "factors_age_seconds": "43201"},
        {"outcome": "session.refused"},
    ),
    "LOG-01": ({"recording_chunks": "3", "verified": "yes", "gap": "cut"}, {"recording_chunks": ""}),
    "REV-03": ({"decided_by": "eve; max", "person": "eve; eve"}, None),
    "CHG-01": ({"applied": "t", "widens": "yes", "proposed_by": "ada", "decided_by": "ada"}, {"applied": ""}),
}
GOOD = {
    "IDN-01": {"person": "eve", "result": "pass"},
    "OFF-01": {"within_24_hours": "yes"},
    "MFA-01": {"outcome": "session.opened", "factors": '["totp"]', "factors_basis": "own", "factors_age_seconds": "9"},
    "LOG-01": {"recording_chunks": "3", "verified": "yes", "gap": ""},
    "REV-03": {"decided_by": "max", "person": "eve"},
    "CHG-01": {"applied": "t", "widens": "yes", "proposed_by": "ada", "decided_by": "bob"},
}


@pytest.mark.parametrize("control", SAID)
def test_what_a_row_says_of_a_control(control: str) -> None:
    (asked,) = [rule for name, _, rule in RULES_AGAIN if name == control]
    bad, none = SAID[control]
    assert asked(bad.__getitem__) == "fail"
    assert asked(GOOD[control].__getitem__) == "pass"
    assert none is None or asked(none.__getitem__) is None
    machine = {"outcome": "session.opened", "factors": '["machine"]', "factors_basis": "own"}
    if control == "MFA-01":
        assert asked(machine.__getitem__) is None
        assert asked({**machine, "factors": "[]", "factors_basis": "accepted"}.__getitem__) == "excluded"


def test_an_older_form_of_access_says_so(pack: bytes, check: Check) -> None:
    forge = Forge(History(), pack)
    forge.report("access", lambda found: found.update(version=1))
    _, result = check(forge.seal(), *KEYS)
    assert any("version 1, in which roles that reviews withhold stand as held" in each for each in result["lacks"])


def _cell(found: Any, row: int, column: str, text: str) -> None:
    found["rows"][row]["cells"][found["columns"].index(column)] = text


for _report, _column in (
    ("decisions", "decided_by"), ("decisions", "decided_by_name"), ("decisions", "verdict"), ("decisions", "note"),
    ("reviews", "kept"), ("reviews", "digest"), ("reviews", "withheld_from"), ("changes", "proposed_by"),
    ("changes", "given_to"), ("controls", "failed"), ("controls", "verdict"),
):  # fmt: skip

    @ATTACKS.add(f"{_column} of {_report} is another", f"{_report}.jsonl row 1: {_column} is not what the entries say")
    def _(f: Forge, report: str = _report, column: str = _column) -> None:
        f.report(report, lambda found: _cell(found, 0, column, "somebody else"))


for _report in ("reviews", "decisions", "changes", "controls"):

    @ATTACKS.add(f"a row of {_report} is left out", f"{_report}.jsonl: no row for entry")
    def _(f: Forge, report: str = _report) -> None:
        f.report(report, lambda found: found["rows"].pop())

    @ATTACKS.add(f"a row of {_report} stands twice", f"{_report}.jsonl row .*: entry .* has a row already")
    def _(f: Forge, report: str = _report) -> None:
        f.report(report, lambda found: found["rows"].append(found["rows"][0]))


@ATTACKS.add("what followed a decision is not cited", "decisions.jsonl row 2: must rest on entries")
def _(f: Forge) -> None:
    f.report("decisions", lambda found: found["rows"][1]["ledger"].pop(1))


@ATTACKS.add("a withholding is hidden", r"entry \d+ \(role.withheld\) is not disclosed")
def _(f: Forge) -> None:
    gone = f.read_report("decisions")["rows"][1]["ledger"][1]

    def without(found: Any) -> None:
        for row in found["rows"]:
            row["ledger"] = [index for index in row["ledger"] if index != gone]

    for name in ("entries.jsonl", "payloads.jsonl"):
        f.lines(name, lambda found: found.__setitem__(slice(None), [each for each in found if each["index"] != gone]))
    for report in ("reviews", "decisions", "access"):
        f.report(report, without)


@pytest.mark.parametrize("name", ATTACKS.table, ids=str)
def test_a_lie_is_refused(name: str, pack: bytes, check: Check) -> None:
    ATTACKS.assert_refused(name, Forge(History(), pack), check)


def _line(column: str, text: str) -> Callable[[Any], None]:
    return lambda found: _cell(found, 0, column, text)


LIES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a line is left out": (lambda found: found["rows"].pop(), "lacks 1 of the"),
    "a line is added": (lambda found: found["rows"].append(found["rows"][0]), "has 1 row that the entries do not give"),
    "another owner": (_line("owner", "somebody else"), "has 1 row that the entries do not give"),
    "another purpose": (_line("purpose", "anything"), "has 1 row that the entries do not give"),
    "another version": (_line("version", "v0"), "has 1 row that the entries do not give"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_in_the_matrix_is_said_first(name: str, pack: bytes, check: Check) -> None:
    act, said = LIES[name]
    forge = Forge(History(), pack)
    forge.report("matrix", act)
    code, result = check(forge.seal(), *KEYS)
    assert code == 7
    assert any("report matrix" in each and said in each for each in result["lacks"]), result["lacks"]


@pytest.mark.parametrize("name", ["reviews", "decisions", "changes", "controls", "matrix"])
def test_a_report_that_is_not_there_is_missed(name: str, pack: bytes, check: Check) -> None:
    """Also with the README.txt of a release that had none: the history has runs of controls."""
    forge = Forge(History(), pack)
    for end in ("jsonl", "csv", "envelope.json"):
        del forge.files[f"reports/{name}.{end}"]
    forge.edit("manifest.json", lambda m: m["reports"].remove(name))
    code, result = check(forge.seal(), *KEYS)
    assert code == 7
    assert f"The pack lacks the report {name}" in result["lacks"]
