"""The query page in a real browser, with a real PostgreSQL behind the gateway."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask
from onepam.domain.access.model import ConsoleRight, MfaRule
from onepam.domain.people.events import PersonDisabled
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import KillOrdered, SessionClosed, SessionOpened
from onepam.recording.statements import Finished, Outcome
from tests.console.hands import Hands
from tests.console.querying import SECONDS, Querying, Somebody, none_open, querying, ran, run, sleeps
from tests.gateway_fixture import STANDING
from tests.protocols.ways import TARGET


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Querying]:
    with querying(tmp_path_factory.mktemp("querying")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=SECONDS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def eve(way: Querying) -> Somebody:
    return way.somebody()


@pytest.fixture
def at(way: Querying, browser: Browser) -> Iterator[Callable[[Somebody], Page]]:
    """A page of somebody's, in a browser of its own; left at the end, with all sessions that it opened."""
    opened: list[Page] = []

    def there(somebody: Somebody, **options: object) -> Page:
        opened.append(way.page(browser, somebody, **options))
        return opened[-1]

    yield there
    for page in opened:
        page.context.close()


def test_results(way: Querying, eve: Somebody, at: Callable[..., Page]) -> None:
    """Of several statements each its own; markup in values is text, NULL is told from an empty text; and all of it is
    one session, made by a token that no page ever had."""
    page = at(eve)
    answers: list[Response] = []

    def heard(answer: Response) -> None:
        answers.append(answer)

    page.on("response", heard)
    html = '<img src=x onerror="document.title=1">'
    run(
        page, f"SELECT 1 AS one, NULL AS nothing, '' AS empty, '{html}' AS html; CREATE TEMP TABLE t (a int);\nSELECT 2"
    )
    cards = page.locator(".query-result")
    expect(cards).to_have_count(3)
    expect(cards.nth(0).locator("td")).to_have_text(["1", "NULL", "", html])
    expect(cards.nth(0).locator("td").nth(0)).to_have_class("query-number")
    expect(cards.nth(0).locator("td img")).to_have_count(0)
    expect(cards.nth(1)).to_contain_text("CREATE TABLE")
    expect(cards.nth(2).locator("td")).to_have_text("2")
    expect(cards.nth(0).locator(".query-facts")).to_contain_text(re.compile(r"1 row.*SELECT 1.*m?s"))
    expect(page.locator("[data-query-state]")).to_contain_text("Connected")
    ran(page)
    assert page.title() == f"Query {TARGET} · OnePAM"
    (opened,) = way.way.gateway.events(SessionOpened, eve.person)
    assert (opened.client or "").startswith("OnePAM console, database ")
    assert opened.source == "127.0.0.1"
    assert "opl_" not in page.content()
    kept = {each.url: each.headers.get("cache-control") for each in answers if "/databases/" in each.url}
    assert len(kept) == 2
    assert set(kept.values()) == {"no-store"}
    with page.expect_download() as download:
        cards.nth(0).get_by_role("button", name="CSV").click()
    sheet = Path(download.value.path()).read_text("utf-8-sig")
    quoted = html.replace('"', '""')
    assert sheet == f'"one","nothing","empty","html"\n"1",,"","{quoted}"\n'
    page.goto("/")  # the page is left: a beacon ends the session
    (closed,) = way.does(way.way.gateway.ended(eve.person))
    assert isinstance(closed, SessionClosed)
    assert closed.because is SessionEnd.CLIENT_LEFT


