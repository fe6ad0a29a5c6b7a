"""What was typed into a form is there again after a refusal, or after a second factor on the way: in a real browser."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from onepam.console.frame.visit import SESSION_COOKIE
from onepam.kernel.clock import MINUTE
from tests.console.hands import Hands
from tests.console.living import Living, living
from tests.console.sample_server import served
from tests.console.test_keyboard import KEY


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    with living(tmp_path_factory.mktemp("office")) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def at(browser: Browser, office: Living) -> Iterator[Callable[[str, str], Page]]:
    """Somebody who is signed in, at a page."""
    opened: list[Hands] = []

    def somebody(person: str, path: str) -> Page:
        opened.append(office.hands(browser, person))
        opened[-1].page.goto(path)
        return opened[-1].page

    yield somebody
    for each in opened:
        each.context.close()


def test_a_refused_dialog_is_open_again_with_what_was_typed_and_why_not(at: Callable[[str, str], Page]) -> None:
    page = at("bob", "/people")
    page.get_by_role("button", name="Add person").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Eve Twice")
    dialog.get_by_label("E-mail", exact=True).fill("eve@example.com")
    dialog.get_by_label("Kind").select_option("vendor")
    dialog.get_by_label("Last day").fill("2999-01-31")
    dialog.get_by_label("Sponsor").fill("bob@example.com")
    with page.expect_navigation():
        dialog.get_by_role("button", name="Add and make a link").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody else has this address.")
    expect(dialog.get_by_label("Name")).to_have_value("Eve Twice")
    expect(dialog.get_by_label("E-mail", exact=True)).to_have_value("eve@example.com")
    expect(dialog.get_by_label("Kind")).to_have_value("vendor")
    expect(dialog.get_by_label("Last day")).to_have_value("2999-01-31")
    expect(dialog.get_by_label("Sponsor")).to_have_value("bob@example.com")
    page.reload()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Add person").click()
    expect(dialog.get_by_label("Name")).to_have_value("")


def test_no_role_is_chosen_for_anybody_and_a_day_that_is_over_is_said(
    at: Callable[[str, str], Page], office: Living
) -> None:
    page = at("bob", "/people/max")
    page.get_by_role("button", name="Give a role").click()
    dialog = page.get_by_role("dialog", name="Give a role to Max Example")
    expect(dialog.get_by_label("Role", exact=True)).to_have_value("")
    dialog.get_by_label("Role", exact=True).select_option("engineer")
    dialog.get_by_label("Reason").fill("stands in for eve")
    dialog.get_by_label("Ticket").fill("OPS-9")
    yesterday = datetime.fromtimestamp(office.office.company.clock() / 1_000_000, UTC) - timedelta(days=1)
    dialog.get_by_label("Last day").fill(f"{yesterday:%Y-%m-%d}")
    with page.expect_navigation():
        dialog.get_by_role("button", name="See what it changes").click()
    expect(dialog.get_by_role("alert")).to_contain_text(f"The last day is over: it was {yesterday:%Y-%m-%d}.")
    expect(dialog.get_by_label("Role", exact=True)).to_have_value("engineer")
    expect(dialog.get_by_label("Reason")).to_have_value("stands in for eve")
    expect(dialog.get_by_label("Ticket")).to_have_value("OPS-9")


def test_a_key_that_is_none_stands_there_again(at: Callable[[str, str], Page]) -> None:
    page = at("eve", "/factors")
    page.get_by_label("Public key").fill("ssh-ed25519 nonsense")
    with page.expect_navigation():
        page.get_by_role("button", name="Add key").click()
    expect(page.locator(".invalid-feedback")).to_be_visible()
    expect(page.get_by_label("Public key")).to_have_value("ssh-ed25519 nonsense")


def test_a_key_outlives_the_second_factor_that_it_takes(at: Callable[[str, str], Page], office: Living) -> None:
    page = at("eve", "/factors")
    office.office.company.clock.advance(6 * MINUTE)
    page.get_by_label("Public key").fill(KEY)
    with page.expect_navigation(url="**/step-up?next=/factors"):
        page.get_by_role("button", name="Add key").click()
    expect(page.get_by_text("Your second factor, once more")).to_be_visible()
    fresh = office.does(office.office.sign_in("eve")).token
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": fresh, "url": office.address}])
    page.goto("/factors")
    expect(page.get_by_label("Public key")).to_have_value(KEY)
    expect(page.get_by_text("Nothing was sent yet: press once more.")).to_be_visible()
    with page.expect_navigation():
        page.get_by_role("button", name="Add key").click()
    expect(page.get_by_text("since").first).to_be_visible()
    expect(page.get_by_label("Public key")).to_have_value("")


def test_no_secret_is_kept_in_a_browser(at: Callable[[str, str], Page]) -> None:
    page = at("bob", "/sign-in")
    kept = """() => {
        const form = document.createElement("form");
        form.method = "post";
        const wanted = ["a text", "b password", "c hidden", "d file", "e text", "f text"];
        for (const [name, type] of wanted.map(each => each.split(" "))) {
            const field = document.createElement("input");
            Object.assign(field, {name, type, autocomplete: name === "e" ? "one-time-code" : ""});
            if (name === "f") field.className = "form-control code-field";
            if (type !== "file") field.value = "typed";
            form.append(field);
        }
        document.body.append(form);
        form.addEventListener("submit", event => event.preventDefault());
        form.requestSubmit();
        return JSON.parse(sessionStorage.getItem("onepam.typed")).fields;
    }"""
    assert page.evaluate(kept) == {"a": "typed"}


@pytest.mark.parametrize("sample", ["recovery", "sign_in-second", "totp"])
def test_no_code_that_is_typed_is_kept_in_a_browser(browser: Browser, sample: str) -> None:
    with served() as server:
        page = browser.new_page(base_url=server.address)
        page.goto(f"/~{sample}")
        page.locator("input[name=code]").fill("123456")
        kept = page.locator("form:has(input[name=code])").evaluate(
            """form => {
                form.addEventListener("submit", event => event.preventDefault());
                form.dispatchEvent(new SubmitEvent("submit", {bubbles: true, cancelable: true}));
                return JSON.parse(sessionStorage.getItem("onepam.typed")).fields;
            }"""
        )
        page.close()
    assert kept == {}


def test_the_link_back_to_a_list_leads_to_its_filters_until_somebody_signs_out(
    at: Callable[[str, str], Page], office: Living
) -> None:
    office.office.company.clock.advance(2 * MINUTE)
    page = at("bob", "/people?kind=employee&q=max")
    page.get_by_role("link", name="Max Example").click()
    page.wait_for_url("**/people/max")
    page.reload()
    back = page.get_by_role("link", name="People", exact=True).and_(page.locator(".back"))
    expect(back).to_have_attribute("href", "/people?kind=employee&q=max")
    moment = page.locator("#as-of-field").input_value()
    page.goto(page.url + f"?as_of={moment}")
    expect(back).to_have_attribute("href", re.compile(r"/people\?kind=employee&q=max&as_of=2"))
    back.click()
    page.wait_for_url("**/people?kind=employee&q=max&as_of=*")
    page.goto(page.url.partition("?")[0])
    page.get_by_role("link", name="Max Example").click()
    expect(back).to_have_attribute("href", "/people")
    page.goto(page.url.replace("/max", "?q=max"))
    page.get_by_role("link", name="Max Example").click()
    expect(back).to_have_attribute("href", "/people?q=max")
    page.context.clear_cookies()
    page.goto(page.url)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('onepam.lists')") in (None, "{}")
