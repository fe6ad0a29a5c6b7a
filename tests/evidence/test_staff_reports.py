"""The reports of accounts and of vendors: what the roster bears out, what it does not, and what nobody could test."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onepam.app.people.add_person import add_person
from onepam.app.people.disable_person import disable_person
from onepam.app.people.enable_person import enable_person
from onepam.app.roster.follow_roster import follow_roster
from onepam.app.roster.take_roster import Upload, take_roster
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.roster.events import RosterEntrySet, RosterLinked
from onepam.domain.roster.taking import Took
from onepam.evidence.reports import REPORTS, accounts, scope, staff
from onepam.evidence.verifier import rules
from onepam.kernel.clock import DAY, HOUR, MILLISECOND, MINUTE, Instant, iso, parse
from onepam.kernel.errors import Refused
from onepam.ledger.entry import leaf_hash
from onepam.ledger.merkle import perfect_root, subtrees
from onepam.store.engine.database import connect
from tests.app.test_roster import ROWS, fresh, text
from tests.company import START, Company, record
from tests.evidence.company import History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Attacks, Forge
from tests.evidence.lawful_company import LawfulCompany
from tests.evidence.live import Live, certified
from tests.evidence.test_reports import Table, drawn, table

pytestmark = pytest.mark.anyio

VENDOR = ROWS["vic"].replace("2026-05-31", "2026-05-20")
ATTACKS = Attacks()


async def take(company: Company, data: bytes) -> None:
    upload = Upload(data, "upload", company.clock())
    assert isinstance(await take_roster(company.ledger, company.actor("ada"), upload, None, fresh), Took)
    await follow_roster(company.ledger, fresh)


async def settled(folder: Path) -> LawfulCompany:
    """Services with an owner who works here, somebody whom the roster no longer names, and an employee without an
    account; the vendor's contract ends in eleven weeks."""
    company = await LawfulCompany.create(folder, certified("nod_1"))
    ada = company.actor("ada")
    known = Attributes("Deploy bot", None, owner="max", ends=Instant(START + 30 * DAY))
    assert await add_person(company.ledger, ada, "bot", PersonKind.SERVICE, known, "CI") is None
    others = replace(known, name="Old bot", owner="eve")
    assert await add_person(company.ledger, ada, "old", PersonKind.SERVICE, others, "CI") is None
    await take(company, text(vic=VENDOR, noa="9,Noa New,noa@example.com,employee,,2020-01-01,,,,"))
    company.clock.advance(MINUTE)
    await take(company, text("eve", vic=VENDOR, noa="9,Noa New,noa@example.com,employee,,2020-01-01,,,,"))
    assert await enable_person(company.ledger, ada, "eve", "stays for a handover") is None
    return company


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await settled(tmp_path)
    yield company
    company.close()


def of(company: Company, name: str, at: int) -> Table:
    return table(drawn(company.path, name, START, START + 3 * DAY, at))


async def test_every_account_is_held_against_the_roster_both_ways(company: Company) -> None:
    rows = of(company, "accounts", START + HOUR)
    assert {each["person"] or each["roster_name"]: (each["result"], each["finding"]) for each in rows} == {
        **dict.fromkeys(("ada", "aud", "bob", "bot", "max", "vic"), ("pass", "")),
        "eve": ("fail", "on no roster, or has left it"),
        "old": ("fail", "a service whose owner is not on the roster"),
        "Noa New": ("listed", "on the roster, without an account"),
    }
    ada = next(each for each in rows if each["person"] == "ada")
    assert (ada["roster_number"], ada["roster_name"], ada["first_name_told"]) == ("1", "Ada Example", "Ada Example")
    assert ada["last_seen"] > ada["added"]
    assert (ada["linked"], ada["roster_starts"]) == ("", "2020-01-01T00:00:00.000000Z")
    assert ada["roster_age_hours"] == "0"
    bot = next(each for each in rows if each["person"] == "bot")
    assert (bot["kind"], bot["owner"], bot["roster_entry"], bot["last_seen"]) == ("service", "max", "", "")


async def test_before_the_first_roster_and_a_day_after_the_last_nothing_is_tested(company: Company) -> None:
    known = drawn(company.path, "accounts", START, START + DAY, company.clock.now)
    (received,) = {each["roster_received"] for each in table(known)}
    for at, finding, age in (
        (START + 40 * MILLISECOND, "no roster", ""),
        (START + 2 * DAY, "the roster is older than 24 hours", "47"),
    ):
        rows = of(company, "accounts", at) + of(company, "vendors", at)
        assert {(each["result"], each["roster_age_hours"]) for each in rows} == {("not-tested", age)}
        assert finding in {each["finding"] for each in rows}
        assert {each["roster_received"] for each in rows} == ({received} if age else {""})


