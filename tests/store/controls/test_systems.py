"""OFF-03: whether somebody who is here stands behind each account of another system."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.domain.controls.control import Verdict
from onepam.kernel.clock import DAY
from onepam.store.read.controls.populations import run_of
from tests.app.test_systems import BATCH, EVE, ROOT, VIC, bring
from tests.company import Company

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    made = await Company.create(tmp_path)
    yield made
    made.close()


def found(company: Company) -> list[tuple[Verdict, str]]:
    """The rows, whatever the ids."""
    rows = company.reader.now(run_of, None, "OFF-03").rows
    assert all(each.key.startswith("payroll/lac_") for each in rows)
    return sorted((each.verdict, each.reason) for each in rows)


async def test_off_03_wants_somebody_who_is_here_behind_each_account(company: Company) -> None:
    assert company.reader.now(run_of, None, "OFF-03").verdict is Verdict.NOT_TESTED
    await bring(company, EVE, VIC, BATCH, ROOT)
    await company.leaves("vic")
    here, nobody = (Verdict.PASS, ""), (Verdict.FAIL, "nobody stands behind it")
    assert found(company) == sorted([here, here, nobody, (Verdict.FAIL, "who stood behind it has left")])
    company.clock.advance(DAY)
    await bring(company, EVE, VIC, BATCH)
    still = "who stood behind it has left, and a list that came since has it still"
    assert found(company) == sorted([here, here, (Verdict.FAIL, still)])
    company.clock.advance(32 * DAY)
    assert found(company) == [(Verdict.NOT_TESTED, "its list is older than 31 days")] * 3
