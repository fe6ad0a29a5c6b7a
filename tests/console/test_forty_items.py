"""A manager decides on forty items of a review by keyboard, one key an item, and nothing else is loaded between; and
the same list on a phone, by taps."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from onepam.app.reviews.open_review import open_review
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.reviews.events import Scope
from onepam.domain.reviews.opening import Opened, Opening
from onepam.kernel.clock import DAY
from onepam.store.read.reviews import ReviewRow, reviews
from tests.company import Company, record
from tests.console.hands import View
from tests.console.living import Living, living

ITEMS = 40
PHONE = View(390, 844, "light")
CREW = tuple(f"p{number:02}" for number in range(ITEMS))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    with living(tmp_path_factory.mktemp("office")) as office:
        office.does(hired(office.office.company))
        yield office


async def hired(company: Company) -> None:
    """Forty engineers whose manager is max."""
    for who in CREW:
        mail = f"{who}@example.com"
        await record(
            company.ledger, PersonAdded(who, PersonKind.EMPLOYEE, "hired", "ada", "max", None, None, who, mail)
        )
        await company.bind(who, "engineer")


async def reviewed(company: Company, review: str) -> None:
    """A review of what they hold."""
    await company.sign_in("ada")
    wanted = Opening(Scope(people=CREW), 14 * DAY)
    assert isinstance(await open_review(company.ledger, company.actor("ada"), wanted, review), Opened)


async def decided(company: Company, review: str) -> ReviewRow:
    (found,) = [each for each in await company.reader(reviews, None, "max", False) if each.review == review]
    return found


def test_forty_items_take_forty_keys(office: Living, browser: Browser) -> None:
    company = office.office.company
    office.does(reviewed(company, "rev_1"))
    hands = office.hands(browser, "max")
    page = hands.page
    hands.finds("Reviews", "/reviews")
    hands.follows("Review of 40 people", "/reviews/rev_1")
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    for number in range(ITEMS):
        page.locator("[data-island=inbox][data-mounted=yes]").wait_for()
        with page.expect_navigation():
            page.keyboard.press("d" if number % 10 == 9 else "a")
    found = office.does(decided(company, "rev_1"))
    assert (found.kept, found.removed, found.mine) == (36, 4, 0)
    assert len(loads) == ITEMS


def test_the_same_list_on_a_phone_is_decided_by_taps(office: Living, browser: Browser) -> None:
    company = office.office.company
    office.does(reviewed(company, "rev_2"))
    page = office.hands(browser, "max", PHONE).page
    page.goto(f"{office.address}/reviews/rev_2")
    for name, verdict in (("Keep", "Kept"), ("Remove", "Removed; a binding gives it still")):
        item = page.locator("details.letter[open]")
        ident = item.get_attribute("id")
        button = item.get_by_role("button", name=name, exact=True)
        button.scroll_into_view_if_needed()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE.width
        box = button.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE.width
        with page.expect_navigation():
            button.click()
        expect(page.locator(f"[id='{ident}'] summary").get_by_text(verdict)).to_be_visible()
    found = office.does(decided(company, "rev_2"))
    expect(page.locator("details.letter")).to_have_count(found.items)
    assert (found.kept, found.removed, found.mine) == (1, 1, found.items - 2)
