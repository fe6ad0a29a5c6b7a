"""What the eye needs of a page: names whole on a phone, heads that stay in sight, facts in full rows."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.console.sample_server import SampleServer, served


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, server: SampleServer) -> Iterator[Page]:
    context = browser.new_context(base_url=server.address, viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def test_what_the_finder_finds_is_whole_on_a_phone(page: Page) -> None:
    """However long what is said beside the name."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/~home")
    page.locator("[data-palette]").click()
    found = page.locator("#palette .palette-item").first
    expect(found).to_be_visible()
    tall, wide = found.evaluate(
        """item => {
            const part = name => item.querySelector(`[data-part=${name}]`);
            part("title").textContent = "Alexandra Kaplan-Mendoza";
            part("detail").textContent = "alexandra.kaplan-mendoza@example.org, employee, Database operator";
            const title = part("title").getBoundingClientRect();
            return [title.height / parseFloat(getComputedStyle(part("title")).lineHeight), title.width];
        }"""
    )
    assert tall < 1.5, "one line"
    assert wide > 150


def test_on_a_telephone_nothing_lies_on_what_keeps_or_removes(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/~review")
    letter = page.locator("details.letter[open]")
    expect(letter.locator(".letter-form")).to_have_count(2)
    keeps = letter.get_by_role("button", name="Keep", exact=True)
    expect(keeps).to_be_in_viewport(ratio=1)
    assert keeps.evaluate(
        "each => { const box = each.getBoundingClientRect();"
        " return each.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)) }"
    )


def test_the_matrix_shows_its_heads_wherever_the_page_is_scrolled(page: Page) -> None:
    page.goto("/~roles")
    head, bar = page.evaluate(
        """() => {
            const body = document.querySelector(".matrix tbody"), given = [...body.rows];
            for (let at = 0; at < 40; at++) body.append(given[at % given.length].cloneNode(true));
            document.querySelector(".matrix-scroll").scrollTop = 600;
            scrollTo(0, document.documentElement.scrollHeight);
            return [document.querySelector(".matrix thead").getBoundingClientRect().top,
                document.querySelector(".topbar").getBoundingClientRect().bottom];
        }"""
    )
    assert head >= bar


@pytest.mark.parametrize("name", ["people", "resources", "sessions"])
def test_the_head_of_a_list_stands_right_below_the_top_bar(page: Page, name: str) -> None:
    page.goto(f"/~{name}")
    below = page.evaluate("document.querySelector('.topbar').getBoundingClientRect().bottom")
    assert page.locator("thead th").first.evaluate("each => getComputedStyle(each).top") == f"{below:g}px"


@pytest.mark.parametrize("name", ["session", "second_factors", "person", "resource", "role", "roster", "leavers"])
def test_no_fact_stands_alone_in_its_row(page: Page, name: str) -> None:
    page.goto(f"/~{name}")
    tops = page.locator(".session-facts").first.evaluate(
        "list => [...list.children].map(each => each.getBoundingClientRect().top)"
    )
    assert tops.count(tops[-1]) > 1
