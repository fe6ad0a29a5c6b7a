"""What five people do most, each by keyboard alone in a real browser: at every stop the focus is seen, none keeps it.

A task begins at the page that its person lands on and ends with what the product says was done.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from onepam.app.providers.propose_provider import propose_provider
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import ProviderRule
from onepam.domain.providers.setting import Provider
from tests.console.living import Hands, Living, living
from tests.console.test_pages_admin import ACCESS

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB7d0Vfz8Wf0o0Hjq6x3x0P3yq7h0rC1pQ2m9a4Zt1kN eve@laptop"


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
def hands(browser: Browser, office: Living) -> Iterator[Callable[[str], Hands]]:
    """Somebody at a window of their own, from whose home page a task begins."""
    opened: list[Hands] = []

    def somebody(person: str) -> Hands:
        opened.append(Hands(browser, office, person))
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
        eve.goes_to("Copy")
        eve.press("Enter")
        expect(eve.page.get_by_text("Copied")).to_be_visible()
        copied = eve.page.evaluate("navigator.clipboard.readText()")
        assert copied == "ssh -p 2222 app@dev-1@gate.example.org"

    def test_asks_for_access_and_sees_the_request(self, hands: Callable[[str], Hands]) -> None:
        eve = hands("eve")
        eve.press("/")
        eve.types("web-2")
        eve.page.wait_for_url("**q=web-2*")
        eve.goes_to("Reason")
        eve.types("the disk is full")
        eve.goes_to("Ask for access")
        with eve.page.expect_navigation(url="**/requests/req_*"):
            eve.press("Enter")
        expect(eve.page.get_by_text("Asked.")).to_be_visible()
        eve.finds("My access", "/")
        eve.goes_to("web-2 as app")
        with eve.page.expect_navigation(url="**/requests/req_*"):
            eve.press("Enter")
        expect(eve.page.get_by_text("the disk is full").first).to_be_visible()

    def test_ends_a_session_of_their_own(self, hands: Callable[[str], Hands], office: Living) -> None:
        eve = hands("eve")
        ident = office.does(office.office.session("eve", "dev-1", "app", close=False))
        eve.page.reload()
        eve.follows("dev-1 as app", f"/sessions/{ident}")
        ends(eve, "wrong server")

    def test_adds_a_key(self, hands: Callable[[str], Hands]) -> None:
        eve = hands("eve")
        eve.finds("My factors", "/factors")
        eve.goes_to("Public key")
        eve.types(KEY)
        eve.goes_to("Add key")
        with eve.page.expect_navigation():
            eve.press("Enter")
        expect(eve.page.get_by_text("eve@laptop").first).to_be_visible()


def ends(who: Hands, why: str) -> None:
    """Ends the session whose page is open: the dialog takes the focus, keeps it, and gives it back."""
    who.goes_to("End session")
    who.press("Enter")
    dialog = who.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    who.press("Escape")
    expect(dialog).to_be_hidden()
    assert who.seen() == "End session"
    who.press("Enter")
    expect(dialog).to_be_visible()
    who.goes_to("Reason")
    who.types(why)
    who.goes_to("End session")
    with who.page.expect_navigation():
        who.press("Enter")
    expect(who.page.get_by_text("The session is being ended.")).to_be_visible()


class TestApprover:
    def test_reads_approves_and_undoes(self, hands: Callable[[str], Hands], office: Living) -> None:
        asks(office, "app")
        max_ = hands("max")
        max_.finds("Approvals", "/approvals")
        letter = max_.page.locator("details[data-item]", has_text="look at app").first
        until(max_, lambda: letter.get_attribute("open") is not None)
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
        letter = max_.page.locator("details[data-item]", has_text="look at root").first
        until(max_, lambda: letter.get_attribute("open") is not None)
        max_.goes_to("Reason")
        max_.types("ask again with a ticket")
        max_.goes_to("Deny")
        with max_.page.expect_navigation(url="**/approvals"):
            max_.press("Enter")
        expect(max_.page.get_by_text("Denied.")).to_be_visible()


def until(who: Hands, done: Callable[[], bool]) -> None:
    """Moves on by j, from the first to the last of an inbox."""
    who.page.locator("[data-island=inbox][data-mounted=yes]").wait_for()
    for _ in range(20):
        if done():
            return
        who.press("j")
        who.seen()
    raise AssertionError("j does not come to it")


class TestAdministrator:
    def test_finds_a_person_and_locks_them(self, hands: Callable[[str], Hands], office: Living) -> None:
        office.does(office.office.company.join("pat", "engineer"))
        bob = hands("bob")
        bob.finds("pat@", "/people/pat")
        locks(bob, "lost their laptop")

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
        bob.goes_to("Title")
        bob.types("Plainer words")
        bob.goes_to("Reason")
        bob.types("nobody knew what it meant")
        bob.goes_to("Propose it to another administrator")
        with bob.page.expect_navigation(url="**/changes/chg_*"):
            bob.press("Enter")
        expect(bob.page.get_by_role("heading", name="Plainer words")).to_be_visible()

    def test_approves_a_provider(self, hands: Callable[[str], Hands], office: Living) -> None:
        company = office.office.company
        okta = Provider(
            "chg_7", "idp_7", ProviderKind.OIDC, "Okta", '{"issuer":"https://o.example"}', ProviderRule(), None
        )
        assert office.does(propose_provider(company.ledger, company.actor("ada"), okta, None)) is None
        bob = hands("bob")
        bob.finds("Approvals", "/approvals")
        letter = bob.page.locator("details[data-item]", has_text="Okta").first
        until(bob, lambda: letter.get_attribute("open") is not None)
        bob.goes_to("Approve")
        with bob.page.expect_navigation():
            bob.press("Enter")
        expect(bob.page.get_by_text("Approved, and in force.")).to_be_visible()

    def test_looks_at_health(self, hands: Callable[[str], Hands]) -> None:
        bob = hands("bob")
        bob.finds("Ledger", "/ledger")
        expect(bob.page.locator(".verdict-words")).to_be_visible()


def locks(who: Hands, why: str) -> None:
    """Disables the person whose page is open."""
    who.goes_to("Disable")
    who.press("Enter")
    expect(who.page.get_by_role("dialog")).to_be_visible()
    who.goes_to("Reason")
    who.types(why)
    who.goes_to("Disable")
    with who.page.expect_navigation():
        who.press("Enter")
    expect(who.page.get_by_text("Disabled").first).to_be_visible()


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
        ends(ada, "nobody knows why")

    def test_opens_a_recording(self, hands: Callable[[str], Hands], office: Living) -> None:
        hands("eve")
        ident = office.does(office.office.session("eve", "dev-1", "app"))
        ada = hands("ada")
        ada.finds(ident, f"/sessions/{ident}")
        plays(ada)

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
        locks(ada, "a leaked password")


def plays(who: Hands) -> None:
    """Begins the recording at a moment of its timeline, comes into the player's frame by Tab, and out of it again."""
    expect(who.page.frame_locator("iframe").locator(".ap-player")).to_be_visible()
    who.goes_to("0:00")
    who.press("Enter")
    expect(who.page.locator(".event button.is-now")).to_have_count(1)
    who.goes_to("Terminal recording", "Shift+Tab")
    who.goes_to("Skip to the page", "Shift+Tab")


