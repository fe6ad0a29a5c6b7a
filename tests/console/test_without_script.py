"""The console in a browser that runs no script: what only scripts answer is not shown, and a word says so."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from tests.console.sample_server import SampleServer, served


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    with served() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_without_script_nothing_dead_is_shown_and_a_word_says_so(
    browser: Browser, server: SampleServer, width: int
) -> None:
    size: ViewportSize = {"width": width, "height": 844}
    plain = browser.new_page(java_script_enabled=False, viewport=size, base_url=server.address)
    for name in ("people", "resource", "factors"):
        plain.goto(f"/~{name}")
        dead = plain.locator("[data-dialog], [data-palette], .command [data-copy], .theme-switch, [data-passkey]")
        assert dead.count()
        for each in dead.all():
            expect(each).to_be_hidden()
        expect(plain.get_by_text("Scripts are off in this browser")).to_be_visible()
        expect(plain.locator("#sidebar").get_by_role("link", name="Ledger")).to_be_visible()
    plain.close()


def test_with_script_it_is_all_there(browser: Browser, server: SampleServer) -> None:
    page = browser.new_page(base_url=server.address)
    page.goto("/~people")
    expect(page.get_by_role("button", name="Add person")).to_be_visible()
    expect(page.get_by_text("Scripts are off in this browser")).to_be_hidden()
    page.close()
