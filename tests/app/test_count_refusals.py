"""What providers send that lets nobody in is counted, bounded, and names nobody."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.providers.count_refusals import PERIOD, ProviderRefusals
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderRule, ProviderSet
from onepam.domain.providers.refusals import ProviderRefused, RefusalFacts, count_refused
from onepam.kernel.clock import SECOND
from onepam.store.engine.rebuild import compare
from onepam.store.read.providers import RefusedCount, refusals
from tests.company import Company, record, refused

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    await record(
        company.ledger, ProviderSet("chg_9", "idp_1", ProviderKind.OIDC, "Okta", "{}", ProviderRule(), "ada", "bob")
    )
    yield company
    company.close()
    assert compare(company.path) == []


async def test_refusals_are_counted_by_cause_one_entry_in_ten_minutes(company: Company) -> None:
    counter, first = ProviderRefusals(company.ledger), company.clock()
    await counter.count("idp_1", "oidc.exchange", first)
    size = company.ledger.size()
    for _ in range(500):
        await counter.count("idp_1", "oidc.exchange", company.clock())
    assert company.ledger.size() == size
    await counter.count("idp_1", "sign_in.nobody", company.clock())
    later = company.clock.advance(PERIOD)
    await counter.write(later)
    found = {each.cause: each for each in company.reader.now(refusals, None, "idp_1")}
    assert {cause: each.count for cause, each in found.items()} == {"oidc.exchange": 501, "sign_in.nobody": 1}
    assert isinstance(found["oidc.exchange"], RefusedCount)
    assert found["oidc.exchange"].first == first
    await counter.write(company.clock.advance(PERIOD + SECOND))  # quiet since: forgotten, and nothing is written
    assert company.ledger.size() == size + 2


async def test_only_codes_of_providers_that_are_there(company: Company) -> None:
    counter = ProviderRefusals(company.ledger)
    await counter.count("idp_1", "eve@example.com said no", company.clock())
    await counter.count("idp_9", "oidc.exchange", company.clock())
    assert [each.cause for each in company.reader.now(refusals, None, "idp_1")] == ["other.cause"]
    assert company.reader.now(refusals, None, "idp_9") == []
    event = ProviderRefused("idp_9", "oidc.exchange", 1, company.clock())
    refused(count_refused(RefusalFacts(False), event), "provider.unknown")