class TestAuditor:
    def test_picks_a_period_and_makes_a_pack(self, hands: Callable[[str], Hands]) -> None:
        aud = hands("aud")
        aud.finds("Ledger", "/ledger")
        aud.goes_to("First day (UTC)")
        aud.types("03012026")
        aud.goes_to("Last day (UTC)")
        aud.types("03022026")
        aud.goes_to("Show")
        with aud.page.expect_navigation(url="**from=2026-03-01*"):
            aud.press("Enter")
        aud.goes_to("Draw a pack")
        with aud.page.expect_navigation():
            aud.press("Enter")
        expect(aud.page.get_by_role("link", name="Download").first).to_be_visible()

    def test_draws_a_sample_and_opens_what_was_drawn(self, hands: Callable[[str], Hands]) -> None:
        aud = hands("aud")
        aud.goes_to("Draw a sample: Who could reach what")
        with aud.page.expect_navigation(url="**draw=reach*"):
            aud.press("Enter")
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
        plays(aud)

    def test_sees_a_page_as_it_was(self, hands: Callable[[str], Hands]) -> None:
        aud = hands("aud")
        aud.finds("People", "/people")
        aud.goes_to("As of")
        aud.press("Enter")
        aud.goes_to("Show this page as it was")
        aud.types("03022026")
        aud.goes_to("Show")
        with aud.page.expect_navigation(url="**as_of=2026-03-02*"):
            aud.press("Enter")
        expect(aud.page.get_by_text("read-only. You see what was so then.")).to_be_visible()


@pytest.mark.parametrize(
    ("person", "paths"),
    [
        ("eve", ("/", "/factors", "/sessions")),
        ("ada", ("/", "/approvals", "/people", "/people/eve", "/roles", "/changes/new", "/providers", "/roster")),
        ("aud", ("/ledger", "/leavers", "/second-factors", "/resources/web-1")),
    ],
)
def test_no_page_keeps_the_focus(hands: Callable[[str], Hands], person: str, paths: tuple[str, ...]) -> None:
    somebody = hands(person)
    for path in paths:
        somebody.page.goto(path)
        stops = somebody.goes_round()
        assert stops[0] == "Skip to the page", path
        assert len(stops) > 5, path
