"""The console's small scripts, in Chromium, under the real Content-Security-Policy."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from onepam.console.frame.rendering import STATIC
from onepam.kernel.clock import SECOND, later, moment
from onepam.store.read.paging import SIZE
from tests.console.sample_server import SampleServer, served
from tests.console.samples.company import NOW


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    assert (STATIC / "built" / "app.js").is_file(), "the console's scripts are not built: make ui"
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def said() -> list[str]:
    """What the browser's console complained of; a test that provokes a refusal takes it out."""
    return []


@pytest.fixture
def page(browser: Browser, server: SampleServer, said: list[str]) -> Iterator[Page]:
    """A page of which an error of a script or a refusal of the CSP fails the test."""
    server.posted.clear()
    server.waiting, server.asked, server.ended = 3, 0, False
    context = browser.new_context(base_url=server.address, permissions=["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert said == []


def test_a_command_is_copied_by_one_click(page: Page) -> None:
    page.goto("/~home")
    page.evaluate("navigator.clipboard.writeText('before')")
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "ssh -p 2222 postgres@db-orders-1@gate.example.org"


def test_times_are_relative_with_the_readers_own_zone_on_hover(page: Page) -> None:
    page.clock.set_system_time(moment(NOW))
    page.goto("/~sessions")
    time = page.get_by_text("18 min ago")
    expect(time).to_have_attribute("title", re.compile(r"^20 November 2026 \d\d:\d\d:\d\d \S+$"))


def test_the_finder_opens_by_key_and_goes_to_what_is_chosen(page: Page) -> None:
    page.goto("/~home")
    page.keyboard.press("Control+k")
    page.keyboard.type("jo")
    found = page.locator("#palette").get_by_role("option")
    expect(found).to_have_count(3)
    page.keyboard.press("ArrowDown")
    expect(found.nth(1)).to_have_attribute("aria-selected", "true")
    told = page.locator("#palette").get_by_role("combobox").get_attribute("aria-activedescendant")
    assert told == found.nth(1).get_attribute("id")
    page.keyboard.press("Enter")
    page.wait_for_url("**/~resource")


_SLOW_BODY = """
const read = Response.prototype.json;
Response.prototype.json = async function () {
  const said = await read.call(this);
  if (this.url.endsWith("q=jo")) await new Promise(done => setTimeout(done, 400));
  return said;
};
"""


def test_enter_opens_nothing_of_the_answer_before(page: Page) -> None:
    page.add_init_script(_SLOW_BODY)
    page.goto("/~home")
    page.keyboard.press("Control+k")
    page.keyboard.type("j")
    expect(page.locator("#palette").get_by_role("option")).to_have_count(3)
    page.evaluate("""() => {
        document.querySelector("#palette [role=option]").setAttribute("href", "/of-before");
        document.addEventListener("click", event => {
            event.preventDefault();
            window.opened = event.target.closest("a").getAttribute("href");
        }, true);
    }""")
    page.keyboard.type("o")
    page.wait_for_timeout(200)  # the answer has begun to come, and cannot be read yet
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.opened")
    assert page.evaluate("window.opened") == "/people/per_jonas"


def test_the_theme_follows_the_system_and_the_switch(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/~home")
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.locator(".person-button:visible").click()
    page.locator("[data-theme=dark]:visible").click()
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "dark")


def inbox(page: Page) -> None:
    page.goto("/~approvals")
    page.locator("[data-island=inbox][data-mounted=yes]").wait_for()


def posts(page: Page, key: str, path: str) -> None:
    """The key sends a form at once; the inbox comes again."""
    with page.expect_navigation(url=f"**{path}"):  # to its end: the next page is not asked for in the middle of it
        page.keyboard.press(key)
    inbox(page)


def test_a_decision_is_posted_at_once(page: Page, server: SampleServer) -> None:
    inbox(page)
    posts(page, "a", "/approvals/req_a")
    page.keyboard.press("j")
    posts(page, "d", "/approvals/req_b")
    (_, approved), (_, denied) = server.posted
    assert "decision=approve" in approved
    assert "csrf=c5rf" in approved
    assert "digest=" in approved
    assert "decision=deny" in denied


def test_undo_is_offered_for_as_long_as_the_server_says(page: Page, server: SampleServer) -> None:
    stands_still(page)
    inbox(page)
    offer = page.get_by_text("Approved: Mara Stein, web-1 as deploy")
    page.clock.run_for(6_900)
    expect(offer).to_be_visible()
    page.clock.run_for(200)
    expect(offer).to_have_count(0)
    page.keyboard.press("u")
    inbox(page)
    posts(page, "u", "/approvals/req_u/undo")
    assert [path for path, _ in server.posted] == ["/approvals/req_u/undo"]


def test_letters_typed_into_a_field_decide_nothing(page: Page, server: SampleServer) -> None:
    inbox(page)
    page.get_by_placeholder("Comment").first.fill("")
    page.keyboard.type("a sad day")
    expect(page.locator("details[data-item]:visible")).to_have_count(3)
    assert server.posted == []


def test_the_matrix_tells_the_cell_by_pointer_and_by_keyboard(page: Page) -> None:
    page.goto("/~roles")
    page.locator("[data-island=matrix][data-mounted=yes]").wait_for()
    cell = page.get_by_role("link", name=re.compile("^Build keeper → build-1"))
    cell.hover()
    expect(page.locator("[data-readout]")).to_contain_text("But: nobody used it.")
    page.mouse.move(0, 0)
    expect(page.locator("[data-readout]")).to_contain_text("Point at a square")
    cell.focus()
    expect(page.locator("[data-readout]")).to_contain_text("Build keeper → build-1: shell as deploy, standing")


def test_the_player_plays_in_a_frame_that_reaches_nothing(page: Page, said: list[str]) -> None:
    page.goto("/~session")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".ap-player")).to_be_visible()
    page.get_by_role("button", name=re.compile("reindex index")).click()
    expect(page.locator(".event button.is-now")).to_contain_text("reindex index")
    expect(frame.locator(".ap-term")).to_be_visible()
    inside = next(one for one in page.frames if one.url.endswith("/player"))
    assert inside.evaluate("origin") == "null"
    assert inside.evaluate("fetch('/find').then(() => 'reached', () => 'refused')") == "refused"
    assert "violates the following Content Security Policy" in " ".join(said)
    said.clear()
    assert inside.evaluate("(() => { try { return parent.document.title } catch { return 'refused' } })()") == "refused"