async def test_a_roster_is_fresh_for_a_day_to_the_microsecond(company: Company) -> None:
    known = table(drawn(company.path, "accounts", START, START + DAY, company.clock.now))
    received = parse(known[0]["roster_received"])
    for after, age, tested in ((DAY, "24", True), (DAY + 1, "24", False), (HOUR - 1, "0", True), (HOUR, "1", True)):
        rows = of(company, "accounts", received + after)
        assert {each["roster_age_hours"] for each in rows} == {age}
        assert ({each["result"] for each in rows} == {"not-tested"}) is not tested


async def test_a_vendor_has_a_sponsor_a_contract_and_an_end_not_too_far_ahead(company: Company) -> None:
    (vic,) = of(company, "vendors", START + HOUR)
    assert (vic["person"], vic["sponsor"], vic["result"], vic["finding"]) == ("vic", "max", "pass", "")
    assert vic["access_ends"] == vic["contract_ends"] == "2026-05-20T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        (ROWS["vic"].replace("05-31", "12-31"), "access ends more than 90 days ahead"),
        (ROWS["vic"].replace("01-01,,", "01-01,2026-05-01,").replace("2026-05-31", ""), "no contract end"),
        (ROWS["vic"].replace("vic@", "victor@"), "on no roster, or has left it; no contract end"),
    ],
)
async def test_what_a_vendor_lacks_is_named(tmp_path: Path, row: str, finding: str) -> None:
    company = await Company.create(tmp_path)
    await take(company, text(vic=row))
    (found,) = of(company, "vendors", company.clock.now)
    company.close()
    assert (found["result"], found["finding"]) == ("fail", finding)


async def test_a_sponsor_who_is_disabled_answers_for_nobody(company: Company) -> None:
    assert not isinstance(await disable_person(company.ledger, company.actor("ada"), "max", "left"), Refused)
    (vic,) = of(company, "vendors", company.clock.now)
    assert (vic["result"], vic["finding"]) == ("fail", "the sponsor is not on the roster")
    bot = next(each for each in of(company, "accounts", company.clock.now) if each["person"] == "bot")
    assert bot["finding"] == "a service whose owner is not on the roster"


