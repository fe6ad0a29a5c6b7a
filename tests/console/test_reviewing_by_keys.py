"""What waits is decided by one key each, on the pages of reviews and of approvals: in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.console.sample_server import SampleServer, served


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    with served() as server:
        yield server


@pytest.fixture(scope="module")
def page(server: SampleServer) -> Iterator[Page]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running.new_context(base_url=server.address).new_page()
        running.close()


def opened(page: Page, at: str) -> None:
    """The page, once its keys work."""
    page.goto(at)
    page.locator("[data-island=inbox][data-mounted=yes]").wait_for()


def sends(page: Page, at: str, key: str, path: str) -> None:
    """The key sends the form of what is open."""
    opened(page, at)
    with page.expect_navigation(url=f"**{path}"):
        page.keyboard.press(key)


def test_an_item_of_a_review_is_kept_removed_or_passed_on_by_one_key(page: Page, server: SampleServer) -> None:
    server.posted.clear()
    for key in "dn":
        sends(page, "/~review", key, "/reviews/rev_4qz/decide")
    opened(page, "/~review")
    page.keyboard.press("j")
    with page.expect_navigation(url="**/reviews/rev_4qz/decide"):
        page.keyboard.press("a")
    opened(page, "/~review")
    page.keyboard.press("j")
    with page.expect_navigation(url="**/reviews/rev_4qz/decide"):
        page.keyboard.press("r")
    bodies = [body for _, body in server.posted]
    assert ["decision=deny" in bodies[0], "decision=pass" in bodies[1], "decision=approve" in bodies[2]] == [True] * 3
    assert "decision=reduce" in bodies[3]
    assert "until=2027-02-28" in bodies[3]
    assert all("role=dba" in body for body in bodies)


def test_what_is_better_removed_is_kept_with_a_note(page: Page, server: SampleServer) -> None:
    server.posted.clear()
    opened(page, "/~review")
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.name") == "comment"
    page.keyboard.type("on call")
    with page.expect_navigation(url="**/reviews/rev_4qz/decide"):
        page.keyboard.press("Enter")
    ((_, body),) = server.posted
    assert "decision=approve" in body
    assert "comment=on+call" in body


def test_a_key_that_an_item_has_no_button_for_sends_nothing(page: Page, server: SampleServer) -> None:
    server.posted.clear()
    page.goto("/~approvals")
    page.locator("[data-island=inbox][data-mounted=yes]").wait_for()
    page.keyboard.press("n")
    with page.expect_navigation(url="**/approvals/req_a"):
        page.keyboard.press("a")
    assert [path for path, _ in server.posted] == ["/approvals/req_a"]