def test_what_is_wrong(way: Querying, eve: Somebody, at: Callable[..., Page]) -> None:
    """Its code, its words, where; what is behind it does not run; a transaction that fails is told from one that does
    not; a notice of the server's stands above."""
    page = at(eve)
    run(page, "BEGIN;\nSELECT 'ä',\n  nothing FROM pg_class;\nSELECT 1")
    card = page.locator(".query-result").last
    expect(card.get_by_role("alert")).to_contain_text("42703")
    expect(card.locator(".query-place")).to_have_text("Line 3, column 3: nothing FROM pg_class;")
    expect(card.locator("mark")).to_have_text("n")
    expect(card).to_contain_text("1 statement behind it was not run")
    expect(page.locator("[data-query-state]")).to_contain_text("In a failed transaction")
    ran(page)
    at_place = page.locator("#query-text").evaluate("each => each.value.slice(each.selectionStart)")
    assert at_place.startswith("nothing FROM")
    lured = f"{way.address}/confirm/cnf_0"
    run(page, f"ROLLBACK; BEGIN; DO $$ BEGIN RAISE NOTICE 'told; and not split: {lured}'; END $$")
    expect(page.locator(".query-notice")).to_contain_text(f"told; and not split: {lured}")
    expect(page.locator(".query-notice a")).to_have_count(0)  # a database asks nobody to confirm
    expect(page.locator("[data-query-state]")).to_contain_text("In a transaction")
    run(page, "COPY pg_class FROM STDIN; SELECT 1")
    expect(page.locator(".query-result").get_by_role("alert")).to_contain_text(re.compile("42501|57014"))
    ran(page)


def test_cancel(way: Querying, eve: Somebody, at: Callable[..., Page]) -> None:
    """The server stops what runs, nothing behind it runs, and the connection goes on."""
    page = at(eve)
    run(page, "SELECT 'cancelled', pg_sleep(600); SELECT 'behind'")
    sleeps(way, "cancelled", True)
    expect(page.locator("[data-query-running]")).to_have_attribute("aria-live", "off")  # nobody hears each second
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".query-result").get_by_role("alert")).to_contain_text("57014")
    ran(page)
    expect(page.locator(".query-result")).to_have_count(1)
    run(page, "SELECT 'goes on'")
    expect(page.locator(".query-rows td")).to_have_text("goes on")


def test_a_page_that_is_closed_while_something_runs(way: Querying, at: Callable[..., Page]) -> None:
    """The server stops that, also where the browser says no word."""
    who = way.somebody()
    page = at(who)
    run(page, "SELECT 'left', pg_sleep(600)")
    sleeps(way, "left", True)
    page.evaluate("navigator.sendBeacon = () => true")
    page.context.close()
    (closed,) = way.does(way.way.gateway.ended(who.person))
    assert isinstance(closed, SessionClosed)
    assert closed.because is SessionEnd.CLIENT_LEFT
    sleeps(way, "left", False)
    assert way.does(none_open(way, who)) == []


def test_endless_rows_and_wide_values(eve: Somebody, at: Callable[..., Page]) -> None:
    """So many are fetched as are shown, and what changes something is done whole."""
    page = at(eve)
    run(page, "SELECT generate_series(1, 1000000000), repeat('ä', 20000)")
    expect(page.locator(".query-more")).to_contain_text("More rows were not fetched")
    expect(page.locator(".query-rows tbody tr")).to_have_count(500)
    cell = page.locator(".query-rows tbody tr").first.locator("td").nth(1)
    cell.locator("summary").click()
    expect(cell.locator("pre")).to_have_text(re.compile("^ä{2048}$"))
    expect(cell).to_contain_text("35.9 kB more were not kept")
    made = "CREATE TEMP TABLE t AS SELECT generate_series(1, 3000) i"
    run(page, f"{made}; UPDATE t SET i = 0 RETURNING i;SELECT sum(i) FROM t")
    expect(page.locator(".query-result").nth(1).locator("tbody tr")).to_have_count(500)
    expect(page.locator(".query-result").nth(2).locator("td")).to_have_text("0")


@pytest.mark.parametrize("because", [SessionEnd.KILLED, SessionEnd.PERSON_DISABLED])
def test_access_that_is_taken_while_something_runs(way: Querying, at: Callable[..., Page], because: SessionEnd) -> None:
    who = way.somebody()
    page = at(who)
    run(page, "SELECT pg_sleep(600)")
    expect(page.locator("[data-query-state]")).to_contain_text("Connected")
    (opened,) = way.way.gateway.events(SessionOpened, who.person)
    killed, gone = KillOrdered(opened.session, "per_ada"), PersonDisabled(who.person.id, "per_ada", "left")
    way.does(way.way.gateway.record(killed if because is SessionEnd.KILLED else gone))
    expect(page.locator("[data-query-over]")).to_contain_text(because.told)
    ran(page)
    (closed,) = way.does(way.way.gateway.ended(who.person))
    assert isinstance(closed, SessionClosed)
    assert closed.because is because
    run(page, "SELECT 'again'")
    if because is SessionEnd.KILLED:
        expect(page.locator(".query-rows td")).to_have_text("again")
    else:
        expect(page.locator("[data-query-over]")).to_contain_text("Your sign-in has ended")


