"""Whoever clicks, types or chooses before the console's scripts have come is answered as soon as they are there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.console.sample_server import SampleServer, served

SOURCES = Path(__file__).parents[2] / "ui" / "src"


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


class Late:
    """A page whose scripts of some address are on their way until they may `come`."""

    def __init__(self, page: Page, scripts: str) -> None:
        self.page = page
        self._held: list[Route] = []
        page.route(scripts, self._hold)

    def open(self, sample: str) -> None:
        self.page.goto(f"/~{sample}", wait_until="commit")
        self.page.locator("main").wait_for()

    def come(self) -> None:
        """The scripts that were asked for, once they were."""
        while not self._held:
            self.page.wait_for_timeout(20)
        while self._held:
            self._held.pop().continue_()

    def _hold(self, route: Route) -> None:
        self._held.append(route)


@pytest.fixture
def page(browser: Browser, server: SampleServer) -> Iterator[Page]:
    context = browser.new_context(base_url=server.address, permissions=["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


@pytest.fixture
def late(page: Page) -> Late:
    return Late(page, "**/built/app.js*")


@pytest.fixture
def late_player(page: Page) -> Late:
    return Late(page, "**/built/chunk-player*")


def test_the_dialog_of_a_button_that_was_clicked_early_opens(late: Late) -> None:
    late.open("session-live")
    late.page.get_by_role("button", name="End session").click()
    late.come()
    expect(late.page.get_by_role("dialog")).to_contain_text("Ends 1 live session of Jonas Lindqvist")


def test_what_was_to_be_copied_early_is_copied(late: Late) -> None:
    late.open("home")
    late.page.evaluate("navigator.clipboard.writeText('before')")
    late.page.get_by_role("button", name="Copy").first.click()
    late.come()
    while (copied := late.page.evaluate("navigator.clipboard.readText()")) == "before":
        late.page.wait_for_timeout(20)
    assert copied == "ssh -p 2222 postgres@db-orders-1@gate.example.org"


def test_the_finder_that_was_clicked_early_opens(late: Late) -> None:
    late.open("home")
    late.page.locator("[data-palette]").click()
    late.come()
    expect(late.page.locator("#palette").get_by_role("option")).to_have_count(3)


def test_the_pages_of_a_phone_that_were_asked_for_early_are_shown(late: Late) -> None:
    late.page.set_viewport_size({"width": 390, "height": 844})
    late.open("home-admin")
    late.page.get_by_role("button", name="Pages").click()
    late.come()
    expect(late.page.get_by_role("link", name="Ledger", exact=True)).to_be_visible()


def test_the_theme_that_was_chosen_early_is_taken(late: Late) -> None:
    late.open("home")
    expect(late.page.locator("html")).to_have_attribute("data-bs-theme", "light")
    late.page.locator(".person-button:visible").click()
    late.page.locator("[data-theme=dark]:visible").click()
    late.come()
    expect(late.page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_recording_plays_from_where_was_clicked_early(late: Late) -> None:
    late.open("session")
    late.page.get_by_role("button", name=re.compile("reindex index")).click()
    late.come()
    expect(late.page.locator(".event button.is-now")).to_contain_text("reindex index")


def test_a_click_waits_for_the_player_also_where_the_rest_is_there(late_player: Late) -> None:
    late_player.open("session")
    expect(late_player.page.locator("[data-island=player][data-mounted=no]")).to_be_visible()
    late_player.page.get_by_role("button", name=re.compile("reindex index")).click()
    late_player.come()
    expect(late_player.page.locator(".event button.is-now")).to_contain_text("reindex index")


def test_a_passkey_is_asked_for_only_once_its_script_has_come(page: Page) -> None:
    late = Late(page, "**/built/chunk-passkey*")
    late.open("sign_in")
    button = page.get_by_role("button", name="Sign in with a passkey")
    expect(button).to_be_disabled()
    late.come()
    with page.expect_request(re.compile("/sign-in/passkey/options")):
        button.click()


def test_the_line_of_a_problem_that_was_clicked_early_is_gone_to(late: Late) -> None:
    late.open("propose")
    problem = late.page.locator("[data-problem]").last
    line, column = int(problem.get_attribute("data-line") or 0), int(problem.get_attribute("data-column") or 0)
    problem.click()
    late.come()
    expect(late.page.locator("[data-island=editor]")).to_have_attribute("data-mounted", "yes")
    text = late.page.locator("#text")
    before = "\n".join(text.input_value().split("\n")[: line - 1])
    assert text.evaluate("each => each.selectionStart") == len(before) + (line > 1) + column - 1


def test_a_list_is_filtered_by_what_was_typed_early(late: Late) -> None:
    late.open("sessions")
    late.page.get_by_role("searchbox").fill("lena")
    late.come()
    late.page.wait_for_url(re.compile(r"[?&]q=lena(&|$)"))


def test_a_list_is_filtered_by_what_was_chosen_early(late: Late) -> None:
    late.open("sessions")
    late.page.locator("select[name=state]").select_option("refused")
    late.come()
    late.page.wait_for_url(re.compile(r"[?&]state=refused(&|$)"))


def test_who_went_on_to_something_else_is_not_answered_any_more(late: Late) -> None:
    late.open("session-live")
    late.page.get_by_role("button", name="End session").click()
    late.page.get_by_role("heading", level=1).click()
    late.come()
    late.page.locator("[data-island=player][data-mounted=yes]").wait_for()
    expect(late.page.get_by_role("dialog")).to_have_count(0)


def test_an_answered_click_is_not_answered_again_by_what_comes_later(late_player: Late) -> None:
    late_player.open("session-live")
    late_player.page.locator("[data-island=player][data-mounted=no]").wait_for()
    late_player.page.get_by_role("button", name="End session").click()
    expect(late_player.page.get_by_role("dialog")).to_be_visible()
    assert late_player.page.evaluate("window.clicked") is None


AT_ONCE = {
    "hands.ts",  # the one way
    "early.ts",  # keeps what came early
    "confirm.ts",  # a click beside an open dialog: the script has opened it
    "menus.ts",  # a click beside an open menu: it stays open until the next one
    "islands/passkey.ts",  # its button waits disabled
    "verify/page.ts",  # one file with its script in it
}


def test_clicks_are_answered_in_one_way() -> None:
    """Nothing else listens to clicks by itself: its button would do nothing until its script had come."""
    listening = {
        str(file.relative_to(SOURCES))
        for file in SOURCES.rglob("*.ts")
        if re.search(r"addEventListener\(\s*\"click\"|\.onclick\b", file.read_text("utf-8"))
    }
    assert listening == AT_ONCE