async def test_accounts_have_at_most_so_many_rows(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MAX_ROWS", 8)
    with pytest.raises(scope.TooLarge):
        of(company, "accounts", START + HOUR)


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A pack of that company's first hours."""

    async def draw() -> bytes:
        folder = tmp_path_factory.mktemp("staffed")
        company = await settled(folder)
        company.clock.advance(HOUR)
        live = Live(company, folder)
        pack = await live.pack(START, Instant(START + DAY))
        company.close()
        return pack

    return asyncio.run(draw())


async def test_an_entry_that_is_nobodys_again_is_nobodys(company: Company, tmp_path: Path, check: Check) -> None:
    """The last word counts, also where it names nobody after a link."""
    with closing(connect(company.path, read_only=True)) as db:
        (entry,) = db.execute("SELECT entry FROM staff_entry WHERE person = 'max' AND removed IS NULL").fetchone()
    again = RosterEntrySet(entry, "v9", None, PersonKind.EMPLOYEE, None, None, None, None, None, "UTC", name="Max")
    await record(company.ledger, RosterLinked(entry, "max"), again)
    company.clock.advance(HOUR)
    rows = {each["person"] or each["roster_name"]: each["finding"] for each in of(company, "accounts", company.clock())}
    assert (rows["max"], rows["Max"]) == ("on no roster, or has left it", "on the roster, without an account")
    pack = await Live(company, tmp_path).pack(START, Instant(START + DAY))
    assert check(pack, *KEYS)[0] == 6


def test_the_verifier_derives_the_accounts_again(staffed: bytes, check: Check) -> None:
    code, told = check(staffed, *KEYS)
    assert code == 7, "no process of that company said of itself which system it is"
    proved = "\n".join(told["proved"])
    assert "report accounts: exactly one row for each account that was enabled, 8 in all" in proved
    assert "report vendors: exactly one row for each account vendor that was enabled, 1 in all" in proved
    (said,) = (each for each in told["proved"] if each.startswith("report accounts, what the entries of each row say"))
    assert "roster_received" in said
    assert any(each.startswith("report accounts, the exporter's words: ") for each in told["not_proved"])


def _cell(report: Any, row: int, name: str, text: str) -> None:
    report["rows"][row]["cells"][report["columns"].index(name)] = text


for _name, _row in (("accounts", 0), ("accounts", 7), ("vendors", 0)):

    @ATTACKS.add(f"{_name}: row {_row + 1} taken out", f"{_name}.jsonl: no row for entry .*person.added")
    def _(f: Forge, name: str = _name, row: int = _row) -> None:
        f.report(name, lambda found: found["rows"].pop(row))

    @ATTACKS.add(f"{_name}: row {_row + 1} said to be untested", f"{_name}.jsonl row .*: result is not what follows")
    def _(f: Forge, name: str = _name, row: int = _row) -> None:
        f.report(name, lambda found: _cell(found, row, "result", "not-tested"))

    @ATTACKS.add(f"{_name}: row {_row + 1} twice", f"{_name}.jsonl row .*: entry .* has a row already")
    def _(f: Forge, name: str = _name, row: int = _row) -> None:
        f.report(name, lambda found: found["rows"].append(found["rows"][row]))

    @ATTACKS.add(f"{_name}: row {_row + 1} rests on no roster", f"{_name}.jsonl row .*: must rest on|is not what")
    def _(f: Forge, name: str = _name, row: int = _row) -> None:
        def change(found: Any) -> None:
            found["rows"][row]["ledger"].pop()
            for column in ("roster_version", "roster_received"):
                _cell(found, row, column, "")

        f.report(name, change)


for _name, _columns in rules.BY_RULE.items():
    for _column in _columns if _name in ("leavers", "accounts", "vendors") else ():

        @ATTACKS.add(f"{_name}: {_column} changed", f"{_name}.jsonl row 1: {_column} is not what follows from the")
        def _(f: Forge, name: str = _name, column: str = _column) -> None:
            f.report(name, lambda found: _cell(found, 0, column, "x"))


@ATTACKS.add(
    "a row of the roster without an account taken out", r"accounts.jsonl: no row for entry \d+ \(roster.entry_set"
)
def _(f: Forge) -> None:
    def change(found: Any) -> None:
        at = found["columns"].index("result")
        found["rows"].remove(next(row for row in found["rows"] if row["cells"][at] == "listed"))

    f.report("accounts", change)


@ATTACKS.add("what the roster said is not cited", "accounts.jsonl row .*: must rest on entries")
def _(f: Forge) -> None:
    def change(found: Any) -> None:
        row = next(row for row in found["rows"] if row["cells"][found["columns"].index("roster_number")])
        kinds = {line["index"]: line["kind"] for line in map(json.loads, f.files["headers.jsonl"].splitlines())}
        row["ledger"] = [index for index in row["ledger"] if kinds[index] != "roster.entry_set"] or row["ledger"][1:]

    f.report("accounts", change)


@ATTACKS.add("an entry of the roster is hidden", r"entry \d+ \(roster.entry_set\) is not disclosed")
def _(f: Forge) -> None:
    headers = map(json.loads, f.files["headers.jsonl"].splitlines())
    gone = next(each["index"] for each in headers if each["kind"] == "roster.entry_set")
    for name in sorted({*REPORTS} - {"accounts"}):
        for end in ("jsonl", "csv", "envelope.json"):
            del f.files[f"reports/{name}.{end}"]
    f.edit("manifest.json", lambda m: m.update(reports=["accounts"]))
    f.report("accounts", lambda r: r.update(rows=[row for row in r["rows"] if gone not in row["ledger"]]))
    for name in ("entries.jsonl", "payloads.jsonl"):
        f.lines(name, lambda found: found.__setitem__(slice(None), [each for each in found if each["index"] != gone]))


for _column in ("person", "roster_entry", "roster_received", "linked"):

    @ATTACKS.add(f"the cell {_column} changed", f"accounts.jsonl row 1: {_column} is not what the entries say")
    def _(f: Forge, column: str = _column) -> None:
        f.report("accounts", lambda found: _cell(found, 0, column, "x"))


@ATTACKS.add("an employee among the vendors", "vendors.jsonl row 2: entry .* is no enabled account of this report")
def _(f: Forge) -> None:
    found = f.read_report("accounts")
    cells = dict(zip(found["columns"], found["rows"][0]["cells"], strict=True)) | {"sponsor": "", "access_ends": ""}

    def change(vendors: Any) -> None:
        row = [cells.get(each, "") for each in vendors["columns"]]
        vendors["rows"].append({"cells": row, "ledger": found["rows"][0]["ledger"]})

    f.report("vendors", change)


@ATTACKS.add("drawn as over a period", "accounts.envelope.json: this report is as of an instant")
def _(f: Forge) -> None:
    period = json.loads(f.files["manifest.json"])["period"]
    f.envelope("accounts", lambda said: said.update(as_of=None, period=period))


@ATTACKS.add("an account left out with a reason", "accounts.jsonl: rests on part of the log, or leaves accounts out")
def _(f: Forge) -> None:
    def leave_out(said: Any) -> None:
        said["exclusions"].append({"index": gone, "reason": "a test account"})

    gone = f.read_report("accounts")["rows"][0]["ledger"][0]
    f.envelope("accounts", leave_out)
    f.report("accounts", lambda found: found["rows"].pop(0))


@ATTACKS.add(
    "something else left out with a reason", "accounts.jsonl: rests on part of the log, or leaves accounts out"
)
def _(f: Forge) -> None:
    f.envelope("accounts", lambda said: said["exclusions"].append({"index": 0, "reason": "the first entry"}))
    f.report("accounts", lambda found: None)


@ATTACKS.add("the log from the last account on", "accounts.jsonl: rests on part of the log, or leaves accounts out")
def _(f: Forge) -> None:
    """The range begins with that account, so whoever was added before is no entry of it."""
    begin = max(row["ledger"][0] for row in f.read_report("accounts")["rows"])
    headers, hashes = f.files["headers.jsonl"].splitlines(keepends=True), f.files["bodies.sha256"]
    leaves = [leaf_hash(headers[at].rstrip(), hashes[32 * at : 32 * at + 32]) for at in range(begin)]
    left = [perfect_root(leaves[at << level : at + 1 << level]).hex() for level, at in subtrees(0, begin)]
    f.edit("range.json", lambda found: found.update(first=begin, left=left))
    f.files["headers.jsonl"], f.files["bodies.sha256"] = b"".join(headers[begin:]), hashes[32 * begin :]
    for name in ("entries.jsonl", "payloads.jsonl"):
        f.lines(name, lambda found: found.__setitem__(slice(None), [each for each in found if each["index"] >= begin]))
    for name in [each for each in f.files if each.startswith("reports/") and not each.startswith("reports/accounts.")]:
        del f.files[name]
    later = iso(Instant(json.loads(headers[begin])["time"] + 1))
    f.edit("manifest.json", lambda found: found["period"].update({"from": later}))
    f.edit("manifest.json", lambda found: found.update(reports=["accounts"]))
    f.envelope("accounts", lambda said: said["range"].update(first=begin))

    def keep(found: Any) -> None:
        found["rows"] = [row for row in found["rows"] if min(row["ledger"]) >= begin]
        assert found["rows"]

    f.report("accounts", keep)


@pytest.mark.parametrize("name", ATTACKS.table, ids=str)
def test_an_altered_report_of_accounts_is_refused(name: str, staffed: bytes, check: Check) -> None:
    ATTACKS.assert_refused(name, Forge(History(), staffed), check)


@pytest.mark.parametrize(("more", "code"), [(-1, 7), (0, 7), (1, 1)])
def test_the_verifier_counts_the_roster_for_a_day_to_the_microsecond(
    staffed: bytes, check: Check, more: int, code: int
) -> None:
    """The pack of that company, its reports said to be as of a day after the roster was received."""
    forge = Forge(History(), staffed)
    accounts = forge.read_report("accounts")
    column = accounts["columns"].index("roster_received")
    as_of, until = (iso(Instant(parse(accounts["rows"][0]["cells"][column]) + DAY + by)) for by in (more, 1))
    forge.edit("manifest.json", lambda found: found["period"].update(to=until))

    def later(said: Any) -> None:
        said.update({"period": said["period"] | {"to": until}} if said["period"] else {"as_of": as_of})

    for name in [each for each in forge.files if each.endswith(".envelope.json")]:
        forge.edit(name, later)

    def aged(found: Any) -> None:
        for row in range(len(found["rows"])):
            _cell(found, row, "roster_age_hours", "23" if more < 0 else "24")

    for name in ("accounts", "vendors"):
        forge.report(name, aged)
    found, told = check(forge.seal(), *KEYS)
    assert found == code, told["verdict"]
    assert (
        code == 7
        or "finding is not what follows from the entries, 'the roster is older than 24 hours'" in told["verdict"]
    )


def test_the_age_that_counts_is_a_day() -> None:
    assert staff.FRESH == DAY
