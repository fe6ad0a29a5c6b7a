"""A manager decides on forty items of a review by keyboard, one key an item, and nothing else is loaded between."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from onepam.app.reviews.open_review import open_review
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.reviews.events import Scope
from onepam.domain.reviews.opening import Opened, Opening
from onepam.kernel.clock import DAY
from onepam.store.read.reviews import ReviewRow, reviews
from tests.company import Company, record
from tests.console.living import Living, living

ITEMS = 40
CREW = tuple(f"p{number:02}" for number in range(ITEMS))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Living]:
    with living(tmp_path) as office:
        yield office


async def hired(company: Company) -> None:
    """Forty engineers whose manager is max, and a review of what they hold."""
    for who in CREW:
        mail = f"{who}@example.com"
        await record(
            company.ledger, PersonAdded(who, PersonKind.EMPLOYEE, "hired", "ada", "max", None, None, who, mail)
        )
        await company.bind(who, "engineer")
    await company.sign_in("ada")
    wanted = Opening(Scope(people=CREW), 14 * DAY)
    assert isinstance(await open_review(company.ledger, company.actor("ada"), wanted, "rev_1"), Opened)


async def decided(company: Company) -> ReviewRow:
    (found,) = await company.reader(reviews, None, "max", False)
    return found


def test_forty_items_take_forty_keys(office: Living, browser: Browser) -> None:
    company = office.office.company
    office.does(hired(company))
    hands = office.hands(browser, "max")
    page = hands.page
    page.goto(f"{office.address}/reviews/rev_1")
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    for number in range(ITEMS):
        page.locator("[data-island=inbox][data-mounted=yes]").wait_for()
        with page.expect_navigation():
            page.keyboard.press("d" if number % 10 == 9 else "a")
    found = office.does(decided(company))
    assert (found.kept, found.removed, found.mine) == (36, 4, 0)
    assert len(loads) == ITEMS