def test_guardrails_hold_here(way: Querying, at: Callable[..., Page]) -> None:
    who = way.somebody(replace(STANDING, guardrails=Guardrails((StatementClass.READ,), rows=10)))
    page = at(who)
    run(page, "CREATE TABLE x (a int)")
    expect(page.locator(".query-result").get_by_role("alert")).to_contain_text("42501")
    run(page, "SELECT generate_series(1, 20)")
    expect(page.locator(".query-result").get_by_role("alert")).to_contain_text("54000")
    ran(page)
    (opened,) = way.way.gateway.events(SessionOpened, who.person)
    page.goto("/")
    way.does(way.way.gateway.ended(who.person))
    ends = [each for each in way.way.gateway.recorded(opened.session) if isinstance(each, Finished)]
    assert [each.outcome for each in ends] == [Outcome.REFUSED, Outcome.ERROR]


def test_it_is_asked_by_keyboard_alone(way: Querying, browser: Browser, at: Callable[..., Page]) -> None:
    """From home to a result and its sheet, past a statement that waits until somebody else, by keyboard, too, has said
    yes; a cancel withdraws the next one."""
    max_ = way.somebody(console=(ConsoleRight.APPROVE,))
    guards = Guardrails((StatementClass.READ, StatementClass.OTHER, StatementClass.ASK_WRITE))
    who = way.somebody(replace(STANDING, guardrails=guards, approvers=(max_.person.role,)))
    way.way.server.sql("CREATE TABLE said (word text); GRANT ALL ON said TO public")
    asks, decides = Hands(browser, way.address, who.token), Hands(browser, way.address, max_.token)
    asks.follows(f"Query {TARGET} as {way.login}", "/databases/query*")
    page = asks.page
    page.locator("[data-island=query][data-mounted=yes]").wait_for()
    asks.fills("Database", "postgres")
    asks.fills("Statements", "SELECT 1; INSERT INTO said VALUES ('one') RETURNING word; SELECT 2")
    asks.press("Control+Enter")
    expect(page.locator(".query-notice")).to_contain_text(f"waits for a yes of the role {max_.person.role}")
    expect(page.locator(".query-result")).to_have_count(1)
    decides.finds("Approvals", "/approvals")
    letter = decides.page.locator("details[data-item]", has_text="A statement of")
    decides.moves_on(letter)
    expect(letter.get_by_label("Text of the statement")).to_contain_text("INSERT INTO said VALUES ('one')")
    with decides.page.expect_navigation(url="**/approvals"):
        decides.press("a")
    expect(decides.page.get_by_text("Approved: it runs now, once.")).to_be_visible()
    expect(page.locator(".query-result")).to_have_count(3)
    expect(page.locator(".query-result").nth(1).locator("td")).to_have_text("one")
    ran(page)
    assert asks.seen() == "Statements"
    asks.goes_to("Rows of result 2")
    asks.goes_to("CSV")
    with page.expect_download():
        asks.press("Enter")
    asks.goes_to("Statements", "Shift+Tab")
    asks.press("Control+a")
    asks.types("INSERT INTO said VALUES ('two')")
    asks.goes_to("Run")
    asks.press("Enter")
    expect(page.locator(".query-notice")).to_contain_text("waits for a yes")
    assert asks.seen().startswith("Run")  # what is pressed keeps the focus while it does nothing more
    asks.press("Enter")
    expect(page.locator(".query-notice")).to_have_count(1)
    asks.goes_to("Cancel")
    asks.press("Enter")
    expect(page.locator(".query-result").get_by_role("alert")).to_contain_text("57014")
    ran(page)
    assert asks.seen() == "Statements"  # Cancel had the focus, and is gone
    assert way.way.server.sql("SELECT word FROM said").split() == ["one"]
    for each in (asks, decides):
        each.context.close()