def test_ending_a_session_says_what_ends_and_asks_why(page: Page, server: SampleServer) -> None:
    page.goto("/~session-live")
    page.get_by_role("button", name="End session").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Ends 1 live session of Jonas Lindqvist")
    dialog.get_by_role("button", name="End session").click()
    assert server.posted == []
    dialog.get_by_label("Reason").fill("wrong server")
    with page.expect_navigation(url="**/sessions/ses_3/kill"):  # to its end: no page is closed in the middle of it
        dialog.get_by_role("button", name="End session").click()
    assert [path for path, _ in server.posted] == ["/sessions/ses_3/kill"]


def test_what_asks_for_a_factor_first_is_whole_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/~approvals-proposals")
    page.locator("details.letter > summary", has_text="SCIM token Okta").click()
    button = page.get_by_role("button", name="Show your factor, then approve")
    expect(button).to_be_visible()
    assert button.evaluate("each => each.scrollWidth <= each.clientWidth")
    text = button.evaluate(
        "each => { const range = document.createRange(); range.selectNodeContents(each);"
        " const inner = range.getBoundingClientRect(), outer = each.getBoundingClientRect();"
        " return [inner.left - outer.left, outer.right - inner.right, outer.left, outer.right] }"
    )
    assert text[0] >= 0, text
    assert text[1] >= 0, text
    assert text[2] >= 0, text
    assert text[3] <= 390, text


@pytest.mark.parametrize("name", ["home-admin", "approvals", "propose"])
def test_the_pages_open_from_the_menu_of_a_phone(page: Page, name: str) -> None:
    """Also where an island shares code with the frame's script: nothing is done twice, and so undone."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/~{name}")
    expect(page.locator("[data-island]:not([data-mounted=yes])")).to_have_count(0)
    expect(page.get_by_role("link", name="Ledger", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Pages").click()
    expect(page.get_by_role("link", name="Ledger", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("name", "address"), [("sessions", "/sessions"), ("people", "/people"), ("requests", "/requests"), ("home", "/")]
)
def test_a_list_filters_itself_while_typing_and_the_address_says_so(page: Page, name: str, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if f"{address}?" in request.url else None)
    page.goto(f"/~{name}")
    page.keyboard.press("/")
    page.keyboard.type("lena", delay=80)
    page.wait_for_url(re.compile(r"[?&]q=lena(&|$)"))
    assert asked[-1].count("q=lena") == 1


@pytest.mark.parametrize("sample", ["people", "requests", "resources", "sessions"])
def test_on_a_telephone_each_value_says_of_what_it_is(page: Page, sample: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/~{sample}")
    told = page.evaluate(
        """[...document.querySelectorAll(".compact tbody td")].map(cell => [
            cell.cellIndex, cell.dataset.label, cell.classList.contains("says-itself"),
            getComputedStyle(cell, "::before").content, cell.innerText.trim()])"""
    )
    assert told
    for index, label, says_itself, before, text in told:
        assert before == ("none" if index == 0 or says_itself else f'"{label} "'), text
    silent = {text.lower() for _, _, says_itself, _, text in told if says_itself}
    assert not silent & {"none", "none yet", "never"}


@pytest.mark.parametrize("sample", ["people", "requests", "resources", "sessions"])
def test_a_page_of_a_list_is_not_endless_on_a_telephone(page: Page, sample: str) -> None:
    """A page of 25 rows, of those that the sample has again and again."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/~{sample}")
    tall = page.evaluate(
        """rows => {
            const body = document.querySelector(".compact tbody"), given = [...body.rows];
            body.replaceChildren(...Array.from({length: rows}, (_, at) => given[at % given.length].cloneNode(true)));
            return document.documentElement.scrollHeight;
        }""",
        SIZE,
    )
    assert tall <= 5_000


