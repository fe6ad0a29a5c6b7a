"""What five people do most, each by keyboard alone in a real browser: at every stop the focus is seen, none keeps it.

A task begins at the page that its person lands on and ends with what the product says was done. Whose five each is
stands in `test_tasks.py`; those at a database's own page are in `test_query.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from onepam.app.providers.propose_provider import propose_provider
from onepam.domain.access.model import Action
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderRule
from onepam.domain.providers.setting import Provider
from tests.company import DEV, binding, database_set, record, role_set
from tests.console.hands import DESK, Hands, View
from tests.console.living import Living, living
from tests.console.test_confirming import CODE, asked
from tests.console.test_pages_admin import ACCESS
from tests.console.test_statements import WORK

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB7d0Vfz8Wf0o0Hjq6x3x0P3yq7h0rC1pQ2m9a4Zt1kN eve@laptop"
READS = replace(DEV, name="reads", actions=(Action.QUERY,), where={"env": "data"})


ELSEWHERE = (View(390, 844, "light"), View(1440, 900, "dark"), View(390, 844, "dark"))
"""Every task there, too, in `make conformance`."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(DESK, id="desk"),
        *(pytest.param(view, id=f"{view.width}-{view.scheme}", marks=pytest.mark.conformance) for view in ELSEWHERE),
    ],
)
def view(request: pytest.FixtureRequest) -> View:
    """The window at which a task is done."""
    found: View = request.param
    return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, view: View) -> Iterator[Living]:
    """With a database that eve reaches; each window has its own, for what is done is done once."""
    with living(tmp_path_factory.mktemp("office")) as served:
        orders = (database_set("orders", {"env": "data"}), role_set("reader", (READS,)), binding("eve", "reader"))
        served.does(record(served.office.company.ledger, *orders))
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def hands(browser: Browser, office: Living, view: View) -> Iterator[Callable[[str], Hands]]:
    """Somebody at a window of their own, from whose home page a task begins."""
    opened: list[Hands] = []

    def somebody(person: str) -> Hands:
        opened.append(office.hands(browser, person, view))
        return opened[-1]

    yield somebody
    for each in opened:
        each.context.close()


def asks(office: Living, login: str, resource: str = "web-1") -> str:
    """eve's request of a login, which waits."""
    return office.does(office.office.company.ask("eve", resource, login, reason=f"look at {login}")).request


class TestEngineer:
    def test_finds_a_resource_and_copies_its_command(self, hands: Callable[[str], Hands]) -> None:
        eve = hands("eve")
        eve.press("/")
        eve.types("dev-1")
        eve.page.wait_for_url("**q=dev-1*")
        assert eve.copies() == "ssh -p 2222 app@dev-1@gate.example.org"

    def test_asks_for_access_and_sees_the_request(self, hands: Callable[[str], Hands]) -> None:
        eve = hands("eve")
        eve.press("/")
        eve.types("web-2")
        eve.page.wait_for_url("**q=web-2*")
        eve.fills("Reason", "the disk is full")
        eve.follows("Ask for access", "/requests/req_*")
        expect(eve.page.get_by_text("Asked.")).to_be_visible()
        eve.finds("My access", "/")
        eve.follows("web-2 as app", "/requests/req_*")
        expect(eve.page.get_by_text("the disk is full").first).to_be_visible()

    def test_confirms_the_terminal_that_waits(self, hands: Callable[[str], Hands], office: Living) -> None:
        eve = hands("eve")
        where = office.does(asked(office.office, "cnf_1"))
        eve.page.reload()
        eve.follows("A terminal at 192.0.2.1 waits for you", where)
        eve.fills("Code in your terminal", CODE)
        eve.press("Enter")
        expect(eve.page.get_by_role("heading", name="Confirmed")).to_be_visible()

    def test_gets_a_token_for_a_database(self, hands: Callable[[str], Hands]) -> None:
        eve = hands("eve")
        eve.press("/")
        eve.types("orders")
        eve.page.wait_for_url("**q=orders*")
        eve.follows("Get a token", "/databases/token")
        assert eve.copies().startswith("opl_")
        lines = [eve.copies() for _ in range(2)]
        assert lines[0].startswith("curl ")
        assert lines[1].startswith("psql ")

    def test_ends_a_session_of_their_own(self, hands: Callable[[str], Hands], office: Living) -> None:
        eve = hands("eve")
        ident = office.does(office.office.session("eve", "dev-1", "app", close=False))
        eve.page.reload()
        eve.follows("dev-1 as app", f"/sessions/{ident}")
        eve.ends("wrong server")

    def test_adds_a_key(self, hands: Callable[[str], Hands]) -> None:
        eve = hands("eve")
        eve.finds("My factors", "/factors")
        eve.fills("Public key", KEY)
        eve.goes_to("Add key")
        with eve.page.expect_navigation():
            eve.press("Enter")
        expect(eve.page.get_by_text("eve@laptop").first).to_be_visible()


