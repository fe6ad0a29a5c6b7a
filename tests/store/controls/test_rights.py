"""The controls of roles that match the work: of each a row that passes, one that fails, and what is not tested."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.access.separation import Excuse, SeparationSet
from onepam.domain.controls.control import Verdict
from onepam.kernel.clock import DAY, Instant
from onepam.store.read.controls.populations import run_of
from tests.company import DEV, PROD, Company, binding, record, resource_set, role_set
from tests.matrix_company import founded

pytestmark = pytest.mark.anyio

PASS, FAIL, NOT_TESTED, EXCLUDED = Verdict.PASS, Verdict.FAIL, Verdict.NOT_TESTED, Verdict.EXCLUDED


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    made = await founded(tmp_path)
    yield made
    made.close()


def found(company: Company, control: str) -> dict[str, tuple[Verdict, str]]:
    """The rows by key."""
    return {each.key: (each.verdict, each.reason) for each in company.reader.now(run_of, None, control).rows}


async def test_rbc_01_what_the_file_does_not_say_fails(company: Company) -> None:
    assert {verdict for verdict, _ in found(company, "RBC-01").values()} == {PASS}
    await record(company.ledger, replace(binding("vic", "manager"), source="recover-access"))
    await record(company.ledger, replace(resource_set("dev-9", {"env": "dev"}), change="chg_0"))
    rows = found(company, "RBC-01")
    assert rows["vic"] == (FAIL, "in force, and not in the file given by name, by recover-access")
    assert rows["dev-9"] == (FAIL, "in force, and not in the file the resource")
    assert rows["web-1"] == rows["eve"] == rows["engineer"] == (PASS, "")


async def test_rbc_01_is_not_tested_without_a_text(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    assert set(found(company, "RBC-01").values()) == {(NOT_TESTED, "the text in force cannot be read")}
    company.close()


async def test_lpv_01_a_few_always_may_and_more_are_a_share(company: Company) -> None:
    assert set(found(company, "LPV-01").values()) == {(PASS, "")}
    for who in ("eve", "max", "vic"):
        await record(company.ledger, binding(who, "administrator"))
    rows = found(company, "LPV-01")
    assert rows["eve"] == rows["ada"] == (FAIL, "one of 5 who administer, of 6 people")
    assert rows["aud"] == (PASS, "")


async def test_lpv_02_what_nobody_used_for_120_days_fails(company: Company) -> None:
    assert found(company, "LPV-02") == {"eve/engineer": (PASS, "")}
    company.clock.advance(119 * DAY)
    assert found(company, "LPV-02") == {"eve/engineer": (PASS, "")}
    company.clock.advance(2 * DAY)
    assert found(company, "LPV-02") == {"eve/engineer": (FAIL, "unused for 120 days")}


async def test_lpv_03_is_not_tested_without_a_separation_and_who_is_excused_is_excluded(company: Company) -> None:
    assert company.reader.now(run_of, None, "LPV-03").verdict is NOT_TESTED
    apart = SeparationSet("four-eyes", ("engineer", "manager"), "nobody approves their own", (), "chg_0", None)
    await record(company.ledger, apart)
    assert found(company, "LPV-03") == {"eve/four-eyes": (PASS, ""), "max/four-eyes": (PASS, "")}
    await record(company.ledger, binding("eve", "manager"))
    assert found(company, "LPV-03")["eve/four-eyes"] == (FAIL, "holds engineer and manager")
    until = Instant(company.clock.now + DAY)
    await record(company.ledger, replace(apart, excused=(Excuse("eve", "read", until),)))
    verdict, reason = found(company, "LPV-03")["eve/four-eyes"]
    assert (verdict, reason[:14]) == (EXCLUDED, "excused until ")
    company.clock.advance(2 * DAY)
    assert found(company, "LPV-03")["eve/four-eyes"][0] is FAIL


async def test_lpv_04_what_is_privileged_and_standing_fails(company: Company) -> None:
    assert found(company, "LPV-04") == {"engineer/prod": (PASS, "")}
    root = replace(DEV, name="root", administrative=True)
    await record(company.ledger, role_set("operator", (PROD, root)), binding("vic", "operator"))
    assert found(company, "LPV-04") == {
        "engineer/prod": (PASS, ""),
        "operator/prod": (PASS, ""),
        "operator/root": (FAIL, "privileged, and standing"),
    }