def test_masked_columns_are_masked_here(way: Querying, at: Callable[..., Page]) -> None:
    mask = Mask(("customers.email", "ssn"))
    way.does(way.way.gateway.record(way.way.resource("masked-1", mask=mask)))
    made = "CREATE TABLE customers (id int, email text, ssn int8); GRANT ALL ON customers TO public;"
    way.way.server.sql(made + "INSERT INTO customers VALUES (1, 'joe@example.com', 987654321)")
    page = at(way.somebody())
    page.goto(f"/databases/query?resource=masked-1&login={way.login}&database=postgres")
    run(page, "SELECT * FROM customers; SELECT upper(email) FROM customers; SELECT 1")
    expect(page.locator(".query-result").nth(0).locator("td")).to_have_text(["1", "[masked]", "NULL"])
    expect(page.locator(".query-result").nth(1).get_by_role("alert")).to_contain_text("42501")
    ran(page)
    assert "joe" not in page.content()
    run(page, "INSERT INTO customers VALUES (2, 'ann@example.com') RETURNING email; SELECT count(*) FROM customers")
    expect(page.locator(".query-rows td")).to_have_text(["[masked]", "2"])


def test_who_must_confirm_is_asked_on_the_page(way: Querying, at: Callable[..., Page]) -> None:
    """The same code as in a terminal, and the way to where it is typed."""
    who, gateway = way.somebody(), way.way.gateway
    way.does(gateway.record(way.way.resource("fresh-1", mfa=MfaRule(None, fresh=True))))
    page = at(who)
    page.goto(f"/databases/query?resource=fresh-1&login={way.login}&database=postgres")
    run(page, "SELECT 'first'")
    expect(page.locator(".query-rows td")).to_have_text("first")
    page.reload()
    run(page, "SELECT 'second'")
    notice = page.locator(".query-notice")
    code = re.search(r"code there:\s+(\S+)", notice.text_content() or "")
    assert code is not None
    with page.context.expect_page() as opened:
        notice.get_by_role("link", name="Confirm").click()
    assert opened.value.url.startswith(f"{way.address}/confirm/cnf_")
    opened.value.close()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-query-over]")).not_to_be_empty()
    assert len(gateway.events(SessionOpened, who.person)) == 1


def test_a_database_that_is_not_there(way: Querying, eve: Somebody, at: Callable[..., Page]) -> None:
    page = at(eve)
    page.get_by_label("Database").fill("nowhere")
    run(page, "SELECT 1")
    expect(page.locator("[data-query-over]")).to_contain_text('database "nowhere" does not exist')
    expect(page.locator("[data-query-running]")).to_be_empty()
    page.get_by_label("Database").fill("postgres")
    run(page, "SELECT 1")
    expect(page.locator(".query-rows td")).to_have_text("1")


@pytest.mark.parametrize("name", ["OnePAM console", "onepam  CONSOLE", "\uff2fnePAM console 2"])
def test_no_client_passes_for_a_page(way: Querying, eve: Somebody, name: str) -> None:
    gateway = way.way.gateway
    who = way.does(gateway.person(certificate=False))
    words = f"{way.way.words(way.does(way.way.token(who)))} application_name='{name}'"
    way.does(gateway.run("psql", "-X", "-c", "SELECT 1", words))
    (opened,) = gateway.events(SessionOpened, who)
    assert opened.client == f'client that says "{name}", database postgres'


def test_two_pages_are_two_sessions_and_a_fifth_is_too_many(way: Querying, at: Callable[..., Page]) -> None:
    who = way.somebody()
    pages = [at(who) for _ in range(5)]
    for page in pages[:4]:
        run(page, "SELECT pg_backend_pid()")
        expect(page.locator(".query-rows td")).to_have_count(1)
    run(pages[4], "SELECT 1")
    expect(pages[4].locator("[data-query-over]")).to_contain_text("4 query pages of yours are open")
    assert len({page.locator(".query-rows td").text_content() for page in pages[:4]}) == 4
    pages[0].goto("/")
    way.does(way.way.gateway.ended(who.person))
    run(pages[4], "SELECT 1")
    expect(pages[4].locator(".query-rows td")).to_have_text("1")