class TestApprover:
    def test_reads_approves_and_undoes(self, hands: Callable[[str], Hands], office: Living) -> None:
        asks(office, "app")
        max_ = hands("max")
        max_.finds("Approvals", "/approvals")
        letter = max_.page.locator("details[data-item]", has_text="look at app").first
        max_.moves_on(letter)
        expect(letter.get_by_text("Why this may be asked")).to_be_visible()
        with max_.page.expect_navigation(url="**/approvals"):
            max_.press("a")
        offered = max_.page.get_by_role("button", name="Undo")
        expect(offered).to_be_visible()
        with max_.page.expect_navigation(url="**/approvals"):
            max_.press("u")
        expect(max_.page.get_by_text("Undone.")).to_be_visible()
        expect(letter).to_have_count(1)

    def test_denies_with_words(self, hands: Callable[[str], Hands], office: Living) -> None:
        asks(office, "root")
        max_ = hands("max")
        max_.finds("Approvals", "/approvals")
        max_.moves_on(max_.page.locator("details[data-item]", has_text="look at root").first)
        max_.fills("Reason", "ask again with a ticket")
        max_.follows("Deny", "/approvals")
        expect(max_.page.get_by_text("Denied.")).to_be_visible()

    def test_finds_one_of_many_that_wait(self, hands: Callable[[str], Hands], office: Living) -> None:
        company = office.office.company
        for person in ("tom", "ann"):
            office.does(company.join(person, "engineer"))
            for resource in ("web-1", "web-2"):
                for login in ("app", "root"):
                    office.does(company.ask(person, resource, login, reason=f"{person}'s own"))
        max_ = hands("max")
        max_.finds("Approvals", "/approvals")
        max_.press("/")
        max_.types("ann@example.com")
        with max_.page.expect_navigation(url="**q=ann*"):
            max_.press("Enter")
        letters = max_.page.locator("details[data-item]")
        expect(letters).to_have_count(4)
        max_.moves_on(letters.nth(3))
        with max_.page.expect_navigation():
            max_.press("d")
        expect(max_.page.get_by_text("Denied.")).to_be_visible()

    def test_ends_what_was_approved(self, hands: Callable[[str], Hands], office: Living) -> None:
        made = office.does(office.office.company.ask("eve", "web-2", "root"))
        office.does(office.office.company.approve("max", made))
        max_ = hands("max")
        max_.finds("Approvals", "/approvals")
        max_.follows("Eve Example web-2 as root", f"/requests/{made.request}")
        max_.ends("it was the wrong server", "End access", "Ended; its sessions are being cut.")


