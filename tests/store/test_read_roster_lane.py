"""The staff roster in a person's lanes: from the first day on it to the last, whenever the account came."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.people.events import PersonKind
from onepam.domain.roster.events import RosterEntryEnded, RosterEntrySet, RosterLinked
from onepam.kernel.clock import DAY, Instant
from onepam.store.read.people import Bar, lanes
from tests.company import Company, record

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


async def roster(company: Company) -> tuple[Bar, ...]:
    return next(each.bars for each in await company.reader(lanes, None, "eve") if each.name == "roster")


async def test_from_the_first_day_to_the_last(company: Company) -> None:
    now = company.clock.now
    first, last = Instant(now + 2 * DAY), Instant(now + 50 * DAY)
    entry = RosterEntrySet("rst_1", "v1", None, PersonKind.EMPLOYEE, None, None, first, last, None, "UTC", "7", "Eve")
    await record(company.ledger, entry, replace(entry, entry="rst_2"))
    assert await roster(company) == ()
    await record(company.ledger, RosterLinked("rst_1", "eve"))
    assert await roster(company) == (), "the first day is to come"
    company.clock.advance(5 * DAY)
    assert await roster(company) == (Bar(first, None, "Employee", "rst_1"),)
    await record(company.ledger, replace(entry, version="v2", person="eve", name="Eve Example"))
    assert await roster(company) == (Bar(first, None, "Employee", "rst_1"),), "one bar, whatever changed"
    company.clock.advance(60 * DAY)
    assert await roster(company) == (Bar(first, last, "Employee", "rst_1"),)


async def test_who_is_gone_from_the_roster_is_not_on_it(company: Company) -> None:
    began = company.clock.now
    await record(
        company.ledger,
        RosterEntrySet("rst_1", "v1", "eve", PersonKind.EMPLOYEE, None, None, None, None, None, "UTC", "7", "Eve"),
    )
    company.clock.advance(5 * DAY)
    await record(company.ledger, RosterEntryEnded("rst_1", "v2", "eve", company.clock.now))
    company.clock.advance(DAY)
    (bar,) = await roster(company)
    assert bar.ends is not None
    assert began < bar.starts < bar.ends <= company.clock.now - DAY