def test_no_label_of_a_lane_is_cut(page: Page) -> None:
    page.goto("/~person")
    room = page.evaluate(
        """[...document.querySelectorAll("text.lane-label")].map(each => each.closest("svg").querySelector("rect")
        .getBoundingClientRect().right - each.getBoundingClientRect().right)"""
    )
    assert room
    assert min(room) >= 0


def test_the_text_has_numbered_lines_and_each_problem_stands_at_its_own(page: Page) -> None:
    page.goto("/~propose")
    lines = page.locator(".editor-lines span")
    text = page.locator("#text")
    expect(lines).to_have_count(len(text.input_value().split("\n")))
    problems = page.locator("[data-problem]")
    for index in range(problems.count()):
        one = problems.nth(index)
        line, column = int(one.get_attribute("data-line") or 0), int(one.get_attribute("data-column") or 0)
        marked = lines.nth(line - 1)
        expect(marked).to_have_class("is-wrong")
        expect(marked.locator("em")).to_contain_text(one.get_attribute("data-problem") or "?")
        one.click()
        before = "\n".join(text.input_value().split("\n")[: line - 1])
        assert text.evaluate("each => each.selectionStart") == len(before) + (line > 1) + column - 1
        # the mark is drawn where the line is
        tops = page.evaluate(
            """line => {
                const text = document.querySelector("#text");
                const mark = document.querySelectorAll(".editor-lines span")[line - 1];
                const style = getComputedStyle(text);
                const top = text.getBoundingClientRect().top + parseFloat(style.borderTopWidth)
                    + parseFloat(style.paddingTop) + (line - 1) * parseFloat(style.lineHeight) - text.scrollTop;
                return [top, mark.getBoundingClientRect().top];
            }""",
            line,
        )
        assert abs(tops[0] - tops[1]) < 2
    assert problems.count()
    text.press("Control+Home")
    text.press("Enter")
    expect(page.locator(".is-wrong"), "what was edited since is not judged").to_have_count(0)


def waits(page: Page, number: int) -> None:
    """The number stands in the side bar and in the title."""
    expect(page.locator("[data-waiting]")).to_have_text(str(number or ""))
    expect(page).to_have_title(f"({number}) Approvals · OnePAM" if number else "Approvals · OnePAM")


def stands_still(page: Page) -> None:
    """Time passes as the test says, however long the machine takes."""
    page.clock.install(time=moment(NOW))
    page.clock.pause_at(moment(later(NOW, SECOND)))


def test_how_much_waits_changes_in_the_open_page(page: Page, server: SampleServer) -> None:
    stands_still(page)
    inbox(page)
    waits(page, 3)
    news = page.get_by_text("What waits for you has changed.")
    server.waiting = 4
    page.clock.run_for(19_000)
    waits(page, 3)
    expect(news).to_be_hidden()
    page.clock.run_for(2_000)
    waits(page, 4)
    expect(news).to_be_visible()
    changes = page.locator("[data-changes]")
    expect(changes).to_have_text("2")
    server.waiting = 0
    page.clock.run_for(21_000)
    waits(page, 0)
    expect(changes).to_have_text("")


def test_nobody_who_does_not_look_asks_how_much_waits(page: Page, server: SampleServer) -> None:
    stands_still(page)
    inbox(page)
    server.waiting, server.asked = 4, 0
    look = """hidden => {
        Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(look, True)
    page.clock.run_for(120_000)
    waits(page, 3)
    assert server.asked == 0
    page.evaluate(look, False)
    waits(page, 4)
    assert server.asked == 1


def test_a_server_without_an_answer_is_asked_less_often_and_after_the_sign_in_not_at_all(
    page: Page, server: SampleServer, said: list[str]
) -> None:
    stands_still(page)
    inbox(page)
    server.waiting, server.asked = None, 0
    for asked, seconds in enumerate((20, 40, 80, 160), 1):
        with page.expect_response("**/waiting") as answer:
            page.clock.run_for(seconds * 1_000 + 500)
        assert answer.value.status == 503
        page.evaluate("() => new Promise(done => queueMicrotask(done))")
        assert server.asked == asked
    server.ended = True
    with page.expect_response("**/waiting") as answer:
        page.clock.run_for(321_000)
    assert answer.value.status == 401
    page.clock.run_for(3_600_000)
    assert server.asked == 5
    waits(page, 3)
    said.clear()