class TestAdministrator:
    def test_adds_a_person_and_takes_their_link(self, hands: Callable[[str], Hands]) -> None:
        bob = hands("bob")
        bob.finds("People", "/people")
        bob.opens("Add person")
        assert bob.seen() == "Name"
        bob.types("Nia Novak")
        bob.fills("E-mail", "nia@example.com")
        bob.follows("Add and make a link", "/people*")
        expect(bob.page.get_by_role("heading", name="Nia Novak", level=1)).to_be_visible()
        assert "/enrol/enr_" in bob.copies()

    def test_finds_a_person_and_locks_them(self, hands: Callable[[str], Hands], office: Living) -> None:
        office.does(office.office.company.join("pat", "engineer"))
        bob = hands("bob")
        bob.finds("pat@", "/people/pat")
        bob.locks("lost their laptop")

    def test_proposes_a_change(self, hands: Callable[[str], Hands]) -> None:
        bob = hands("bob")
        bob.finds("Changes", "/changes")
        bob.follows("Propose a change", "/changes/new")
        for text in ("roles: nonsense", ACCESS):
            bob.goes_to("access.yaml")
            bob.press("Control+a")
            bob.page.keyboard.insert_text(text)
            bob.goes_to("See what it changes")
            with bob.page.expect_navigation():
                bob.press("Enter")
            if text != ACCESS:
                expect(bob.page.get_by_text("nothing of it takes effect").first).to_be_visible()
                bob.goes_to("Line ")
                bob.press("Enter")
                assert bob.seen() == "access.yaml"
                bob.press("Shift+Tab")
        bob.fills("Title", "Plainer words")
        bob.fills("Reason", "nobody knew what it meant")
        bob.follows("Propose it to another administrator", "/changes/chg_*")
        expect(bob.page.get_by_role("heading", name="Plainer words")).to_be_visible()

    def test_approves_a_provider(self, hands: Callable[[str], Hands], office: Living) -> None:
        company = office.office.company
        okta = Provider(
            "chg_7", "idp_7", ProviderKind.OIDC, "Okta", '{"issuer":"https://o.example"}', ProviderRule(), None
        )
        office.does(company.sign_in("ada"))
        assert office.does(propose_provider(company.ledger, company.actor("ada"), okta, None)) is None
        bob = hands("bob")
        bob.finds("Approvals", "/approvals")
        bob.moves_on(bob.page.locator("details[data-item]", has_text="Okta").first)
        bob.goes_to("Approve")
        with bob.page.expect_navigation():
            bob.press("Enter")
        expect(bob.page.get_by_text("Approved, and in force.")).to_be_visible()

    def test_looks_at_health(self, hands: Callable[[str], Hands]) -> None:
        bob = hands("bob")
        expect(bob.page.get_by_role("heading", name="Health")).to_be_visible()
        bob.follows("Ledger", "/ledger")
        expect(bob.page.locator(".verdict-words")).to_be_visible()


class TestSecurity:
    """ada, who watches and administers."""

    def test_sees_what_is_live_and_ends_it(self, hands: Callable[[str], Hands], office: Living) -> None:
        hands("eve")
        ident = office.does(office.office.session("eve", "dev-1", "app", close=False))
        ada = hands("ada")
        ada.finds("Sessions", "/sessions")
        ada.goes_to("State")
        ada.types("Live")
        ada.page.wait_for_url("**state=live*")
        expect(ada.page.locator(f'a[href="/sessions/{ident}"]')).to_be_visible()
        for _ in range(10):
            ada.goes_to("dev-1")
            if ada.page.evaluate("document.activeElement.href").endswith(ident):
                break
        with ada.page.expect_navigation(url=f"**/sessions/{ident}"):
            ada.press("Enter")
        ada.ends("nobody knows why")

    def test_opens_a_recording(self, hands: Callable[[str], Hands], office: Living) -> None:
        hands("eve")
        ident = office.does(office.office.session("eve", "dev-1", "app"))
        ada = hands("ada")
        ada.finds(ident, f"/sessions/{ident}")
        ada.plays()

    def test_finds_a_statement(self, hands: Callable[[str], Hands], office: Living) -> None:
        hands("eve")
        ident = office.does(office.office.database_session("eve", *WORK))
        ada = hands("ada")
        ada.finds(ident, f"/sessions/{ident}")
        ada.fills("Words of a statement", "syntax")
        ada.goes_to("Outcome")
        ada.types("Error")
        ada.follows("Filter", "outcome=error")
        expect(ada.page.locator(".statements tbody tr")).to_have_count(1)
        ada.goes_to("Text of the statement")

    def test_looks_up_a_refusal(self, hands: Callable[[str], Hands], office: Living) -> None:
        hands("eve")
        office.does(office.office.company.open("eve", "old-1", "app"))
        ada = hands("ada")
        ada.finds("Sessions", "/sessions")
        ada.goes_to("State")
        ada.types("Refused")
        ada.page.wait_for_url("**state=refused*")
        ada.follows("old-1", "/sessions/*")
        expect(ada.page.get_by_role("heading", level=1)).to_be_visible()

    def test_locks_a_person(self, hands: Callable[[str], Hands], office: Living) -> None:
        office.does(office.office.company.join("kim", "engineer"))
        ada = hands("ada")
        ada.finds("kim@", "/people/kim")
        ada.locks("a leaked password")


