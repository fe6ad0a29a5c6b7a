"""axe-core finds nothing serious on any page of the console, in any of its states: at a desk and on a phone, dark and
light. Each page once with every test run, all of them with `make conformance`."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from onepam.kernel.clock import moment
from tests.console.axe import findings, opened_up, sideways
from tests.console.colours import Theme
from tests.console.sample_server import SampleServer, served
from tests.console.samples.company import NOW
from tests.console.samples.pages import SAMPLES

ONE_OF_EACH = list({context.template: name for name, (_, context) in reversed(SAMPLES.items())}.values())
"""The first sample of each page."""

DESK, PHONE = 1440, 390


def _stays(route: Route) -> None:
    """Of a page that goes on to a provider by itself, what it does without: it stays."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace('http-equiv="refresh"', ""))


def _waits(route: Route) -> None:
    """Of a decision that can be undone for some seconds, the offer: it is not taken away while it is looked at."""
    answer = route.fetch()
    route.fulfill(response=answer, body=re.sub(r'data-undo="\d+"', 'data-undo="3600000"', answer.text()))


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


@pytest.fixture(scope="module")
def page(browser: Browser, server: SampleServer) -> Iterator[Page]:
    context = browser.new_context(base_url=server.address, reduced_motion="reduce")
    opened = context.new_page()
    opened.clock.set_system_time(moment(NOW))
    opened.route("**/~at_provider*", _stays)
    opened.route("**/~approvals*", _waits)
    opened.route("**/chunk-go-*", lambda route: route.abort())
    yield opened
    context.close()


def shown(page: Page, name: str, width: int, theme: Theme) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    page.goto(f"/~{name}")
    whole(page)


def whole(page: Page) -> None:
    """Until nothing of it is on its way any more: its fonts, and what its islands add."""
    expect(page.locator("[data-island]:not([data-mounted=yes]):not([data-island=go])")).to_have_count(0)
    page.evaluate("async () => { await document.fonts.ready }")


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_each_page_is_for_everybody(page: Page, name: str) -> None:
    shown(page, name, PHONE, "light")
    opened_up(page)
    assert sideways(page) == []
    assert findings(page) == []
    page.emulate_media(color_scheme="dark")
    assert findings(page, contrast_only=True) == []


@pytest.mark.conformance
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("name", SAMPLES)
def test_each_state_of_each_page_is_for_everybody(page: Page, name: str, width: int, theme: Theme) -> None:
    shown(page, name, width, theme)
    found = findings(page) + sideways(page)
    opened_up(page)
    found += findings(page) + sideways(page)
    for index in range(page.locator("details.menu > summary:visible").count()):
        page.locator("details.menu > summary:visible").nth(index).click()
        found += findings(page, "details.menu[open] > .menu-panel")
        page.keyboard.press("Escape")
    for index in range(page.locator("dialog").count()):
        page.locator("dialog").nth(index).evaluate("each => each.showModal()")
        found += findings(page, "dialog[open]")
        page.locator("dialog").nth(index).evaluate("each => each.close()")
    assert list(dict.fromkeys(found)) == []


def test_what_is_wrong_is_found(page: Page) -> None:
    """A page with a picture nobody describes, and a grey nobody reads, is told of both."""
    shown(page, "home", PHONE, "light")
    page.evaluate(
        """() => document.querySelector("main").insertAdjacentHTML("beforeend",
        '<img src="/static/built/favicon.svg"><font color="#bbbbbb">faint words</font>')"""
    )
    found = findings(page)
    assert {each.partition(":")[0] for each in found} == {"image-alt", "color-contrast"}