def test_without_script_and_on_a_phone(way: Querying, at: Callable[..., Page]) -> None:
    who = way.somebody()
    page = at(who, java_script_enabled=False, viewport={"width": 390, "height": 800})
    page.locator("#query-text").fill("SELECT 'no script';\n\nSELECT\n  nothing")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".query-rows td")).to_have_text("no script")
    expect(page.locator(".query-place")).to_contain_text("Line 4, column 3")
    expect(page.locator("#query-text")).to_have_value("SELECT 'no script';\n\nSELECT\n  nothing")
    (closed,) = way.does(way.way.gateway.ended(who.person))
    assert isinstance(closed, SessionClosed)


def test_what_is_not_the_pages_own_is_refused(way: Querying, at: Callable[..., Page]) -> None:
    """Without the token of its forms; another's page, also under another sign-in of the same person; a database that is
    not open to the reader."""
    who, other = way.somebody(), way.somebody()
    page, stranger = at(who), at(other)
    run(page, "SELECT 1")
    ran(page)
    (query,) = [each.ident for each in way.way.gateway.platform.queries._pages.values() if each.person == who.person.id]
    post = """async ([path, token]) => {
        const sent = await fetch(path, {method: "POST", body: JSON.stringify({text: "SELECT 'mine'"}),
            headers: {"content-type": "application/json", "x-csrf-token": token}});
        return [sent.status, await sent.text()];
    }"""
    path = f"/databases/queries/{query}/run"
    csrf = "document.querySelector('[data-island=query]').dataset.csrf"
    status, text = page.evaluate(post, [path, "0" * 64])
    assert status == 403
    assert "mine" not in text
    status, text = stranger.evaluate(post, [path, stranger.evaluate(csrf)])
    assert "This connection has ended" in text
    assert "mine" not in text
    assert "mine" in page.evaluate(post, [path, page.evaluate(csrf)])[1]
    way.does(way.way.gateway.record(way.way.resource("elsewhere", labels={"env": "test"})))
    connect = f"""async token => {{
        const sent = await fetch("/databases/queries", {{method: "POST",
            body: JSON.stringify({{resource: "elsewhere", login: "{way.login}"}}),
            headers: {{"content-type": "application/json", "x-csrf-token": token}}}});
        return await sent.text();
    }}"""
    assert set(json.loads(stranger.evaluate(connect, stranger.evaluate(csrf)))) == {"refused", "hint"}
    for named in ("resource=elsewhere&", ""):
        stranger.goto(f"/databases/query?{named}login={way.login}")
        expect(stranger.locator("h1")).to_have_text("Here is no database that is open to you under this login.")
    assert way.way.gateway.events(SessionOpened, other.person) == []


def test_no_address_brings_a_statement(way: Querying, eve: Somebody, at: Callable[..., Page]) -> None:
    """Else whoever sends a link would have somebody run what they did not write."""
    page = at(eve)
    page.goto(f"{page.url}&text=DROP+TABLE+t")
    expect(page.locator("#query-text")).to_have_value("")


def test_a_gateway_that_is_stopped_says_so_to_who_waits(way: Querying, at: Callable[..., Page]) -> None:
    """The last of this file: with it the gateway has ended."""
    who = way.somebody()
    page = at(who)
    run(page, "SELECT pg_sleep(600)")
    expect(page.locator("[data-query-state]")).to_contain_text("Connected")
    way.stop()
    expect(page.locator("[data-query-over]")).to_contain_text(SessionEnd.GATEWAY_STOPPED.told)
    (opened,) = way.way.gateway.events(SessionOpened, who.person)
    (closed,) = [each for each in way.way.gateway.events(SessionClosed) if each.session == opened.session]
    assert closed.because is SessionEnd.GATEWAY_STOPPED