class TestAuditor:
    def test_picks_a_period_and_makes_a_pack(self, hands: Callable[[str], Hands]) -> None:
        aud = hands("aud")
        aud.finds("Ledger", "/ledger")
        aud.fills("First day (UTC)", "2026-03-01")
        aud.fills("Last day (UTC)", "2 March 2026")
        aud.follows("Show", "from=2026-03-01*")
        aud.goes_to("Draw a pack")
        with aud.page.expect_navigation():
            aud.press("Enter")
        expect(aud.page.get_by_role("link", name="Download").first).to_be_visible()

    def test_draws_a_sample_and_opens_what_was_drawn(self, hands: Callable[[str], Hands]) -> None:
        aud = hands("aud")
        aud.follows("Draw a sample: Who could reach what", "draw=reach*")
        drawn = aud.page.locator("#sample")
        expect(drawn).to_contain_text("drawn by the seed")
        first = drawn.get_by_role("link").first
        name, path = first.inner_text(), str(first.get_attribute("href"))
        aud.follows(name, path)
        expect(aud.page.get_by_role("heading", name=name, level=1)).to_be_visible()

    def test_opens_an_item_down_to_its_recording(self, hands: Callable[[str], Hands], office: Living) -> None:
        hands("eve")
        ident = office.does(office.office.session("eve", "dev-1", "app"))
        aud = hands("aud")
        aud.finds(ident, f"/sessions/{ident}")
        aud.plays()

    def test_sees_a_page_as_it_was(self, hands: Callable[[str], Hands]) -> None:
        aud = hands("aud")
        aud.finds("People", "/people")
        aud.goes_to("As of")
        aud.press("Enter")
        aud.fills("Show this page as it was", "2026-03-02")
        aud.follows("Show", "as_of=2026-03-02*")
        expect(aud.page.get_by_text("read-only. You see what was so then.")).to_be_visible()

    def test_asks_why_and_takes_the_proof(self, hands: Callable[[str], Hands]) -> None:
        aud = hands("aud")
        aud.finds("eve@", "/people/eve")
        aud.goes_to("Why?")
        aud.press("Enter")
        chain = aud.page.locator("details.why[open] .chain")
        expect(chain).to_contain_text("engineer")
        aud.goes_to("engineer")  # each link of it leads to its object
        aud.press("Escape")
        expect(chain).to_have_count(0)
        assert aud.seen() == "Why?"
        aud.goes_to("Prove")
        aud.press("Enter")
        aud.goes_to("Download proof")
        with aud.page.expect_download() as taken:
            aud.press("Enter")
        assert taken.value.path().stat().st_size


@pytest.mark.parametrize(
    ("person", "paths"),
    [
        ("eve", ("/", "/factors", "/sessions", "/resources/orders")),
        ("ada", ("/", "/approvals", "/people", "/people/eve", "/roles", "/changes/new", "/providers", "/roster")),
        ("ada", ("/requests", "/provisioning", "/signals", "/exceptions", "/notices", "/providers/new")),
        ("aud", ("/", "/ledger", "/leavers", "/second-factors", "/resources/web-1", "/ledger/checkpoint")),
    ],
)
def test_no_page_keeps_the_focus(hands: Callable[[str], Hands], person: str, paths: tuple[str, ...]) -> None:
    somebody = hands(person)
    for path in paths:
        somebody.page.goto(path)
        stops = somebody.goes_round()
        assert stops[0] == "Skip to the page", path
        assert len(stops) > 5, path
