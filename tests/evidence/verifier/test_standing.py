"""Accounts and vendors: the verifier's rules find what the platform's find, by other code."""

from pathlib import Path

import pytest

from onepam.domain.people.events import PersonAdded, PersonChanged, PersonKind
from onepam.domain.roster.events import RosterEntryEnded, RosterEntrySet, RosterLinked
from onepam.kernel.clock import DAY, HOUR, Instant
from tests.company import START, Company, record
from tests.evidence.company import History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Forge
from tests.evidence.live import Live
from tests.evidence.test_staff_reports import settled

pytestmark = pytest.mark.anyio


def odd(company: Company) -> list[object]:
    """People of whom each lacks something else than those that the platform's own ways make."""
    now = company.clock.now

    def added(person: str, kind: PersonKind, owner: str | None, ends: Instant | None) -> PersonAdded:
        return PersonAdded(person, kind, "test", None, owner, ends, None, person.title(), None)

    def listed(entry: str, person: str | None, kind: PersonKind, contract_ends: Instant | None) -> RosterEntrySet:
        none = (None, None, None)
        return RosterEntrySet(entry, "rst_x", person, kind, None, None, None, None, contract_ends, "UTC", *none)

    soon, late = Instant(now + 30 * DAY), Instant(now + 60 * DAY)
    return [
        added("alone", PersonKind.SERVICE, None, soon),
        added("twice", PersonKind.EMPLOYEE, None, None),
        listed("rse_1", "twice", PersonKind.EMPLOYEE, None),
        listed("rse_2", None, PersonKind.EMPLOYEE, None),
        RosterLinked("rse_2", "twice"),
        added("orphan", PersonKind.VENDOR, None, soon),
        listed("rse_3", "orphan", PersonKind.VENDOR, late),
        added("endless", PersonKind.VENDOR, "ada", None),
        listed("rse_4", "endless", PersonKind.VENDOR, soon),
        added("beyond", PersonKind.EMPLOYEE, None, None),
        PersonChanged("beyond", None, None, "ada", late, "Beyond", None, PersonKind.VENDOR),
        listed("rse_5", "beyond", PersonKind.VENDOR, soon),
        listed("rse_6", None, PersonKind.EMPLOYEE, None),
        RosterEntryEnded("rse_6", "rst_x", None, now),
    ]


@pytest.mark.parametrize(("later", "result"), [(HOUR, "fail"), (2 * DAY, "not-tested")])
async def test_the_verifier_finds_what_the_report_finds(tmp_path: Path, check: Check, later: int, result: str) -> None:
    company = await settled(tmp_path)
    await record(company.ledger, *odd(company))
    company.clock.advance(later)
    await company.sign_in("aud")
    pack = await Live(company, tmp_path).pack(START, Instant(company.clock.now))
    company.close()
    code, told = check(pack, *KEYS)
    assert code == 6, told["verdict"]
    assert told["history"].startswith("anchored and intact"), "odd by hand, hence not lawful"
    forge, found = Forge(History(), pack), dict[str, tuple[str, str]]()
    for name in ("accounts", "vendors"):
        report = forge.read_report(name)
        rows = [dict(zip(report["columns"], row["cells"], strict=True)) for row in report["rows"]]
        found.update((f"{name} {each['person']}", (each["result"], each["finding"])) for each in rows)
    if result == "fail":
        assert {name: finding for name, (_, finding) in found.items() if name.split(" ")[1] in ODD} == {
            "accounts alone": "a service without an owner",
            "accounts twice": "on the roster more than once",
            "accounts orphan": "",
            "accounts endless": "",
            "accounts beyond": "",
            "vendors orphan": "no sponsor",
            "vendors endless": "access without an end",
            "vendors beyond": "access outlasts the contract",
        }
    else:
        assert {each for each, _ in found.values()} == {"not-tested"}


ODD = ("alone", "twice", "orphan", "endless", "beyond")
