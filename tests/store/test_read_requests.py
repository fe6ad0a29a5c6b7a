"""The list of everybody's requests: narrowed, page by page, and as it was."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.requests.deny_request import deny_request
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.withdraw_request import withdraw_request
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.store.read.asked_for import RequestFilter, asked_for
from onepam.store.read.paging import Window
from onepam.store.read.requests import STATES
from tests.company import Company

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


async def test_everybodys_requests_by_words_state_and_time_page_by_page(company: Company) -> None:
    """Each state is narrowed in the database and worded in the row: both say the same."""
    over, ended, denied, withdrawn = [
        await company.ask("eve", name, login) for name in ("web-1", "web-2") for login in ("app", "root")
    ]
    await company.sign_in("vic")
    lapsed = await company.ask("vic", "web-1", "app")
    then = company.clock()
    company.clock.advance(MINUTE)
    granted = [await company.approve("max", each) for each in (over, ended)]
    assert await end_grant(company.ledger, company.actor("eve"), granted[1].grant) is None
    await deny_request(company.ledger, company.actor("max"), denied.request, "not today")
    await withdraw_request(company.ledger, company.actor("eve"), withdrawn.request)
    between = Instant(company.clock() + 24 * HOUR)
    company.clock.advance(25 * HOUR)
    for who in ("eve", "vic"):
        await company.sign_in(who)
    running = await company.approve("max", await company.ask("eve", "web-1", "app"))
    waiting = await company.ask("vic", "web-2", "app")
    wanted = {
        "over": {over.request, ended.request},
        "approved": {running.request},
        "denied": {denied.request},
        "withdrawn": {withdrawn.request},
        "void": {lapsed.request},
        "open": {waiting.request},
    }
    assert wanted.keys() == STATES.keys()
    for state, those in wanted.items():
        page = await company.reader(asked_for, None, RequestFilter(state=state))
        assert ({each.request for each in page.rows}, page.total) == (those, len(those)), state
        assert {each.state for each in page.rows} == {state}
    for search, many in (("WEB-2", 3), ("root", 2), ("vic ex", 2), ("OPS-7", 7), ("oper", 0), ("%", 0)):
        assert (await company.reader(asked_for, None, RequestFilter(search=search))).total == many, search
    assert (await company.reader(asked_for, None, RequestFilter(since=between))).total == 2
    seen, window = list[str](), Window("", 3)
    for _ in range(3):
        page = await company.reader(asked_for, None, None, window)
        assert page.total == 7
        seen += [each.request for each in page.rows]
        window = Window(page.next, 3)
    assert page.next == ""
    older = [each.request for each in (lapsed, withdrawn, denied, ended, over)]
    assert seen == [waiting.request, running.request, *older]
    assert (await company.reader(asked_for, then)).total == 5
