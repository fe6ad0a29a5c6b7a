"""The report of accounts of other systems: its rows follow from the entries, and a lie in one is found."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepam import __version__
from onepam.app.people.disable_person import disable_person
from onepam.app.systems.answer_for import link_account, set_system
from onepam.domain.history.system import SystemStarted
from onepam.domain.leaving.leaving import Ended
from onepam.kernel.clock import DAY, Instant
from tests.app.test_systems import BATCH, EVE, ROOT, VIC, bring
from tests.company import START, record
from tests.evidence.company import LOG, ORIGIN, History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Forge
from tests.evidence.lawful_company import LawfulCompany
from tests.evidence.live import Live, certified

OLD, CRM = "old,read,aud@example.com,,\n", "x71,sell,,,\n"


async def listed(folder: Path) -> bytes:
    """A pack of six days: payroll with all that may be found of an account, and a crm in which one is said to be
    eve's."""
    company = await LawfulCompany.create(folder, certified("nod_1"))
    await record(company.ledger, SystemStarted("node-1", __version__, ORIGIN, LOG.vkey(), "test"))
    await bring(company, EVE, VIC, BATCH, ROOT, "gone,read,,,\n")
    await bring(company, CRM, system="crm")
    assert await link_account(company.ledger, company.actor("ada"), "crm", "x71", "eve") is None
    assert await set_system(company.ledger, company.actor("ada"), "payroll", "bob", 10) is None
    assert isinstance(await disable_person(company.ledger, company.actor("ada"), "vic", "left"), Ended)
    company.clock.advance(DAY)
    await bring(company, EVE, VIC, BATCH, ROOT, OLD)
    assert isinstance(await disable_person(company.ledger, company.actor("ada"), "aud", "left"), Ended)
    await company.sign_in("ada")
    path = await Live(company, folder).draw(START, Instant(START + 6 * DAY), "ada")
    assert isinstance(path, Path), path
    company.close()
    return path.read_bytes()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return asyncio.run(listed(tmp_path_factory.mktemp("listed")))


def table(pack: bytes) -> dict[str, dict[str, str]]:
    report = Forge(History(), pack).read_report("systems")
    rows = (dict(zip(report["columns"], row["cells"], strict=True)) for row in report["rows"])
    return {each["name"]: each for each in rows}


def test_who_stands_behind_each_account_and_what_is_found(pack: bytes, check: Check) -> None:
    found = table(pack)
    assert {
        name: (each["person"], each["service"], each["known"], each["finding"]) for name, each in found.items()
    } == {
        "x71": ("eve", "", "said", ""),
        "e.example": ("eve", "", "email", ""),
        "batch": ("max", "yes", "owner", ""),
        "root": ("", "", "nobody", "nobody"),
        "vic": ("vic", "", "name", "still_there"),
        "old": ("aud", "", "email", "left"),
    }
    assert (found["root"]["answers"], found["x71"]["answers"], found["x71"]["linked"] != "") == ("bob", "ada", True)
    assert found["e.example"]["person_name"] == "Eve Example"
    assert found["root"]["since"] < found["root"]["due"]
    code, result = check(pack, *KEYS)
    assert code == 0, result["verdict"]
    proved = "report systems: exactly one row for each account of another system that the entries give, 6 in all"
    assert proved in result["proved"], result["not_proved"]


def _line(column: str, text: str) -> Callable[[Any], None]:
    def act(found: Any) -> None:
        found["rows"][0]["cells"][found["columns"].index(column)] = text

    return act


LIES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "an account is left out": (lambda found: found["rows"].pop(), "lacks 1 of the 6 accounts"),
    "one is added": (lambda found: found["rows"].append(found["rows"][0]), "has 1 row that the entries do not give"),
    "another person": (_line("person", "max"), "has 1 row that the entries do not give"),
    "another finding": (_line("finding", "left"), "has 1 row that the entries do not give"),
    "another right": (_line("rights", "none"), "has 1 row that the entries do not give"),
    "somebody else answers": (_line("answers", "max"), "has 1 row that the entries do not give"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_in_it_is_said_first(name: str, pack: bytes, check: Check) -> None:
    act, said = LIES[name]
    forge = Forge(History(), pack)
    forge.report("systems", act)
    code, result = check(forge.seal(), *KEYS)
    assert code == 7
    assert any("report systems" in each and said in each for each in result["lacks"]), result["lacks"]


def test_another_name_than_the_entry_says_is_refused(pack: bytes, check: Check) -> None:
    forge = Forge(History(), pack)
    forge.report("systems", _line("name", "somebody"))
    code, result = check(forge.seal(), *KEYS)
    assert code not in (0, 7), result["verdict"]
