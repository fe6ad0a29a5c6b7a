"""The populations of the controls: of each a row that passes, one that fails, and what makes it not tested."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Verdict
from onepam.domain.history.system import LedgerVerified
from onepam.kernel.clock import DAY, HOUR
from onepam.store.read.controls.populations import POPULATIONS, run_of
from tests.company import Company, record

pytestmark = pytest.mark.anyio

PASS, FAIL, NOT_TESTED = Verdict.PASS, Verdict.FAIL, Verdict.NOT_TESTED


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    made = await Company.create(tmp_path)
    yield made
    made.close()


def found(company: Company, control: str) -> dict[str, tuple[Verdict, str]]:
    """The rows by key."""
    return {each.key: (each.verdict, each.reason) for each in company.reader.now(run_of, None, control).rows}


def test_each_control_of_the_catalogue_has_its_population() -> None:
    assert list(POPULATIONS) == list(TESTS)


async def test_of_a_new_company_nothing_is_green_that_nothing_was_tested_of(company: Company) -> None:
    for control in TESTS:
        run = company.reader.now(run_of, None, control)
        assert run.verdict is not PASS or run.count(PASS), control


async def test_log_03_wants_all_of_it_and_lately(company: Company) -> None:
    never = (FAIL, "it never ran")
    assert found(company, "LOG-03") == {"incremental": never, "fold": never, "lawful": never}
    await record(company.ledger, *(LedgerVerified(each, 1, "00", ()) for each in ("fold", "lawful")))
    assert set(found(company, "LOG-03").values()) == {(PASS, "")}, "all of it is the newest entries, too"
    company.clock.advance(49 * HOUR)
    assert found(company, "LOG-03")["incremental"] == (FAIL, "it did not run lately")
    await record(company.ledger, LedgerVerified("incremental", 2, "00", ("a leaf",)))
    assert found(company, "LOG-03")["incremental"] == (FAIL, "1 findings")
    company.clock.advance(7 * DAY)
    assert found(company, "LOG-03")["fold"] == (FAIL, "it did not run lately")
